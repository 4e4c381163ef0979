//! Calls on open files.
//!
//! Calls on files of a file system in memory are made at once, on the agent's own thread: they copy bytes and wait for
//! nobody. Whatever may wait (disks, network file systems, FIFOs, devices, `/proc`) is a thread's.

use std::sync::Arc;

use provium_protocol::Errno;
use provium_protocol::fs::{FileStat, LockKind, OpenMode, Whence};

use super::blocking::Pool;
use super::fds::{Entry, File, Kind, Table, alone, close_pipe};
use super::interrupt::Gate;
use super::room::has_room;
use super::sys::{self, Fd, check};
use provium_agent::os::READ_AT_ONCE;
use provium_protocol::limits::MAX_READ;

/// Bytes moved at once on the agent's own thread: more would hold other operations up for too long.
const MAX_INLINE: usize = 1 << 20;

/// Bytes that a thread writes at once to a regular file: a thread needs a copy of them.
const PIECE: usize = 8 << 20;

/// What one read asks for of a file whose size the kernel does not tell, at the least: `/proc` says 0.
const UNKNOWN_SIZE: u64 = 1 << 20;

/// The most that is read at once of a file whose size is known; what is above it is refused anyway.
const MAX_READ_AT_ONCE: usize = MAX_READ as usize;

/// Has a thread make a call.
pub async fn on_thread<T: Send + 'static>(
    pool: &Pool,
    call: impl FnMut() -> Result<T, Errno> + Send + 'static,
) -> Result<T, Errno> {
    with_gate(pool, move |gate| gate.call(call)).await
}

/// Has a thread make calls, each through the gate.
pub async fn with_gate<T: Send + 'static>(
    pool: &Pool,
    work: impl FnOnce(&Gate) -> Result<T, Errno> + Send + 'static,
) -> Result<T, Errno> {
    pool.submit(work)?.await.unwrap_or(Err(Errno::EIO))
}

/// Whether a descriptor still is the file that it was: a test may have closed it behind the agent's back, so that
/// the number is another's now.
fn unchanged(file: &File) -> bool {
    match file.kind {
        Kind::Memory(dev, ino) => fstat(file.fd.raw()).is_ok_and(|stat| (stat.st_dev, stat.st_ino) == (dev, ino)),
        Kind::Regular | Kind::Other => false,
    }
}

/// Makes a call on an open file: at once if it cannot wait, else on a thread.
async fn on_file<T: Send + 'static>(
    pool: &Pool,
    file: Arc<File>,
    bytes: usize,
    mut call: impl FnMut(&File) -> Result<T, Errno> + Send + 'static,
) -> Result<T, Errno> {
    if bytes <= MAX_INLINE && unchanged(&file) {
        loop {
            match call(&file) {
                Err(Errno::EINTR) => {}
                other => return other,
            }
        }
    }
    on_thread(pool, move || call(&file)).await
}

/// The flags of open(2).
fn open_flags(mode: &OpenMode) -> libc::c_int {
    let access = match (mode.read, mode.write || mode.append) {
        (true, true) => libc::O_RDWR,
        (false, true) => libc::O_WRONLY,
        (_, false) => libc::O_RDONLY,
    };
    let flag = |set, flag| if set { flag } else { 0 };
    access
        | libc::O_CLOEXEC
        | libc::O_NOCTTY
        | flag(mode.append, libc::O_APPEND)
        | flag(mode.create, libc::O_CREAT)
        | flag(mode.truncate, libc::O_TRUNC)
        | flag(mode.exclusive, libc::O_EXCL)
}

/// open(2).
pub async fn open(pool: &Pool, table: &Table, path: &[u8], mode: &OpenMode, perm: u32) -> Result<i32, Errno> {
    let (path, flags) = (sys::c_string(path)?, open_flags(mode));
    let opened = on_thread(pool, move || {
        // SAFETY: `path` ends in a NUL.
        let fd = Fd::from_call(unsafe { libc::open(path.as_ptr(), flags, perm) })?;
        let kind = kind(&fd)?;
        Ok(File { fd, kind })
    });
    Ok(table.add_file(opened.await?))
}

