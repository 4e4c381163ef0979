//! The first difference between two traces, aligned by task: who asked what, what was answered, who came first, what
//! came of the tests.

mod show;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::diverge::{Divergence, Labels, Now, Position, Side, explain, recorded_side};
use super::fields::{self, Difference, differences};
use super::show::{boundary_name, words};
use super::timeline::{CLOSING, Event, Exchange, Happening, Timeline};
use crate::report::repeat::shell_quote;

/// The most parts of an answer that are named.
const MAX_DIFFERENCES: usize = 4;

/// The most steps shown on which both agree.
const MAX_AGREED: usize = 3;

/// How two traces differ first.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceDifference {
    /// How.
    pub what: What,
    /// The test in which.
    pub test: Option<String>,
    /// The task.
    pub task: Option<String>,
    /// The last steps on which both agree.
    pub agreed: Vec<String>,
    /// Commands to run next.
    pub next: Vec<String>,
}

/// In what two traces differ.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A task asks something else, more or less.
    Asks(Box<Divergence>),
    /// The same is answered differently.
    Answer {
        /// In A.
        a: Box<Side>,
        /// In B.
        b: Box<Side>,
        /// What was answered in both, in a few words.
        outcomes: [String; 2],
        /// Where the answers differ.
        differences: Vec<Difference>,
    },
    /// A task sees something else: a piece of a stream, a log line, a file of the host.
    Sees {
        /// In A; `None` if there is no more.
        a: Option<String>,
        /// In B.
        b: Option<String>,
    },
    /// Each task does the same, but another one goes first.
    Order {
        /// What comes next in A.
        a: Option<String>,
        /// In B.
        b: Option<String>,
    },
    /// A test ends differently, or is only in one of the two.
    Verdict {
        /// In A.
        a: String,
        /// In B.
        b: String,
    },
}

/// A task by its test and spawn path.
type Key<'a> = (Option<&'a str>, &'a str);

/// One trace, by task.
struct Strands<'a> {
    timeline: &'a Timeline,
    exchanges: BTreeMap<Key<'a>, Vec<&'a Exchange>>,
    events: BTreeMap<Key<'a>, Vec<&'a Event>>,
}

impl<'a> Strands<'a> {
    fn new(timeline: &'a Timeline) -> Strands<'a> {
        let mut strands = Strands { timeline, exchanges: BTreeMap::new(), events: BTreeMap::new() };
        for exchange in &timeline.exchanges {
            strands.exchanges.entry(key(timeline, exchange.task, exchange.test)).or_default().push(exchange);
        }
        for event in &timeline.events {
            if matches!(event.what, Happening::Frame { .. } | Happening::Log(_) | Happening::HostFile { .. }) {
                strands.events.entry(key(timeline, event.task, event.test)).or_default().push(event);
            }
        }
        strands
    }
}

fn key(timeline: &Timeline, task: Option<u32>, test: Option<usize>) -> Key<'_> {
    // A task belongs to the test that spawned it, whatever runs when it asks.
    match task.and_then(|task| timeline.task(task)) {
        Some(task) => (timeline.test_name(task.test), task.path.as_str()),
        None => (timeline.test_name(test), CLOSING),
    }
}

/// The first difference, by the order of A; `None` if both say the same. Times are not compared.
#[must_use]
pub fn diff(a: &Timeline, b: &Timeline, names: [&str; 2]) -> Option<TraceDifference> {
    let (strands_a, strands_b) = (Strands::new(a), Strands::new(b));
    let mut candidates = Vec::new();
    asks(&strands_a, &strands_b, &mut candidates);
    sees(&strands_a, &strands_b, &mut candidates);
    let first = candidates.into_iter().min_by_key(|(record, _)| *record).map(|(_, found)| found);
    let mut found = first.or_else(|| order(a, b)).or_else(|| verdict(a, b))?;
    found.suggest(names);
    Some(found)
}

/// Where a task's exchanges differ first, with the record of A, or of B where A has no more.
fn asks(a: &Strands<'_>, b: &Strands<'_>, found: &mut Vec<(u64, TraceDifference)>) {
    let none = Vec::new();
    let keys = a.exchanges.keys().chain(b.exchanges.keys().filter(|key| !a.exchanges.contains_key(*key)));
    for key in keys {
        let (in_a, in_b) = (a.exchanges.get(key).unwrap_or(&none), b.exchanges.get(key).unwrap_or(&none));
        let differs = |at: &usize| match (in_a.get(*at), in_b.get(*at)) {
            (Some(one), Some(other)) => !same_ask(a.timeline, one, b.timeline, other) || !same_end(one, other),
            _ => true,
        };
        let Some(at) = (0..in_a.len().max(in_b.len())).find(differs) else { continue };
        let (one, other) = (in_a.get(at).copied(), in_b.get(at).copied());
        let record = one.or(other).map_or(0, |exchange| exchange.record);
        let what = match (one, other) {
            (Some(one), Some(other)) if same_ask(a.timeline, one, b.timeline, other) => answer(a, one, b, other),
            _ => {
                let position = Position { test: key.0, task: key.1, index: at };
                What::Asks(Box::new(explained(a.timeline, b.timeline, position, other)))
            }
        };
        let agreed = in_a[..at.min(in_a.len())].iter().rev().take(MAX_AGREED).rev();
        let agreed = agreed.map(|exchange| step(a.timeline, exchange, exchange.outcome())).collect();
        found.push((record, difference(what, *key, agreed)));
    }
}

