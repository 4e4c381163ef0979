//! `provium [PATH]…`: runs tests.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use clap::Args;
use provium_protocol::{Backend, Nanos};

use super::args::{self, Colour, SelectArgs};
use super::backend::{self, BackendName, Backends};
use super::outputs::{self, Look, Output};
use super::record::{RecordArgs, Recordings};
use crate::config::Project;
use crate::error::{CommandError, Exit};
use crate::report::Reports;
use crate::report::repeat::Repeat;
use crate::report::sources::DiskSources;
use crate::report::style::Paint;
use crate::report::tally::Tally;
use crate::report::terminal::Level;
use crate::runner::discover::{Found, FoundFile, discover};
use crate::runner::event::{Event, Failure};
use crate::runner::file::{FileOptions, FileToRun, run_file};
use crate::runner::inputs::Disk;
use crate::runner::journal::Journal;
use crate::runner::observe::{Observer, Observers};
use crate::trace::recorder::{Recorder, RecordingInputs};

/// How to run.
#[derive(Args, Clone, Debug)]
pub(super) struct RunArgs {
    #[command(flatten)]
    select: SelectArgs,
    /// Run under the random schedule number N; the same N is the same run [default: first in, first out]
    #[arg(long, value_name = "N", value_parser = args::seed, allow_negative_numbers = true, help_heading = "How to run them")]
    seed: Option<u64>,
    /// What drives the guests: sim, qemu
    #[arg(long, value_name = "NAME", value_parser = backend::parse, default_value = "sim", hide_default_value = true, help_heading = "How to run them")]
    backend: BackendName,
    /// Boot real guests from the beginning instead of cloning ones that have booted
    #[arg(long, help_heading = "How to run them")]
    cold_boot: bool,
    /// How long a test may take that does not say so itself: 10, 1.5s, 2m
    #[arg(long, value_name = "TIME", value_parser = args::timeout, allow_negative_numbers = true, help_heading = "How to run them")]
    timeout: Option<Nanos>,
    /// Stop after the first test that fails
    #[arg(long, help_heading = "How to run them")]
    fail_fast: bool,
    /// Write a report: terminal, json (JSON lines) or junit (XML), to FILE or to standard output;
    /// several may be written at once
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = outputs::parse, help_heading = "What to show")]
    report: Vec<Output>,
    /// Write every exchange, choice and test boundary to FILE, one line each: the same run writes the
    /// same bytes
    #[arg(long, value_name = "FILE", help_heading = "What to show")]
    journal: Option<PathBuf>,
    #[command(flatten)]
    record: RecordArgs,
    /// Show what tests log, as they do
    #[arg(long, short, conflicts_with = "quiet", help_heading = "What to show")]
    verbose: bool,
    /// Show failures and the closing line only
    #[arg(long, short, help_heading = "What to show")]
    quiet: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN", help_heading = "What to show")]
    color: Colour,
}

