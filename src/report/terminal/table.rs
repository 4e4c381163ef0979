//! The last operations of a test, in columns.

use std::io::{self, Write};

use super::section;
use crate::report::style::Paint;
use crate::report::text::{clip, count, one_line};
use crate::runner::event::{ExchangeNote, Site};
use crate::units::format_duration;

/// The most operations that are shown.
const MAX_ROWS: usize = 20;

/// The columns of an operation with its arguments.
const OPERATION_COLUMNS: usize = 56;

/// The columns of an outcome.
const OUTCOME_COLUMNS: usize = 48;

/// The columns of a name.
const NAME_COLUMNS: usize = 24;

pub(super) fn write(
    out: &mut dyn Write,
    paint: Paint,
    exchanges: &[ExchangeNote],
    site: Option<&Site>,
) -> io::Result<()> {
    if exchanges.is_empty() {
        return Ok(());
    }
    let shown = &exchanges[exchanges.len().saturating_sub(MAX_ROWS)..];
    let heads = ["began", "took", "task", "on", "operation", "outcome", "line"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(shown.iter().map(|note| row(note, site)));
    let mut lines = super::align(&rows);
    if let Some(head) = lines.first_mut() {
        *head = paint.faint(&head);
    }
    let hidden = exchanges.len() - shown.len();
    if hidden > 0 {
        lines.insert(1, paint.faint(format!("(… {} before)", count(hidden, "operation"))));
    }
    section(out, paint, "last operations, by the lab's clock:", &lines)
}

fn row(note: &ExchangeNote, site: Option<&Site>) -> Vec<String> {
    let name = |text: &str| clip(&one_line(text), NAME_COLUMNS);
    let on = match &note.worker {
        Some(worker) => format!("{}/{}", note.vm, worker),
        None => note.vm.clone(),
    };
    let took = match note.ended {
        Some(ended) => format_duration(ended.saturating_sub(note.began)),
        None => "…".to_owned(),
    };
    let line = match &note.site {
        Some(at) if site.is_some_and(|site| site.file == at.file) => at.line.to_string(),
        Some(at) => super::failure::place(at),
        None => String::new(),
    };
    vec![
        format_duration(note.began),
        took,
        name(&note.task),
        name(&on),
        clip(&one_line(&note.operation), OPERATION_COLUMNS),
        clip(&one_line(&note.outcome), OUTCOME_COLUMNS),
        line,
    ]
}
