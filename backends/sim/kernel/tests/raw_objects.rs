//! Raw system calls on sockets, counters, timers, memory files and sets of watched files.

mod common;
#[path = "common/raw.rs"]
mod raw_calls;

use common::run;
use provium_kernel::flags::O_NONBLOCK;
use provium_kernel::raw::table::nr;
use provium_kernel::{Errno, SigAction, Signal, Sys};
use provium_protocol::syscall::PtrTarget;
use raw_calls::{call, errno};

const AF_UNIX: i64 = 1;
const STREAM: i64 = 1;
const DGRAM: i64 = 2;
const SEQPACKET: i64 = 5;
const MSG_DONTWAIT: i64 = 0x40;

fn sockaddr(name: &[u8]) -> Vec<u8> {
    [&[1, 0], name].concat()
}

async fn pair(sys: &Sys, kind: i64) -> (i64, i64) {
    let (result, bufs) = call(sys, nr::SOCKETPAIR, &[AF_UNIX, kind, 0, 0], &[(3, &[0; 8])]).await;
    assert_eq!(result, 0);
    (i64::from(bufs[0][0]), i64::from(bufs[0][4]))
}

async fn send(sys: &Sys, fd: i64, data: &[u8], flags: i64) -> i64 {
    call(sys, nr::SENDTO, &[fd, 0, data.len() as i64, flags], &[(1, data)]).await.0
}

async fn recv(sys: &Sys, fd: i64, len: usize, flags: i64) -> Result<Vec<u8>, i64> {
    let (result, bufs) = call(sys, nr::RECVFROM, &[fd, 0, len as i64, flags], &[(1, &vec![0; len])]).await;
    if result < 0 { Err(result) } else { Ok(bufs[0][..(result as usize).min(len)].to_vec()) }
}

#[test]
fn a_stream_joins_bytes_and_datagrams_keep_their_bounds() {
    run(|sys| {
        Box::pin(async move {
            let (a, b) = pair(&sys, STREAM).await;
            assert_eq!(send(&sys, a, b"abc", 0).await, 3);
            assert_eq!(send(&sys, a, b"def", 0).await, 3);
            assert_eq!(recv(&sys, b, 2, 2).await.unwrap(), b"ab", "peeked at");
            assert_eq!(recv(&sys, b, 5, 0).await.unwrap(), b"abcde");
            assert_eq!(recv(&sys, b, 5, 0).await.unwrap(), b"f");
            assert_eq!(recv(&sys, b, 5, MSG_DONTWAIT).await, Err(errno(Errno::EAGAIN)));
            for kind in [DGRAM, SEQPACKET] {
                let (a, b) = pair(&sys, kind).await;
                assert_eq!(send(&sys, a, b"abc", 0).await, 3);
                assert_eq!(send(&sys, a, b"", 0).await, 0);
                assert_eq!(send(&sys, a, b"def", 0).await, 3);
                assert_eq!(recv(&sys, b, 2, 0).await.unwrap(), b"ab");
                assert_eq!(recv(&sys, b, 2, 0).await.unwrap(), b"");
                let (len, _) = call(&sys, nr::RECVFROM, &[b, 0, 1, 0x20], &[(1, &[0])]).await;
                assert_eq!(len, 3, "the real length");
            }
        })
    });
}

