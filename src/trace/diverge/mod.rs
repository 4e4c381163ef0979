//! Says how a run differs from its recording, where, and why that is likely so.

mod cause;
mod kind;
mod lines;
pub(super) mod show;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::fields::{Difference, Field, differences};
use super::timeline::{AskRef, CLOSING, Exchange, Timeline, on};
use crate::report::repeat::shell_quote;
use crate::runner::event::Site;
use kind::Case;
use lines::Lines;

/// The most differing arguments that are named: the first ones tell, and a report must be read at a glance.
const MAX_DIFFERENCES: usize = 3;

/// The most exchanges shown on which both agree.
const MAX_AGREED: usize = 3;

/// Where a replay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position<'a> {
    /// The test; `None` at the file's top level.
    pub test: Option<&'a str>,
    /// The spawn path of the task.
    pub task: &'a str,
    /// Which exchange of that task is next, boots included, counted from 0.
    pub index: usize,
}

/// What the script asks now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Now<'a> {
    /// What.
    pub ask: AskRef<'a>,
    /// Of which VM.
    pub vm: &'a str,
    /// On which worker's line.
    pub worker: Option<&'a str>,
    /// Where.
    pub at: Option<Site>,
}

/// How the run differs from the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The same calls come in another order.
    Moved,
    /// A call came that was not recorded.
    New,
    /// A recorded call did not come.
    Removed,
    /// Another call came in place of the recorded one, or the same with other arguments.
    Changed,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Moved => "moved",
            Kind::New => "new",
            Kind::Removed => "removed",
            Kind::Changed => "changed",
        }
    }
}

/// Why that is likely so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The script was edited since.
    ScriptChanged {
        /// The edits that lie nearest, one or two.
        hunks: Vec<Hunk>,
    },
    /// A guest gave another answer before.
    GuestAnswered {
        /// Which, in words.
        what: String,
    },
    /// The script is the same and so were all answers: the test saw something that is not in the recording.
    UnrecordedInput,
    /// The recording holds no more of this task.
    TraceEnded,
}

/// An edit of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// The script.
    pub file: String,
    /// Its first line in the recorded script, counted from 1.
    pub recorded_line: usize,
    /// Its first line in the script of now, counted from 1.
    pub now_line: usize,
    /// The lines: with `-` the recorded ones, with `+` those of now, with a space those around.
    pub lines: Vec<(char, String)>,
}

/// One side of the difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The number of the recorded exchange.
    pub seq: Option<u64>,
    /// The VM, or one of its workers.
    pub on: String,
    /// The operation in a few words.
    pub operation: String,
    /// Where the script asks.
    pub at: Option<Site>,
    /// What that line says.
    pub line: Option<String>,
}

/// How a run differs from its recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    /// How.
    pub kind: Kind,
    /// Why, likely.
    pub cause: Cause,
    /// The test.
    pub test: Option<String>,
    /// The task.
    pub task: String,
    /// Which exchange of the task, counted from 0.
    pub index: usize,
    /// What was recorded; `None` if the recording has no more of this task.
    pub recorded: Option<Side>,
    /// What the script asks; `None` if the task came to its end.
    pub now: Option<Side>,
    /// Where the arguments differ, for [`Kind::Changed`]: the recorded value on the left.
    pub differences: Vec<Difference>,
    /// The last exchanges of the task on which both agree: number, on whom, operation, outcome.
    pub agreed: Vec<(u64, String, String, String)>,
    /// Commands to run next, the most useful first.
    pub next: Vec<String>,
    /// What the two sides are called.
    pub labels: Labels,
}

/// What two sides are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// A recording, and a run that should do the same.
    RecordedAndNow,
    /// Two recordings.
    AAndB,
}

impl Labels {
    pub(super) fn of_sides(self) -> [&'static str; 2] {
        match self {
            Labels::RecordedAndNow => ["recorded", "now"],
            Labels::AAndB => ["A", "B"],
        }
    }
}

