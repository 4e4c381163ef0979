//! What the agent needs of an operating system.

use provium_protocol::exec::ByteString;
use provium_protocol::fs::{DirEntry, FileStat, LockKind, OpenMode, Whence};
use provium_protocol::inspect::WaitGraph;
use provium_protocol::process::ProcState;
use provium_protocol::syscall::{SyscallReply, SyscallSpec};
use provium_protocol::{Errno, LocalFuture, Nanos, Signal};

/// A program to start, everything about it settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpawnSpec {
    /// Paths of the program, tried in order as execvp(3) does: the search goes on after `ENOENT`,
    /// `ENOTDIR` and `EACCES`, and `EACCES` wins over the others when none could be started.
    pub candidates: Vec<Vec<u8>>,
    /// `argv`, the program's own name first.
    pub argv: Vec<Vec<u8>>,
    /// The whole environment.
    pub env: Vec<(ByteString, ByteString)>,
    /// The working directory; the agent's own when absent.
    pub cwd: Option<Vec<u8>>,
    /// Whether standard input is a pipe; else it is `/dev/null`.
    pub stdin_pipe: bool,
    /// Whether others are told of the process as soon as it is there, and may look at it: it is to be seen as its program then.
    pub looked_at: bool,
}

/// A program that runs, and the agent's ends of its pipes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Child {
    /// Its process id, which is also its process group.
    pub pid: i32,
    /// The writing end of its standard input, if that is a pipe.
    pub stdin: Option<i32>,
    /// The reading end of its standard output.
    pub stdout: i32,
    /// The reading end of its standard error.
    pub stderr: i32,
}

/// At which point starting a program failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpawnStage {
    /// Making pipes or the process.
    Fork,
    /// Changing to its working directory.
    Chdir,
    /// Becoming the program.
    Exec,
}

/// Why a program could not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpawnError {
    /// At which point.
    pub stage: SpawnStage,
    /// Why.
    pub errno: Errno,
}

/// How a process ended, as wait(2) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With this exit code.
    Exited(i32),
    /// By this signal.
    Signalled(Signal),
}

/// Whom a signal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalTarget {
    /// One process.
    Process(i32),
    /// A whole process group.
    Group(i32),
}

/// See [`Os::bytes_at_once`].
pub const READ_AT_ONCE: usize = 1 << 20;