#[test]
fn a_closed_end_is_the_end_and_then_a_broken_pipe() {
    run(|sys| {
        Box::pin(async move {
            sys.sigaction(Signal::SIGPIPE, SigAction::Catch).await.unwrap();
            let (a, b) = pair(&sys, STREAM).await;
            send(&sys, a, b"x", 0).await;
            call(&sys, nr::CLOSE, &[a], &[]).await;
            assert_eq!(recv(&sys, b, 5, 0).await.unwrap(), b"x");
            assert_eq!(recv(&sys, b, 5, 0).await.unwrap(), b"");
            assert_eq!(send(&sys, b, b"x", 0x4000).await, errno(Errno::EPIPE));
            sys.step().await;
            assert_eq!(sys.take_caught(), [], "MSG_NOSIGNAL");
            assert_eq!(send(&sys, b, b"x", 0).await, errno(Errno::EPIPE));
            sys.step().await;
            assert_eq!(sys.take_caught(), [Signal::SIGPIPE]);
            let (a, b) = pair(&sys, STREAM).await;
            send(&sys, a, b"x", 0).await;
            call(&sys, nr::CLOSE, &[b], &[]).await;
            assert_eq!(recv(&sys, a, 5, 0).await, Err(errno(Errno::ECONNRESET)), "what was sent was not read");
            assert_eq!(recv(&sys, a, 5, 0).await.unwrap(), b"");
            let (a, b) = pair(&sys, DGRAM).await;
            call(&sys, nr::CLOSE, &[b], &[]).await;
            assert_eq!(send(&sys, a, b"x", 0).await, errno(Errno::ECONNREFUSED));
            assert_eq!(send(&sys, a, b"x", 0).await, errno(Errno::ENOTCONN));
        })
    });
}

#[test]
fn a_server_is_found_by_path_and_by_abstract_name() {
    run(|sys| {
        Box::pin(async move {
            for name in [&b"/tmp/sock\0"[..], b"\0abstract"] {
                let address = sockaddr(name);
                let len = address.len() as i64;
                let (server, _) = call(&sys, nr::SOCKET, &[AF_UNIX, STREAM, 0], &[]).await;
                let (client, _) = call(&sys, nr::SOCKET, &[AF_UNIX, STREAM, 0], &[]).await;
                let connect = async || call(&sys, nr::CONNECT, &[client, 0, len], &[(1, &address)]).await.0;
                let absent = if name[0] == 0 { Errno::ECONNREFUSED } else { Errno::ENOENT };
                assert_eq!(connect().await, errno(absent));
                assert_eq!(call(&sys, nr::LISTEN, &[server, 1], &[]).await.0, errno(Errno::EINVAL), "no name");
                assert_eq!(call(&sys, nr::BIND, &[server, 0, len], &[(1, &address)]).await.0, 0);
                assert_eq!(connect().await, errno(Errno::ECONNREFUSED), "nobody listens");
                assert_eq!(call(&sys, nr::LISTEN, &[server, 1], &[]).await.0, 0);
                assert_eq!(connect().await, 0);
                assert_eq!(connect().await, errno(Errno::EISCONN));
                assert_eq!(send(&sys, client, b"hello", 0).await, 5, "before it is accepted");
                let (made, bufs) =
                    call(&sys, nr::ACCEPT, &[server, 0, 0], &[(1, &[9; 4]), (2, &4i32.to_le_bytes())]).await;
                assert_eq!((&bufs[0][..], bufs[1][0]), (&[1, 0, 9, 9][..], 2), "the client has no name");
                assert_eq!(recv(&sys, made, 9, 0).await.unwrap(), b"hello");
                let (_, bufs) =
                    call(&sys, nr::GETPEERNAME, &[client, 0, 0], &[(1, &[0; 110]), (2, &110i32.to_le_bytes())]).await;
                assert_eq!((bufs[1][0] as usize, &bufs[0][..address.len()]), (address.len(), &address[..]));
                let (_, bufs) =
                    call(&sys, nr::GETSOCKOPT, &[made, 1, 17], &[(3, &[0; 12]), (4, &12i32.to_le_bytes())]).await;
                assert_eq!(bufs[0][..4], sys.pid().to_le_bytes());
                let again = call(&sys, nr::SOCKET, &[AF_UNIX, STREAM, 0], &[]).await.0;
                let taken = call(&sys, nr::BIND, &[again, 0, len], &[(1, &address)]).await.0;
                assert_eq!(taken, errno(Errno::EADDRINUSE));
                for fd in [server, client, made, again] {
                    assert_eq!(call(&sys, nr::CLOSE, &[fd], &[]).await.0, 0);
                }
            }
            assert_eq!(sys.stat("/tmp/sock").await.unwrap().mode, 0o140_755);
        })
    });
}

