//! Raw system calls: pointers, structures, and what they return.

mod common;
#[path = "common/raw.rs"]
mod raw_calls;

use std::mem::size_of;

use common::run;
use provium_kernel::Errno;
use provium_kernel::flags::{O_APPEND, O_CREAT, O_NONBLOCK, O_RDWR, O_WRONLY};
use provium_kernel::raw::table::nr;
use provium_protocol::syscall::PtrTarget;
use raw_calls::{call, errno};

/// A structure of the host's C library from the bytes that a call wrote.
fn structure<T: Copy>(bytes: &[u8]) -> T {
    assert_eq!(bytes.len(), size_of::<T>());
    // SAFETY: T is a C structure of numbers, for which all bytes are good, and the length was checked.
    unsafe { std::ptr::read_unaligned(bytes.as_ptr().cast()) }
}

#[test]
fn a_file_is_written_and_read_through_pointers() {
    run(|sys| {
        Box::pin(async move {
            let (fd, _) = call(&sys, nr::OPEN, &[0, i64::from(O_CREAT | O_RDWR), 0o644], &[(0, b"/tmp/a\0")]).await;
            assert_eq!(fd, 0, "the process has no descriptors before");
            assert_eq!(call(&sys, nr::WRITE, &[fd, 0, 5], &[(1, b"hello")]).await.0, 5);
            assert_eq!(call(&sys, nr::LSEEK, &[fd, -4, 1], &[]).await.0, 1);
            let (read, bufs) = call(&sys, nr::READ, &[fd, 0, 100], &[(1, &[0; 100])]).await;
            assert_eq!((read, &bufs[0][..5]), (4, &b"ello\0"[..]));
            let (read, bufs) = call(&sys, nr::PREAD64, &[fd, 0, 2, 3], &[(1, &[0; 2])]).await;
            assert_eq!((read, &bufs[0][..]), (2, &b"lo"[..]));
            assert_eq!(call(&sys, nr::CLOSE, &[fd], &[]).await.0, 0);
            assert_eq!(call(&sys, nr::CLOSE, &[fd], &[]).await.0, errno(Errno::EBADF));
        })
    });
}

#[test]
fn wrong_pointers_are_bad_addresses_and_unknown_calls_are_not_there() {
    run(|sys| {
        Box::pin(async move {
            let (fd, _) = call(&sys, nr::OPEN, &[0, i64::from(O_CREAT | O_RDWR), 0o644], &[(0, b"/tmp/a\0")]).await;
            assert_eq!(call(&sys, nr::OPEN, &[0, 0], &[(0, b"/tmp/a")]).await.0, errno(Errno::EFAULT), "no NUL");
            assert_eq!(call(&sys, nr::OPEN, &[0, 0], &[]).await.0, errno(Errno::EFAULT), "null");
            assert_eq!(call(&sys, nr::READ, &[fd, 0, 6], &[(1, &[0; 5])]).await.0, errno(Errno::EFAULT));
            assert_eq!(call(&sys, nr::READ, &[99, 0, 6], &[(1, &[0; 5])]).await.0, errno(Errno::EBADF));
            assert_eq!(call(&sys, nr::READ, &[fd, 0, 0], &[]).await.0, 0, "no bytes, no address");
            let long = [&b"/"[..], &[b'x'; 5000], b"\0"].concat();
            assert_eq!(call(&sys, nr::OPEN, &[0, 0], &[(0, &long)]).await.0, errno(Errno::ENAMETOOLONG));
            assert_eq!(call(&sys, 9, &[], &[]).await.0, errno(Errno::ENOSYS));
            assert_eq!(call(&sys, u64::MAX, &[], &[]).await.0, errno(Errno::ENOSYS));
        })
    });
}

