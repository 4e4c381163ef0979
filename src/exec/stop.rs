//! A request from another thread to end what goes on: Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};

/// Asks the thread that made it to end what it waits for or computes. Copies are the same request.
#[derive(Clone, Debug)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    /// The executor's own: it may be parked while real guests go on.
    thread: Thread,
}

impl Stop {
    /// For what this thread does; nothing is asked yet.
    #[must_use]
    pub fn new() -> Stop {
        Stop { asked: Arc::default(), thread: thread::current() }
    }

    /// Asks, from any thread.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Release);
        self.thread.unpark();
    }

    /// Whether it was asked.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }

    /// It has been heeded, or came too late: what begins now is not meant.
    pub fn forget(&self) {
        self.asked.store(false, Ordering::Release);
    }
}

impl Default for Stop {
    fn default() -> Self {
        Stop::new()
    }
}
