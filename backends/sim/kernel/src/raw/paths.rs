//! Opening files, and their attributes.

use provium_protocol::Errno;

use super::call::{Call, done};
use super::layout;
use super::table::nr;
use crate::flags::{AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_CREAT, O_TMPFILE, O_TRUNC, O_WRONLY};
use crate::limits::PAGE;
use crate::types::{Fd, SetTime, Stat, TimeSpec};
use crate::vfs::tree::Place;

/// fstatat(2): do not trigger an automount (there is none).
const AT_NO_AUTOMOUNT: i32 = 0x800;
/// statx(2): how fresh a remote file's attributes are to be.
const AT_STATX_SYNC_TYPE: i32 = 0x6000;
/// statx(2): reserved in the mask.
const STATX_RESERVED: u32 = 0x8000_0000;
/// faccessat(2): by the effective ids.
const AT_EACCESS: i32 = 0x200;
/// utimensat(2): the current time.
const UTIME_NOW: i64 = 0x3fff_ffff;
/// utimensat(2): leave it.
const UTIME_OMIT: i64 = 0x3fff_fffe;
/// Bytes of the first `struct open_how`.
const OPEN_HOW: usize = 24;

pub(super) async fn call(c: &mut Call<'_>) -> Result<i64, Errno> {
    match c.nr {
        nr::OPEN => open(c, AT_FDCWD, 0, c.int(1), c.uint(2)).await,
        nr::OPENAT => open(c, c.fd(0), 1, c.int(2), c.uint(3)).await,
        nr::CREAT => open(c, AT_FDCWD, 0, O_CREAT | O_WRONLY | O_TRUNC, c.uint(1)).await,
        nr::OPENAT2 => openat2(c).await,
        nr::STAT => put_stat(c, 1, stat(c, AT_FDCWD, 0, 0)),
        nr::LSTAT => put_stat(c, 1, stat(c, AT_FDCWD, 0, AT_SYMLINK_NOFOLLOW)),
        nr::FSTAT => put_stat(c, 1, c.kernel(|kernel| kernel.fstat(c.pid(), c.fd(0)))),
        nr::NEWFSTATAT => {
            let flags = c.int(3);
            if flags & !(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH) != 0 {
                return Err(Errno::EINVAL);
            }
            put_stat(c, 2, stat(c, c.fd(0), 1, flags))
        }
        nr::STATX => statx(c),
        nr::STATFS | nr::FSTATFS => {
            let (pid, on) = (c.pid(), place(c, 0, c.nr == nr::FSTATFS)?);
            let fs = match on {
                On::Path(path) => c.kernel(|kernel| {
                    let place = kernel.walk_at(pid, AT_FDCWD, path, 0)?;
                    kernel.statfs(&place)
                }),
                On::Fd(fd) => c.kernel(|kernel| {
                    let place = kernel.any_place(pid, fd)?;
                    kernel.statfs(&place)
                }),
            }?;
            done(c.mem.put(c.addr(1), &layout::statfs(&fs)))
        }
        nr::ACCESS => access(c, AT_FDCWD, 0, c.int(1), 0),
        nr::FACCESSAT => access(c, c.fd(0), 1, c.int(2), 0),
        nr::FACCESSAT2 => access(c, c.fd(0), 1, c.int(2), c.int(3)),
        nr::READLINK => readlink(c, AT_FDCWD, 0),
        nr::READLINKAT => readlink(c, c.fd(0), 1),
        nr::CHMOD | nr::FCHMOD | nr::FCHMODAT | nr::FCHMODAT2 => chmod(c),
        nr::CHOWN | nr::LCHOWN | nr::FCHOWN | nr::FCHOWNAT => chown(c),
        nr::UMASK => {
            let (pid, mask) = (c.pid(), c.uint(0) & 0o777);
            c.kernel(|kernel| Ok(i64::from(std::mem::replace(&mut kernel.proc_mut(pid)?.umask, mask))))
        }
        nr::CHDIR => done(on_path(c, AT_FDCWD, 0, 0, |kernel, pid, place| kernel.chdir(pid, place))),
        nr::CHROOT => {
            let path = c.path(0)?;
            done(c.kernel(|kernel| kernel.chroot(c.pid(), path)))
        }
        nr::FCHDIR => {
            let (pid, fd) = (c.pid(), c.fd(0));
            done(c.kernel(|kernel| {
                let place = kernel.any_place(pid, fd)?;
                kernel.chdir(pid, &place)
            }))
        }
        nr::GETCWD => {
            let mut path = c.kernel(|kernel| kernel.getcwd(c.pid()))?;
            path.push(0);
            if path.len() > c.len(1) {
                return Err(Errno::ERANGE);
            }
            c.mem.put(c.addr(0), &path)?;
            Ok(path.len() as i64)
        }
        nr::UTIME | nr::UTIMES | nr::FUTIMESAT | nr::UTIMENSAT => utimes(c),
        _ => Err(Errno::ENOSYS),
    }
}

