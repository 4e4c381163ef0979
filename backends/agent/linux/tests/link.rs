//! The agent's binary, spoken to over a unix socket.

use std::io::{ErrorKind as Io, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use provium_protocol::exec::{ExecSpec, ExitStatus};
use provium_protocol::fs::OpenMode;
use provium_protocol::process::OutputStream;
use provium_protocol::wire::{
    FromAgent, Hello, Inbox, Outbox, Received, ToAgent, VERSIONS, Welcome, decode_from_agent,
};
use provium_protocol::{ErrorKind, Lane, Op, OpError, Reply, StreamId};

/// How long an answer may take before the agent is taken for hung.
const HUNG: Duration = Duration::from_secs(60);

struct Agent {
    process: Child,
    dir: PathBuf,
}

impl Agent {
    fn start() -> Agent {
        let name = format!("provium-link-{}-{:?}", std::process::id(), std::thread::current().id());
        let dir = std::env::temp_dir().join(name.replace(['(', ')'], ""));
        std::fs::create_dir_all(&dir).expect("a directory");
        let mut command = Command::new(env!("CARGO_BIN_EXE_provium-agent"));
        command.arg("--unix").arg(dir.join("socket")).stdin(Stdio::null());
        Agent { process: command.spawn().expect("the agent starts"), dir }
    }

    fn host(&self) -> Host {
        let path = self.dir.join("socket");
        loop {
            if let Ok(stream) = UnixStream::connect(&path) {
                stream.set_read_timeout(Some(HUNG)).expect("a timeout");
                return Host { stream, inbox: Inbox::default(), outbox: Outbox::default(), last: 0 };
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn path(&self, name: &str) -> String {
        self.dir.join(name).to_string_lossy().into_owned()
    }

    /// Descriptors that it holds.
    fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.process.id())).expect("it runs").count()
    }

    /// Processor time that it has used, in ticks.
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).expect("it runs");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap_or(0) + fields[12].parse::<u64>().unwrap_or(0)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

struct Host {
    stream: UnixStream,
    inbox: Inbox,
    outbox: Outbox,
    last: u64,
}

impl Host {
    fn send(&mut self, message: &ToAgent) {
        self.outbox.put(0, message).expect("it fits");
        let mut bytes = Vec::new();
        while self.outbox.next_chunk(&mut bytes) {}
        self.stream.write_all(&bytes).expect("it is sent");
    }

    fn begin(&mut self, lane: Lane, op: Op) -> u64 {
        self.last += 1;
        self.send(&ToAgent::Call { id: self.last, lane, op });
        self.last
    }

    fn next(&mut self) -> FromAgent {
        let mut buffer = vec![0; 1 << 16];
        loop {
            match self.inbox.receive() {
                Some(Received::Message(bytes)) => return decode_from_agent(&bytes).expect("a message"),
                Some(garbled) => panic!("the agent sent nonsense: {garbled:?}"),
                None => {}
            }
            let bytes = self.stream.read(&mut buffer).expect("the agent answers");
            assert_ne!(bytes, 0, "the agent has gone");
            self.inbox.feed(&buffer[..bytes]);
        }
    }

    fn hello(&mut self, boot: u64) -> Welcome {
        let nonce = 1000 + boot;
        self.send(&ToAgent::Hello(Hello { nonce, versions: VERSIONS, boot }));
        loop {
            match self.next() {
                FromAgent::Welcome(welcome) if welcome.nonce == nonce => return welcome,
                _ => {}
            }
        }
    }

    fn reply(&mut self, id: u64) -> Result<Reply, OpError> {
        let mut begun = Vec::new();
        loop {
            match self.next() {
                FromAgent::Piece { id: of, data } if of == id => begun.extend(data),
                FromAgent::Reply { id: of, result } if of == id => match result {
                    Ok(Reply::Bytes(rest)) => return Ok(Reply::Bytes([begun, rest].concat())),
                    other => return other,
                },
                _ => {}
            }
        }
    }

    fn call(&mut self, op: Op) -> Result<Reply, OpError> {
        let id = self.begin(Lane::Main, op);
        self.reply(id)
    }

    fn run(&mut self, script: &str) -> Vec<u8> {
        match self.call(Op::Run { spec: ExecSpec::shell(script), timeout_ns: None }) {
            Ok(Reply::Run(run)) if run.status == ExitStatus::Exited(0) => run.stdout,
            other => panic!("{script}: {other:?}"),
        }
    }
}

fn spawned(reply: Result<Reply, OpError>) -> (u64, i32) {
    match reply {
        Ok(Reply::Spawned { proc, pid }) => (proc, pid),
        other => panic!("not a process: {other:?}"),
    }
}

fn alive(pid: i32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

fn until(what: &str, mut ready: impl FnMut() -> bool) {
    for _ in 0..HUNG.as_millis() / 5 {
        if ready() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{what} in vain");
}

#[test]
fn calls_are_answered_whichever_ends_first() {
    let agent = Agent::start();
    let mut host = agent.host();
    let early = host.begin(Lane::Main, Op::Stat("/".into()));
    assert_eq!(host.reply(early).map_err(|error| error.kind), Err(ErrorKind::Agent));
    let welcome = host.hello(0);
    assert_eq!(welcome.version, VERSIONS.1);
    assert!(!welcome.kernel.is_empty() && !welcome.capabilities.iter().any(|name| name == "power"));
    let slow = host.begin(Lane::Main, Op::Run { spec: ExecSpec::shell("read x; echo $x"), timeout_ns: None });
    let held = host.begin(Lane::Main, Op::Run { spec: ExecSpec::shell("sleep 1000"), timeout_ns: None });
    assert!(matches!(host.reply(slow), Ok(Reply::Run(_))));
    assert_eq!(host.run("echo quick"), b"quick\n");
    host.send(&ToAgent::Cancel { id: held });
    host.send(&ToAgent::Ping(7));
    assert_eq!(host.next(), FromAgent::Pong(7));
    let large: Vec<u8> = (0..20_000_000u32).map(|n| n.to_le_bytes()[1]).collect();
    let path = agent.path("large");
    let write = Op::WriteFile { path: path.as_str().into(), data: large.clone(), perm: None, append: false };
    assert_eq!(host.call(write), Ok(Reply::Count(20_000_000)));
    assert!(host.call(Op::ReadFile(path.as_str().into())) == Ok(Reply::Bytes(large)));
    let refused = ToAgent::Hello(Hello { nonce: 5, versions: (900, 901), boot: 0 });
    host.send(&refused);
    assert_eq!(host.next(), FromAgent::Refused { nonce: 5, versions: VERSIONS });
}

#[test]
fn a_large_file_is_sent_while_it_is_read() {
    let agent = Agent::start();
    let mut host = agent.host();
    host.hello(0);
    host.run("true");
    let path = agent.path("sparse");
    // More than the agent could have in its memory: it may have no more than 64 MiB.
    let size = 200u64 << 20;
    std::fs::File::create(&path).and_then(|file| file.set_len(size)).expect("a file");
    let limit = libc::rlimit { rlim_cur: 64 << 20, rlim_max: 64 << 20 };
    let pid = libc::pid_t::try_from(agent.process.id()).expect("a process");
    // SAFETY: the limit is there to be read, and nobody wants the old one.
    assert_eq!(unsafe { libc::prlimit(pid, libc::RLIMIT_DATA, &raw const limit, std::ptr::null_mut()) }, 0);
    let read = host.begin(Lane::Main, Op::ReadFile(path.as_str().into()));
    let mut bytes = 0;
    while bytes < size / 2 {
        match host.next() {
            FromAgent::Piece { id, data } if id == read => bytes += data.len() as u64,
            other => panic!("{other:?}"),
        }
    }
    // Others have their turn meanwhile.
    host.send(&ToAgent::Ping(1));
    loop {
        match host.next() {
            FromAgent::Piece { data, .. } => bytes += data.len() as u64,
            FromAgent::Pong(1) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(bytes < size, "the ping waited for the whole file");
    loop {
        match host.next() {
            FromAgent::Piece { data, .. } => bytes += data.len() as u64,
            FromAgent::Reply { id, result } if id == read => {
                assert!(matches!(result, Ok(Reply::Bytes(rest)) if bytes + rest.len() as u64 == size));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    // One that nobody waits for any more ends.
    let before = agent.descriptors();
    let read = host.begin(Lane::Main, Op::ReadFile(path.as_str().into()));
    assert!(matches!(host.next(), FromAgent::Piece { id, .. } if id == read));
    host.send(&ToAgent::Cancel { id: read });
    until("waited for the file to be closed", || {
        host.send(&ToAgent::Ping(2));
        while host.next() != FromAgent::Pong(2) {}
        agent.descriptors() == before
    });
    // What is more than one read returns is refused at the end of it.
    std::fs::File::create(&path).and_then(|file| file.set_len((256 << 20) + 1)).expect("a file");
    assert_eq!(host.call(Op::ReadFile(path.as_str().into())).map_err(|error| error.kind), Err(ErrorKind::Limit));
}

#[test]
fn streams_are_pushed_as_far_as_there_is_credit() {
    let agent = Agent::start();
    let mut host = agent.host();
    host.hello(0);
    let mut spec = ExecSpec::shell("read go; head -c 20000000 /dev/zero");
    (spec.max_output, spec.stdin_open) = (0, true);
    let (proc, _) = spawned(host.call(Op::Spawn(spec)));
    let Ok(Reply::Stream(stream)) = host.call(Op::ProcStream { proc, output: OutputStream::Stdout }) else {
        panic!("a stream")
    };
    assert_eq!(host.call(Op::StdinClose(proc)), Ok(Reply::Unit));
    let mut bytes = 0;
    let mut take = |host: &mut Host, stream: StreamId| loop {
        if let FromAgent::Frame { stream: of, frame } = host.next()
            && of == stream
        {
            let frame = frame.expect("no error");
            bytes += frame.as_ref().map_or(0, |frame| frame.data.len());
            return (frame.is_some(), bytes);
        }
    };
    for _ in 0..16 {
        assert!(take(&mut host, stream).0);
    }
    // No seventeenth: an operation is answered, and nothing else comes.
    host.send(&ToAgent::Ping(1));
    assert_eq!(host.next(), FromAgent::Pong(1));
    host.send(&ToAgent::Credit { stream, frames: 1_000_000 });
    let total = loop {
        let (more, bytes) = take(&mut host, stream);
        if !more {
            break bytes;
        }
        host.send(&ToAgent::Credit { stream, frames: 1 });
    };
    assert_eq!(total, 20_000_000);
}

#[test]
fn garbage_is_answered_and_what_was_under_way_is_ended() {
    let agent = Agent::start();
    let mut host = agent.host();
    host.hello(0);
    let (_, pid) = spawned(host.call(Op::Spawn(ExecSpec::shell("exec sleep 1000"))));
    host.begin(Lane::Main, Op::Run { spec: ExecSpec::shell("sleep 1000"), timeout_ns: None });
    let garbage: Vec<u8> = (0..300_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    host.stream.write_all(&garbage).expect("it is sent");
    assert!(matches!(host.next(), FromAgent::Garbled { .. }));
    // A chunk that is whole and says nothing that could be understood.
    let mut nonsense = Outbox::default();
    nonsense.put(0, &vec![0xffu8; 100]).expect("it fits");
    let mut bytes = Vec::new();
    nonsense.next_chunk(&mut bytes);
    host.stream.write_all(&bytes).expect("it is sent");
    host.send(&ToAgent::Ping(9));
    while host.next() != FromAgent::Pong(9) {}
    assert!(alive(pid), "a process that was started is not under way");
    assert_eq!(host.run("echo still here"), b"still here\n");
}

#[test]
fn a_new_beginning_leaves_nothing_of_the_old_one() {
    let agent = Agent::start();
    let mut host = agent.host();
    host.hello(0);
    host.run("true");
    let before = agent.descriptors();
    let (old, pid) = spawned(host.call(Op::Spawn(ExecSpec::shell("sleep 1000 & exec sleep 1000"))));
    let mode = OpenMode { read: true, write: true, create: true, ..OpenMode::default() };
    host.call(Op::OpenFile { path: agent.path("x").as_str().into(), mode }).expect("it opens");
    let tail = Op::TailFile { path: agent.path("x").as_str().into(), start: provium_protocol::fs::TailStart::End };
    host.call(tail).expect("it opens");
    let Ok(Reply::Worker(worker)) = host.call(Op::SpawnWorker { name: "worker1".into() }) else { panic!("a worker") };
    let mut args = [0; 6];
    args[0] = 0;
    let pause = provium_protocol::syscall::SyscallSpec {
        nr: libc::SYS_pause.cast_unsigned(),
        args,
        bufs: vec![],
        ptrs: vec![],
    };
    host.begin(Lane::Worker(worker), Op::Syscall(pause));
    let blocked = host.begin(Lane::Worker(worker), Op::WorkerWaitBlocked { timeout_ns: None });
    assert_eq!(host.reply(blocked), Ok(Reply::Unit));
    // The same host says hello again.
    host.hello(3);
    assert!(!alive(pid));
    until("waited for descriptors to be closed", || agent.descriptors() == before);
    let gone = host.call(Op::ProcStatus(old));
    assert_eq!(gone.map_err(|error| error.kind), Err(ErrorKind::State));
    let (proc, pid) = spawned(host.call(Op::Spawn(ExecSpec::shell("exec sleep 1000"))));
    assert_eq!(proc >> 32, 3, "handles of another boot");
    // Another host takes its place, in the middle of a message.
    host.stream.write_all(&[0xf5, b'p', 0x9c]).expect("it is sent");
    let mut other = agent.host();
    other.hello(3);
    assert!(!alive(pid));
    let (later, pid) = spawned(other.call(Op::Spawn(ExecSpec::shell("exec sleep 1000"))));
    assert_eq!(later, proc + 1);
    let mut rest = Vec::new();
    match host.stream.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), Io::ConnectionReset),
    }
    // The host goes, and one comes back.
    drop(other);
    let mut again = agent.host();
    again.hello(3);
    assert!(!alive(pid));
    assert_eq!(again.run("echo here"), b"here\n");
}

#[test]
fn what_nobody_received_is_taken_back() {
    let agent = Agent::start();
    let mut host = agent.host();
    host.hello(0);
    host.run("true");
    let before = agent.descriptors();
    let (proc, pid) = spawned(host.call(Op::Spawn(ExecSpec::shell("exec sleep 1000"))));
    host.send(&ToAgent::Discard(Box::new(Reply::Spawned { proc, pid })));
    until("waited for the process to be killed", || !alive(pid));
    until("waited for its pipes to be closed", || agent.descriptors() == before);
}

#[test]
fn an_agent_with_nothing_to_do_does_nothing() {
    let agent = Agent::start();
    let mut host = agent.host();
    host.hello(0);
    let (proc, _) = spawned(host.call(Op::Spawn(ExecSpec::shell("exec sleep 1000"))));
    assert!(matches!(host.call(Op::ProcStatus(proc)), Ok(Reply::ProcStatus(_))));
    let before = agent.ticks();
    std::thread::sleep(Duration::from_millis(500));
    // One that goes round in circles would have used fifty.
    assert!(agent.ticks() - before < 10);
    drop(host);
    let before = agent.ticks();
    std::thread::sleep(Duration::from_millis(500));
    assert!(agent.ticks() - before < 10);
}

#[test]
fn standard_input_may_be_the_host() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provium-agent"));
    let mut process =
        command.arg("--stdio").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the agent starts");
    let mut outbox = Outbox::default();
    outbox.put(0, &ToAgent::Ping(4)).expect("it fits");
    let mut bytes = Vec::new();
    outbox.next_chunk(&mut bytes);
    let mut input = process.stdin.take().expect("a pipe");
    input.write_all(&bytes).expect("it is sent");
    let mut inbox = Inbox::default();
    let mut output = process.stdout.take().expect("a pipe");
    let mut byte = [0];
    let message = loop {
        output.read_exact(&mut byte).expect("an answer");
        inbox.feed(&byte);
        if let Some(Received::Message(message)) = inbox.receive() {
            break message;
        }
    };
    assert_eq!(decode_from_agent(&message), Ok(FromAgent::Pong(4)));
    drop(input);
    assert!(process.wait().expect("it ends").success());
}
