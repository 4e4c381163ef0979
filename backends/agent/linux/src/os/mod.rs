//! Linux as the agent's operating system.
//!
//! One thread runs all tasks of the agent; calls that may sleep in the kernel are made by threads of their own
//! ([`blocking`]) and ended by a signal when their caller gives up ([`interrupt`]). The agent's ends of its programs'
//! pipes never block, and files in memory are read and written at once, so that the usual operations need no thread.

mod blocking;
mod child;
mod fds;
mod files;
mod inspect;
mod interrupt;
mod memory;
mod paths;
mod proc;
mod raw;
mod reap;
mod room;
mod spawn;
pub mod sys;
mod threads;
mod timer;
mod turns;
mod watch;

use std::os::unix::ffi::OsStringExt;
use std::rc::Rc;
use std::time::Duration;

use provium_agent::Os;
use provium_agent::os::{Child, Ending, SignalTarget, SpawnError, SpawnSpec};
use provium_protocol::exec::ByteString;
use provium_protocol::fs::{DirEntry, FileStat, LockKind, OpenMode, Whence};
use provium_protocol::inspect::WaitGraph;
use provium_protocol::process::ProcState;
use provium_protocol::syscall::{SyscallReply, SyscallSpec};
use provium_protocol::{Errno, LocalFuture, Nanos, Signal};

use blocking::Pool;
use fds::Table;
pub use proc::stat;
use reap::{Births, Reaper};
pub use room::has_room;
use spawn::Start;
pub use threads::RawThread;
use turns::Turns;
use watch::Watcher;

/// Open files that the agent may have, if the system lets it: a thousand commands at once have three pipes each.
const FILES: libc::rlim_t = 65_536;

/// How readily the kernel kills this process when there is no memory left.
const OOM_SCORE_ADJ: &str = "/proc/self/oom_score_adj";

/// Linux below the agent. To be made and used inside of a `tokio` `LocalSet` with time and I/O switched on.
pub struct LinuxOs {
    pool: Pool,
    table: Table,
    reaper: Reaper,
    start: Start,
    turns: Turns,
    watcher: Rc<Watcher>,
}

impl LinuxOs {
    /// Starts what goes on in the background: the thread that reaps every child of this process.
    pub fn start() -> Result<LinuxOs, Errno> {
        // `EPIPE` shall come without a signal.
        // SAFETY: ignoring a signal runs no code.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        let reaper = Reaper::start()?;
        let start = Start { births: reaper.births(), files: raise_files(), oom_score_adj: None };
        let (pool, table, turns) = (Pool::default(), Table::default(), Turns::default());
        Ok(LinuxOs { pool, table, reaper, start, turns, watcher: Watcher::new() })
    }
}

impl LinuxOs {
    /// Has the kernel kill others when there is no memory left, never the agent: as process 1, which it spares anyway, an agent
    /// need not ask for it. Programs get what the agent had.
    pub fn spare_me(&mut self) {
        let old = std::fs::read_to_string(OOM_SCORE_ADJ).ok();
        if std::fs::write(OOM_SCORE_ADJ, "-1000").is_ok() {
            self.start.oom_score_adj = old.and_then(|old| sys::c_string(old.trim().as_bytes()).ok());
        }
    }

    /// What is to be told of children that were not made through [`Os::spawn`], so that they are reaped too.
    pub fn births(&self) -> Births {
        self.reaper.births()
    }
}

/// Raises the limit of open files; gives what it was.
fn raise_files() -> Option<libc::rlimit> {
    let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `old` is there to be written to.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut old) } != 0 || old.rlim_cur >= FILES {
        return None;
    }
    let privileged = libc::rlimit { rlim_cur: FILES, rlim_max: old.rlim_max.max(FILES) };
    let allowed = libc::rlimit { rlim_cur: old.rlim_max.min(FILES), rlim_max: old.rlim_max };
    // SAFETY: both are there to be read.
    let raised = unsafe {
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const privileged) == 0
            || libc::setrlimit(libc::RLIMIT_NOFILE, &raw const allowed) == 0
    };
    raised.then_some(old)
}

impl Os for LinuxOs {
    type Thread = RawThread;

    fn now(&self) -> Nanos {
        sys::clock(libc::CLOCK_MONOTONIC)
    }

    async fn sleep(&self, duration: Nanos) {
        tokio::time::sleep(Duration::from_nanos(duration)).await;
    }

    fn has_room(&self, bytes: u64) -> bool {
        has_room(bytes)
    }

    fn spawn_task(&self, task: LocalFuture<()>) {
        tokio::task::spawn_local(task);
    }

    fn environment(&self) -> Vec<(ByteString, ByteString)> {
        let bytes = |text: std::ffi::OsString| ByteString(text.into_vec());
        std::env::vars_os().map(|(name, value)| (bytes(name), bytes(value))).collect()
    }

    async fn spawn(&self, spec: &SpawnSpec) -> Result<Child, SpawnError> {
        spawn::spawn(&self.pool, &self.table, &self.turns, &self.start, spec).await
    }

    async fn next_exit(&self) -> (i32, Ending) {
        self.reaper.next().await
    }

    async fn kill(&self, target: SignalTarget, signal: Signal) -> Result<(), Errno> {
        let target = match target {
            SignalTarget::Process(pid) => pid,
            SignalTarget::Group(pid) => -pid,
        };
        // SAFETY: sending a signal is no matter of memory.
        sys::check(unsafe { libc::kill(target, signal.0) }).map(drop)
    }