/// The face of an operating system towards the agent.
///
/// A future of this trait suspends only the task that awaits it, however long the kernel takes.
/// Dropping one gives the call up: a call that sleeps in the kernel is interrupted, and what it had
/// made without being able to hand it over (a descriptor, a process) is closed or killed. Descriptors
/// are those of the agent's process, close-on-exec. `EINTR` is not reported unless it came from a
/// signal that the agent itself caught.
///
/// In a guest the agent is process 1: orphans come to it.
#[expect(async_fn_in_trait, reason = "the agent and its futures live on one thread and are never Send")]
pub trait Os: Sized + 'static {
    /// A thread of the agent for raw system calls. It ends when this is dropped; a call that it
    /// holds is interrupted then.
    type Thread: 'static;

    /// The guest's monotonic clock.
    fn now(&self) -> Nanos;
    /// Ends when this much time has passed.
    async fn sleep(&self, duration: Nanos);
    /// Whether the system has so many bytes of memory to spare: what is large is refused before it takes what the guest
    /// lives on.
    fn has_room(&self, bytes: u64) -> bool;
    /// Runs a task of the agent to its end. It may start at once or later, but not within this call.
    fn spawn_task(&self, task: LocalFuture<()>);

    /// The agent's own environment.
    fn environment(&self) -> Vec<(ByteString, ByteString)>;
    /// Starts a program in a process group of its own, with default signal dispositions and no
    /// descriptor but its standard ones.
    async fn spawn(&self, spec: &SpawnSpec) -> Result<Child, SpawnError>;
    /// Waits for any child to end and reaps it. Never fails: without children it waits for one. Of children that had the same
    /// process id one after the other, the endings come in that order.
    async fn next_exit(&self) -> (i32, Ending);
    /// kill(2).
    async fn kill(&self, target: SignalTarget, signal: Signal) -> Result<(), Errno>;
    /// What the kernel says of a process.
    async fn proc_state(&self, pid: i32) -> ProcState;
    /// Ends when the process is seen in the state.
    async fn wait_proc_state(&self, pid: i32, state: ProcState);

    /// open(2). `perm` of the mode is settled; append implies writing.
    async fn open(&self, path: &[u8], mode: &OpenMode, perm: u32) -> Result<i32, Errno>;
    /// close(2). The exception to giving up: the descriptor is closed even if the future is dropped
    /// before its end.
    async fn close(&self, fd: i32) -> Result<(), Errno>;
    /// read(2): one read of up to `len` bytes, none at the end.
    async fn read(&self, fd: i32, len: usize) -> Result<Vec<u8>, Errno>;
    /// How many bytes one read should ask for when all that is left of a file is wanted: few system calls, without a large
    /// buffer for a small file. Asking costs nothing that a test could see.
    fn bytes_at_once(&self, fd: i32) -> usize {
        let _ = fd;
        READ_AT_ONCE
    }
    /// pread(2).
    async fn pread(&self, fd: i32, offset: u64, len: usize) -> Result<Vec<u8>, Errno>;
    /// write(2): one write; `EPIPE` comes without a signal.
    async fn write(&self, fd: i32, data: &[u8]) -> Result<usize, Errno>;
    /// lseek(2).
    async fn seek(&self, fd: i32, offset: i64, whence: Whence) -> Result<u64, Errno>;
    /// ftruncate(2).
    async fn truncate(&self, fd: i32, len: u64) -> Result<(), Errno>;
    /// fsync(2).
    async fn sync(&self, fd: i32) -> Result<(), Errno>;
    /// flock(2); `None` unlocks.
    async fn flock(&self, fd: i32, kind: Option<LockKind>, block: bool) -> Result<(), Errno>;
    /// fchmod(2).
    async fn fchmod(&self, fd: i32, mode: u32) -> Result<(), Errno>;
    /// fstat(2).
    async fn fstat(&self, fd: i32) -> Result<FileStat, Errno>;
    /// Ends as soon as the file's size differs from `seen`, with the size.
    async fn wait_file_change(&self, fd: i32, seen: u64) -> Result<u64, Errno>;

    /// stat(2).
    async fn stat(&self, path: &[u8]) -> Result<FileStat, Errno>;
    /// lstat(2).
    async fn lstat(&self, path: &[u8]) -> Result<FileStat, Errno>;
    /// The entries of a directory without `.` and `..`, in any order.
    async fn list_dir(&self, path: &[u8]) -> Result<Vec<DirEntry>, Errno>;
    /// mkdir(2).
    async fn mkdir(&self, path: &[u8], perm: u32) -> Result<(), Errno>;
    /// rmdir(2).
    async fn rmdir(&self, path: &[u8]) -> Result<(), Errno>;
    /// unlink(2).
    async fn unlink(&self, path: &[u8]) -> Result<(), Errno>;
    /// rename(2).
    async fn rename(&self, from: &[u8], to: &[u8]) -> Result<(), Errno>;
    /// symlink(2).
    async fn symlink(&self, target: &[u8], path: &[u8]) -> Result<(), Errno>;
    /// readlink(2), never cut short.
    async fn readlink(&self, path: &[u8]) -> Result<Vec<u8>, Errno>;
    /// chmod(2).
    async fn chmod(&self, path: &[u8], mode: u32) -> Result<(), Errno>;

    /// Starts a thread for raw system calls.
    async fn new_thread(&self) -> Result<Self::Thread, Errno>;
    /// Makes one raw system call on a thread. The agent never has two at once on one thread, but it
    /// may begin one while an abandoned one is still ending: the new one then waits for that. `None`
    /// when the call ended the thread.
    async fn syscall(&self, thread: &Self::Thread, spec: &SyscallSpec) -> Option<SyscallReply>;
    /// Whether the thread sleeps in the kernel inside of a raw system call.
    fn thread_blocked(&self, thread: &Self::Thread) -> bool;
    /// Ends when it does.
    async fn wait_thread_blocked(&self, thread: &Self::Thread);

    /// Who waits for what.
    async fn inspect(&self) -> WaitGraph;
}
