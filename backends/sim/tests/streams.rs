//! Streams of process output and of files.

mod common;

use common::*;
use provium_protocol::exec::ExitStatus;
use provium_protocol::fs::{OpenMode, TailStart};
use provium_protocol::limits::STREAM_PATIENCE_NS;
use provium_protocol::process::{OutputStream, ProcHandle};
use provium_protocol::{Errno, ErrorKind, Op, OpError, Reply, StreamId};

const STDOUT: OutputStream = OutputStream::Stdout;

fn stream(bed: &Bed, proc: ProcHandle, output: OutputStream) -> StreamId {
    streamed(bed.call(Op::ProcStream { proc, output }))
}

fn write(bed: &Bed, path: &str, text: &str, append: bool) {
    let op = Op::WriteFile { path: path.into(), data: text.as_bytes().to_vec(), perm: None, append };
    bed.call(op).expect("it writes");
}

fn tail(bed: &Bed, path: &str, start: TailStart) -> StreamId {
    streamed(bed.call(Op::TailFile { path: path.into(), start }))
}

#[test]
fn output_comes_while_the_process_runs() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("out:one sleep:1000 out:two err:three");
    let stdout = stream(&bed, proc, STDOUT);
    assert_eq!(bed.next(stdout).as_deref(), Some("one\n"));
    assert_eq!(bed.next(stdout).as_deref(), Some("two\n"));
    assert_eq!(bed.next(stdout), None);
    assert_eq!(bed.next(stdout), None);
    let stderr = stream(&bed, proc, OutputStream::Stderr);
    assert_eq!(bed.all(stderr), "three\n");
}

#[test]
fn a_late_stream_begins_at_the_first_byte() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("out:one out:two");
    assert_eq!(bed.wait(proc).stdout, b"one\ntwo\n");
    let first = stream(&bed, proc, STDOUT);
    let second = stream(&bed, proc, STDOUT);
    assert_eq!(bed.all(first), "one\ntwo\n");
    assert_eq!(bed.all(second), "one\ntwo\n");
    assert_eq!(bed.wait(proc).stdout, b"one\ntwo\n");
}

#[test]
fn a_stream_ends_when_all_who_hold_the_pipe_are_gone() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("[ sleep:500 out:child ] out:parent");
    let stdout = stream(&bed, proc, STDOUT);
    assert_eq!(bed.all(stdout), "parent\nchild\n");
}

#[test]
fn nothing_is_lost_beyond_what_is_kept() {
    let bed = Bed::new();
    let mut spec = acts("fill:3000000");
    spec.max_output = 1_000;
    let (proc, _) = spawned(bed.call(Op::Spawn(spec)));
    let stdout = stream(&bed, proc, STDOUT);
    bed.pass(1_000 * MS);
    // Nobody reads, so the process is held back.
    assert_eq!(bed.processes().len(), 1);
    assert_eq!(bed.all(stdout).len(), 3_000_000);
    let reply = bed.wait(proc);
    assert_eq!((reply.status, reply.stdout.len(), reply.truncated), (ExitStatus::Exited(0), 1_000, true));
}

#[test]
fn a_stream_gets_the_first_byte_however_small_the_limit_and_however_fast_the_process() {
    for bytes in [3_000, 3_000_000] {
        let bed = Bed::new();
        let mut spec = acts(&format!("fill:{bytes}"));
        spec.max_output = 0;
        let (proc, _) = spawned(bed.call(Op::Spawn(spec)));
        bed.pass(1_000 * MS);
        let stdout = stream(&bed, proc, STDOUT);
        assert_eq!(bed.all(stdout).len(), bytes);
        assert_eq!(bed.wait(proc).status, ExitStatus::Exited(0));
    }
}

