//! Raw system calls and workers.

mod common;

use common::*;
use provium_protocol::exec::{ExecSpec, ExitStatus};
use provium_protocol::syscall::PtrTarget;
use provium_protocol::worker::WorkerState;
use provium_protocol::{Errno, ErrorKind, Lane, Op, OpError, Reply, Signal};

const BLOCKED: Op = Op::WorkerWaitBlocked { timeout_ns: Some(60 * SECOND) };
const LONG: [u8; 16] = 1000u128.to_le_bytes();

fn sleep() -> Op {
    with_bufs(libc::SYS_nanosleep, &[], &[&LONG], &[PtrTarget::Arg(0)])
}

fn flock(fd: i32, operation: i32) -> Op {
    plain(libc::SYS_flock, &[fd.into(), operation.into()])
}

#[test]
fn what_the_kernel_keeps_for_a_thread_lasts_from_call_to_call() {
    on_agent(async |bed| {
        let (one, two) = (bed.worker().await, bed.worker().await);
        let pid = i64::from(std::process::id());
        assert_eq!(raw(bed.on(one, plain(libc::SYS_getpid, &[])).await), pid);
        let tid = raw(bed.on(one, plain(libc::SYS_gettid, &[])).await);
        assert_ne!(raw(bed.on(two, plain(libc::SYS_gettid, &[])).await), tid);
        assert_eq!(raw(bed.on(one, plain(libc::SYS_gettid, &[])).await), tid);
        // The signal mask: block SIGUSR1, then ask.
        let block = with_bufs(
            libc::SYS_rt_sigprocmask,
            &[libc::SIG_BLOCK.into(), 0, 0, 8],
            &[&(1u64 << 9).to_le_bytes(), &[0; 8]],
            &[PtrTarget::Arg(1), PtrTarget::Arg(2)],
        );
        let ask = with_bufs(libc::SYS_rt_sigprocmask, &[0, 0, 0, 8], &[&[0xff; 8]], &[PtrTarget::Arg(2)]);
        let blocked = answer(bed.on(one, block).await);
        assert_eq!((blocked.raw, &blocked.bufs[1].0[..]), (0, &[0u8; 8][..]));
        assert_eq!(answer(bed.on(one, ask.clone()).await).bufs[0].0, (1u64 << 9).to_le_bytes());
        assert_eq!(answer(bed.on(two, ask).await).bufs[0].0, [0; 8]);
        // The name of the thread.
        let name = with_bufs(libc::SYS_prctl, &[libc::PR_SET_NAME.into()], &[b"mine\0"], &[PtrTarget::Arg(1)]);
        assert_eq!(raw(bed.on(one, name).await), 0);
        let ask = with_bufs(libc::SYS_prctl, &[libc::PR_GET_NAME.into()], &[&[0; 16]], &[PtrTarget::Arg(1)]);
        assert_eq!(answer(bed.on(one, ask).await).bufs[0].0[..5], *b"mine\0");
    });
}

