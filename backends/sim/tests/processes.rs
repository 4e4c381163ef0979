//! Processes that a test holds on to.

mod common;

use common::*;
use provium_protocol::exec::ExitStatus;
use provium_protocol::process::{ProcHandle, ProcState, ProcStatus};
use provium_protocol::{Backend, Errno, ErrorKind, Op, OpError, Reply, Signal};

fn signal(proc: ProcHandle, signal: Signal) -> Op {
    Op::ProcSignal { proc, signal, group: false }
}

fn wait_state(proc: ProcHandle, state: ProcState) -> Op {
    Op::ProcWaitState { proc, state, timeout_ns: Some(1_000 * MS) }
}

#[test]
fn a_second_wait_has_the_same_result_at_once() {
    let bed = Bed::new();
    let (proc, pid) = bed.spawn("sleep:100 out:x exit:4");
    assert!(pid > 1);
    let first = bed.wait(proc);
    let now = bed.sim.now();
    assert_eq!(bed.wait(proc), first);
    assert_eq!(bed.sim.now(), now);
    assert_eq!((first.status, &first.stdout[..]), (ExitStatus::Exited(4), &b"x\n"[..]));
    assert!(first.duration_ns >= 100 * MS && first.duration_ns < 101 * MS);
}

#[test]
fn a_wait_without_kill_leaves_it_running() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("sleep:1000 exit:5");
    let wait = Op::ProcWait { proc, timeout_ns: Some(100 * MS), kill: false };
    assert_eq!(bed.call(wait), Ok(Reply::Nothing));
    assert_eq!(bed.wait(proc).status, ExitStatus::Exited(5));
}

#[test]
fn a_wait_with_kill_ends_the_group_and_all_waits_learn_of_it() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("out:x [ sleep:100000 ] sleep:100000");
    let other = bed.begin(Op::ProcWait { proc, timeout_ns: None, kill: false });
    let reply = ran(bed.call(Op::ProcWait { proc, timeout_ns: Some(100 * MS), kill: true }));
    assert_eq!((reply.status, &reply.stdout[..]), (ExitStatus::TimedOut, &b"x\n"[..]));
    assert_eq!(ran(bed.end(other)), reply);
    assert_eq!(bed.wait(proc), reply);
    assert_eq!(bed.processes(), []);
}

#[test]
fn a_wait_with_kill_that_is_abandoned_after_its_time_still_kills() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("[ setsid sleep:100000 ] sleep:100000");
    let wait = bed.begin(Op::ProcWait { proc, timeout_ns: Some(100 * MS), kill: true });
    bed.pass(101 * MS);
    drop(wait);
    assert_eq!(bed.wait(proc).status, ExitStatus::TimedOut);
}

#[test]
fn status_tells_what_the_agent_knows() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("sleep:100000");
    assert_eq!(bed.call(Op::ProcStatus(proc)), Ok(Reply::ProcStatus(ProcStatus::Running)));
    assert_eq!(bed.call(signal(proc, Signal::SIGTERM)), Ok(Reply::Bool(true)));
    assert_eq!(bed.wait(proc).status, ExitStatus::Signalled(Signal::SIGTERM));
    let ended = ProcStatus::Ended(ExitStatus::Signalled(Signal::SIGTERM));
    assert_eq!(bed.call(Op::ProcStatus(proc)), Ok(Reply::ProcStatus(ended)));
}

#[test]
fn a_signal_after_the_end_reaches_nobody() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("exit:0");
    bed.wait(proc);
    assert_eq!(bed.call(signal(proc, Signal::SIGKILL)), Ok(Reply::Bool(false)));
    let group = Op::ProcSignal { proc, signal: Signal::SIGKILL, group: true };
    assert_eq!(bed.call(group), Ok(Reply::Bool(false)));
}

#[test]
fn a_signal_is_for_the_process_alone_unless_the_group_is_meant() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("[ sleep:100000 ] sleep:100000");
    bed.pass(10 * MS);
    bed.call(signal(proc, Signal::SIGKILL)).expect("it is there");
    bed.pass(10 * MS);
    assert_eq!(bed.processes().len(), 1);
    // The leader has ended, its group has not.
    let group = Op::ProcSignal { proc, signal: Signal::SIGKILL, group: true };
    assert_eq!(bed.call(group), Ok(Reply::Bool(true)));
    assert_eq!(bed.wait(proc).status, ExitStatus::Signalled(Signal::SIGKILL));
    assert_eq!(bed.processes(), []);
}

#[test]
fn states_are_those_of_the_kernel() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("sleep:100 kill:STOP sleep:100");
    assert_eq!(bed.call(wait_state(proc, ProcState::Sleeping)), Ok(Reply::ProcState(ProcState::Sleeping)));
    assert_eq!(bed.call(wait_state(proc, ProcState::Stopped)), Ok(Reply::ProcState(ProcState::Stopped)));
    assert_eq!(bed.call(Op::ProcState(proc)), Ok(Reply::ProcState(ProcState::Stopped)));
    let (kind, text) = failed(bed.call(wait_state(proc, ProcState::Sleeping)));
    assert_eq!(kind, ErrorKind::Timeout);
    assert!(text.contains("(`act sleep:100 kill:STOP sleep:100`) is stopped and did not become sleeping"), "{text}");
    bed.call(signal(proc, Signal::SIGCONT)).expect("it is there");
    assert_eq!(bed.call(wait_state(proc, ProcState::Gone)), Ok(Reply::ProcState(ProcState::Gone)));
    assert_eq!(bed.call(Op::ProcState(proc)), Ok(Reply::ProcState(ProcState::Gone)));
    let (kind, text) = failed(bed.call(wait_state(proc, ProcState::Running)));
    assert_eq!(kind, ErrorKind::State);
    assert!(text.contains("has ended and will never be running"), "{text}");
}

