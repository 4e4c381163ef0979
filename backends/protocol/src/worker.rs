//! Workers: a second line of work in the same guest.

use serde::{Deserialize, Serialize};

use crate::exec::ExitStatus;
use crate::process::ProcHandle;

/// What a worker is doing: `w:state()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkerState {
    /// No operation, no process of it runs.
    Idle,
    /// An operation or a process of it runs.
    Running,
    /// Its raw system call sleeps in the kernel.
    Blocked,
    /// Closed.
    Closed,
}

impl WorkerState {
    /// The word in `w:state()`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            WorkerState::Idle => "idle",
            WorkerState::Running => "running",
            WorkerState::Blocked => "blocked",
            WorkerState::Closed => "closed",
        }
    }
}

/// One process in a join's summary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinedChild {
    /// The agent's name for it.
    pub handle: ProcHandle,
    /// Its process id in the guest.
    pub pid: i32,
    /// How it ended.
    pub status: ExitStatus,
}

/// What `w:join()` returns: every process that the worker ever started, in order of start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinSummary {
    /// The processes.
    pub children: Vec<JoinedChild>,
}
