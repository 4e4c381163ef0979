//! Which recorded exchange answers what the test asks now.

use provium_protocol::profile::BootSpec;
use provium_protocol::{Lane, Op};

use super::plan::{Asked, Item, Plan, Recorded};
use super::{AtEnd, Match, Mode, Replayer, Stop};
use crate::runner::exchanges::Exchange;
use crate::runner::place::Place;
use crate::trace::format::redact::matches_redacted;
use crate::trace::record::Seq;

/// What the test asks now that it did not ask when it was recorded, or what it does not ask any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The test that asks; `None` at the file's top level.
    pub test: Option<String>,
    /// Its task.
    pub task: String,
    /// The recorded exchange in whose place it asks, if any is left.
    pub expected: Option<Seq>,
    /// The recorded exchange of its task that it asked last.
    pub agreed: Option<Seq>,
    /// What it asks; `None` when it asks no more.
    pub now: Option<Asked>,
    /// On which VM.
    pub vm: String,
    /// On which worker's line.
    pub worker: Option<String>,
    /// Where.
    pub at: Option<Place>,
    /// Only the order between tasks differs (mode strict).
    pub order: bool,
}

/// What is asked now.
pub(super) struct Now<'a> {
    pub vm: &'a str,
    pub worker: Option<&'a str>,
    pub lane: Lane,
    pub asked: Asking<'a>,
    pub at: Option<&'a Place>,
}

pub(super) enum Asking<'a> {
    Op(&'a Op),
    Boot(&'a BootSpec),
}

impl<'a> Now<'a> {
    pub fn op(exchange: &'a Exchange, op: &'a Op) -> Now<'a> {
        let origin = &exchange.origin;
        Now {
            vm: &origin.vm,
            worker: origin.worker.as_deref(),
            lane: origin.lane,
            asked: Asking::Op(op),
            at: origin.at.as_ref(),
        }
    }

    pub fn boot(exchange: &'a Exchange, spec: &'a BootSpec) -> Now<'a> {
        let origin = &exchange.origin;
        Now { vm: &origin.vm, worker: None, lane: Lane::Main, asked: Asking::Boot(spec), at: origin.at.as_ref() }
    }

    pub fn to_asked(&self) -> Asked {
        match self.asked {
            Asking::Op(op) => Asked::Op(op.clone()),
            Asking::Boot(spec) => Asked::Boot(spec.clone()),
        }
    }
}

impl Plan {
    /// Whether a recorded exchange is this one, so far as what was left out of the trace lets one tell.
    pub(super) fn answers_to(&self, seq: Seq, now: &Now<'_>) -> bool {
        let Some(recorded) = self.exchanges.get(seq as usize) else { return false };
        let vm = self.guests.get(recorded.guest as usize);
        let redacted = self.header.redacted > 0;
        let same = match (&recorded.asked, &now.asked) {
            (Asked::Op(recorded), Asking::Op(op)) if redacted => matches_redacted(recorded, op),
            (Asked::Op(recorded), Asking::Op(op)) => recorded == *op,
            (Asked::Boot(recorded), Asking::Boot(spec)) if redacted => matches_redacted(recorded, spec),
            (Asked::Boot(recorded), Asking::Boot(spec)) => recorded == *spec,
            _ => false,
        };
        same && recorded.lane == now.lane && vm.is_some_and(|vm| *vm == now.vm)
    }
}