#[test]
fn accept_and_connect_wait_for_each_other() {
    run(|sys| {
        Box::pin(async move {
            let address = sockaddr(b"\0x");
            let len = address.len() as i64;
            let (server, _) = call(&sys, nr::SOCKET, &[AF_UNIX, STREAM, 0], &[]).await;
            call(&sys, nr::BIND, &[server, 0, len], &[(1, &address)]).await;
            call(&sys, nr::LISTEN, &[server, 0], &[]).await;
            for _ in 0..3 {
                let address = address.clone();
                sys.fork(move |child| {
                    Box::pin(async move {
                        let (fd, _) = call(&child, nr::SOCKET, &[AF_UNIX, STREAM, 0], &[]).await;
                        assert_eq!(call(&child, nr::CONNECT, &[fd, 0, len], &[(1, &address)]).await.0, 0);
                        send(&child, fd, b"hi", 0).await;
                        0
                    })
                })
                .await
                .unwrap();
            }
            for _ in 0..3 {
                let (fd, _) = call(&sys, nr::ACCEPT, &[server, 0, 0], &[]).await;
                assert_eq!(recv(&sys, fd, 9, 0).await.unwrap(), b"hi");
                assert_eq!(recv(&sys, fd, 9, 0).await.unwrap(), b"");
            }
        })
    });
}

#[test]
fn descriptors_and_credentials_travel_with_a_message() {
    run(|sys| {
        Box::pin(async move {
            let (a, b) = pair(&sys, STREAM).await;
            let (read, write) = sys.pipe(0).await.unwrap();
            let on = 1i32.to_le_bytes();
            assert_eq!(call(&sys, nr::SETSOCKOPT, &[b, 1, 16, 0, 4], &[(3, &on)]).await.0, 0);
            let message = |control_len: u64| {
                let mut header = vec![0; 56];
                header[24..32].copy_from_slice(&1u64.to_le_bytes());
                header[40..48].copy_from_slice(&control_len.to_le_bytes());
                header
            };
            let iov = |len: u64| [[0; 8], len.to_le_bytes()].concat();
            let mut control = Vec::new();
            control.extend(20u64.to_le_bytes());
            control.extend(1i32.to_le_bytes());
            control.extend(1i32.to_le_bytes());
            control.extend(read.to_le_bytes());
            control.extend([0; 4]);
            let ptrs = [
                PtrTarget::Arg(1),
                PtrTarget::Buf { buf: 0, offset: 16 },
                PtrTarget::Buf { buf: 1, offset: 0 },
                PtrTarget::Buf { buf: 0, offset: 32 },
            ];
            let mut bufs = vec![message(24), iov(2), b"ok".to_vec(), control];
            assert_eq!(sys.raw_syscall(nr::SENDMSG, [a, 0, 0, 0, 0, 0], &mut bufs, &ptrs).await, 2);
            sys.close(read).await.unwrap();
            sys.write(write, b"through").await.unwrap();
            let mut bufs = vec![message(64), iov(10), vec![0; 10], vec![0; 64]];
            assert_eq!(sys.raw_syscall(nr::RECVMSG, [b, 0, 0, 0, 0, 0], &mut bufs, &ptrs).await, 2);
            assert_eq!(bufs[2][..2], *b"ok");
            let control = &bufs[3];
            assert_eq!((control[0], control[12], control[16]), (28, 2, sys.pid() as u8), "credentials");
            assert_eq!((control[32], control[44]), (20, 1), "rights");
            let got = i32::from_le_bytes(control[48..52].try_into().unwrap());
            assert_eq!(sys.read(got, 10).await.unwrap(), b"through");
        })
    });
}