#[test]
fn buffers_go_in_and_come_back_and_nothing_beyond_them_is_touched() {
    on_agent(async |bed| {
        let (_, fd) = bed.open(&bed.path("x"), CREATE).await;
        let fd = i64::from(fd);
        let write = with_bufs(libc::SYS_write, &[fd, 0, 5], &[b"hello"], &[PtrTarget::Arg(1)]);
        assert_eq!(raw(bed.call(write).await), 5);
        let read = with_bufs(libc::SYS_pread64, &[fd, 0, 3, 1], &[b"....."], &[PtrTarget::Arg(1)]);
        let read = answer(bed.call(read).await);
        assert_eq!((read.raw, &read.bufs[0].0[..]), (3, &b"ell.."[..]));
        // A length beyond the buffer.
        let stat = with_bufs(libc::SYS_fstat, &[fd], &[&[0; 8]], &[PtrTarget::Arg(1)]);
        assert_eq!(raw(bed.call(stat).await), -i64::from(Errno::EFAULT.0));
        // A vector that holds the addresses of others.
        let vector = [0u64.to_le_bytes(), 2u64.to_le_bytes(), 0u64.to_le_bytes(), 3u64.to_le_bytes()].concat();
        let ptrs = [PtrTarget::Arg(1), PtrTarget::Buf { buf: 0, offset: 0 }, PtrTarget::Buf { buf: 0, offset: 16 }];
        let readv = with_bufs(libc::SYS_preadv, &[fd, 0, 2, 0, 0], &[&vector, b"..", b"..."], &ptrs);
        let readv = answer(bed.call(readv).await);
        assert_eq!((readv.raw, &readv.bufs[1].0[..], &readv.bufs[2].0[..]), (5, &b"he"[..], &b"llo"[..]));
        assert_eq!(raw(bed.call(plain(9_999, &[])).await), -i64::from(Errno::ENOSYS.0));
        for nr in [libc::SYS_fork, libc::SYS_vfork, libc::SYS_clone, libc::SYS_execve, libc::SYS_exit_group] {
            assert_eq!(raw(bed.call(plain(nr, &[])).await), -i64::from(Errno::ENOSYS.0));
        }
        let (kind, _) = failed(bed.call(plain(libc::SYS_exit, &[0])).await);
        assert_eq!(kind, ErrorKind::Agent);
        assert_eq!(raw(bed.call(plain(libc::SYS_getpid, &[])).await), i64::from(std::process::id()));
    });
}

#[test]
fn a_held_call_is_blocked_and_holds_up_nobody() {
    on_agent(async |bed| {
        let worker = bed.worker().await;
        let path = bed.path("lock");
        let ((_, mine), (_, theirs)) = (bed.open(&path, CREATE).await, bed.open(&path, CREATE).await);
        let state = || bed.on(worker, Op::WorkerState);
        assert_eq!(raw(bed.call(flock(mine, libc::LOCK_EX)).await), 0);
        assert_eq!(state().await, Ok(Reply::WorkerState(WorkerState::Idle)));
        let held = bed.begin(Lane::Worker(worker), flock(theirs, libc::LOCK_EX));
        assert_eq!(bed.on(worker, BLOCKED).await, Ok(Reply::Unit));
        assert_eq!(state().await, Ok(Reply::WorkerState(WorkerState::Blocked)));
        assert_eq!(bed.run("echo x").await.stdout, b"x\n");
        let run = bed.on(worker, Op::Run { spec: ExecSpec::shell("exit 2"), timeout_ns: None }).await;
        assert_eq!(ran(run).status, ExitStatus::Exited(2));
        assert_eq!(raw(bed.call(flock(mine, libc::LOCK_UN)).await), 0);
        assert_eq!(raw(held.await.expect("it ends")), 0);
        assert_eq!(state().await, Ok(Reply::WorkerState(WorkerState::Idle)));
        // One that begins before there is anything to wait for is told all the same.
        let wait = bed.begin(Lane::Worker(worker), BLOCKED);
        tokio::task::yield_now().await;
        let held = bed.begin(Lane::Worker(worker), sleep());
        assert_eq!(wait.await.expect("it ends"), Ok(Reply::Unit));
        held.abort();
    });
}

#[test]
fn an_abandoned_call_lets_go_and_its_thread_stays() {
    on_agent(async |bed| {
        let worker = bed.worker().await;
        let path = bed.path("lock");
        let ((_, mine), (_, theirs)) = (bed.open(&path, CREATE).await, bed.open(&path, CREATE).await);
        let tid = raw(bed.on(worker, plain(libc::SYS_gettid, &[])).await);
        assert_eq!(raw(bed.call(flock(mine, libc::LOCK_EX)).await), 0);
        for round in 0..50 {
            let held = bed.begin(Lane::Worker(worker), flock(theirs, libc::LOCK_EX));
            match round % 3 {
                0 => drop(bed.on(worker, BLOCKED).await),
                1 => tokio::task::yield_now().await,
                _ => {}
            }
            held.abort();
            assert_eq!(raw(bed.on(worker, plain(libc::SYS_gettid, &[])).await), tid);
        }
        assert_eq!(raw(bed.call(flock(mine, libc::LOCK_UN)).await), 0);
        // Nobody took the lock behind the test's back.
        assert_eq!(raw(bed.call(flock(mine, libc::LOCK_EX | libc::LOCK_NB)).await), 0);
    });
}

