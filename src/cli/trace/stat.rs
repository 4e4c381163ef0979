//! `provium trace stat FILE…`: what traces hold, and what they take.

use std::fmt::Display;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::{CommandError, Exit};
use crate::report::text::{count, one_line, printable, width};
use crate::trace::format::block::{CLOSING_PAYLOAD, HEAD};
use crate::trace::format::{End, TraceError, TraceReader};
use crate::trace::stat::Stat;

/// Which traces.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Exit codes:
  0  said
  2  a file cannot be read to its end, or is no trace that this provium can read")]
pub(super) struct StatArgs {
    /// Traces
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// Says what the traces amount to, one by one.
pub(super) fn stat(args: &StatArgs) -> Result<Exit, CommandError> {
    let mut out = BufWriter::new(io::stdout());
    let mut exit = Exit::Passed;
    for (at, path) in args.files.iter().enumerate() {
        let name = printable(&path.display().to_string());
        match look(path) {
            Ok((mut lines, whole)) => {
                lines.insert(0, name.clone());
                if at > 0 {
                    lines.insert(0, String::new());
                }
                if !super::print(&mut out, &lines)? {
                    break;
                }
                if let Err(why) = whole {
                    super::super::complain(&format_args!("{name}: {why}; only what stands before is counted"));
                    exit = Exit::CouldNotRun;
                }
            }
            Err(error) => {
                super::super::complain(&format_args!("{name}: {error}"));
                exit = Exit::CouldNotRun;
            }
        }
    }
    Ok(exit)
}

/// What is to be said of a trace, and what is wrong with it.
fn look(path: &Path) -> Result<(Vec<String>, Result<(), String>), TraceError> {
    let mut reader = TraceReader::open(path)?;
    let header = reader.position().at;
    let mut stat = Stat::default();
    let mut before = 0;
    loop {
        match reader.next_record() {
            Ok(Some(record)) => {
                let raw = reader.position().raw;
                stat.record(&record, raw - before);
                before = raw;
            }
            // Damage is told by the end.
            Ok(None) | Err(TraceError::Damaged(_)) => break,
            Err(error) => return Err(error),
        }
    }
    let mut lines = head(&reader);
    lines.extend(tests(&stat));
    lines.extend(size(&reader, &stat, header));
    lines.push(String::new());
    lines.extend(table(&operations(&stat)));
    lines.push(String::new());
    lines.extend(table(&kinds(&stat)));
    let whole = match reader.end() {
        Some(End::Damaged(damage)) => Err(format!("the trace is damaged {damage}")),
        _ => Ok(()),
    };
    Ok((lines, whole))
}

/// The file's size, and what that is for each exchange.
/// What the file takes, in all and of what. `header` is what its header takes.
fn size<R: io::Read>(reader: &TraceReader<R>, stat: &Stat, header: u64) -> Vec<String> {
    let position = reader.position();
    let heads = u64::from(position.blocks) * HEAD as u64;
    let closing = match reader.end() {
        Some(End::Complete(_)) => (HEAD + CLOSING_PAYLOAD) as u64,
        _ => 0,
    };
    let packed = position.at.saturating_sub(header + heads);
    let stored = position.at + closing;
    let exchanges: u64 = stat.operations.values().map(|operation| operation.count).sum();
    let each = |bytes: u64| bytes as f64 / exchanges.max(1) as f64;
    vec![
        format!(
            "  bytes      {stored} in {}, {} before compression; an exchange: {:.1}, {:.1} before",
            count(position.blocks as usize, "block"),
            position.raw,
            each(stored),
            each(position.raw)
        ),
        format!(
            "             {header} of the header, {heads} of blocks' heads, {packed} of records, {closing} of the end"
        ),
    ]
}

fn head<R: io::Read>(reader: &TraceReader<R>) -> Vec<String> {
    let header = reader.header();
    let seed = header.seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
    let mut lines = vec![
        format!("  file       {}", one_line(&header.file)),
        format!("  run        on {}, schedule {}{seed}", one_line(&header.backend), one_line(&header.strategy)),
        format!("  written    by {}, format {}", one_line(&header.writer), reader.version()),
    ];
    if !header.required.is_empty() {
        lines.push(format!("  needs      {}", one_line(&header.required.join(", "))));
    }
    if header.redacted > 0 {
        lines.push(format!("  redacted   {}", count(header.redacted as usize, "pattern")));
    }
    let end = match reader.end() {
        Some(End::Complete(_)) => "complete".to_owned(),
        Some(End::Torn { lost, cut, .. }) => format!("torn: {lost} bytes of a block and {cut} of a record are cut off"),
        _ => "damaged".to_owned(),
    };
    lines.push(format!("  end        {end}"));
    lines
}

fn tests(stat: &Stat) -> Vec<String> {
    let exchanges: u64 = stat.operations.values().map(|operation| operation.count).sum();
    let records: u64 = stat.kinds.values().map(|amount| amount.count).sum();
    let mut verdicts =
        vec![format!("{} passed", stat.passed), format!("{} failed", stat.failed), format!("{} skipped", stat.skipped)];
    let ended = stat.passed + stat.failed + stat.skipped;
    if stat.begun > ended {
        verdicts.push(format!("{} not ended", stat.begun - ended));
    }
    let choices: Vec<String> =
        stat.choices.iter().map(|(point, count)| format!("{count} {point:?}").to_lowercase()).collect();
    let choices = if choices.is_empty() { "none".to_owned() } else { choices.join(", ") };
    vec![
        format!("  tests      {}: {}", stat.begun, verdicts.join(", ")),
        format!("  exchanges  {exchanges}, in {}", count(records as usize, "record")),
        format!("  choices    {choices}"),
    ]
}

fn operations(stat: &Stat) -> Vec<Vec<String>> {
    let mut rows = vec![row(&[&"operation", &"count", &"failed", &"unanswered", &"bytes", &"each"])];
    for (name, operation) in &stat.operations {
        let each = operation.raw / operation.count.max(1);
        rows.push(row(&[name, &operation.count, &operation.failed, &operation.unanswered, &operation.raw, &each]));
    }
    rows
}

fn kinds(stat: &Stat) -> Vec<Vec<String>> {
    let mut rows = vec![row(&[&"record", &"count", &"bytes", &"each"])];
    for (name, amount) in &stat.kinds {
        rows.push(row(&[name, &amount.count, &amount.raw, &(amount.raw / amount.count.max(1))]));
    }
    rows
}

fn row(cells: &[&dyn Display]) -> Vec<String> {
    cells.iter().map(ToString::to_string).collect()
}

/// Rows in columns: names to the left, numbers to the right.
fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        format!("  {}", cells.collect::<Vec<_>>().join("  "))
    };
    rows.iter().map(line).collect()
}
