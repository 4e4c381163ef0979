//! The operations: everything that a test can ask of a guest.

use serde::{Deserialize, Serialize};

use crate::exec::{ByteString, ExecSpec};
use crate::fs::{FileHandle, LockKind, OpenMode, TailStart, Whence};
use crate::process::{OutputStream, ProcHandle, ProcState};
use crate::syscall::SyscallSpec;
use crate::{Nanos, Signal, StreamId};

/// One operation. Each variant says which [`crate::Reply`] answers it; anything else is a defect.
/// `timeout_ns: None` waits for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    // Commands and processes.
    /// Runs a command to its end → `Run`. On timeout its process group is killed.
    Run {
        /// What to run.
        spec: ExecSpec,
        /// Covers everything, the draining of pipes included.
        timeout_ns: Option<Nanos>,
    },
    /// Starts a command → `Spawned`.
    Spawn(ExecSpec),
    /// Waits for the end of a process and of its output → `Run`, or `Nothing` when it timed out and
    /// `kill` is false. With `kill` the group is killed on timeout. A second wait gets the same reply.
    ProcWait {
        /// Which.
        proc: ProcHandle,
        /// How long.
        timeout_ns: Option<Nanos>,
        /// Whether to kill on timeout.
        kill: bool,
    },
    /// Sends a signal → `Bool`: whether the process had not ended yet.
    ProcSignal {
        /// Which.
        proc: ProcHandle,
        /// What to send.
        signal: Signal,
        /// To its whole group.
        group: bool,
    },
    /// → `ProcStatus`.
    ProcStatus(ProcHandle),
    /// → `ProcState`.
    ProcState(ProcHandle),
    /// Returns when the process is in the state → `ProcState`; else `timeout`.
    ProcWaitState {
        /// Which.
        proc: ProcHandle,
        /// The state.
        state: ProcState,
        /// How long.
        timeout_ns: Option<Nanos>,
    },
    /// Writes all of it to standard input → `Count`.
    StdinWrite {
        /// Which.
        proc: ProcHandle,
        /// What.
        #[serde(with = "serde_bytes")]
        data: Vec<u8>,
    },
    /// Closes standard input; twice is fine → `Unit`.
    StdinClose(ProcHandle),
    /// Opens a stream of its output from the first byte → `Stream`.
    ProcStream {
        /// Which process.
        proc: ProcHandle,
        /// Which of its outputs.
        output: OutputStream,
    },
    /// SIGTERM, patience, SIGKILL; nothing if it has ended → `Unit`.
    ProcClose(ProcHandle),

    // Files by path.
    /// → `Bytes`.
    ReadFile(ByteString),
    /// Makes or replaces (or appends to) a file → `Count`.
    WriteFile {
        /// Where.
        path: ByteString,
        /// What.
        #[serde(with = "serde_bytes")]
        data: Vec<u8>,
        /// Permission bits, set exactly; 0o644 less the umask for a new file by default.
        perm: Option<u32>,
        /// To the end of what is there.
        append: bool,
    },
    /// Follows symbolic links → `Stat`.
    Stat(ByteString),
    /// Does not follow → `Stat`.
    Lstat(ByteString),
    /// By name → `Entries`.
    ListDir(ByteString),
    /// → `Unit`.
    Mkdir {
        /// Where.
        path: ByteString,
        /// Missing parents too, and no error if it is there.
        parents: bool,
        /// Permission bits; 0o755 less the umask by default.
        perm: Option<u32>,
    },
    /// A file, or an empty directory → `Unit`.
    Unlink(ByteString),
    /// → `Unit`.
    Rename {
        /// Old path.
        from: ByteString,
        /// New path.
        to: ByteString,
    },
    /// → `Unit`.
    Symlink {
        /// What the link says.
        target: ByteString,
        /// Where the link is made.
        path: ByteString,
    },
    /// → `Bytes`.
    Readlink(ByteString),
    /// → `Unit`.
    Chmod {
        /// Which.
        path: ByteString,
        /// Permission bits.
        mode: u32,
    },

    // Open files.
    /// → `Opened`.
    OpenFile {
        /// Which.
        path: ByteString,
        /// How.
        mode: OpenMode,
    },
    /// One read → `Bytes`, empty at the end.
    FileRead {
        /// Which.
        file: FileHandle,
        /// At most so many bytes.
        len: u64,
    },
    /// To the end → `Bytes`.
    FileReadAll(FileHandle),
    /// One write → `Count`.
    FileWrite {
        /// Which.
        file: FileHandle,
        /// What.
        #[serde(with = "serde_bytes")]
        data: Vec<u8>,
        /// Go on until all is written.
        all: bool,
    },
    /// → `Count`: the new offset.
    FileSeek {
        /// Which.
        file: FileHandle,
        /// How far.
        offset: i64,
        /// From where.
        whence: Whence,
    },
    /// fsync(2) → `Unit`.
    FileSync(FileHandle),
    /// ftruncate(2) → `Unit`.
    FileTruncate {
        /// Which.
        file: FileHandle,
        /// New length in bytes.
        len: u64,
    },
    /// flock(2) → `Unit`; `EWOULDBLOCK` if it must not block.
    FileLock {
        /// Which.
        file: FileHandle,
        /// How.
        kind: LockKind,
        /// Whether to wait for it.
        block: bool,
    },
    /// → `Unit`.
    FileUnlock(FileHandle),
    /// Twice is fine → `Unit`.
    FileClose(FileHandle),

    // Streams.
    /// Follows a file as it grows → `Stream`.
    TailFile {
        /// Which.
        path: ByteString,
        /// From where.
        start: TailStart,
    },
    /// Streams what an open file gives to reads until its end → `Stream`.
    FdStream(FileHandle),
    /// Follows an open file as it grows, from its end → `Stream`.
    FileTail(FileHandle),
    /// Twice is fine → `Unit`.
    StreamClose(StreamId),

    // Raw system calls.
    /// → `Syscall`.
    Syscall(SyscallSpec),

    // Several at once.
    /// In order, each on its own → `Batch`. Batches do not nest.
    Batch(#[serde(deserialize_with = "crate::batch::flat")] Vec<Op>),

    // Workers. All but the first are said on the worker's own lane.
    /// → `Worker`.
    SpawnWorker {
        /// For messages.
        name: String,
    },
    /// To every process of the worker that still runs → `Count`: how many got it.
    WorkerKill(Signal),
    /// Until no process of the worker runs → `Joined`; else `timeout`, naming who still runs.
    WorkerJoin {
        /// How long.
        timeout_ns: Option<Nanos>,
    },
    /// SIGTERM to all, join with patience, SIGKILL; twice is fine → `Unit`.
    WorkerClose,
    /// → `WorkerState`.
    WorkerState,
    /// Until its raw system call sleeps in the kernel → `Unit`; else `timeout`.
    WorkerWaitBlocked {
        /// How long.
        timeout_ns: Option<Nanos>,
    },

    // The machine.
    /// No guest instruction runs until `Resume` → `Unit`.
    Pause,
    /// → `Unit`.
    Resume,
    /// As the reset button; returns when the guest answers again → `Unit`.
    Reset,
    /// As the power button; returns when the guest is off → `Unit`.
    PowerButton,
    /// Off at once; twice is fine → `Unit`.
    Shutdown,
    /// Who waits for what → `WaitGraph`.
    Inspect,

    // The machine's console. It is no affair of the agent: these are answered when the guest is paused, too, and all but
    // the last when it is off or was lost.
    /// Opens a stream of what the console prints, from its first byte → `Stream`, with a [`StreamId::console`]. It goes on
    /// over resets, and ends when the guest is off or lost and all was read. A reader that is more than
    /// [`crate::limits::CONSOLE_KEPT`] behind gets one `limit` error, and then goes on with what is kept.
    ConsoleStream,
    /// All that the console printed so far → `Bytes`: at most the last [`crate::limits::CONSOLE_KEPT`], which then begin with
    /// a line that says how many were given up.
    ConsoleLog,
    /// Types at the console → `Count`: all of it, when the machine took all.
    ConsoleWrite {
        /// What.
        #[serde(with = "serde_bytes")]
        data: Vec<u8>,
    },
}