#[test]
fn a_process_waits_some_seconds_for_a_stream_and_then_goes_on_without() {
    let bed = Bed::new();
    let mut spec = acts("fill:3000000");
    spec.max_output = 0;
    let (proc, _) = spawned(bed.call(Op::Spawn(spec)));
    bed.pass(STREAM_PATIENCE_NS - 1_000 * MS);
    assert_eq!(bed.processes().len(), 1);
    bed.pass(2_000 * MS);
    assert_eq!(bed.processes().len(), 0);
    let stdout = stream(&bed, proc, STDOUT);
    let gap = bed.sim.block_on(bed.guest.next_frame(stdout)).expect("it ends").expect_err("bytes are missing");
    assert!(gap.message.starts_with("3000000 bytes beyond max_output"), "{gap}");
}

#[test]
fn who_waits_for_the_end_waits_for_no_stream() {
    let bed = Bed::new();
    let mut spec = acts("fill:3000000");
    spec.max_output = 0;
    let (proc, _) = spawned(bed.call(Op::Spawn(spec)));
    let reply = bed.wait(proc);
    assert_eq!(reply.status, ExitStatus::Exited(0));
    // In guest time, which is exact.
    assert!(reply.duration_ns < STREAM_PATIENCE_NS, "{} ns", reply.duration_ns);
}

#[test]
fn closing_a_stream_lets_the_process_go_on() {
    let bed = Bed::new();
    let mut spec = acts("fill:3000000");
    spec.max_output = 0;
    let (proc, _) = spawned(bed.call(Op::Spawn(spec)));
    let stdout = stream(&bed, proc, STDOUT);
    bed.pass(1_000 * MS);
    assert_eq!(bed.call(Op::StreamClose(stdout)), Ok(Reply::Unit));
    assert_eq!(bed.call(Op::StreamClose(stdout)), Ok(Reply::Unit));
    assert_eq!(bed.wait(proc).status, ExitStatus::Exited(0));
    let next = bed.sim.block_on(bed.guest.next_frame(stdout)).expect("it ends");
    assert_eq!(next, Err(OpError::state("stream is closed")));
}

#[test]
fn a_stream_that_comes_too_late_for_some_bytes_says_how_many() {
    let bed = Bed::new();
    let mut spec = acts("fill:3000");
    spec.max_output = 1_000;
    let (proc, _) = spawned(bed.call(Op::Spawn(spec)));
    bed.wait(proc);
    let stdout = stream(&bed, proc, STDOUT);
    assert_eq!(bed.next(stdout).map(|text| text.len()), Some(1_000));
    let gap = bed.sim.block_on(bed.guest.next_frame(stdout)).expect("it ends").expect_err("bytes are missing");
    assert_eq!(gap.kind, ErrorKind::Limit);
    assert!(gap.message.starts_with("2000 bytes beyond max_output"), "{gap}");
    assert_eq!(bed.next(stdout), None);
}

#[test]
fn a_stream_has_one_reader_and_a_reader_that_gives_up_loses_nothing() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("sleep:100 out:x");
    let stdout = stream(&bed, proc, STDOUT);
    let mut first = bed.guest.next_frame(stdout);
    let waker = std::task::Waker::noop();
    assert!(first.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    let second = bed.sim.block_on(bed.guest.next_frame(stdout)).expect("it ends");
    assert_eq!(second, Err(OpError::state("somebody is already reading this stream")));
    bed.pass(1_000 * MS);
    drop(first);
    assert_eq!(bed.next(stdout).as_deref(), Some("x\n"));
}

#[test]
fn a_tail_follows_what_is_appended() {
    let bed = Bed::new();
    write(&bed, "/tmp/log", "old\n", false);
    let end = tail(&bed, "/tmp/log", TailStart::End);
    let beginning = tail(&bed, "/tmp/log", TailStart::Beginning);
    let offset = tail(&bed, "/tmp/log", TailStart::Offset(1));
    let from_end = tail(&bed, "/tmp/log", TailStart::Offset(-2));
    let far = tail(&bed, "/tmp/log", TailStart::Offset(-100));
    let beyond = tail(&bed, "/tmp/log", TailStart::Offset(6));
    assert_eq!(bed.next(beginning).as_deref(), Some("old\n"));
    assert_eq!(bed.next(offset).as_deref(), Some("ld\n"));
    assert_eq!(bed.next(from_end).as_deref(), Some("d\n"));
    assert_eq!(bed.next(far).as_deref(), Some("old\n"));
    let (proc, _) = bed.spawn("sleep:100 add:/tmp/log:new");
    assert_eq!(bed.next(end).as_deref(), Some("new\n"));
    assert_eq!(bed.next(beginning).as_deref(), Some("new\n"));
    assert_eq!(bed.next(beyond).as_deref(), Some("w\n"));
    bed.wait(proc);
}

