//! Files, directories and streams of files.

mod common;

use std::ffi::CString;
use std::time::Duration;

use common::*;
use provium_protocol::exec::ExecSpec;
use provium_protocol::fs::{DirEntry, EntryType, FileStat, LockKind, TailStart, Whence};
use provium_protocol::process::OutputStream;
use provium_protocol::{Errno, ErrorKind, Lane, Op, OpError, Reply};

fn errno(outcome: Outcome) -> Option<Errno> {
    outcome.expect_err("it fails").errno
}

fn stat(outcome: Outcome) -> FileStat {
    match outcome {
        Ok(Reply::Stat(stat)) => stat,
        other => panic!("not a stat: {other:?}"),
    }
}

fn mkfifo(path: &str) {
    let path = CString::new(path).expect("no NUL");
    // SAFETY: `path` ends in a NUL.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
}

fn write(path: &str, data: &[u8], append: bool) -> Op {
    Op::WriteFile { path: path.into(), data: data.to_vec(), perm: None, append }
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

async fn files_by_path(bed: Bed) {
    let (a, b, sub) = (bed.path("a"), bed.path("b"), bed.path("sub/deep"));
    assert_eq!(bed.call(write(&a, b"hello", false)).await, Ok(Reply::Count(5)));
    assert_eq!(bed.call(write(&a, b" you", true)).await, Ok(Reply::Count(4)));
    assert_eq!(bytes(bed.call(Op::ReadFile(a.as_str().into())).await), b"hello you");
    let large: Vec<u8> = (0..5_000_000u32).map(|n| n.to_le_bytes()[1]).collect();
    assert_eq!(bed.call(write(&b, &large, false)).await, Ok(Reply::Count(5_000_000)));
    assert_eq!(bytes(bed.call(Op::ReadFile(b.as_str().into())).await), large);
    let status = bytes(bed.call(Op::ReadFile("/proc/self/status".into())).await);
    assert!(status.starts_with(b"Name:"));
    assert_eq!(bed.call(Op::Chmod { path: a.as_str().into(), mode: 0o4751 }).await, Ok(Reply::Unit));
    let found = stat(bed.call(Op::Stat(a.as_str().into())).await);
    assert_eq!((found.size, found.mode, found.nlink), (9, 0o104_751, 1));
    let mkdir = Op::Mkdir { path: sub.as_str().into(), parents: true, perm: Some(0o700) };
    assert_eq!(bed.call(mkdir.clone()).await, Ok(Reply::Unit));
    assert_eq!(bed.call(mkdir).await, Ok(Reply::Unit));
    let target = "t".repeat(3000);
    let link = bed.path("link");
    let symlink = Op::Symlink { target: target.as_str().into(), path: link.as_str().into() };
    assert_eq!(bed.call(symlink).await, Ok(Reply::Unit));
    assert_eq!(bytes(bed.call(Op::Readlink(link.as_str().into())).await), target.as_bytes());
    assert_eq!(EntryType::from_mode(stat(bed.call(Op::Lstat(link.as_str().into())).await).mode), EntryType::Symlink);
    assert_eq!(errno(bed.call(Op::Stat(link.as_str().into())).await), Some(Errno::ENAMETOOLONG));
    mkfifo(&bed.path("pipe"));
    let Ok(Reply::Entries(entries)) = bed.call(Op::ListDir(bed.dir.0.to_string_lossy().as_ref().into())).await else {
        panic!("it lists")
    };
    let entry = |name: &str, entry_type| DirEntry { name: name.into(), entry_type };
    let expected = [
        entry("a", EntryType::File),
        entry("b", EntryType::File),
        entry("link", EntryType::Symlink),
        entry("pipe", EntryType::Fifo),
        entry("sub", EntryType::Directory),
    ];
    assert_eq!(entries, expected);
    let rename = Op::Rename { from: a.as_str().into(), to: bed.path("sub/a").as_str().into() };
    assert_eq!(bed.call(rename).await, Ok(Reply::Unit));
    assert_eq!(errno(bed.call(Op::ReadFile(a.as_str().into())).await), Some(Errno::ENOENT));
    assert_eq!(errno(bed.call(Op::Unlink(bed.path("sub").as_str().into())).await), Some(Errno::ENOTEMPTY));
    assert_eq!(bed.call(Op::Unlink(sub.as_str().into())).await, Ok(Reply::Unit));
    assert_eq!(bed.call(Op::Unlink(link.as_str().into())).await, Ok(Reply::Unit));
    assert_eq!(errno(bed.call(Op::ListDir(b.as_str().into())).await), Some(Errno::ENOTDIR));
}

#[test]
fn files_by_path_in_memory() {
    on_agent(files_by_path);
}

#[test]
fn files_by_path_on_disk() {
    on_agent_on_disk(files_by_path);
}

#[test]
fn a_directory_of_many_entries_is_whole() {
    on_agent(async |bed| {
        for n in 0..3000 {
            std::fs::write(bed.path(&format!("a-rather-long-name-{n}")), b"").expect("it writes");
        }
        let listed = bed.call(Op::ListDir(bed.dir.0.to_string_lossy().as_ref().into())).await;
        assert!(matches!(listed, Ok(Reply::Entries(entries)) if entries.len() == 3000));
    });
}

async fn open_files(bed: Bed) {
    let (file, fd) = bed.open(&bed.path("x"), CREATE).await;
    assert!(fd > 2);
    let write = |data: &[u8]| bed.call(Op::FileWrite { file, data: data.to_vec(), all: true });
    let seek = |offset, whence| bed.call(Op::FileSeek { file, offset, whence });
    assert_eq!(write(b"0123456789").await, Ok(Reply::Count(10)));
    assert_eq!(seek(-4, Whence::End).await, Ok(Reply::Count(6)));
    assert_eq!(bytes(bed.call(Op::FileRead { file, len: 100 }).await), b"6789");
    assert_eq!(bytes(bed.call(Op::FileRead { file, len: 256 << 20 }).await), b"");
    assert_eq!(errno(seek(-1, Whence::Set).await), Some(Errno::EINVAL));
    assert_eq!(seek(0, Whence::Set).await, Ok(Reply::Count(0)));
    assert_eq!(bytes(bed.call(Op::FileReadAll(file)).await), b"0123456789");
    assert_eq!(bed.call(Op::FileTruncate { file, len: 3 }).await, Ok(Reply::Unit));
    assert_eq!(bed.call(Op::FileSync(file)).await, Ok(Reply::Unit));
    assert_eq!(seek(0, Whence::Current).await, Ok(Reply::Count(10)));
    assert_eq!(bytes(bed.call(Op::ReadFile(bed.path("x").as_str().into())).await), b"012");
    assert_eq!(bed.call(Op::FileClose(file)).await, Ok(Reply::Unit));
    assert_eq!(bed.call(Op::FileClose(file)).await, Ok(Reply::Unit));
    assert_eq!(bed.call(Op::FileRead { file, len: 1 }).await, Err(OpError::state("file is closed")));
}

#[test]
fn open_files_in_memory() {
    on_agent(open_files);
}

#[test]
fn open_files_on_disk() {
    on_agent_on_disk(open_files);
}

#[test]
fn a_lock_is_waited_for_and_given_up() {
    on_agent(async |bed| {
        let path = bed.path("lock");
        let ((mine, _), (theirs, _)) = (bed.open(&path, CREATE).await, bed.open(&path, CREATE).await);
        let lock = |file, block| Op::FileLock { file, kind: LockKind::Exclusive, block };
        assert_eq!(bed.call(lock(mine, false)).await, Ok(Reply::Unit));
        assert_eq!(errno(bed.call(lock(theirs, false)).await), Some(Errno::EAGAIN));
        for _ in 0..50 {
            let held = bed.begin(Lane::Main, lock(theirs, true));
            tokio::task::yield_now().await;
            held.abort();
        }
        let held = bed.begin(Lane::Main, lock(theirs, true));
        pause().await;
        let graph = bed.call(Op::Inspect).await;
        let Ok(Reply::WaitGraph(graph)) = graph else { panic!("a graph: {graph:?}") };
        let on = format!("flock on {path}");
        assert!(graph.waiting.iter().any(|waiting| waiting.on == on), "{graph:?}");
        assert!(!held.is_finished());
        assert_eq!(bed.call(Op::FileUnlock(mine)).await, Ok(Reply::Unit));
        assert_eq!(held.await.expect("it ends"), Ok(Reply::Unit));
        // Closing a file ends what is under way on it, and frees its lock at once.
        let held = bed.begin(Lane::Main, lock(mine, true));
        pause().await;
        assert_eq!(bed.call(Op::FileClose(mine)).await, Ok(Reply::Unit));
        assert_eq!(failed(held.await.expect("it ends")).0, ErrorKind::State);
        let (again, _) = bed.open(&path, CREATE).await;
        assert_eq!(bed.call(Op::FileClose(theirs)).await, Ok(Reply::Unit));
        assert_eq!(bed.call(lock(again, false)).await, Ok(Reply::Unit));
    });
}

#[test]
fn an_open_of_a_fifo_waits_for_its_other_end_and_is_given_up() {
    on_agent(async |bed| {
        let path = bed.path("pipe");
        mkfifo(&path);
        bed.run("true").await;
        let before = descriptors();
        for round in 0..20 {
            let open = bed.begin(Lane::Main, Op::OpenFile { path: path.as_str().into(), mode: READ });
            if round % 2 == 0 {
                pause().await;
            } else {
                tokio::task::yield_now().await;
            }
            assert!(!open.is_finished());
            open.abort();
        }
        // Nobody opens it any more: a writer that does not wait finds no reader.
        let mut left = true;
        for _ in 0..500 {
            let run = bed.run(&format!("dd if=/dev/null of={path} oflag=nonblock conv=notrunc 2>&1")).await;
            left = run.status == provium_protocol::exec::ExitStatus::Exited(0);
            if !left {
                break;
            }
        }
        assert!(!left, "somebody still opens the FIFO");
        assert_eq!(descriptors(), before);
        let reader = bed.begin(Lane::Main, Op::OpenFile { path: path.as_str().into(), mode: READ });
        let mode = provium_protocol::fs::OpenMode { read: false, ..CREATE };
        let (writer, _) = bed.open(&path, mode).await;
        let Ok(Reply::Opened { file: reader, .. }) = reader.await.expect("it ends") else { panic!("it opens") };
        let read = bed.begin(Lane::Main, Op::FileRead { file: reader, len: 10 });
        pause().await;
        assert!(!read.is_finished());
        let write = Op::FileWrite { file: writer, data: b"through".to_vec(), all: true };
        assert_eq!(bed.call(write.clone()).await, Ok(Reply::Count(7)));
        assert_eq!(bytes(read.await.expect("it ends")), b"through");
        // A read that was given up took nothing.
        let read = bed.begin(Lane::Main, Op::FileRead { file: reader, len: 10 });
        pause().await;
        read.abort();
        pause().await;
        assert_eq!(bed.call(write.clone()).await, Ok(Reply::Count(7)));
        assert_eq!(bytes(bed.call(Op::FileRead { file: reader, len: 10 }).await), b"through");
        bed.call(Op::FileClose(reader)).await.expect("it closes");
        assert_eq!(errno(bed.call(write).await), Some(Errno::EPIPE));
        bed.call(Op::FileClose(writer)).await.expect("it closes");
        assert_eq!(descriptors(), before);
    });
}

async fn tails(bed: Bed) {
    let path = bed.path("log");
    bed.call(write(&path, b"old\n", false)).await.expect("it writes");
    let tail = |start| bed.call(Op::TailFile { path: path.as_str().into(), start });
    let end = streamed(tail(TailStart::End).await);
    let beginning = streamed(tail(TailStart::Beginning).await);
    let others: Vec<_> = [tail(TailStart::End).await, tail(TailStart::End).await].map(streamed).into();
    assert_eq!(bed.expect(beginning, "old\n").await, b"old\n");
    for line in ["one\n", "two\n"] {
        bed.call(write(&path, line.as_bytes(), true)).await.expect("it writes");
        for stream in [end, beginning].into_iter().chain(others.iter().copied()) {
            assert_eq!(bed.expect(stream, line).await, line.as_bytes());
        }
    }
    bed.call(write(&path, b"new\n", false)).await.expect("it writes");
    assert_eq!(bed.expect(end, "new\n").await, b"new\n");
    for stream in [end, beginning].into_iter().chain(others) {
        assert_eq!(bed.call(Op::StreamClose(stream)).await, Ok(Reply::Unit));
    }
}

#[test]
fn tails_in_memory() {
    on_agent(tails);
}

#[test]
fn tails_on_disk() {
    on_agent_on_disk(tails);
}

#[test]
fn streams_give_everything_in_order_however_slowly_they_are_read() {
    on_agent(async |bed| {
        let (proc, _) = bed.spawn("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done").await;
        let stream = streamed(bed.call(Op::ProcStream { proc, output: OutputStream::Stdout }).await);
        let all = bed.drain(stream).await;
        let expected: String = (0..20_000).map(|n| format!("line {n}\n")).collect();
        assert!(all == expected.as_bytes(), "{} bytes", all.len());
        // Ten at once, each more than the pipe and the window hold, read one after the other.
        let mut streams = Vec::new();
        for n in 0..10 {
            let size = 3_000_000 + n;
            let mut spec = ExecSpec::shell(format!("read go; head -c {size} /dev/zero | tr '\\0' {n}"));
            (spec.max_output, spec.stdin_open) = (0, true);
            let (proc, _) = spawned(bed.call(Op::Spawn(spec)).await);
            streams.push((n, streamed(bed.call(Op::ProcStream { proc, output: OutputStream::Stdout }).await)));
            assert_eq!(bed.call(Op::StdinClose(proc)).await, Ok(Reply::Unit));
        }
        for (n, stream) in streams {
            let all = bed.drain(stream).await;
            assert_eq!(all.len(), 3_000_000 + n);
            assert!(all.iter().all(|byte| usize::from(byte - b'0') == n));
        }
    });
}

#[test]
fn a_hundred_held_reads_hold_up_nobody() {
    on_agent(async |bed| {
        let path = bed.path("pipe");
        mkfifo(&path);
        let mode = provium_protocol::fs::OpenMode { read: true, ..CREATE };
        let (file, _) = bed.open(&path, mode).await;
        let reads: Vec<_> = (0..100).map(|_| bed.begin(Lane::Main, Op::FileRead { file, len: 1 })).collect();
        pause().await;
        assert_eq!(bed.run("echo x").await.stdout, b"x\n");
        assert_eq!(bed.call(write(&bed.path("other"), b"x", false)).await, Ok(Reply::Count(1)));
        assert!(reads.iter().all(|read| !read.is_finished()));
        let write = Op::FileWrite { file, data: b"x".to_vec(), all: true };
        assert_eq!(bed.call(write).await, Ok(Reply::Count(1)));
        while !reads.iter().any(|read| read.is_finished()) {
            tokio::task::yield_now().await;
        }
        bed.call(Op::FileClose(file)).await.expect("it closes");
        let mut got = 0;
        for read in reads {
            got += usize::from(read.await.expect("it ends") == Ok(Reply::Bytes(b"x".to_vec())));
        }
        assert_eq!(got, 1);
    });
}
