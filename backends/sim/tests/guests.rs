//! Whole guests: boot options, batches, power.

mod common;

use std::cell::RefCell;
use std::rc::Rc;

use common::*;
use provium_protocol::choice::Fixed;
use provium_protocol::exec::ExitStatus;
use provium_protocol::fs::LockKind;
use provium_protocol::process::OutputStream;
use provium_protocol::profile::{BootFile, BootOptions, BootSpec, Profile};
use provium_protocol::{Backend, Errno, ErrorKind, Idle, Lane, Op, OpError, Reply, Signal};
use provium_sim::SimBackend;

fn sim() -> SimBackend {
    SimBackend::new(Rc::new(Fixed::default()))
}

fn read(bed: &Bed, path: &str) -> String {
    bytes(bed.call(Op::ReadFile(path.into())))
}

#[test]
fn boot_options_are_applied() {
    let file = |path: &str, content: &str, mode| BootFile { path: path.into(), content: content.into(), mode };
    let options = BootOptions {
        memory: Some(128 << 20),
        kernel_cmdline: Some("quiet".into()),
        kernel_cmdline_append: Some("debug=1".into()),
        initial_time_ns: Some(1_500_000_000),
        files: vec![file("/opt/deep/a", "text", Some(0o600)), file("/etc/motd", "hello", None)],
        ..BootOptions::default()
    };
    let bed = Bed::with(sim(), BootSpec { vm: "web1".into(), options, ..BootSpec::default() });
    assert_eq!(read(&bed, "/opt/deep/a"), "text");
    assert_eq!(read(&bed, "/etc/motd"), "hello");
    assert_eq!(read(&bed, "/proc/cmdline"), "quiet debug=1\n");
    assert_eq!(bed.run("hostname").stdout, b"web1\n");
    assert!(read(&bed, "/proc/meminfo").starts_with("MemTotal:         131072 kB"), "{}", read(&bed, "/proc/meminfo"));
    bed.call(Op::WriteFile { path: "/new".into(), data: vec![], perm: None, append: false }).expect("it writes");
    let Ok(Reply::Stat(stat)) = bed.call(Op::Stat("/new".into())) else { panic!("stat") };
    assert_eq!(stat.mtime_s, 1);
    assert_eq!(read(&bed, "/proc/1/comm"), "provium-agent\n");
}

#[test]
fn profiles_give_what_options_do_not() {
    let profile = Profile { hostname: Some("box".into()), kernel_cmdline: Some("p".into()), ..Profile::default() };
    let bed = Bed::with(sim(), BootSpec { vm: "v".into(), profile, ..BootSpec::default() });
    assert_eq!((read(&bed, "/proc/cmdline"), bed.run("hostname").stdout), ("p\n".into(), b"box\n".to_vec()));
}

#[test]
fn a_boot_that_cannot_be_says_why() {
    let boot = |options| {
        let sim = sim();
        let spec = BootSpec { vm: "v".into(), options, ..BootSpec::default() };
        sim.block_on(sim.boot(spec)).expect("booting ends").err().expect("it cannot boot")
    };
    let file = |path: &str| BootFile { path: path.into(), content: vec![], mode: None };
    let relative = boot(BootOptions { files: vec![file("a")], ..BootOptions::default() });
    assert_eq!(relative, OpError::usage("the path of a boot file must be absolute: `a`"));
    let under_a_file = boot(BootOptions { files: vec![file("/etc/passwd/a")], ..BootOptions::default() });
    assert_eq!(under_a_file, OpError::os(Errno::ENOTDIR, "put the boot file /etc/passwd/a"));
    let late = boot(BootOptions { initial_time_ns: Some(i128::MAX), ..BootOptions::default() });
    assert_eq!(late.kind, ErrorKind::Usage);
}

