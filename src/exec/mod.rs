//! The executor of Lua tasks: one thread, no hidden order.
//!
//! A turn belongs either to a ready task of the test or to a guest. Whenever both could go, and
//! whenever several tasks are ready, the one source of choices is asked; so the same choices give the
//! same run. When neither side can go, the backend waits, and may find that nothing can ever happen again.
//!
//! Rejected: an executor off the shelf. Each decides by itself who goes next, and none lets the guests of a
//! simulator take part in the decision.

pub mod conduct;
mod ready;
pub mod stop;
pub mod wait;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use provium_protocol::choice::choose;
use provium_protocol::{Backend, ChoicePoint, Choices, Idle, LocalFuture, Nanos};

pub use conduct::{Conductor, Next};
use ready::{ReadyList, TaskWake};
pub use stop::Stop;

use crate::runner::observe::Observers;
use crate::runner::place::Place;

/// Names a task of an [`Executor`]: small, and the same in every run with the same choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(u32);

/// Why [`Executor::run`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    /// What was waited for has come.
    Done,
    /// The clock has reached the deadline first.
    Deadline,
    /// Nothing can ever happen again.
    Stalled,
    /// The conductor has stopped the run: it cannot go on as it was recorded, or was asked to stop here.
    Stopped,
}

struct Slot {
    /// Which task of the run it is, counted from 0; slots are used again, numbers are not.
    serial: u32,
    /// Absent while it is being polled.
    future: Option<LocalFuture<()>>,
    wake: Arc<TaskWake>,
    waker: Waker,
}

/// Polls tasks and lets guests go on in between.
pub struct Executor {
    backend: Rc<dyn Backend>,
    choices: Rc<dyn Choices>,
    slots: RefCell<Vec<Option<Slot>>>,
    woken: Arc<ReadyList>,
    /// Woken tasks in the order in which they were woken, so far as this thread has seen them.
    ready: RefCell<Vec<Arc<TaskWake>>>,
    guests_went_last: Cell<bool>,
    /// The only task that is polled, during [`Executor::run_alone`]; the others that were woken meanwhile.
    alone: Cell<Option<TaskId>>,
    held: RefCell<Vec<Arc<TaskWake>>>,
    spawned: Cell<u32>,
    observers: Observers,
    conductor: Option<Rc<dyn Conductor>>,
}

impl Executor {
    /// An executor whose guests are the backend's. The observers see who gets the floor; the conductor, if there is
    /// one, says who gets it.
    #[must_use]
    pub fn new(backend: Rc<dyn Backend>, observers: Observers, conductor: Option<Rc<dyn Conductor>>) -> Executor {
        Executor {
            choices: backend.choices(),
            backend,
            slots: RefCell::new(Vec::new()),
            woken: Arc::new(ReadyList::new()),
            ready: RefCell::new(Vec::new()),
            guests_went_last: Cell::new(true),
            alone: Cell::new(None),
            held: RefCell::default(),
            spawned: Cell::new(0),
            observers,
            conductor,
        }
    }

    /// Adds a task by this name, spawned at this place; it is ready at once.
    pub fn spawn(&self, name: &str, at: Option<&Place>, future: impl Future<Output = ()> + 'static) -> TaskId {
        let serial = self.spawned.replace(self.spawned.get() + 1);
        self.observers.tell(|observer| observer.spawned(serial, name, at));
        let mut slots = self.slots.borrow_mut();
        let number = slots.iter().position(Option::is_none).unwrap_or(slots.len());
        // More than 2^32 tasks at once would need far more memory than a test may use.
        let id = TaskId(number as u32);
        let wake = TaskWake::new(id.0, &self.woken);
        let waker = Waker::from(Arc::clone(&wake));
        waker.wake_by_ref();
        let slot = Some(Slot { serial, future: Some(Box::pin(future)), wake, waker });
        if number == slots.len() {
            slots.push(slot);
        } else {
            slots[number] = slot;
        }
        id
    }

    /// Drops a task; nothing if it is over. A task that cancels itself ends at its next wait.
    pub fn cancel(&self, id: TaskId) {
        let slot = self.slots.borrow_mut().get_mut(id.0 as usize).and_then(Option::take);
        // Dropped here, after the borrow: what the future owns may itself cancel tasks.
        drop(slot);
    }

    /// Drops all tasks.
    pub fn cancel_all(&self) {
        let slots = std::mem::take(&mut *self.slots.borrow_mut());
        drop(slots);
        self.ready.borrow_mut().clear();
        self.woken.clear();
    }

    /// As [`Executor::run`], but only this task is polled; the others wait as they are.
    pub fn run_alone(&self, id: TaskId, deadline: Option<Nanos>, done: &mut dyn FnMut() -> bool) -> Ran {
        self.alone.set(Some(id));
        let ran = self.run(deadline, done);
        self.alone.set(None);
        let mut ready = self.ready.borrow_mut();
        let mine = std::mem::replace(&mut *ready, self.held.take());
        ready.extend(mine);
        ran
    }