#[test]
fn a_tail_of_a_file_that_was_cut_begins_anew() {
    let bed = Bed::new();
    write(&bed, "/tmp/log", "a long line\n", false);
    let log = tail(&bed, "/tmp/log", TailStart::End);
    write(&bed, "/tmp/log", "short\n", false);
    assert_eq!(bed.next(log).as_deref(), Some("short\n"));
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let bed = Bed::new();
    let tail = |path: &str| bed.call(Op::TailFile { path: path.into(), start: TailStart::End });
    assert_eq!(errno(tail("/nonesuch")), Errno::ENOENT);
    assert_eq!(errno(tail("/tmp")), Errno::EISDIR);
    let before = bed.descriptors();
    assert_eq!(failed(tail("/dev/null")).0, ErrorKind::Usage);
    bed.pass(MS);
    assert_eq!(bed.descriptors(), before);
}

#[test]
fn a_closed_tail_leaves_no_descriptor() {
    let bed = Bed::new();
    write(&bed, "/tmp/log", "", false);
    let before = bed.descriptors();
    let log = tail(&bed, "/tmp/log", TailStart::End);
    bed.call(Op::StreamClose(log)).expect("it closes");
    bed.pass(MS);
    assert_eq!(bed.descriptors(), before);
}

#[test]
fn an_open_file_can_be_streamed_to_its_end() {
    let bed = Bed::new();
    let text = "x".repeat(3_000_000);
    write(&bed, "/tmp/big", &text, false);
    let file = bed.open("/tmp/big", READ);
    let stream = streamed(bed.call(Op::FdStream(file)));
    assert_eq!(bed.all(stream), text);
}

#[test]
fn a_stream_of_a_file_ends_when_the_file_is_closed() {
    let bed = Bed::new();
    write(&bed, "/tmp/log", "old\n", false);
    let file = bed.open("/tmp/log", CREATE);
    let stream = streamed(bed.call(Op::FileTail(file)));
    let data = b"new\n".to_vec();
    bed.call(Op::FileWrite { file, data, all: true }).expect("it writes");
    // Its offset is its own: the write above happened at the start.
    assert_eq!(bytes(bed.call(Op::ReadFile("/tmp/log".into()))), "new\n");
    bed.call(Op::WriteFile { path: "/tmp/log".into(), data: b"more\n".to_vec(), perm: None, append: true })
        .expect("it writes");
    assert_eq!(bed.next(stream).as_deref(), Some("more\n"));
    bed.call(Op::FileClose(file)).expect("it closes");
    assert_eq!(bed.next(stream), None);
    let write_only = bed.open("/tmp/log", OpenMode { write: true, ..OpenMode::default() });
    assert_eq!(errno(bed.call(Op::FileTail(write_only))), Errno::EBADF);
}

#[test]
fn an_error_while_streaming_reaches_the_reader() {
    let bed = Bed::new();
    let write_only = bed.open("/tmp/x", OpenMode { write: true, create: true, ..OpenMode::default() });
    let stream = streamed(bed.call(Op::FdStream(write_only)));
    let error = bed.sim.block_on(bed.guest.next_frame(stream)).expect("it ends").expect_err("it cannot be read");
    assert_eq!(error, OpError::os(Errno::EBADF, "read /tmp/x"));
    assert_eq!(bed.next(stream), None);
}
