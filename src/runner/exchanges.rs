//! The last exchanges of a test, kept for its failure's report.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use provium_protocol::{Lane, Nanos};

use super::event::ExchangeNote;
use super::place::Place;

/// Exchanges kept for a report: enough to see what two or three workers just did, few enough to be read.
pub const KEPT: usize = 12;

/// Who asks, and whom.
#[derive(Clone)]
pub struct Origin {
    /// The task that asks, by its spawn path.
    pub task: Rc<str>,
    /// Which exchange of its task it is, counted from 0.
    pub index: u32,
    /// The VM.
    pub vm: Rc<str>,
    /// The guest: which boot of the run it was, counted from 0.
    pub guest: u32,
    /// The line on which it is said.
    pub lane: Lane,
    /// The worker's name, on a worker's line.
    pub worker: Option<Rc<str>>,
    /// Where the test asks.
    pub at: Option<Place>,
}

/// One exchange, while it runs and afterwards.
pub struct Exchange {
    /// Which exchange of the run it is, counted from 0 and boots among them; `None` for what only looks like one in
    /// the report.
    pub number: Option<u64>,
    /// Who asks, and whom.
    pub origin: Origin,
    /// The operation with its arguments, shortened.
    pub operation: String,
    /// The lab's clock at its beginning.
    pub began: Nanos,
    outcome: RefCell<Option<(String, Nanos)>>,
}

impl Exchange {
    /// An exchange that begins.
    #[must_use]
    pub fn begin(number: Option<u64>, origin: Origin, operation: String, began: Nanos) -> Rc<Exchange> {
        Rc::new(Exchange { number, origin, operation, began, outcome: RefCell::new(None) })
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
            task: self.origin.task.to_string(),
            vm: self.origin.vm.to_string(),
            worker: self.origin.worker.as_deref().map(str::to_owned),
            operation: self.operation.clone(),
            outcome,
            began: self.began,
            ended,
            site: self.origin.at.as_ref().map(Place::to_site),
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
