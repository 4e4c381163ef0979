//! File systems: in memory, or made up by the kernel.

use std::collections::BTreeMap;
use std::rc::Rc;

use provium_protocol::Errno;

use super::inode::{Inode, InodeKind, NodeId};
use super::proc;
use crate::kernel::Kernel;
use crate::limits::{MAX_INODES, PAGE};
use crate::types::{DirEntry, Pid, Stat};

/// What kind of file system.
#[derive(Clone)]
pub enum FsKind {
    /// Inodes in memory.
    Memory(MemoryFs),
    /// `/proc`.
    Proc,
}

/// One file system.
#[derive(Clone)]
pub struct FileSystem {
    /// What it is.
    pub kind: FsKind,
    /// Its device number.
    pub dev: u64,
    /// Its name in `/proc/mounts`.
    pub type_name: &'static str,
}

/// A file system in memory.
#[derive(Clone)]
pub struct MemoryFs {
    nodes: Vec<Option<Rc<Inode>>>,
    live: usize,
    used_pages: u64,
    limit_pages: u64,
}

/// The inode number of every root.
pub const ROOT_INO: u64 = 1;

impl MemoryFs {
    /// An empty file system of at most `limit` bytes whose root is owned by root.
    #[must_use]
    pub fn new(limit: u64, perm: u32, now: i64) -> MemoryFs {
        let root = Inode {
            kind: InodeKind::Directory { entries: BTreeMap::new(), parent: ROOT_INO },
            perm,
            uid: 0,
            gid: 0,
            nlink: 2,
            holds: 1,
            nameless: false,
            atime: now,
            mtime: now,
            ctime: now,
        };
        MemoryFs { nodes: vec![None, Some(Rc::new(root))], live: 1, used_pages: 0, limit_pages: limit / PAGE as u64 }
    }

    /// An inode.
    #[must_use]
    pub fn get(&self, ino: u64) -> Option<&Inode> {
        self.nodes.get(ino as usize)?.as_deref()
    }

    /// An inode to change.
    pub fn get_mut(&mut self, ino: u64) -> Option<&mut Inode> {
        self.nodes.get_mut(ino as usize)?.as_mut().map(Rc::make_mut)
    }

    /// Adds an inode; `ENOSPC` when there are too many.
    pub fn insert(&mut self, inode: Inode) -> Result<u64, Errno> {
        if self.live >= MAX_INODES {
            return Err(Errno::ENOSPC);
        }
        self.live += 1;
        self.nodes.push(Some(Rc::new(inode)));
        Ok(self.nodes.len() as u64 - 1)
    }

    /// Takes an inode away if nothing names or holds it any more.
    pub fn release(&mut self, ino: u64) {
        let Some(inode) = self.get(ino) else { return };
        if inode.nlink > 0 || inode.holds > 0 {
            return;
        }
        if let InodeKind::File(data) = &inode.kind {
            self.used_pages -= data.pages();
        }
        self.nodes[ino as usize] = None;
        self.live -= 1;
    }

    /// Counts pages in or out; `ENOSPC` when it is full.
    pub fn charge(&mut self, pages: u64) -> Result<(), Errno> {
        if self.used_pages + pages > self.limit_pages {
            return Err(Errno::ENOSPC);
        }
        self.used_pages += pages;
        Ok(())
    }

    /// Pages that are free.
    #[must_use]
    pub fn free_pages(&self) -> u64 {
        self.limit_pages - self.used_pages
    }

    /// Gives pages back.
    pub fn uncharge(&mut self, pages: u64) {
        self.used_pages -= pages;
    }

    /// Pages in all.
    #[must_use]
    pub fn limit_pages(&self) -> u64 {
        self.limit_pages
    }

    /// Inodes in use.
    #[must_use]
    pub fn live(&self) -> usize {
        self.live
    }
}

/// Nanoseconds in a day.
const DAY: i64 = 24 * 60 * 60 * 1_000_000_000;

impl Kernel {
    pub(crate) fn memory_fs(&mut self, fs: u32) -> Result<&mut MemoryFs, Errno> {
        match self.filesystems.get_mut(fs as usize).map(|fs| &mut fs.kind) {
            Some(FsKind::Memory(memory)) => Ok(memory),
            Some(FsKind::Proc) => Err(Errno::EPERM),
            None => Err(Errno::EIO),
        }
    }

    /// The inode behind a node; `None` for nodes that the kernel makes up.
    pub(crate) fn inode(&self, node: NodeId) -> Option<&Inode> {
        match self.filesystems.get(node.fs as usize).map(|fs| &fs.kind) {
            Some(FsKind::Memory(memory)) => memory.get(node.ino),
            _ => None,
        }
    }