impl Replayer {
    /// Finds the exchange that answers this; stops the replay if there is none.
    pub(super) fn ask(&self, now: &Now<'_>) -> Match {
        if self.stop.borrow().is_some() {
            return Match::Stopped;
        }
        let task = self.floor.borrow().clone().unwrap_or_else(|| "?".into());
        if self.on_plan.get() {
            if let Some(Item::Begun(seq)) = self.item()
                && self.plan.task_of(*seq) == &*task
                && self.answers_to(*seq, now)
            {
                let seq = *seq;
                self.advance();
                self.mark(seq);
                return Match::Recorded(seq);
            }
            self.leave_plan(Some(now));
            if self.stop.borrow().is_some() {
                return Match::Stopped;
            }
        }
        let task = self.recorded_task(&task, now);
        let found = {
            let mut queues = self.queues.borrow_mut();
            let queue = queues.entry(task.clone()).or_default();
            let position = match self.mode {
                Mode::Keyed => queue.iter().position(|seq| self.answers_to(*seq, now)),
                Mode::Causal | Mode::Strict => queue.front().filter(|seq| self.answers_to(**seq, now)).map(|_| 0),
            };
            position.and_then(|position| queue.remove(position))
        };
        if let Some(seq) = found {
            self.asked_since.set(true);
            self.mark(seq);
            return Match::Recorded(seq);
        }
        if self.lenient.get() && task == "close" {
            return Match::Unneeded;
        }
        let expected = self.queues.borrow().get(&task).and_then(|queue| queue.front().copied());
        let stop = match (expected, self.at_end) {
            (None, AtEnd::Stop) => Stop::TraceEnded,
            _ => Stop::Diverged(Box::new(self.question(&task, expected, Some(now), false))),
        };
        self.stop_with(stop);
        Match::Stopped
    }

    /// The recorded task whose work this task does: the one of its path, unless the first thing that it asks is what an
    /// untouched sibling of that one asked first.
    fn recorded_task(&self, task: &str, now: &Now<'_>) -> String {
        let mut stands_for = self.stands_for.borrow_mut();
        if let Some(recorded) = stands_for.get(task) {
            return recorded.clone();
        }
        let Some((parent, _)) = task.rsplit_once('/') else { return task.to_owned() };
        let queues = self.queues.borrow();
        let first = |path: &str| {
            let seq = *queues.get(path)?.front()?;
            Some((seq, self.recorded(seq)?.index == 0))
        };
        let begins_so = |path: &str| first(path).is_some_and(|(seq, begins)| begins && self.answers_to(seq, now));
        let taken = |path: &str| stands_for.values().any(|other| other == path);
        let sibling = |path: &&String| {
            path.rsplit_once('/').is_some_and(|(of, _)| of == parent) && !taken(path) && begins_so(path)
        };
        // One that has asked something already is known by it.
        let untouched = first(task).is_some_and(|(_, begins)| begins) || taken(task);
        let recorded = if untouched && (taken(task) || !begins_so(task)) {
            queues.keys().find(sibling).cloned().unwrap_or_else(|| task.to_owned())
        } else {
            task.to_owned()
        };
        stands_for.insert(task.to_owned(), recorded.clone());
        recorded
    }

    fn mark(&self, seq: Seq) {
        if let Some(matched) = self.matched.borrow_mut().get_mut(seq as usize) {
            *matched = true;
        }
    }

    fn recorded(&self, seq: Seq) -> Option<&Recorded> {
        self.plan.exchanges.get(seq as usize)
    }

    fn answers_to(&self, seq: Seq, now: &Now<'_>) -> bool {
        self.plan.answers_to(seq, now)
    }

    /// A question about this task.
    pub(super) fn question(&self, task: &str, expected: Option<Seq>, now: Option<&Now<'_>>, order: bool) -> Question {
        let matched = self.matched.borrow();
        let begins = self.segment().0;
        let agreed =
            self.plan.exchanges.iter().enumerate().rev().find(|(seq, exchange)| {
                exchange.item >= begins && matched[*seq] && self.plan.task_of(*seq as Seq) == task
            });
        let vm = match (now, expected.and_then(|seq| self.recorded(seq))) {
            (Some(now), _) => now.vm.to_owned(),
            (None, Some(recorded)) => self.plan.guests.get(recorded.guest as usize).cloned().unwrap_or_default(),
            (None, None) => String::new(),
        };
        Question {
            test: self.test_now(),
            task: task.to_owned(),
            expected,
            agreed: agreed.map(|(seq, _)| seq as Seq),
            now: now.map(Now::to_asked),
            vm,
            worker: now.and_then(|now| now.worker.map(str::to_owned)),
            at: now.and_then(|now| now.at.cloned()),
            order,
        }
    }
}