/// Runs the tests.
pub(super) fn run(args: &RunArgs) -> Result<Exit, CommandError> {
    args.record.judge()?;
    let (project, here) = super::project()?;
    let selector = args.select.selector()?;
    let found = discover(&project, &args.select.paths)?;
    let look = Look {
        level: match (args.quiet, args.verbose) {
            (true, _) => Level::Quiet,
            (_, true) => Level::Verbose,
            _ => Level::Normal,
        },
        paint: Paint { colour: args.color.on() },
        repeat: repeat(args, &found.files, &here),
    };
    let known: BTreeMap<String, PathBuf> =
        found.files.iter().map(|file| (file.name.clone(), file.path.clone())).collect();
    let sources = || -> Box<dyn crate::report::sources::Sources> {
        Box::new(DiskSources::new(known.clone(), vec![project.dir.clone(), here.clone()]))
    };
    let reports = outputs::open(&args.report, &look, &sources)?;
    let mut run = Run { reports, tally: Tally::default(), seen: Vec::new(), keeps_seen: false, recorded: None };
    let journal = match &args.journal {
        Some(path) => Some(Journal::create(path).map_err(|why| CommandError::Output { path: path.clone(), why })?),
        None => None,
    };
    let started = Instant::now();
    let files = found.files.len() + found.unreadable.len();
    run.event(Event::RunStarted { backend: args.backend.as_str().to_owned(), seed: args.seed, files });
    run.unreadable(&found);
    let mut stopped = None;
    let backends = Backends::open(args.backend, &project, args.cold_boot)?;
    let recordings = Recordings {
        args: &args.record,
        project: &project,
        here: &here,
        backend: args.backend,
        seed: args.seed,
        default_timeout: args.timeout.or(project.timeout),
    };
    let mut trouble = Vec::new();
    let mut warned = false;
    for file in &found.files {
        if args.fail_fast && run.tally.failed > 0 {
            stopped = Some("a test failed (--fail-fast)".to_owned());
            break;
        }
        let name = file.name.clone();
        let selector = selector.clone();
        let file = file_to_run(&project, file);
        let recording = recordings.begin(&file).unwrap_or_else(|warning| {
            // Whatever is the matter is so for every file.
            if !std::mem::replace(&mut warned, true) {
                super::complain_softly(&warning);
            }
            None
        });
        let recorder = recording.as_ref().map(|recording| &recording.recorder);
        let mut options = FileOptions {
            select: Box::new(move |test| selector.decide(&name, test)),
            default_timeout: args.timeout.or(project.timeout),
            profiles: project.profiles.clone(),
            seed: args.seed,
            fail_fast: args.fail_fast,
            observers: observers(journal.as_ref(), recorder),
            conductor: None,
            inputs: Rc::new(Disk),
        };
        if let Some(recorder) = recorder {
            options.inputs = Rc::new(RecordingInputs::new(Rc::clone(recorder), options.inputs));
        }
        let backend = backends.make(args.seed, journal.as_ref(), recorder);
        run.seen.clear();
        run.keeps_seen = args.record.verify;
        let failures = run.tally.failed + run.tally.broken_files;
        run.recorded = recording.as_ref().map(|recording| recording.shown.clone());
        run.file(&file, &options, backend);
        // It holds the recorder, and with it the file.
        drop(options);
        let failed = run.tally.failed + run.tally.broken_files > failures;
        if let Some(recording) = recording {
            let mut keeps = recordings.keeps(failed);
            let finished = if keeps || args.record.verify { recording.finish() } else { recording.abandon() };
            if let Err(warning) = &finished {
                super::complain_softly(warning);
            }
            if args.record.verify && finished.is_err() {
                trouble.push(not_verified(&file));
            } else if args.record.verify
                && let Err(difference) = super::replay::verify(&file, &recording.path, &run.seen)
            {
                keeps = true;
                trouble.push(format!(
                    "`{}` does not replay as it ran, which is a defect of provium: keep `{}`\n{difference}",
                    file.name, recording.shown
                ));
            }
            if !keeps && let Err(warning) = recording.remove() {
                super::complain_softly(&warning);
            }
        } else if args.record.verify {
            trouble.push(not_verified(&file));
        }
    }
    let host_time = Nanos::try_from(started.elapsed().as_nanos()).unwrap_or(Nanos::MAX);
    run.event(Event::RunFinished { stopped, host_time });
    trouble.extend(run.reports.failures());
    if let (Some(path), Some(Err(why))) = (&args.journal, journal.map(|journal| journal.finish())) {
        trouble.push(CommandError::Output { path: path.clone(), why }.to_string());
    }
    run.end(&args.select, &trouble)
}

/// What was asked for and could not be done.
fn not_verified(file: &FileToRun) -> String {
    format!("`{}` could not be verified: there is no whole trace of its run", file.name)
}

/// The file as the runner wants it: `require` looks in the project's roots, then beside the project's file.
pub(super) fn file_to_run(project: &Project, file: &FoundFile) -> FileToRun {
    let mut roots = project.roots.clone();
    if !roots.contains(&project.dir) {
        roots.push(project.dir.clone());
    }
    FileToRun { name: file.name.clone(), path: file.path.clone(), roots }
}