    pub(crate) fn inode_mut(&mut self, node: NodeId) -> Result<&mut Inode, Errno> {
        self.memory_fs(node.fs)?.get_mut(node.ino).ok_or(Errno::EIO)
    }

    pub(crate) fn is_proc(&self, node: NodeId) -> bool {
        matches!(self.filesystems.get(node.fs as usize).map(|fs| &fs.kind), Some(FsKind::Proc))
    }

    /// What stat(2) says of a node.
    pub(crate) fn stat_node(&self, node: NodeId) -> Result<Stat, Errno> {
        let fs = self.filesystems.get(node.fs as usize).ok_or(Errno::EIO)?;
        match &fs.kind {
            FsKind::Memory(memory) => Ok(memory.get(node.ino).ok_or(Errno::ENOENT)?.stat(fs.dev, node.ino)),
            FsKind::Proc => proc::stat(self, node.ino).map(|stat| Stat { dev: fs.dev, ino: node.ino, ..stat }),
        }
    }

    /// The node of a name in a directory.
    pub(crate) fn lookup(&self, dir: NodeId, name: &[u8]) -> Result<Option<NodeId>, Errno> {
        let fs = self.filesystems.get(dir.fs as usize).ok_or(Errno::EIO)?;
        let found = match &fs.kind {
            FsKind::Memory(memory) => match &memory.get(dir.ino).ok_or(Errno::ENOENT)?.kind {
                InodeKind::Directory { entries, .. } => entries.get(name).copied(),
                _ => return Err(Errno::ENOTDIR),
            },
            FsKind::Proc => proc::lookup(self, dir.ino, name)?,
        };
        Ok(found.map(|ino| NodeId { fs: dir.fs, ino }))
    }

    /// The directory that holds this one, within the file system.
    pub(crate) fn parent_node(&self, dir: NodeId) -> NodeId {
        let ino = match self.inode(dir) {
            Some(Inode { kind: InodeKind::Directory { parent, .. }, .. }) => *parent,
            Some(_) => ROOT_INO,
            None => proc::parent(self, dir.ino),
        };
        NodeId { fs: dir.fs, ino }
    }

    /// What a symbolic link says.
    pub(crate) fn link_target(&self, node: NodeId, viewer: Pid) -> Result<Vec<u8>, Errno> {
        match self.inode(node) {
            Some(Inode { kind: InodeKind::Symlink(target), .. }) => Ok(target.to_vec()),
            Some(_) => Err(Errno::EINVAL),
            None => proc::link_target(self, node.ino, viewer),
        }
    }

    /// The entries of a directory by name, its dots first.
    pub(crate) fn entries(&self, dir: NodeId) -> Result<Vec<DirEntry>, Errno> {
        let kind = crate::flags::S_IFDIR;
        let mut all = vec![
            DirEntry { name: b".".to_vec(), ino: dir.ino, kind },
            DirEntry { name: b"..".to_vec(), ino: self.parent_node(dir).ino, kind },
        ];
        match self.inode(dir) {
            Some(Inode { kind: InodeKind::Directory { entries, .. }, .. }) => {
                all.extend(entries.iter().map(|(name, ino)| DirEntry {
                    name: name.clone(),
                    ino: *ino,
                    kind: self.inode(NodeId { fs: dir.fs, ino: *ino }).map_or(0, Inode::type_bits),
                }));
            }
            Some(_) => return Err(Errno::ENOTDIR),
            None => all.extend(proc::entries(self, dir.ino)?),
        }
        Ok(all)
    }

    /// A node was read: its access time follows, but not more often than changes or once a day, see
    /// mount(8) under "relatime".
    pub(crate) fn accessed(&mut self, node: NodeId) {
        let now = self.realtime();
        let Some(inode) = self.inode(node) else { return };
        if inode.atime > inode.mtime && inode.atime > inode.ctime && now - inode.atime < DAY {
            return;
        }
        if let Ok(inode) = self.inode_mut(node) {
            inode.atime = now;
        }
    }

    /// Counts one more open file, working directory or mount that holds a node.
    pub(crate) fn hold(&mut self, node: NodeId) {
        if let Ok(inode) = self.inode_mut(node) {
            inode.holds += 1;
        }
    }

    /// Counts one less, and frees the inode if it was the last and it has no name.
    pub(crate) fn unhold(&mut self, node: NodeId) {
        if let Ok(fs) = self.memory_fs(node.fs) {
            if let Some(inode) = fs.get_mut(node.ino) {
                inode.holds = inode.holds.saturating_sub(1);
            }
            fs.release(node.ino);
        }
    }
}
