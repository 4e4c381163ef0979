//! Commands and processes.

mod common;

use common::*;
use provium_protocol::exec::{ByteString, ExecSpec, ExitStatus};
use provium_protocol::process::{OutputStream, ProcState};
use provium_protocol::{Errno, ErrorKind, Lane, Op, OpError, Reply, Signal};

#[test]
fn a_command_runs_and_tells_how_it_ended() {
    on_agent(async |bed| {
        let run = bed.run("echo out; echo err >&2; exit 3").await;
        assert_eq!(run.status, ExitStatus::Exited(3));
        assert_eq!((&run.stdout[..], &run.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
        let killed = bed.run("kill -TERM $$").await;
        assert_eq!(killed.status, ExitStatus::Signalled(Signal::SIGTERM));
        assert_eq!(
            ran(bed.call(Op::Run { spec: direct("true", &[]), timeout_ns: None }).await).status,
            ExitStatus::Exited(0)
        );
    });
}

#[test]
fn a_command_gets_what_it_was_promised() {
    on_agent(async |bed| {
        let mut spec = ExecSpec::shell("cat; echo $A; pwd; ls -l /proc/self/fd | grep -c -e '->'");
        spec.stdin = b"given\n".to_vec();
        spec.env = vec![("A".into(), "b c".into())];
        spec.cwd = Some("/proc".into());
        let run = ran(bed.call(Op::Run { spec, timeout_ns: None }).await);
        // Three standard descriptors, and the one through which `ls` reads the directory.
        assert_eq!(String::from_utf8_lossy(&run.stdout), "given\nb c\n/proc\n4\n");
        let mut spec = ExecSpec::new(direct("/usr/bin/env", &[]).command);
        spec.env_clear = true;
        spec.env = vec![("ONLY".into(), ByteString(vec![0xff]))];
        let run = ran(bed.call(Op::Run { spec, timeout_ns: None }).await);
        assert_eq!(run.stdout, b"ONLY=\xff\n");
        // A group of its own, no signal ignored or blocked, though the agent ignores one.
        let run = bed.run("ps -o pgid= -p $$ | tr -d ' '; echo $$; grep -E 'SigBlk|SigIgn' /proc/self/status").await;
        let text = String::from_utf8_lossy(&run.stdout).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], lines[1]);
        assert_eq!(lines[2..], ["SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"]);
    });
}

#[test]
fn a_program_that_cannot_be_started_says_why() {
    on_agent(async |bed| {
        let start = |spec| bed.call(Op::Run { spec, timeout_ns: None });
        let errno = |outcome: Outcome| outcome.expect_err("it fails").errno;
        assert_eq!(errno(start(direct("no-such-program", &[])).await), Some(Errno::ENOENT));
        assert_eq!(errno(start(direct("/", &[])).await), Some(Errno::EACCES));
        bed.call(Op::WriteFile {
            path: bed.path("x").as_str().into(),
            data: b"\x01".to_vec(),
            perm: Some(0o755),
            append: false,
        })
        .await
        .expect("it writes");
        assert_eq!(errno(start(direct(&bed.path("x"), &[])).await), Some(Errno::ENOEXEC));
        let mut spec = direct("true", &[]);
        spec.cwd = Some("/no/such/place".into());
        let expected = OpError::os(Errno::ENOENT, "start `true` in /no/such/place");
        assert_eq!(start(spec).await, Err(expected));
        // EACCES wins over what comes behind it.
        let mut spec = direct("x", &[]);
        bed.call(Op::Chmod { path: bed.path("x").as_str().into(), mode: 0o644 }).await.expect("it changes");
        spec.env = vec![("PATH".into(), format!("{}:/no/such/place", bed.dir.0.display()).as_str().into())];
        assert_eq!(errno(start(spec).await), Some(Errno::EACCES));
    });
}

#[test]
fn a_timeout_kills_the_whole_group_and_covers_the_pipes() {
    on_agent(async |bed| {
        let spec = ExecSpec::shell("echo begun; sleep 1000 & sleep 1000");
        let run = ran(bed.call(Op::Run { spec, timeout_ns: Some(300 * MS) }).await);
        assert_eq!((run.status, &run.stdout[..]), (ExitStatus::TimedOut, &b"begun\n"[..]));
        // One that left the group holds the pipe; the result comes all the same.
        let spec = ExecSpec::shell("setsid sleep 5 & exit 0");
        let run = ran(bed.call(Op::Run { spec, timeout_ns: Some(300 * MS) }).await);
        assert_eq!(run.status, ExitStatus::TimedOut);
    });
}

#[test]
fn processes_are_signalled_and_their_states_seen() {
    on_agent(async |bed| {
        let (proc, pid) = bed.spawn("exec sleep 1000").await;
        let state = |state| bed.call(Op::ProcWaitState { proc, state, timeout_ns: Some(60 * SECOND) });
        assert_eq!(state(ProcState::Sleeping).await, Ok(Reply::ProcState(ProcState::Sleeping)));
        let signal = |signal| bed.call(Op::ProcSignal { proc, signal, group: false });
        assert_eq!(signal(Signal::SIGSTOP).await, Ok(Reply::Bool(true)));
        assert_eq!(state(ProcState::Stopped).await, Ok(Reply::ProcState(ProcState::Stopped)));
        assert_eq!(bed.call(Op::ProcState(proc)).await, Ok(Reply::ProcState(ProcState::Stopped)));
        assert_eq!(signal(Signal::SIGKILL).await, Ok(Reply::Bool(true)));
        assert_eq!(state(ProcState::Gone).await, Ok(Reply::ProcState(ProcState::Gone)));
        assert_eq!(bed.wait(proc).await.status, ExitStatus::Signalled(Signal::SIGKILL));
        assert_eq!(signal(Signal::SIGTERM).await, Ok(Reply::Bool(false)));
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
        let (busy, _) = bed.spawn("while :; do :; done").await;
        let state = Op::ProcWaitState { proc: busy, state: ProcState::Running, timeout_ns: None };
        assert_eq!(bed.call(state).await, Ok(Reply::ProcState(ProcState::Running)));
        assert_eq!(bed.call(Op::ProcClose(busy)).await, Ok(Reply::Unit));
    });
}