    /// Goes on until `done` says so, the clock reaches the deadline, or nothing can happen any more.
    pub fn run(&self, deadline: Option<Nanos>, done: &mut dyn FnMut() -> bool) -> Ran {
        loop {
            if done() {
                return Ran::Done;
            }
            if let Some(conductor) = &self.conductor {
                match conductor.next(!self.ready.borrow().is_empty() || self.woken.any()) {
                    Next::Free => {}
                    Next::Task(serial) => {
                        if !self.poll_serial(serial) {
                            conductor.no_such_task(serial);
                        }
                        continue;
                    }
                    Next::Guests => {
                        self.backend.step();
                        continue;
                    }
                    Next::Halt(ran) => return self.halted(ran),
                }
            }
            if deadline.is_some_and(|deadline| self.backend.now() >= deadline) {
                return self.halted(Ran::Deadline);
            }
            self.collect_woken();
            let tasks = !self.ready.borrow().is_empty();
            let guests = self.backend.has_step();
            let guests_go = match (tasks, guests) {
                (true, true) => {
                    let other_side = choose(&*self.choices, ChoicePoint::Turn, &[0, 1]) == 0;
                    other_side != self.guests_went_last.get()
                }
                (true, false) => false,
                (false, true) => true,
                (false, false) => match self.backend.idle(deadline) {
                    Idle::Woken => continue,
                    Idle::Deadline => return self.halted(Ran::Deadline),
                    Idle::Stalled => {
                        // A waker may have been called between the look at the list and the wait.
                        self.collect_woken();
                        if self.ready.borrow().is_empty() && !self.backend.has_step() {
                            return self.halted(Ran::Stalled);
                        }
                        continue;
                    }
                },
            };
            self.guests_went_last.set(guests_go);
            if guests_go {
                self.backend.step();
            } else {
                self.poll_one();
            }
        }
    }

    fn halted(&self, ran: Ran) -> Ran {
        if matches!(ran, Ran::Deadline | Ran::Stalled) {
            let now = self.backend.now();
            self.observers.tell(|observer| observer.halted(now, ran == Ran::Stalled));
        }
        ran
    }

    /// Polls this task, woken or not; whether there is such a task.
    fn poll_serial(&self, serial: u32) -> bool {
        self.collect_woken();
        let wake = {
            let slots = self.slots.borrow();
            let slot = slots.iter().flatten().find(|slot| slot.serial == serial && slot.future.is_some());
            match slot {
                Some(slot) => Arc::clone(&slot.wake),
                None => return false,
            }
        };
        self.ready.borrow_mut().retain(|ready| !Arc::ptr_eq(ready, &wake));
        self.poll(&wake);
        true
    }

    fn collect_woken(&self) {
        let mut ready = self.ready.borrow_mut();
        self.woken.drain_into(&mut ready);
        if let Some(alone) = self.alone.get() {
            let (mine, mut others): (Vec<_>, Vec<_>) = ready.drain(..).partition(|wake| wake.number == alone.0);
            *ready = mine;
            self.held.borrow_mut().append(&mut others);
        }
        let slots = self.slots.borrow();
        ready.retain(|wake| {
            slots.get(wake.number as usize).and_then(Option::as_ref).is_some_and(|slot| Arc::ptr_eq(&slot.wake, wake))
        });
    }

    fn poll_one(&self) {
        let wake = {
            let mut ready = self.ready.borrow_mut();
            let picked = match ready.len() {
                1 => 0,
                _ => {
                    let ids: Vec<u32> = ready.iter().map(|wake| wake.number).collect();
                    choose(&*self.choices, ChoicePoint::Task, &ids)
                }
            };
            ready.remove(picked)
        };
        self.poll(&wake);
    }

