//! The corpus of the fuzzer of the agent's link, through the functions that it fuzzes, without the fuzzer.

#[path = "common/fuzzed.rs"]
mod fuzzed;

use provium_protocol::exec::ExecSpec;
use provium_protocol::fs::OpenMode;
use provium_protocol::process::OutputStream;
use provium_protocol::syscall::SyscallSpec;
use provium_protocol::wire::check::input;
use provium_protocol::wire::{
    FromAgent, HEADER, Hello, MAX_CHUNK, Outbox, Settings, ToAgent, VERSIONS, Welcome, check,
};
use provium_protocol::{Frame, Lane, Op, OpError, Reply, StreamId, codec};
use serde::Serialize;

fn sent<T: Serialize>(messages: &[T]) -> Vec<u8> {
    let (mut outbox, mut bytes) = (Outbox::default(), Vec::new());
    for (flow, message) in messages.iter().enumerate() {
        outbox.put(flow as u64, message).expect("it is small");
    }
    while outbox.next_chunk(&mut bytes) {}
    bytes
}

fn call(id: u64, op: Op) -> ToAgent {
    ToAgent::Call { id, lane: Lane::Main, op }
}

fn write_file(len: usize) -> Op {
    Op::WriteFile { path: "/tmp/f".into(), data: vec![b'x'; len], perm: None, append: false }
}

/// What a test asks of a guest, in an order in which it makes sense.
fn asked() -> Vec<ToAgent> {
    let on = |lane, id, op| ToAgent::Call { id, lane, op };
    let mode = OpenMode { read: true, write: true, create: true, ..OpenMode::default() };
    let syscall = SyscallSpec { nr: 39, args: [0; 6], bufs: Vec::new(), ptrs: Vec::new() };
    vec![
        ToAgent::Hello(Hello { nonce: 1, versions: VERSIONS, boot: 0 }),
        ToAgent::Settle(Box::new(Settings { hostname: Some("a".into()), entropy: vec![1; 32], ..Settings::default() })),
        call(1, Op::Run { spec: ExecSpec::shell("echo a | tr a b; sleep 1"), timeout_ns: Some(1 << 30) }),
        call(2, Op::Spawn(ExecSpec::shell("cat"))),
        call(3, Op::ProcStream { proc: 1, output: OutputStream::Stdout }),
        call(4, Op::StdinWrite { proc: 1, data: b"text".to_vec() }),
        call(5, write_file(5)),
        call(6, Op::OpenFile { path: "/tmp/f".into(), mode }),
        call(7, Op::FileRead { file: 1, len: 4 }),
        call(8, Op::Batch(vec![Op::Stat("/".into()), Op::ListDir("/proc".into()), Op::ReadFile("/tmp/f".into())])),
        call(9, Op::SpawnWorker { name: "w".into() }),
        on(Lane::Worker(1), 10, Op::Syscall(syscall)),
        on(Lane::Worker(1), 11, Op::WorkerJoin { timeout_ns: Some(5) }),
        call(12, Op::Inspect),
        ToAgent::Cancel { id: 2 },
        ToAgent::Credit { stream: StreamId(1), frames: 4 },
        ToAgent::Discard(Box::new(Reply::Opened { file: 1, fd: 9 })),
        ToAgent::Ping(3),
        ToAgent::PowerOff { patience_ns: 1 },
    ]
}

/// What an agent answers.
fn answered() -> Vec<FromAgent> {
    let frame = |frame| FromAgent::Frame { stream: StreamId(1), frame };
    vec![
        FromAgent::Welcome(Welcome {
            nonce: 1,
            version: 1,
            capabilities: vec!["power".into()],
            kernel: "6.1".into(),
            agent: "0.1".into(),
        }),
        FromAgent::Settled(Ok(())),
        FromAgent::Reply { id: 1, result: Ok(Reply::Bytes(b"abc".to_vec())) },
        FromAgent::Reply { id: 2, result: Ok(Reply::Spawned { proc: 4, pid: 9 }) },
        FromAgent::Reply { id: 3, result: Ok(Reply::Stream(StreamId(1))) },
        FromAgent::Reply { id: 5, result: Err(OpError::limit("too much")) },
        FromAgent::Reply { id: 7, result: Ok(Reply::Batch(vec![Ok(Reply::Unit), Err(OpError::agent("no"))])) },
        frame(Ok(Some(Frame { data: b"piece".to_vec() }))),
        frame(Ok(None)),
        FromAgent::Garbled { why: "noise".into() },
        FromAgent::Pong(3),
        FromAgent::Refused { nonce: 1, versions: (2, 3) },
        FromAgent::Piece { id: 8, data: b"beginning".to_vec() },
    ]
}

/// What the corpus begins with; what the fuzzer finds is added by hand.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let large = sent(&[call(1, write_file(MAX_CHUNK + 100)), call(2, write_file(10))]);
    let mut flipped = sent(&asked());
    flipped[HEADER + 40] ^= 8;
    let cut = |bytes: &[u8], cuts: [u8; 4]| [&cuts[..], bytes].concat();
    let mut seeds = vec![
        ("asked".to_owned(), input(&sent(&asked()))),
        ("asked-cut".to_owned(), cut(&sent(&asked()), [0, 30, 2, 130])),
        ("answered".to_owned(), input(&sent(&answered()))),
        ("answered-cut".to_owned(), cut(&sent(&answered()), [6, 0, 99, 12])),
        ("two-chunks".to_owned(), input(&large)),
        ("without-its-beginning".to_owned(), input(&large[HEADER + MAX_CHUNK..])),
        ("flipped".to_owned(), input(&flipped)),
        ("noise-between".to_owned(), input(&[&sent(&asked()[..3])[..], b"noise\xf5p", &sent(&asked()[3..4])].concat())),
    ];
    // Single messages, as what the bytes of an input are by themselves.
    let mut bare = |name: String, message: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = Vec::new();
        message(&mut bytes);
        seeds.push((name, bytes));
    };
    for (at, message) in asked().iter().enumerate() {
        bare(format!("to-agent-{at}"), &|bytes| codec::encode(message, bytes).expect("it has an encoding"));
    }
    for (at, message) in answered().iter().enumerate() {
        bare(format!("from-agent-{at}"), &|bytes| codec::encode(message, bytes).expect("it has an encoding"));
    }
    seeds
}

fn exhaust(bytes: &[u8]) {
    check::exhaust(bytes);
    provium_qemu::link::check::exhaust(bytes);
    provium_sim::check::exhaust(bytes);
}

#[test]
fn what_makes_sense_is_carried_out() {
    assert!(provium_sim::check::exhaust(&input(&sent(&asked()))) >= 10);
}

#[test]
fn the_corpus_is_understood_or_refused() {
    fuzzed::exhausted("agent_link", &seeds(), exhaust);
}