fn difference(what: What, (test, task): Key<'_>, agreed: Vec<String>) -> TraceDifference {
    let (test, task) = (test.map(str::to_owned), Some(task.to_owned()));
    TraceDifference { what, test, task, agreed, next: Vec::new() }
}

fn step(timeline: &Timeline, exchange: &Exchange, came: String) -> String {
    format!("#{} {}  {} → {came}", exchange.seq, timeline.on(exchange), exchange.ask.as_ref().describe())
}

fn same_ask(a: &Timeline, one: &Exchange, b: &Timeline, other: &Exchange) -> bool {
    one.ask == other.ask && one.worker == other.worker && a.vm(one.guest) == b.vm(other.guest)
}

fn same_end(one: &Exchange, other: &Exchange) -> bool {
    let result = |exchange: &Exchange| exchange.ended.as_ref().map(|(_, result)| result.clone());
    match (&one.ended, &other.ended) {
        (None, None) => one.abandoned.is_some() == other.abandoned.is_some(),
        (Some((_, one)), Some((_, other))) => one == other,
        _ => result(one) == result(other),
    }
}

/// What B asks where A asks something else.
fn explained(a: &Timeline, b: &Timeline, position: Position<'_>, other: Option<&Exchange>) -> Divergence {
    let now = other.map(|other| Now {
        ask: other.ask.as_ref(),
        vm: b.vm(other.guest),
        worker: other.worker.as_deref(),
        at: other.at.and_then(|at| b.site(at)),
    });
    let sources = |name: &str| b.source_named(name).map(|source| source.text.clone());
    let mut divergence = explain(a, position, now.as_ref(), &sources);
    divergence.labels = Labels::AAndB;
    if let (Some(side), Some(other)) = (&mut divergence.now, other) {
        side.seq = Some(other.seq);
    }
    divergence
}

fn answer(a: &Strands<'_>, one: &Exchange, b: &Strands<'_>, other: &Exchange) -> What {
    let tree = |exchange: &Exchange| exchange.ended.as_ref().map(|(_, result)| fields::of(result));
    let found = match (tree(one), tree(other)) {
        (Some(one), Some(other)) => differences(&one, &other, MAX_DIFFERENCES),
        _ => Vec::new(),
    };
    What::Answer {
        a: Box::new(recorded_side(a.timeline, one)),
        b: Box::new(recorded_side(b.timeline, other)),
        outcomes: [one.outcome(), other.outcome()],
        differences: found,
    }
}

/// Where what a task sees besides its answers differs first.
fn sees(a: &Strands<'_>, b: &Strands<'_>, found: &mut Vec<(u64, TraceDifference)>) {
    let none = Vec::new();
    let keys = a.events.keys().chain(b.events.keys().filter(|key| !a.events.contains_key(*key)));
    for key in keys {
        let (in_a, in_b) = (a.events.get(key).unwrap_or(&none), b.events.get(key).unwrap_or(&none));
        let differs = |at: &usize| match (in_a.get(*at), in_b.get(*at)) {
            (Some(one), Some(other)) => !same_event(one, other),
            _ => true,
        };
        let Some(at) = (0..in_a.len().max(in_b.len())).find(differs) else { continue };
        let (one, other) = (in_a.get(at).copied(), in_b.get(at).copied());
        let record = one.or(other).map_or(0, |event| event.record);
        let said = |timeline: &Timeline, event: Option<&Event>| event.map(|event| event_step(timeline, event));
        let what = What::Sees { a: said(a.timeline, one), b: said(b.timeline, other) };
        let agreed = in_a[..at.min(in_a.len())].iter().rev().take(MAX_AGREED).rev();
        let agreed = agreed.map(|event| event_step(a.timeline, event)).collect();
        found.push((record, difference(what, *key, agreed)));
    }
}

fn event_step(timeline: &Timeline, event: &Event) -> String {
    let (what, came) = words(timeline, event);
    format!("{what}: {came}")
}

