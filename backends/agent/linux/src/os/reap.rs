//! Reaping: a thread that waits for children to end.
//!
//! Rejected: being told by `SIGCHLD`. Its handler would interrupt system calls that a test holds on a thread of the
//! agent, and blocking it would be seen in those threads' signal masks.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use provium_agent::os::Ending;
use provium_agent::sync::until;
use provium_protocol::{Errno, Signal};
use tokio::sync::Notify;

use super::blocking::STACK;
use super::interrupt::{Gate, lock};
use super::sys;

/// Between two attempts to interrupt the thread when it is to end.
const PAUSE: Duration = Duration::from_micros(200);

#[derive(Default)]
struct Shared {
    ended: Mutex<VecDeque<(i32, Ending)>>,
    changed: Notify,
    /// Counts the children that were made.
    births: Mutex<u64>,
    born: Condvar,
    stop: AtomicBool,
}

/// The thread, and what it has found.
pub struct Reaper {
    shared: Arc<Shared>,
    gate: Arc<Gate>,
    thread: JoinHandle<()>,
}

/// A way of telling the reaper that there is a child.
#[derive(Clone)]
pub struct Births(Arc<Shared>);

impl Births {
    /// Says that a child was made.
    pub fn count(&self) {
        *lock(&self.0.births) += 1;
        self.0.born.notify_one();
    }
}

impl Reaper {
    /// Starts the thread.
    pub fn start() -> Result<Reaper, Errno> {
        let (shared, gate) = (Arc::<Shared>::default(), Gate::new());
        let (thread_shared, thread_gate) = (shared.clone(), gate.clone());
        let thread = std::thread::Builder::new().name("reaper".into()).stack_size(STACK);
        let started = thread.spawn(move || {
            thread_gate.begin();
            reap(&thread_shared);
            thread_gate.end();
        });
        started.map(|thread| Reaper { shared, gate, thread }).map_err(|error| sys::errno_of(&error))
    }

    /// What tells it of children.
    pub fn births(&self) -> Births {
        Births(self.shared.clone())
    }

    /// The next child that ended.
    pub async fn next(&self) -> (i32, Ending) {
        until(&self.shared.changed, || lock(&self.shared.ended).pop_front()).await
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        Births(self.shared.clone()).count();
        // The children of whoever comes after this one are not to be reaped by it.
        while !self.thread.is_finished() {
            self.gate.interrupt();
            std::thread::sleep(PAUSE);
        }
    }
}

fn reap(shared: &Shared) {
    while !shared.stop.load(Ordering::SeqCst) {
        let seen = *lock(&shared.births);
        match wait_any() {
            Ok((pid, ending)) => {
                lock(&shared.ended).push_back((pid, ending));
                shared.changed.notify_waiters();
            }
            // No child is left: there will be none before one is made, since an orphan that comes here is the
            // child of a child.
            Err(Errno::ECHILD) => {
                let mut births = lock(&shared.births);
                while *births == seen && !shared.stop.load(Ordering::SeqCst) {
                    births = shared.born.wait(births).unwrap_or_else(PoisonError::into_inner);
                }
            }
            // Interrupted.
            Err(_) => {}
        }
    }
}

fn wait_any() -> Result<(i32, Ending), Errno> {
    let mut status = 0;
    // SAFETY: `status` is there to be written to.
    let pid = sys::check(unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL) })?;
    let ending = if libc::WIFSIGNALED(status) {
        Ending::Signalled(Signal(libc::WTERMSIG(status)))
    } else {
        Ending::Exited(libc::WEXITSTATUS(status))
    };
    Ok((pid, ending))
}
