//! Open files ("open file descriptions"): what descriptors refer to.

use std::rc::Rc;

use provium_protocol::Errno;

use super::Kernel;
use crate::flags::{O_ACCMODE, O_PATH, O_RDONLY, O_RDWR, O_WRONLY, S_IFIFO, S_IFSOCK};
use crate::limits::MAX_FILE_SIZE;
use crate::types::{DirEntry, Fd, Pid, Stat, TimeSpec};
use crate::vfs::device::Device;
use crate::vfs::{Loc, NodeId};

/// What an open file is.
pub enum FileKind {
    /// A regular file in memory.
    Regular,
    /// A directory; what is left to list once listing has begun.
    Directory {
        /// Entries not yet returned.
        entries: Option<std::collections::VecDeque<DirEntry>>,
    },
    /// A file that the kernel makes up; what it holds as of the first read.
    Proc {
        /// Its content.
        content: Option<Rc<[u8]>>,
    },
    /// A character device.
    Device(Device),
    /// One or both ends of a pipe or FIFO.
    Pipe {
        /// Which.
        pipe: usize,
        /// Whether it is a reading end.
        read: bool,
        /// Whether it is a writing end.
        write: bool,
        /// How many writers a FIFO had ever had when it was opened without one: until there is another,
        /// the end of the writers is not news.
        quiet_at: Option<u64>,
    },
    /// A counter (eventfd(2)).
    Event(usize),
    /// A timer (timerfd_create(2)).
    Timer(usize),
    /// A unix socket.
    Socket(usize),
    /// A set of watched files (epoll(7)).
    Epoll(usize),
    /// Only a place in the tree (`O_PATH`).
    Path,
}

/// One open file.
pub struct OpenFile {
    /// What it is.
    pub kind: FileKind,
    /// Access mode and status flags.
    pub flags: i32,
    /// Where the next read or write happens.
    pub offset: u64,
    /// Descriptors that refer to it.
    pub refs: u32,
    /// Its place in the tree, if it has one.
    pub loc: Option<Loc>,
    /// The directory and name by which it was opened.
    pub place: Option<(Loc, Rc<[u8]>)>,
}

impl OpenFile {
    pub(crate) fn new(kind: FileKind, flags: i32, loc: Option<Loc>, place: Option<(Loc, Rc<[u8]>)>) -> OpenFile {
        OpenFile { kind, flags, offset: 0, refs: 1, loc, place }
    }

    /// Whether there is no place in it to go to: lseek(2) and pread(2) answer `ESPIPE`.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(
            self.kind,
            FileKind::Pipe { .. } | FileKind::Socket(_) | FileKind::Event(_) | FileKind::Timer(_) | FileKind::Epoll(_)
        ) || self.is_terminal()
    }

    /// Whether it is the console, by whatever name.
    pub(crate) fn is_terminal(&self) -> bool {
        matches!(&self.kind, FileKind::Device(device) if device.is_terminal())
    }

    /// `EINVAL` if a transfer would end beyond the largest offset there is.
    pub(crate) fn check_span(&self, offset: u64, len: usize) -> Result<(), Errno> {
        let ends = offset.checked_add(len as u64).is_some_and(|end| end <= MAX_FILE_SIZE);
        if ends || self.is_stream() { Ok(()) } else { Err(Errno::EINVAL) }
    }

    /// `EBADF` unless it is open for reading.
    pub(crate) fn check_readable(&self) -> Result<(), Errno> {
        if matches!(self.flags & O_ACCMODE, O_RDONLY | O_RDWR) && self.flags & O_PATH == 0 {
            Ok(())
        } else {
            Err(Errno::EBADF)
        }
    }

    /// `EBADF` unless it is open for writing.
    pub(crate) fn check_writable(&self) -> Result<(), Errno> {
        if matches!(self.flags & O_ACCMODE, O_WRONLY | O_RDWR) && self.flags & O_PATH == 0 {
            Ok(())
        } else {
            Err(Errno::EBADF)
        }
    }
}

/// Permissions and owner of what has no inode in a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) perm: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The file system number of what is in none that can be mounted: pipes, sockets and the like.
const NOWHERE: u32 = u32::MAX;

