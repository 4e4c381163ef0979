//! Raw system calls, on the VM's lane and on workers.

mod common;

use common::*;
use provium_protocol::exec::ExitStatus;
use provium_protocol::syscall::{PtrTarget, SyscallBuf, SyscallReply, SyscallSpec};
use provium_protocol::worker::WorkerState;
use provium_protocol::{Backend, Errno, ErrorKind, Lane, Op, OpError, Reply};

const READ_NR: u64 = 0;
const WRITE_NR: u64 = 1;
const NANOSLEEP: u64 = 35;
const GETPID: u64 = 39;
const FLOCK: u64 = 73;
const GETUID: u64 = 102;
const SETUID: u64 = 105;
const GETTID: u64 = 186;

fn plain(nr: u64, args: &[i64]) -> Op {
    let mut all = [0; 6];
    all[..args.len()].copy_from_slice(args);
    Op::Syscall(SyscallSpec { nr, args: all, bufs: vec![], ptrs: vec![] })
}

fn with_buf(nr: u64, args: [i64; 6], slot: u8, data: &[u8]) -> Op {
    Op::Syscall(SyscallSpec { nr, args, bufs: vec![SyscallBuf(data.to_vec())], ptrs: vec![PtrTarget::Arg(slot)] })
}

fn sleep(ns: u64) -> Op {
    let time = [(ns / 1_000_000_000).to_le_bytes(), (ns % 1_000_000_000).to_le_bytes()].concat();
    with_buf(NANOSLEEP, [0; 6], 0, &time)
}

fn flock(fd: i32) -> Op {
    plain(FLOCK, &[i64::from(fd), 2])
}

fn answer(reply: Result<Reply, OpError>) -> SyscallReply {
    match reply {
        Ok(Reply::Syscall(reply)) => reply,
        other => panic!("not the answer of a system call: {other:?}"),
    }
}

fn raw(reply: Result<Reply, OpError>) -> i64 {
    answer(reply).raw
}

fn open(bed: &Bed, path: &str) -> (u64, i32) {
    match bed.call(Op::OpenFile { path: path.into(), mode: CREATE }) {
        Ok(Reply::Opened { file, fd }) => (file, fd),
        other => panic!("open {path}: {other:?}"),
    }
}

fn state(bed: &Bed, worker: u64) -> Result<Reply, OpError> {
    bed.on(worker, Op::WorkerState)
}

const BLOCKED: Op = Op::WorkerWaitBlocked { timeout_ns: Some(1_000 * MS) };

#[test]
fn calls_are_made_in_the_agents_process_on_the_lanes_own_thread() {
    let bed = Bed::new();
    let (one, two) = (bed.worker(), bed.worker());
    assert_eq!(raw(bed.call(plain(GETPID, &[]))), 1);
    assert_eq!(raw(bed.on(one, plain(GETPID, &[]))), 1);
    let tid = |worker| raw(bed.on(worker, plain(GETTID, &[])));
    let (first, second) = (tid(one), tid(two));
    assert_ne!(first, second);
    assert_eq!((tid(one), tid(two)), (first, second));
    assert_eq!(raw(bed.call(plain(9_999, &[]))), -i64::from(Errno::ENOSYS.0));
}

#[test]
fn buffers_go_in_and_come_back_and_descriptors_are_those_of_files() {
    let bed = Bed::new();
    let worker = bed.worker();
    let (file, fd) = open(&bed, "/tmp/a");
    let fd = i64::from(fd);
    assert_eq!(raw(bed.on(worker, with_buf(WRITE_NR, [fd, 0, 5, 0, 0, 0], 1, b"hello"))), 5);
    bed.call(Op::FileSeek { file, offset: 1, whence: provium_protocol::fs::Whence::Set }).expect("it seeks");
    let read = answer(bed.call(with_buf(READ_NR, [fd, 0, 3, 0, 0, 0], 1, b".....")));
    assert_eq!((read.raw, &read.bufs[0].0[..]), (3, &b"ell.."[..]));
    bed.call(Op::FileClose(file)).expect("it closes");
    let closed = raw(bed.call(with_buf(READ_NR, [fd, 0, 3, 0, 0, 0], 1, b"...")));
    assert_eq!(closed, -i64::from(Errno::EBADF.0));
}

#[test]
fn a_held_call_is_blocked_and_holds_up_nobody_else() {
    let bed = Bed::new();
    let worker = bed.worker();
    let ((_, mine), (theirs_file, theirs)) = (open(&bed, "/tmp/lock"), open(&bed, "/tmp/lock"));
    assert_eq!(raw(bed.call(flock(mine))), 0);
    assert_eq!(state(&bed, worker), Ok(Reply::WorkerState(WorkerState::Idle)));
    let begun = bed.sim.now();
    let held = bed.guest.call(Lane::Worker(worker), flock(theirs));
    assert_eq!(bed.on(worker, BLOCKED), Ok(Reply::Unit));
    assert_eq!(state(&bed, worker), Ok(Reply::WorkerState(WorkerState::Blocked)));
    assert_eq!(bed.run("out:x").stdout, b"x\n");
    assert_eq!(ran(bed.on(worker, Op::Run { spec: acts("exit:2"), timeout_ns: None })).status, ExitStatus::Exited(2));
    assert!(bed.sim.now() - begun < 5 * MS);
    assert_eq!(raw(bed.call(plain(FLOCK, &[i64::from(mine), 8]))), 0);
    assert_eq!(raw(bed.end(held)), 0);
    assert_eq!(state(&bed, worker), Ok(Reply::WorkerState(WorkerState::Idle)));
    bed.call(Op::FileClose(theirs_file)).expect("it closes");
}

