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
