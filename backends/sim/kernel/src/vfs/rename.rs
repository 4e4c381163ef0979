//! renameat2(2).

use provium_protocol::Errno;

use super::NodeId;
use super::inode::InodeKind;
use super::mount::Loc;
use super::path::Last;
use super::perm::MAY_WRITE;
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
        let source_parent = self.walk_parent(pid, from_fd, from)?;
        let target_parent = self.walk_parent(pid, to_fd, to)?;
        let (from_dir, to_dir) = (source_parent.dir, target_parent.dir);
        if from_dir.mount != to_dir.mount {
            return Err(Errno::EXDEV);
        }
        let Last::Name(from_name) = source_parent.last else { return Err(Errno::EBUSY) };
        let Last::Name(to_name) = target_parent.last else {
            return Err(if flags & RENAME_NOREPLACE != 0 { Errno::EEXIST } else { Errno::EBUSY });
        };
        self.check_writable(from_dir.mount)?;
        let (from_name, to_name) = (from_name.to_vec(), to_name.to_vec());
        let source = self.child(from_dir, &from_name)?.ok_or(Errno::ENOENT)?;
        if self.is_dead(to_dir) {
            return Err(Errno::ENOENT);
        }
        let existing = self.child(to_dir, &to_name)?;
        if flags & RENAME_NOREPLACE != 0 && existing.is_some() {
            return Err(Errno::EEXIST);
        }
        let exchange = flags & RENAME_EXCHANGE != 0;
        if exchange {
            let other = existing.ok_or(Errno::ENOENT)?;
            if target_parent.slash && !self.is_dir(other.node) {
                return Err(Errno::ENOTDIR);
            }
        }
        let is_dir = self.is_dir(source.node);
        if !is_dir && (source_parent.slash || (target_parent.slash && !exchange)) {
            return Err(Errno::ENOTDIR);
        }
        if self.is_within(source, to_dir) {
            return Err(Errno::EINVAL);
        }
        if let Some(existing) = existing
            && self.is_within(existing, from_dir)
        {
            return Err(if exchange { Errno::EINVAL } else { Errno::ENOTEMPTY });
        }
        if existing.is_some_and(|existing| existing.node == source.node) {
            // Two names of one inode: nothing happens.
            return Ok(());
        }
        self.check_delete(pid, from_dir, source, is_dir)?;
        let other_is_dir = existing.is_some_and(|existing| self.is_dir(existing.node));
        match existing {
            None => self.check_new(pid, to_dir)?,
            Some(existing) => self.check_delete(pid, to_dir, existing, if exchange { other_is_dir } else { is_dir })?,
        }
        // A directory that changes its parent has its `..` written.
        if from_dir.node != to_dir.node {
            if is_dir {
                self.check(pid, source.node, MAY_WRITE)?;
            }
            if let Some(existing) = existing.filter(|_| exchange && other_is_dir) {
                self.check(pid, existing.node, MAY_WRITE)?;
            }
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
                    if is_dir && !self.is_empty_dir(existing) {
                        return Err(Errno::ENOTEMPTY);
                    }
                    self.remove_name(to_dir.node, &to_name, is_dir)?;
                    self.drop_link(existing.node, if is_dir { 2 } else { 1 })?;
                }
                self.remove_name(from_dir.node, &from_name, is_dir)?;
                self.add_name(to_dir.node, to_name, source.node.ino, is_dir)?;
                self.moved(source.node, to_dir.node)
            }
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
