//! Processes, signals, pipes and locks of the simulated kernel.

mod common;

use std::rc::Rc;

use common::{run, run_with};
use provium_kernel::flags::{LOCK_EX, O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_WRONLY};
use provium_kernel::{Errno, SigAction, Signal, WaitFor, WaitOptions, WaitStatus};
use provium_protocol::choice::Seeded;

#[test]
fn a_child_is_waited_for_and_its_code_comes_back() {
    let (pid, status) = run(|sys| {
        Box::pin(async move {
            let pid = sys.fork(|_| Box::pin(async { 7 })).await.unwrap();
            let reaped = sys.wait(WaitFor::Any, WaitOptions::default()).await.unwrap().unwrap();
            assert_eq!(reaped.0, pid);
            assert_eq!(sys.wait(WaitFor::Any, WaitOptions::default()).await, Err(Errno::ECHILD));
            reaped
        })
    });
    assert!(pid > 2);
    assert_eq!(status, WaitStatus::Exited(7));
}

#[test]
fn a_pipe_carries_bytes_and_ends_with_its_writer() {
    let all = run(|sys| {
        Box::pin(async move {
            let (read, write) = sys.pipe(0).await.unwrap();
            sys.fork(move |child| {
                Box::pin(async move {
                    child.close(read).await.unwrap();
                    child.write_all(write, &vec![b'x'; 200_000]).await.unwrap();
                    0
                })
            })
            .await
            .unwrap();
            sys.close(write).await.unwrap();
            sys.read_to_end(read).await.unwrap()
        })
    });
    assert_eq!(all.len(), 200_000);
}

#[test]
fn a_signal_ends_a_sleeper_and_a_stop_freezes_it() {
    run(|sys| {
        Box::pin(async move {
            let pid = sys
                .fork(|child| {
                    Box::pin(async move {
                        child.nanosleep(1_000_000_000_000).await.unwrap();
                        0
                    })
                })
                .await
                .unwrap();
            sys.nanosleep(1_000_000).await.unwrap();
            sys.kill(pid, Some(Signal::SIGSTOP)).await.unwrap();
            let options = WaitOptions { untraced: true, continued: true, ..WaitOptions::default() };
            let stopped = sys.wait(WaitFor::Pid(pid), options).await.unwrap().unwrap();
            assert_eq!(stopped.1, WaitStatus::Stopped(Signal::SIGSTOP));
            sys.kill(pid, Some(Signal::SIGCONT)).await.unwrap();
            let continued = sys.wait(WaitFor::Pid(pid), options).await.unwrap().unwrap();
            assert_eq!(continued.1, WaitStatus::Continued);
            sys.kill(pid, Some(Signal::SIGTERM)).await.unwrap();
            let ended = sys.wait(WaitFor::Pid(pid), options).await.unwrap().unwrap();
            assert_eq!(ended.1, WaitStatus::Signalled(Signal::SIGTERM, false));
        })
    });
}

#[test]
fn a_caught_signal_interrupts_a_sleep() {
    run(|sys| {
        Box::pin(async move {
            sys.sigaction(Signal::SIGALRM, SigAction::Catch).await.unwrap();
            sys.alarm(Some(5_000_000)).await.unwrap();
            assert_eq!(sys.nanosleep(1_000_000_000).await, Err(Errno::EINTR));
            assert_eq!(sys.take_caught(), [Signal::SIGALRM]);
        })
    });
}

#[test]
fn an_exclusive_lock_is_held_by_one_at_a_time_under_any_schedule() {
    for seed in 0..50 {
        let log = run_with(Rc::new(Seeded::new(seed)), |sys| {
            Box::pin(async move {
                for name in [b"a", b"b", b"c"] {
                    sys.fork(move |child| {
                        Box::pin(async move {
                            let lock = child.open("/tmp/lock", O_CREAT | O_RDWR, 0o644).await.unwrap();
                            child.flock(lock, LOCK_EX).await.unwrap();
                            let log = child.open("/tmp/log", O_CREAT | O_WRONLY | O_APPEND, 0o644).await.unwrap();
                            child.write_all(log, name).await.unwrap();
                            child.nanosleep(1_000).await.unwrap();
                            child.write_all(log, name).await.unwrap();
                            0
                        })
                    })
                    .await
                    .unwrap();
                }
                for _ in 0..3 {
                    sys.wait(WaitFor::Any, WaitOptions::default()).await.unwrap();
                }
                sys.read_file("/tmp/log").await.unwrap()
            })
        });
        assert_eq!(log.len(), 6);
        assert!(log.chunks(2).all(|pair| pair[0] == pair[1]), "seed {seed}: {}", String::from_utf8_lossy(&log));
    }
}

#[test]
fn a_fifo_brings_its_two_ends_together() {
    let text = run(|sys| {
        Box::pin(async move {
            sys.mknod("/tmp/fifo", provium_kernel::flags::S_IFIFO | 0o644, 0).await.unwrap();
            sys.fork(|child| {
                Box::pin(async move {
                    let fd = child.open("/tmp/fifo", O_WRONLY, 0).await.unwrap();
                    child.write_all(fd, b"hello").await.unwrap();
                    0
                })
            })
            .await
            .unwrap();
            let fd = sys.open("/tmp/fifo", O_RDONLY, 0).await.unwrap();
            sys.read_to_end(fd).await.unwrap()
        })
    });
    assert_eq!(text, b"hello");
}
