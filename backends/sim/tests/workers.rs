//! Workers: what is theirs, and how they end.

mod common;

use common::*;
use provium_protocol::exec::ExitStatus;
use provium_protocol::fs::LockKind;
use provium_protocol::process::OutputStream;
use provium_protocol::worker::{JoinSummary, WorkerState};
use provium_protocol::{Backend, ErrorKind, Lane, Op, OpError, Reply, Signal};

fn start(bed: &Bed, worker: u64, actions: &str) -> (u64, i32) {
    spawned(bed.on(worker, Op::Spawn(acts(actions))))
}

fn joined(reply: Result<Reply, OpError>) -> JoinSummary {
    match reply {
        Ok(Reply::Joined(summary)) => summary,
        other => panic!("not a summary: {other:?}"),
    }
}

fn state(bed: &Bed, worker: u64) -> WorkerState {
    match bed.on(worker, Op::WorkerState) {
        Ok(Reply::WorkerState(state)) => state,
        other => panic!("not a state: {other:?}"),
    }
}

const JOIN: Op = Op::WorkerJoin { timeout_ns: None };

#[test]
fn a_worker_with_nothing_to_join_joins_at_once() {
    let bed = Bed::new();
    let worker = bed.worker();
    assert_eq!(joined(bed.on(worker, JOIN)), JoinSummary::default());
    assert_eq!(state(&bed, worker), WorkerState::Idle);
}

#[test]
fn join_tells_of_all_it_ever_started_in_order_of_start() {
    let bed = Bed::new();
    let (worker, other) = (bed.worker(), bed.worker());
    let first = start(&bed, worker, "sleep:300 exit:3");
    let second = start(&bed, worker, "kill:KILL");
    let stranger = start(&bed, other, "sleep:100000");
    let run = ran(bed.on(worker, Op::Run { spec: acts("exit:1"), timeout_ns: None }));
    assert_eq!(run.status, ExitStatus::Exited(1));
    assert_eq!(state(&bed, worker), WorkerState::Running);
    let summary = joined(bed.on(worker, JOIN));
    let statuses: Vec<_> = summary.children.iter().map(|child| child.status).collect();
    assert_eq!(statuses, [ExitStatus::Exited(3), ExitStatus::Signalled(Signal::SIGKILL), ExitStatus::Exited(1)]);
    assert_eq!((summary.children[0].handle, summary.children[0].pid), first);
    assert_eq!((summary.children[1].handle, summary.children[1].pid), second);
    assert_eq!(state(&bed, worker), WorkerState::Idle);
    assert_eq!(bed.wait(first.0).status, ExitStatus::Exited(3));
    assert_eq!(joined(bed.on(worker, JOIN)), summary);
    assert_eq!(bed.processes(), [stranger.1]);
}

#[test]
fn a_join_that_times_out_names_who_runs_and_kills_nobody() {
    let bed = Bed::new();
    let worker = bed.worker();
    start(&bed, worker, "exit:0");
    let (_, one) = start(&bed, worker, "sleep:1000 exit:1");
    let (_, two) = start(&bed, worker, "sleep:1000 exit:2");
    let (kind, text) = failed(bed.on(worker, Op::WorkerJoin { timeout_ns: Some(100 * MS) }));
    let expected =
        format!("worker1: still run: process {one} (`act sleep:1000 exit:1`), process {two} (`act sleep:1000 exit:2`)");
    assert_eq!((kind, text), (ErrorKind::Timeout, expected));
    assert_eq!(joined(bed.on(worker, JOIN)).children.len(), 3);
}

