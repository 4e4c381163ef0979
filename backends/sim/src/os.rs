//! The simulated kernel as the agent's operating system.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;

use provium_agent::Os;
use provium_agent::os::{Child, Ending, SignalTarget, SpawnError, SpawnSpec, SpawnStage};
use provium_agent::sync::{First, race, until};
use provium_kernel::flags::{AT_FDCWD, O_RDWR};
use provium_kernel::kernel::spawn::{SpawnFailure, SpawnRequest};
use provium_kernel::kernel::wait::Stop;
use provium_kernel::{Errno, Invocation, Machine, ProgramFuture, Sys};
use provium_protocol::exec::ByteString;
use provium_protocol::fs::{DirEntry, FileStat, LockKind, OpenMode, Whence};
use provium_protocol::inspect::WaitGraph;
use provium_protocol::process::ProcState;
use provium_protocol::syscall::{SyscallBuf, SyscallReply, SyscallSpec};
use provium_protocol::{LocalFuture, Nanos, Signal};
use tokio::sync::Notify;

use crate::convert;
use crate::executor::GuestId;
use crate::pool::{AGENT_PID, Carrier, Pool, Submitted};
use crate::world::Lab;

/// The environment of the agent: what a login of root has.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("HOME", "/root"),
    ("LOGNAME", "root"),
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("SHELL", "/bin/sh"),
    ("TERM", "dumb"),
    ("USER", "root"),
];

/// Processes that ended and were reaped.
#[derive(Default)]
struct Exits {
    waiting: RefCell<VecDeque<(i32, Ending)>>,
    changed: Notify,
}

/// Dropped with the first thread of the agent: when its process ends, or the power goes.
struct LastBreath {
    lab: Rc<Lab>,
    guest: GuestId,
}

impl Drop for LastBreath {
    fn drop(&mut self) {
        self.lab.agent_ended(self.guest);
    }
}

/// One guest's kernel as its agent sees it. Cloning gives another handle on the same kernel.
#[derive(Clone)]
pub struct SimOs {
    lab: Rc<Lab>,
    guest: GuestId,
    machine: Rc<Machine>,
    pool: Rc<Pool>,
    exits: Rc<Exits>,
    /// The limits of open files that programs get.
    files: (u64, u64),
}

impl SimOs {
    /// Starts the agent's process on a freshly booted machine.
    pub fn start(lab: &Rc<Lab>, guest: GuestId, machine: Rc<Machine>) -> Result<SimOs, Errno> {
        let exits = Rc::new(Exits::default());
        let reaped = exits.clone();
        let files = {
            let mut kernel = machine.kernel().borrow_mut();
            for _ in 0..3 {
                // Standard descriptors, as the kernel gives them to init.
                match kernel.open(AGENT_PID, AT_FDCWD, b"/dev/console", O_RDWR, 0, &mut None) {
                    // A device never makes its opener wait.
                    Ok(_) | Err(Stop::Block(_)) => {}
                    Err(Stop::Errno(errno)) => return Err(errno),
                }
            }
            // As a real agent does: a thousand commands at once have three pipes each.
            kernel.raise_files(AGENT_PID)?
        };
        let last_breath = LastBreath { lab: lab.clone(), guest };
        machine.spawn_thread(AGENT_PID, |sys| {
            Box::pin(async move {
                let _last_breath = last_breath;
                let why = sys.reap_children(|pid, status| {
                    if let Some(ending) = convert::ending(status) {
                        reaped.waiting.borrow_mut().push_back((pid, ending));
                        reaped.changed.notify_waiters();
                    }
                });
                why.await.0
            }) as ProgramFuture
        })?;
        Ok(SimOs { lab: lab.clone(), guest, pool: Pool::new(machine.clone()), machine, exits, files })
    }

    /// Whether the process of the agent is there.
    pub fn agent_lives(&self) -> bool {
        let state = self.machine.kernel().borrow().process_state(AGENT_PID);
        !matches!(state, ProcState::Gone | ProcState::Zombie)
    }

    /// Ends when no process but the agent's is left.
    pub async fn alone(&self) {
        let lonely = || (self.machine.kernel().borrow().sysinfo().procs <= 1).then_some(());
        until(&self.exits.changed, lonely).await;
    }

