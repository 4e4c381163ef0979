//! Making, removing and changing names.

use provium_protocol::Errno;

use super::call::{Call, done};
use super::table::nr;
use crate::flags::{AT_EMPTY_PATH, AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_FOLLOW};

pub(super) fn call(c: &Call<'_>) -> Result<i64, Errno> {
    let pid = c.pid();
    done(match c.nr {
        nr::MKDIR => {
            let path = c.path(0)?;
            c.kernel(|kernel| kernel.mkdir(pid, AT_FDCWD, path, c.uint(1)))
        }
        nr::MKDIRAT => {
            let path = c.path(1)?;
            c.kernel(|kernel| kernel.mkdir(pid, c.fd(0), path, c.uint(2)))
        }
        nr::MKNOD => {
            let path = c.path(0)?;
            c.kernel(|kernel| kernel.mknod(pid, AT_FDCWD, path, c.uint(1), u64::from(c.uint(2))))
        }
        nr::MKNODAT => {
            let path = c.path(1)?;
            c.kernel(|kernel| kernel.mknod(pid, c.fd(0), path, c.uint(2), u64::from(c.uint(3))))
        }
        nr::RMDIR => {
            let path = c.path(0)?;
            c.kernel(|kernel| kernel.unlink(pid, AT_FDCWD, path, AT_REMOVEDIR))
        }
        nr::UNLINK => {
            let path = c.path(0)?;
            c.kernel(|kernel| kernel.unlink(pid, AT_FDCWD, path, 0))
        }
        nr::UNLINKAT => {
            if c.int(2) & !AT_REMOVEDIR != 0 {
                return Err(Errno::EINVAL);
            }
            let path = c.path(1)?;
            c.kernel(|kernel| kernel.unlink(pid, c.fd(0), path, c.int(2)))
        }
        nr::RENAME => {
            let (from, to) = (c.path(0)?, c.path(1)?);
            c.kernel(|kernel| kernel.rename(pid, AT_FDCWD, from, AT_FDCWD, to, 0))
        }
        nr::RENAMEAT | nr::RENAMEAT2 => {
            let flags = if c.nr == nr::RENAMEAT2 { c.uint(4) } else { 0 };
            let (from, to) = (c.path(1)?, c.path(3)?);
            c.kernel(|kernel| kernel.rename(pid, c.fd(0), from, c.fd(2), to, flags))
        }
        nr::LINK => {
            let (from, to) = (c.path(0)?, c.path(1)?);
            c.kernel(|kernel| kernel.link(pid, AT_FDCWD, from, AT_FDCWD, to, 0))
        }
        nr::LINKAT => {
            if c.int(4) & !(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH) != 0 {
                return Err(Errno::EINVAL);
            }
            let (from, to) = (c.path(1)?, c.path(3)?);
            c.kernel(|kernel| kernel.link(pid, c.fd(0), from, c.fd(2), to, c.int(4)))
        }
        nr::SYMLINK => {
            let (target, path) = (c.path(0)?, c.path(1)?);
            c.kernel(|kernel| kernel.symlink(pid, target, AT_FDCWD, path))
        }
        nr::SYMLINKAT => {
            let (target, path) = (c.path(0)?, c.path(2)?);
            c.kernel(|kernel| kernel.symlink(pid, target, c.fd(1), path))
        }
        _ => Err(Errno::ENOSYS),
    })
}