#[test]
fn a_process_is_seen_as_its_program_as_soon_as_it_is_told_of() {
    on_agent(async |bed| {
        for _ in 0..50 {
            let (proc, pid) = spawned(bed.call(Op::Spawn(direct("sleep", &["1000"]))).await);
            let read = |name: &str| bed.call(Op::ReadFile(format!("/proc/{pid}/{name}").as_str().into()));
            assert_eq!(bytes(read("cmdline").await), b"sleep\x001000\0");
            assert_eq!(bytes(read("comm").await), b"sleep\n");
            bed.call(Op::ProcSignal { proc, signal: Signal::SIGKILL, group: false }).await.expect("it is killed");
        }
    });
}

#[test]
fn closing_is_patient_and_then_is_not() {
    on_agent(async |bed| {
        let (polite, _) = bed.spawn("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done").await;
        let (stubborn, _) = bed.spawn("trap '' TERM; echo ready; while :; do sleep 0.05; done").await;
        for proc in [polite, stubborn] {
            let stream = streamed(bed.call(Op::ProcStream { proc, output: OutputStream::Stdout }).await);
            bed.expect(stream, "ready").await;
            assert_eq!(bed.call(Op::ProcClose(proc)).await, Ok(Reply::Unit));
        }
        assert_eq!(bed.wait(polite).await.status, ExitStatus::Exited(7));
        assert_eq!(bed.wait(stubborn).await.status, ExitStatus::Signalled(Signal::SIGKILL));
    });
}

#[test]
fn standard_input_is_a_pipe_that_may_stay_open() {
    on_agent(async |bed| {
        let mut spec = ExecSpec::shell("cat");
        spec.stdin = b"one ".to_vec();
        spec.stdin_open = true;
        let (proc, _) = spawned(bed.call(Op::Spawn(spec)).await);
        let write = |data: Vec<u8>| bed.call(Op::StdinWrite { proc, data });
        assert_eq!(write(b"two ".to_vec()).await, Ok(Reply::Count(4)));
        let large = vec![b'x'; 1 << 20];
        assert_eq!(write(large).await, Ok(Reply::Count(1 << 20)));
        assert_eq!(bed.call(Op::StdinClose(proc)).await, Ok(Reply::Unit));
        assert_eq!(bed.call(Op::StdinClose(proc)).await, Ok(Reply::Unit));
        assert_eq!(failed(write(vec![1]).await).0, ErrorKind::State);
        let reply = bed.wait(proc).await;
        assert_eq!((reply.stdout.len(), &reply.stdout[..10]), (8 + (1 << 20), &b"one two xx"[..]));
        // Nobody reads it: an error, and no signal that ends the agent.
        let mut spec = ExecSpec::shell("exec 0<&-; echo closed; sleep 1000");
        spec.stdin_open = true;
        let (proc, _) = spawned(bed.call(Op::Spawn(spec)).await);
        let stream = streamed(bed.call(Op::ProcStream { proc, output: OutputStream::Stdout }).await);
        bed.expect(stream, "closed").await;
        let error = bed.call(Op::StdinWrite { proc, data: vec![1] }).await.expect_err("nobody reads it");
        assert_eq!(error.errno, Some(Errno::EPIPE));
        bed.call(Op::ProcClose(proc)).await.expect("it closes");
    });
}

#[test]
fn an_abandoned_run_is_killed() {
    on_agent(async |bed| {
        let path = bed.path("pid");
        let op = Op::Run {
            spec: ExecSpec::shell(format!("echo $$ > {path}.new; mv {path}.new {path}; exec sleep 1000")),
            timeout_ns: None,
        };
        let run = bed.begin(Lane::Main, op);
        let pid = loop {
            match bed.call(Op::ReadFile(path.as_str().into())).await {
                Ok(Reply::Bytes(pid)) => break String::from_utf8_lossy(&pid).trim().to_owned(),
                _ => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            }
        };
        run.abort();
        while std::path::Path::new(&format!("/proc/{pid}")).exists() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    });
}

#[test]
fn output_above_the_limit_is_dropped_and_said_to_be() {
    on_agent(async |bed| {
        let mut spec = ExecSpec::shell("head -c 104857600 /dev/zero; echo done >&2");
        spec.max_output = 1 << 20;
        let run = ran(bed.call(Op::Run { spec, timeout_ns: None }).await);
        assert_eq!((run.status, run.stdout.len(), run.truncated), (ExitStatus::Exited(0), 1 << 20, true));
        assert_eq!(run.stderr, b"done\n");
    });
}

#[test]
fn a_thousand_commands_at_once_all_end_and_leave_nothing() {
    on_agent(async |bed| {
        bed.run("true").await;
        let before = descriptors();
        let runs: Vec<_> = (0..1000)
            .map(|n| {
                let spec = direct("sh", &["-c", &format!("echo {n}; exit {}", n % 7)]);
                bed.begin(Lane::Main, Op::Run { spec, timeout_ns: None })
            })
            .collect();
        for (n, run) in (0..).zip(runs) {
            let run = ran(run.await.expect("it is not aborted"));
            assert_eq!((run.status, run.stdout), (ExitStatus::Exited(n % 7), format!("{n}\n").into_bytes()));
        }
        assert_eq!(descriptors(), before);
        assert_eq!(children(), Vec::<i32>::new());
    });
}