#[test]
fn a_batch_answers_each_in_order_and_one_failure_stops_nothing() {
    let bed = Bed::new();
    let write = Op::WriteFile { path: "/tmp/a".into(), data: b"x".to_vec(), perm: None, append: false };
    let ops = vec![
        write,
        Op::ReadFile("/none".into()),
        Op::Batch(vec![]),
        Op::Pause,
        Op::Run { spec: acts("out:y"), timeout_ns: None },
        Op::ReadFile("/tmp/a".into()),
    ];
    let Ok(Reply::Batch(outcomes)) = bed.call(Op::Batch(ops)) else { panic!("a batch") };
    assert_eq!(outcomes.len(), 6);
    assert_eq!(outcomes[0], Ok(Reply::Count(1)));
    assert_eq!(errno(outcomes[1].clone()), Errno::ENOENT);
    assert_eq!(outcomes[2], Err(OpError::usage("a batch cannot hold a batch")));
    assert_eq!(failed(outcomes[3].clone()).0, ErrorKind::Unsupported);
    assert_eq!(ran(outcomes[4].clone()).stdout, b"y\n");
    assert_eq!(bytes(outcomes[5].clone()), "x");
    let many = vec![Op::Inspect; 10_001];
    let (kind, text) = failed(bed.call(Op::Batch(many)));
    assert!(kind == ErrorKind::Limit && text.contains("MAX_BATCH"), "{text}");
}

#[test]
fn an_abandoned_batch_takes_back_what_it_opened() {
    let bed = Bed::new();
    let before = bed.descriptors();
    let open = Op::OpenFile { path: "/etc/passwd".into(), mode: READ };
    let ops = vec![open, Op::Spawn(acts("sleep:100000")), Op::Run { spec: acts("sleep:100000"), timeout_ns: None }];
    let batch = bed.begin(Op::Batch(ops));
    bed.pass(10 * MS);
    drop(batch);
    bed.pass(500 * MS);
    assert_eq!((bed.processes(), bed.descriptors()), (vec![], before));
}

#[test]
fn a_paused_guest_stands_still_while_the_lab_goes_on() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("sleep:1000 out:x");
    let run = bed.begin(Op::Run { spec: acts("sleep:100000"), timeout_ns: Some(2_000 * MS) });
    bed.pass(500 * MS);
    assert_eq!(bed.call(Op::Pause), Ok(Reply::Unit));
    let stat = bed.begin(Op::Stat("/".into()));
    bed.pass(5_000 * MS);
    assert!(!bed.sim.has_step());
    let begun = bed.sim.now();
    assert_eq!(bed.call(Op::Resume), Ok(Reply::Unit));
    assert!(matches!(bed.end(stat), Ok(Reply::Stat(_))));
    assert_eq!(bed.wait(proc).stdout, b"x\n");
    let reply = ran(bed.end(run));
    assert_eq!(reply.status, ExitStatus::TimedOut);
    // Half a second of the two had passed before the pause.
    let after = bed.sim.now() - begun;
    assert!((1_500 * MS..1_510 * MS).contains(&after), "{after} ns after the pause");
    assert!(reply.duration_ns < 2_010 * MS);
}

#[test]
fn a_reset_boots_the_same_guest_afresh() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("sleep:100000");
    let file = bed.open("/tmp/x", CREATE);
    let run = bed.begin(Op::Run { spec: acts("sleep:100000"), timeout_ns: None });
    bed.pass(10 * MS);
    assert_eq!(bed.call(Op::Reset), Ok(Reply::Unit));
    assert_eq!(failed(bed.end(run)).0, ErrorKind::Lost);
    assert_eq!(bed.processes(), []);
    assert_eq!(errno(bed.call(Op::Stat("/tmp/x".into()))), Errno::ENOENT);
    // Handles of before are not taken for those of now.
    let again = bed.open("/tmp/x", CREATE);
    assert_ne!(again, file);
    assert_eq!(failed(bed.call(Op::FileRead { file, len: 1 })).0, ErrorKind::State);
    assert_eq!(failed(bed.call(Op::ProcStatus(proc))).0, ErrorKind::State);
    assert_eq!(bed.run("out:x").stdout, b"x\n");
}