#[test]
fn sockets_inside_of_sockets_are_closed_one_after_another() {
    run(|sys| {
        Box::pin(async move {
            // A long chain, each socket waiting in the next, would be too deep to close by recursion.
            let (mut a, mut b) = pair(&sys, STREAM).await;
            for _ in 0..3_000 {
                let (c, d) = pair(&sys, STREAM).await;
                let mut control = Vec::new();
                control.extend(24u64.to_le_bytes());
                control.extend(1i32.to_le_bytes());
                control.extend(1i32.to_le_bytes());
                control.extend((a as i32).to_le_bytes());
                control.extend((b as i32).to_le_bytes());
                let mut header = vec![0; 56];
                header[24..32].copy_from_slice(&1u64.to_le_bytes());
                header[40..48].copy_from_slice(&24u64.to_le_bytes());
                let ptrs = [
                    PtrTarget::Arg(1),
                    PtrTarget::Buf { buf: 0, offset: 16 },
                    PtrTarget::Buf { buf: 1, offset: 0 },
                    PtrTarget::Buf { buf: 0, offset: 32 },
                ];
                let mut bufs = vec![header, [[0; 8], 1u64.to_le_bytes()].concat(), vec![1], control];
                assert_eq!(sys.raw_syscall(nr::SENDMSG, [c, 0, 0, 0, 0, 0], &mut bufs, &ptrs).await, 1);
                sys.close(a as i32).await.unwrap();
                sys.close(b as i32).await.unwrap();
                (a, b) = (c, d);
            }
            sys.close(a as i32).await.unwrap();
            sys.close(b as i32).await.unwrap();
            let (a, _) = pair(&sys, STREAM).await;
            assert_eq!(a, 0);
        })
    });
}

#[test]
fn a_counter_blocks_at_its_ends() {
    run(|sys| {
        Box::pin(async move {
            let (fd, _) = call(&sys, nr::EVENTFD2, &[3, 1 | i64::from(O_NONBLOCK)], &[]).await;
            let read = async || call(&sys, nr::READ, &[fd, 0, 8], &[(1, &[0; 8])]).await;
            for _ in 0..3 {
                let (len, bufs) = read().await;
                assert_eq!((len, bufs[0][0]), (8, 1), "a semaphore gives one at a time");
            }
            assert_eq!(read().await.0, errno(Errno::EAGAIN));
            let largest = (u64::MAX - 1).to_le_bytes();
            assert_eq!(call(&sys, nr::WRITE, &[fd, 0, 8], &[(1, &largest)]).await.0, 8);
            assert_eq!(call(&sys, nr::WRITE, &[fd, 0, 8], &[(1, &1u64.to_le_bytes())]).await.0, errno(Errno::EAGAIN));
            assert_eq!(call(&sys, nr::WRITE, &[fd, 0, 8], &[(1, &[0xff; 8])]).await.0, errno(Errno::EINVAL));
            assert_eq!(call(&sys, nr::READ, &[fd, 0, 7], &[(1, &[0; 7])]).await.0, errno(Errno::EINVAL));
            assert_eq!(call(&sys, nr::LSEEK, &[fd, 5, 0], &[]).await.0, 0);
        })
    });
}

#[test]
fn a_memory_file_keeps_its_seals() {
    run(|sys| {
        Box::pin(async move {
            let (fd, _) = call(&sys, nr::MEMFD_CREATE, &[0, 2], &[(0, b"name\0")]).await;
            assert_eq!(call(&sys, nr::WRITE, &[fd, 0, 5], &[(1, b"hello")]).await.0, 5);
            assert_eq!(sys.readlink(format!("/proc/self/fd/{fd}")).await.unwrap(), b"/memfd:name (deleted)");
            assert_eq!(sys.read_file(format!("/proc/self/fd/{fd}")).await.unwrap(), b"hello");
            let (stat, stat_free) = (sys.fstat(fd as i32).await.unwrap(), sys.sysinfo().await.free_ram);
            assert_eq!((stat.nlink, stat.size, stat.mode), (0, 5, 0o100_777));
            // F_SEAL_GROW | F_SEAL_SHRINK
            assert_eq!(call(&sys, nr::FCNTL, &[fd, 1033, 6], &[]).await.0, 0);
            assert_eq!(call(&sys, nr::FTRUNCATE, &[fd, 9], &[]).await.0, errno(Errno::EPERM));
            assert_eq!(call(&sys, nr::FTRUNCATE, &[fd, 1], &[]).await.0, errno(Errno::EPERM));
            assert_eq!(call(&sys, nr::PWRITE64, &[fd, 0, 1, 0], &[(1, b"J")]).await.0, 1);
            // F_SEAL_WRITE | F_SEAL_SEAL
            assert_eq!(call(&sys, nr::FCNTL, &[fd, 1033, 9], &[]).await.0, 0);
            assert_eq!(call(&sys, nr::PWRITE64, &[fd, 0, 1, 0], &[(1, b"J")]).await.0, errno(Errno::EPERM));
            assert_eq!(call(&sys, nr::FCNTL, &[fd, 1033, 9], &[]).await.0, errno(Errno::EPERM));
            assert_eq!(call(&sys, nr::FCNTL, &[fd, 1034], &[]).await.0, 15);
            sys.close(fd as i32).await.unwrap();
            assert_eq!(sys.sysinfo().await.free_ram, stat_free + 4096, "its page is given back");
        })
    });
}

