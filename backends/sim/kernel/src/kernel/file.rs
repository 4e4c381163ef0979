//! Open files ("open file descriptions"): what descriptors refer to.

use std::rc::Rc;

use provium_protocol::Errno;

use super::Kernel;
use crate::flags::{O_PATH, S_IFIFO, S_IFSOCK};
use crate::types::{DirEntry, Fd, Pid, Stat, TimeSpec};
use crate::vfs::Loc;
use crate::vfs::device::Device;
use crate::vfs::open::access_mode;

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
        )
    }

    /// `EBADF` unless it is open for reading.
    pub(crate) fn check_readable(&self) -> Result<(), Errno> {
        if access_mode(self.flags).0 && self.flags & O_PATH == 0 { Ok(()) } else { Err(Errno::EBADF) }
    }

    /// `EBADF` unless it is open for writing.
    pub(crate) fn check_writable(&self) -> Result<(), Errno> {
        if access_mode(self.flags).1 && self.flags & O_PATH == 0 { Ok(()) } else { Err(Errno::EBADF) }
    }
}

impl Kernel {
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
        let (mode, ino) = match &file.kind {
            FileKind::Pipe { pipe, .. } => (S_IFIFO | 0o600, self.pipes.get(*pipe).map_or(0, |pipe| pipe.ino)),
            FileKind::Socket(id) => (S_IFSOCK | 0o777, self.sockets.get(*id).map_or(0, |socket| socket.ino)),
            // All anonymous inodes are one, without a type.
            _ => (0o600, 0),
        };
        let base = Stat { dev: 13, ino, mode, nlink: 1, blksize: 4096, ..Stat::default() };
        Ok(Stat { atime: time, mtime: time, ctime: time, ..base })
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
