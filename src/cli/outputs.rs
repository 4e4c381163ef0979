//! `--report`: which reports are written, and where to.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use crate::error::CommandError;
use crate::report::json::JsonLines;
use crate::report::junit::Junit;
use crate::report::repeat::Repeat;
use crate::report::sources::Sources;
use crate::report::style::Paint;
use crate::report::terminal::{Level, Terminal};
use crate::report::{Report, Reports};

/// One `--report FORMAT[=FILE]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Output {
    format: Format,
    /// Standard output if there is none.
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Terminal,
    Json,
    Junit,
}

/// Reads one `--report`.
pub(super) fn parse(text: &str) -> Result<Output, String> {
    let (format, file) = match text.split_once('=') {
        Some((_, "")) => return Err("the name of the file is missing after `=`".to_owned()),
        Some((format, file)) => (format, Some(PathBuf::from(file))),
        None => (text, None),
    };
    let format = match format {
        "terminal" => Format::Terminal,
        "json" => Format::Json,
        "junit" => Format::Junit,
        _ => return Err("expected terminal, json or junit, and =FILE if it is to go to a file".to_owned()),
    };
    Ok(Output { format, file })
}

/// What the reports for people need to know.
pub(super) struct Look {
    pub level: Level,
    pub paint: Paint,
    pub repeat: Repeat,
}

/// Opens all reports before anything runs, so that a path that cannot be written costs no run. People
/// are told on standard output unless another report goes there.
pub(super) fn open(
    outputs: &[Output],
    look: &Look,
    sources: &dyn Fn() -> Box<dyn Sources>,
) -> Result<Reports, CommandError> {
    let mut reports = Reports::default();
    let on_stdout = outputs.iter().filter(|output| output.file.is_none()).count();
    if on_stdout > 1 {
        return Err(CommandError::TwoReportsOnStdout);
    }
    let default = Output { format: Format::Terminal, file: None };
    for output in outputs.iter().chain((on_stdout == 0).then_some(&default)) {
        let (name, out): (String, Box<dyn Write>) = match &output.file {
            None => ("standard output".to_owned(), Box::new(BufWriter::new(io::stdout()))),
            Some(path) => {
                let file = File::create(path).map_err(|why| CommandError::Output { path: path.clone(), why })?;
                (format!("`{}`", path.display()), Box::new(BufWriter::new(file)))
            }
        };
        let report: Box<dyn Report> = match output.format {
            Format::Terminal => {
                // Colours are for the terminal, never for a file.
                let paint = Paint { colour: look.paint.colour && output.file.is_none() };
                Box::new(Terminal::new(out, look.level, paint, sources(), look.repeat.clone()))
            }
            Format::Json => Box::new(JsonLines::new(out)),
            Format::Junit => Box::new(Junit::new(out)),
        };
        reports.add(name, report);
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_may_name_its_file() {
        assert_eq!(parse("json"), Ok(Output { format: Format::Json, file: None }));
        assert_eq!(parse("junit=a=b.xml"), Ok(Output { format: Format::Junit, file: Some("a=b.xml".into()) }));
        for bad in ["", "xml", "json=", "=x"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
