//! The world of a run: its clock, its timers, and the scheduler of all threads of all its guests.

mod queue;
mod sleep;
pub mod thread;
mod timers;

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use provium_protocol::choice::choose;
use provium_protocol::{ChoicePoint, Choices, Idle, Nanos};

use crate::limits::STEP_NS;
use crate::machine::{Delivered, Machine};
use crate::program::ProgramFuture;
use queue::{Run, RunQueue, Slot};
pub use sleep::Sleep;
use thread::{Thread, ThreadKey};
use timers::Timers;
pub(crate) use timers::{TimerId, TimerTarget};

/// Threads that were woken through their wakers since the last step.
#[derive(Default)]
struct Woken {
    keys: Mutex<Vec<ThreadKey>>,
}

struct ThreadWaker {
    key: ThreadKey,
    woken: Arc<Woken>,
}

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.keys.lock().unwrap_or_else(PoisonError::into_inner).push(self.key);
    }
}

/// One world: several guests, one clock, one source of choices.
pub struct World {
    choices: Rc<dyn Choices>,
    now: Cell<Nanos>,
    queue: RefCell<RunQueue>,
    timers: RefCell<Timers>,
    woken: Arc<Woken>,
    /// Set by the thread being polled when it can go on at once.
    again: Cell<bool>,
    steps: Cell<u64>,
}

impl World {
    /// An empty world whose clock reads 0.
    #[must_use]
    pub fn new(choices: Rc<dyn Choices>) -> Rc<World> {
        Rc::new(World {
            choices,
            now: Cell::new(0),
            queue: RefCell::default(),
            timers: RefCell::default(),
            woken: Arc::default(),
            again: Cell::new(false),
            steps: Cell::new(0),
        })
    }

    /// The clock, in nanoseconds since the world was made.
    #[must_use]
    pub fn now(&self) -> Nanos {
        self.now.get()
    }

    /// Steps made so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// The source of choices.
    #[must_use]
    pub fn choices(&self) -> &Rc<dyn Choices> {
        &self.choices
    }

    /// Lets the clock go on by the time that computing took.
    pub fn compute(&self, ns: Nanos) {
        self.now.set(self.now.get().saturating_add(ns));
        self.fire_due();
    }

    /// Ends when the clock has gone on by `ns`.
    #[must_use]
    pub fn sleep(self: &Rc<Self>, ns: Nanos) -> Sleep {
        Sleep::new(self.clone(), self.now.get().saturating_add(ns))
    }

    /// Whether some thread can make a step.
    #[must_use]
    pub fn has_step(&self) -> bool {
        self.collect_woken();
        !self.queue.borrow().is_empty()
    }

    /// Lets one runnable thread make one step.
    pub fn step(&self) {
        self.collect_woken();
        let mut queue = self.queue.borrow_mut();
        if queue.is_empty() {
            return;
        }
        let picked = choose(&*self.choices, ChoicePoint::Thread, queue.ids());
        let Some((key, slot)) = queue.take(picked) else { return };
        let Some(future) = slot.future.take() else { return };
        let (thread, machine, waker) = (slot.thread.clone(), slot.machine.clone(), slot.waker.clone());
        drop(queue);

        self.steps.set(self.steps.get() + 1);
        self.compute(STEP_NS);
        machine.charge_cpu(thread.pid());
        if thread.is_dead() {
            self.forget(key, Some(future));
            return;
        }
        if thread.take_signalled() {
            match machine.deliver_signals(&thread) {
                Delivered::GoOn => {}
                Delivered::Stopped => {
                    self.queue.borrow_mut().put_back(key, future, Run::Parked);
                    return;
                }
                Delivered::Ended => {
                    self.forget(key, Some(future));
                    return;
                }
            }
        }
        self.poll(key, future, &thread, &machine, &waker);
    }

    fn poll(
        &self,
        key: ThreadKey,
        mut future: ProgramFuture,
        thread: &Rc<Thread>,
        machine: &Rc<Machine>,
        waker: &Waker,
    ) {
        self.again.set(false);
        let polled = Pin::new(&mut future).poll(&mut Context::from_waker(waker));
        if let Poll::Ready(code) = polled {
            machine.thread_returned(thread, code);
            self.forget(key, Some(future));
            return;
        }
        if thread.is_dead() {
            self.forget(key, Some(future));
            return;
        }
        if let Some(next) = thread.take_next_program() {
            future = next;
            self.again.set(true);
        }
        let run = match (self.again.get(), thread.is_frozen() || machine.is_paused()) {
            (true, false) => Run::Queued,
            (true, true) => Run::Parked,
            (false, _) => Run::Sleeping,
        };
        self.queue.borrow_mut().put_back(key, future, run);
    }

