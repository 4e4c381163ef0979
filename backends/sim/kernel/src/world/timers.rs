//! Timers of the virtual clock.

use std::collections::BTreeMap;
use std::rc::Weak;
use std::task::Waker;

use provium_protocol::Nanos;

use super::thread::ThreadKey;
use crate::machine::Machine;
use crate::types::Pid;

/// Names a set timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerId {
    at: Nanos,
    serial: u64,
}

impl TimerId {
    /// When it fires.
    pub(crate) fn at(self) -> Nanos {
        self.at
    }
}

/// What a timer wakes.
pub(crate) enum TimerTarget {
    /// A thread.
    Thread(ThreadKey),
    /// A future outside the guests.
    Waker(Waker),
    /// The alarm of a process: `SIGALRM`.
    Alarm(Weak<Machine>, Pid),
}

#[derive(Default)]
pub(super) struct Timers {
    set: BTreeMap<TimerId, TimerTarget>,
    serial: u64,
}

impl Timers {
    pub(super) fn set(&mut self, at: Nanos, target: TimerTarget) -> TimerId {
        self.serial += 1;
        let id = TimerId { at, serial: self.serial };
        self.set.insert(id, target);
        id
    }

    pub(super) fn cancel(&mut self, id: TimerId) {
        self.set.remove(&id);
    }

    pub(super) fn next(&self) -> Option<Nanos> {
        self.set.first_key_value().map(|(id, _)| id.at)
    }

    pub(super) fn pop_due(&mut self, now: Nanos) -> Option<TimerTarget> {
        let first = self.set.first_entry()?;
        (first.key().at <= now).then(|| first.remove())
    }
}