async fn open(c: &Call<'_>, dirfd: Fd, path: usize, flags: i32, mode: u32) -> Result<i64, Errno> {
    c.sys.open_now(dirfd, c.path(path)?, flags, mode).await.map(i64::from)
}

async fn openat2(c: &Call<'_>) -> Result<i64, Errno> {
    let (how, size) = (c.addr(2), c.len(3));
    if size < OPEN_HOW {
        return Err(Errno::EINVAL);
    }
    if size > PAGE {
        return Err(Errno::E2BIG);
    }
    // What a newer caller may say beyond what is known must be nothing.
    if c.mem.bytes(how, size)?[OPEN_HOW..].iter().any(|byte| *byte != 0) {
        return Err(Errno::E2BIG);
    }
    let (flags, mode, resolve) = (c.mem.u64(how)?, c.mem.u64(how + 8)?, c.mem.u64(how + 16)?);
    let flags = i32::try_from(flags).map_err(|_| Errno::EINVAL)?;
    let makes = flags & O_CREAT != 0 || flags & O_TMPFILE == O_TMPFILE;
    if resolve != 0 || mode & !0o7777 != 0 || (mode != 0 && !makes) {
        return Err(Errno::EINVAL);
    }
    open(c, c.fd(0), 1, flags, mode as u32).await
}

fn stat(c: &Call<'_>, dirfd: Fd, path: usize, flags: i32) -> Result<Stat, Errno> {
    let path = c.path(path)?;
    c.kernel(|kernel| kernel.stat_at(c.pid(), dirfd, path, flags))
}

fn put_stat(c: &mut Call<'_>, at: usize, stat: Result<Stat, Errno>) -> Result<i64, Errno> {
    done(c.mem.put(c.addr(at), &layout::stat(&stat?)))
}

fn statx(c: &mut Call<'_>) -> Result<i64, Errno> {
    let (dirfd, flags, mask) = (c.fd(0), c.int(2), c.uint(3));
    let known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;
    if flags & !known != 0 || mask & STATX_RESERVED != 0 || flags & AT_STATX_SYNC_TYPE == AT_STATX_SYNC_TYPE {
        return Err(Errno::EINVAL);
    }
    let path = c.path(1)?;
    let (stat, mount) = c.kernel(|kernel| {
        let mount = match kernel.walk_at(c.pid(), dirfd, path, flags)? {
            Place::Node(loc) => loc.mount,
            Place::OpenFile(_) => 0,
        };
        Ok((kernel.stat_at(c.pid(), dirfd, path, flags)?, mount))
    })?;
    done(c.mem.put(c.addr(4), &layout::statx(&stat, mount)))
}

fn access(c: &Call<'_>, dirfd: Fd, path: usize, mode: i32, flags: i32) -> Result<i64, Errno> {
    if flags & !(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL);
    }
    let path = c.path(path)?;
    done(c.kernel(|kernel| kernel.access_at(c.pid(), dirfd, path, mode, flags & AT_EACCESS != 0, flags)))
}

fn readlink(c: &mut Call<'_>, dirfd: Fd, path: usize) -> Result<i64, Errno> {
    let room = usize::try_from(c.int(path + 2)).ok().filter(|room| *room > 0).ok_or(Errno::EINVAL)?;
    let name = c.path(path)?;
    let target = c.kernel(|kernel| kernel.readlink(c.pid(), dirfd, name))?;
    let target = &target[..target.len().min(room)];
    c.mem.put(c.addr(path + 1), target)?;
    Ok(target.len() as i64)
}

/// What a call works on: a path or a descriptor.
enum On<'a> {
    Path(&'a [u8]),
    Fd(Fd),
}

fn place<'a>(c: &'a Call<'_>, at: usize, by_fd: bool) -> Result<On<'a>, Errno> {
    Ok(if by_fd { On::Fd(c.fd(at)) } else { On::Path(c.path(at)?) })
}

