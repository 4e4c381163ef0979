//! What processes may do, by chance.

use libc::{
    AT_EMPTY_PATH, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW, O_APPEND, O_CLOEXEC, O_CREAT, O_DIRECTORY,
    O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::op::{LOCK_COMMANDS, Op, P};
use crate::{PROCESSES, intern};

/// The user that is not root.
pub const NOBODY: u32 = 65_534;

/// The most that is allocated at once. A file in memory that nothing limits takes all of the host's: no
/// operation may ask for more than every host has.
pub const MOST_ALLOCATED: i64 = 1 << 20;

fn name() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b", "c", "d"])
}

fn path() -> impl Strategy<Value = P> {
    let long = "n".repeat(256);
    let odd = vec![
        "",
        "/",
        ".",
        "..",
        "a/",
        "a/.",
        "a/..",
        "./b",
        "//a//b",
        "../a",
        "b/../c",
        "/a/b",
        "a//",
        "c/.",
        "d/./a",
        "/..",
        intern(&long),
        intern(&long[1..]),
        intern(&format!("{}a", "a/".repeat(2100))),
    ];
    prop_oneof![
        10 => name(),
        6 => (name(), name()).prop_map(|(a, b)| intern(&format!("{a}/{b}"))),
        2 => (name(), name(), name()).prop_map(|(a, b, c)| intern(&format!("{a}/{b}/{c}"))),
        1 => name().prop_map(|a| intern(&format!("/{a}"))),
        2 => select(odd),
    ]
}

fn fd() -> impl Strategy<Value = i32> {
    prop_oneof![30 => 0..6, 4 => 6..12, 1 => select(vec![-1, -100, 100, 499])]
}

fn mode() -> impl Strategy<Value = u32> {
    select(vec![
        0o644, 0o755, 0o777, 0o600, 0o700, 0, 0o400, 0o200, 0o300, 0o500, 0o1777, 0o2755, 0o4755, 0o6777, 0o070, 0o007,
        0o2644, 0o17777,
    ])
}

fn offset() -> impl Strategy<Value = i64> {
    select(vec![
        0,
        1,
        5,
        100,
        4_095,
        4_096,
        4_097,
        8_192,
        20_000,
        65_536,
        1 << 20,
        1 << 40,
        i64::MAX - 10,
        i64::MAX,
        -1,
        -100,
    ])
}

fn length() -> impl Strategy<Value = usize> {
    select(vec![0, 1, 3, 10, 100, 512, 1_000, 4_095, 4_096, 4_097, 10_000, 65_536, 70_000])
}

fn open_flags() -> impl Strategy<Value = i32> {
    let access = select(vec![O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, 3]);
    let extra = select(vec![
        0,
        0,
        O_CREAT,
        O_CREAT,
        O_CREAT | O_EXCL,
        O_TRUNC,
        O_CREAT | O_TRUNC,
        O_APPEND,
        O_CREAT | O_APPEND,
        O_DIRECTORY,
        O_NOFOLLOW,
        O_PATH,
        O_PATH | O_NOFOLLOW,
        O_CLOEXEC,
        O_CREAT | O_DIRECTORY,
        O_CREAT | O_NOFOLLOW,
        O_EXCL,
        libc::O_TMPFILE,
        libc::O_NOATIME,
        O_PATH | O_CREAT,
        O_PATH | O_DIRECTORY,
        O_DIRECTORY | O_TRUNC,
    ]);
    // An open never waits for the other end of a FIFO.
    (access, extra).prop_map(|(access, extra)| access | extra | O_NONBLOCK)
}

fn at_flags() -> impl Strategy<Value = i32> {
    select(vec![0, 0, 0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH])
}

fn id() -> impl Strategy<Value = i32> {
    select(vec![-1, 0, NOBODY as i32, 1_000])
}

fn on_files() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => (path(), open_flags(), mode()).prop_map(|(path, flags, mode)| Op::Open(path, flags, mode)),
        2 => (fd(), path(), open_flags(), mode()).prop_map(|(fd, path, flags, mode)| Op::OpenAt(fd, path, flags, mode)),
        5 => fd().prop_map(Op::Close),
        6 => (fd(), length()).prop_map(|(fd, len)| Op::Read(fd, len)),
        8 => (fd(), any::<u8>(), length()).prop_map(|(fd, first, len)| Op::Write(fd, first, len)),
        2 => (fd(), length(), offset()).prop_map(|(fd, len, at)| Op::Pread(fd, len, at)),
        3 => (fd(), any::<u8>(), length(), offset()).prop_map(|(fd, first, len, at)| Op::Pwrite(fd, first, len, at)),
        4 => (fd(), offset(), -1..6).prop_map(|(fd, at, whence)| Op::Seek(fd, at, whence)),
        2 => (path(), offset()).prop_map(|(path, len)| Op::Truncate(path, len)),
        2 => (fd(), offset()).prop_map(|(fd, len)| Op::Ftruncate(fd, len)),
        2 => (fd(), select(vec![0, 1, 2, 3]), offset(), select(vec![0, 1, 4_096, 5_000, MOST_ALLOCATED, -1]))
            .prop_map(|(fd, mode, at, len)| Op::Fallocate(fd, mode, at, len)),
        1 => fd().prop_map(Op::Fsync),
        2 => fd().prop_map(Op::Fstat),
        1 => fd().prop_map(Op::Fionread),
    ]
}

