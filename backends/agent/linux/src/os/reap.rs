//! Reaping: a thread that waits for children to end.
//!
//! Rejected: being told by `SIGCHLD`. Its handler would interrupt system calls that a test holds on a thread of the
//! agent, and blocking it would be seen in those threads' signal masks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
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

/// Endings on their way to the agent.
///
/// A process id is free again as soon as it is reaped, so that an orphan that came to process 1 may have had the id of a
/// child that is being started. Two things tell them apart. Reaping and noting it here are one step, under the lock: who has
/// an id now got it after all that is noted of it. And a child is claimed under the same lock, which shows whether it is
/// still there: what is noted then is somebody else's, or else its own.
#[derive(Default)]
struct Endings {
    /// Of claimed children, in order.
    ended: VecDeque<(i32, Ending)>,
    /// The children that were claimed and not reaped yet.
    children: BTreeSet<i32>,
    /// How many are being started, and how others have ended since: one of those may be theirs.
    starting: usize,
    unclaimed: BTreeMap<i32, Ending>,
}

impl Endings {
    /// Notes that a process was reaped.
    fn reaped(&mut self, pid: i32, ending: Ending) {
        if self.children.remove(&pid) {
            self.ended.push_back((pid, ending));
        } else if self.starting > 0 {
            self.unclaimed.insert(pid, ending);
        }
    }

    /// Notes that a process is the agent's child; `there` says whether it still waits for being reaped, or lives. Whether its
    /// ending is there already.
    fn claim(&mut self, pid: i32, there: bool) -> bool {
        let noted = self.unclaimed.remove(&pid);
        if there {
            self.children.insert(pid);
            return false;
        }
        self.ended.extend(noted.map(|ending| (pid, ending)));
        noted.is_some()
    }

    fn started(&mut self) {
        self.starting -= 1;
        if self.starting == 0 {
            self.unclaimed.clear();
        }
    }
}

#[derive(Default)]
struct Shared {
    endings: Mutex<Endings>,
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
    /// Says that there is a child that is to be reaped.
    pub fn count(&self) {
        *lock(&self.0.births) += 1;
        self.0.born.notify_one();
    }

    /// Says that a child is about to be made whose end somebody will ask for.
    pub fn expect(&self) -> Expected<'_> {
        lock(&self.0.endings).starting += 1;
        Expected(self)
    }
}

/// A child that is being made.
pub struct Expected<'a>(&'a Births);

impl Expected<'_> {
    /// Says which process it is.
    pub fn claim(self, pid: i32) {
        let shared = &self.0.0;
        let mut endings = lock(&shared.endings);
        let ended = endings.claim(pid, is_there(pid));
        drop(endings);
        if ended {
            shared.changed.notify_waiters();
        }
    }
}

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        lock(&self.0.0.endings).started();
        // Also one that did not become its program has to be reaped.
        self.0.count();
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

    /// The next claimed child that ended.
    pub async fn next(&self) -> (i32, Ending) {
        until(&self.shared.changed, || lock(&self.shared.endings).ended.pop_front()).await
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
        match wait_any(shared) {
            Ok(()) => shared.changed.notify_waiters(),
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

/// Waits for any child to end, and reaps it.
fn wait_any(shared: &Shared) -> Result<(), Errno> {
    // It is not reaped yet: that is one step with noting it.
    let pid = wait_id(libc::P_ALL, 0, libc::WEXITED | libc::WNOWAIT | libc::__WALL)?;
    let mut endings = lock(&shared.endings);
    let mut status = 0;
    // SAFETY: `status` is there to be written to.
    let pid = sys::check(unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG | libc::__WALL) })?;
    if pid == 0 {
        return Ok(());
    }
    let ending = if libc::WIFSIGNALED(status) {
        Ending::Signalled(Signal(libc::WTERMSIG(status)))
    } else {
        Ending::Exited(libc::WEXITSTATUS(status))
    };
    endings.reaped(pid, ending);
    Ok(())
}

/// Whether a process is a child of the agent that has not been reaped.
fn is_there(pid: i32) -> bool {
    let flags = libc::WEXITED | libc::WNOWAIT | libc::WNOHANG | libc::__WALL;
    wait_id(libc::P_PID, pid.unsigned_abs(), flags).is_ok()
}

/// waitid(2): the process that it tells of, 0 for none.
fn wait_id(kind: libc::idtype_t, id: libc::id_t, flags: libc::c_int) -> Result<i32, Errno> {
    // SAFETY: all zeros are a valid `siginfo_t`, it is there to be written to, and what is read of it is there for this call.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        sys::check(libc::waitid(kind, id, &raw mut info, flags))?;
        Ok(info.si_pid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: Ending = Ending::Exited(7);
    const OWN: Ending = Ending::Exited(0);

    fn starting() -> Endings {
        Endings { starting: 1, ..Endings::default() }
    }

    #[test]
    fn who_had_the_id_before_is_not_taken_for_the_child() {
        let mut endings = starting();
        endings.reaped(50, OTHER);
        assert!(!endings.claim(50, true));
        assert_eq!(endings.ended, []);
        endings.reaped(50, OWN);
        assert_eq!(endings.ended, [(50, OWN)]);
    }

    #[test]
    fn a_child_that_ended_before_it_was_claimed_has_its_own_ending() {
        let mut endings = starting();
        endings.reaped(50, OTHER);
        endings.reaped(50, OWN);
        assert!(endings.claim(50, false));
        assert_eq!(endings.ended, [(50, OWN)]);
        assert!(endings.children.is_empty());
    }

    #[test]
    fn an_id_may_be_a_childs_again_and_again() {
        let mut endings = starting();
        for ending in [OWN, OTHER, OWN] {
            endings.claim(50, true);
            endings.reaped(50, ending);
        }
        assert_eq!(endings.ended, [(50, OWN), (50, OTHER), (50, OWN)]);
    }

    #[test]
    fn of_orphans_nothing_is_kept() {
        let mut endings = Endings::default();
        endings.reaped(50, OTHER);
        endings.starting = 2;
        endings.reaped(51, OTHER);
        endings.started();
        assert_eq!(endings.unclaimed.len(), 1);
        endings.started();
        assert!(endings.ended.is_empty() && endings.unclaimed.is_empty());
    }

    #[test]
    fn a_process_is_there_until_it_is_reaped() {
        let mut child = std::process::Command::new("/bin/true").spawn().expect("it starts");
        let pid = i32::try_from(child.id()).expect("an id");
        assert!(is_there(pid));
        // It is there as a dead one too.
        wait_id(libc::P_PID, child.id(), libc::WEXITED | libc::WNOWAIT).expect("it ends");
        assert!(is_there(pid));
        child.wait().expect("it is reaped");
        assert!(!is_there(pid));
    }
}
