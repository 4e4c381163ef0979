//! Goes on where a trace ends: the test runs against live guests again, under the recorded choices for as long as there
//! are any, and what the guests answer is compared with what they answered.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use provium_protocol::profile::BootSpec;
use provium_protocol::{ChoicePoint, Choices, Nanos, Op, OpError, Reply};

use super::matching::Now;
use super::plan::{Answer, Asked, Item};
use super::{Plan, Question, Stop};
use crate::exec::{Conductor, Next, Ran};
use crate::runner::exchanges::Exchange;
use crate::runner::observe::{Boundary, Observer};
use crate::trace::diverge::show::in_words;
use crate::trace::fields::{self, Field};
use crate::trace::format::redact::matches_redacted;
use crate::trace::record::{Boundary as Recorded, Seq};

/// The recorded choices, then those of another source. That one is asked all the time, so that it goes on as if it had
/// made the recorded ones.
pub struct ThenLive {
    recorded: Vec<Made>,
    next: Cell<usize>,
    live: Rc<dyn Choices>,
}

/// One recorded answer of the source of choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// Among so many, this one.
    Pick(u32, u32),
    /// A random number.
    Draw(u64),
}

impl ThenLive {
    /// These, then what `live` says.
    #[must_use]
    pub fn new(recorded: Vec<Made>, live: Rc<dyn Choices>) -> ThenLive {
        ThenLive { recorded, next: Cell::new(0), live }
    }

    fn recorded(&self, fits: impl Fn(Made) -> bool) -> Option<Made> {
        let next = self.next.get();
        let made = *self.recorded.get(next)?;
        if fits(made) {
            self.next.set(next + 1);
            return Some(made);
        }
        // The run is another one from here on.
        self.next.set(self.recorded.len());
        None
    }
}

impl Choices for ThenLive {
    fn pick(&self, point: ChoicePoint, alternatives: &[u32]) -> usize {
        let live = self.live.pick(point, alternatives);
        let count = alternatives.len() as u32;
        match self.recorded(|made| matches!(made, Made::Pick(of, picked) if of == count && picked < of)) {
            Some(Made::Pick(_, picked)) => picked as usize,
            _ => live,
        }
    }

    fn draw(&self) -> u64 {
        let live = self.live.draw();
        match self.recorded(|made| matches!(made, Made::Draw(_))) {
            Some(Made::Draw(drawn)) => drawn,
            _ => live,
        }
    }
}

/// Compares a live run with a trace, for as long as the trace goes.
pub struct Follower {
    plan: Plan,
    /// What each task of the part that runs is expected to ask next.
    queues: RefCell<BTreeMap<String, VecDeque<Seq>>>,
    /// Exchanges that run, by their number now.
    running: RefCell<BTreeMap<u64, Seq>>,
    /// The last exchange on which both agreed, by task.
    agreed: RefCell<BTreeMap<String, Seq>>,
    test: RefCell<Option<String>>,
    stop: RefCell<Option<Stop>>,
    /// What a guest answered otherwise than it did, in words.
    answered: RefCell<Option<String>>,
}

impl Follower {
    /// Compares with this plan.
    #[must_use]
    pub fn new(plan: Plan) -> Rc<Follower> {
        Rc::new(Follower {
            plan,
            queues: RefCell::default(),
            running: RefCell::default(),
            agreed: RefCell::default(),
            test: RefCell::default(),
            stop: RefCell::default(),
            answered: RefCell::default(),
        })
    }

    /// What is compared with.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Why the run was stopped, if it was.
    #[must_use]
    pub fn stop(&self) -> Option<Stop> {
        self.stop.borrow().clone()
    }

    /// The guest's answer that differs, in words, if that is why.
    #[must_use]
    pub fn answered(&self) -> Option<String> {
        self.answered.borrow().clone()
    }

    /// The exchanges of the part of the run that begins with this boundary.
    fn part(&self, begins: impl Fn(&Recorded) -> bool) {
        let mut queues: BTreeMap<String, VecDeque<Seq>> = BTreeMap::new();
        let start = self.plan.items.iter().position(|item| matches!(item, Item::Boundary { what, .. } if begins(what)));
        if let Some(start) = start {
            let end = self.plan.boundary_from(start + 1);
            for item in &self.plan.items[start..end] {
                if let Item::Begun(seq) = item {
                    queues.entry(self.plan.task_of(*seq).to_owned()).or_default().push_back(*seq);
                }
            }
        }
        *self.queues.borrow_mut() = queues;
        self.agreed.borrow_mut().clear();
    }