    fn poll(&self, wake: &Arc<TaskWake>) {
        wake.polled();
        let number = wake.number as usize;
        let (mut future, waker, serial) = {
            let mut slots = self.slots.borrow_mut();
            let Some(slot) = slots.get_mut(number).and_then(Option::as_mut) else { return };
            let Some(future) = slot.future.take() else { return };
            (future, slot.waker.clone(), slot.serial)
        };
        if !self.observers.is_empty() {
            let now = self.backend.now();
            self.observers.tell(|observer| observer.polls(serial, now));
        }
        let poll = future.as_mut().poll(&mut Context::from_waker(&waker));
        self.observers.tell(|observer| observer.polled());
        let mut slots = self.slots.borrow_mut();
        let current =
            slots.get_mut(number).filter(|slot| slot.as_ref().is_some_and(|slot| Arc::ptr_eq(&slot.wake, wake)));
        let finished = match (current, poll) {
            (Some(slot), Poll::Pending) => {
                if let Some(slot) = slot {
                    slot.future = Some(future);
                }
                return;
            }
            (Some(slot), Poll::Ready(())) => slot.take(),
            // It was cancelled while it was polled.
            (None, _) => None,
        };
        drop(slots);
        drop(finished);
        drop(future);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use provium_protocol::choice::{Fixed, Seeded};
    use provium_protocol::profile::BootSpec;
    use provium_protocol::program::Program;
    use provium_protocol::{Guest, OpError};

    use super::*;

    /// A clock with timers and a number of guest steps that do nothing but show up in the log.
    struct Clockwork {
        now: Cell<Nanos>,
        timers: Rc<RefCell<BTreeMap<Nanos, Vec<Waker>>>>,
        steps: Cell<u32>,
        log: Rc<RefCell<String>>,
        choices: Rc<dyn Choices>,
    }

    impl Backend for Clockwork {
        fn name(&self) -> &'static str {
            "clockwork"
        }
        fn boot(&self, _: BootSpec) -> LocalFuture<Result<Rc<dyn Guest>, OpError>> {
            Box::pin(std::future::ready(Err(OpError::unsupported("clockwork", "boot"))))
        }
        fn now(&self) -> Nanos {
            self.now.get()
        }
        fn sleep(&self, duration: Nanos) -> LocalFuture<()> {
            let (timers, at) = (Rc::clone(&self.timers), self.now.get() + duration);
            let mut set = false;
            Box::pin(std::future::poll_fn(move |cx| {
                if set {
                    return Poll::Ready(());
                }
                set = true;
                timers.borrow_mut().entry(at).or_default().push(cx.waker().clone());
                Poll::Pending
            }))
        }
        fn choices(&self) -> Rc<dyn Choices> {
            Rc::clone(&self.choices)
        }
        fn compute(&self, ns: Nanos) {
            self.now.set(self.now.get() + ns);
        }
        fn define_program(&self, _: &str, _: Program) {}
        fn has_step(&self) -> bool {
            self.steps.get() > 0
        }
        fn step(&self) {
            self.steps.set(self.steps.get() - 1);
            self.log.borrow_mut().push('g');
        }
        fn idle(&self, deadline: Option<Nanos>) -> Idle {
            let Some((at, wakers)) = self.timers.borrow_mut().pop_first() else { return Idle::Stalled };
            if deadline.is_some_and(|deadline| deadline < at) {
                return Idle::Deadline;
            }
            self.now.set(at);
            wakers.into_iter().for_each(Waker::wake);
            Idle::Woken
        }
    }

    fn clockwork(choices: Rc<dyn Choices>, steps: u32) -> Rc<Clockwork> {
        Rc::new(Clockwork {
            now: Cell::new(0),
            timers: Rc::default(),
            steps: Cell::new(steps),
            log: Rc::default(),
            choices,
        })
    }

    fn writes(executor: &Executor, log: &Rc<RefCell<String>>, letter: char, times: u32) -> TaskId {
        let log = Rc::clone(log);
        executor.spawn("t", None, async move {
            for _ in 0..times {
                log.borrow_mut().push(letter);
                wait::yield_now().await;
            }
        })
    }

    fn trace(choices: Rc<dyn Choices>) -> String {
        let backend = clockwork(choices, 4);
        let executor = Executor::new(backend.clone(), Observers::default(), None);
        writes(&executor, &backend.log, 'a', 3);
        writes(&executor, &backend.log, 'b', 3);
        assert_eq!(executor.run(None, &mut || false), Ran::Stalled);
        backend.log.borrow().clone()
    }

    #[test]
    fn the_fixed_schedule_lets_everybody_take_turns() {
        assert_eq!(trace(Rc::new(Fixed::default())), "agbgagbgab");
    }

    #[test]
    fn a_seed_gives_one_schedule_and_seeds_differ() {
        let of = |seed| trace(Rc::new(Seeded::new(seed)));
        assert_eq!(of(3), of(3));
        assert!((0..20).any(|seed| of(seed) != of(seed + 1)));
    }

    #[test]
    fn a_deadline_ends_a_wait_and_a_stall_is_seen() {
        let backend = clockwork(Rc::new(Fixed::default()), 0);
        let executor = Executor::new(backend.clone(), Observers::default(), None);
        let sleep = backend.sleep(100);
        executor.spawn("t", None, sleep);
        assert_eq!(executor.run(Some(50), &mut || false), Ran::Deadline);
        assert_eq!(executor.run(None, &mut || false), Ran::Stalled);
    }

    #[test]
    fn a_cancelled_task_never_runs_again_and_its_number_is_free() {
        let backend = clockwork(Rc::new(Fixed::default()), 0);
        let executor = Executor::new(backend.clone(), Observers::default(), None);
        let a = writes(&executor, &backend.log, 'a', 100);
        executor.cancel(a);
        assert_eq!(writes(&executor, &backend.log, 'b', 2), a);
        assert_eq!(executor.run(None, &mut || false), Ran::Stalled);
        assert_eq!(*backend.log.borrow(), "bb");
    }
}