/// What of this command line belongs into the commands that repeat a test.
fn repeat(args: &RunArgs, files: &[FoundFile], here: &Path) -> Repeat {
    let mut options = Vec::new();
    if args.backend != BackendName::Sim {
        options.extend(["--backend".to_owned(), args.backend.as_str().to_owned()]);
    }
    if args.cold_boot {
        options.push("--cold-boot".to_owned());
    }
    if let Some(seed) = args.seed {
        options.extend(["--seed".to_owned(), seed.to_string()]);
    }
    if let Some(timeout) = args.timeout {
        // In the finest unit, because it is exact.
        options.extend(["--timeout".to_owned(), exact_seconds(timeout)]);
    }
    let path = |file: &FoundFile| file.path.strip_prefix(here).unwrap_or(&file.path).display().to_string();
    Repeat {
        program: super::program(),
        is_replay: false,
        options,
        selection: args.select.as_typed(),
        paths: files.iter().map(|file| (file.name.clone(), path(file))).collect(),
    }
}

fn exact_seconds(ns: Nanos) -> String {
    let text = format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000);
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}

struct Run {
    reports: Reports,
    tally: Tally,
    /// What happened in the file that runs, if its replay is to be compared with it.
    seen: Vec<Event>,
    keeps_seen: bool,
    /// The trace of the file that runs.
    recorded: Option<String>,
}

/// Who sees the run of a file.
fn observers(journal: Option<&Rc<Journal>>, recorder: Option<&Rc<Recorder>>) -> Observers {
    let journal = journal.map(|journal| Rc::clone(journal) as Rc<dyn Observer>);
    let recorder = recorder.map(|recorder| Rc::clone(recorder) as Rc<dyn Observer>);
    journal.into_iter().chain(recorder).collect()
}

impl Run {
    fn event(&mut self, event: Event) {
        self.tally.event(&event);
        self.reports.event(&event);
        if let (Event::FileStarted { file }, Some(trace)) = (&event, self.recorded.take()) {
            self.reports.event(&Event::Recording { file: file.clone(), trace });
        }
        if self.keeps_seen {
            self.seen.push(event);
        }
    }

    /// What was found but cannot be run counts like a file that cannot be loaded.
    fn unreadable(&mut self, found: &Found) {
        for (name, why) in &found.unreadable {
            let failure = Failure { message: why.clone(), ..Failure::default() };
            self.event(Event::FileStarted { file: name.clone() });
            self.event(Event::FileFailed { file: name.clone(), failure });
            self.event(Event::FileFinished { file: name.clone(), deselected: 0 });
        }
    }

    /// Runs one file. A panic is a defect of provium: it costs this file, and the others go on.
    fn file(&mut self, file: &FileToRun, options: &FileOptions, backend: Rc<dyn Backend>) {
        let result = catch_unwind(AssertUnwindSafe(|| {
            run_file(file, options, backend, &mut |event| self.event(event));
        }));
        if let Err(panic) = result {
            let said = panic.downcast_ref::<&str>().map(|&text| text.to_owned());
            let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
            let message = format!(
                "provium itself failed: {}\nthis is a defect of provium, not of the test",
                said.unwrap_or_else(|| "for no stated reason".to_owned())
            );
            let failure = Failure { message, ..Failure::default() };
            self.event(Event::FileFailed { file: file.name.clone(), failure });
            self.event(Event::FileFinished { file: file.name.clone(), deselected: 0 });
        }
    }

    fn end(&self, select: &SelectArgs, trouble: &[String]) -> Result<Exit, CommandError> {
        for failure in trouble {
            super::complain(failure);
        }
        if self.tally.selected() == 0 && self.tally.broken_files == 0 {
            return Err(nothing_ran(&self.tally, select));
        }
        Ok(Exit::of(&self.tally, !trouble.is_empty()))
    }
}

/// Why no test ran although nothing was wrong.
fn nothing_ran(tally: &Tally, select: &SelectArgs) -> CommandError {
    if tally.deselected > 0 {
        return CommandError::NothingSelected(format!(
            "{} ({} in {} not selected)",
            select.described(),
            crate::report::text::count(tally.deselected, "test"),
            crate::report::text::count(tally.files, "file"),
        ));
    }
    let files = crate::report::text::count(tally.files, "file");
    CommandError::NoTests(format!("{files} loaded, but no test is registered"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_typed_again_exactly() {
        for text in ["10s", "1.5s", "0.000000001s", "100.25s"] {
            let ns = args::timeout(text).expect("good");
            assert_eq!(exact_seconds(ns), text);
        }
    }
}
