//! System calls that make, remove and change names and inodes.

use provium_protocol::Errno;

use super::inode::{Inode, InodeKind, NodeId};
use super::mount::Loc;
use super::path::Walk;
use super::perm::{MAY_EXEC, MAY_WRITE, loses_group};
use crate::flags::{AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, F_OK, S_ISGID, S_ISUID};
use crate::kernel::Kernel;
use crate::kernel::file::Attributes;
use crate::kernel::wait::Channel;
use crate::types::{Credentials, Fd, Pid, SetTime, Stat};

impl Kernel {
    /// Makes an inode under a name. `perm` is as given by the caller: the umask is applied here.
    pub(crate) fn create(
        &mut self,
        pid: Pid,
        dir: Loc,
        name: Vec<u8>,
        kind: InodeKind,
        perm: u32,
    ) -> Result<NodeId, Errno> {
        let is_dir = matches!(kind, InodeKind::Directory { .. });
        let node = self.make_inode(pid, dir, kind, perm)?;
        self.inode_mut(node)?.nlink = if is_dir { 2 } else { 1 };
        self.add_name(dir.node, name, node.ino, is_dir)?;
        Ok(node)
    }

    /// Makes an inode that no directory names yet, with what it inherits from the directory it is for.
    pub(super) fn make_inode(&mut self, pid: Pid, dir: Loc, kind: InodeKind, perm: u32) -> Result<NodeId, Errno> {
        let now = self.realtime();
        let creds = self.proc(pid)?.creds.clone();
        let umask = self.proc(pid)?.umask;
        let is_dir = matches!(kind, InodeKind::Directory { .. });
        let mut perm = if matches!(kind, InodeKind::Symlink(_)) { 0o777 } else { perm & 0o7777 & !umask };
        let parent = self.inode(dir.node).ok_or(Errno::EACCES)?;
        let gid = if parent.perm & S_ISGID != 0 { parent.gid } else { creds.egid };
        if parent.perm & S_ISGID != 0 {
            if is_dir {
                perm |= S_ISGID;
            } else if perm & (S_ISGID | 0o010) == S_ISGID | 0o010 && !creds.is_root() && !creds.in_group(gid) {
                // Nobody gets a program that runs as a group that is not theirs.
                perm &= !S_ISGID;
            }
        }
        let inode = Inode {
            kind,
            perm,
            uid: creds.euid,
            gid,
            nlink: 0,
            holds: 0,
            nameless: false,
            atime: now,
            mtime: now,
            ctime: now,
        };
        let ino = self.memory_fs(dir.node.fs)?.insert(inode)?;
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

    /// readlinkat(2).
    pub fn readlink(&mut self, pid: Pid, dirfd: Fd, path: &[u8]) -> Result<Vec<u8>, Errno> {
        let loc = self.walk_found(pid, dirfd, path, false)?;
        self.link_target(loc.node, pid)
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
        let creds = self.proc(pid)?.creds.clone();
        let loc = match *place {
            Place::Node(loc) => loc,
            Place::OpenFile(id) => {
                let own = self.attributes_mut(id)?;
                if !creds.is_root() && own.uid != creds.euid {
                    return Err(Errno::EPERM);
                }
                own.perm = changed_mode(mode, own.gid, &creds);
                return Ok(());
            }
        };
        if self.is_proc(loc.node) {
            return Err(Errno::EPERM);
        }
        self.check_writable(loc.mount)?;
        if matches!(self.inode(loc.node).map(|inode| &inode.kind), Some(InodeKind::Symlink(_))) {
            return Err(Errno::EOPNOTSUPP);
        }
        self.check_owner(pid, loc.node)?;
        let now = self.realtime();
        let inode = self.inode_mut(loc.node)?;
        inode.perm = changed_mode(mode, inode.gid, &creds);
        inode.ctime = now;
        self.wake(Channel::File(loc.node));
        Ok(())
    }

    /// fchownat(2); `None` leaves an id as it is.
    pub fn chown(&mut self, pid: Pid, place: &Place, uid: Option<u32>, gid: Option<u32>) -> Result<(), Errno> {
        let creds = self.proc(pid)?.creds.clone();
        let loc = match *place {
            Place::Node(loc) => loc,
            Place::OpenFile(id) => {
                let own = self.attributes_mut(id)?;
                *own = changed_owner(*own, (uid, gid), false, &creds)?;
                return Ok(());
            }
        };
        if self.is_proc(loc.node) {
            return Err(Errno::EPERM);
        }
        self.check_writable(loc.mount)?;
        let now = self.realtime();
        let inode = self.inode_mut(loc.node)?;
        let own = Attributes { perm: inode.perm, uid: inode.uid, gid: inode.gid };
        let own = changed_owner(own, (uid, gid), inode.is_dir(), &creds)?;
        (inode.perm, inode.uid, inode.gid) = (own.perm, own.uid, own.gid);
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
        for time in [atime, mtime] {
            if matches!(time, SetTime::At(time) if time.nsec >= 1_000_000_000) {
                return Err(Errno::EINVAL);
            }
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

    /// chroot(2).
    pub fn chroot(&mut self, pid: Pid, path: &[u8]) -> Result<(), Errno> {
        let Place::Node(loc) = self.walk_at(pid, crate::flags::AT_FDCWD, path, 0)? else { return Err(Errno::ENOTDIR) };
        if !self.is_dir(loc.node) {
            return Err(Errno::ENOTDIR);
        }
        self.check(pid, loc.node, MAY_EXEC)?;
        if !self.proc(pid)?.creds.is_root() {
            return Err(Errno::EPERM);
        }
        self.hold(loc.node);
        let old = std::mem::replace(&mut self.proc_mut(pid)?.root, loc);
        self.unhold(old.node);
        Ok(())
    }

    /// getcwd(2): `ENOENT` if the directory was removed.
    pub fn getcwd(&self, pid: Pid) -> Result<Vec<u8>, Errno> {
        let cwd = self.proc(pid)?.cwd;
        if self.inode(cwd.node).is_some_and(|inode| inode.nlink == 0) {
            return Err(Errno::ENOENT);
        }
        Ok(self.path_below(cwd, self.proc(pid)?.root))
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

/// The permissions that chmod(2) comes to.
fn changed_mode(mode: u32, gid: u32, creds: &Credentials) -> u32 {
    let perm = mode & 0o7777;
    // Nobody gets a program that runs as a group that is not theirs.
    if creds.is_root() || creds.in_group(gid) { perm } else { perm & !S_ISGID }
}

/// What chown(2) comes to, or `EPERM`.
fn changed_owner(
    mut own: Attributes,
    (uid, gid): (Option<u32>, Option<u32>),
    is_dir: bool,
    creds: &Credentials,
) -> Result<Attributes, Errno> {
    if !creds.is_root() {
        let owner = own.uid == creds.euid;
        let keeps = uid.is_none_or(|uid| uid == own.uid) && owner;
        let own_group = gid.is_none_or(|gid| gid == own.gid || creds.in_group(gid));
        if (uid.is_some() || gid.is_some()) && !(keeps && own_group) {
            return Err(Errno::EPERM);
        }
    }
    if !is_dir {
        let mut kept = own.perm & !S_ISUID;
        if loses_group(own.perm, own.gid, creds) {
            kept &= !S_ISGID;
        }
        // Even who changes neither id changes the permissions with this.
        if kept != own.perm && !creds.is_root() && own.uid != creds.euid {
            return Err(Errno::EPERM);
        }
        own.perm = kept;
    }
    own.uid = uid.unwrap_or(own.uid);
    own.gid = gid.unwrap_or(own.gid);
    Ok(own)
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
