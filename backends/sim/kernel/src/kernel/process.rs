//! Processes.

use std::collections::BTreeSet;
use std::rc::Rc;

use provium_protocol::{Nanos, Signal};

use super::fd::FdTable;
use super::rlimit::RLIMITS;
use crate::types::{Credentials, Pid, SigAction, WaitStatus};
use crate::vfs::Loc;
use crate::world::TimerId;
use crate::world::thread::Thread;

/// One process.
pub struct Process {
    /// Its id.
    pub pid: Pid,
    /// Its parent's id; 0 for the first process.
    pub ppid: Pid,
    /// Its process group.
    pub pgid: Pid,
    /// Its session.
    pub sid: Pid,
    /// Who it is.
    pub creds: Credentials,
    /// Bits that it takes from the permissions of what it makes.
    pub umask: u32,
    /// Its working directory.
    pub cwd: Loc,
    /// Where its absolute paths begin.
    pub root: Loc,
    /// Its descriptors.
    pub fds: FdTable,
    /// Its name, at most 15 bytes.
    pub comm: Vec<u8>,
    /// The path of its program.
    pub exe: Vec<u8>,
    /// Its arguments.
    pub argv: Vec<Vec<u8>>,
    /// Its environment.
    pub env: Vec<Vec<u8>>,
    /// Its threads; none once it has ended.
    pub threads: Vec<Rc<Thread>>,
    /// Signals sent and not yet acted on, bit `n - 1` for signal `n`.
    pub pending: u64,
    /// What it does with each signal, index `n - 1`.
    pub actions: [SigAction; 64],
    /// Caught signals that its program has not looked at.
    pub caught: Vec<Signal>,
    /// The signal that stopped it, while it is stopped.
    pub stopped: Option<Signal>,
    /// A stop or continuation that its parent has not been told.
    pub change: Option<WaitStatus>,
    /// How it ended, until its parent asks.
    pub ended: Option<WaitStatus>,
    /// Its children.
    pub children: BTreeSet<Pid>,
    /// When it started, since boot.
    pub started: Nanos,
    /// Time that its steps took.
    pub cpu_ns: Nanos,
    /// Time that its children took, and theirs, as far as they were waited for.
    pub children_cpu_ns: Nanos,
    /// Its limits, soft and hard, by the number of the resource.
    pub rlimits: [(u64, u64); RLIMITS],
    /// Its alarm, if one is set.
    pub(crate) alarm: Option<TimerId>,
    /// How long after an alarm the next one comes; 0 for one that comes once.
    pub(crate) alarm_interval: Nanos,
    /// Whether it has called execve(2) since its fork: setpgid(2) by its parent fails then.
    pub has_execed: bool,
    /// Whether it ever had a thread: its first one bears the process's id.
    pub(crate) started_thread: bool,
    /// How much more likely it is to be ended when memory runs out, -1000 to 1000.
    pub oom_score_adj: i32,
    /// Whether descendants that lose their parent become its children (`PR_SET_CHILD_SUBREAPER`).
    pub subreaper: bool,
}

impl Process {
    /// Whether it has ended and waits to be reaped.
    #[must_use]
    pub fn is_zombie(&self) -> bool {
        self.ended.is_some()
    }

    /// Signals that its first thread holds back.
    #[must_use]
    pub fn blocked_mask(&self) -> u64 {
        self.threads.first().map_or(0, |thread| thread.blocked())
    }

    fn mask_of(&self, wanted: SigAction) -> u64 {
        let mut mask = 0;
        for (at, action) in self.actions.iter().enumerate() {
            if *action == wanted {
                mask |= 1 << at;
            }
        }
        mask
    }

    /// Whether a thread of it could go on.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.threads.iter().any(|thread| thread.is_running())
    }

    /// Signals it ignores.
    #[must_use]
    pub fn ignored_mask(&self) -> u64 {
        self.mask_of(SigAction::Ignore)
    }

    /// Signals it catches.
    #[must_use]
    pub fn caught_mask(&self) -> u64 {
        self.mask_of(SigAction::Catch)
    }

    /// What it does with a signal.
    #[must_use]
    pub fn action(&self, signal: Signal) -> SigAction {
        self.actions.get(signal.0 as usize - 1).copied().unwrap_or_default()
    }
}
