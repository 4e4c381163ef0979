//! All there is to know about one failure, from what happened to what led to it.

use std::io::{self, Write};

use super::{section, shown_lines, snippet, table};
use crate::report::sources::Sources;
use crate::report::style::Paint;
use crate::report::text::{clip, count, one_line};
use crate::runner::event::{Failure, Site};

/// The most lines of a message that are shown: the output of a failed command may be endless.
const MAX_MESSAGE_LINES: usize = 60;

/// The most callers that are shown: deep recursion repeats itself.
const MAX_STACK: usize = 10;

/// The columns of a source line that is quoted beside a caller.
const STACK_LINE_COLUMNS: usize = 80;

/// A failure, and what was noticed and logged besides.
pub(super) struct Block<'a> {
    pub failure: &'a Failure,
    pub warnings: &'a [String],
    pub logs: &'a [String],
    pub logs_dropped: usize,
}

pub(super) fn write(out: &mut dyn Write, paint: Paint, sources: &dyn Sources, block: &Block<'_>) -> io::Result<()> {
    let failure = block.failure;
    message(out, paint, &failure.message)?;
    if let Some(site) = &failure.site {
        snippet::write(out, paint, sources, site)?;
    }
    section(out, paint, "called from:", &stack(sources, failure))?;
    table::write(out, paint, &failure.exchanges, failure.site.as_ref())?;
    section(out, paint, "waiting:", &flat(&failure.waits))?;
    let mut logs = block.logs.to_vec();
    if block.logs_dropped > 0 {
        logs.insert(0, format!("(… {} before)", count(block.logs_dropped, "line")));
    }
    section(out, paint, "log:", &logs)?;
    let also: Vec<String> = failure.notes.iter().chain(block.warnings).cloned().collect();
    section(out, paint, "also:", &flat(&also))
}

fn message(out: &mut dyn Write, paint: Paint, message: &str) -> io::Result<()> {
    let lines = shown_lines(message);
    for (at, line) in lines.iter().take(MAX_MESSAGE_LINES).enumerate() {
        let line = if at == 0 { paint.bad(line) } else { line.clone() };
        writeln!(out, "{}", format!("      {line}").trim_end())?;
    }
    if lines.len() > MAX_MESSAGE_LINES {
        let more = count(lines.len() - MAX_MESSAGE_LINES, "more line");
        writeln!(out, "      {}", paint.faint(format!("(… {more}: `--report json=FILE` has all)")))?;
    }
    Ok(())
}

fn stack(sources: &dyn Sources, failure: &Failure) -> Vec<String> {
    let callers: Vec<&Site> = failure.stack.iter().filter(|&site| Some(site) != failure.site.as_ref()).collect();
    let rows: Vec<Vec<String>> = callers
        .iter()
        .take(MAX_STACK)
        .map(|site| {
            let source = snippet::line(sources, site).unwrap_or_default();
            vec![place(site), clip(one_line(&source).trim(), STACK_LINE_COLUMNS)]
        })
        .collect();
    let mut lines = super::align(&rows);
    if callers.len() > MAX_STACK {
        lines.push(format!("(… {})", count(callers.len() - MAX_STACK, "more caller")));
    }
    lines
}

/// `file:line`, as editors open it.
pub(super) fn place(site: &Site) -> String {
    format!("{}:{}", one_line(&site.file), site.line)
}

/// Entries that may have several lines each, the later ones indented.
fn flat(entries: &[String]) -> Vec<String> {
    let lines = |entry: &String| {
        let lines = shown_lines(entry).into_iter().enumerate();
        lines.map(|(at, line)| if at == 0 { line } else { format!("  {line}") }).collect::<Vec<_>>()
    };
    entries.iter().flat_map(lines).collect()
}