fn on_descriptors() -> impl Strategy<Value = Op> {
    let number = select(vec![
        libc::F_GETFD,
        libc::F_SETFD,
        libc::F_GETFL,
        libc::F_DUPFD,
        libc::F_DUPFD_CLOEXEC,
        libc::F_GETPIPE_SZ,
        libc::F_SETPIPE_SZ,
        libc::F_GET_SEALS,
        libc::F_ADD_SEALS,
    ]);
    let arg = select(vec![0, 1, 2, 5, 8, 9, 11, 4_096, 5_000, 65_536, -1]);
    let flags = select(vec![O_NONBLOCK, O_NONBLOCK | O_APPEND, O_NONBLOCK | O_CREAT | O_TRUNC]);
    let events = select(vec![0_i16, 1, 4, 5, 0x2001, 0x147]);
    let poll = (fd(), events.clone(), fd(), events);
    prop_oneof![
        2 => fd().prop_map(Op::Dup),
        2 => (fd(), fd()).prop_map(|(fd, to)| Op::Dup2(fd, to)),
        1 => (fd(), fd(), select(vec![0, O_CLOEXEC, O_NONBLOCK])).prop_map(|(fd, to, flags)| Op::Dup3(fd, to, flags)),
        3 => (fd(), number, arg).prop_map(|(fd, command, arg)| Op::Fcntl(fd, command, arg)),
        1 => (fd(), flags).prop_map(|(fd, flags)| Op::Fcntl(fd, libc::F_SETFL, flags.into())),
        3 => select(vec![O_NONBLOCK, O_NONBLOCK | O_CLOEXEC]).prop_map(Op::Pipe),
        1 => (0..3_u32, select(vec![O_NONBLOCK, O_NONBLOCK | 1])).prop_map(|(count, flags)| Op::Eventfd(count, flags)),
        2 => select(vec![libc::SOCK_STREAM, libc::SOCK_DGRAM, libc::SOCK_SEQPACKET]).prop_map(Op::Socketpair),
        1 => (fd(), 0..4).prop_map(|(fd, how)| Op::Shutdown(fd, how)),
        1 => (name(), 0..4_u32).prop_map(|(name, flags)| Op::Memfd(name, flags)),
        3 => poll.prop_map(|(a, asked, b, also)| Op::Poll([(a, asked), (b, also)])),
    ]
}

fn on_names() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (path(), mode()).prop_map(|(path, mode)| Op::Mkdir(path, mode)),
        1 => (fd(), path(), mode()).prop_map(|(fd, path, mode)| Op::MkdirAt(fd, path, mode)),
        5 => (path(), select(vec![0, AT_REMOVEDIR])).prop_map(|(path, flags)| Op::Unlink(path, flags)),
        6 => (path(), path(), select(vec![0, 0, 0, 1, 2, 3])).prop_map(|(a, b, flags)| Op::Rename(a, b, flags)),
        5 => (path(), path(), select(vec![0, 0, AT_SYMLINK_FOLLOW])).prop_map(|(a, b, flags)| Op::Link(a, b, flags)),
        5 => (path(), path()).prop_map(|(a, b)| Op::Symlink(a, b)),
        1 => (path(), select(vec![4_096, 2, 0, -1])).prop_map(|(path, room)| Op::Readlink(path, room)),
        3 => (path(), select(vec![libc::S_IFIFO, libc::S_IFREG, 0, libc::S_IFSOCK, libc::S_IFDIR, libc::S_IFLNK]), mode())
            .prop_map(|(path, kind, mode)| Op::Mknod(path, kind | mode & 0o7777, 0)),
        // /dev/null and /dev/zero
        1 => (path(), select(vec![0x103, 0x105])).prop_map(|(path, dev)| Op::Mknod(path, libc::S_IFCHR | 0o666, dev)),
    ]
}

