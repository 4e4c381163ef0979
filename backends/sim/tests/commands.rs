//! Commands that are run to their end.

mod common;

use common::*;
use provium_protocol::exec::{ExecSpec, ExitStatus};
use provium_protocol::{Backend, Errno, ErrorKind, Op, Signal};

#[test]
fn output_and_exit_code_come_back() {
    let bed = Bed::new();
    let reply = bed.run("out:hello err:oops exit:3");
    assert_eq!(reply.status, ExitStatus::Exited(3));
    assert_eq!((&reply.stdout[..], &reply.stderr[..]), (&b"hello\n"[..], &b"oops\n"[..]));
    assert!(!reply.truncated);
}

#[test]
fn a_program_that_is_not_there_is_an_os_error() {
    let bed = Bed::new();
    let before = bed.descriptors();
    let reply = bed.call(Op::Run { spec: direct("nonesuch", &[]), timeout_ns: None });
    assert_eq!(failed(reply), (ErrorKind::Os, "start `nonesuch`: No such file or directory (ENOENT)".into()));
    assert_eq!(errno(bed.call(Op::Run { spec: direct("/etc/passwd", &[]), timeout_ns: None })), Errno::EACCES);
    let mut spec = acts("out:x");
    spec.cwd = Some("/nonesuch".into());
    let reply = bed.call(Op::Run { spec, timeout_ns: None });
    assert_eq!(failed(reply).1, "start `act` in /nonesuch: No such file or directory (ENOENT)");
    assert_eq!(bed.processes(), []);
    assert_eq!(bed.descriptors(), before);
}

#[test]
fn environment_and_directory_are_as_asked() {
    let bed = Bed::new();
    let mut spec = acts("env:A env:HOME pwd");
    spec.env = vec![("A".into(), "x".into())];
    spec.cwd = Some("/tmp".into());
    assert_eq!(ran(bed.call(Op::Run { spec: spec.clone(), timeout_ns: None })).stdout, b"x\n/root\n/tmp\n");
    spec.env_clear = true;
    assert_eq!(ran(bed.call(Op::Run { spec, timeout_ns: None })).stdout, b"x\nunset\n/tmp\n");
}

#[test]
fn a_signal_that_ends_it_is_told() {
    let bed = Bed::new();
    assert_eq!(bed.run("kill:KILL").status, ExitStatus::Signalled(Signal::SIGKILL));
}

#[test]
fn standard_input_is_fed_and_closed() {
    let bed = Bed::new();
    let mut spec = acts("cat");
    spec.stdin = vec![b'x'; 300_000];
    let reply = ran(bed.call(Op::Run { spec, timeout_ns: None }));
    assert_eq!(reply.stdout.len(), 300_000);
    // A command that does not read its input does not hold anybody up.
    let mut spec = acts("exit:0");
    spec.stdin = vec![b'x'; 300_000];
    assert_eq!(ran(bed.call(Op::Run { spec, timeout_ns: None })).status, ExitStatus::Exited(0));
    assert_eq!(bed.run("cat").stdout, b"");
}

#[test]
fn a_timeout_kills_the_whole_group() {
    let bed = Bed::new();
    let begun = bed.sim.now();
    let spec = acts("out:early [ sleep:100000 ] sleep:100000");
    let reply = ran(bed.call(Op::Run { spec, timeout_ns: Some(500 * MS) }));
    assert_eq!((reply.status, &reply.stdout[..]), (ExitStatus::TimedOut, &b"early\n"[..]));
    assert!(reply.duration_ns >= 500 * MS);
    assert!(bed.sim.now() - begun < 510 * MS, "took {} ns", bed.sim.now() - begun);
    assert_eq!(bed.processes(), []);
}

#[test]
fn a_background_child_that_holds_the_pipe_delays_the_result_until_it_ends() {
    let bed = Bed::new();
    let reply = bed.run("[ sleep:3000 out:late ] out:early");
    assert_eq!((reply.status, &reply.stdout[..]), (ExitStatus::Exited(0), &b"early\nlate\n"[..]));
    assert!(reply.duration_ns >= 3_000 * MS);
}

#[test]
fn a_timeout_covers_a_background_child_that_holds_the_pipe() {
    let bed = Bed::new();
    let reply = ran(bed.call(Op::Run { spec: acts("[ sleep:100000 ] out:started"), timeout_ns: Some(1_000 * MS) }));
    assert_eq!((reply.status, &reply.stdout[..]), (ExitStatus::TimedOut, &b"started\n"[..]));
    assert!(reply.duration_ns < 1_010 * MS);
    assert_eq!(bed.processes(), []);
}

