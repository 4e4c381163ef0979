//! A trace in columns.

use std::io::{self, Write};

use provium_protocol::Nanos;
use provium_protocol::time::SECOND;

use super::{Item, Selected, ask_json, event_json, items, on, result_json, words};
use crate::report::style::Paint;
use crate::report::text::{clip, count, one_line, pad, printable, width};
use crate::trace::record::{Boundary, RecordedVerdict};
use crate::trace::timeline::{Event, Exchange, Happening, Timeline};
use crate::units::format_duration;

/// How it looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Colours, or none.
    pub paint: Paint,
    /// Columns of the terminal; `None` if nothing has to fit.
    pub columns: Option<usize>,
    /// All arguments and replies below each line.
    pub full: bool,
}

/// The columns.
const HEADS: [&str; 8] = ["seq", "began", "took", "task", "on", "operation", "outcome", "line"];

/// The column of operations and that of outcomes, which share the room that the others leave.
const OPERATION: usize = 5;
const OUTCOME: usize = 6;

/// Columns of a name: a task, a VM, a file.
const MAX_NAME: usize = 28;

/// Columns of an operation and of an outcome where nothing has to fit.
const MAX_OPERATION: usize = 72;
const MAX_OUTCOME: usize = 60;

/// Columns that an operation and an outcome have at least: less cannot be read, so the line grows instead.
const MIN_OPERATION: usize = 20;
const MIN_OUTCOME: usize = 12;

/// Columns between two columns.
const GAP: usize = 2;

type Row = [String; 8];

/// A time of the lab's clock in seconds: what happens in one test differs in the last digits.
fn clock(ns: Nanos) -> String {
    format!("{}.{:06}", ns / SECOND, ns % SECOND / 1_000)
}

/// Writes the table.
pub fn write(out: &mut dyn Write, timeline: &Timeline, selected: &Selected, look: &Look) -> io::Result<()> {
    summary(out, timeline, look)?;
    let widths = widths(timeline, selected, look);
    let mut table = Table { timeline, look, widths, heading: None, headed: false, shown: 0 };
    for item in items(timeline).filter(|item| selected.has(timeline, item)) {
        table.item(out, selected, &item)?;
    }
    if table.shown == 0 && !selected.is_everything() {
        writeln!(out, "\nnothing in the trace matches")?;
    }
    Ok(())
}

fn summary(out: &mut dyn Write, timeline: &Timeline, look: &Look) -> io::Result<()> {
    let header = &timeline.header;
    let schedule = match header.seed {
        Some(seed) => format!("{} schedule, seed {seed}", header.strategy),
        None if header.strategy.is_empty() => String::new(),
        None => format!("{} schedule", header.strategy),
    };
    let parts = [
        one_line(&header.file),
        format!("on {}", one_line(&header.backend)),
        one_line(&schedule),
        count(timeline.tests.len(), "test"),
        count(timeline.exchanges.len(), "exchange"),
        count(usize::try_from(timeline.choices).unwrap_or(usize::MAX), "choice"),
        format!("lab clock {}", format_duration(timeline.end)),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    writeln!(out, "{}", look.paint.strong(parts.join(", ")))?;
    if !timeline.complete {
        writeln!(out, "{} the trace ends before its run does", look.paint.care("torn:"))?;
    }
    Ok(())
}

struct Table<'a> {
    timeline: &'a Timeline,
    look: &'a Look,
    widths: [usize; 8],
    /// A heading that stands above nothing yet.
    heading: Option<String>,
    /// Whether something stands below the last heading.
    headed: bool,
    shown: usize,
}