#[test]
fn the_power_button_lets_processes_end() {
    let bed = Bed::new();
    bed.spawn("trap:TERM:0 sleep:100000");
    bed.pass(10 * MS);
    let begun = bed.sim.now();
    assert_eq!(bed.call(Op::PowerButton), Ok(Reply::Unit));
    assert!(bed.sim.now() - begun < 100 * MS);
    assert_eq!(failed(bed.call(Op::Stat("/".into()))), (ErrorKind::State, "the guest `box` is shut down".into()));
    let bed = Bed::new();
    bed.spawn("ignore:TERM sleep:100000");
    bed.pass(10 * MS);
    let begun = bed.sim.now();
    assert_eq!(bed.call(Op::PowerButton), Ok(Reply::Unit));
    assert!(bed.sim.now() - begun >= 10_000 * MS);
}

#[test]
fn a_shutdown_ends_all_at_once_and_twice_is_fine() {
    let bed = Bed::new();
    let (proc, _) = bed.spawn("sleep:100000");
    let stream = streamed(bed.call(Op::ProcStream { proc, output: OutputStream::Stdout }));
    let run = bed.begin(Op::Run { spec: acts("sleep:100000"), timeout_ns: None });
    let frame = bed.guest.next_frame(stream);
    bed.pass(10 * MS);
    assert_eq!(bed.call(Op::Shutdown), Ok(Reply::Unit));
    assert_eq!(bed.call(Op::Shutdown), Ok(Reply::Unit));
    assert_eq!(failed(bed.end(run)).0, ErrorKind::Lost);
    assert_eq!(bed.sim.block_on(frame).expect("it ends").expect_err("it is lost").kind, ErrorKind::Lost);
    assert_eq!(failed(bed.call(Op::Resume)).0, ErrorKind::State);
    // The dead threads are gone after a while, and nothing goes on.
    while bed.sim.has_step() {
        bed.sim.step();
    }
    assert_eq!(bed.sim.idle(None), Idle::Stalled);
}

#[test]
fn guests_of_a_lab_share_the_clock_and_nothing_else() {
    let bed = Bed::new();
    let spec = BootSpec { vm: "other".into(), ..BootSpec::default() };
    let other = bed.sim.block_on(bed.sim.boot(spec)).expect("booting ends").expect("it boots");
    bed.call(Op::WriteFile { path: "/tmp/a".into(), data: vec![], perm: None, append: false }).expect("it writes");
    assert_eq!(errno(bed.end(other.call(Lane::Main, Op::Stat("/tmp/a".into())))), Errno::ENOENT);
    let here = bed.begin(Op::Run { spec: acts("sleep:1000"), timeout_ns: None });
    let there = other.call(Lane::Main, Op::Run { spec: acts("sleep:1000"), timeout_ns: None });
    let begun = bed.sim.now();
    ran(bed.end(here));
    ran(bed.end(there));
    assert!(bed.sim.now() - begun < 1_100 * MS);
    drop(other);
    assert_eq!(bed.run("out:x").stdout, b"x\n");
}

#[test]
fn who_waits_for_whom_can_be_seen() {
    let bed = Bed::new();
    let (first, _) = bed.spawn("lock:/a sleep:100 lock:/b");
    let (second, _) = bed.spawn("lock:/b sleep:100 lock:/a");
    bed.pass(500 * MS);
    let Ok(Reply::WaitGraph(graph)) = bed.call(Op::Inspect) else { panic!("a graph") };
    assert_eq!(graph.deadlock().map(|cycle| cycle.len()), Some(2), "{graph:?}");
    bed.call(Op::ProcSignal { proc: first, signal: Signal::SIGKILL, group: false }).expect("it is there");
    assert_eq!(bed.wait(second).status, ExitStatus::Exited(0));
}