#[test]
fn a_stranger_outside_of_the_group_delays_a_timed_out_result_only_a_little() {
    let bed = Bed::new();
    let spec = acts("[ setsid sleep:100000 ] out:started sleep:100000");
    let before = bed.descriptors();
    let reply = ran(bed.call(Op::Run { spec, timeout_ns: Some(1_000 * MS) }));
    assert_eq!((reply.status, &reply.stdout[..]), (ExitStatus::TimedOut, &b"started\n"[..]));
    assert!(reply.duration_ns < 1_200 * MS, "took {} ns", reply.duration_ns);
    assert_eq!(bed.processes().len(), 1);
    assert_eq!(bed.descriptors(), before);
}

#[test]
fn output_beyond_the_limit_is_drained_and_reported() {
    let bed = Bed::new();
    let mut spec = acts("fill:200000 err:done");
    spec.max_output = 1_000;
    let reply = ran(bed.call(Op::Run { spec, timeout_ns: None }));
    assert_eq!((reply.stdout.len(), reply.truncated), (1_000, true));
    assert_eq!((reply.status, &reply.stderr[..]), (ExitStatus::Exited(0), &b"done\n"[..]));
    let mut spec = acts("exit:0");
    spec.max_output = u64::MAX;
    assert_eq!(failed(bed.call(Op::Run { spec, timeout_ns: None })).0, ErrorKind::Limit);
}

#[test]
fn output_without_end_is_ended_by_the_timeout() {
    let bed = Bed::new();
    let mut spec = acts("yes");
    spec.max_output = 10;
    let reply = ran(bed.call(Op::Run { spec, timeout_ns: Some(100 * MS) }));
    assert_eq!((reply.status, &reply.stdout[..]), (ExitStatus::TimedOut, &b"y\ny\ny\ny\ny\n"[..]));
}

#[test]
fn a_busy_process_is_ended_by_the_timeout() {
    let bed = Bed::new();
    let reply = ran(bed.call(Op::Run { spec: acts("spin"), timeout_ns: Some(100 * MS) }));
    assert_eq!(reply.status, ExitStatus::TimedOut);
}

#[test]
fn what_no_system_call_can_take_is_refused() {
    let bed = Bed::new();
    let (kind, text) = failed(bed.call(Op::Run { spec: ExecSpec::shell("echo a\0b"), timeout_ns: None }));
    assert_eq!((kind, text.as_str()), (ErrorKind::Usage, "the command has a NUL byte at position 6: `echo a\\x00b`"));
    let mut spec = acts("exit:0");
    spec.env = vec![("A=B".into(), "x".into())];
    assert_eq!(failed(bed.call(Op::Run { spec, timeout_ns: None })).0, ErrorKind::Usage);
}

#[test]
fn an_abandoned_run_is_killed() {
    let bed = Bed::new();
    let run = bed.begin(Op::Run { spec: acts("[ sleep:100000 ] sleep:100000"), timeout_ns: None });
    bed.pass(50 * MS);
    assert_eq!(bed.processes().len(), 2);
    drop(run);
    bed.pass(50 * MS);
    assert_eq!(bed.processes(), []);
}

#[test]
fn an_abandoned_start_leaves_nothing_behind_whenever_it_is_abandoned() {
    for steps in 0..12 {
        let bed = Bed::new();
        let before = bed.descriptors();
        let begun = bed.begin(Op::Spawn(acts("sleep:100000")));
        for _ in 0..steps {
            if bed.sim.has_step() {
                bed.sim.step();
            }
        }
        drop(begun);
        bed.pass(500 * MS);
        assert_eq!(bed.processes(), [], "abandoned after {steps} steps");
        assert_eq!(bed.descriptors(), before, "abandoned after {steps} steps");
    }
}

#[test]
fn nothing_of_a_command_is_left_open_in_the_agent() {
    let bed = Bed::new();
    let before = bed.descriptors();
    for _ in 0..5 {
        let mut spec = acts("out:x cat");
        spec.stdin = b"y".to_vec();
        bed.call(Op::Run { spec, timeout_ns: None }).expect("it runs");
    }
    assert_eq!(bed.descriptors(), before);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let bed = Bed::seeded(seed);
        let first = bed.begin(Op::Spawn(acts("add:/log:a add:/log:b add:/log:c")));
        let second = bed.begin(Op::Spawn(acts("add:/log:1 add:/log:2 add:/log:3")));
        let (first, second) = (spawned(bed.end(first)).0, spawned(bed.end(second)).0);
        let ends = (bed.wait(first).duration_ns, bed.wait(second).duration_ns);
        (bytes(bed.call(Op::ReadFile("/log".into()))), ends, bed.sim.steps(), bed.sim.now())
    };
    let runs: Vec<_> = (0..20).map(run).collect();
    assert_eq!(runs, (0..20).map(run).collect::<Vec<_>>());
    assert!(runs.iter().any(|(log, ..)| *log != runs[0].0), "every seed gives the same order");
}