#[test]
fn kill_reaches_those_that_run_and_counts_them() {
    let bed = Bed::new();
    let (worker, other) = (bed.worker(), bed.worker());
    let (ended, _) = start(&bed, worker, "exit:0");
    bed.wait(ended);
    let (one, _) = start(&bed, worker, "sleep:100000");
    let (two, _) = start(&bed, worker, "trap:USR1:9 sleep:100000");
    let (stranger, _) = start(&bed, other, "sleep:1000");
    bed.pass(10 * MS);
    assert_eq!(bed.on(worker, Op::WorkerKill(Signal::SIGUSR1)), Ok(Reply::Count(2)));
    assert_eq!(bed.wait(one).status, ExitStatus::Signalled(Signal::SIGUSR1));
    assert_eq!(bed.wait(two).status, ExitStatus::Exited(9));
    assert_eq!(bed.wait(stranger).status, ExitStatus::Exited(0));
    assert_eq!(bed.on(worker, Op::WorkerKill(Signal::SIGTERM)), Ok(Reply::Count(0)));
}

#[test]
fn closing_ends_all_that_is_the_workers_and_nothing_else() {
    let bed = Bed::new();
    let before = bed.descriptors();
    let (worker, other) = (bed.worker(), bed.worker());
    let (polite, _) = start(&bed, worker, "trap:TERM:5 sleep:100000");
    let (stubborn, _) = start(&bed, worker, "ignore:TERM [ ignore:TERM sleep:100000 ] sleep:100000");
    let (stranger, _) = start(&bed, other, "sleep:100000");
    let stdout = streamed(bed.on(worker, Op::ProcStream { proc: polite, output: OutputStream::Stdout }));
    let Ok(Reply::Opened { file, .. }) = bed.on(worker, Op::OpenFile { path: "/tmp/x".into(), mode: CREATE }) else {
        panic!("it opens")
    };
    bed.pass(10 * MS);
    let begun = bed.sim.now();
    assert_eq!(bed.on(worker, Op::WorkerClose), Ok(Reply::Unit));
    let took = bed.sim.now() - begun;
    assert!((2_000 * MS..2_050 * MS).contains(&took), "took {took} ns");
    let close_again = bed.sim.now();
    assert_eq!(bed.on(worker, Op::WorkerClose), Ok(Reply::Unit));
    assert_eq!(bed.sim.now(), close_again);
    // Results outlive the worker.
    assert_eq!(bed.wait(polite).status, ExitStatus::Exited(5));
    let waited = bed.on(worker, Op::ProcWait { proc: stubborn, timeout_ns: None, kill: false });
    assert_eq!(ran(waited).status, ExitStatus::Signalled(Signal::SIGKILL));
    assert_eq!(bed.call(Op::FileRead { file, len: 1 }), Err(OpError::state("file is closed")));
    let next = bed.sim.block_on(bed.guest.next_frame(stdout)).expect("it ends");
    assert_eq!(next, Err(OpError::state("stream is closed")));
    assert_eq!(bed.processes().len(), 1);
    bed.call(Op::ProcClose(stranger)).expect("it closes");
    assert_eq!(bed.descriptors(), before);
}

#[test]
fn a_closed_worker_takes_nothing_in() {
    let bed = Bed::new();
    let worker = bed.worker();
    bed.on(worker, Op::WorkerClose).expect("it closes");
    let closed = Err(OpError::state("worker is closed"));
    for op in [
        Op::Run { spec: acts("exit:0"), timeout_ns: None },
        Op::Spawn(acts("exit:0")),
        Op::OpenFile { path: "/tmp/x".into(), mode: CREATE },
        Op::Batch(vec![]),
        Op::WorkerKill(Signal::SIGTERM),
        JOIN,
        Op::WorkerWaitBlocked { timeout_ns: None },
    ] {
        assert_eq!(bed.on(worker, op), closed);
    }
    assert_eq!(state(&bed, worker), WorkerState::Closed);
}