#[test]
fn closing_a_worker_ends_all_that_is_its_own() {
    on_agent(async |bed| {
        bed.run("true").await;
        bed.call(plain(libc::SYS_getpid, &[])).await.expect("it answers");
        let before = descriptors();
        let worker = bed.worker().await;
        let lane = Lane::Worker(worker);
        let held = bed.begin(lane, sleep());
        let queued = bed.begin(lane, plain(libc::SYS_getpid, &[]));
        bed.on(worker, BLOCKED).await.expect("it blocks");
        let tasks = || std::fs::read_dir("/proc/self/task").expect("threads").count();
        let threads = tasks();
        let (proc, _) = spawned(bed.on(worker, Op::Spawn(ExecSpec::shell("sleep 1000 & exec sleep 1000"))).await);
        bed.on(worker, Op::OpenFile { path: bed.path("x").as_str().into(), mode: CREATE }).await.expect("it opens");
        let join = bed.on(worker, Op::WorkerJoin { timeout_ns: Some(10 * MS) }).await;
        assert_eq!(failed(join).0, ErrorKind::Timeout);
        assert_eq!(bed.on(worker, Op::WorkerClose).await, Ok(Reply::Unit));
        let closed = OpError::state("worker is closed");
        assert_eq!(held.await.expect("it ends"), Err(closed.clone()));
        assert_eq!(queued.await.expect("it ends"), Err(closed.clone()));
        assert_eq!(bed.on(worker, plain(libc::SYS_getpid, &[])).await, Err(closed));
        assert_eq!(bed.wait(proc).await.status, ExitStatus::Signalled(Signal::SIGTERM));
        assert_eq!(descriptors(), before);
        while tasks() >= threads {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_thread_that_blocks_every_signal_can_still_be_interrupted() {
    on_agent(async |bed| {
        let worker = bed.worker().await;
        let all = with_bufs(
            libc::SYS_rt_sigprocmask,
            &[libc::SIG_SETMASK.into(), 0, 0, 8],
            &[&[0xff; 8]],
            &[PtrTarget::Arg(1)],
        );
        let reply = answer(bed.on(worker, all).await);
        assert_eq!((reply.raw, &reply.bufs[0].0[..]), (0, &[0xff; 8][..]));
        let suspend = with_bufs(libc::SYS_rt_sigsuspend, &[0, 8], &[&[0xff; 8]], &[PtrTarget::Arg(0)]);
        for call in [sleep(), suspend] {
            let held = bed.begin(Lane::Worker(worker), call);
            bed.on(worker, BLOCKED).await.expect("it blocks");
            held.abort();
            assert_eq!(raw(bed.on(worker, plain(libc::SYS_getpid, &[])).await), i64::from(std::process::id()));
        }
    });
}

#[test]
fn a_call_that_makes_the_kernel_end_the_thread_is_told() {
    on_agent(async |bed| {
        let worker = bed.worker().await;
        // From now on only read, write, exit and sigreturn are allowed: the thread dies of its next call.
        const SECCOMP_MODE_STRICT: i64 = 1;
        let strict = plain(libc::SYS_prctl, &[libc::PR_SET_SECCOMP.into(), SECCOMP_MODE_STRICT]);
        assert_eq!(raw(bed.on(worker, strict).await), 0);
        let (kind, text) = failed(bed.on(worker, plain(libc::SYS_getpid, &[])).await);
        assert_eq!((kind, text.as_str()), (ErrorKind::Agent, "the thread of the system call ended in it"));
        let pid = i64::from(std::process::id());
        assert_eq!(raw(bed.on(worker, plain(libc::SYS_getpid, &[])).await), pid);
    });
}

#[test]
fn children_do_not_interrupt_held_calls() {
    on_agent(async |bed| {
        let worker = bed.worker().await;
        let held = bed.begin(Lane::Worker(worker), plain(libc::SYS_pause, &[]));
        bed.on(worker, BLOCKED).await.expect("it blocks");
        for _ in 0..20 {
            bed.run("true & true").await;
        }
        assert!(!held.is_finished());
        held.abort();
    });
}