    async fn proc_state(&self, pid: i32) -> ProcState {
        proc::state(pid)
    }

    async fn wait_proc_state(&self, pid: i32, state: ProcState) {
        proc::wait_state(pid, state).await;
    }

    async fn open(&self, path: &[u8], mode: &OpenMode, perm: u32) -> Result<i32, Errno> {
        files::open(&self.pool, &self.table, path, mode, perm).await
    }

    async fn close(&self, fd: i32) -> Result<(), Errno> {
        files::close(&self.pool, &self.table, fd).await
    }

    async fn read(&self, fd: i32, len: usize) -> Result<Vec<u8>, Errno> {
        files::read(&self.pool, &self.table, fd, None, len).await
    }

    fn bytes_at_once(&self, fd: i32) -> usize {
        files::bytes_at_once(&self.table, fd)
    }

    async fn pread(&self, fd: i32, offset: u64, len: usize) -> Result<Vec<u8>, Errno> {
        files::read(&self.pool, &self.table, fd, Some(offset), len).await
    }

    async fn write(&self, fd: i32, data: &[u8]) -> Result<usize, Errno> {
        files::write(&self.pool, &self.table, fd, data).await
    }

    async fn seek(&self, fd: i32, offset: i64, whence: Whence) -> Result<u64, Errno> {
        files::seek(&self.pool, &self.table, fd, offset, whence).await
    }

    async fn truncate(&self, fd: i32, len: u64) -> Result<(), Errno> {
        files::truncate(&self.pool, &self.table, fd, len).await
    }

    async fn sync(&self, fd: i32) -> Result<(), Errno> {
        files::sync(&self.pool, &self.table, fd).await
    }

    async fn flock(&self, fd: i32, kind: Option<LockKind>, block: bool) -> Result<(), Errno> {
        files::flock(&self.pool, &self.table, fd, kind, block).await
    }

    async fn fchmod(&self, fd: i32, mode: u32) -> Result<(), Errno> {
        files::fchmod(&self.pool, &self.table, fd, mode).await
    }

    async fn fstat(&self, fd: i32) -> Result<FileStat, Errno> {
        files::stat(&self.pool, &self.table, fd).await
    }

    async fn wait_file_change(&self, fd: i32, seen: u64) -> Result<u64, Errno> {
        let watch = self.watcher.watch(fd);
        loop {
            let reports = watch.reports();
            let size = self.fstat(fd).await?.size;
            if size != seen {
                return Ok(size);
            }
            watch.after(reports).await;
        }
    }

    async fn stat(&self, path: &[u8]) -> Result<FileStat, Errno> {
        paths::stat(&self.pool, path, true).await
    }

    async fn lstat(&self, path: &[u8]) -> Result<FileStat, Errno> {
        paths::stat(&self.pool, path, false).await
    }

    async fn list_dir(&self, path: &[u8]) -> Result<Vec<DirEntry>, Errno> {
        paths::list_dir(&self.pool, path).await
    }

    async fn mkdir(&self, path: &[u8], perm: u32) -> Result<(), Errno> {
        // SAFETY: `path` ends in a NUL.
        paths::one(&self.pool, path, move |path| unsafe { libc::mkdir(path.as_ptr(), perm) }).await
    }

    async fn rmdir(&self, path: &[u8]) -> Result<(), Errno> {
        // SAFETY: `path` ends in a NUL.
        paths::one(&self.pool, path, |path| unsafe { libc::rmdir(path.as_ptr()) }).await
    }

    async fn unlink(&self, path: &[u8]) -> Result<(), Errno> {
        // SAFETY: `path` ends in a NUL.
        paths::one(&self.pool, path, |path| unsafe { libc::unlink(path.as_ptr()) }).await
    }

    async fn rename(&self, from: &[u8], to: &[u8]) -> Result<(), Errno> {
        // SAFETY: both end in a NUL.
        paths::two(&self.pool, from, to, |from, to| unsafe { libc::rename(from.as_ptr(), to.as_ptr()) }).await
    }

    async fn symlink(&self, target: &[u8], path: &[u8]) -> Result<(), Errno> {
        // SAFETY: both end in a NUL.
        let call =
            |target: &std::ffi::CStr, path: &std::ffi::CStr| unsafe { libc::symlink(target.as_ptr(), path.as_ptr()) };
        paths::two(&self.pool, target, path, call).await
    }

    async fn readlink(&self, path: &[u8]) -> Result<Vec<u8>, Errno> {
        paths::readlink(&self.pool, path).await
    }

    async fn chmod(&self, path: &[u8], mode: u32) -> Result<(), Errno> {
        // SAFETY: `path` ends in a NUL.
        paths::one(&self.pool, path, move |path| unsafe { libc::chmod(path.as_ptr(), mode) }).await
    }

    async fn new_thread(&self) -> Result<RawThread, Errno> {
        RawThread::start().await
    }

    async fn syscall(&self, thread: &RawThread, spec: &SyscallSpec) -> Option<SyscallReply> {
        thread.call(spec).await
    }

    fn thread_blocked(&self, thread: &RawThread) -> bool {
        thread.is_blocked()
    }

    async fn wait_thread_blocked(&self, thread: &RawThread) {
        thread.wait_blocked().await;
    }

    async fn inspect(&self) -> WaitGraph {
        let graph = self.pool.submit(|_| inspect::wait_graph());
        match graph {
            Ok(graph) => graph.await.unwrap_or_default(),
            Err(_) => WaitGraph::default(),
        }
    }
}
