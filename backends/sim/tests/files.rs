//! Files by path and open files.

mod common;

use common::*;
use provium_protocol::fs::{DirEntry, EntryType, FileStat, LockKind, OpenMode, Whence};
use provium_protocol::limits::MAX_READ;
use provium_protocol::{Backend, Errno, ErrorKind, Op, OpError, Reply};

fn write(bed: &Bed, path: &str, text: &str) {
    let op = Op::WriteFile { path: path.into(), data: text.as_bytes().to_vec(), perm: None, append: false };
    assert_eq!(bed.call(op), Ok(Reply::Count(text.len() as u64)));
}

fn stat(bed: &Bed, path: &str) -> FileStat {
    match bed.call(Op::Stat(path.into())) {
        Ok(Reply::Stat(stat)) => stat,
        other => panic!("{other:?}"),
    }
}

fn mkdir(path: &str, parents: bool, perm: Option<u32>) -> Op {
    Op::Mkdir { path: path.into(), parents, perm }
}

#[test]
fn whole_files_are_written_and_read() {
    let bed = Bed::new();
    write(&bed, "/tmp/a", "one");
    assert_eq!(bytes(bed.call(Op::ReadFile("/tmp/a".into()))), "one");
    assert_eq!(stat(&bed, "/tmp/a").mode, 0o100_644);
    let append = Op::WriteFile { path: "/tmp/a".into(), data: b" two".to_vec(), perm: Some(0o666), append: true };
    assert_eq!(bed.call(append), Ok(Reply::Count(4)));
    assert_eq!(bytes(bed.call(Op::ReadFile("/tmp/a".into()))), "one two");
    assert_eq!(stat(&bed, "/tmp/a").mode, 0o100_666, "what is asked for is set whatever the umask says");
    write(&bed, "/tmp/a", "");
    assert_eq!(stat(&bed, "/tmp/a").size, 0);
}

#[test]
fn errors_name_the_operation_and_the_path() {
    let bed = Bed::new();
    let (kind, text) = failed(bed.call(Op::ReadFile("/tmp/none".into())));
    assert_eq!((kind, text.as_str()), (ErrorKind::Os, "read_file /tmp/none: No such file or directory (ENOENT)"));
    assert_eq!(failed(bed.call(Op::ReadFile("/tmp".into()))).1, "read_file /tmp: Is a directory (EISDIR)");
    assert_eq!(failed(bed.call(Op::Stat("/x/y".into()))).1, "stat /x/y: No such file or directory (ENOENT)");
    let rename = Op::Rename { from: "/no".into(), to: "/yes".into() };
    assert_eq!(failed(bed.call(rename)).1, "rename /no to /yes: No such file or directory (ENOENT)");
    let open = Op::OpenFile { path: "/tmp/none".into(), mode: READ };
    assert_eq!(failed(bed.call(open)).1, "open /tmp/none: No such file or directory (ENOENT)");
    let (kind, text) = failed(bed.call(Op::Stat("/tmp/a\0b".into())));
    assert_eq!((kind, text.as_str()), (ErrorKind::Usage, "the path has a NUL byte at position 6: `/tmp/a\\x00b`"));
}

