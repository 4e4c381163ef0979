//! fcntl(2).

use provium_protocol::Errno;

use super::call::{Call, done};
use super::layout::Layout;
use crate::kernel::posix_lock::LockRequest;

const F_DUPFD: i32 = 0;
const F_GETFD: i32 = 1;
const F_SETFD: i32 = 2;
const F_GETFL: i32 = 3;
const F_SETFL: i32 = 4;
const F_GETLK: i32 = 5;
const F_SETLK: i32 = 6;
const F_SETLKW: i32 = 7;
const F_OFD_GETLK: i32 = 36;
const F_OFD_SETLK: i32 = 37;
const F_OFD_SETLKW: i32 = 38;
const F_DUPFD_CLOEXEC: i32 = 1030;
const F_SETPIPE_SZ: i32 = 1031;
const F_GETPIPE_SZ: i32 = 1032;

const F_ADD_SEALS: i32 = 1033;
const F_GET_SEALS: i32 = 1034;

const FD_CLOEXEC: i64 = 1;

const F_RDLCK: i16 = 0;
const F_WRLCK: i16 = 1;
const F_UNLCK: i16 = 2;

pub(super) async fn call(c: &mut Call<'_>) -> Result<i64, Errno> {
    let (pid, fd, command, arg) = (c.pid(), c.fd(0), c.int(1), c.args[2]);
    if !matches!(command, F_DUPFD | F_DUPFD_CLOEXEC | F_GETFD | F_SETFD | F_GETFL) {
        // The others want a file that is really open.
        c.kernel(|kernel| kernel.fd_place(pid, fd).map(drop))?;
    }
    match command {
        F_DUPFD | F_DUPFD_CLOEXEC => {
            c.kernel(|kernel| kernel.dup_from(pid, fd, c.int(2), command == F_DUPFD_CLOEXEC)).map(i64::from)
        }
        F_GETFD => c.kernel(|kernel| kernel.cloexec(pid, fd)).map(i64::from),
        F_SETFD => done(c.kernel(|kernel| kernel.set_cloexec(pid, fd, arg & FD_CLOEXEC != 0))),
        F_GETFL => c.kernel(|kernel| kernel.status_flags(pid, fd)).map(i64::from),
        F_SETFL => done(c.kernel(|kernel| kernel.set_status_flags(pid, fd, arg as i32))),
        F_GETLK | F_OFD_GETLK => get_lock(c, command == F_OFD_GETLK),
        F_SETLK | F_SETLKW | F_OFD_SETLK | F_OFD_SETLKW => set_lock(c).await,
        F_GETPIPE_SZ => c.kernel(|kernel| kernel.pipe_capacity(pid, fd)).map(|size| size as i64),
        F_SETPIPE_SZ => c.kernel(|kernel| kernel.set_pipe_capacity(pid, fd, c.uint(2))).map(|size| size as i64),
        F_ADD_SEALS => done(c.kernel(|kernel| kernel.add_seals(pid, fd, c.uint(2)))),
        F_GET_SEALS => c.kernel(|kernel| kernel.get_seals(pid, fd)).map(i64::from),
        _ => Err(Errno::EINVAL),
    }
}

/// The `struct flock` that the call points to: type and range in absolute bytes.
fn flock(c: &Call<'_>) -> Result<(i16, u64, u64), Errno> {
    let addr = c.addr(2);
    let (kind, whence) = (c.mem.i16(addr)?, c.mem.i16(addr + 2)?);
    let (start, len) = (c.mem.i64(addr + 8)?, c.mem.i64(addr + 16)?);
    let (start, end) = c.kernel(|kernel| kernel.lock_range(c.pid(), c.fd(0), i32::from(whence), start, len))?;
    Ok((kind, start, end))
}

/// Locks of open files want no process id.
fn check_owner_field(c: &Call<'_>) -> Result<(), Errno> {
    if c.mem.i32(c.addr(2) + 24)? == 0 { Ok(()) } else { Err(Errno::EINVAL) }
}

fn get_lock(c: &mut Call<'_>, of_file: bool) -> Result<i64, Errno> {
    let (pid, fd, addr) = (c.pid(), c.fd(0), c.addr(2));
    if of_file {
        check_owner_field(c)?;
    }
    let kind = c.mem.i16(addr)?;
    let known = kind == F_RDLCK || kind == F_WRLCK;
    if !known && !of_file {
        return Err(Errno::EINVAL);
    }
    let (_, start, end) = flock(c)?;
    if !known {
        return Err(Errno::EINVAL);
    }
    let found = c.kernel(|kernel| kernel.find_lock(pid, fd, kind == F_WRLCK, start, end, of_file))?;
    match found {
        None => done(c.mem.put(addr, &F_UNLCK.to_le_bytes())),
        Some(lock) => {
            let kind = if lock.exclusive { F_WRLCK } else { F_RDLCK };
            let len = if lock.end == u64::MAX { 0 } else { lock.end - lock.start };
            let owner = if lock.file.is_some() { -1 } else { lock.pid };
            let flock = Layout::<32>::new().u16(0, kind as u16).u64(8, lock.start).u64(16, len).i32(24, owner);
            done(c.mem.put(addr, &flock.0))
        }
    }
}

async fn set_lock(c: &Call<'_>) -> Result<i64, Errno> {
    let (pid, fd, command) = (c.pid(), c.fd(0), c.int(1));
    let of_file = matches!(command, F_OFD_SETLK | F_OFD_SETLKW);
    if of_file {
        check_owner_field(c)?;
    }
    let (kind, start, end) = flock(c)?;
    let request = match kind {
        F_RDLCK => LockRequest::Read,
        F_WRLCK => LockRequest::Write,
        F_UNLCK => LockRequest::Unlock,
        _ => return Err(Errno::EINVAL),
    };
    let wait = matches!(command, F_SETLKW | F_OFD_SETLKW);
    done(c.wait(|kernel| kernel.set_lock(pid, fd, request, start, end, wait, of_file)).await)
}
