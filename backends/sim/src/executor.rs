//! The tasks of all agents. An agent's own thinking takes no virtual time and offers no choice: its
//! tasks run, first come first served, until each waits for something; only the system calls that
//! they make are steps of the guest.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use provium_protocol::LocalFuture;
use slab::Slab;

/// Names a guest among those of a backend; never reused.
pub type GuestId = u64;

/// Names a task; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskKey {
    index: usize,
    serial: u64,
}

#[derive(Default)]
struct Ready {
    keys: Mutex<VecDeque<TaskKey>>,
}

struct TaskWaker {
    key: TaskKey,
    ready: Arc<Ready>,
    queued: AtomicBool,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.ready.keys.lock().unwrap_or_else(PoisonError::into_inner).push_back(self.key);
        }
    }
}

struct Task {
    serial: u64,
    guest: GuestId,
    /// Absent while it is being polled.
    future: Option<LocalFuture<()>>,
    waker: Arc<TaskWaker>,
}

/// Runs the tasks of agents.
#[derive(Default)]
pub struct Executor {
    tasks: RefCell<Slab<Task>>,
    ready: Arc<Ready>,
    /// Tasks of paused guests that could go on.
    parked: RefCell<Vec<TaskKey>>,
    serial: Cell<u64>,
    running: Cell<bool>,
}

impl Executor {
    /// Adds a task; it is polled at the next [`Executor::run`].
    pub fn spawn(&self, guest: GuestId, future: LocalFuture<()>) -> TaskKey {
        let serial = self.serial.get() + 1;
        self.serial.set(serial);
        let mut tasks = self.tasks.borrow_mut();
        let entry = tasks.vacant_entry();
        let key = TaskKey { index: entry.key(), serial };
        let waker = Arc::new(TaskWaker { key, ready: self.ready.clone(), queued: AtomicBool::new(false) });
        waker.wake_by_ref();
        entry.insert(Task { serial, guest, future: Some(future), waker });
        key
    }

    /// Whether [`Executor::run`] has something to do.
    pub fn has_ready(&self) -> bool {
        !self.ready.keys.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Runs until every task waits. Tasks of guests that are `paused` are kept for later.
    pub fn run(&self, paused: impl Fn(GuestId) -> bool) {
        // A task that comes back here (through a call on a guest) is already being run.
        if self.running.replace(true) {
            return;
        }
        loop {
            let next = self.ready.keys.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match next {
                Some(key) => self.poll(key, &paused),
                None => break,
            }
        }
        self.running.set(false);
    }

    fn poll(&self, key: TaskKey, paused: &impl Fn(GuestId) -> bool) {
        let (mut future, waker) = {
            let mut tasks = self.tasks.borrow_mut();
            let Some(task) = tasks.get_mut(key.index).filter(|task| task.serial == key.serial) else { return };
            if paused(task.guest) {
                self.parked.borrow_mut().push(key);
                return;
            }
            task.waker.queued.store(false, Ordering::Relaxed);
            let Some(future) = task.future.take() else { return };
            (future, Waker::from(task.waker.clone()))
        };
        let polled = Pin::new(&mut future).poll(&mut Context::from_waker(&waker));
        let mut tasks = self.tasks.borrow_mut();
        match tasks.get_mut(key.index).filter(|task| task.serial == key.serial) {
            Some(task) if polled == Poll::Pending => task.future = Some(future),
            Some(_) => {
                tasks.remove(key.index);
                drop(tasks);
                drop(future);
            }
            // It was cancelled while it ran.
            None => {
                drop(tasks);
                drop(future);
            }
        }
    }

    /// Lets tasks that were kept for later go on.
    pub fn unpark(&self) {
        let parked = std::mem::take(&mut *self.parked.borrow_mut());
        self.ready.keys.lock().unwrap_or_else(PoisonError::into_inner).extend(parked);
    }

    /// Drops a task, wherever it stands.
    pub fn cancel(&self, key: TaskKey) {
        let task = {
            let mut tasks = self.tasks.borrow_mut();
            match tasks.get(key.index) {
                Some(task) if task.serial == key.serial => tasks.try_remove(key.index),
                _ => None,
            }
        };
        // Outside of the borrow: what is dropped may spawn its own clean-up.
        drop(task);
    }

    /// Drops all tasks of a guest, and those that they spawn in being dropped.
    pub fn cancel_guest(&self, guest: GuestId) {
        loop {
            let keys: Vec<TaskKey> = {
                let tasks = self.tasks.borrow();
                let of_guest = tasks.iter().filter(|(_, task)| task.guest == guest);
                of_guest.map(|(index, task)| TaskKey { index, serial: task.serial }).collect()
            };
            if keys.is_empty() {
                return;
            }
            for key in keys {
                self.cancel(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use tokio::sync::Notify;

    use super::*;

    #[test]
    fn tasks_run_in_order_and_wait_for_each_other() {
        let executor = Executor::default();
        let log = Rc::new(RefCell::new(Vec::new()));
        let gate = Rc::new(Notify::new());
        let (first_log, first_gate) = (log.clone(), gate.clone());
        executor.spawn(
            1,
            Box::pin(async move {
                first_gate.notified().await;
                first_log.borrow_mut().push("first");
            }),
        );
        let second_log = log.clone();
        executor.spawn(
            1,
            Box::pin(async move {
                second_log.borrow_mut().push("second");
                gate.notify_waiters();
            }),
        );
        executor.run(|_| false);
        assert_eq!(*log.borrow(), ["second", "first"]);
        assert!(!executor.has_ready());
    }

    #[test]
    fn a_paused_guest_waits() {
        let executor = Executor::default();
        let ran = Rc::new(Cell::new(false));
        let task_ran = ran.clone();
        executor.spawn(7, Box::pin(async move { task_ran.set(true) }));
        executor.run(|guest| guest == 7);
        assert!(!ran.get() && !executor.has_ready());
        executor.unpark();
        executor.run(|_| false);
        assert!(ran.get());
    }

    #[test]
    fn cancelling_a_guest_ends_what_its_tasks_leave_behind() {
        struct Leaves(Rc<Executor>);
        impl Drop for Leaves {
            fn drop(&mut self) {
                self.0.spawn(1, Box::pin(std::future::pending()));
            }
        }
        let executor = Rc::new(Executor::default());
        let leaves = Leaves(executor.clone());
        executor.spawn(
            1,
            Box::pin(async move {
                let _leaves = leaves;
                std::future::pending::<()>().await;
            }),
        );
        executor.run(|_| false);
        executor.cancel_guest(1);
        assert!(executor.tasks.borrow().is_empty());
    }
}
