//! System calls that make, remove and change names and inodes.

use std::collections::BTreeMap;
use std::rc::Rc;

use provium_protocol::Errno;

use super::inode::{Inode, InodeKind, NodeId};
use super::mount::Loc;
use super::path::Walk;
use super::perm::{MAY_EXEC, MAY_WRITE};
use crate::flags::{
    AT_EMPTY_PATH, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW, F_OK, S_IFCHR, S_IFIFO, S_IFMT, S_IFREG,
    S_IFSOCK, S_ISGID, S_ISUID,
};
use crate::kernel::Kernel;
use crate::kernel::wait::Channel;
use crate::types::{Credentials, Fd, Pid, SetTime, Stat};

impl Kernel {
    /// Resolves a path whose last name is to be made: the directory and the name, or `EEXIST`.
    pub(crate) fn walk_new(&self, pid: Pid, dirfd: Fd, path: &[u8], directory: bool) -> Result<(Loc, Vec<u8>), Errno> {
        match self.walk(pid, dirfd, path, false)? {
            Walk::Missing { slash: true, .. } if !directory => Err(Errno::ENOENT),
            Walk::Missing { dir, name, .. } => {
                self.check_new(pid, dir)?;
                Ok((dir, name))
            }
            Walk::Found { .. } | Walk::OpenFile(_) => Err(Errno::EEXIST),
        }
    }

    /// Whether a new name may be made in a directory.
    pub(crate) fn check_new(&self, pid: Pid, dir: Loc) -> Result<(), Errno> {
        if self.is_proc(dir.node) {
            return Err(Errno::ENOENT);
        }
        self.check_writable(dir.mount)?;
        // A directory that was removed while somebody stood in it takes no new names.
        if self.inode(dir.node).is_some_and(|inode| inode.nlink == 0) {
            return Err(Errno::ENOENT);
        }
        self.check(pid, dir.node, MAY_WRITE | MAY_EXEC)
    }

    /// Makes an inode under a name. `perm` is as given by the caller: the umask is applied here.
    pub(crate) fn create(
        &mut self,
        pid: Pid,
        dir: Loc,
        name: Vec<u8>,
        kind: InodeKind,
        perm: u32,
    ) -> Result<NodeId, Errno> {
        let now = self.realtime();
        let (umask, uid, gid) = {
            let process = self.proc(pid)?;
            (process.umask, process.creds.euid, process.creds.egid)
        };
        let is_dir = matches!(kind, InodeKind::Directory { .. });
        let perm = if matches!(kind, InodeKind::Symlink(_)) { 0o777 } else { perm & 0o7777 & !umask };
        let parent = self.inode(dir.node).ok_or(Errno::EACCES)?;
        let (gid, perm) = match parent.perm & S_ISGID != 0 {
            true => (parent.gid, if is_dir { perm | S_ISGID } else { perm }),
            false => (gid, perm),
        };
        let nlink = if is_dir { 2 } else { 1 };
        let inode = Inode { kind, perm, uid, gid, nlink, holds: 0, atime: now, mtime: now, ctime: now };
        let ino = self.memory_fs(dir.node.fs)?.insert(inode)?;
        self.add_name(dir.node, name, ino, is_dir)?;
        Ok(NodeId { fs: dir.node.fs, ino })
    }

    pub(crate) fn add_name(&mut self, dir: NodeId, name: Vec<u8>, ino: u64, is_dir: bool) -> Result<(), Errno> {
        let now = self.realtime();
        let inode = self.inode_mut(dir)?;
        let InodeKind::Directory { entries, .. } = &mut inode.kind else { return Err(Errno::ENOTDIR) };
        entries.insert(name, ino);
        inode.mtime = now;
        inode.ctime = now;
        if is_dir {
            inode.nlink += 1;
        }
        self.wake(Channel::File(dir));
        Ok(())
    }

    pub(crate) fn remove_name(&mut self, dir: NodeId, name: &[u8], is_dir: bool) -> Result<(), Errno> {
        let now = self.realtime();
        let inode = self.inode_mut(dir)?;
        let InodeKind::Directory { entries, .. } = &mut inode.kind else { return Err(Errno::ENOTDIR) };
        entries.remove(name);
        inode.mtime = now;
        inode.ctime = now;
        if is_dir {
            inode.nlink -= 1;
        }
        self.wake(Channel::File(dir));
        Ok(())
    }