fn same_event(one: &Event, other: &Event) -> bool {
    match (&one.what, &other.what) {
        (Happening::Log(one), Happening::Log(other)) => one == other,
        (
            Happening::Frame { stream: one_stream, frame: one, .. },
            Happening::Frame { stream: other_stream, frame: other, .. },
        ) => one_stream == other_stream && one == other,
        (
            Happening::HostFile { path: one_path, content: one },
            Happening::HostFile { path: other_path, content: other },
        ) => one_path == other_path && one == other,
        _ => false,
    }
}

/// Something that a task does at one place of the order of all.
#[derive(Clone, Copy)]
struct Step<'a> {
    key: Key<'a>,
    exchange: &'a Exchange,
    ends: bool,
}

fn steps(timeline: &Timeline) -> Vec<Step<'_>> {
    let mut steps: Vec<(u64, Step<'_>)> = Vec::new();
    for exchange in &timeline.exchanges {
        let step = Step { key: key(timeline, exchange.task, exchange.test), exchange, ends: false };
        steps.push((exchange.record, step));
        if let Some(over) = exchange.over_record {
            steps.push((over, Step { ends: true, ..step }));
        }
    }
    steps.sort_by_key(|(record, _)| *record);
    steps.into_iter().map(|(_, step)| step).collect()
}

/// Who comes first, where each task does the same.
fn order(a: &Timeline, b: &Timeline) -> Option<TraceDifference> {
    let (steps_a, steps_b) = (steps(a), steps(b));
    let id = |step: &Step<'_>| (step.exchange.index, step.ends);
    let same = |(one, other): &(&Step<'_>, &Step<'_>)| one.key == other.key && id(one) == id(other);
    let at = steps_a.iter().zip(&steps_b).take_while(same).count();
    if at == steps_a.len() && at == steps_b.len() {
        return None;
    }
    let words = |timeline: &Timeline, step: &Step<'_>| {
        let came = if step.ends { step.exchange.outcome() } else { "begins".to_owned() };
        format!("{}: {}", step.key.1, self::step(timeline, step.exchange, came))
    };
    let what =
        What::Order { a: steps_a.get(at).map(|step| words(a, step)), b: steps_b.get(at).map(|step| words(b, step)) };
    let agreed = steps_a[..at].iter().rev().take(MAX_AGREED).rev().map(|step| words(a, step)).collect();
    let test = steps_a.get(at).or(steps_b.get(at)).and_then(|step| step.key.0).map(str::to_owned);
    Some(TraceDifference { what, test, task: None, agreed, next: Vec::new() })
}

/// How tests end, where everything before is the same.
fn verdict(a: &Timeline, b: &Timeline) -> Option<TraceDifference> {
    let said = |timeline: &Timeline, name: &str| {
        let test = timeline.tests.iter().find(|test| test.name == name)?;
        Some(test.ended.as_ref().map_or_else(|| "not over".to_owned(), |(_, verdict)| show::verdict(timeline, verdict)))
    };
    let names = a.tests.iter().chain(&b.tests).map(|test| test.name.as_str());
    for name in names {
        let (one, other) = (said(a, name), said(b, name));
        if one != other {
            let absent = || "not run".to_owned();
            let what = What::Verdict { a: one.unwrap_or_else(absent), b: other.unwrap_or_else(absent) };
            let test = Some(name.to_owned());
            return Some(TraceDifference { what, test, task: None, agreed: Vec::new(), next: Vec::new() });
        }
    }
    let ends = |timeline: &Timeline| {
        timeline.events.iter().rev().find_map(|event| match &event.what {
            Happening::Boundary(what) => Some(boundary_name(what)),
            _ => None,
        })
    };
    let (one, other) = (ends(a), ends(b));
    (one != other).then(|| {
        let last = |last: Option<&str>| last.map_or_else(|| "nothing".to_owned(), |last| format!("last comes {last}"));
        let what = What::Verdict { a: last(one), b: last(other) };
        TraceDifference { what, test: None, task: None, agreed: Vec::new(), next: Vec::new() }
    })
}

impl TraceDifference {
    fn suggest(&mut self, names: [&str; 2]) {
        for name in names {
            let mut command = format!("provium trace show {}", shell_quote(name));
            if let Some(test) = &self.test {
                command.push_str(&format!(" --test {}", shell_quote(test)));
            }
            if let Some(task) = self.task.as_ref().filter(|task| *task != CLOSING) {
                command.push_str(&format!(" --task {}", shell_quote(task)));
            }
            self.next.push(command);
        }
        if let What::Asks(divergence) = &mut self.what {
            divergence.next = self.next.clone();
        }
    }
}
