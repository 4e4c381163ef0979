//! `provium list [PATH]…`: says which tests there are.

use std::io::{self, BufWriter, Write};

use clap::Args;
use serde::Serialize;

use super::args::SelectArgs;
use super::backend::{self, BackendName, Backends};
use super::complain;
use crate::error::{CommandError, Exit};
use crate::report::text::one_line;
use crate::runner::discover::discover;
use crate::runner::event::Failure;
use crate::runner::file::{FileOptions, Selection, TestInfo, list_file};
use crate::runner::select::full_name;

/// What to list.
#[derive(Args, Clone, Debug)]
pub(super) struct ListArgs {
    #[command(flatten)]
    select: SelectArgs,
    /// The backend that skip reasons are about: sim, qemu
    #[arg(long, value_name = "NAME", value_parser = backend::parse, default_value = "sim", hide_default_value = true)]
    backend: BackendName,
    /// One JSON object for each test, on a line of its own
    #[arg(long)]
    json: bool,
}

/// One line of `--json`. Fields are added, never renamed.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    test: &'a str,
    tags: &'a [String],
    slow: bool,
    /// Why it would not be run.
    skip: Option<&'a str>,
    line: Option<u32>,
}

/// Lists the tests.
pub(super) fn list(args: &ListArgs) -> Result<Exit, CommandError> {
    let (project, _) = super::project()?;
    let selector = args.select.selector()?;
    let found = discover(&project, &args.select.paths)?;
    let backends = Backends::open(args.backend, &project, false)?;
    let mut out = BufWriter::new(io::stdout());
    let mut exit = Exit::Passed;
    let (mut listed, mut left) = (0_usize, 0_usize);
    for (name, why) in &found.unreadable {
        complain(&format!("{}: {why}", one_line(name)));
        exit = Exit::CouldNotRun;
    }
    for file in &found.files {
        let options = FileOptions { profiles: project.profiles.clone(), ..FileOptions::default() };
        let tests = match list_file(&super::run::file_to_run(&project, file), &options, backends.make(None, None, None))
        {
            Ok(tests) => tests,
            Err(failure) => {
                complain(&cannot_load(&file.name, &failure));
                exit = Exit::CouldNotRun;
                continue;
            }
        };
        for test in &tests {
            let skip = match selector.decide(&file.name, test) {
                Selection::Run => test.skip.clone(),
                Selection::Skip(reason) => test.skip.clone().or(Some(reason)),
                Selection::Leave => {
                    left += 1;
                    continue;
                }
            };
            listed += 1;
            match write(&mut out, args.json, &file.name, test, skip.as_deref()) {
                Ok(()) => {}
                // Who reads no further has seen what they wanted.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(exit),
                Err(why) => return Err(CommandError::Output { path: "standard output".into(), why }),
            }
        }
    }
    match out.flush() {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => {
            return Err(CommandError::Output { path: "standard output".into(), why });
        }
        _ => {}
    }
    if listed == 0 && exit == Exit::Passed {
        return Err(match left {
            0 => CommandError::NoTests("files were found, but no test is registered".to_owned()),
            _ => CommandError::NothingSelected(args.select.described()),
        });
    }
    Ok(exit)
}

fn write(out: &mut impl Write, json: bool, file: &str, test: &TestInfo, skip: Option<&str>) -> io::Result<()> {
    if json {
        let line = test.site.as_ref().map(|site| site.line);
        let line = Line { file, test: &test.name, tags: &test.tags, slow: test.slow, skip, line };
        serde_json::to_writer(&mut *out, &line)?;
        return writeln!(out);
    }
    write!(out, "{}", one_line(&full_name(file, &test.name)))?;
    if !test.tags.is_empty() {
        write!(out, "  [{}]", one_line(&test.tags.join(", ")))?;
    }
    if let Some(reason) = skip {
        write!(out, "  (skip: {})", one_line(reason))?;
    }
    writeln!(out)
}

fn cannot_load(file: &str, failure: &Failure) -> String {
    let place = failure.site.as_ref().map(|site| format!("{}:{}: ", site.file, site.line)).unwrap_or_default();
    let message = crate::report::text::printable(&failure.message);
    format!("{} could not be loaded: {}{message}", one_line(file), one_line(&place))
}