#[test]
fn structures_are_laid_out_as_the_c_library_knows_them() {
    run(|sys| {
        Box::pin(async move {
            let (fd, _) = call(&sys, nr::OPEN, &[0, i64::from(O_CREAT | O_RDWR), 0o640], &[(0, b"/tmp/a\0")]).await;
            call(&sys, nr::WRITE, &[fd, 0, 5], &[(1, b"hello")]).await;
            let known = sys.stat("/tmp/a").await.unwrap();
            let (result, bufs) = call(&sys, nr::STAT, &[0, 0], &[(0, b"/tmp/a\0"), (1, &[0; 144])]).await;
            assert_eq!(result, 0);
            let stat: libc::stat = structure(&bufs[1]);
            assert_eq!(
                (stat.st_ino, stat.st_mode, stat.st_nlink, stat.st_size, stat.st_blocks, stat.st_blksize),
                (known.ino, 0o100_640, 1, 5, 8, 4096)
            );
            assert_eq!((stat.st_mtime, stat.st_mtime_nsec), (known.mtime.sec, i64::from(known.mtime.nsec)));
            let args = [i64::from(libc::AT_FDCWD), 0, 0, 0xfff, 0];
            let (result, bufs) = call(&sys, nr::STATX, &args, &[(1, b"/tmp/a\0"), (4, &[0; 256])]).await;
            assert_eq!(result, 0);
            let statx: libc::statx = structure(&bufs[1]);
            assert_eq!((statx.stx_mode, statx.stx_size, statx.stx_ino), (0o100_640, 5, known.ino));
            assert_eq!(statx.stx_mtime.tv_sec, known.mtime.sec);
            assert_eq!(statx.stx_mask & libc::STATX_BASIC_STATS, libc::STATX_BASIC_STATS);
            let (_, bufs) =
                call(&sys, nr::STATFS, &[0, 0], &[(0, b"/tmp\0"), (1, &[0; size_of::<libc::statfs>()])]).await;
            let statfs: libc::statfs = structure(&bufs[1]);
            assert_eq!((statfs.f_type, statfs.f_namelen, statfs.f_bsize), (libc::TMPFS_MAGIC, 255, 4096));
            let (_, bufs) = call(&sys, nr::UNAME, &[0], &[(0, &[0; size_of::<libc::utsname>()])]).await;
            let name: libc::utsname = structure(&bufs[0]);
            assert_eq!(name.machine[..6].iter().map(|byte| *byte as u8).collect::<Vec<u8>>(), b"x86_64");
            let (_, bufs) = call(&sys, nr::SYSINFO, &[0], &[(0, &[0; size_of::<libc::sysinfo>()])]).await;
            let info: libc::sysinfo = structure(&bufs[0]);
            assert_eq!((info.totalram, info.procs, info.mem_unit), (512 << 20, 2, 1));
            let (_, bufs) = call(&sys, nr::PRLIMIT64, &[0, 7, 0, 0], &[(3, &[0; 16])]).await;
            let limit: libc::rlimit = structure(&bufs[0]);
            assert_eq!((limit.rlim_cur, limit.rlim_max), (1024, 4096));
        })
    });
}

#[test]
fn a_directory_is_listed_as_records_and_from_where_it_stood() {
    run(|sys| {
        Box::pin(async move {
            sys.mkdir("/tmp/d", 0o755).await.unwrap();
            for name in ["/tmp/d/a", "/tmp/d/bb", "/tmp/d/ccc"] {
                let fd = sys.open(name, O_CREAT | O_WRONLY, 0o644).await.unwrap();
                sys.close(fd).await.unwrap();
            }
            let (fd, _) = call(&sys, nr::OPEN, &[0, 0o200_000], &[(0, b"/tmp/d\0")]).await;
            assert_eq!(call(&sys, nr::GETDENTS64, &[fd, 0, 10], &[(1, &[0; 10])]).await.0, errno(Errno::EINVAL));
            let mut names = Vec::new();
            let mut offsets = Vec::new();
            loop {
                let (len, bufs) = call(&sys, nr::GETDENTS64, &[fd, 0, 60], &[(1, &[0; 60])]).await;
                assert!(len >= 0, "{len}");
                if len == 0 {
                    break;
                }
                let mut rest = &bufs[0][..len as usize];
                while !rest.is_empty() {
                    let record = u16::from_le_bytes([rest[16], rest[17]]) as usize;
                    let end = rest[19..].iter().position(|byte| *byte == 0).unwrap();
                    names.push((String::from_utf8_lossy(&rest[19..19 + end]).into_owned(), rest[18]));
                    offsets.push(i64::from_le_bytes(rest[8..16].try_into().unwrap()));
                    rest = &rest[record..];
                }
            }
            let dir = |name: &str| (name.to_owned(), libc::DT_DIR);
            let file = |name: &str| (name.to_owned(), libc::DT_REG);
            assert_eq!(names, [dir("."), dir(".."), file("a"), file("bb"), file("ccc")]);
            assert_eq!(call(&sys, nr::LSEEK, &[fd, offsets[2], 0], &[]).await.0, offsets[2]);
            let (_, bufs) = call(&sys, nr::GETDENTS64, &[fd, 0, 60], &[(1, &[0; 60])]).await;
            assert_eq!(&bufs[0][19..22], b"bb\0");
        })
    });
}

