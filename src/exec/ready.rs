//! Wakers, and the list of the tasks that they woke. A waker may be called on another thread (a real
//! guest's link reads on one), so this is the one place of the executor that locks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Wake;
use std::thread::{self, Thread};

/// Tasks in the order in which they were woken.
pub(super) struct ReadyList {
    woken: Mutex<Vec<Arc<TaskWake>>>,
    /// The executor's own: a backend whose guests run by themselves parks it while there is nothing to do.
    thread: Thread,
}

impl ReadyList {
    /// An empty list of the tasks of this thread.
    pub(super) fn new() -> ReadyList {
        ReadyList { woken: Mutex::default(), thread: thread::current() }
    }

    /// Moves what was woken to the end of `ready`.
    pub(super) fn drain_into(&self, ready: &mut Vec<Arc<TaskWake>>) {
        // A panic while the list was held leaves it as it was: pushing is all that is done to it.
        ready.append(&mut self.woken.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether there is one.
    pub(super) fn any(&self) -> bool {
        !self.woken.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    pub(super) fn clear(&self) {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Wakes one task.
pub(super) struct TaskWake {
    pub(super) number: u32,
    queued: AtomicBool,
    list: Arc<ReadyList>,
}

impl TaskWake {
    pub(super) fn new(number: u32, list: &Arc<ReadyList>) -> Arc<TaskWake> {
        Arc::new(TaskWake { number, queued: AtomicBool::new(false), list: Arc::clone(list) })
    }

    /// The task is about to be polled: the next wake counts again.
    pub(super) fn polled(&self) {
        self.queued.store(false, Ordering::Release);
    }
}

impl Wake for TaskWake {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.list.woken.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(self));
            self.list.thread.unpark();
        }
    }
}
