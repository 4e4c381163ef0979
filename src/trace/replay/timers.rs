//! Timers of the Lua side, by the replayed clock.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::task::Waker;

use provium_protocol::Nanos;

/// The timers that wait.
#[derive(Default)]
pub struct Timers {
    set: RefCell<BTreeMap<(Nanos, u64), Waker>>,
    next: Cell<u64>,
}

impl Timers {
    /// Wakes when the clock reads `at`.
    pub fn set(&self, at: Nanos, waker: Waker) -> (Nanos, u64) {
        let key = (at, self.next.replace(self.next.get() + 1));
        self.set.borrow_mut().insert(key, waker);
        key
    }

    /// It need not wake any more.
    pub fn cancel(&self, key: (Nanos, u64)) {
        self.set.borrow_mut().remove(&key);
    }

    /// When the next one wakes.
    pub fn next(&self) -> Option<Nanos> {
        self.set.borrow().first_key_value().map(|((at, _), _)| *at)
    }

    /// Wakes the next one.
    pub fn fire(&self) {
        let first = self.set.borrow_mut().pop_first();
        if let Some((_, waker)) = first {
            waker.wake();
        }
    }
}
