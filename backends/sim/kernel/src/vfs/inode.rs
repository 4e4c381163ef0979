//! Inodes of file systems in memory.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::data::FileData;
use crate::flags::{S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK};
use crate::limits::PAGE;
use crate::types::{Stat, TimeSpec};

/// Names an inode in a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// Which file system.
    pub fs: u32,
    /// Its inode number there.
    pub ino: u64,
}

/// What an inode is.
#[derive(Clone)]
pub enum InodeKind {
    /// A regular file.
    File(FileData),
    /// A directory; its names in order.
    Directory {
        /// Names and inode numbers, without `.` and `..`.
        entries: BTreeMap<Vec<u8>, u64>,
        /// The directory that holds it; itself for a root.
        parent: u64,
    },
    /// A symbolic link and what it says.
    Symlink(Rc<[u8]>),
    /// A FIFO; its pipe while it is open.
    Fifo(Option<usize>),
    /// A unix socket; its listener while it is bound.
    Socket(Option<usize>),
    /// A character device with its numbers.
    CharDevice(u32, u32),
}

/// One inode.
#[derive(Clone)]
pub struct Inode {
    /// What it is.
    pub kind: InodeKind,
    /// Permission bits, without the type.
    pub perm: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Names.
    pub nlink: u64,
    /// Open files, working directories and mounts that hold it.
    pub holds: u32,
    /// It was made without a name (`O_TMPFILE`) and may get one.
    pub nameless: bool,
    /// Last access, in nanoseconds since 1970.
    pub atime: i64,
    /// Last change of the content.
    pub mtime: i64,
    /// Last change of the inode.
    pub ctime: i64,
}

impl Inode {
    /// The type bits of its mode.
    #[must_use]
    pub fn type_bits(&self) -> u32 {
        match self.kind {
            InodeKind::File(_) => S_IFREG,
            InodeKind::Directory { .. } => S_IFDIR,
            InodeKind::Symlink(_) => S_IFLNK,
            InodeKind::Fifo(_) => S_IFIFO,
            InodeKind::Socket(_) => S_IFSOCK,
            InodeKind::CharDevice(..) => S_IFCHR,
        }
    }

    /// Whether it is a directory.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        matches!(self.kind, InodeKind::Directory { .. })
    }

    /// What stat(2) says of it.
    #[must_use]
    pub fn stat(&self, dev: u64, ino: u64) -> Stat {
        let (size, pages) = match &self.kind {
            InodeKind::File(data) => (data.len(), data.pages()),
            // tmpfs gives a directory 20 bytes an entry, its two dots counted.
            InodeKind::Directory { entries, .. } => (20 * (entries.len() as u64 + 2), 0),
            InodeKind::Symlink(target) => (target.len() as u64, 0),
            InodeKind::Fifo(_) | InodeKind::Socket(_) | InodeKind::CharDevice(..) => (0, 0),
        };
        let rdev = match self.kind {
            InodeKind::CharDevice(major, minor) => super::device::makedev(major, minor),
            _ => 0,
        };
        Stat {
            dev,
            ino,
            mode: self.type_bits() | self.perm,
            nlink: self.nlink,
            uid: self.uid,
            gid: self.gid,
            rdev,
            size,
            blksize: PAGE as u64,
            blocks: pages * (PAGE as u64 / 512),
            atime: TimeSpec::from_nanos(self.atime),
            mtime: TimeSpec::from_nanos(self.mtime),
            ctime: TimeSpec::from_nanos(self.ctime),
        }
    }
}

/// Whether a mode says directory.
#[must_use]
pub fn mode_is_dir(mode: u32) -> bool {
    mode & S_IFMT == S_IFDIR
}
