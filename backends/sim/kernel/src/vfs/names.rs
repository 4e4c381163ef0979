//! System calls that make and remove names. Errors come in the order in which Linux finds them.

use std::collections::BTreeMap;
use std::rc::Rc;

use provium_protocol::Errno;

use super::inode::InodeKind;
use super::mount::Loc;
use super::path::{Last, Walk, check_path};
use super::perm::{MAY_EXEC, MAY_WRITE};
use crate::flags::{
    AT_EMPTY_PATH, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK,
};
use crate::kernel::Kernel;
use crate::types::{Fd, Pid};

impl Kernel {
    /// Resolves a path whose last name is to be made: the directory and the name, or `EEXIST`.
    pub(crate) fn walk_new(&self, pid: Pid, dirfd: Fd, path: &[u8], directory: bool) -> Result<(Loc, Vec<u8>), Errno> {
        let (dir, name) = self.walk_absent(pid, dirfd, path, directory)?;
        self.check_new(pid, dir)?;
        Ok((dir, name))
    }

    /// The same without asking whether the name may be made.
    fn walk_absent(&self, pid: Pid, dirfd: Fd, path: &[u8], directory: bool) -> Result<(Loc, Vec<u8>), Errno> {
        let parent = self.walk_parent(pid, dirfd, path)?;
        let Last::Name(name) = parent.last else { return Err(Errno::EEXIST) };
        let dir = parent.dir;
        // A directory that was removed while somebody stood in it takes no new names.
        if self.is_dead(dir) {
            return Err(Errno::ENOENT);
        }
        if self.child(dir, name)?.is_some() {
            return Err(Errno::EEXIST);
        }
        if parent.slash && !directory {
            return Err(Errno::ENOENT);
        }
        Ok((dir, name.to_vec()))
    }

    /// Whether a new name may be made in a directory.
    pub(crate) fn check_new(&self, pid: Pid, dir: Loc) -> Result<(), Errno> {
        if self.is_proc(dir.node) || self.is_dead(dir) {
            return Err(Errno::ENOENT);
        }
        self.check_writable(dir.mount)?;
        self.check(pid, dir.node, MAY_WRITE | MAY_EXEC)
    }

    /// Whether a directory was removed while somebody held it.
    pub(crate) fn is_dead(&self, dir: Loc) -> bool {
        self.inode(dir.node).is_some_and(|inode| inode.nlink == 0)
    }

    /// mkdirat(2).
    pub fn mkdir(&mut self, pid: Pid, dirfd: Fd, path: &[u8], mode: u32) -> Result<(), Errno> {
        let (dir, name) = self.walk_new(pid, dirfd, path, true)?;
        let kind = InodeKind::Directory { entries: BTreeMap::new(), parent: dir.node.ino };
        self.create(pid, dir, name, kind, mode & 0o1777)?;
        Ok(())
    }

    /// mknodat(2): regular files, FIFOs, sockets, and (for root) the known character devices.
    pub fn mknod(&mut self, pid: Pid, dirfd: Fd, path: &[u8], mode: u32, dev: u64) -> Result<(), Errno> {
        let kind = match mode & S_IFMT {
            0 | S_IFREG => InodeKind::File(Default::default()),
            S_IFIFO => InodeKind::Fifo(None),
            S_IFSOCK => InodeKind::Socket(None),
            S_IFCHR => {
                let (major, minor) = super::device::split_dev(dev);
                InodeKind::CharDevice(major, minor)
            }
            // There are no block devices.
            S_IFBLK | S_IFDIR => return Err(Errno::EPERM),
            _ => return Err(Errno::EINVAL),
        };
        let (dir, name) = self.walk_new(pid, dirfd, path, false)?;
        if matches!(kind, InodeKind::CharDevice(..)) && !self.proc(pid)?.creds.is_root() {
            return Err(Errno::EPERM);
        }
        self.create(pid, dir, name, kind, mode)?;
        Ok(())
    }

    /// symlinkat(2).
    pub fn symlink(&mut self, pid: Pid, target: &[u8], dirfd: Fd, path: &[u8]) -> Result<(), Errno> {
        check_path(target)?;
        let (dir, name) = self.walk_new(pid, dirfd, path, false)?;
        self.create(pid, dir, name, InodeKind::Symlink(Rc::from(target)), 0o777)?;
        Ok(())
    }

