//! Differences that were found and mended, each as small as it could be made.

use crate::generate::NOBODY;
use crate::op::Op;

const LONG: &str = {
    const BYTES: [u8; 256] = [b'n'; 256];
    match str::from_utf8(&BYTES) {
        Ok(name) => name,
        Err(_) => "",
    }
};

/// A path that is too long as a whole, of names that are not.
const VERY_LONG: &str = {
    const BYTES: [u8; 4201] = {
        let mut bytes = [b'a'; 4201];
        let mut at = 1;
        while at < bytes.len() {
            bytes[at] = b'/';
            at += 2;
        }
        bytes
    };
    match str::from_utf8(&BYTES) {
        Ok(path) => path,
        Err(_) => "",
    }
};

/// What each is about, and the operations.
pub const CASES: &[(&str, &[(usize, Op)])] = &[
    ("flock looks at its operation first", &[(0, Op::Flock(0, 7))]),
    (
        "a pipe can be locked",
        &[(0, Op::Pipe(2048)), (0, Op::Flock(0, 5)), (0, Op::Flock(1, 6)), (0, Op::Lock(0, 6, 1, 0, 0, 0))],
    ),
    (
        "all counters are one for locks",
        &[(0, Op::Eventfd(0, 2048)), (0, Op::Eventfd(0, 2048)), (0, Op::Flock(0, 6)), (0, Op::Flock(1, 6))],
    ),
    ("a lock's type is told before its range", &[(0, Op::Pipe(2048)), (0, Op::Lock(0, 5, 2, 0, 1, i64::MAX))]),
    ("but not of an open file's lock", &[(0, Op::Memfd("a", 0)), (0, Op::Lock(0, 36, 3, 0, i64::MAX, 5))]),
    ("the last byte may be the largest offset", &[(0, Op::Socketpair(1)), (0, Op::Lock(0, 6, 0, 0, 1, i64::MAX))]),
    (
        "O_PATH cannot be locked however wrong the lock is",
        &[(0, Op::Mkdir("d", 420)), (0, Op::Open("d", 2_099_200, 420)), (0, Op::Lock(0, 5, 0, 3, 0, 0))],
    ),
    ("fallocate looks at the descriptor first", &[(0, Op::Fallocate(0, 0, -1, 0))]),
    (
        "allocated pages count as holes until they are written",
        &[(0, Op::Open("/a", 2113, 420)), (0, Op::Fallocate(0, 0, 0, 1))],
    ),
    ("an unknown type of node", &[(0, Op::Mknod("a", 41_380, 0))]),
    ("who may make devices is asked last", &[(0, Op::Fork(1, NOBODY)), (1, Op::Mknod("a/a", 8_630, 259))]),
    (
        "O_CREAT and O_DIRECTORY exclude each other",
        &[(0, Op::Mkdir("c", 420)), (0, Op::Open("c//", 67_648, 420)), (0, Op::Open("a/a", 67_648, 420))],
    ),
    (
        "flags are looked at before the path",
        &[(0, Op::OpenAt(-100, "a", 4_261_888, 420)), (0, Op::Open(VERY_LONG, 67_648, 420))],
    ),
    (
        "a read that would end beyond the largest offset",
        &[(0, Op::Memfd("a", 0)), (0, Op::Pread(0, 1, i64::MAX)), (0, Op::Pwrite(0, 0, 1, i64::MAX))],
    ),
    ("rename to the root when nothing may be there", &[(0, Op::Rename("a", "/", 1)), (0, Op::Rename("a", "/", 0))]),
    (
        "rename looks for the old name first",
        &[(0, Op::Rename("a", LONG, 0)), (0, Op::Link("a", VERY_LONG, 0)), (0, Op::Rename("a", VERY_LONG, 3))],
    ),
    (
        "times are looked at after the path",
        &[(0, Op::Utimens(LONG, 1_000_000_000, 0, 0)), (0, Op::Utimens("a", 1_000_000_000, 0, 0))],
    ),
    ("nobody can have an unknown mode of access", &[(0, Op::Access(VERY_LONG, 8, 0))]),
    (
        "lseek looks at whence before the kind of file",
        &[(0, Op::Pipe(2048)), (0, Op::Seek(0, 0, -1)), (0, Op::Open("/", 2_099_200, 0)), (0, Op::Seek(2, 0, -1))],
    ),
    (
        "a counter has no position and does not mind",
        &[(0, Op::Eventfd(0, 2048)), (0, Op::Seek(0, 5, 0)), (0, Op::Pread(0, 8, 0))],
    ),
    (
        "who made a pipe or a socket owns it",
        &[
            (0, Op::Fork(1, NOBODY)),
            (1, Op::Pipe(2048)),
            (1, Op::Fstat(0)),
            (1, Op::Socketpair(1)),
            (1, Op::Fstat(2)),
            (1, Op::Fchown(2, 0, -1)),
            (1, Op::Fchmod(0, 0o640)),
            (1, Op::Fstat(0)),
        ],
    ),
    (
        "every file in memory is sealed against sealing",
        &[(0, Op::Open("c", 2114, 420)), (0, Op::Fcntl(0, 1034, 0)), (0, Op::Fcntl(0, 1033, 2))],
    ),
    ("a FIFO cannot be opened for neither", &[(0, Op::Mknod("/a", 4_516, 0)), (0, Op::Open("a", 2_051, 420))]),
    (
        "a counter is ready by one name only",
        &[(0, Op::Open("/", 2_099_264, 420)), (0, Op::Eventfd(1, 2048)), (0, Op::Poll([(0, 0), (1, 327)]))],
    ),
    ("reading nothing from a socket", &[(0, Op::Socketpair(2)), (0, Op::Read(0, 0))]),
    ("a datagram socket that was shut down", &[(0, Op::Socketpair(2)), (0, Op::Shutdown(0, 0)), (0, Op::Read(0, 1))]),
    (
        "a page of a pipe is full with one byte unless more fits behind",
        &[
            (0, Op::Pipe(2048)),
            (0, Op::Write(1, 0, 4095)),
            (0, Op::Write(1, 0, 4097)),
            (0, Op::Write(1, 0, 70_000)),
            (0, Op::Fionread(0)),
            (0, Op::Read(0, 70_000)),
        ],
    ),
    (
        "a slash at the end of what a link says asks for a directory",
        &[
            (0, Op::Open("a", 2114, 438)),
            (0, Op::Symlink("a/", "d")),
            (0, Op::Stat("d", 0)),
            (0, Op::Open("d", 2048, 0)),
            (0, Op::Symlink("b/", "c")),
            (0, Op::Open("c", 2114, 438)),
            (0, Op::Mknod("c", 33_188, 0)),
        ],
    ),
    (
        "a file that its owner changes loses S_ISUID and S_ISGID",
        &[
            (0, Op::Fork(1, NOBODY)),
            (1, Op::Open("a", 2114, 0o6777)),
            (1, Op::Write(0, 0, 0)),
            (1, Op::Fstat(0)),
            (1, Op::Write(0, 0, 1)),
            (1, Op::Fstat(0)),
            (1, Op::Chmod("a", 0o6777, 0)),
            (1, Op::Truncate("a", 0)),
            (1, Op::Fstat(0)),
            (1, Op::Chmod("a", 0o6767, 0)),
            (1, Op::Fallocate(0, 0, 0, 1)),
            (1, Op::Fstat(0)),
            (0, Op::Chmod("a", 0o6777, 0)),
            (0, Op::Truncate("a", 1)),
            (0, Op::Stat("a", 0)),
        ],
    ),
    (
        "a chown of nothing by others",
        &[
            (0, Op::Open("a", 2114, 438)),
            (0, Op::Fork(1, NOBODY)),
            (1, Op::Chown("a", -1, -1, 0)),
            (0, Op::Chmod("a", 0o2755, 0)),
            (1, Op::Chown("a", -1, -1, 0)),
            (0, Op::Chmod("a", 0o4755, 0)),
            (1, Op::Chown("a", -1, -1, 0)),
        ],
    ),
    (
        "S_ISGID of a file or a directory of a group that is not the owner's",
        &[
            (0, Op::Fork(1, NOBODY)),
            (0, Op::Mkdir("d", 0o777)),
            (0, Op::Chmod("d", 0o2777, 0)),
            (1, Op::Mkdir("d/a", 0o755)),
            (1, Op::Stat("d/a", 0)),
            (1, Op::Chmod("d/a", 0o2755, 0)),
            (1, Op::Stat("d/a", 0)),
            (1, Op::Open("d/b", 2114, 0o644)),
            (0, Op::Chmod("d/b", 0o2644, 0)),
            (1, Op::Chown("d/b", -1, -1, 0)),
            (1, Op::Stat("d/b", 0)),
        ],
    ),
    (
        "bytes to read of a file that ends before the position, or far behind it",
        &[
            (0, Op::Open("a", 2114, 438)),
            (0, Op::Write(0, 0, 3)),
            (0, Op::Truncate("a", 0)),
            (0, Op::Fionread(0)),
            (0, Op::Truncate("a", 1 << 40)),
            (0, Op::Fionread(0)),
        ],
    ),
    (
        "a socket has no position for locks either",
        &[(0, Op::Socketpair(1)), (0, Op::Write(1, 0, 10)), (0, Op::Lock(1, 6, 0, 1, -5, 0))],
    ),
    (
        "a hole takes whole pages, whatever of them the file uses",
        &[
            (0, Op::Open("a", 2114, 438)),
            (0, Op::Write(0, 0, 1)),
            (0, Op::Fallocate(0, 3, 0, 4096)),
            (0, Op::Fstat(0)),
            (0, Op::Fallocate(0, 1, 8192, 5000)),
            (0, Op::Fallocate(0, 3, 5000, 5000)),
            (0, Op::Fstat(0)),
        ],
    ),
    (
        "writing nothing at the end does not go there",
        &[
            (0, Op::Open("a", 2114 | libc::O_APPEND, 438)),
            (0, Op::Write(0, 0, 10)),
            (0, Op::Seek(0, 1, 0)),
            (0, Op::Write(0, 0, 0)),
            (0, Op::Seek(0, 0, 1)),
        ],
    ),
    (
        "no link can be read through a slash",
        &[
            (0, Op::Open("a", 2114, 438)),
            (0, Op::Readlink("a//", 4096)),
            (0, Op::Symlink("a", "b")),
            (0, Op::Readlink("b/", 4096)),
            (0, Op::Symlink(".", "c")),
            (0, Op::Readlink("c/", 4096)),
        ],
    ),
    (
        "setting the length that a file has takes what was allocated behind it",
        &[
            (0, Op::Open("a", 2114, 438)),
            (0, Op::Write(0, 0, 5)),
            (0, Op::Fallocate(0, 1, 0, 10_000)),
            (0, Op::Ftruncate(0, 5)),
            (0, Op::Fstat(0)),
            (0, Op::Seek(0, 0, 3)),
        ],
    ),
    (
        "setting the length that a file has by its name changes its times",
        &[
            (0, Op::Open("a", 2114, 438)),
            (0, Op::Write(0, 0, 5)),
            (0, Op::Utimens("a", 5, 5, 0)),
            (0, Op::Truncate("a", 5)),
            (0, Op::Stat("a", 0)),
            (0, Op::Ftruncate(0, 5)),
            (0, Op::Stat("a", 0)),
        ],
    ),
    (
        "a directory has no end to go to",
        &[
            (0, Op::Open("/", 67_584, 0)),
            (0, Op::Seek(0, 0, 2)),
            (0, Op::Seek(0, -1, 3)),
            (0, Op::Seek(0, 5, 0)),
            (0, Op::Seek(0, -6, 1)),
        ],
    ),
    (
        "a peer that went away with messages unread is told of once",
        &[
            (0, Op::Socketpair(5)),
            (0, Op::Write(1, 0, 1)),
            (0, Op::Close(0)),
            (0, Op::Write(1, 0, 0)),
            (0, Op::Write(1, 0, 0)),
            (0, Op::Read(1, 1)),
        ],
    ),
    (
        "a FIFO that never had a writer is not hung up",
        &[
            (0, Op::Mknod("a", 4_516, 0)),
            (0, Op::Open("a", 2_048, 0)),
            (0, Op::Poll([(0, 1), (0, 0)])),
            (0, Op::Open("a", 2_049, 0)),
            (0, Op::Close(1)),
            (0, Op::Poll([(0, 1), (0, 0)])),
        ],
    ),
];