    pub(crate) fn drop_link(&mut self, node: NodeId, links: u64) -> Result<(), Errno> {
        let now = self.realtime();
        let inode = self.inode_mut(node)?;
        inode.nlink = inode.nlink.saturating_sub(links);
        inode.ctime = now;
        self.memory_fs(node.fs)?.release(node.ino);
        self.wake(Channel::File(node));
        Ok(())
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
                if !self.proc(pid)?.creds.is_root() {
                    return Err(Errno::EPERM);
                }
                let (major, minor) = super::device::split_dev(dev);
                InodeKind::CharDevice(major, minor)
            }
            _ => return Err(Errno::EPERM),
        };
        let (dir, name) = self.walk_new(pid, dirfd, path, false)?;
        self.create(pid, dir, name, kind, mode)?;
        Ok(())
    }

    /// symlinkat(2).
    pub fn symlink(&mut self, pid: Pid, target: &[u8], dirfd: Fd, path: &[u8]) -> Result<(), Errno> {
        super::path::check_path(target)?;
        let (dir, name) = self.walk_new(pid, dirfd, path, false)?;
        self.create(pid, dir, name, InodeKind::Symlink(Rc::from(target)), 0o777)?;
        Ok(())
    }

    /// readlinkat(2).
    pub fn readlink(&mut self, pid: Pid, dirfd: Fd, path: &[u8]) -> Result<Vec<u8>, Errno> {
        let loc = self.walk(pid, dirfd, path, false)?.found()?;
        self.link_target(loc.node, pid)
    }

    /// linkat(2).
    pub fn link(&mut self, pid: Pid, from_fd: Fd, from: &[u8], to_fd: Fd, to: &[u8], flags: i32) -> Result<(), Errno> {
        let source = if from.is_empty() && flags & AT_EMPTY_PATH != 0 {
            self.file(self.file_id(pid, from_fd)?)?.loc.ok_or(Errno::ENOENT)?
        } else {
            match self.walk(pid, from_fd, from, flags & AT_SYMLINK_FOLLOW != 0)? {
                // A link to a file cannot be reached through a path that says it is a directory.
                Walk::Found { loc, slash: true, .. } if !self.is_dir(loc.node) => return Err(Errno::ENOTDIR),
                walk => walk.found()?,
            }
        };
        let (dir, name) = self.walk_new(pid, to_fd, to, false)?;
        if source.mount != dir.mount || source.node.fs != dir.node.fs {
            return Err(Errno::EXDEV);
        }
        if self.is_dir(source.node) {
            return Err(Errno::EPERM);
        }
        self.check_hardlink(pid, source.node)?;
        let now = self.realtime();
        let inode = self.inode_mut(source.node)?;
        inode.nlink += 1;
        inode.ctime = now;
        self.add_name(dir.node, name, source.node.ino, false)
    }

    /// unlinkat(2).
    pub fn unlink(&mut self, pid: Pid, dirfd: Fd, path: &[u8], flags: i32) -> Result<(), Errno> {
        let rmdir = flags & AT_REMOVEDIR != 0;
        let (loc, entry) = match self.walk_name(pid, dirfd, path)? {
            Walk::Missing { .. } => return Err(Errno::ENOENT),
            Walk::OpenFile(_) => return Err(Errno::EPERM),
            Walk::Found { loc, slash: true, .. } if !rmdir && !self.is_dir(loc.node) => {
                return Err(Errno::ENOTDIR);
            }
            Walk::Found { loc, entry, .. } => (loc, entry),
        };
        let Some((dir, name)) = entry else {
            return Err(match (rmdir, last_name(path)) {
                (false, _) => Errno::EISDIR,
                (true, b".") => Errno::EINVAL,
                (true, b"..") => Errno::ENOTEMPTY,
                (true, _) => Errno::EBUSY,
            });
        };
        if self.is_proc(loc.node) && !self.is_mount_root(loc) {
            return Err(Errno::EPERM);
        }
        self.check_writable(dir.mount)?;
        self.check(pid, dir.node, MAY_WRITE | MAY_EXEC)?;
        let is_dir = self.is_dir(loc.node);
        if is_dir && !rmdir {
            return Err(Errno::EISDIR);
        }
        self.check_sticky(pid, dir.node, loc.node)?;
        if !is_dir && rmdir {
            return Err(Errno::ENOTDIR);
        }
        if self.is_mount_root(loc) {
            return Err(Errno::EBUSY);
        }
        if is_dir {
            let inode = self.inode(loc.node).ok_or(Errno::ENOENT)?;
            if matches!(&inode.kind, InodeKind::Directory { entries, .. } if !entries.is_empty()) {
                return Err(Errno::ENOTEMPTY);
            }
        }
        self.remove_name(dir.node, &name, is_dir)?;
        self.drop_link(loc.node, if is_dir { 2 } else { 1 })
    }

    pub(crate) fn is_mount_root(&self, loc: Loc) -> bool {
        self.mounts.get(&loc.mount).is_some_and(|mount| mount.root == loc.node)
    }

    /// A place by descriptor and path as the `*at` calls take them.
    pub(crate) fn walk_at(&self, pid: Pid, dirfd: Fd, path: &[u8], flags: i32) -> Result<Place, Errno> {
        if path.is_empty() && flags & AT_EMPTY_PATH != 0 {
            if dirfd == crate::flags::AT_FDCWD {
                return Ok(Place::Node(self.proc(pid)?.cwd));
            }
            let id = self.file_id(pid, dirfd)?;
            return Ok(match self.file(id)?.loc {
                Some(loc) => Place::Node(loc),
                None => Place::OpenFile(id),
            });
        }
        match self.walk(pid, dirfd, path, flags & AT_SYMLINK_NOFOLLOW == 0)? {
            Walk::Found { loc, slash: true, .. } if !self.is_dir(loc.node) => Err(Errno::ENOTDIR),
            Walk::Found { loc, .. } => Ok(Place::Node(loc)),
            Walk::Missing { .. } => Err(Errno::ENOENT),
            Walk::OpenFile(id) => Ok(Place::OpenFile(id)),
        }
    }

    /// newfstatat(2).
    pub fn stat_at(&self, pid: Pid, dirfd: Fd, path: &[u8], flags: i32) -> Result<Stat, Errno> {
        match self.walk_at(pid, dirfd, path, flags)? {
            Place::Node(loc) => self.stat_node(loc.node),
            Place::OpenFile(id) => self.stat_file(id),
        }
    }

    /// faccessat(2); `effective` uses the effective ids (`AT_EACCESS`).
    pub fn access(&self, pid: Pid, dirfd: Fd, path: &[u8], mode: i32, effective: bool) -> Result<(), Errno> {
        self.access_at(pid, dirfd, path, mode, effective, 0)
    }

    /// faccessat2(2) with `AT_SYMLINK_NOFOLLOW` and `AT_EMPTY_PATH` among the flags.
    pub(crate) fn access_at(
        &self,
        pid: Pid,
        dirfd: Fd,
        path: &[u8],
        mode: i32,
        effective: bool,
        flags: i32,
    ) -> Result<(), Errno> {
        if !(0..=7).contains(&mode) {
            return Err(Errno::EINVAL);
        }
        let Place::Node(loc) = self.walk_at(pid, dirfd, path, flags)? else { return Ok(()) };
        if mode == F_OK {
            return Ok(());
        }
        let creds = &self.proc(pid)?.creds;
        let real = Credentials { euid: creds.uid, egid: creds.gid, ..creds.clone() };
        let stat = self.stat_node(loc.node)?;
        if mode & crate::flags::W_OK != 0 && !stat_is_special(&stat) {
            self.check_writable(loc.mount)?;
        }
        if super::perm::allowed(&stat, if effective { creds } else { &real }, mode as u32) {
            Ok(())
        } else {
            Err(Errno::EACCES)
        }
    }

    /// fchmodat(2).
    pub fn chmod(&mut self, pid: Pid, place: &Place, mode: u32) -> Result<(), Errno> {
        let Place::Node(loc) = *place else { return Ok(()) };
        if self.is_proc(loc.node) {
            return Err(Errno::EPERM);
        }
        self.check_writable(loc.mount)?;
        if matches!(self.inode(loc.node).map(|inode| &inode.kind), Some(InodeKind::Symlink(_))) {
            return Err(Errno::EOPNOTSUPP);
        }
        self.check_owner(pid, loc.node)?;
        let now = self.realtime();
        let creds = self.proc(pid)?.creds.clone();
        let inode = self.inode_mut(loc.node)?;
        inode.perm = mode & 0o7777;
        if !creds.is_root() && !inode.is_dir() && !creds.in_group(inode.gid) {
            inode.perm &= !S_ISGID;
        }
        inode.ctime = now;
        self.wake(Channel::File(loc.node));
        Ok(())
    }

    /// fchownat(2); `None` leaves an id as it is.
    pub fn chown(&mut self, pid: Pid, place: &Place, uid: Option<u32>, gid: Option<u32>) -> Result<(), Errno> {
        let Place::Node(loc) = *place else { return Ok(()) };
        if self.is_proc(loc.node) {
            return Err(Errno::EPERM);
        }
        self.check_writable(loc.mount)?;
        let creds = self.proc(pid)?.creds.clone();
        let now = self.realtime();
        let inode = self.inode_mut(loc.node)?;
        if !creds.is_root() {
            let owner = inode.uid == creds.euid;
            let keeps = uid.is_none_or(|uid| uid == inode.uid) && owner;
            let own_group = gid.is_none_or(|gid| gid == inode.gid || creds.in_group(gid));
            if (uid.is_some() || gid.is_some()) && !(keeps && own_group) {
                return Err(Errno::EPERM);
            }
        }
        inode.uid = uid.unwrap_or(inode.uid);
        inode.gid = gid.unwrap_or(inode.gid);
        if !inode.is_dir() && (uid.is_some() || gid.is_some()) {
            inode.perm &= !S_ISUID;
            if inode.perm & 0o010 != 0 {
                inode.perm &= !S_ISGID;
            }
        }
        inode.ctime = now;
        self.wake(Channel::File(loc.node));
        Ok(())
    }

    /// utimensat(2).
    pub fn utimens(&mut self, pid: Pid, place: &Place, atime: SetTime, mtime: SetTime) -> Result<(), Errno> {
        let Place::Node(loc) = *place else { return Ok(()) };
        if self.is_proc(loc.node) {
            return Err(Errno::EPERM);
        }
        if (atime, mtime) == (SetTime::Omit, SetTime::Omit) {
            return Ok(());
        }
        self.check_writable(loc.mount)?;
        if self.check_owner(pid, loc.node).is_err() {
            // Others may set both times to now if they may write.
            if (atime, mtime) != (SetTime::Now, SetTime::Now) {
                return Err(Errno::EPERM);
            }
            self.check(pid, loc.node, MAY_WRITE)?;
        }
        let now = self.realtime();
        let inode = self.inode_mut(loc.node)?;
        let set = |old: i64, how: SetTime| match how {
            SetTime::Now => now,
            SetTime::Omit => old,
            SetTime::At(time) => time.as_nanos(),
        };
        inode.atime = set(inode.atime, atime);
        inode.mtime = set(inode.mtime, mtime);
        inode.ctime = now;
        self.wake(Channel::File(loc.node));
        Ok(())
    }

    /// chdir(2) and fchdir(2).
    pub fn chdir(&mut self, pid: Pid, place: &Place) -> Result<(), Errno> {
        let Place::Node(loc) = *place else { return Err(Errno::ENOTDIR) };
        if !self.is_dir(loc.node) {
            return Err(Errno::ENOTDIR);
        }
        self.check(pid, loc.node, MAY_EXEC)?;
        self.hold(loc.node);
        let old = std::mem::replace(&mut self.proc_mut(pid)?.cwd, loc);
        self.unhold(old.node);
        Ok(())
    }

    /// getcwd(2): `ENOENT` if the directory was removed.
    pub fn getcwd(&self, pid: Pid) -> Result<Vec<u8>, Errno> {
        let cwd = self.proc(pid)?.cwd;
        if self.inode(cwd.node).is_some_and(|inode| inode.nlink == 0) {
            return Err(Errno::ENOENT);
        }
        Ok(self.path_of(cwd))
    }
}

/// What an `*at` call works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Something in the tree.
    Node(Loc),
    /// An open file without a place in the tree: a pipe, a socket.
    OpenFile(usize),
}

fn stat_is_special(stat: &Stat) -> bool {
    !stat.is_file() && !stat.is_dir() && !stat.is_symlink()
}

/// The last name of a path, slashes at its end left out.
#[must_use]
pub fn last_name(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |at| at + 1);
    let start = path[..end].iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    &path[start..end]
}