#[test]
fn what_is_under_way_ends_with_the_worker() {
    let bed = Bed::new();
    let worker = bed.worker();
    let lane = Lane::Worker(worker);
    let holder = bed.open("/tmp/lock", CREATE);
    let lock = |file| Op::FileLock { file, kind: LockKind::Exclusive, block: true };
    bed.call(lock(holder)).expect("it locks");
    let Ok(Reply::Opened { file, .. }) = bed.on(worker, Op::OpenFile { path: "/tmp/lock".into(), mode: CREATE }) else {
        panic!("it opens")
    };
    let run = bed.guest.call(lane, Op::Run { spec: acts("sleep:100000"), timeout_ns: None });
    let waits = bed.guest.call(lane, lock(file));
    let join = bed.guest.call(lane, JOIN);
    let blocked = bed.guest.call(lane, Op::WorkerWaitBlocked { timeout_ns: None });
    bed.pass(10 * MS);
    assert_eq!(state(&bed, worker), WorkerState::Running);
    let close = bed.guest.call(lane, Op::WorkerClose);
    let second = bed.guest.call(lane, Op::WorkerClose);
    let late = bed.guest.call(lane, Op::Spawn(acts("exit:0")));
    assert_eq!(bed.end(close), Ok(Reply::Unit));
    assert_eq!(bed.end(second), Ok(Reply::Unit));
    let closed = OpError::state("worker is closed");
    assert_eq!(bed.end(late), Err(closed.clone()));
    assert_eq!(ran(bed.end(run)).status, ExitStatus::Signalled(Signal::SIGTERM));
    assert_eq!(bed.end(waits), Err(closed.clone()));
    assert_eq!(bed.end(blocked), Err(closed));
    assert_eq!(joined(bed.end(join)).children.len(), 1);
}

#[test]
fn a_start_that_races_with_the_closing_leaves_no_process() {
    for steps in 0..12 {
        let bed = Bed::new();
        let worker = bed.worker();
        let start = bed.guest.call(Lane::Worker(worker), Op::Spawn(acts("sleep:100000")));
        for _ in 0..steps {
            if bed.sim.has_step() {
                bed.sim.step();
            }
        }
        bed.on(worker, Op::WorkerClose).expect("it closes");
        drop(bed.end(start));
        bed.pass(500 * MS);
        assert_eq!(bed.processes(), [], "closed after {steps} steps");
    }
}

#[test]
fn a_closing_that_is_abandoned_goes_on_with_the_worker_closed() {
    let bed = Bed::new();
    let worker = bed.worker();
    start(&bed, worker, "ignore:TERM sleep:100000");
    bed.pass(10 * MS);
    let close = bed.guest.call(Lane::Worker(worker), Op::WorkerClose);
    bed.pass(10 * MS);
    drop(close);
    assert_eq!(state(&bed, worker), WorkerState::Closed);
    bed.on(worker, Op::WorkerClose).expect("it closes");
    assert_eq!(bed.processes(), []);
}

#[test]
fn lanes_and_operations_must_fit() {
    let bed = Bed::new();
    let worker = bed.worker();
    let (kind, text) = failed(bed.call(JOIN));
    assert_eq!((kind, text.as_str()), (ErrorKind::Usage, "`join` is an operation of a worker, not of the VM"));
    assert_eq!(failed(bed.on(worker, Op::SpawnWorker { name: "x".into() })).0, ErrorKind::Usage);
    assert_eq!(failed(bed.on(99, JOIN)), (ErrorKind::State, "there is no worker with handle 99".into()));
}

#[test]
fn handles_of_a_worker_work_from_outside() {
    let bed = Bed::new();
    let worker = bed.worker();
    let (proc, _) = start(&bed, worker, "out:x");
    assert_eq!(bed.wait(proc).stdout, b"x\n");
    let Ok(Reply::Opened { file, .. }) = bed.on(worker, Op::OpenFile { path: "/tmp/x".into(), mode: CREATE }) else {
        panic!("it opens")
    };
    assert_eq!(bed.call(Op::FileWrite { file, data: b"x".to_vec(), all: false }), Ok(Reply::Count(1)));
}