/// Explains a divergence. `current` has the scripts as they are now, by the names that the recording has for them; what
/// it does not know counts as unchanged.
#[must_use]
pub fn explain(
    timeline: &Timeline,
    at: Position<'_>,
    now: Option<&Now<'_>>,
    current: &dyn Fn(&str) -> Option<String>,
) -> Divergence {
    let current: BTreeMap<&str, String> = timeline
        .sources
        .iter()
        .filter_map(|source| Some((source.name.as_str(), current(&source.name)?)))
        .filter(|(name, text)| timeline.source_named(name).is_some_and(|source| source.text != *text))
        .collect();
    let scripts: BTreeMap<String, Lines<'_>> = current
        .iter()
        .filter_map(|(name, text)| Some(((*name).to_owned(), Lines::new(&timeline.source_named(name)?.text, text))))
        .filter(|(_, lines)| !lines.hunks.is_empty())
        .collect();
    let recorded: Vec<&Exchange> = recorded(timeline, at);
    let expected = recorded.get(at.index).copied();
    let case = Case { timeline, at: at.index.min(recorded.len()), recorded, now, scripts: &scripts };
    let kind = case.kind();
    let cause = cause::cause(&case, expected);
    let differences = match (kind, expected, now) {
        (Kind::Changed, Some(expected), Some(now)) => argument_differences(timeline, expected, now),
        _ => Vec::new(),
    };
    let agreed = case.recorded[..case.at].iter().rev().take(MAX_AGREED).rev();
    let mut divergence = Divergence {
        kind,
        cause,
        test: at.test.map(str::to_owned),
        task: at.task.to_owned(),
        index: at.index,
        recorded: expected.map(|expected| recorded_side(timeline, expected)),
        now: now.map(|now| now_side(timeline, now, &current)),
        differences,
        agreed: agreed
            .map(|exchange| {
                let operation = exchange.ask.as_ref().describe();
                (exchange.seq, timeline.on(exchange), operation, exchange.outcome())
            })
            .collect(),
        next: Vec::new(),
        labels: Labels::RecordedAndNow,
    };
    divergence.suggest(None);
    divergence
}

/// The recorded exchanges of a task, or of what is closed in a test.
fn recorded<'a>(timeline: &'a Timeline, at: Position<'_>) -> Vec<&'a Exchange> {
    if at.task == CLOSING {
        let closed = |exchange: &&Exchange| exchange.task.is_none() && timeline.test_name(exchange.test) == at.test;
        return timeline.exchanges.iter().filter(closed).collect();
    }
    let task = timeline.find_task(at.test, at.task);
    task.map(|task| task.exchanges.iter().filter_map(|&seq| timeline.exchange(seq)).collect()).unwrap_or_default()
}

pub(super) fn recorded_side(timeline: &Timeline, exchange: &Exchange) -> Side {
    Side {
        seq: Some(exchange.seq),
        on: timeline.on(exchange),
        operation: exchange.ask.as_ref().describe(),
        at: exchange.at.and_then(|at| timeline.site(at)),
        line: exchange.at.and_then(|at| timeline.line(at)).map(|line| line.trim().to_owned()),
    }
}

fn now_side(timeline: &Timeline, now: &Now<'_>, current: &BTreeMap<&str, String>) -> Side {
    let line = now.at.as_ref().and_then(|site| {
        let recorded = || timeline.source_named(&site.file).map(|source| source.text.as_str());
        let text = current.get(site.file.as_str()).map(String::as_str).or_else(recorded)?;
        text.lines().nth(usize::try_from(site.line).ok()?.checked_sub(1)?)
    });
    Side {
        seq: None,
        on: on(now.vm, now.worker),
        operation: now.ask.describe(),
        at: now.at.clone(),
        line: line.map(|line| line.trim().to_owned()),
    }
}

/// Where the arguments differ, whom they go to included.
fn argument_differences(timeline: &Timeline, expected: &Exchange, now: &Now<'_>) -> Vec<Difference> {
    let text = |text: &str| Some(Field::Bytes(text.as_bytes().to_vec()));
    let mut found = Vec::new();
    let mut compare = |path: &str, left: Option<Field>, right: Option<Field>| {
        if left != right {
            found.push(Difference { path: path.to_owned(), left, right });
        }
    };
    compare("vm", text(timeline.vm(expected.guest)), text(now.vm));
    compare("worker", expected.worker.as_deref().and_then(text), now.worker.and_then(text));
    let ask = expected.ask.as_ref();
    if ask.name() == now.ask.name() {
        found.extend(differences(&ask.fields(), &now.ask.fields(), MAX_DIFFERENCES));
    } else {
        found.push(Difference { path: "operation".to_owned(), left: text(ask.name()), right: text(now.ask.name()) });
    }
    found.truncate(MAX_DIFFERENCES);
    found
}

impl Divergence {
    /// Names the trace's file, for the commands.
    #[must_use]
    pub fn of_trace(mut self, file: &str) -> Divergence {
        self.suggest(Some(file));
        self
    }

    /// Says that a guest gave another answer before: only a run that asks guests can know.
    #[must_use]
    pub fn after_answer(mut self, what: impl Into<String>) -> Divergence {
        if self.cause == Cause::UnrecordedInput {
            self.cause = Cause::GuestAnswered { what: what.into() };
        }
        self
    }

    fn suggest(&mut self, file: Option<&str>) {
        let trace = file.map_or_else(|| "TRACE".to_owned(), shell_quote);
        let mut show = format!("provium trace show {trace} --task {}", shell_quote(&self.task));
        if let Some(test) = &self.test {
            show.push_str(&format!(" --test {}", shell_quote(test)));
        }
        let replay = format!("provium replay --script recorded {trace}");
        self.next = match self.cause {
            Cause::ScriptChanged { .. } => vec![replay, show],
            _ => vec![show],
        };
    }
}