    /// SIGTERM to everybody, as a machine does that is told to go down.
    pub async fn terminate_all(&self) {
        // That nobody is there is fine.
        let _ = self.call(async |sys| sys.kill(-1, Some(Signal::SIGTERM)).await).await;
        let _ = self.call(async |sys| sys.kill(-1, Some(Signal::SIGCONT)).await).await;
    }

    fn submit<T, F>(&self, call: impl FnOnce(Sys) -> F) -> Result<Submitted<Result<T, Errno>>, Errno>
    where
        T: 'static,
        F: Future<Output = Result<T, Errno>> + 'static,
    {
        self.pool.submit(call)
    }

    async fn call<T: 'static>(&self, call: impl AsyncFnOnce(Sys) -> Result<T, Errno> + 'static) -> Result<T, Errno> {
        self.submit(|sys| async move { call(sys).await })?.await
    }
}

/// An open under way: a descriptor that arrives when nobody waits any more is closed.
struct Opening<'a> {
    os: &'a SimOs,
    open: Submitted<Result<i32, Errno>>,
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        if let Some(Ok(fd)) = self.open.untaken() {
            self.os.close_unseen(fd);
        }
    }
}

/// A start under way: a process that arrives when nobody waits any more is killed.
struct Starting<'a> {
    os: &'a SimOs,
    start: Submitted<Result<Child, SpawnError>>,
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        if let Some(Ok(child)) = self.start.untaken() {
            // The process is fresh, and root may kill it.
            let _ = self.os.machine.kernel().borrow_mut().kill(AGENT_PID, -child.pid, Some(Signal::SIGKILL));
            for fd in child.stdin.into_iter().chain([child.stdout, child.stderr]) {
                self.os.close_unseen(fd);
            }
        }
    }
}

impl SimOs {
    fn close_unseen(&self, fd: i32) {
        // It was just opened, so closing it cannot fail.
        let _ = self.machine.kernel().borrow_mut().close(AGENT_PID, fd);
    }
}

/// A thread of the agent for raw system calls.
pub struct RawThread {
    machine: Rc<Machine>,
    carrier: Rc<Carrier>,
}

impl Drop for RawThread {
    fn drop(&mut self) {
        self.carrier.end(&self.machine);
    }
}

fn child(spawned: provium_kernel::kernel::spawn::Spawned) -> Child {
    Child { pid: spawned.pid, stdin: spawned.stdin, stdout: spawned.stdout, stderr: spawned.stderr }
}

fn spawn_error(failure: SpawnFailure) -> SpawnError {
    let (stage, errno) = match failure {
        SpawnFailure::Fork(errno) => (SpawnStage::Fork, errno),
        SpawnFailure::Chdir(errno) => (SpawnStage::Chdir, errno),
        SpawnFailure::Exec(errno) => (SpawnStage::Exec, errno),
    };
    SpawnError { stage, errno }
}

fn request(spec: &SpawnSpec, files: (u64, u64)) -> SpawnRequest {
    let env = spec.env.iter().map(|(name, value)| [&name.0[..], b"=", &value.0].concat()).collect();
    SpawnRequest {
        candidates: spec.candidates.clone(),
        invocation: Invocation { argv: spec.argv.clone(), env },
        cwd: spec.cwd.clone(),
        stdin_pipe: spec.stdin_pipe,
        files: Some(files),
    }
}

impl Os for SimOs {
    type Thread = RawThread;

    fn now(&self) -> Nanos {
        self.lab.guest_now(self.guest)
    }

    async fn sleep(&self, duration: Nanos) {
        let until = self.now().saturating_add(duration);
        loop {
            // A pause stops the guest's clock, so there may be more to sleep after it.
            let left = until.saturating_sub(self.now());
            if left == 0 {
                return;
            }
            self.lab.world.sleep(left).await;
        }
    }

    fn has_room(&self, _: u64) -> bool {
        // The host's memory is not the guest's affair; limits of provium's own see to it.
        true
    }

    fn spawn_task(&self, task: LocalFuture<()>) {
        self.lab.executor.spawn(self.guest, task);
    }