    fn asks(&self, exchange: &Exchange, now: &Now<'_>) {
        if self.stop.borrow().is_some() {
            return;
        }
        let task = &*exchange.origin.task;
        let expected = self.queues.borrow_mut().get_mut(task).and_then(VecDeque::pop_front);
        // More than was recorded: this is where the trace has ended.
        let Some(seq) = expected else { return };
        if self.plan.answers_to(seq, now) {
            self.agreed.borrow_mut().insert(task.to_owned(), seq);
            if let Some(number) = exchange.number {
                self.running.borrow_mut().insert(number, seq);
            }
            return;
        }
        self.differs(exchange, seq, now.to_asked());
    }

    fn differs(&self, exchange: &Exchange, expected: Seq, now: Asked) {
        let origin = &exchange.origin;
        *self.stop.borrow_mut() = Some(Stop::Diverged(Box::new(Question {
            test: self.test.borrow().clone(),
            task: origin.task.to_string(),
            expected: Some(expected),
            agreed: self.agreed.borrow().get(&*origin.task).copied(),
            now: Some(now),
            vm: origin.vm.to_string(),
            worker: origin.worker.as_deref().map(str::to_owned),
            at: origin.at.clone(),
            order: false,
        })));
    }

    fn answers(&self, exchange: &Exchange, same: impl Fn(&Answer) -> bool, now: impl Fn() -> Field) {
        let Some(seq) = exchange.number.and_then(|number| self.running.borrow_mut().remove(&number)) else { return };
        let recorded = self.plan.answers.get(seq as usize).and_then(Option::as_ref).filter(|answer| !same(answer));
        let Some(recorded) = recorded.filter(|_| self.answered.borrow().is_none()) else { return };
        let recorded = match recorded {
            Answer::Reply(result) => fields::of(result),
            Answer::Booted(result) => fields::of(result),
        };
        let (what, outcome) = (&exchange.operation, exchange.to_note().outcome);
        let mut words = format!("{what} came to {outcome}, exchange {seq} of the trace did not");
        if let Some(difference) = fields::differences(&recorded, &now(), 1).first() {
            let (name, then, now) = in_words(difference);
            let name = if difference.path.is_empty() { String::new() } else { format!("{name} ") };
            words.push_str(&format!(": {name}was {then}, is {now}"));
        }
        *self.answered.borrow_mut() = Some(words);
    }
}

impl Conductor for Follower {
    fn next(&self, _: bool) -> Next {
        if self.stop.borrow().is_some() { Next::Halt(Ran::Stopped) } else { Next::Free }
    }

    fn stopped(&self) -> Option<String> {
        self.stop.borrow().as_ref().map(|_| "the run has diverged from its recording".to_owned())
    }

    fn ends_run(&self) -> bool {
        self.stop.borrow().is_some()
    }

    fn no_such_task(&self, _: u32) {}
}

impl Observer for Follower {
    fn begun(&self, exchange: &Exchange, op: &Op) {
        self.asks(exchange, &Now::op(exchange, op));
    }

    fn ended(&self, exchange: &Exchange, _: Nanos, result: &Result<Reply, OpError>) {
        let redacted = self.plan.header.redacted > 0;
        let same = |answer: &Answer| match answer {
            Answer::Reply(recorded) if redacted => matches_redacted(recorded, result),
            Answer::Reply(recorded) => recorded == result,
            Answer::Booted(_) => false,
        };
        self.answers(exchange, same, || fields::of(result));
    }

    fn boot_begun(&self, exchange: &Exchange, spec: &BootSpec) {
        self.asks(exchange, &Now::boot(exchange, spec));
    }

    fn boot_ended(&self, exchange: &Exchange, _: Nanos, result: Result<(), &OpError>) {
        let same =
            |answer: &Answer| matches!(answer, Answer::Booted(recorded) if recorded.as_ref().err() == result.err());
        self.answers(exchange, same, || fields::of(&result));
    }

    fn boundary(&self, _: Nanos, what: Boundary<'_>) {
        match what {
            Boundary::FileBegins(_) => self.part(|recorded| *recorded == Recorded::FileBegins),
            Boundary::TestBegins(name) => {
                *self.test.borrow_mut() = Some(name.to_owned());
                self.part(|recorded| matches!(recorded, Recorded::TestBegins { name: recorded } if recorded == name));
            }
            // What is left open depends on how far the test came; it is not compared.
            _ => self.queues.borrow_mut().clear(),
        }
    }
}