#[test]
fn directories_are_made_listed_and_removed() {
    let bed = Bed::new();
    assert_eq!(errno(bed.call(mkdir("/tmp/a/b", false, None))), Errno::ENOENT);
    assert_eq!(bed.call(mkdir("/tmp/a/b", true, Some(0o777))), Ok(Reply::Unit));
    assert_eq!(bed.call(mkdir("/tmp/a/b", true, None)), Ok(Reply::Unit));
    assert_eq!(errno(bed.call(mkdir("/tmp/a/b", false, None))), Errno::EEXIST);
    assert_eq!((stat(&bed, "/tmp/a").mode, stat(&bed, "/tmp/a/b").mode), (0o40_755, 0o40_777));
    write(&bed, "/tmp/a/z", "");
    assert_eq!(errno(bed.call(mkdir("/tmp/a/z", true, None))), Errno::EEXIST);
    assert_eq!(errno(bed.call(mkdir("/tmp/a/z/y", true, None))), Errno::ENOTDIR);
    let link = Op::Symlink { target: "z".into(), path: "/tmp/a/c".into() };
    assert_eq!(bed.call(link), Ok(Reply::Unit));
    let entry = |name: &str, entry_type| DirEntry { name: name.into(), entry_type };
    let entries = vec![entry("b", EntryType::Directory), entry("c", EntryType::Symlink), entry("z", EntryType::File)];
    assert_eq!(bed.call(Op::ListDir("/tmp/a".into())), Ok(Reply::Entries(entries)));
    assert_eq!(failed(bed.call(Op::Unlink("/tmp/a".into()))).1, "unlink /tmp/a: Directory not empty (ENOTEMPTY)");
    for path in ["/tmp/a/b", "/tmp/a/c", "/tmp/a/z", "/tmp/a"] {
        assert_eq!(bed.call(Op::Unlink(path.into())), Ok(Reply::Unit), "{path}");
    }
    assert_eq!(errno(bed.call(Op::ListDir("/tmp/a".into()))), Errno::ENOENT);
}

#[test]
fn links_are_followed_or_not() {
    let bed = Bed::new();
    write(&bed, "/tmp/a", "text");
    bed.call(Op::Symlink { target: "a".into(), path: "/tmp/l".into() }).expect("it links");
    assert_eq!(bytes(bed.call(Op::Readlink("/tmp/l".into()))), "a");
    assert_eq!(stat(&bed, "/tmp/l").size, 4);
    let Ok(Reply::Stat(link)) = bed.call(Op::Lstat("/tmp/l".into())) else { panic!("lstat") };
    assert_eq!((EntryType::from_mode(link.mode), link.size), (EntryType::Symlink, 1));
    bed.call(Op::Rename { from: "/tmp/l".into(), to: "/tmp/m".into() }).expect("it renames");
    assert_eq!(bytes(bed.call(Op::ReadFile("/tmp/m".into()))), "text");
    bed.call(Op::Chmod { path: "/tmp/m".into(), mode: 0o600 }).expect("it changes");
    assert_eq!(stat(&bed, "/tmp/a").mode, 0o100_600);
}

#[test]
fn open_files_are_read_and_written_in_pieces() {
    let bed = Bed::new();
    let file = bed.open("/tmp/a", CREATE);
    let write = |data: &[u8], all| bed.call(Op::FileWrite { file, data: data.to_vec(), all });
    assert_eq!(write(b"hello ", false), Ok(Reply::Count(6)));
    assert_eq!(write(b"world", true), Ok(Reply::Count(5)));
    let seek = |offset, whence| bed.call(Op::FileSeek { file, offset, whence });
    assert_eq!(seek(0, Whence::Current), Ok(Reply::Count(11)));
    assert_eq!(seek(-5, Whence::End), Ok(Reply::Count(6)));
    assert_eq!(bytes(bed.call(Op::FileRead { file, len: 2 })), "wo");
    assert_eq!(bytes(bed.call(Op::FileReadAll(file))), "rld");
    assert_eq!(bytes(bed.call(Op::FileRead { file, len: 9 })), "");
    assert_eq!(seek(0, Whence::Set), Ok(Reply::Count(0)));
    assert_eq!(bytes(bed.call(Op::FileReadAll(file))), "hello world");
    assert_eq!(failed(seek(-1, Whence::Set)).1, "seek /tmp/a: Invalid argument (EINVAL)");
    assert_eq!(bed.call(Op::FileTruncate { file, len: 5 }), Ok(Reply::Unit));
    assert_eq!(bed.call(Op::FileSync(file)), Ok(Reply::Unit));
    assert_eq!(bytes(bed.call(Op::ReadFile("/tmp/a".into()))), "hello");
    assert_eq!(bed.call(Op::FileClose(file)), Ok(Reply::Unit));
    assert_eq!(bed.call(Op::FileClose(file)), Ok(Reply::Unit));
    let closed = Err(OpError::state("file is closed"));
    assert_eq!(bed.call(Op::FileRead { file, len: 1 }), closed);
    assert_eq!(seek(0, Whence::Set), closed);
    assert_eq!(failed(bed.call(Op::FileClose(file + 50))).1, format!("there is no file with handle {}", file + 50));
}