fn kind(fd: &Fd) -> Result<Kind, Errno> {
    let stat = fstat(fd.raw())?;
    if stat.st_mode & libc::S_IFMT != libc::S_IFREG {
        return Ok(Kind::Other);
    }
    // SAFETY: all zeros are a valid `statfs`.
    let mut system: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: `system` is there to be written to.
    let known = unsafe { libc::fstatfs(fd.raw(), &raw mut system) } == 0;
    let in_memory = [libc::TMPFS_MAGIC, RAMFS_MAGIC].contains(&system.f_type);
    Ok(if known && in_memory { Kind::Memory(stat.st_dev, stat.st_ino) } else { Kind::Regular })
}

/// The type of a ramfs in statfs(2); the C library has no name for it.
const RAMFS_MAGIC: libc::__fsword_t = 0x8584_58f6;

/// close(2). What was given up on the file just before has returned by then, so that a lock is free.
pub async fn close(pool: &Pool, table: &Table, fd: i32) -> Result<(), Errno> {
    match table.remove(fd)? {
        Entry::Pipe(pipe) => close_pipe(pipe),
        Entry::File(file) => {
            let kind = file.kind;
            let Some(fd) = alone(file).await else { return Ok(()) };
            if let Kind::Memory(..) = kind {
                return fd.close();
            }
            return pool.submit(move |_| fd.close())?.detach().await.unwrap_or(Err(Errno::EIO));
        }
    }
    Ok(())
}

/// How much a read may ask for: what it asks for needs memory, what is not there does not.
fn bounded(file: &File, offset: Option<u64>, len: usize) -> usize {
    if file.kind == Kind::Other || len as u64 <= UNKNOWN_SIZE {
        return len;
    }
    let Ok(stat) = fstat(file.fd.raw()) else { return len };
    let at = offset.unwrap_or_else(|| {
        // SAFETY: it takes numbers.
        u64::try_from(unsafe { libc::lseek(file.fd.raw(), 0, libc::SEEK_CUR) }).unwrap_or(0)
    });
    let left = u64::try_from(stat.st_size).unwrap_or(0).saturating_sub(at).max(UNKNOWN_SIZE);
    len.min(usize::try_from(left).unwrap_or(len))
}

/// What is left of a file in memory, so that it is read into memory of its size, once; see [`provium_agent::Os`].
pub fn bytes_at_once(table: &Table, fd: i32) -> usize {
    let Ok(file) = table.file(fd) else { return READ_AT_ONCE };
    match file.kind {
        Kind::Memory(..) => bounded(&file, None, MAX_READ_AT_ONCE).max(READ_AT_ONCE),
        Kind::Regular | Kind::Other => READ_AT_ONCE,
    }
}

/// read(2) or pread(2).
pub async fn read(pool: &Pool, table: &Table, fd: i32, offset: Option<u64>, len: usize) -> Result<Vec<u8>, Errno> {
    match table.get(fd)? {
        Entry::Pipe(pipe) => pipe.read(len).await,
        Entry::File(file) => {
            let read = move |file: &File| {
                let len = bounded(file, offset, len);
                if len > MAX_INLINE && !has_room(len as u64) {
                    return Err(Errno::ENOMEM);
                }
                sys::read(file.fd.raw(), offset, len)
            };
            on_file(pool, file, len, read).await
        }
    }
}

/// write(2): one, but for large ones to regular files, which are made of several so that no copy of all of the data is
/// needed. What comes of them is what would come of one.
pub async fn write(pool: &Pool, table: &Table, fd: i32, data: &[u8]) -> Result<usize, Errno> {
    match table.get(fd)? {
        Entry::Pipe(pipe) => pipe.write(data).await,
        Entry::File(file) => {
            if data.len() <= MAX_INLINE && unchanged(&file) {
                return sys::write(file.fd.raw(), data);
            }
            if file.kind == Kind::Other {
                return write_copy(pool, &file, data).await;
            }
            let mut written = 0;
            for piece in data.chunks(PIECE) {
                match write_copy(pool, &file, piece).await {
                    Ok(moved) => written += moved,
                    // As write(2): what was written counts, and the next write finds the error.
                    Err(_) if written > 0 => return Ok(written),
                    Err(errno) => return Err(errno),
                }
                if written % PIECE != 0 {
                    break;
                }
            }
            Ok(written)
        }
    }
}

async fn write_copy(pool: &Pool, file: &Arc<File>, data: &[u8]) -> Result<usize, Errno> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(data.len()).map_err(|_| Errno::ENOMEM)?;
    copy.extend_from_slice(data);
    let file = file.clone();
    on_thread(pool, move || sys::write(file.fd.raw(), &copy)).await
}

