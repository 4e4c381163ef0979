//! Threads of the agent's process. Each makes one system call at a time for whichever future of the
//! agent asks, so that a call that sleeps holds up nobody else.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use provium_agent::sync::Flag;
use provium_kernel::world::thread::{Thread, ThreadActivity};
use provium_kernel::{Errno, Machine, ProgramFuture, Sys};
use provium_protocol::LocalFuture;

/// The process of the agent.
pub const AGENT_PID: i32 = 1;

/// One thread, and the call that it is making.
pub struct Carrier {
    thread: RefCell<Option<Rc<Thread>>>,
    sys: RefCell<Option<Sys>>,
    job: RefCell<Option<LocalFuture<()>>>,
    waker: RefCell<Option<Waker>>,
    ended: Flag,
}

impl Carrier {
    /// Starts a thread with nothing to do.
    pub fn start(machine: &Rc<Machine>) -> Result<Rc<Carrier>, Errno> {
        let carrier = Rc::new(Carrier {
            thread: RefCell::new(None),
            sys: RefCell::new(None),
            job: RefCell::new(None),
            waker: RefCell::new(None),
            ended: Flag::default(),
        });
        let carry = Carry(carrier.clone());
        let thread = machine.spawn_thread(AGENT_PID, |sys| {
            *carrier.sys.borrow_mut() = Some(sys);
            Box::pin(carry) as ProgramFuture
        })?;
        thread.set_parked(true);
        *carrier.thread.borrow_mut() = Some(thread);
        Ok(carrier)
    }

    /// Puts a call into the thread's slot, or takes it out again.
    fn set_job(&self, job: Option<LocalFuture<()>>) {
        if let Some(thread) = &*self.thread.borrow() {
            thread.set_parked(job.is_none());
        }
        *self.job.borrow_mut() = job;
    }

    /// The thread.
    pub fn thread(&self) -> Option<Rc<Thread>> {
        self.thread.borrow().clone()
    }

    /// Whether its call sleeps in the kernel.
    pub fn is_asleep(&self) -> bool {
        self.thread.borrow().as_ref().is_some_and(|thread| thread.activity() == ThreadActivity::Sleeping)
    }

    /// Ends when the thread has ended.
    pub async fn ended(&self) {
        self.ended.wait().await;
    }

    /// Ends the thread.
    pub fn end(&self, machine: &Machine) {
        drop(self.job.take());
        let thread = self.thread.borrow_mut().take();
        if let Some(thread) = thread {
            machine.cancel_thread(&thread);
        }
        self.sys.borrow_mut().take();
    }

    /// Has the thread make a call. It must have nothing to do.
    pub fn submit<T, F>(self: &Rc<Self>, pool: Option<&Rc<Pool>>, call: impl FnOnce(Sys) -> F) -> Submitted<T>
    where
        T: 'static,
        F: Future<Output = T> + 'static,
    {
        let answer = Rc::new(Answer { value: RefCell::new(None), given: Cell::new(false), caller: RefCell::new(None) });
        let sys = self.sys.borrow().clone();
        if let Some(sys) = sys {
            let work = call(sys);
            let (job_answer, job_pool, job_carrier) = (answer.clone(), pool.cloned(), self.clone());
            let mut job: LocalFuture<()> = Box::pin(async move {
                let value = work.await;
                if let Some(pool) = job_pool {
                    pool.idle.borrow_mut().push(job_carrier);
                }
                job_answer.give(value);
            });
            // A call begins by asking for its step. Asking here saves the thread a step that would do
            // nothing else.
            if job.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
                self.set_job(Some(job));
                if let Some(waker) = &*self.waker.borrow() {
                    waker.wake_by_ref();
                }
            }
        }
        Submitted { answer, carrier: self.clone(), pool: pool.cloned(), detached: false }
    }
}

/// What a thread runs: the job in its slot, if there is one.
struct Carry(Rc<Carrier>);

impl Future for Carry {
    type Output = i32;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<i32> {
        if self.0.waker.borrow().is_none() {
            *self.0.waker.borrow_mut() = Some(context.waker().clone());
        }
        let job = self.0.job.take();
        if let Some(mut job) = job {
            let pending = job.as_mut().poll(context).is_pending();
            // The thread may have begun another call already, if this one is over.
            if pending {
                *self.0.job.borrow_mut() = Some(job);
            } else if self.0.job.borrow().is_none() {
                self.0.set_job(None);
            }
        }
        Poll::Pending
    }
}

impl Drop for Carry {
    fn drop(&mut self) {
        self.0.ended.set();
    }
}

struct Answer<T> {
    value: RefCell<Option<T>>,
    given: Cell<bool>,
    caller: RefCell<Option<Waker>>,
}

impl<T> Answer<T> {
    fn give(&self, value: T) {
        *self.value.borrow_mut() = Some(value);
        self.given.set(true);
        let caller = self.caller.borrow_mut().take();
        if let Some(caller) = caller {
            caller.wake();
        }
    }
}

/// A call that a thread is making. Dropping it gives the call up, asleep or not.
pub struct Submitted<T> {
    answer: Rc<Answer<T>>,
    carrier: Rc<Carrier>,
    pool: Option<Rc<Pool>>,
    detached: bool,
}

impl<T> Submitted<T> {
    /// Has the call go on even if this is dropped.
    pub fn detach(mut self) -> Submitted<T> {
        self.detached = true;
        self
    }

    /// What the call gave, if it gave something that nobody has taken.
    pub fn untaken(&self) -> Option<T> {
        self.answer.value.borrow_mut().take()
    }
}

impl<T> Future for Submitted<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        if let Some(value) = self.untaken() {
            return Poll::Ready(value);
        }
        *self.answer.caller.borrow_mut() = Some(context.waker().clone());
        Poll::Pending
    }
}

impl<T> Drop for Submitted<T> {
    fn drop(&mut self) {
        if self.answer.given.get() || self.detached {
            return;
        }
        // Dropping the job takes the thread off what it sleeps on; it is free for the next one then.
        let job = self.carrier.job.take();
        let was_there = job.is_some();
        drop(job);
        if was_there {
            self.carrier.set_job(None);
        }
        if was_there && let Some(pool) = &self.pool {
            pool.idle.borrow_mut().push(self.carrier.clone());
        }
    }
}

/// The threads that any future of the agent may use.
pub struct Pool {
    machine: Rc<Machine>,
    idle: RefCell<Vec<Rc<Carrier>>>,
}

impl Pool {
    /// A pool without threads yet.
    pub fn new(machine: Rc<Machine>) -> Rc<Pool> {
        Rc::new(Pool { machine, idle: RefCell::default() })
    }

    /// Has a free thread make a call; starts a thread if all are busy.
    pub fn submit<T, F>(self: &Rc<Self>, call: impl FnOnce(Sys) -> F) -> Result<Submitted<T>, Errno>
    where
        T: 'static,
        F: Future<Output = T> + 'static,
    {
        let free = self.idle.borrow_mut().pop();
        let carrier = match free {
            Some(carrier) => carrier,
            None => Carrier::start(&self.machine)?,
        };
        Ok(carrier.submit(Some(self), call))
    }
}