#[test]
fn modes_of_opening_are_kept_to() {
    let bed = Bed::new();
    let open = |mode| bed.call(Op::OpenFile { path: "/tmp/a".into(), mode });
    let (kind, text) = failed(open(OpenMode::default()));
    assert_eq!((kind, text.as_str()), (ErrorKind::Usage, "open /tmp/a: at least one of read, write, append is needed"));
    let new = OpenMode { exclusive: true, perm: Some(0o600), ..CREATE };
    let first = bed.open("/tmp/a", new);
    assert_eq!(errno(open(new)), Errno::EEXIST);
    assert_eq!(stat(&bed, "/tmp/a").mode, 0o100_600);
    let append = bed.open("/tmp/a", OpenMode { append: true, ..OpenMode::default() });
    bed.call(Op::FileWrite { file: first, data: b"one".to_vec(), all: true }).expect("it writes");
    bed.call(Op::FileWrite { file: append, data: b"two".to_vec(), all: true }).expect("it writes");
    assert_eq!(bytes(bed.call(Op::ReadFile("/tmp/a".into()))), "onetwo");
    assert_eq!(errno(bed.call(Op::FileRead { file: append, len: 1 })), Errno::EBADF);
    bed.open("/tmp/a", OpenMode { write: true, truncate: true, ..OpenMode::default() });
    assert_eq!(stat(&bed, "/tmp/a").size, 0);
}

#[test]
fn too_much_at_once_is_refused_by_name_and_the_guest_goes_on() {
    let bed = Bed::new();
    let zero = bed.open("/dev/zero", READ);
    let (kind, text) = failed(bed.call(Op::FileRead { file: zero, len: MAX_READ + 1 }));
    assert!(kind == ErrorKind::Limit && text.contains("MAX_READ"), "{text}");
    assert_eq!(bytes(bed.call(Op::FileRead { file: zero, len: 3 })), "\0\0\0");
    let (kind, text) = failed(bed.call(Op::FileReadAll(zero)));
    assert!(kind == ErrorKind::Limit && text.starts_with("/dev/zero holds more than"), "{text}");
    assert_eq!(failed(bed.call(Op::ReadFile("/dev/zero".into()))).0, ErrorKind::Limit);
    assert_eq!(bed.run("out:fine").stdout, b"fine\n");
}

#[test]
fn locks_block_or_not() {
    let bed = Bed::new();
    let (one, two) = (bed.open("/tmp/lock", CREATE), bed.open("/tmp/lock", CREATE));
    let lock = |file, kind, block| Op::FileLock { file, kind, block };
    assert_eq!(bed.call(lock(one, LockKind::Exclusive, true)), Ok(Reply::Unit));
    assert_eq!(errno(bed.call(lock(two, LockKind::Shared, false))), Errno::EWOULDBLOCK);
    let waits = bed.begin(lock(two, LockKind::Exclusive, true));
    bed.pass(10 * MS);
    assert_eq!(bed.call(Op::FileUnlock(one)), Ok(Reply::Unit));
    assert_eq!(bed.end(waits), Ok(Reply::Unit));
    // A closed file lets go of its lock, and a wait for a lock ends with the file.
    let waits = bed.begin(lock(one, LockKind::Exclusive, true));
    bed.pass(10 * MS);
    assert_eq!(bed.call(Op::FileClose(one)), Ok(Reply::Unit));
    assert_eq!(bed.end(waits), Err(OpError::state("file is closed")));
    assert_eq!(bed.call(Op::FileClose(two)), Ok(Reply::Unit));
    let three = bed.open("/tmp/lock", CREATE);
    assert_eq!(bed.call(lock(three, LockKind::Exclusive, false)), Ok(Reply::Unit));
}