#[test]
fn a_timer_counts_how_often_it_fired() {
    run(|sys| {
        Box::pin(async move {
            let (fd, _) = call(&sys, nr::TIMERFD_CREATE, &[1, 0], &[]).await;
            let ms = |ms: u64| [0u64.to_le_bytes(), (ms * 1_000_000).to_le_bytes()].concat();
            let setting = [ms(10), ms(20)].concat();
            assert_eq!(call(&sys, nr::TIMERFD_SETTIME, &[fd, 0, 0, 0], &[(2, &setting)]).await.0, 0);
            let began = sys.now();
            let (_, bufs) = call(&sys, nr::READ, &[fd, 0, 8], &[(1, &[0; 8])]).await;
            assert_eq!(bufs[0][0], 1);
            assert!((20_000_000..21_000_000).contains(&(sys.now() - began)));
            sys.nanosleep(35_000_000).await.unwrap();
            let (_, bufs) = call(&sys, nr::READ, &[fd, 0, 8], &[(1, &[0; 8])]).await;
            assert_eq!(bufs[0][0], 3);
            let pollfd = [fd as u8, 0, 0, 0, 1, 0, 0, 0];
            assert_eq!(call(&sys, nr::POLL, &[0, 1, -1], &[(0, &pollfd)]).await.0, 1, "poll waits for it too");
        })
    });
}

#[test]
fn a_set_reports_by_level_by_edge_and_once() {
    run(|sys| {
        Box::pin(async move {
            let (epoll, _) = call(&sys, nr::EPOLL_CREATE1, &[0], &[]).await;
            let (read, write) = sys.pipe(0).await.unwrap();
            let event = |events: u32| [&events.to_le_bytes()[..], &77u64.to_le_bytes()].concat();
            let ctl = async |op: i64, events: u32| {
                call(&sys, nr::EPOLL_CTL, &[epoll, op, i64::from(read)], &[(3, &event(events))]).await.0
            };
            let wait = async || {
                let (found, bufs) = call(&sys, nr::EPOLL_WAIT, &[epoll, 0, 4, 0], &[(1, &[0; 48])]).await;
                assert!(found <= 0 || bufs[0][4] == 77);
                (found, u32::from_le_bytes(bufs[0][..4].try_into().unwrap()))
            };
            assert_eq!(ctl(1, 1).await, 0);
            assert_eq!(ctl(1, 1).await, errno(Errno::EEXIST));
            assert_eq!(wait().await.0, 0);
            sys.write(write, b"x").await.unwrap();
            assert_eq!(wait().await, (1, 1));
            assert_eq!(wait().await, (1, 1), "by level");
            assert_eq!(ctl(3, 1 | 1 << 31).await, 0);
            assert_eq!(wait().await, (1, 1));
            assert_eq!(wait().await.0, 0, "by edge");
            sys.write(write, b"x").await.unwrap();
            assert_eq!(wait().await, (1, 1));
            assert_eq!(ctl(3, 1 | 1 << 30).await, 0);
            assert_eq!(wait().await, (1, 1));
            sys.write(write, b"x").await.unwrap();
            assert_eq!(wait().await.0, 0, "once");
            assert_eq!(ctl(3, 1).await, 0);
            sys.close(write).await.unwrap();
            assert_eq!(wait().await, (1, 0x11));
            sys.close(read).await.unwrap();
            assert_eq!(wait().await.0, 0, "a closed file leaves the set");
            let own = call(&sys, nr::EPOLL_CTL, &[epoll, 1, epoll], &[(3, &event(1))]).await.0;
            assert_eq!(own, errno(Errno::EINVAL));
        })
    });
}