    /// Waits for the next event by letting the clock jump to it, at most to `deadline`.
    pub fn idle(&self, deadline: Option<Nanos>) -> Idle {
        if self.has_step() {
            return Idle::Woken;
        }
        let next = self.timers.borrow().next();
        match (next, deadline) {
            (None, _) => Idle::Stalled,
            (Some(at), Some(limit)) if limit < at => {
                self.now.set(self.now.get().max(limit));
                Idle::Deadline
            }
            (Some(at), _) => {
                self.now.set(self.now.get().max(at));
                self.fire_due();
                Idle::Woken
            }
        }
    }

    /// Ends every thread without a trace: their futures are dropped. For the end of a run, since
    /// threads and world hold each other.
    pub fn clear(&self) {
        // Dropping a future may drop others' handles, so the list is emptied before anything is dropped.
        let slots = self.queue.borrow_mut().clear();
        drop(slots);
        let timers = std::mem::take(&mut *self.timers.borrow_mut());
        drop(timers);
    }

    /// Adds a thread; it is runnable at once.
    pub(crate) fn add(
        &self,
        machine: Rc<Machine>,
        make: impl FnOnce(ThreadKey) -> (Rc<Thread>, ProgramFuture),
    ) -> Rc<Thread> {
        let key = self.queue.borrow_mut().reserve();
        let (thread, future) = make(key);
        let waker = Waker::from(Arc::new(ThreadWaker { key, woken: self.woken.clone() }));
        let slot = Slot { thread: thread.clone(), machine, future: Some(future), waker, run: Run::Sleeping };
        self.queue.borrow_mut().fill(key, slot);
        self.ready(key);
        thread
    }

    /// Makes a sleeping thread runnable; what runs already is left alone.
    pub(crate) fn ready(&self, key: ThreadKey) {
        self.queue.borrow_mut().ready(key, &self.again);
    }

    /// Takes threads out of the queue whose process is stopped or whose machine is paused now, and puts
    /// those back for which that no longer holds.
    pub(crate) fn refreeze(&self) {
        self.queue.borrow_mut().refreeze();
    }

    /// Says that the thread being polled can go on at once.
    pub(crate) fn run_again(&self) {
        self.again.set(true);
    }

    /// Ends a thread that does not run at the moment; its future is dropped now or, if it is the one
    /// being polled, after the poll.
    pub(crate) fn drop_later(&self, thread: &Rc<Thread>) {
        thread.set_dead();
        // A dead thread is dropped when it is next looked at: dropping its future here could re-enter
        // the kernel that asked for it.
        self.queue.borrow_mut().ready(thread.key(), &self.again);
        self.queue.borrow_mut().unpark(thread.key());
    }

    pub(crate) fn set_timer(&self, at: Nanos, target: TimerTarget) -> TimerId {
        self.timers.borrow_mut().set(at, target)
    }

    pub(crate) fn cancel_timer(&self, id: TimerId) {
        self.timers.borrow_mut().cancel(id);
    }

    fn fire_due(&self) {
        loop {
            let due = self.timers.borrow_mut().pop_due(self.now.get());
            match due {
                None => return,
                Some(TimerTarget::Thread(key)) => self.ready(key),
                Some(TimerTarget::Waker(waker)) => waker.wake(),
                Some(TimerTarget::Alarm(machine, pid)) => {
                    if let Some(machine) = machine.upgrade() {
                        machine.alarm_fired(pid);
                    }
                }
            }
        }
    }

    fn collect_woken(&self) {
        let mut keys = self.woken.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.is_empty() {
            return;
        }
        let mut queue = self.queue.borrow_mut();
        for key in keys.drain(..) {
            queue.ready(key, &self.again);
        }
    }

    fn forget(&self, key: ThreadKey, future: Option<ProgramFuture>) {
        let slot = self.queue.borrow_mut().remove(key);
        drop(future);
        drop(slot);
    }
}