#[test]
fn vectors_are_gathered_and_scattered() {
    run(|sys| {
        Box::pin(async move {
            let (fd, _) = call(&sys, nr::OPEN, &[0, i64::from(O_CREAT | O_RDWR), 0o644], &[(0, b"/tmp/a\0")]).await;
            let iov = |lens: [u64; 2]| {
                let mut bytes = vec![0; 32];
                bytes[8..16].copy_from_slice(&lens[0].to_le_bytes());
                bytes[24..32].copy_from_slice(&lens[1].to_le_bytes());
                bytes
            };
            let ptrs = [PtrTarget::Arg(1), PtrTarget::Buf { buf: 0, offset: 0 }, PtrTarget::Buf { buf: 0, offset: 16 }];
            let mut bufs = vec![iov([3, 2]), b"abc".to_vec(), b"de".to_vec()];
            assert_eq!(sys.raw_syscall(nr::WRITEV, [fd, 0, 2, 0, 0, 0], &mut bufs, &ptrs).await, 5);
            let mut bufs = vec![iov([2, 9]), vec![0; 2], vec![0; 9]];
            assert_eq!(sys.raw_syscall(nr::PREADV, [fd, 0, 2, 1, 0, 0], &mut bufs, &ptrs).await, 4);
            assert_eq!((&bufs[1][..], &bufs[2][..3]), (&b"bc"[..], &b"de\0"[..]));
            let mut bufs = vec![iov([2, 10]), vec![0; 2], vec![0; 9]];
            let result = sys.raw_syscall(nr::READV, [fd, 0, 2, 0, 0, 0], &mut bufs, &ptrs).await;
            assert_eq!(result, errno(Errno::EFAULT));
        })
    });
}

#[test]
fn record_locks_of_files_and_of_processes_meet() {
    run(|sys| {
        Box::pin(async move {
            let flock = |kind: i16, start: i64, len: i64| {
                let mut bytes = vec![0; 32];
                bytes[..2].copy_from_slice(&kind.to_le_bytes());
                bytes[8..16].copy_from_slice(&start.to_le_bytes());
                bytes[16..24].copy_from_slice(&len.to_le_bytes());
                bytes
            };
            let open = [0, i64::from(O_CREAT | O_RDWR), 0o644];
            let (a, _) = call(&sys, nr::OPEN, &open, &[(0, b"/tmp/a\0")]).await;
            let (b, _) = call(&sys, nr::OPEN, &open, &[(0, b"/tmp/a\0")]).await;
            let ofd_set = |fd| [fd, i64::from(libc::F_OFD_SETLK)];
            assert_eq!(call(&sys, nr::FCNTL, &ofd_set(a), &[(2, &flock(1, 0, 10))]).await.0, 0);
            let taken = call(&sys, nr::FCNTL, &ofd_set(b), &[(2, &flock(0, 5, 10))]).await.0;
            assert_eq!(taken, errno(Errno::EAGAIN));
            let (_, bufs) = call(&sys, nr::FCNTL, &[b, i64::from(libc::F_GETLK)], &[(2, &flock(0, 5, 10))]).await;
            let found: libc::flock = structure(&bufs[0]);
            assert_eq!((found.l_type, found.l_start, found.l_len, found.l_pid), (1, 0, 10, -1));
            assert_eq!(call(&sys, nr::CLOSE, &[a], &[]).await.0, 0);
            assert_eq!(call(&sys, nr::FCNTL, &ofd_set(b), &[(2, &flock(1, 5, 0))]).await.0, 0);
        })
    });
}

#[test]
fn select_and_poll_say_what_is_ready() {
    run(|sys| {
        Box::pin(async move {
            let (_, bufs) = call(&sys, nr::PIPE2, &[0, i64::from(O_NONBLOCK)], &[(0, &[0; 8])]).await;
            let (read, write) = (bufs[0][0], bufs[0][4]);
            let (ready, bufs) = call(
                &sys,
                nr::SELECT,
                &[i64::from(write) + 1],
                &[(1, &(1u64 << read).to_le_bytes()), (2, &(1u64 << write).to_le_bytes())],
            )
            .await;
            assert_eq!((ready, bufs[0][0], bufs[1][0]), (1, 0, 1 << write));
            let pollfd = [read, 0, 0, 0, 1, 0, 9, 9];
            let before = sys.now();
            let (ready, bufs) = call(&sys, nr::POLL, &[0, 1, 50], &[(0, &pollfd)]).await;
            assert_eq!((ready, &bufs[0][6..]), (0, &[0, 0][..]));
            assert!(sys.now() - before >= 50_000_000);
            assert_eq!(call(&sys, nr::READ, &[i64::from(read), 0, 1], &[(1, &[0])]).await.0, errno(Errno::EAGAIN));
            call(&sys, nr::WRITE, &[i64::from(write), 0, 1], &[(1, b"x")]).await;
            let (ready, bufs) = call(&sys, nr::POLL, &[0, 1, -1], &[(0, &pollfd)]).await;
            assert_eq!((ready, &bufs[0][6..]), (1, &[1, 0][..]));
            let (_, bufs) = call(&sys, nr::IOCTL, &[i64::from(read), 0x541b], &[(2, &[0; 4])]).await;
            assert_eq!(bufs[0], [1, 0, 0, 0]);
        })
    });
}