/// Does something to what a path leads to.
fn on_path(
    c: &Call<'_>,
    dirfd: Fd,
    path: usize,
    flags: i32,
    action: impl FnOnce(&mut crate::kernel::Kernel, crate::Pid, &Place) -> Result<(), Errno>,
) -> Result<(), Errno> {
    let (pid, path) = (c.pid(), c.path(path)?);
    c.kernel(|kernel| {
        let place = kernel.walk_at(pid, dirfd, path, flags)?;
        action(kernel, pid, &place)
    })
}

/// Does something to an open file; `O_PATH` is not open enough.
fn on_fd(
    c: &Call<'_>,
    fd: Fd,
    action: impl FnOnce(&mut crate::kernel::Kernel, crate::Pid, &Place) -> Result<(), Errno>,
) -> Result<(), Errno> {
    c.kernel(|kernel| {
        let place = kernel.fd_place(c.pid(), fd)?;
        action(kernel, c.pid(), &place)
    })
}

fn chmod(c: &Call<'_>) -> Result<i64, Errno> {
    let (dirfd, path, mode, flags) = match c.nr {
        nr::FCHMOD => return done(on_fd(c, c.fd(0), |kernel, pid, place| kernel.chmod(pid, place, c.uint(1)))),
        nr::CHMOD => (AT_FDCWD, 0, c.uint(1), 0),
        nr::FCHMODAT => (c.fd(0), 1, c.uint(2), 0),
        _ => (c.fd(0), 1, c.uint(2), c.int(3)),
    };
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL);
    }
    done(on_path(c, dirfd, path, flags, |kernel, pid, place| kernel.chmod(pid, place, mode)))
}

fn chown(c: &Call<'_>) -> Result<i64, Errno> {
    let (dirfd, path, ids, flags) = match c.nr {
        nr::FCHOWN => {
            let (uid, gid) = (c.id(1), c.id(2));
            return done(on_fd(c, c.fd(0), |kernel, pid, place| kernel.chown(pid, place, uid, gid)));
        }
        nr::CHOWN => (AT_FDCWD, 0, (c.id(1), c.id(2)), 0),
        nr::LCHOWN => (AT_FDCWD, 0, (c.id(1), c.id(2)), AT_SYMLINK_NOFOLLOW),
        _ => (c.fd(0), 1, (c.id(2), c.id(3)), c.int(4)),
    };
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL);
    }
    done(on_path(c, dirfd, path, flags, |kernel, pid, place| kernel.chown(pid, place, ids.0, ids.1)))
}

fn set_time(c: &Call<'_>, addr: u64) -> Result<SetTime, Errno> {
    let (sec, nsec) = (c.mem.i64(addr)?, c.mem.i64(addr + 8)?);
    match nsec {
        UTIME_NOW => Ok(SetTime::Now),
        UTIME_OMIT => Ok(SetTime::Omit),
        0..1_000_000_000 => Ok(SetTime::At(TimeSpec { sec, nsec: nsec as u32 })),
        // Told after the path was looked at; what is out of range stays so in 32 bits.
        _ => Ok(SetTime::At(TimeSpec { sec, nsec: u32::MAX })),
    }
}

fn utimes(c: &Call<'_>) -> Result<i64, Errno> {
    let (dirfd, path, times) = match c.nr {
        nr::UTIME | nr::UTIMES => (AT_FDCWD, 0, c.addr(1)),
        _ => (c.fd(0), 1, c.addr(2)),
    };
    let (atime, mtime) = match c.nr {
        _ if times == 0 => (SetTime::Now, SetTime::Now),
        nr::UTIME => {
            let at = |addr| Ok::<_, Errno>(SetTime::At(TimeSpec { sec: c.mem.i64(addr)?, nsec: 0 }));
            (at(times)?, at(times + 8)?)
        }
        nr::UTIMENSAT => (set_time(c, times)?, set_time(c, times + 16)?),
        _ => (SetTime::At(c.timeval(times)?), SetTime::At(c.timeval(times + 16)?)),
    };
    let flags = if c.nr == nr::UTIMENSAT { c.int(3) } else { 0 };
    // No path at all is the descriptor itself.
    if c.addr(path) == 0 && matches!(c.nr, nr::UTIMENSAT | nr::FUTIMESAT) && dirfd != AT_FDCWD {
        if flags != 0 {
            return Err(Errno::EINVAL);
        }
        return done(on_fd(c, dirfd, |kernel, pid, place| kernel.utimens(pid, place, atime, mtime)));
    }
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL);
    }
    if (atime, mtime) == (SetTime::Omit, SetTime::Omit) {
        // Linux looks at nothing when there is nothing to do.
        return Ok(0);
    }
    done(on_path(c, dirfd, path, flags, |kernel, pid, place| kernel.utimens(pid, place, atime, mtime)))
}
