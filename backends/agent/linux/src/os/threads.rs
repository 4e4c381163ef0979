//! Threads for raw system calls, one for each lane: what the kernel keeps for each thread lasts from call to call.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use provium_agent::sync::{First, race};
use provium_protocol::Errno;
use provium_protocol::syscall::{SyscallReply, SyscallSpec};
use tokio::sync::oneshot;

use super::blocking::STACK;
use super::interrupt::{Gate, lock, thread_id};
use super::raw::{self, Activity, Outcome};
use super::sys;
use super::timer::Pauses;

/// How often the agent looks whether a thread that is inside of a call is still there: a call may end it (seccomp(2)).
const LOOK_FOR_LIFE: Duration = Duration::from_millis(100);

/// The first pause between two looks at a thread: the kernel tells nobody when one falls asleep.
const FIRST_PAUSE: Duration = Duration::from_micros(200);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(2);

struct Call {
    spec: SyscallSpec,
    gate: Arc<Gate>,
    sender: oneshot::Sender<SyscallReply>,
}

#[derive(Default)]
struct Queue {
    calls: VecDeque<Call>,
    /// The thread is to end.
    stop: bool,
    /// What is being made.
    current: Option<Arc<Gate>>,
}

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    activity: Activity,
}

/// A thread. Dropping it ends the thread, and interrupts its call.
pub struct RawThread {
    shared: Arc<Shared>,
    tid: i32,
}

impl RawThread {
    /// Starts a thread.
    pub async fn start() -> Result<RawThread, Errno> {
        let queue = Mutex::default();
        let shared = Arc::new(Shared { queue, changed: Condvar::new(), activity: Activity::idle() });
        let (sender, receiver) = oneshot::channel();
        let served = shared.clone();
        let thread = std::thread::Builder::new().name("lane".into()).stack_size(STACK);
        let started = thread.spawn(move || {
            if sender.send(thread_id()).is_ok() {
                serve(&served);
            }
        });
        started.map_err(|error| sys::errno_of(&error))?;
        let tid = receiver.await.map_err(|_| Errno::EAGAIN)?;
        Ok(RawThread { shared, tid })
    }

    /// Makes a call; `None` when it ended the thread.
    pub async fn call(&self, spec: &SyscallSpec) -> Option<SyscallReply> {
        let (sender, receiver) = oneshot::channel();
        let gate = Gate::new();
        let _giving_up = CancelOnDrop(gate.clone());
        lock(&self.shared.queue).calls.push_back(Call { spec: spec.clone(), gate, sender });
        self.shared.changed.notify_one();
        match race(receiver, self.gone()).await {
            First::A(reply) => reply.ok(),
            First::B(()) => None,
        }
    }

    /// Ends when the thread is not there any more.
    async fn gone(&self) {
        let path = format!("/proc/self/task/{}", self.tid);
        loop {
            tokio::time::sleep(LOOK_FOR_LIFE).await;
            if std::fs::symlink_metadata(&path).is_err() {
                return;
            }
        }
    }

    /// Whether it sleeps inside of a raw system call.
    pub fn is_blocked(&self) -> bool {
        self.sleeping().is_some()
    }

    /// What the kernel says of the call in which it sleeps.
    fn sleeping(&self) -> Option<Vec<u8>> {
        let nr = self.shared.activity.call()?;
        // "running", or the number of the call that it sleeps in, its arguments and addresses.
        let line = std::fs::read(format!("/proc/self/task/{}/syscall", self.tid)).ok()?;
        let first = line.split(|byte| byte.is_ascii_whitespace()).next()?;
        (first == nr.to_string().as_bytes()).then_some(line)
    }

    /// Ends when it sleeps inside of a raw system call: when it was found there twice, since a thread may also wait for
    /// an instant in a call that goes on by itself.
    pub async fn wait_blocked(&self) {
        let mut pauses = Pauses::new(FIRST_PAUSE, LONGEST_PAUSE);
        let mut before = None;
        loop {
            let now = self.sleeping();
            if now.is_some() && now == before {
                return;
            }
            before = now;
            pauses.pause().await;
        }
    }
}

impl Drop for RawThread {
    fn drop(&mut self) {
        let current = {
            let mut queue = lock(&self.shared.queue);
            queue.stop = true;
            queue.calls.clear();
            queue.current.clone()
        };
        self.shared.changed.notify_one();
        if let Some(gate) = current {
            gate.cancel();
        }
    }
}

/// Gives a call up unless it has returned.
struct CancelOnDrop(Arc<Gate>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

fn next(shared: &Shared) -> Option<Call> {
    let mut queue = lock(&shared.queue);
    loop {
        queue.current = None;
        if queue.stop {
            return None;
        }
        if let Some(call) = queue.calls.pop_front() {
            queue.current = Some(call.gate.clone());
            return Some(call);
        }
        queue = shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Makes calls, one after the other. A call that ends a thread ends this function.
fn serve(shared: &Shared) {
    while let Some(call) = next(shared) {
        call.gate.begin();
        let outcome = if call.gate.is_cancelled() { None } else { Some(raw::call(&call.spec, &shared.activity)) };
        call.gate.end();
        match outcome {
            // Nobody may be waiting any more.
            Some(Outcome::Returned(reply)) => drop(call.sender.send(reply)),
            Some(Outcome::Exit) => return,
            None => {}
        }
    }
}
