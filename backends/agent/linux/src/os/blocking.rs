//! Threads for calls that may sleep in the kernel.
//!
//! Every such call gets a thread of its own for as long as it lasts, however many there are: a limit would let the calls
//! that never end hold up the others.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll};

use provium_protocol::Errno;
use tokio::sync::oneshot;

use super::interrupt::{Gate, lock};
use super::sys;

/// Bytes of a thread's stack: system calls and small buffers; memory is used as it is touched.
pub const STACK: usize = 256 << 10;

/// Threads kept although they have nothing to do: as many as a busy test uses at once.
const MAX_IDLE: usize = 16;

/// Something for a thread to do.
trait Job: Send {
    /// Makes the call.
    fn work(&mut self);
    /// Hands over what came of it.
    fn deliver(self: Box<Self>);
}

struct Work<T, F> {
    gate: Arc<Gate>,
    work: Option<F>,
    value: Option<T>,
    sender: oneshot::Sender<T>,
}

impl<T: Send, F: FnOnce(&Gate) -> T + Send> Job for Work<T, F> {
    fn work(&mut self) {
        if let Some(work) = self.work.take() {
            self.gate.begin();
            self.value = Some(work(&self.gate));
            self.gate.end();
        }
    }

    fn deliver(self: Box<Self>) {
        if let Some(value) = self.value {
            // A value that nobody waits for is dropped, and with it what it holds.
            let _ = self.sender.send(value);
        }
    }
}

enum Message {
    Do(Box<dyn Job>),
    Stop,
}

#[derive(Default)]
struct Slot {
    message: Mutex<Option<Message>>,
    arrived: Condvar,
}

impl Slot {
    fn put(&self, message: Message) {
        *lock(&self.message) = Some(message);
        self.arrived.notify_one();
    }

    fn take(&self) -> Message {
        let mut message = lock(&self.message);
        loop {
            if let Some(message) = message.take() {
                return message;
            }
            message = self.arrived.wait(message).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }
}

#[derive(Default)]
struct Idle {
    slots: Vec<Arc<Slot>>,
    /// The pool is gone.
    closed: bool,
}

/// The threads.
#[derive(Default)]
pub struct Pool {
    idle: Arc<Mutex<Idle>>,
}

impl Pool {
    /// Has a thread make a call. `Err` when no thread is to be had.
    pub fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Gate) -> T + Send + 'static,
    ) -> Result<Submitted<T>, Errno> {
        let (sender, receiver) = oneshot::channel();
        let gate = Gate::new();
        let job = Box::new(Work { gate: gate.clone(), work: Some(work), value: None, sender });
        let free = lock(&self.idle).slots.pop();
        match free {
            Some(slot) => slot.put(Message::Do(job)),
            None => self.start(job)?,
        }
        Ok(Submitted { gate, receiver, detached: false })
    }

    fn start(&self, job: Box<dyn Job>) -> Result<(), Errno> {
        let slot = Arc::new(Slot::default());
        slot.put(Message::Do(job));
        let idle = self.idle.clone();
        let thread = std::thread::Builder::new().name("call".into()).stack_size(STACK);
        let started = thread.spawn(move || serve(&slot, &idle));
        started.map(drop).map_err(|error| sys::errno_of(&error))
    }
}

fn serve(slot: &Arc<Slot>, idle: &Mutex<Idle>) {
    while let Message::Do(mut job) = slot.take() {
        job.work();
        // Free before the value is handed over: a caller that goes on with the next call finds this thread.
        let stays = {
            let mut idle = lock(idle);
            let stays = !idle.closed && idle.slots.len() < MAX_IDLE;
            if stays {
                idle.slots.push(slot.clone());
            }
            stays
        };
        job.deliver();
        if !stays {
            return;
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let slots = {
            let mut idle = lock(&self.idle);
            idle.closed = true;
            std::mem::take(&mut idle.slots)
        };
        for slot in slots {
            slot.put(Message::Stop);
        }
    }
}

/// A call that a thread is making. Dropping it gives the call up.
pub struct Submitted<T> {
    gate: Arc<Gate>,
    receiver: oneshot::Receiver<T>,
    detached: bool,
}

impl<T> Submitted<T> {
    /// Has the call go on even if this is dropped.
    pub fn detach(mut self) -> Submitted<T> {
        self.detached = true;
        self
    }
}

impl<T> Future for Submitted<T> {
    /// `None` when the thread is gone without an answer, which only a panic could do.
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.receiver).poll(context).map(Result::ok)
    }
}

impl<T> Drop for Submitted<T> {
    fn drop(&mut self) {
        if !self.detached {
            self.gate.cancel();
        }
    }
}
