//! Permissions, see path_resolution(7) and inode(7).

use provium_protocol::Errno;

use super::NodeId;
use crate::flags::{S_ISGID, S_ISUID, S_ISVTX};
use crate::kernel::Kernel;
use crate::types::{Credentials, Pid, Stat};

/// Read permission.
pub const MAY_READ: u32 = 4;
/// Write permission.
pub const MAY_WRITE: u32 = 2;
/// Execute or search permission.
pub const MAY_EXEC: u32 = 1;

/// Whether `creds` have all of `want` on something with these attributes.
#[must_use]
pub fn allowed(stat: &Stat, creds: &Credentials, want: u32) -> bool {
    if creds.is_root() {
        // Root may do anything but execute a file that nobody may.
        return want & MAY_EXEC == 0 || stat.is_dir() || stat.mode & 0o111 != 0;
    }
    let bits = if stat.uid == creds.euid {
        stat.mode >> 6
    } else if creds.in_group(stat.gid) {
        stat.mode >> 3
    } else {
        stat.mode
    };
    bits & want == want
}

impl Kernel {
    /// `EACCES` unless the process has all of `want` on the node.
    pub(crate) fn check(&self, pid: Pid, node: NodeId, want: u32) -> Result<(), Errno> {
        let creds = &self.proc(pid)?.creds;
        if creds.is_root() && want & MAY_EXEC == 0 {
            return Ok(());
        }
        let stat = self.stat_node(node)?;
        if allowed(&stat, creds, want) { Ok(()) } else { Err(Errno::EACCES) }
    }

    /// `EPERM` if a sticky directory forbids the process to remove or rename this entry.
    pub(crate) fn check_sticky(&self, pid: Pid, dir: NodeId, entry: NodeId) -> Result<(), Errno> {
        let creds = &self.proc(pid)?.creds;
        if creds.is_root() {
            return Ok(());
        }
        let dir = self.stat_node(dir)?;
        if dir.mode & S_ISVTX == 0 || dir.uid == creds.euid || self.stat_node(entry)?.uid == creds.euid {
            return Ok(());
        }
        Err(Errno::EPERM)
    }

    /// `EPERM` if `fs.protected_hardlinks` forbids the process to make another name for what it neither
    /// owns nor could open for reading and writing.
    pub(crate) fn check_hardlink(&self, pid: Pid, node: NodeId) -> Result<(), Errno> {
        if self.check_owner(pid, node).is_ok() || self.setting("sys/fs/protected_hardlinks") == 0 {
            return Ok(());
        }
        let stat = self.stat_node(node)?;
        let special = stat.mode & S_ISUID != 0 || stat.mode & (S_ISGID | 0o010) == S_ISGID | 0o010;
        if stat.is_file() && !special && allowed(&stat, &self.proc(pid)?.creds, MAY_READ | MAY_WRITE) {
            return Ok(());
        }
        Err(Errno::EPERM)
    }

    /// `EACCES` if `fs.protected_symlinks` forbids the process to follow somebody else's link in a
    /// sticky directory that all may write to.
    pub(crate) fn check_symlink(&self, pid: Pid, dir: NodeId, link: NodeId) -> Result<(), Errno> {
        let dir = self.stat_node(dir)?;
        if dir.mode & (S_ISVTX | 0o002) != S_ISVTX | 0o002 {
            return Ok(());
        }
        let owner = self.stat_node(link)?.uid;
        if owner == self.proc(pid)?.creds.euid || owner == dir.uid || self.setting("sys/fs/protected_symlinks") == 0 {
            return Ok(());
        }
        Err(Errno::EACCES)
    }

    /// A file that anybody but root changed no longer runs as its owner or group.
    pub(crate) fn take_privileges(&mut self, pid: Pid, node: NodeId) -> Result<(), Errno> {
        let creds = &self.proc(pid)?.creds;
        let inode = self.inode(node).ok_or(Errno::EIO)?;
        if creds.is_root() || inode.perm & (S_ISUID | S_ISGID) == 0 {
            return Ok(());
        }
        let mut perm = inode.perm & !S_ISUID;
        if loses_group(perm, inode.gid, creds) {
            perm &= !S_ISGID;
        }
        self.inode_mut(node)?.perm = perm;
        Ok(())
    }

    /// `EPERM` unless the process owns the node or is root.
    pub(crate) fn check_owner(&self, pid: Pid, node: NodeId) -> Result<(), Errno> {
        let creds = &self.proc(pid)?.creds;
        if creds.is_root() || self.stat_node(node)?.uid == creds.euid { Ok(()) } else { Err(Errno::EPERM) }
    }

    pub(crate) fn is_dir(&self, node: NodeId) -> bool {
        self.stat_node(node).is_ok_and(|stat| stat.is_dir())
    }
}

/// Whether a change by this process takes `S_ISGID` from a file: without the group's right to execute it
/// means something else, which members of the group may keep.
pub(crate) fn loses_group(perm: u32, gid: u32, creds: &Credentials) -> bool {
    perm & 0o010 != 0 || !(creds.is_root() || creds.in_group(gid))
}
