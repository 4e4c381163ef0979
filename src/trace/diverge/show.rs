//! The report of a divergence for people, in at most [`MAX_LINES`] lines.

use std::fmt::{self, Write as _};

use super::{Cause, Difference, Divergence, Hunk, Kind, Labels, Side};
use crate::report::text::{clip, one_line};
use crate::runner::describe;
use crate::trace::fields::Field;
use crate::units::format_duration;

/// The most lines of the report: it must be read at a glance, above the fold of any terminal.
pub const MAX_LINES: usize = 25;

/// The most columns of a line.
const COLUMNS: usize = 118;

/// Bytes of a long text that are shown before and after the place where the two sides differ.
const BEFORE: usize = 12;
const AFTER: usize = 28;

/// Lines of the script's edits that are shown.
const MAX_HUNK_LINES: usize = 9;

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Lines::default();
        let (number, task) = (self.index + 1, &self.task);
        let test = self.test.as_ref().map(|test| format!(" of test `{test}`")).unwrap_or_default();
        out.push("", format!("{}: {}", self.kind.name(), self.headline()));
        out.push("", format!("at exchange {number} of task {task}{test}"));
        self.sides(&mut out);
        for difference in &self.differences {
            show_difference(&mut out, difference, self.labels);
        }
        self.show_cause(&mut out);
        // What both agree on gives way if the rest needs the room.
        let room = MAX_LINES.saturating_sub(out.lines.len() + self.next.len()).min(self.agreed.len());
        let agreed: Vec<String> = self.agreed[self.agreed.len() - room..]
            .iter()
            .map(|(seq, on, operation, outcome)| format!("#{seq} {on}  {operation} → {outcome}"))
            .collect();
        if agreed.is_empty() && room == 0 && self.agreed.is_empty() {
            out.push("agreed", "on nothing before: it is the task's first exchange".to_owned());
        }
        out.push_all("agreed", agreed);
        out.push_all("next", self.next.clone());
        out.lines.truncate(MAX_LINES);
        f.write_str(&out.lines.join("\n"))
    }
}

impl Divergence {
    fn headline(&self) -> &'static str {
        if self.labels == Labels::AAndB {
            return match self.kind {
                Kind::Moved => "B does the same things in another order than A",
                Kind::New => "B does something that A does not",
                Kind::Removed => "B leaves out something that A does",
                Kind::Changed => "B does something else than A",
            };
        }
        match (self.kind, &self.recorded, &self.now) {
            (Kind::Moved, ..) => "the test does the same things in another order than recorded",
            (Kind::New, None, _) => "the test goes on where the recording of this task ends",
            (Kind::New, ..) => "the test does something that was not recorded",
            (Kind::Removed, _, None) => "the task ended, and the recording goes on",
            (Kind::Removed, ..) => "the test leaves out something that was recorded",
            (Kind::Changed, ..) => "the test does something else than recorded",
        }
    }

    fn sides(&self, out: &mut Lines) {
        let [recorded, now] = self.labels.of_sides();
        for (label, side, absent) in [
            (recorded, &self.recorded, "nothing more of this task"),
            (now, &self.now, "nothing more: the task came to its end"),
        ] {
            match side {
                Some(side) => out.push_all(label, show_side(side)),
                None => out.push(label, absent.to_owned()),
            }
        }
    }

    fn show_cause(&self, out: &mut Lines) {
        match &self.cause {
            Cause::ScriptChanged { hunks } => {
                let edited = match self.labels {
                    Labels::RecordedAndNow => "the script was edited since it was recorded:",
                    Labels::AAndB => "the script of B is an edit of that of A:",
                };
                let mut lines = vec![edited.to_owned()];
                for hunk in hunks {
                    show_hunk(&mut lines, hunk, self.labels);
                }
                lines.truncate(MAX_HUNK_LINES + 1);
                out.push_all("cause", lines);
            }
            Cause::GuestAnswered { what } => {
                out.push("cause", format!("the script is the same, but a guest answered differently: {what}"));
            }
            Cause::UnrecordedInput if self.labels == Labels::AAndB => out.push_all(
                "cause",
                vec![
                    "the script is the same, and so was every answer to this task: another task came first, or the"
                        .to_owned(),
                    "test saw something that is not in the trace".to_owned(),
                ],
            ),
            Cause::UnrecordedInput => out.push_all(
                "cause",
                vec![
                    "the script is the same, and so was every answer: the test saw something that is not in the"
                        .to_owned(),
                    "recording, such as a time, the environment, a host file or an order that the host decides"
                        .to_owned(),
                ],
            ),
            Cause::TraceEnded => out.push(
                "cause",
                "the recording ends here: its run was stopped before it was over, or its file is torn".to_owned(),
            ),
        }
    }
}

/// The lines so far.
#[derive(Default)]
pub(in crate::trace) struct Lines {
    pub(in crate::trace) lines: Vec<String>,
}

impl Lines {
    pub(in crate::trace) fn push(&mut self, label: &str, text: String) {
        let text = one_line(&text);
        let line = if label.is_empty() && self.lines.is_empty() { text } else { format!("  {label:<8}  {text}") };
        let line = if label.is_empty() && self.lines.len() == 1 { format!("  {}", line.trim_start()) } else { line };
        // A command that is to be typed must be whole.
        self.lines.push(if label == "next" { line } else { clip(line.trim_end(), COLUMNS) });
    }