/// lseek(2).
pub async fn seek(pool: &Pool, table: &Table, fd: i32, offset: i64, whence: Whence) -> Result<u64, Errno> {
    let whence = match whence {
        Whence::Set => libc::SEEK_SET,
        Whence::Current => libc::SEEK_CUR,
        Whence::End => libc::SEEK_END,
    };
    let file = table.file(fd)?;
    on_file(pool, file, 0, move |file| {
        // SAFETY: it takes numbers.
        let at = check(unsafe { libc::lseek(file.fd.raw(), offset, whence) })?;
        Ok(u64::try_from(at).unwrap_or(0))
    })
    .await
}

/// ftruncate(2).
pub async fn truncate(pool: &Pool, table: &Table, fd: i32, len: u64) -> Result<(), Errno> {
    let len = i64::try_from(len).map_err(|_| Errno::EINVAL)?;
    // SAFETY: it takes numbers.
    simple(pool, table, fd, move |fd| unsafe { libc::ftruncate(fd, len) }).await
}

/// fsync(2).
pub async fn sync(pool: &Pool, table: &Table, fd: i32) -> Result<(), Errno> {
    // SAFETY: it takes a number.
    simple(pool, table, fd, |fd| unsafe { libc::fsync(fd) }).await
}

/// fchmod(2).
pub async fn fchmod(pool: &Pool, table: &Table, fd: i32, mode: u32) -> Result<(), Errno> {
    // SAFETY: it takes numbers.
    simple(pool, table, fd, move |fd| unsafe { libc::fchmod(fd, mode) }).await
}

async fn simple(
    pool: &Pool,
    table: &Table,
    fd: i32,
    call: impl Fn(i32) -> libc::c_int + Send + 'static,
) -> Result<(), Errno> {
    on_file(pool, table.file(fd)?, 0, move |file| check(call(file.fd.raw())).map(drop)).await
}

/// A lock that was taken. Nobody has learnt of it until it is kept: dropping it gives it back.
struct Taken {
    file: Arc<File>,
    kept: bool,
}

impl Drop for Taken {
    fn drop(&mut self) {
        if !self.kept {
            // SAFETY: it takes numbers.
            unsafe { libc::flock(self.file.fd.raw(), libc::LOCK_UN) };
        }
    }
}

/// flock(2).
pub async fn flock(pool: &Pool, table: &Table, fd: i32, kind: Option<LockKind>, block: bool) -> Result<(), Errno> {
    let operation = match kind {
        Some(LockKind::Shared) => libc::LOCK_SH,
        Some(LockKind::Exclusive) => libc::LOCK_EX,
        None => libc::LOCK_UN,
    };
    let file = table.file(fd)?;
    if !block || kind.is_none() {
        let operation = operation | libc::LOCK_NB;
        // SAFETY: it takes numbers.
        let call = move |file: &File| check(unsafe { libc::flock(file.fd.raw(), operation) }).map(drop);
        return on_file(pool, file, 0, call).await;
    }
    let taken = on_thread(pool, move || {
        // SAFETY: it takes numbers.
        check(unsafe { libc::flock(file.fd.raw(), operation) })?;
        Ok(Taken { file: file.clone(), kept: false })
    });
    let mut taken = taken.await?;
    taken.kept = true;
    Ok(())
}

/// What fstat(2) says.
pub fn fstat(fd: i32) -> Result<libc::stat, Errno> {
    // SAFETY: all zeros are a valid `stat`.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `stat` is there to be written to.
    check(unsafe { libc::fstat(fd, &raw mut stat) })?;
    Ok(stat)
}

/// What a test sees of stat(2).
pub fn file_stat(stat: &libc::stat) -> FileStat {
    FileStat {
        size: u64::try_from(stat.st_size).unwrap_or(0),
        mtime_s: stat.st_mtime,
        mtime_ns: u32::try_from(stat.st_mtime_nsec).unwrap_or(0),
        mode: stat.st_mode,
        uid: stat.st_uid,
        gid: stat.st_gid,
        nlink: stat.st_nlink,
        ino: stat.st_ino,
    }
}

/// fstat(2).
pub async fn stat(pool: &Pool, table: &Table, fd: i32) -> Result<FileStat, Errno> {
    let file = table.file(fd)?;
    on_file(pool, file, 0, |file| fstat(file.fd.raw()).map(|stat| file_stat(&stat))).await
}
