//! What must hold whatever the schedule does.

mod common;

use common::*;
use provium_protocol::exec::ExitStatus;
use provium_protocol::fs::TailStart;
use provium_protocol::process::OutputStream;
use provium_protocol::{Backend, ErrorKind, Lane, Op, Reply, Signal};

/// Schedules that each test tries: enough for the races of a few threads, and done in a second.
const SEEDS: u64 = 300;

#[test]
fn output_is_whole_whoever_reads_it_and_nothing_is_left_over() {
    for seed in 0..SEEDS {
        let bed = Bed::seeded(seed);
        let before = bed.descriptors();
        let mut spec = acts("cat err:e [ out:child ] out:parent");
        spec.stdin = vec![b'i'; 70_000];
        spec.max_output = 10_000;
        let (proc, _) = spawned(bed.call(Op::Spawn(spec)));
        let stream = streamed(bed.call(Op::ProcStream { proc, output: OutputStream::Stdout }));
        let run = bed.begin(Op::Run { spec: acts("fill:100000 err:x exit:3"), timeout_ns: None });
        let all = bed.all(stream);
        let (input, lines) = all.split_at(70_000.min(all.len()));
        assert!(input.bytes().all(|byte| byte == b'i'), "seed {seed}");
        assert!(["child\nparent\n", "parent\nchild\n"].contains(&lines), "seed {seed}: {lines:?}");
        let reply = bed.wait(proc);
        assert_eq!((reply.stdout.len(), reply.truncated, &reply.stderr[..]), (10_000, true, &b"e\n"[..]));
        let ran = ran(bed.end(run));
        assert_eq!((ran.status, ran.stdout.len(), &ran.stderr[..]), (ExitStatus::Exited(3), 100_000, &b"x\n"[..]));
        bed.pass(MS);
        assert_eq!((bed.processes(), bed.descriptors()), (vec![], before), "seed {seed}");
    }
}

#[test]
fn a_worker_closes_completely_whatever_is_under_way() {
    for seed in 0..SEEDS {
        let bed = Bed::seeded(seed);
        let before = bed.descriptors();
        let worker = bed.worker();
        let lane = Lane::Worker(worker);
        let on = |op| bed.guest.call(lane, op);
        let begun = [
            on(Op::Spawn(acts("[ sleep:100000 ] sleep:100000"))),
            on(Op::Run { spec: acts("trap:TERM:4 sleep:100000"), timeout_ns: None }),
            on(Op::OpenFile { path: "/tmp/x".into(), mode: CREATE }),
            on(Op::TailFile { path: "/etc/passwd".into(), start: TailStart::Beginning }),
            on(Op::Batch(vec![Op::Spawn(acts("yes")), Op::ReadFile("/dev/zero".into())])),
        ];
        bed.pass(seed % 40 * 20_000);
        assert_eq!(bed.on(worker, Op::WorkerClose), Ok(Reply::Unit), "seed {seed}");
        for outcome in begun.map(|begun| bed.end(begun)) {
            if let Err(error) = outcome {
                assert!(matches!(error.kind, ErrorKind::State | ErrorKind::Limit), "seed {seed}: {error}");
            }
        }
        bed.pass(500 * MS);
        assert_eq!((bed.processes(), bed.descriptors()), (vec![], before), "seed {seed}");
    }
}

#[test]
fn abandoned_operations_leave_nothing_behind() {
    for seed in 0..SEEDS {
        let bed = Bed::seeded(seed);
        let before = bed.descriptors();
        let begun = [
            bed.begin(Op::Spawn(acts("yes"))),
            bed.begin(Op::Run { spec: acts("[ sleep:100000 ] cat"), timeout_ns: Some(100_000 * MS) }),
            bed.begin(Op::OpenFile { path: "/tmp/x".into(), mode: CREATE }),
            bed.begin(Op::SpawnWorker { name: "w".into() }),
            bed.begin(Op::TailFile { path: "/etc/passwd".into(), start: TailStart::Beginning }),
            bed.begin(Op::WriteFile { path: "/tmp/y".into(), data: vec![0; 9], perm: Some(0o600), append: false }),
        ];
        for _ in 0..seed % 60 {
            if bed.sim.has_step() {
                bed.sim.step();
            }
        }
        drop(begun);
        bed.pass(500 * MS);
        assert_eq!((bed.processes(), bed.descriptors()), (vec![], before), "seed {seed}");
    }
}

#[test]
fn a_wait_a_kill_and_a_close_at_once_agree_on_one_ending() {
    for seed in 0..SEEDS {
        let bed = Bed::seeded(seed);
        let (proc, _) = bed.spawn("trap:USR1:5 sleep:1 exit:6");
        let wait = bed.begin(Op::ProcWait { proc, timeout_ns: Some(MS), kill: true });
        let kill = bed.begin(Op::ProcSignal { proc, signal: Signal::SIGUSR1, group: false });
        let close = bed.begin(Op::ProcClose(proc));
        let first = ran(bed.end(wait));
        assert!(matches!(bed.end(kill), Ok(Reply::Bool(_))));
        assert_eq!(bed.end(close), Ok(Reply::Unit));
        assert_eq!(bed.wait(proc), first, "seed {seed}");
        assert_eq!(bed.processes(), [], "seed {seed}");
    }
}

#[test]
fn a_tail_sees_every_line_of_two_writers_once() {
    for seed in 0..SEEDS {
        let bed = Bed::seeded(seed);
        bed.call(Op::WriteFile { path: "/log".into(), data: vec![], perm: None, append: false }).expect("it writes");
        let tail = streamed(bed.call(Op::TailFile { path: "/log".into(), start: TailStart::End }));
        let writers = ["add:/log:a1 add:/log:a2 add:/log:a3", "add:/log:b1 add:/log:b2 add:/log:b3"];
        let begun = writers.map(|actions| bed.begin(Op::Spawn(acts(actions))));
        let mut seen = String::new();
        while seen.len() < 18 {
            seen.push_str(&bed.next(tail).expect("the tail goes on"));
        }
        for begun in begun {
            bed.wait(spawned(bed.end(begun)).0);
        }
        assert_eq!(bytes(bed.call(Op::ReadFile("/log".into()))), seen, "seed {seed}");
    }
}
