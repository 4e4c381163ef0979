//! One simulated thread, as the scheduler and the kernel both see it.

use std::cell::{Cell, RefCell};

use crate::kernel::wait::Channel;
use crate::program::ProgramFuture;
use crate::types::{Credentials, Pid};

/// Names a thread in the scheduler. The serial is never reused in a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadKey {
    pub(crate) index: u32,
    pub(crate) serial: u32,
}

/// What a thread is doing, for `/proc` and for those who ask whether it is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadActivity {
    /// Runnable.
    Running,
    /// Asleep in a system call.
    Sleeping,
}

/// A thread.
pub struct Thread {
    key: ThreadKey,
    pid: Pid,
    tid: Pid,
    dead: Cell<bool>,
    frozen: Cell<bool>,
    signalled: Cell<bool>,
    interrupted: Cell<bool>,
    asleep: Cell<bool>,
    parked: Cell<bool>,
    waiting: RefCell<Vec<Channel>>,
    next_program: RefCell<Option<ProgramFuture>>,
    /// Credentials that a raw system call gave to this thread alone; else it has those of its process.
    credentials: RefCell<Option<Box<Credentials>>>,
    /// Its own name, if it was given one that its process does not have.
    name: RefCell<Option<Vec<u8>>>,
    /// Signals that it holds back, bit `n - 1` for signal `n`.
    blocked: Cell<u64>,
    /// Signals sent to it alone and not yet acted on.
    pending: Cell<u64>,
}

impl Thread {
    pub(crate) fn new(key: ThreadKey, pid: Pid, tid: Pid) -> Thread {
        Thread {
            key,
            pid,
            tid,
            dead: Cell::new(false),
            frozen: Cell::new(false),
            signalled: Cell::new(false),
            interrupted: Cell::new(false),
            asleep: Cell::new(false),
            parked: Cell::new(false),
            waiting: RefCell::default(),
            next_program: RefCell::default(),
            credentials: RefCell::default(),
            name: RefCell::default(),
            blocked: Cell::new(0),
            pending: Cell::new(0),
        }
    }

    /// Its name in the scheduler.
    #[must_use]
    pub fn key(&self) -> ThreadKey {
        self.key
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Its thread id.
    #[must_use]
    pub fn tid(&self) -> Pid {
        self.tid
    }

    /// Whether it sleeps in a system call.
    #[must_use]
    pub fn activity(&self) -> ThreadActivity {
        if self.asleep.get() { ThreadActivity::Sleeping } else { ThreadActivity::Running }
    }

    /// Says whether it waits for work of its own process, outside of any system call that a test asked for.
    pub fn set_parked(&self, parked: bool) {
        self.parked.set(parked);
    }

    /// Whether `/proc` shows it as running: it neither sleeps nor waits for work.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !(self.asleep.get() || self.parked.get())
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.get()
    }

    pub(crate) fn set_dead(&self) {
        self.dead.set(true);
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen.get()
    }

    pub(crate) fn set_frozen(&self, frozen: bool) {
        self.frozen.set(frozen);
    }

    /// Asks for a look at pending signals before the thread goes on.
    pub(crate) fn signal(&self) {
        self.signalled.set(true);
    }

    pub(crate) fn take_signalled(&self) -> bool {
        self.signalled.replace(false)
    }

    /// Makes the sleep it is in end with `EINTR`.
    pub(crate) fn interrupt(&self) {
        self.interrupted.set(true);
    }

    pub(crate) fn take_interrupted(&self) -> bool {
        self.interrupted.replace(false)
    }

    pub(crate) fn set_asleep(&self, asleep: bool) {
        self.asleep.set(asleep);
    }

    pub(crate) fn waiting(&self) -> &RefCell<Vec<Channel>> {
        &self.waiting
    }

    pub(crate) fn set_next_program(&self, program: ProgramFuture) {
        *self.next_program.borrow_mut() = Some(program);
    }

    pub(crate) fn take_next_program(&self) -> Option<ProgramFuture> {
        self.next_program.borrow_mut().take()
    }

    /// Signals that it holds back, bit `n - 1` for signal `n`.
    #[must_use]
    pub fn blocked(&self) -> u64 {
        self.blocked.get()
    }

    pub(crate) fn set_blocked(&self, mask: u64) {
        self.blocked.set(mask);
    }

    pub(crate) fn pending(&self) -> &Cell<u64> {
        &self.pending
    }

    pub(crate) fn name(&self) -> &RefCell<Option<Vec<u8>>> {
        &self.name
    }

    /// Credentials of this thread alone, if it has some.
    pub(crate) fn credentials(&self) -> &RefCell<Option<Box<Credentials>>> {
        &self.credentials
    }
}
