//! An agent on this machine to talk to, and short ways of saying things to it.
#![expect(dead_code, reason = "each test file uses its own part of this")]

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use provium_agent::Agent;
use provium_agent_linux::LinuxOs;
use provium_protocol::exec::{ByteString, Command, ExecSpec, RunReply};
use provium_protocol::fs::OpenMode;
use provium_protocol::syscall::{PtrTarget, SyscallBuf, SyscallReply, SyscallSpec};
use provium_protocol::{ErrorKind, Lane, Op, OpError, Reply, StreamId};
use tokio::task::{JoinHandle, LocalSet};

pub type Outcome = Result<Reply, OpError>;

/// An agent reaps every child of its process, so there must be only one at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// How long a test may take before it has hung: none comes near it.
const HUNG: Duration = Duration::from_secs(120);

pub const SECOND: u64 = 1_000_000_000;
pub const MS: u64 = 1_000_000;

pub const CREATE: OpenMode =
    OpenMode { read: true, write: true, append: false, create: true, truncate: false, exclusive: false, perm: None };
pub const READ: OpenMode =
    OpenMode { read: true, write: false, append: false, create: false, truncate: false, exclusive: false, perm: None };

/// Where a test may make files; gone with it.
pub struct Dir(pub PathBuf);

impl Dir {
    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One agent, and a directory.
pub struct Bed {
    pub agent: Agent<LinuxOs>,
    pub dir: Dir,
}

/// Runs a test on an agent of its own, with files in memory (`/dev/shm`) where this machine has such a place.
pub fn on_agent<F: Future<Output = ()>>(test: impl FnOnce(Bed) -> F) {
    let base = if Path::new("/dev/shm").is_dir() { PathBuf::from("/dev/shm") } else { std::env::temp_dir() };
    on_agent_in(&base, test);
}

/// The same with files in the usual place for temporary ones.
pub fn on_agent_on_disk<F: Future<Output = ()>>(test: impl FnOnce(Bed) -> F) {
    on_agent_in(&std::env::temp_dir(), test);
}

fn on_agent_in<F: Future<Output = ()>>(base: &Path, test: impl FnOnce(Bed) -> F) {
    // Released last, when nothing of the agent is left.
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = LocalSet::new();
    let name = format!("provium-agent-{}-{:?}", std::process::id(), std::thread::current().id());
    let dir = Dir(base.join(name.replace(['(', ')'], "")));
    std::fs::create_dir_all(&dir.0).expect("a directory");
    local.block_on(&runtime, async {
        let agent = Agent::new(LinuxOs::start().expect("an agent"), 0);
        let bed = Bed { agent, dir };
        tokio::time::timeout(HUNG, test(bed)).await.expect("the test hangs");
    });
}

impl Bed {
    pub fn path(&self, name: &str) -> String {
        self.dir.path(name)
    }

    /// Begins an operation: it goes on until the handle is aborted.
    pub fn begin(&self, lane: Lane, op: Op) -> JoinHandle<Outcome> {
        tokio::task::spawn_local(self.agent.call(lane, op))
    }

    pub async fn call(&self, op: Op) -> Outcome {
        self.begin(Lane::Main, op).await.expect("nobody aborts it")
    }

    pub async fn on(&self, worker: u64, op: Op) -> Outcome {
        self.begin(Lane::Worker(worker), op).await.expect("nobody aborts it")
    }

    pub async fn worker(&self) -> u64 {
        match self.call(Op::SpawnWorker { name: "worker1".into() }).await {
            Ok(Reply::Worker(worker)) => worker,
            other => panic!("not a worker: {other:?}"),
        }
    }

    pub async fn run(&self, script: &str) -> RunReply {
        ran(self.call(Op::Run { spec: ExecSpec::shell(script), timeout_ns: None }).await)
    }

    pub async fn spawn(&self, script: &str) -> (u64, i32) {
        spawned(self.call(Op::Spawn(ExecSpec::shell(script))).await)
    }