impl Kernel {
    /// The inode that locks of an open file are about. Pipes and sockets have one each; all counters,
    /// timers and sets share one.
    pub(crate) fn lock_node(&self, id: usize) -> Option<NodeId> {
        let file = self.files.get(id)?;
        let ino = match (&file.kind, file.loc) {
            (_, Some(loc)) => return Some(loc.node),
            (FileKind::Pipe { pipe, .. }, _) => self.pipes.get(*pipe)?.ino,
            (FileKind::Socket(socket), _) => self.sockets.get(*socket)?.ino,
            _ => 0,
        };
        Some(NodeId { fs: NOWHERE, ino })
    }

    /// fstat(2).
    pub fn fstat(&self, pid: Pid, fd: Fd) -> Result<Stat, Errno> {
        self.stat_file(self.file_id(pid, fd)?)
    }

    pub(crate) fn stat_file(&self, id: usize) -> Result<Stat, Errno> {
        let file = self.file(id)?;
        if let Some(loc) = file.loc {
            return self.stat_node(loc.node);
        }
        let time = TimeSpec::from_nanos(self.boot_time);
        let (kind, ino) = match &file.kind {
            FileKind::Pipe { pipe, .. } => (S_IFIFO, self.pipes.get(*pipe).map_or(0, |pipe| pipe.ino)),
            FileKind::Socket(id) => (S_IFSOCK, self.sockets.get(*id).map_or(0, |socket| socket.ino)),
            // All other objects are one inode, without a type.
            _ => (0, 0),
        };
        let own = self.attributes(id).unwrap_or(Attributes { perm: 0o600, uid: 0, gid: 0 });
        let base = Stat { dev: 13, ino, mode: kind | own.perm, nlink: 1, blksize: 4096, ..Stat::default() };
        let base = Stat { uid: own.uid, gid: own.gid, ..base };
        Ok(Stat { atime: time, mtime: time, ctime: time, ..base })
    }

    /// Attributes of a pipe or a socket.
    fn attributes(&self, id: usize) -> Option<Attributes> {
        match self.files.get(id)?.kind {
            FileKind::Pipe { pipe, .. } => self.pipes.get(pipe).map(|pipe| pipe.attributes),
            FileKind::Socket(socket) => self.sockets.get(socket).map(|socket| socket.attributes),
            _ => None,
        }
    }

    /// Attributes of a pipe or a socket, to be changed; other objects cannot have theirs changed.
    pub(crate) fn attributes_mut(&mut self, id: usize) -> Result<&mut Attributes, Errno> {
        let found = match self.file(id)?.kind {
            FileKind::Pipe { pipe, .. } => self.pipes.get_mut(pipe).map(|pipe| &mut pipe.attributes),
            FileKind::Socket(socket) => self.sockets.get_mut(socket).map(|socket| &mut socket.attributes),
            _ => None,
        };
        found.ok_or(Errno::EOPNOTSUPP)
    }

    /// What `/proc/PID/fd/N` says.
    pub(crate) fn file_name(&self, id: usize) -> Vec<u8> {
        let Ok(file) = self.file(id) else { return Vec::new() };
        match (&file.place, file.loc) {
            (Some((dir, name)), Some(loc)) => {
                let mut path = self.path_of(*dir);
                if path != b"/" {
                    path.push(b'/');
                }
                path.extend_from_slice(name);
                if self.inode(loc.node).is_some_and(|inode| inode.nlink == 0) {
                    path.extend_from_slice(b" (deleted)");
                }
                path
            }
            (None, Some(loc)) if self.is_dir(loc.node) => self.path_of(loc),
            _ => match &file.kind {
                FileKind::Pipe { pipe, .. } => {
                    format!("pipe:[{}]", self.pipes.get(*pipe).map_or(0, |pipe| pipe.ino)).into_bytes()
                }
                FileKind::Socket(id) => {
                    format!("socket:[{}]", self.sockets.get(*id).map_or(0, |socket| socket.ino)).into_bytes()
                }
                FileKind::Event(_) => b"anon_inode:[eventfd]".to_vec(),
                FileKind::Timer(_) => b"anon_inode:[timerfd]".to_vec(),
                FileKind::Epoll(_) => b"anon_inode:[eventpoll]".to_vec(),
                _ => b"/ (deleted)".to_vec(),
            },
        }
    }
}