    fn environment(&self) -> Vec<(ByteString, ByteString)> {
        ENVIRONMENT.iter().map(|(name, value)| (ByteString::from(*name), ByteString::from(*value))).collect()
    }

    async fn spawn(&self, spec: &SpawnSpec) -> Result<Child, SpawnError> {
        let request = request(spec, self.files);
        let start = self
            .pool
            .submit(|sys| async move { sys.spawn(request).await.map(child).map_err(spawn_error) })
            .map_err(|errno| SpawnError { stage: SpawnStage::Fork, errno })?;
        let mut starting = Starting { os: self, start };
        (&mut starting.start).await
    }

    async fn next_exit(&self) -> (i32, Ending) {
        until(&self.exits.changed, || self.exits.waiting.borrow_mut().pop_front()).await
    }

    async fn kill(&self, target: SignalTarget, signal: Signal) -> Result<(), Errno> {
        let target = match target {
            SignalTarget::Process(pid) => pid,
            SignalTarget::Group(pid) => -pid,
        };
        self.call(async move |sys| sys.kill(target, Some(signal)).await).await
    }

    async fn proc_state(&self, pid: i32) -> ProcState {
        let state = self.call(async move |sys| Ok(sys.process_state(pid).await)).await;
        state.unwrap_or(ProcState::Gone)
    }

    async fn wait_proc_state(&self, pid: i32, state: ProcState) {
        let seen = self.call(async move |sys| sys.wait_process_state(pid, state, None).await).await;
        if seen.is_err() {
            std::future::pending::<()>().await;
        }
    }

    async fn open(&self, path: &[u8], mode: &OpenMode, perm: u32) -> Result<i32, Errno> {
        let (path, flags) = (path.to_vec(), convert::open_flags(mode));
        let open = self.submit(|sys| async move { sys.open(path, flags, perm).await })?;
        let mut opening = Opening { os: self, open };
        (&mut opening.open).await
    }

    async fn close(&self, fd: i32) -> Result<(), Errno> {
        self.submit(|sys| async move { sys.close(fd).await })?.detach().await
    }

    async fn read(&self, fd: i32, len: usize) -> Result<Vec<u8>, Errno> {
        self.call(async move |sys| sys.read(fd, len).await).await
    }

    async fn pread(&self, fd: i32, offset: u64, len: usize) -> Result<Vec<u8>, Errno> {
        self.call(async move |sys| sys.pread(fd, len, offset).await).await
    }

    async fn write(&self, fd: i32, data: &[u8]) -> Result<usize, Errno> {
        let data = data.to_vec();
        self.call(async move |sys| sys.write(fd, &data).await).await
    }

    async fn seek(&self, fd: i32, offset: i64, whence: Whence) -> Result<u64, Errno> {
        let whence = convert::whence(whence);
        self.call(async move |sys| sys.lseek(fd, offset, whence).await).await
    }

    async fn truncate(&self, fd: i32, len: u64) -> Result<(), Errno> {
        self.call(async move |sys| sys.ftruncate(fd, len).await).await
    }

    async fn sync(&self, fd: i32) -> Result<(), Errno> {
        self.call(async move |sys| sys.fsync(fd).await).await
    }

    async fn flock(&self, fd: i32, kind: Option<LockKind>, block: bool) -> Result<(), Errno> {
        let operation = convert::flock(kind, block);
        self.call(async move |sys| sys.flock(fd, operation).await).await
    }

    async fn fchmod(&self, fd: i32, mode: u32) -> Result<(), Errno> {
        self.call(async move |sys| sys.fchmod(fd, mode).await).await
    }

    async fn fstat(&self, fd: i32) -> Result<FileStat, Errno> {
        self.call(async move |sys| sys.fstat(fd).await.map(convert::file_stat)).await
    }

    async fn wait_file_change(&self, fd: i32, seen: u64) -> Result<u64, Errno> {
        let changed = move |stat: provium_kernel::Stat| (stat.size != seen).then_some(stat.size);
        self.call(async move |sys| sys.wait_file_change(fd, changed).await).await
    }

