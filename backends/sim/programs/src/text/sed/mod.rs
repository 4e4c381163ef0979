//! sed: edits streams line by line.

mod inplace;
mod input;
mod output;
mod parse;
mod replace;
mod run;
mod script;
mod source;
mod text;

use super::common::{open, or_stdin, read_all};
use crate::shared::args::Stopped;
use crate::shared::{Exit, Opt, Outcome, Parsed, Spec, Tool};
use inplace::InPlace;
use source::{Origin, Source};

/// Bytes of one read of a script file.
const BLOCK: usize = 4096;

const SPEC: Spec = Spec::new(
    "[OPTION]... {script-only-if-no-other-script} [input-file]...",
    &[
        Opt::flag("n", "quiet"),
        Opt::flag("", "silent"),
        Opt::unsupported("", "debug"),
        Opt::value("e", "expression"),
        Opt::value("f", "file"),
        Opt::unsupported("", "follow-symlinks"),
        Opt::optional("i", "in-place"),
        Opt::value("l", "line-length"),
        Opt::unsupported("", "posix"),
        Opt::flag("Er", "regexp-extended"),
        Opt::flag("s", "separate"),
        Opt::unsupported("", "sandbox"),
        Opt::flag("u", "unbuffered"),
        Opt::flag("z", "null-data"),
        Opt::flag("b", "binary"),
    ],
);

/// What the options say.
pub(super) struct Job {
    quiet: bool,
    line_end: u8,
    separate: bool,
    in_place: Option<InPlace>,
    unbuffered: bool,
    /// Columns of `l`.
    width: usize,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    tool.out.set_failure(4);
    let mut parsed = match SPEC.parse(tool.args.clone()) {
        Err(Stopped::Wrong(message)) => {
            tool.stderr([tool.name(), b": ", &message, b"\n"].concat()).await;
            return Err(usage(&tool).await);
        }
        _ => tool.parse(&SPEC).await?,
    };
    let mut source = source(&tool, &parsed).await?;
    if source.is_empty() {
        if parsed.operands.is_empty() {
            return Err(usage(&tool).await);
        }
        source.push(&parsed.operands.remove(0), Origin::Expression(1));
    }
    let script = match parse::parse(&mut source, parsed.has("regexp-extended"), !parsed.has("null-data")) {
        Ok(script) => script,
        Err(fault) => return Err(tool.fail(fault.code, fault.message).await),
    };
    let in_place = parsed.options.iter().rev().find(|(key, _)| *key == "in-place");
    let in_place = in_place.map(|(_, suffix)| InPlace { suffix: suffix.clone().unwrap_or_default() });
    let width = parsed.value("line-length").map_or(70, |text| crate::shared::strnum::unsigned(text, 10).value);
    let job = Job {
        quiet: parsed.has("quiet") || parsed.has("silent") || script.quiet,
        line_end: if parsed.has("null-data") { 0 } else { b'\n' },
        separate: parsed.has("separate") || in_place.is_some(),
        in_place,
        unbuffered: parsed.has("unbuffered"),
        width: usize::try_from(width).unwrap_or(usize::MAX),
    };
    run::run(&tool, &script, &job, or_stdin(parsed.operands)).await
}

async fn usage(tool: &Tool) -> Exit {
    tool.stderr(SPEC.help(&String::from_utf8_lossy(tool.name()))).await;
    Exit(1)
}

/// Gathers the scripts of `-e` and `-f`.
async fn source(tool: &Tool, parsed: &Parsed) -> Result<Source, Exit> {
    let mut source = Source::default();
    let mut number = 0;
    for (key, value) in &parsed.options {
        let text = value.as_deref().unwrap_or_default();
        match *key {
            "expression" => {
                number += 1;
                source.push(text, Origin::Expression(number));
            }
            "file" => {
                let shown = String::from_utf8_lossy(text).into_owned();
                let read = match open(tool, text).await {
                    Ok(fd) => read_all(tool, fd, BLOCK).await,
                    Err(errno) => Err(errno),
                };
                match read {
                    Ok(script) => {
                        let script = script.strip_suffix(b"\n").unwrap_or(&script);
                        source.push(script, Origin::File(text.to_vec()));
                    }
                    Err(errno) => return Err(tool.fail_errno(4, format!("couldn't open file {shown}"), errno).await),
                }
            }
            _ => {}
        }
    }
    Ok(source)
}