    pub async fn wait(&self, proc: u64) -> RunReply {
        ran(self.call(Op::ProcWait { proc, timeout_ns: None, kill: false }).await)
    }

    pub async fn open(&self, path: &str, mode: OpenMode) -> (u64, i32) {
        match self.call(Op::OpenFile { path: path.into(), mode }).await {
            Ok(Reply::Opened { file, fd }) => (file, fd),
            other => panic!("open {path}: {other:?}"),
        }
    }

    /// Everything that a stream gives, to its end.
    pub async fn drain(&self, stream: StreamId) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(frame) = self.agent.next_frame(stream).await.expect("a frame") {
            all.extend_from_slice(&frame.data);
        }
        all
    }

    /// Reads a stream until it has given a text.
    pub async fn expect(&self, stream: StreamId, text: &str) -> Vec<u8> {
        let mut all = Vec::new();
        while !String::from_utf8_lossy(&all).contains(text) {
            let frame = self.agent.next_frame(stream).await.expect("a frame").expect("the stream goes on");
            all.extend_from_slice(&frame.data);
        }
        all
    }
}

/// Descriptors of this process.
pub fn descriptors() -> Vec<String> {
    let mut all: Vec<String> = std::fs::read_dir("/proc/self/fd")
        .expect("a list of descriptors")
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .map(|target| target.to_string_lossy().into_owned())
        .filter(|target| !target.contains("/proc/"))
        .collect();
    all.sort();
    all
}

/// Children of this process, zombies too.
pub fn children() -> Vec<i32> {
    let all = std::fs::read_to_string(format!("/proc/self/task/{}/children", std::process::id()));
    let mut pids: Vec<i32> = Vec::new();
    if let Ok(all) = all {
        pids.extend(all.split_ascii_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
    }
    pids
}

pub fn direct(program: &str, args: &[&str]) -> ExecSpec {
    let args = args.iter().map(|arg| ByteString::from(*arg)).collect();
    ExecSpec::new(Command::Direct { program: program.into(), args })
}

pub fn ran(outcome: Outcome) -> RunReply {
    match outcome {
        Ok(Reply::Run(reply)) => reply,
        other => panic!("not a result: {other:?}"),
    }
}

pub fn spawned(outcome: Outcome) -> (u64, i32) {
    match outcome {
        Ok(Reply::Spawned { proc, pid }) => (proc, pid),
        other => panic!("not a process: {other:?}"),
    }
}

pub fn streamed(outcome: Outcome) -> StreamId {
    match outcome {
        Ok(Reply::Stream(stream)) => stream,
        other => panic!("not a stream: {other:?}"),
    }
}

pub fn bytes(outcome: Outcome) -> Vec<u8> {
    match outcome {
        Ok(Reply::Bytes(bytes)) => bytes,
        other => panic!("not bytes: {other:?}"),
    }
}

pub fn failed(outcome: Outcome) -> (ErrorKind, String) {
    match outcome {
        Err(error) => (error.kind, error.to_string()),
        Ok(reply) => panic!("it worked: {reply:?}"),
    }
}

pub fn answer(outcome: Outcome) -> SyscallReply {
    match outcome {
        Ok(Reply::Syscall(reply)) => reply,
        other => panic!("not the answer of a system call: {other:?}"),
    }
}

pub fn raw(outcome: Outcome) -> i64 {
    answer(outcome).raw
}

pub fn plain(nr: i64, args: &[i64]) -> Op {
    with_bufs(nr, args, &[], &[])
}

pub fn with_bufs(nr: i64, args: &[i64], bufs: &[&[u8]], ptrs: &[PtrTarget]) -> Op {
    let mut all = [0; 6];
    all[..args.len()].copy_from_slice(args);
    let bufs = bufs.iter().map(|buf| SyscallBuf(buf.to_vec())).collect();
    Op::Syscall(SyscallSpec { nr: nr.cast_unsigned(), args: all, bufs, ptrs: ptrs.to_vec() })
}
