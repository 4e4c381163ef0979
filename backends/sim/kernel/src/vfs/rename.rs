//! renameat2(2).

use provium_protocol::Errno;

use super::NodeId;
use super::inode::InodeKind;
use super::mount::Loc;
use super::path::Walk;
use super::perm::{MAY_EXEC, MAY_WRITE};
use super::tree::last_name;
use crate::flags::{RENAME_EXCHANGE, RENAME_NOREPLACE};
use crate::kernel::Kernel;
use crate::types::{Fd, Pid};

impl Kernel {
    /// renameat2(2).
    pub fn rename(
        &mut self,
        pid: Pid,
        from_fd: Fd,
        from: &[u8],
        to_fd: Fd,
        to: &[u8],
        flags: u32,
    ) -> Result<(), Errno> {
        if flags & !(RENAME_NOREPLACE | RENAME_EXCHANGE) != 0 || flags == RENAME_NOREPLACE | RENAME_EXCHANGE {
            return Err(Errno::EINVAL);
        }
        let source = self.walk_name(pid, from_fd, from)?;
        let target = self.walk_name(pid, to_fd, to)?;
        for path in [from, to] {
            if matches!(last_name(path), b"." | b".." | b"") {
                return Err(Errno::EBUSY);
            }
        }
        let (source, from_dir, from_name, from_slash) = match source {
            Walk::Found { loc, entry: Some((dir, name)), slash } => (loc, dir, name, slash),
            Walk::Found { .. } | Walk::OpenFile(_) => return Err(Errno::EBUSY),
            Walk::Missing { .. } => return Err(Errno::ENOENT),
        };
        let (existing, to_dir, to_name, to_slash) = match target {
            Walk::Found { loc, entry: Some((dir, name)), slash } => (Some(loc), dir, name, slash),
            Walk::Found { .. } | Walk::OpenFile(_) => return Err(Errno::EBUSY),
            Walk::Missing { dir, name, slash } => (None, dir, name, slash),
        };
        if from_dir.mount != to_dir.mount {
            return Err(Errno::EXDEV);
        }
        if flags & RENAME_NOREPLACE != 0 && existing.is_some() {
            return Err(Errno::EEXIST);
        }
        if flags & RENAME_EXCHANGE != 0 && existing.is_none() {
            return Err(Errno::ENOENT);
        }
        let is_dir = self.is_dir(source.node);
        if !is_dir && (from_slash || (to_slash && flags & RENAME_EXCHANGE == 0)) {
            return Err(Errno::ENOTDIR);
        }
        if self.is_within(source, to_dir) {
            return Err(Errno::EINVAL);
        }
        if let Some(existing) = existing
            && self.is_within(existing, from_dir)
        {
            return Err(if flags & RENAME_EXCHANGE != 0 { Errno::EINVAL } else { Errno::ENOTEMPTY });
        }
        if self.is_proc(source.node) {
            return Err(if self.is_mount_root(source) { Errno::EBUSY } else { Errno::EPERM });
        }
        self.check_writable(from_dir.mount)?;
        if existing.is_some_and(|existing| existing.node == source.node) && flags & RENAME_EXCHANGE == 0 {
            // Two names of one inode: nothing happens.
            return Ok(());
        }
        for (dir, entry) in [(from_dir, Some(source)), (to_dir, existing)] {
            self.check(pid, dir.node, MAY_WRITE | MAY_EXEC)?;
            if let Some(entry) = entry {
                self.check_sticky(pid, dir.node, entry.node)?;
            }
        }
        // A directory that changes its parent has its `..` written.
        if is_dir && from_dir.node != to_dir.node {
            self.check(pid, source.node, MAY_WRITE)?;
        }
        if self.is_mount_root(source) || existing.is_some_and(|existing| self.is_mount_root(existing)) {
            return Err(Errno::EBUSY);
        }
        match existing {
            Some(existing) if flags & RENAME_EXCHANGE != 0 => {
                self.exchange((from_dir.node, &from_name, source.node), (to_dir.node, &to_name, existing.node))
            }
            _ => {
                if let Some(existing) = existing {
                    self.check_replace(existing, is_dir)?;
                    self.remove_name(to_dir.node, &to_name, is_dir)?;
                    self.drop_link(existing.node, if is_dir { 2 } else { 1 })?;
                }
                self.remove_name(from_dir.node, &from_name, is_dir)?;
                self.add_name(to_dir.node, to_name, source.node.ino, is_dir)?;
                self.moved(source.node, to_dir.node)
            }
        }
    }

    fn check_replace(&self, existing: Loc, is_dir: bool) -> Result<(), Errno> {
        match (is_dir, self.is_dir(existing.node)) {
            (true, false) => return Err(Errno::ENOTDIR),
            (false, true) => return Err(Errno::EISDIR),
            _ => {}
        }
        let inode = self.inode(existing.node).ok_or(Errno::EPERM)?;
        match &inode.kind {
            InodeKind::Directory { entries, .. } if !entries.is_empty() => Err(Errno::ENOTEMPTY),
            _ => Ok(()),
        }
    }

    fn exchange(&mut self, a: (NodeId, &[u8], NodeId), b: (NodeId, &[u8], NodeId)) -> Result<(), Errno> {
        let (a_is_dir, b_is_dir) = (self.is_dir(a.2), self.is_dir(b.2));
        self.remove_name(a.0, a.1, a_is_dir)?;
        self.remove_name(b.0, b.1, b_is_dir)?;
        self.add_name(a.0, a.1.to_vec(), b.2.ino, b_is_dir)?;
        self.add_name(b.0, b.1.to_vec(), a.2.ino, a_is_dir)?;
        self.moved(a.2, b.0)?;
        self.moved(b.2, a.0)
    }

    fn moved(&mut self, node: NodeId, new_parent: NodeId) -> Result<(), Errno> {
        let now = self.realtime();
        let inode = self.inode_mut(node)?;
        inode.ctime = now;
        if let InodeKind::Directory { parent, .. } = &mut inode.kind {
            *parent = new_parent.ino;
        }
        Ok(())
    }

    /// Whether `inner` is `outer` or lies below it.
    fn is_within(&self, outer: Loc, mut inner: Loc) -> bool {
        loop {
            if inner.node == outer.node {
                return true;
            }
            let parent = self.parent_of(inner);
            if parent == inner {
                return false;
            }
            inner = parent;
        }
    }
}