    pub(in crate::trace) fn push_all(&mut self, label: &str, texts: Vec<String>) {
        for (at, text) in texts.into_iter().enumerate() {
            if at == 0 {
                self.push(label, text);
            } else {
                let line = format!("  {:8}  {}", "", one_line(&text));
                self.lines.push(if label == "next" { line } else { clip(line.trim_end(), COLUMNS) });
            }
        }
    }
}

pub(in crate::trace) fn show_side(side: &Side) -> Vec<String> {
    let place = match &side.at {
        Some(site) => format!("{}:{}", site.file, site.line),
        None => "no line of the test".to_owned(),
    };
    let line = side.line.as_deref().map(|line| format!(": {line}")).unwrap_or_default();
    let seq = side.seq.map(|seq| format!("#{seq} ")).unwrap_or_default();
    vec![format!("{place}{line}"), format!("{seq}{}  {}", side.on, side.operation)]
}

fn show_hunk(lines: &mut Vec<String>, hunk: &Hunk, labels: Labels) {
    let (file, then, now) = (&hunk.file, hunk.recorded_line, hunk.now_line);
    lines.push(match labels {
        Labels::RecordedAndNow => format!("{file} (recorded line {then}, now {now})"),
        Labels::AAndB => format!("{file} (line {then} of A, {now} of B)"),
    });
    lines.extend(hunk.lines.iter().map(|(mark, text)| format!("{mark} {text}")));
}

/// The argument's name as a person would say it.
fn argument(path: &str) -> String {
    let path = path.strip_prefix("spec.").unwrap_or(path);
    let path = path.strip_suffix("_ns").unwrap_or(path);
    if path.is_empty() { "argument".to_owned() } else { path.to_owned() }
}

/// An argument, or a part of an answer, that differs.
pub(in crate::trace) fn show_difference(out: &mut Lines, difference: &Difference, labels: Labels) {
    let (name, then, now) = in_words(difference);
    let [left, right] = labels.of_sides();
    let wide = left.len().max(right.len());
    out.push("differs", format!("{name}: {left:<wide$} {then}"));
    let indent = " ".repeat(name.chars().count() + 2);
    out.push("", format!("{indent}{right:<wide$} {now}"));
}

/// What differs, and how it is on both sides.
pub(in crate::trace) fn in_words(difference: &Difference) -> (String, String, String) {
    let name = argument(&difference.path);
    let is_time = difference.path.ends_with("_ns");
    let (mut then, mut now) = match (&difference.left, &difference.right) {
        (Some(Field::Bytes(a)), Some(Field::Bytes(b))) => texts(a, b),
        (a, b) => (value(a.as_ref(), is_time), value(b.as_ref(), is_time)),
    };
    if then == now {
        (then, now) = (format!("{:?}", difference.left), format!("{:?}", difference.right));
    }
    (name, then, now)
}

/// Two texts; of long ones only the place where they differ.
fn texts(a: &[u8], b: &[u8]) -> (String, String) {
    if a.len().max(b.len()) <= BEFORE + AFTER {
        return (describe::quoted(a), describe::quoted(b));
    }
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let mut start = same.saturating_sub(BEFORE);
    // Not in the middle of a character.
    while start > 0 && start < a.len() && a[start] & 0xc0 == 0x80 {
        start -= 1;
    }
    let window = |bytes: &[u8]| {
        let end = bytes.len().min(same + AFTER).max(start.min(bytes.len()));
        let (before, after) = (if start > 0 { "…" } else { "" }, if end < bytes.len() { "…" } else { "" });
        let text = describe::quoted(&bytes[start.min(end)..end]);
        format!("{before}{text}{after} (from byte {} of {})", same + 1, bytes.len())
    };
    (window(a), window(b))
}

/// A value in a few words.
fn value(field: Option<&Field>, is_time: bool) -> String {
    let mut text = String::new();
    match field {
        None => text.push_str("nothing"),
        Some(Field::Int(ns)) if is_time => match u64::try_from(*ns) {
            Ok(ns) => text.push_str(&format_duration(ns)),
            Err(_) => write_value(&mut text, &Field::Int(*ns)),
        },
        Some(field) => write_value(&mut text, field),
    }
    clip(&one_line(&text), COLUMNS)
}

fn write_value(out: &mut String, field: &Field) {
    if out.len() > COLUMNS {
        return;
    }
    let mut several = |open: char, parts: &mut dyn Iterator<Item = (Option<&str>, &Field)>, close: char| {
        out.push(open);
        for (at, (name, field)) in parts.enumerate() {
            out.push_str(if at > 0 { ", " } else { "" });
            if let Some(name) = name {
                // Writing to a string cannot fail.
                let _ = write!(out, "{name}: ");
            }
            write_value(out, field);
        }
        out.push(close);
    };
    match field {
        Field::List(list) => several('[', &mut list.iter().map(|field| (None, field)), ']'),
        Field::Fields(fields) => {
            several('{', &mut fields.iter().map(|(name, field)| (Some(name.as_str()), field)), '}');
        }
        Field::Nothing => out.push_str("nothing"),
        Field::Bool(value) => out.push_str(&value.to_string()),
        Field::Int(value) => out.push_str(&value.to_string()),
        Field::Float(value) => out.push_str(&value.to_string()),
        Field::Bytes(bytes) => out.push_str(&describe::quoted(bytes)),
        Field::Kind(name, held) => {
            out.push_str(name);
            if **held != Field::Nothing {
                out.push(' ');
                write_value(out, held);
            }
        }
    }
}