    async fn stat(&self, path: &[u8]) -> Result<FileStat, Errno> {
        let path = path.to_vec();
        self.call(async move |sys| sys.stat(path).await.map(convert::file_stat)).await
    }

    async fn lstat(&self, path: &[u8]) -> Result<FileStat, Errno> {
        let path = path.to_vec();
        self.call(async move |sys| sys.lstat(path).await.map(convert::file_stat)).await
    }

    async fn list_dir(&self, path: &[u8]) -> Result<Vec<DirEntry>, Errno> {
        let path = path.to_vec();
        let entries = self.call(async move |sys| sys.read_dir(path).await).await?;
        Ok(entries.into_iter().map(convert::dir_entry).collect())
    }

    async fn mkdir(&self, path: &[u8], perm: u32) -> Result<(), Errno> {
        let path = path.to_vec();
        self.call(async move |sys| sys.mkdir(path, perm).await).await
    }

    async fn rmdir(&self, path: &[u8]) -> Result<(), Errno> {
        let path = path.to_vec();
        self.call(async move |sys| sys.rmdir(path).await).await
    }

    async fn unlink(&self, path: &[u8]) -> Result<(), Errno> {
        let path = path.to_vec();
        self.call(async move |sys| sys.unlink(path).await).await
    }

    async fn rename(&self, from: &[u8], to: &[u8]) -> Result<(), Errno> {
        let (from, to) = (from.to_vec(), to.to_vec());
        self.call(async move |sys| sys.rename(from, to).await).await
    }

    async fn symlink(&self, target: &[u8], path: &[u8]) -> Result<(), Errno> {
        let (target, path) = (target.to_vec(), path.to_vec());
        self.call(async move |sys| sys.symlink(target, path).await).await
    }

    async fn readlink(&self, path: &[u8]) -> Result<Vec<u8>, Errno> {
        let path = path.to_vec();
        self.call(async move |sys| sys.readlink(path).await).await
    }

    async fn chmod(&self, path: &[u8], mode: u32) -> Result<(), Errno> {
        let path = path.to_vec();
        self.call(async move |sys| sys.chmod(path, mode).await).await
    }

    async fn new_thread(&self) -> Result<RawThread, Errno> {
        Ok(RawThread { carrier: Carrier::start(&self.machine)?, machine: self.machine.clone() })
    }

    async fn syscall(&self, thread: &RawThread, spec: &SyscallSpec) -> Option<SyscallReply> {
        let spec = spec.clone();
        let call = thread.carrier.submit(None, |sys| async move { raw(sys, spec).await });
        match race(call, thread.carrier.ended()).await {
            First::A(reply) => Some(reply),
            First::B(()) => None,
        }
    }

    fn thread_blocked(&self, thread: &RawThread) -> bool {
        thread.carrier.is_asleep()
    }

    async fn wait_thread_blocked(&self, thread: &RawThread) {
        if let Some(thread) = thread.carrier.thread() {
            let asleep = self.call(async move |sys| sys.wait_thread_asleep(&thread).await).await;
            if asleep == Ok(true) {
                return;
            }
        }
        // The thread has ended, and with it the call.
        std::future::pending().await
    }

    async fn inspect(&self) -> WaitGraph {
        let mut graph = self.machine.kernel().borrow().wait_graph(0);
        // Of the agent's own waits only those that a test asked for tell anything: its pipes and its
        // children it always waits for.
        graph.waiting.retain(|waiting| waiting.pid != AGENT_PID || !is_housekeeping(&waiting.on));
        graph
    }
}

/// Whether a wait of the agent is one that every agent has.
fn is_housekeeping(on: &str) -> bool {
    !["flock ", "record lock ", "the other end "].iter().any(|asked_for| on.starts_with(asked_for))
}

async fn raw(sys: Sys, spec: SyscallSpec) -> SyscallReply {
    let mut bufs: Vec<Vec<u8>> = spec.bufs.into_iter().map(|buf| buf.0).collect();
    let raw = sys.raw_syscall(spec.nr, spec.args, &mut bufs, &spec.ptrs).await;
    SyscallReply { raw, bufs: bufs.into_iter().map(SyscallBuf).collect() }
}