impl Op {
    /// The operation's name in messages, traces and `e.op`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Op::Run { .. } => "run",
            Op::Spawn(_) => "run_async",
            Op::ProcWait { .. } => "wait",
            Op::ProcSignal { .. } => "kill",
            Op::ProcStatus(_) => "status",
            Op::ProcState(_) => "state",
            Op::ProcWaitState { .. } => "wait_state",
            Op::StdinWrite { .. } => "stdin_write",
            Op::StdinClose(_) => "close_stdin",
            Op::ProcStream { output: OutputStream::Stdout, .. } => "stdout_stream",
            Op::ProcStream { output: OutputStream::Stderr, .. } => "stderr_stream",
            Op::ProcClose(_) => "close",
            Op::ReadFile(_) => "read_file",
            Op::WriteFile { .. } => "write_file",
            Op::Stat(_) => "stat",
            Op::Lstat(_) => "lstat",
            Op::ListDir(_) => "listdir",
            Op::Mkdir { .. } => "mkdir",
            Op::Unlink(_) => "unlink",
            Op::Rename { .. } => "rename",
            Op::Symlink { .. } => "symlink",
            Op::Readlink(_) => "readlink",
            Op::Chmod { .. } => "chmod",
            Op::OpenFile { .. } => "open_file",
            Op::FileRead { .. } => "read",
            Op::FileReadAll(_) => "read_all",
            Op::FileWrite { all: false, .. } => "write",
            Op::FileWrite { all: true, .. } => "write_all",
            Op::FileSeek { .. } => "seek",
            Op::FileSync(_) => "sync",
            Op::FileTruncate { .. } => "truncate",
            Op::FileLock { .. } => "lock",
            Op::FileUnlock(_) => "unlock",
            Op::FileClose(_) => "close_file",
            Op::TailFile { .. } => "tail_file",
            Op::FdStream(_) => "fd_stream",
            Op::FileTail(_) => "tail_stream",
            Op::StreamClose(_) => "close_stream",
            Op::Syscall(_) => "syscall",
            Op::Batch(_) => "batch",
            Op::SpawnWorker { .. } => "spawn_worker",
            Op::WorkerKill(_) => "worker_kill",
            Op::WorkerJoin { .. } => "join",
            Op::WorkerClose => "close_worker",
            Op::WorkerState => "worker_state",
            Op::WorkerWaitBlocked { .. } => "wait_blocked",
            Op::Pause => "pause",
            Op::Resume => "resume",
            Op::Reset => "reset",
            Op::PowerButton => "power_button",
            Op::Shutdown => "shutdown",
            Op::Inspect => "inspect",
            Op::ConsoleStream => "console_read",
            Op::ConsoleLog => "console_log",
            Op::ConsoleWrite { .. } => "console_write",
        }
    }
}