#[test]
fn ids_are_those_of_one_thread_and_a_signal_can_be_held_and_taken() {
    run(|sys| {
        Box::pin(async move {
            let done = std::rc::Rc::new(std::cell::Cell::new(false));
            let flag = done.clone();
            sys.spawn_thread(move |other| {
                Box::pin(async move {
                    assert_eq!(call(&other, nr::SETUID, &[65_534], &[]).await.0, 0);
                    assert_eq!(call(&other, nr::GETEUID, &[], &[]).await.0, 65_534);
                    let denied = call(&other, nr::OPEN, &[0, 0], &[(0, b"/root/x\0")]).await.0;
                    assert_eq!(denied, errno(Errno::EACCES));
                    let set = (1u64 << 9).to_le_bytes();
                    assert_eq!(call(&other, nr::RT_SIGPROCMASK, &[0, 0, 0, 8], &[(1, &set)]).await.0, 0);
                    let (pid, tid) = (i64::from(other.pid()), i64::from(other.tid()));
                    assert_ne!(pid, tid);
                    assert_eq!(call(&other, nr::TGKILL, &[pid, tid, 10], &[]).await.0, 0);
                    let (_, bufs) = call(&other, nr::RT_SIGPENDING, &[0, 8], &[(0, &[0; 8])]).await;
                    assert_eq!(bufs[0], set);
                    assert_eq!(call(&other, nr::RT_SIGTIMEDWAIT, &[0, 0, 0, 8], &[(0, &set)]).await.0, 10);
                    let nothing = call(&other, nr::RT_SIGTIMEDWAIT, &[0, 0, 0, 8], &[(0, &set), (2, &[0; 16])]).await;
                    assert_eq!(nothing.0, errno(Errno::EAGAIN));
                    flag.set(true);
                    0
                })
            })
            .unwrap();
            while !done.get() {
                sys.nanosleep(1_000_000).await.unwrap();
            }
            assert_eq!(sys.credentials().await.unwrap().euid, 0);
        })
    });
}

#[test]
fn a_held_call_ends_with_its_thread() {
    run(|sys| {
        Box::pin(async move {
            let (read, write) = sys.pipe(0).await.unwrap();
            let thread = sys
                .spawn_thread(move |other| {
                    Box::pin(async move {
                        call(&other, nr::READ, &[i64::from(read), 0, 1], &[(1, &[0])]).await;
                        unreachable!("nothing is ever written")
                    })
                })
                .unwrap();
            assert_eq!(sys.wait_thread_asleep(&thread).await, Ok(true));
            sys.machine().cancel_thread(&thread);
            assert_eq!(sys.wait_thread_asleep(&thread).await, Ok(false));
            sys.write_all(write, b"x").await.unwrap();
            assert_eq!(sys.read(read, 1).await.unwrap(), b"x");
        })
    });
}

#[test]
fn a_write_beyond_the_file_size_limit_is_cut_and_then_refused() {
    run(|sys| {
        Box::pin(async move {
            sys.sigaction(provium_kernel::Signal::SIGXFSZ, provium_kernel::SigAction::Ignore).await.unwrap();
            let limit = [4u64.to_le_bytes(), u64::MAX.to_le_bytes()].concat();
            assert_eq!(call(&sys, nr::SETRLIMIT, &[1], &[(1, &limit)]).await.0, 0);
            let flags = i64::from(O_CREAT | O_WRONLY | O_APPEND);
            let (fd, _) = call(&sys, nr::OPEN, &[0, flags, 0o644], &[(0, b"/tmp/a\0")]).await;
            assert_eq!(call(&sys, nr::WRITE, &[fd, 0, 6], &[(1, b"abcdef")]).await.0, 4);
            assert_eq!(call(&sys, nr::WRITE, &[fd, 0, 6], &[(1, b"abcdef")]).await.0, errno(Errno::EFBIG));
        })
    });
}