#[test]
fn an_abandoned_lock_is_not_taken_later() {
    let bed = Bed::new();
    let (one, two) = (bed.open("/tmp/lock", CREATE), bed.open("/tmp/lock", CREATE));
    let lock = |file, block| Op::FileLock { file, kind: LockKind::Exclusive, block };
    bed.call(lock(one, true)).expect("it locks");
    let waits = bed.begin(lock(two, true));
    bed.pass(10 * MS);
    drop(waits);
    bed.call(Op::FileUnlock(one)).expect("it unlocks");
    bed.pass(10 * MS);
    assert_eq!(bed.call(lock(one, false)), Ok(Reply::Unit));
}

#[test]
fn a_read_that_waits_holds_up_nobody() {
    let bed = Bed::new();
    bed.sim.add_program(
        "/bin/fifo",
        "fifo",
        std::rc::Rc::new(|sys, _| {
            Box::pin(async move {
                let made = sys.mknod("/tmp/fifo", 0o10_644, 0).await;
                i32::from(made.is_err())
            })
        }),
    );
    ran(bed.call(Op::Run { spec: direct("fifo", &[]), timeout_ns: None }));
    let open = bed.begin(Op::OpenFile { path: "/tmp/fifo".into(), mode: READ });
    bed.pass(10 * MS);
    let writer = bed.open("/tmp/fifo", OpenMode { write: true, ..OpenMode::default() });
    let Ok(Reply::Opened { file, fd }) = bed.end(open) else { panic!("it opens") };
    assert!(fd > 2);
    let read = bed.begin(Op::FileRead { file, len: 100 });
    bed.pass(10 * MS);
    let begun = bed.sim.now();
    assert_eq!(bed.run("out:x").stdout, b"x\n");
    assert!(bed.sim.now() - begun < MS);
    bed.call(Op::FileWrite { file: writer, data: b"data".to_vec(), all: true }).expect("it writes");
    assert_eq!(bytes(bed.end(read)), "data");
    // Closing ends a read that waits; an abandoned open leaves nothing behind.
    let read = bed.begin(Op::FileRead { file, len: 100 });
    bed.pass(10 * MS);
    bed.call(Op::FileClose(file)).expect("it closes");
    assert_eq!(bed.end(read), Err(OpError::state("file is closed")));
    bed.call(Op::FileClose(writer)).expect("it closes");
    let before = bed.descriptors();
    let open = bed.begin(Op::OpenFile { path: "/tmp/fifo".into(), mode: READ });
    bed.pass(10 * MS);
    drop(open);
    bed.pass(10 * MS);
    assert_eq!(bed.descriptors(), before);
}

#[test]
fn abandoned_operations_on_paths_leave_no_descriptor() {
    let data = || vec![b'x'; 100_000];
    let operations: [fn(Vec<u8>) -> Op; 3] = [
        |data| Op::WriteFile { path: "/tmp/a".into(), data, perm: Some(0o600), append: false },
        |_| Op::ReadFile("/etc/passwd".into()),
        |_| Op::OpenFile { path: "/etc/passwd".into(), mode: READ },
    ];
    for operation in operations {
        for steps in 0..8 {
            let bed = Bed::new();
            let before = bed.descriptors();
            let begun = bed.begin(operation(data()));
            for _ in 0..steps {
                if bed.sim.has_step() {
                    bed.sim.step();
                }
            }
            drop(begun);
            bed.pass(10 * MS);
            assert_eq!(bed.descriptors(), before, "{:?} after {steps} steps", operation(Vec::new()));
        }
    }
}