#[test]
fn a_deadlock_between_a_test_and_a_process_can_be_seen() {
    let bed = Bed::new();
    let (a, b) = (bed.open("/a", CREATE), bed.open("/b", CREATE));
    let lock = |file| Op::FileLock { file, kind: LockKind::Exclusive, block: true };
    bed.call(lock(a)).expect("it locks");
    let (_, pid) = bed.spawn("lock:/b sleep:10 lock:/a");
    bed.pass(50 * MS);
    let mut waits = bed.begin(lock(b));
    assert_eq!(bed.sim.block_on(&mut waits), None);
    let Ok(Reply::WaitGraph(graph)) = bed.call(Op::Inspect) else { panic!("a graph") };
    assert_eq!(graph.deadlock(), Some(vec![1, pid]), "{graph:?}");
    assert_eq!(graph.waiting[0].on, "flock on /b");
}

#[test]
fn what_can_never_happen_is_noticed() {
    let bed = Bed::new();
    bed.spawn("lock:/a spin");
    let (proc, _) = bed.spawn("kill:STOP");
    bed.call(Op::ProcWaitState { proc, state: provium_protocol::process::ProcState::Stopped, timeout_ns: None })
        .expect("it stops");
    let bed = Bed::new();
    let (proc, _) = bed.spawn("kill:STOP");
    assert_eq!(bed.sim.block_on(bed.begin(Op::ProcWait { proc, timeout_ns: None, kill: false })), None);
}

#[test]
fn a_test_can_add_programs_before_and_after_the_boot() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let program = |seen: &Rc<RefCell<Vec<String>>>| -> provium_protocol::program::Program {
        let seen = seen.clone();
        Rc::new(move |process| {
            let seen = seen.clone();
            Box::pin(async move {
                let args = process.args().into_iter().map(|arg| String::from_utf8_lossy(&arg).into_owned());
                seen.borrow_mut().push(args.collect::<Vec<_>>().join(" "));
                let home = process.env().into_iter().find(|(name, _)| name == b"HOME").map(|(_, value)| value);
                process.catch(Signal::SIGUSR1).await.expect("it can be caught");
                let line = process.read(0, 100).await.expect("input");
                let slept = process.sleep(1_000 * MS).await;
                assert_eq!((slept, process.caught()), (Err(Errno::EINTR), vec![Signal::SIGUSR1]));
                process.write(1, [&line[..], &home.unwrap_or_default()].concat()).await.expect("output");
                let fd = process.open(b"/tmp/made".to_vec(), 0o102, 0o644).await.expect("a file");
                process.close(fd).await.expect("it closes");
                assert!(process.exec(b"nonesuch".to_vec(), vec![]).await == Errno::ENOENT);
                process.exec(b"act".to_vec(), vec![b"out:!".to_vec(), b"exit:6".to_vec()]).await;
                1
            })
        })
    };
    let sim = sim();
    sim.define_program("early", program(&seen));
    let bed = Bed::with(sim, BootSpec::default());
    bed.sim.define_program("late", program(&seen));
    for name in ["early", "late"] {
        let mut spec = direct(name, &["a"]);
        spec.stdin = b"in".to_vec();
        let (proc, _) = spawned(bed.call(Op::Spawn(spec)));
        bed.pass(100 * MS);
        bed.call(Op::ProcSignal { proc, signal: Signal::SIGUSR1, group: false }).expect("it is there");
        let reply = bed.wait(proc);
        assert_eq!((reply.status, &reply.stdout[..]), (ExitStatus::Exited(6), &b"in/root!\n"[..]), "{name}");
        bed.call(Op::Unlink("/tmp/made".into())).expect("it was made");
    }
    assert_eq!(*seen.borrow(), ["early a", "late a"]);
    bed.sim.define_program("/opt/tool/run", Rc::new(|_| Box::pin(async { 8 })));
    for _ in 0..2 {
        assert!(matches!(bed.call(Op::Stat("/usr/local/bin/late".into())), Ok(Reply::Stat(_))));
        let run = Op::Run { spec: direct("/opt/tool/run", &[]), timeout_ns: None };
        assert_eq!(ran(bed.call(run)).status, ExitStatus::Exited(8));
        bed.call(Op::Reset).expect("it boots again");
    }
}