    /// linkat(2).
    pub fn link(&mut self, pid: Pid, from_fd: Fd, from: &[u8], to_fd: Fd, to: &[u8], flags: i32) -> Result<(), Errno> {
        let source = if from.is_empty() && flags & AT_EMPTY_PATH != 0 {
            self.file(self.file_id(pid, from_fd)?)?.loc.ok_or(Errno::EXDEV)?
        } else {
            match self.walk(pid, from_fd, from, flags & AT_SYMLINK_FOLLOW != 0)? {
                // A link to a file cannot be reached through a path that says it is a directory.
                Walk::Found { loc, slash: true, .. } if !self.is_dir(loc.node) => return Err(Errno::ENOTDIR),
                Walk::OpenFile(_) => return Err(Errno::EXDEV),
                walk => walk.found()?,
            }
        };
        let (dir, name) = self.walk_absent(pid, to_fd, to, false)?;
        if source.mount != dir.mount {
            return Err(Errno::EXDEV);
        }
        self.check_hardlink(pid, source.node)?;
        self.check_new(pid, dir)?;
        if source.node.fs != dir.node.fs {
            return Err(Errno::EXDEV);
        }
        if self.is_dir(source.node) {
            return Err(Errno::EPERM);
        }
        let now = self.realtime();
        let inode = self.inode_mut(source.node)?;
        // Only a file that was made without a name can get its first one.
        if inode.nlink == 0 && !inode.nameless {
            return Err(Errno::ENOENT);
        }
        inode.nameless = false;
        inode.nlink += 1;
        inode.ctime = now;
        self.add_name(dir.node, name, source.node.ino, false)
    }

    /// unlinkat(2).
    pub fn unlink(&mut self, pid: Pid, dirfd: Fd, path: &[u8], flags: i32) -> Result<(), Errno> {
        let rmdir = flags & AT_REMOVEDIR != 0;
        let parent = self.walk_parent(pid, dirfd, path)?;
        let (dir, name) = match parent.last {
            Last::Name(name) => (parent.dir, name),
            _ if !rmdir => return Err(Errno::EISDIR),
            Last::Dot => return Err(Errno::EINVAL),
            Last::DotDot => return Err(Errno::ENOTEMPTY),
            Last::Root => return Err(Errno::EBUSY),
        };
        self.check_writable(dir.mount)?;
        let loc = self.child(dir, name)?.ok_or(Errno::ENOENT)?;
        if parent.slash && !rmdir {
            return Err(if self.is_dir(loc.node) { Errno::EISDIR } else { Errno::ENOTDIR });
        }
        self.check_delete(pid, dir, loc, rmdir)?;
        if self.is_mount_root(loc) {
            return Err(Errno::EBUSY);
        }
        if rmdir && !self.is_empty_dir(loc) {
            return Err(Errno::ENOTEMPTY);
        }
        let name = name.to_vec();
        self.remove_name(dir.node, &name, rmdir)?;
        self.drop_link(loc.node, if rmdir { 2 } else { 1 })
    }

    /// Whether an entry may be taken out of a directory; `directory`: it is to be one.
    pub(super) fn check_delete(&self, pid: Pid, dir: Loc, entry: Loc, directory: bool) -> Result<(), Errno> {
        if self.is_proc(dir.node) {
            return Err(Errno::EPERM);
        }
        self.check(pid, dir.node, MAY_WRITE | MAY_EXEC)?;
        self.check_sticky(pid, dir.node, entry.node)?;
        match (directory, self.is_dir(entry.node)) {
            (true, false) => Err(Errno::ENOTDIR),
            (false, true) => Err(Errno::EISDIR),
            _ if self.is_dead(dir) => Err(Errno::ENOENT),
            _ => Ok(()),
        }
    }

    pub(super) fn is_empty_dir(&self, loc: Loc) -> bool {
        matches!(self.inode(loc.node).map(|inode| &inode.kind),
            Some(InodeKind::Directory { entries, .. }) if entries.is_empty())
    }
}