fn on_attributes() -> impl Strategy<Value = Op> {
    let nanos = select(vec![0, 5, 999_999_999, libc::UTIME_NOW, libc::UTIME_OMIT, 1_000_000_000]);
    prop_oneof![
        5 => (path(), mode(), select(vec![0, 0, AT_SYMLINK_NOFOLLOW])).prop_map(|(path, mode, flags)| Op::Chmod(path, mode, flags)),
        1 => (fd(), mode()).prop_map(|(fd, mode)| Op::Fchmod(fd, mode)),
        3 => (path(), id(), id(), at_flags()).prop_map(|(path, uid, gid, flags)| Op::Chown(path, uid, gid, flags)),
        1 => (fd(), id(), id()).prop_map(|(fd, uid, gid)| Op::Fchown(fd, uid, gid)),
        4 => (path(), at_flags()).prop_map(|(path, flags)| Op::Stat(path, flags)),
        1 => (fd(), path(), at_flags()).prop_map(|(fd, path, flags)| Op::StatAt(fd, path, flags)),
        3 => (path(), 0..9, select(vec![0, 0x200, AT_SYMLINK_NOFOLLOW])).prop_map(|(path, mode, flags)| Op::Access(path, mode, flags)),
        1 => select(vec![0, 0o022, 0o077, 0o777]).prop_map(Op::Umask),
        3 => path().prop_map(Op::Chdir),
        1 => fd().prop_map(Op::Fchdir),
        1 => Just(Op::Getcwd),
        3 => (path(), nanos.clone(), nanos, at_flags()).prop_map(|(path, a, m, flags)| Op::Utimens(path, a, m, flags)),
        2 => path().prop_map(Op::List),
    ]
}

fn on_locks() -> impl Strategy<Value = Op> {
    let start = select(vec![0, 1, 5, 10, 100, -5, i64::MAX, i64::MAX - 5]);
    let len = select(vec![0, 1, 5, 10, -1, -10, i64::MAX, i64::MIN]);
    prop_oneof![
        (fd(), select(vec![1, 2, 8, 3, 0])).prop_map(|(fd, operation)| Op::Flock(fd, operation | libc::LOCK_NB)),
        (fd(), select(LOCK_COMMANDS.to_vec()), 0..4_i16, 0..4_i16, start, len)
            .prop_map(|(fd, command, kind, whence, start, len)| Op::Lock(fd, command, kind, whence, start, len)),
    ]
}

/// What a case is mostly about: how often each kind of operation comes.
#[derive(Clone, Copy)]
struct Focus {
    files: u32,
    descriptors: u32,
    names: u32,
    attributes: u32,
    locks: u32,
    processes: u32,
}

fn op(focus: Focus) -> impl Strategy<Value = Op> {
    prop_oneof![
        focus.files => on_files(),
        focus.descriptors => on_descriptors(),
        focus.names => on_names(),
        focus.attributes => on_attributes(),
        focus.locks => on_locks(),
        2 * focus.processes => (1..PROCESSES, select(vec![0, NOBODY, NOBODY])).prop_map(|(to, uid)| Op::Fork(to, uid)),
        focus.processes => Just(Op::Exit),
    ]
}

/// A beginning that makes it likely that what follows meets what it is about, and what follows.
fn case(begin: Vec<(usize, Op)>, focus: Focus) -> impl Strategy<Value = Vec<(usize, Op)>> {
    let rest = prop::collection::vec((0..PROCESSES, op(focus)), 1..50);
    rest.prop_map(move |rest| begin.iter().copied().chain(rest).collect())
}

/// What processes do, one after the other.
pub fn ops() -> impl Strategy<Value = Vec<(usize, Op)>> {
    let file = (0, Op::Open("a", O_RDWR | O_CREAT | O_NONBLOCK, 0o666));
    let fork = |to| (0, Op::Fork(to, 0));
    let other = |to| (0, Op::Fork(to, NOBODY));
    let anything = Focus { files: 10, descriptors: 3, names: 7, attributes: 6, locks: 3, processes: 1 };
    prop_oneof![
        4 => case(vec![], anything),
        2 => case(
            vec![file, fork(1), file],
            Focus { files: 20, descriptors: 2, names: 1, attributes: 1, locks: 0, processes: 1 },
        ),
        2 => case(
            vec![(0, Op::Pipe(O_NONBLOCK)), fork(1), (0, Op::Socketpair(libc::SOCK_STREAM)), (0, Op::Mknod("a", 0o10_666, 0))],
            Focus { files: 10, descriptors: 10, names: 0, attributes: 1, locks: 0, processes: 2 },
        ),
        2 => case(
            vec![fork(1), other(2), (0, Op::Mkdir("a", 0o777)), (0, Op::Mkdir("a/b", 0o755)), (0, Op::Mkdir("b", 0o777))],
            Focus { files: 3, descriptors: 1, names: 20, attributes: 5, locks: 0, processes: 1 },
        ),
        2 => case(
            vec![file, (0, Op::Mkdir("b", 0o777)), other(1), other(2), (0, Op::Mkdir("c", 0o2777))],
            Focus { files: 5, descriptors: 1, names: 6, attributes: 15, locks: 0, processes: 1 },
        ),
        2 => case(
            vec![file, fork(1), other(2), (0, Op::Chmod("a", 0o666, 0)), (1, file.1), (2, file.1)],
            Focus { files: 3, descriptors: 3, names: 0, attributes: 0, locks: 20, processes: 1 },
        ),
    ]
}