#[test]
fn standard_input_is_written_in_order() {
    let bed = Bed::new();
    let mut spec = acts("cat");
    spec.stdin = b"first ".to_vec();
    spec.stdin_open = true;
    let (proc, _) = spawned(bed.call(Op::Spawn(spec)));
    let write = |text: &str| Op::StdinWrite { proc, data: text.as_bytes().to_vec() };
    assert_eq!(bed.call(write("second ")), Ok(Reply::Count(7)));
    assert_eq!(bed.call(write("third")), Ok(Reply::Count(5)));
    assert_eq!(bed.call(Op::StdinClose(proc)), Ok(Reply::Unit));
    assert_eq!(bed.call(Op::StdinClose(proc)), Ok(Reply::Unit));
    let (kind, text) = failed(bed.call(write("more")));
    assert_eq!(kind, ErrorKind::State);
    assert!(text.starts_with("standard input of process"), "{text}");
    assert_eq!(bed.wait(proc).stdout, b"first second third");
}

#[test]
fn a_write_to_standard_input_that_does_not_fit_holds_up_nobody_else() {
    let bed = Bed::new();
    let proc = bed.spawn_open("sleep:1000 cat");
    let write = bed.begin(Op::StdinWrite { proc, data: vec![b'x'; 200_000] });
    bed.pass(10 * MS);
    let begun = bed.sim.now();
    assert_eq!(bed.call(Op::ProcState(proc)), Ok(Reply::ProcState(ProcState::Sleeping)));
    // The close happens after what is being written.
    assert_eq!(bed.call(Op::StdinClose(proc)), Ok(Reply::Unit));
    assert!(bed.sim.now() - begun < MS);
    assert_eq!(bed.end(write), Ok(Reply::Count(200_000)));
    assert_eq!(bed.wait(proc).stdout.len(), 200_000);
}

#[test]
fn writing_to_a_process_that_has_ended_is_a_broken_pipe_or_a_closed_one() {
    let bed = Bed::new();
    let proc = bed.spawn_open("sleep:100 exit:0");
    let write = bed.begin(Op::StdinWrite { proc, data: vec![b'x'; 200_000] });
    assert_eq!(errno(bed.end(write)), Errno::EPIPE);
    bed.wait(proc);
    bed.pass(MS);
    assert_eq!(failed(bed.call(Op::StdinWrite { proc, data: b"x".to_vec() })).0, ErrorKind::State);
}

#[test]
fn closing_ends_it_and_whoever_is_in_its_group() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("[ sleep:100000 ] sleep:100000");
    bed.pass(10 * MS);
    let begun = bed.sim.now();
    assert_eq!(bed.call(Op::ProcClose(proc)), Ok(Reply::Unit));
    assert!(bed.sim.now() - begun < 10 * MS);
    assert_eq!(bed.processes(), []);
    assert_eq!(bed.wait(proc).status, ExitStatus::Signalled(Signal::SIGTERM));
    assert_eq!(bed.call(Op::ProcClose(proc)), Ok(Reply::Unit));
}

#[test]
fn closing_lets_a_process_clean_up() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("trap:TERM:7 sleep:100000");
    bed.pass(10 * MS);
    bed.call(Op::ProcClose(proc)).expect("it closes");
    assert_eq!(bed.wait(proc).status, ExitStatus::Exited(7));
}

#[test]
fn closing_a_process_that_ignores_sigterm_takes_two_seconds() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("ignore:TERM sleep:100000");
    bed.pass(10 * MS);
    let begun = bed.sim.now();
    bed.call(Op::ProcClose(proc)).expect("it closes");
    let took = bed.sim.now() - begun;
    assert!((2_000 * MS..2_050 * MS).contains(&took), "took {took} ns");
    assert_eq!(bed.wait(proc).status, ExitStatus::Signalled(Signal::SIGKILL));
}

#[test]
fn closing_a_stopped_process_ends_it() {
    for actions in ["kill:STOP", "ignore:TERM kill:STOP sleep:100000"] {
        let bed = Bed::new();
        let (proc, _) = bed.spawn(actions);
        bed.call(wait_state(proc, ProcState::Stopped)).expect("it stops");
        bed.call(Op::ProcClose(proc)).expect("it closes");
        assert_eq!(bed.processes(), [], "{actions}");
    }
}

#[test]
fn a_closing_that_is_abandoned_goes_on() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("ignore:TERM sleep:100000");
    bed.pass(10 * MS);
    let close = bed.begin(Op::ProcClose(proc));
    bed.pass(10 * MS);
    drop(close);
    bed.pass(2_100 * MS);
    assert_eq!(bed.processes(), []);
}

#[test]
fn orphans_are_reaped() {
    let bed = Bed::new();
    bed.run("[ [ setsid exit:0 ] exit:0 ] exit:0");
    bed.pass(10 * MS);
    assert_eq!(bed.processes(), []);
}

#[test]
fn a_handle_that_nobody_has_is_named() {
    let bed = Bed::new();
    let unknown = Err(OpError::state("there is no process with handle 77"));
    assert_eq!(bed.call(Op::ProcStatus(77)), unknown);
    assert_eq!(bed.call(signal(77, Signal::SIGTERM)), unknown);
}
