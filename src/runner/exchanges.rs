//! The last exchanges of a test, kept for its failure's report; and the door for who wants to see them all.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use provium_protocol::{Nanos, Op, OpError, Reply};

use super::event::ExchangeNote;
use super::place::Place;

/// Exchanges kept for a report: enough to see what two or three workers just did, few enough to be read.
pub const KEPT: usize = 12;

/// One exchange, while it runs and afterwards.
pub struct Exchange {
    /// The task that asked, by its spawn path.
    pub task: Rc<str>,
    /// Which exchange of its task it is, counted from 0.
    pub index: u32,
    /// The VM.
    pub vm: Rc<str>,
    /// The worker's name, on a worker's lane.
    pub worker: Option<Rc<str>>,
    /// The operation with its arguments, shortened.
    pub operation: String,
    /// Where the test asked.
    pub at: Option<Place>,
    /// The lab's clock at its beginning.
    pub began: Nanos,
    outcome: RefCell<Option<(String, Nanos)>>,
}

impl Exchange {
    /// An exchange that begins.
    #[must_use]
    pub fn begin(
        (task, index): (Rc<str>, u32),
        (vm, worker): (Rc<str>, Option<Rc<str>>),
        operation: String,
        at: Option<Place>,
        began: Nanos,
    ) -> Rc<Exchange> {
        Rc::new(Exchange { task, index, vm, worker, operation, at, began, outcome: RefCell::new(None) })
    }

    /// It is over.
    pub fn end(&self, outcome: String, ended: Nanos) {
        *self.outcome.borrow_mut() = Some((outcome, ended));
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.outcome.borrow().is_none()
    }

    /// The same for the event stream.
    #[must_use]
    pub fn to_note(&self) -> ExchangeNote {
        let (outcome, ended) = match &*self.outcome.borrow() {
            Some((outcome, ended)) => (outcome.clone(), Some(*ended)),
            None => ("still running".to_owned(), None),
        };
        ExchangeNote {
            task: self.task.to_string(),
            vm: self.vm.to_string(),
            worker: self.worker.as_deref().map(str::to_owned),
            operation: self.operation.clone(),
            outcome,
            began: self.began,
            ended,
            site: self.at.as_ref().map(Place::to_site),
        }
    }
}

/// The last [`KEPT`] exchanges, and older ones that still run.
#[derive(Default)]
pub struct Recent {
    ring: RefCell<VecDeque<Rc<Exchange>>>,
    old_pending: RefCell<Vec<Rc<Exchange>>>,
    total: Cell<u64>,
}

impl Recent {
    /// One more.
    pub fn push(&self, exchange: Rc<Exchange>) {
        let mut ring = self.ring.borrow_mut();
        self.total.set(self.total.get() + 1);
        if ring.len() == KEPT
            && let Some(oldest) = ring.pop_front()
            && oldest.is_pending()
        {
            let mut old = self.old_pending.borrow_mut();
            old.retain(|exchange| exchange.is_pending());
            // A test with more tasks than this waiting at once has one cause for all of them.
            if old.len() < KEPT {
                old.push(oldest);
            }
        }
        ring.push_back(exchange);
    }

    /// For the report, oldest first.
    #[must_use]
    pub fn notes(&self) -> Vec<ExchangeNote> {
        let old = self.old_pending.borrow();
        let pending = old.iter().filter(|exchange| exchange.is_pending());
        pending.chain(self.ring.borrow().iter()).map(|exchange| exchange.to_note()).collect()
    }
}

/// Sees every exchange of a run, whole. A journal is one; it must not ask the guest anything.
pub trait ExchangeObserver {
    /// An exchange begins with this operation.
    fn begun(&self, exchange: &Exchange, op: &Op);
    /// It ended like this; never said of an exchange that was abandoned.
    fn ended(&self, exchange: &Exchange, now: Nanos, result: &Result<Reply, OpError>);
    /// Something else happened that belongs in the order of things: a test begins, a test is over.
    fn boundary(&self, now: Nanos, what: &str);
}
