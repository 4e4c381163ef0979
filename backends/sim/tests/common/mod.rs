//! A guest to talk to, and short ways of saying things to it.
#![expect(dead_code, reason = "each test file uses its own part of this")]

pub mod act;

use std::rc::Rc;

use provium_protocol::choice::{Fixed, Seeded};
use provium_protocol::exec::{ByteString, Command, ExecSpec, RunReply};
use provium_protocol::fs::{FileHandle, OpenMode};
use provium_protocol::process::ProcHandle;
use provium_protocol::profile::BootSpec;
use provium_protocol::time::MILLISECOND;
use provium_protocol::{Backend, Errno, ErrorKind, Guest, Lane, LocalFuture, Op, OpError, Reply, StreamId};
use provium_sim::SimBackend;

pub const MS: u64 = MILLISECOND;

/// One backend with one guest.
pub struct Bed {
    pub sim: SimBackend,
    pub guest: Rc<dyn Guest>,
}

/// A call that was begun.
pub type Begun = LocalFuture<Result<Reply, OpError>>;

impl Bed {
    pub fn new() -> Bed {
        Bed::with(SimBackend::new(Rc::new(Fixed::default())), BootSpec::default())
    }

    pub fn seeded(seed: u64) -> Bed {
        Bed::with(SimBackend::new(Rc::new(Seeded::new(seed))), BootSpec::default())
    }

    pub fn with(sim: SimBackend, mut spec: BootSpec) -> Bed {
        if spec.vm.is_empty() {
            spec.vm = "box".into();
        }
        sim.add_program("/bin/act", "act", Rc::new(act::program));
        let guest = sim.block_on(sim.boot(spec)).expect("booting ends").expect("the guest boots");
        Bed { sim, guest }
    }

    /// Begins an operation on the VM's own lane.
    pub fn begin(&self, op: Op) -> Begun {
        self.guest.call(Lane::Main, op)
    }

    /// Ends an operation that was begun.
    pub fn end(&self, begun: Begun) -> Result<Reply, OpError> {
        self.sim.block_on(begun).expect("the operation ends")
    }

    pub fn call(&self, op: Op) -> Result<Reply, OpError> {
        self.end(self.begin(op))
    }

    pub fn on(&self, worker: u64, op: Op) -> Result<Reply, OpError> {
        self.end(self.guest.call(Lane::Worker(worker), op))
    }

    /// Lets the guest go on for this long.
    pub fn pass(&self, ns: u64) {
        self.sim.block_on(self.sim.sleep(ns)).expect("time passes");
    }

    /// Runs actions to their end.
    pub fn run(&self, actions: &str) -> RunReply {
        ran(self.call(Op::Run { spec: acts(actions), timeout_ns: Some(60_000 * MS) }))
    }

    /// Starts actions.
    pub fn spawn(&self, actions: &str) -> (ProcHandle, i32) {
        spawned(self.call(Op::Spawn(acts(actions))))
    }

    /// Starts actions whose standard input stays open.
    pub fn spawn_open(&self, actions: &str) -> ProcHandle {
        let mut spec = acts(actions);
        spec.stdin_open = true;
        spawned(self.call(Op::Spawn(spec))).0
    }

    /// Processes of the guest but the agent.
    pub fn processes(&self) -> Vec<i32> {
        let Ok(Reply::Entries(entries)) = self.call(Op::ListDir("/proc".into())) else { panic!("/proc") };
        let number = |name: &ByteString| String::from_utf8_lossy(&name.0).parse().ok().filter(|pid| *pid != 1);
        entries.iter().filter_map(|entry| number(&entry.name)).collect()
    }

    /// Descriptors that the agent has open while it lists them.
    pub fn descriptors(&self) -> usize {
        match self.call(Op::ListDir("/proc/1/fd".into())) {
            Ok(Reply::Entries(entries)) => entries.len(),
            other => panic!("{other:?}"),
        }
    }

    pub fn wait(&self, proc: ProcHandle) -> RunReply {
        ran(self.call(Op::ProcWait { proc, timeout_ns: None, kill: false }))
    }

    pub fn open(&self, path: &str, mode: OpenMode) -> FileHandle {
        match self.call(Op::OpenFile { path: path.into(), mode }) {
            Ok(Reply::Opened { file, .. }) => file,
            other => panic!("open {path}: {other:?}"),
        }
    }

    /// The next piece of a stream as text; `None` at its end.
    pub fn next(&self, stream: StreamId) -> Option<String> {
        let frame = self.sim.block_on(self.guest.next_frame(stream)).expect("a frame or the end comes");
        frame.expect("the stream works").map(|frame| String::from_utf8(frame.data).expect("text"))
    }

    /// All of a stream as text.
    pub fn all(&self, stream: StreamId) -> String {
        let mut all = String::new();
        while let Some(piece) = self.next(stream) {
            all.push_str(&piece);
        }
        all
    }

    pub fn worker(&self) -> u64 {
        match self.call(Op::SpawnWorker { name: "worker1".into() }) {
            Ok(Reply::Worker(handle)) => handle,
            other => panic!("{other:?}"),
        }
    }
}

/// A command that does these things one after another, see [`act`].
pub fn acts(actions: &str) -> ExecSpec {
    let words: Vec<&str> = actions.split_whitespace().collect();
    direct("act", &words)
}

pub fn direct(program: &str, args: &[&str]) -> ExecSpec {
    let args = args.iter().map(|arg| ByteString::from(*arg)).collect();
    ExecSpec::new(Command::Direct { program: program.into(), args })
}

pub fn ran(reply: Result<Reply, OpError>) -> RunReply {
    match reply {
        Ok(Reply::Run(reply)) => reply,
        other => panic!("not the result of a command: {other:?}"),
    }
}

pub fn spawned(reply: Result<Reply, OpError>) -> (ProcHandle, i32) {
    match reply {
        Ok(Reply::Spawned { proc, pid }) => (proc, pid),
        other => panic!("not a started command: {other:?}"),
    }
}

pub fn streamed(reply: Result<Reply, OpError>) -> StreamId {
    match reply {
        Ok(Reply::Stream(stream)) => stream,
        other => panic!("not a stream: {other:?}"),
    }
}

pub fn bytes(reply: Result<Reply, OpError>) -> String {
    match reply {
        Ok(Reply::Bytes(data)) => String::from_utf8(data).expect("text"),
        other => panic!("not bytes: {other:?}"),
    }
}

/// The kind and the text of an error.
pub fn failed(reply: Result<Reply, OpError>) -> (ErrorKind, String) {
    let error = reply.expect_err("this must fail");
    (error.kind, error.to_string())
}

pub fn errno(reply: Result<Reply, OpError>) -> Errno {
    reply.expect_err("this must fail").errno.expect("the system's own refusal")
}

pub const READ: OpenMode =
    OpenMode { read: true, write: false, append: false, create: false, truncate: false, exclusive: false, perm: None };
pub const CREATE: OpenMode = OpenMode { read: true, write: true, create: true, ..READ };
