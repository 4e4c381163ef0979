//! The replies: what an operation found out.

use serde::{Deserialize, Serialize};

use crate::exec::RunReply;
use crate::fs::{DirEntry, FileHandle, FileStat};
use crate::inspect::WaitGraph;
use crate::process::{ProcHandle, ProcState, ProcStatus};
use crate::syscall::SyscallReply;
use crate::worker::{JoinSummary, WorkerState};
use crate::{OpError, StreamId};

/// What answers an [`crate::Op`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Done, nothing to tell.
    Unit,
    /// There is no result (a wait that timed out and killed nothing).
    Nothing,
    /// Yes or no.
    Bool(bool),
    /// Bytes written, an offset, how many.
    Count(u64),
    /// Data.
    Bytes(#[serde(with = "serde_bytes")] Vec<u8>),
    /// A command has ended.
    Run(RunReply),
    /// A command was started.
    Spawned {
        /// The agent's name for it.
        proc: ProcHandle,
        /// Its process id in the guest.
        pid: i32,
    },
    /// What the agent knows of a process.
    ProcStatus(ProcStatus),
    /// What the kernel says of a process.
    ProcState(ProcState),
    /// A stream was opened; its frames come through [`crate::Guest::next_frame`].
    Stream(StreamId),
    /// What stat(2) says.
    Stat(FileStat),
    /// A directory's entries by name.
    Entries(Vec<DirEntry>),
    /// A file was opened.
    Opened {
        /// The agent's name for it.
        file: FileHandle,
        /// Its descriptor in the agent.
        fd: i32,
    },
    /// A raw system call returned.
    Syscall(SyscallReply),
    /// One answer for each operation of the batch.
    Batch(#[serde(deserialize_with = "crate::batch::flat")] Vec<Result<Reply, OpError>>),
    /// A worker was made.
    Worker(u64),
    /// All processes of a worker have ended.
    Joined(JoinSummary),
    /// What a worker is doing.
    WorkerState(WorkerState),
    /// Who waits for what.
    WaitGraph(WaitGraph),
}
