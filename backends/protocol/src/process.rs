//! Processes as the agent and the guest's kernel see them.

use serde::{Deserialize, Serialize};

use crate::exec::ExitStatus;

/// The agent's name for a process it started; never reused in a guest.
pub type ProcHandle = u64;

/// What the agent knows: `p:status()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProcStatus {
    /// Not ended.
    Running,
    /// Ended.
    Ended(ExitStatus),
}

/// What the guest's kernel says: `p:state()`, see proc_pid_stat(5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProcState {
    /// Runnable or on a CPU (`R`).
    Running,
    /// Asleep, interruptibly or not (`S`, `D`, `I`).
    Sleeping,
    /// Stopped by a signal (`T`, `t`).
    Stopped,
    /// Ended, not yet reaped (`Z`).
    Zombie,
    /// Not there.
    Gone,
}

impl ProcState {
    /// All states, in the order in which error messages list them.
    pub const ALL: [ProcState; 5] =
        [ProcState::Running, ProcState::Sleeping, ProcState::Stopped, ProcState::Zombie, ProcState::Gone];

    /// The word in `p:state()`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ProcState::Running => "running",
            ProcState::Sleeping => "sleeping",
            ProcState::Stopped => "stopped",
            ProcState::Zombie => "zombie",
            ProcState::Gone => "gone",
        }
    }
}

/// One of the two output streams of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}
