//! What processes do: system calls with their arguments. Its `Debug` form is Rust that can be pasted
//! into the list of regressions.

/// A path, or another text.
pub type P = &'static str;

/// One thing that a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Open(P, i32, u32),
    OpenAt(i32, P, i32, u32),
    Close(i32),
    Read(i32, usize),
    /// As many bytes, counting up from the first.
    Write(i32, u8, usize),
    Pread(i32, usize, i64),
    Pwrite(i32, u8, usize, i64),
    Seek(i32, i64, i32),
    Dup(i32),
    Dup2(i32, i32),
    Dup3(i32, i32, i32),
    /// fcntl(2) with a number.
    Fcntl(i32, i32, i64),
    Pipe(i32),
    Eventfd(u32, i32),
    Socketpair(i32),
    Shutdown(i32, i32),
    Memfd(P, u32),
    Fionread(i32),
    Poll([(i32, i16); 2]),
    Truncate(P, i64),
    Ftruncate(i32, i64),
    Fallocate(i32, i32, i64, i64),
    Fsync(i32),
    Mkdir(P, u32),
    MkdirAt(i32, P, u32),
    /// unlinkat(2) with its flags.
    Unlink(P, i32),
    /// renameat2(2) with its flags.
    Rename(P, P, u32),
    /// linkat(2) with its flags.
    Link(P, P, i32),
    Symlink(P, P),
    Readlink(P, i32),
    Mknod(P, u32, u64),
    /// fchmodat2(2) with its flags.
    Chmod(P, u32, i32),
    Fchmod(i32, u32),
    /// fchownat(2) with its flags.
    Chown(P, i32, i32, i32),
    Fchown(i32, i32, i32),
    /// newfstatat(2) with its flags.
    Stat(P, i32),
    StatAt(i32, P, i32),
    Fstat(i32),
    /// faccessat2(2) with its flags.
    Access(P, i32, i32),
    Umask(u32),
    Chdir(P),
    Fchdir(i32),
    Getcwd,
    /// utimensat(2): nanoseconds of the two times (a special value counts), flags.
    Utimens(P, i64, i64, i32),
    List(P),
    Flock(i32, i32),
    /// fcntl(2) with a lock: command, type, whence, start, length.
    Lock(i32, i32, i16, i16, i64, i64),
    /// A new process, with this user and group if they are not root's.
    Fork(usize, u32),
    Exit,
}

/// The commands of fcntl(2) with locks.
pub const LOCK_COMMANDS: [i32; 4] = [libc::F_GETLK, libc::F_SETLK, libc::F_OFD_GETLK, libc::F_OFD_SETLK];

impl Op {
    /// The operation with other paths. Names of memfds and the like are none.
    pub fn with_paths(self, change: impl Fn(P) -> P) -> Op {
        match self {
            Op::Open(path, flags, mode) => Op::Open(change(path), flags, mode),
            Op::OpenAt(fd, path, flags, mode) => Op::OpenAt(fd, change(path), flags, mode),
            Op::Truncate(path, len) => Op::Truncate(change(path), len),
            Op::Mkdir(path, mode) => Op::Mkdir(change(path), mode),
            Op::MkdirAt(fd, path, mode) => Op::MkdirAt(fd, change(path), mode),
            Op::Unlink(path, flags) => Op::Unlink(change(path), flags),
            Op::Rename(from, to, flags) => Op::Rename(change(from), change(to), flags),
            Op::Link(from, to, flags) => Op::Link(change(from), change(to), flags),
            Op::Symlink(target, path) => Op::Symlink(change(target), change(path)),
            Op::Readlink(path, room) => Op::Readlink(change(path), room),
            Op::Mknod(path, mode, dev) => Op::Mknod(change(path), mode, dev),
            Op::Chmod(path, mode, flags) => Op::Chmod(change(path), mode, flags),
            Op::Chown(path, uid, gid, flags) => Op::Chown(change(path), uid, gid, flags),
            Op::Stat(path, flags) => Op::Stat(change(path), flags),
            Op::StatAt(fd, path, flags) => Op::StatAt(fd, change(path), flags),
            Op::Access(path, mode, flags) => Op::Access(change(path), mode, flags),
            Op::Chdir(path) => Op::Chdir(change(path)),
            Op::Utimens(path, atime, mtime, flags) => Op::Utimens(change(path), atime, mtime, flags),
            Op::List(path) => Op::List(change(path)),
            Op::Close(..)
            | Op::Read(..)
            | Op::Write(..)
            | Op::Pread(..)
            | Op::Pwrite(..)
            | Op::Seek(..)
            | Op::Dup(..)
            | Op::Dup2(..)
            | Op::Dup3(..)
            | Op::Fcntl(..)
            | Op::Pipe(..)
            | Op::Eventfd(..)
            | Op::Socketpair(..)
            | Op::Shutdown(..)
            | Op::Memfd(..)
            | Op::Fionread(..)
            | Op::Poll(..)
            | Op::Ftruncate(..)
            | Op::Fallocate(..)
            | Op::Fsync(..)
            | Op::Fchmod(..)
            | Op::Fchown(..)
            | Op::Fstat(..)
            | Op::Umask(..)
            | Op::Fchdir(..)
            | Op::Getcwd
            | Op::Flock(..)
            | Op::Lock(..)
            | Op::Fork(..)
            | Op::Exit => self,
        }
    }
}