#[test]
fn calls_of_one_worker_take_turns() {
    let bed = Bed::new();
    let worker = bed.worker();
    let lane = Lane::Worker(worker);
    let begun = bed.sim.now();
    let calls: Vec<_> = (0..3).map(|_| bed.guest.call(lane, sleep(1_000 * MS))).collect();
    let other = bed.begin(sleep(1_000 * MS));
    assert_eq!(raw(bed.end(other)), 0);
    assert!(bed.sim.now() - begun < 1_100 * MS);
    for call in calls {
        assert_eq!(raw(bed.end(call)), 0);
    }
    assert!(bed.sim.now() - begun >= 3_000 * MS);
}

#[test]
fn waiting_for_a_block_that_does_not_come_times_out() {
    let bed = Bed::new();
    let worker = bed.worker();
    let (kind, text) = failed(bed.on(worker, BLOCKED));
    let expected = "worker1 is idle: no system call of it slept in the kernel in time";
    assert_eq!((kind, text.as_str()), (ErrorKind::Timeout, expected));
    // One that begins before there is anything to wait for is told all the same.
    let wait = bed.guest.call(Lane::Worker(worker), Op::WorkerWaitBlocked { timeout_ns: None });
    bed.pass(10 * MS);
    let held = bed.guest.call(Lane::Worker(worker), sleep(1_000 * MS));
    assert_eq!(bed.end(wait), Ok(Reply::Unit));
    assert_eq!(raw(bed.end(held)), 0);
}

#[test]
fn an_abandoned_call_lets_go_and_its_thread_stays() {
    let bed = Bed::new();
    let worker = bed.worker();
    let ((_, mine), (_, theirs)) = (open(&bed, "/tmp/lock"), open(&bed, "/tmp/lock"));
    let tid = raw(bed.on(worker, plain(GETTID, &[])));
    assert_eq!(raw(bed.call(flock(mine))), 0);
    let held = bed.guest.call(Lane::Worker(worker), flock(theirs));
    bed.on(worker, BLOCKED).expect("it blocks");
    drop(held);
    assert_eq!(raw(bed.on(worker, plain(GETTID, &[]))), tid);
    assert_eq!(raw(bed.call(plain(FLOCK, &[i64::from(mine), 8]))), 0);
    bed.pass(10 * MS);
    // Nobody took the lock behind the test's back.
    assert_eq!(raw(bed.call(flock(mine))), 0);
}

#[test]
fn closing_a_worker_ends_the_call_it_holds() {
    let bed = Bed::new();
    let worker = bed.worker();
    let lane = Lane::Worker(worker);
    let held = bed.guest.call(lane, sleep(100_000 * MS));
    let queued = bed.guest.call(lane, plain(GETPID, &[]));
    bed.on(worker, BLOCKED).expect("it blocks");
    let begun = bed.sim.now();
    assert_eq!(bed.on(worker, Op::WorkerClose), Ok(Reply::Unit));
    let closed = OpError::state("worker is closed");
    assert_eq!((bed.end(held), bed.end(queued)), (Err(closed.clone()), Err(closed.clone())));
    assert!(bed.sim.now() - begun < 10 * MS);
    assert_eq!(bed.on(worker, plain(GETPID, &[])), Err(closed));
}

#[test]
fn who_a_worker_is_is_its_own_affair() {
    let bed = Bed::new();
    let (one, two) = (bed.worker(), bed.worker());
    assert_eq!(raw(bed.on(one, plain(SETUID, &[1000]))), 0);
    assert_eq!(raw(bed.on(one, plain(GETUID, &[]))), 1000);
    assert_eq!(raw(bed.on(two, plain(GETUID, &[]))), 0);
    assert_eq!(raw(bed.call(plain(GETUID, &[]))), 0);
    let mkdir = Op::Mkdir { path: "/root/still-root".into(), parents: false, perm: None };
    assert_eq!(bed.on(one, mkdir), Ok(Reply::Unit));
}

#[test]
fn wrong_calls_are_refused() {
    let bed = Bed::new();
    let slot = with_buf(READ_NR, [0; 6], 6, b"x");
    assert_eq!(failed(bed.call(slot)).1, "argument slot 6 is out of range: they are counted from 0 to 5");
    let bufs = vec![SyscallBuf(vec![]); 65];
    let many = Op::Syscall(SyscallSpec { nr: 0, args: [0; 6], bufs, ptrs: vec![] });
    assert_eq!(failed(bed.call(many)).0, ErrorKind::Limit);
}

#[test]
fn a_guest_whose_agent_ends_is_lost_until_it_is_reset() {
    let bed = Bed::new();
    bed.sim.add_program(
        "/bin/panic",
        "panic",
        std::rc::Rc::new(|sys, _| {
            Box::pin(async move {
                sys.step().await;
                sys.machine().power_off();
                0
            })
        }),
    );
    let held = bed.begin(sleep(100_000 * MS));
    let run = bed.begin(Op::Run { spec: direct("panic", &[]), timeout_ns: None });
    assert_eq!(failed(bed.end(run)).0, ErrorKind::Lost);
    assert_eq!(failed(bed.end(held)).0, ErrorKind::Lost);
    let (kind, text) = failed(bed.call(Op::Stat("/".into())));
    let expected = "the guest `box` panicked: its first process, the agent, ended";
    assert_eq!((kind, text.as_str()), (ErrorKind::Lost, expected));
    bed.call(Op::Reset).expect("it boots again");
    assert_eq!(bed.run("out:x").stdout, b"x\n");
}