impl Table<'_> {
    fn item(&mut self, out: &mut dyn Write, selected: &Selected, item: &Item<'_>) -> io::Result<()> {
        if let Item::Event(Event { what: Happening::Boundary(what), when, .. }) = item {
            return self.boundary(out, selected, what, *when);
        }
        self.head(out)?;
        self.shown += 1;
        let cells = row(self.timeline, item);
        let line = self.line(&cells);
        let paint = self.look.paint;
        let line = match item {
            Item::Event(_) => paint.faint(line),
            Item::Exchange(exchange) if matches!(exchange.ended, Some((_, Err(_)))) => paint.care(line),
            Item::Exchange(_) => line,
        };
        writeln!(out, "{line}")?;
        if self.look.full { self.details(out, item) } else { Ok(()) }
    }

    /// Writes the heading for which something has come.
    fn head(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(heading) = self.heading.take() {
            writeln!(out, "\n{}", self.look.paint.strong(heading))?;
            let heads = HEADS.map(str::to_owned);
            writeln!(out, "{}", self.look.paint.faint(self.line(&heads)))?;
            self.headed = true;
        }
        Ok(())
    }

    fn line(&self, cells: &Row) -> String {
        let clipped = cells.iter().zip(self.widths).enumerate().map(|(column, (cell, width))| {
            let cell = clip(cell, width);
            // Numbers stand under each other's last digit.
            if column < 3 {
                format!("{}{cell}", " ".repeat(width.saturating_sub(self::width(&cell))))
            } else {
                pad(&cell, width)
            }
        });
        clipped.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end().to_owned()
    }

    fn boundary(&mut self, out: &mut dyn Write, selected: &Selected, what: &Boundary, when: u64) -> io::Result<()> {
        let paint = self.look.paint;
        let at = format!("{}s", clock(when));
        match what {
            Boundary::FileBegins => self.heading = Some("top level".to_owned()),
            Boundary::FileLoaded { failure: None } | Boundary::TestCloses | Boundary::FileEnds => {}
            Boundary::FileLoaded { failure: Some(failure) } => {
                self.head(out)?;
                writeln!(out, "{} at {at}: {}", paint.bad("could not be loaded"), one_line(failure))?;
            }
            Boundary::TestBegins { name } => {
                self.headed = false;
                self.heading = Some(format!("test {} at {at}", one_line(name)));
                if selected.task.is_none() && selected.vm.is_none() && selected.grep.is_none() {
                    self.shown += 1;
                    self.head(out)?;
                }
            }
            Boundary::TestEnds { name, verdict } => {
                if let RecordedVerdict::Skipped { reason } = verdict
                    && !self.headed
                {
                    self.heading = None;
                    writeln!(
                        out,
                        "\n{} {} ({})",
                        paint.strong(format!("test {}", one_line(name))),
                        paint.care("skipped"),
                        one_line(reason)
                    )?;
                } else if self.headed {
                    self.verdict(out, verdict, &at)?;
                }
                (self.heading, self.headed) = (None, false);
            }
            Boundary::FileCloses => self.heading = Some(format!("after all tests at {at}")),
        }
        Ok(())
    }

    fn verdict(&self, out: &mut dyn Write, verdict: &RecordedVerdict, at: &str) -> io::Result<()> {
        let paint = self.look.paint;
        match verdict {
            RecordedVerdict::Passed => writeln!(out, "{} at {at}", paint.good("passed")),
            RecordedVerdict::Skipped { reason } => {
                writeln!(out, "{} at {at}: {}", paint.care("skipped"), one_line(reason))
            }
            RecordedVerdict::Failed { message, at: place } => {
                let site = place.and_then(|place| self.timeline.site(place));
                let site = site.map(|site| format!(" ({}:{})", one_line(&site.file), site.line)).unwrap_or_default();
                let columns = self.look.columns.unwrap_or(usize::MAX);
                let line = clip(&one_line(message), columns.saturating_sub(30).max(40));
                writeln!(out, "{} at {at}: {line}{site}", paint.bad("FAILED"))
            }
        }
    }

    fn details(&self, out: &mut dyn Write, item: &Item<'_>) -> io::Result<()> {
        let mut parts = Vec::new();
        match item {
            Item::Exchange(exchange) => {
                if let Some(line) = exchange.at.and_then(|at| self.timeline.line(at)) {
                    parts.push(("line", line.trim().to_owned()));
                }
                parts.push(("asked", pretty(&ask_json(exchange))));
                parts.extend(result_json(exchange).map(|result| ("answer", pretty(&result))));
            }
            Item::Event(event) => parts.push(("whole", pretty(&event_json(self.timeline, event)))),
        }
        for (label, text) in parts {
            for (at, line) in text.lines().enumerate() {
                let label = if at == 0 { label } else { "" };
                writeln!(out, "    {} {}", self.look.paint.faint(format!("{label:<6}")), printable(line))?;
            }
        }
        Ok(())
    }
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn row(timeline: &Timeline, item: &Item<'_>) -> Row {
    match item {
        Item::Exchange(exchange) => exchange_row(timeline, exchange),
        Item::Event(event) => {
            let (what, outcome) = words(timeline, event);
            let task = event.task.map(|task| timeline.task_path(Some(task)).to_owned()).unwrap_or_default();
            let on = on(timeline, event).unwrap_or_default();
            let cells = [String::new(), clock(event.when), String::new(), task, on, what, outcome, String::new()];
            cells.map(|cell| one_line(&cell))
        }
    }
}

fn exchange_row(timeline: &Timeline, exchange: &Exchange) -> Row {
    let took = match exchange.over() {
        Some(over) => format_duration(over.saturating_sub(exchange.began)),
        None => "…".to_owned(),
    };
    let place = match exchange.at.and_then(|at| timeline.site(at)) {
        Some(site) if site.file == timeline.header.file => site.line.to_string(),
        Some(site) => format!("{}:{}", site.file, site.line),
        None => String::new(),
    };
    let cells = [
        exchange.seq.to_string(),
        clock(exchange.began),
        took,
        timeline.task_path(exchange.task).to_owned(),
        timeline.on(exchange),
        exchange.ask.as_ref().describe(),
        exchange.outcome(),
        place,
    ];
    cells.map(|cell| one_line(&cell))
}

/// What each column takes: the names what they need, operations and outcomes what is left.
fn widths(timeline: &Timeline, selected: &Selected, look: &Look) -> [usize; 8] {
    let mut widths = HEADS.map(str::len);
    let shown = items(timeline).filter(|item| !item.is_boundary() && selected.has(timeline, item));
    for item in shown {
        for (column, (wide, cell)) in widths.iter_mut().zip(row(timeline, &item)).enumerate() {
            let most = match column {
                OPERATION => MAX_OPERATION,
                OUTCOME => MAX_OUTCOME,
                _ => MAX_NAME,
            };
            *wide = (*wide).max(width(&cell).min(most));
        }
    }
    let Some(columns) = look.columns else { return widths };
    let others: usize = (0..widths.len())
        .filter(|column| ![OPERATION, OUTCOME].contains(column))
        .map(|column| widths[column] + GAP)
        .sum();
    let left = columns.saturating_sub(others + GAP);
    if widths[OPERATION] + widths[OUTCOME] > left {
        // Two thirds for what was asked, unless one of the two needs less than its share.
        let outcome = widths[OUTCOME].min((left / 3).max(left.saturating_sub(widths[OPERATION])));
        widths[OUTCOME] = outcome.max(MIN_OUTCOME);
        widths[OPERATION] = left.saturating_sub(widths[OUTCOME]).max(MIN_OPERATION);
    }
    widths
}
