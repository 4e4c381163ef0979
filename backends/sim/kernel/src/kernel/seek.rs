//! lseek(2), truncation, fallocate(2) and listing directories.

use provium_protocol::Errno;

use super::Kernel;
use super::file::FileKind;
use super::wait::Channel;
use crate::flags::{SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET};
use crate::limits::MAX_FILE_SIZE;
use crate::types::{DirEntry, Fd, Pid};
use crate::vfs::inode::InodeKind;
use crate::vfs::perm::MAY_WRITE;
use crate::vfs::tree::Place;

/// fallocate(2): the length stays.
const FALLOC_KEEP_SIZE: i32 = 1;
/// fallocate(2): make a hole.
const FALLOC_PUNCH_HOLE: i32 = 2;

/// Entries that one getdents64(2) returns: what fits in the 32 KiB that the C library asks for.
const DENTS_PER_CALL: usize = 512;

impl Kernel {
    /// lseek(2).
    pub fn seek(&mut self, pid: Pid, fd: Fd, offset: i64, whence: i32) -> Result<u64, Errno> {
        let id = self.file_id(pid, fd)?;
        let file = self.file(id)?;
        if matches!(file.kind, FileKind::Path) {
            return Err(Errno::EBADF);
        }
        if !(SEEK_SET..=SEEK_HOLE).contains(&whence) {
            return Err(Errno::EINVAL);
        }
        let len = match &file.kind {
            // Without a place to go to, but nothing that minds being asked.
            FileKind::Event(_) | FileKind::Timer(_) | FileKind::Epoll(_) => return Ok(0),
            _ if file.is_stream() => return Err(Errno::ESPIPE),
            FileKind::Regular => self.file_len(file.loc.ok_or(Errno::EIO)?.node)?,
            // The kernel's null_lseek: devices without content stay at their start.
            FileKind::Device(_) => return Ok(0),
            _ => 0,
        };
        let base = match whence {
            SEEK_SET => 0,
            SEEK_CUR => file.offset,
            // A directory has a beginning and places after it, but no end.
            SEEK_END if matches!(file.kind, FileKind::Proc { .. } | FileKind::Directory { .. }) => {
                return Err(Errno::EINVAL);
            }
            SEEK_END => len,
            SEEK_DATA | SEEK_HOLE => {
                if !matches!(file.kind, FileKind::Regular) {
                    return Err(Errno::EINVAL);
                }
                let from = u64::try_from(offset).map_err(|_| Errno::ENXIO)?;
                let node = file.loc.ok_or(Errno::EINVAL)?.node;
                let found = match self.inode(node).map(|inode| &inode.kind) {
                    Some(InodeKind::File(data)) if whence == SEEK_DATA => data.next_data(from),
                    Some(InodeKind::File(data)) => data.next_hole(from),
                    _ => return Err(Errno::EINVAL),
                };
                let found = found.ok_or(Errno::ENXIO)?;
                self.file_mut(id)?.offset = found;
                return Ok(found);
            }
            _ => return Err(Errno::EINVAL),
        };
        let target = i128::from(base) + i128::from(offset);
        if target < 0 || target > i128::from(MAX_FILE_SIZE) {
            return Err(Errno::EINVAL);
        }
        let file = self.file_mut(id)?;
        file.offset = target as u64;
        if let FileKind::Directory { entries } = &mut file.kind {
            *entries = None;
        }
        Ok(target as u64)
    }

    /// ftruncate(2).
    pub fn ftruncate(&mut self, pid: Pid, fd: Fd, len: u64) -> Result<(), Errno> {
        if len > MAX_FILE_SIZE {
            return Err(Errno::EINVAL);
        }
        let file = self.file(self.file_id(pid, fd)?)?;
        if !matches!(file.kind, FileKind::Regular) || file.check_writable().is_err() {
            return Err(if matches!(file.kind, FileKind::Path) { Errno::EBADF } else { Errno::EINVAL });
        }
        let node = file.loc.ok_or(Errno::EINVAL)?.node;
        self.set_len(node, len)?;
        self.take_privileges(pid, node)
    }

    /// truncate(2).
    pub fn truncate(&mut self, pid: Pid, path: &[u8], len: u64) -> Result<(), Errno> {
        if len > MAX_FILE_SIZE {
            return Err(Errno::EINVAL);
        }
        let Place::Node(loc) = self.walk_at(pid, crate::flags::AT_FDCWD, path, 0)? else { return Err(Errno::EINVAL) };
        let stat = self.stat_node(loc.node)?;
        if stat.is_dir() {
            return Err(Errno::EISDIR);
        }
        if !stat.is_file() {
            return Err(Errno::EINVAL);
        }
        self.check_writable(loc.mount)?;
        self.check(pid, loc.node, MAY_WRITE)?;
        self.set_len(loc.node, len)?;
        self.take_privileges(pid, loc.node)
    }

    /// fallocate(2): plain, keeping the size, and making holes.
    pub fn fallocate(&mut self, pid: Pid, fd: Fd, mode: i32, offset: u64, len: u64) -> Result<(), Errno> {
        let file = self.file(self.file_id(pid, fd)?)?;
        let punch = mode & FALLOC_PUNCH_HOLE != 0;
        if len == 0 {
            return Err(Errno::EINVAL);
        }
        if mode & !(FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE) != 0 || (punch && mode & FALLOC_KEEP_SIZE == 0) {
            return Err(Errno::EOPNOTSUPP);
        }
        file.check_writable()?;
        match file.kind {
            FileKind::Regular => {}
            FileKind::Pipe { .. } => return Err(Errno::ESPIPE),
            _ => return Err(Errno::ENODEV),
        }
        let node = file.loc.ok_or(Errno::EIO)?.node;
        let end = offset.checked_add(len).filter(|end| *end <= MAX_FILE_SIZE).ok_or(Errno::EFBIG)?;
        let grows = if mode & FALLOC_KEEP_SIZE == 0 { end } else { 0 };
        self.check_seals(node, punch, grows.max(self.file_len(node)?))?;
        let InodeKind::File(data) = &self.inode(node).ok_or(Errno::EIO)?.kind else { return Err(Errno::ENODEV) };
        let (before, missing) = (data.pages(), data.missing_pages(offset, len));
        if !punch {
            self.memory_fs(node.fs)?.charge(missing)?;
        }
        let now = self.realtime();
        let inode = self.inode_mut(node)?;
        let InodeKind::File(data) = &mut inode.kind else { return Err(Errno::ENODEV) };
        let mut freed = 0;
        if punch {
            data.punch(offset, len);
            freed = before - data.pages();
        } else {
            data.allocate(offset, len);
            if mode & FALLOC_KEEP_SIZE == 0 && end > data.len() {
                data.set_len(end);
            }
        }
        inode.ctime = now;
        inode.mtime = now;
        self.memory_fs(node.fs)?.uncharge(freed);
        self.wake(Channel::File(node));
        self.take_privileges(pid, node)
    }

    /// getdents64(2): the next entries; none at the end.
    pub fn getdents(&mut self, pid: Pid, fd: Fd) -> Result<Vec<DirEntry>, Errno> {
        self.getdents_up_to(pid, fd, DENTS_PER_CALL)
    }

    /// getdents64(2) with a limit on the number of entries.
    pub fn getdents_up_to(&mut self, pid: Pid, fd: Fd, limit: usize) -> Result<Vec<DirEntry>, Errno> {
        let mut taken = 0;
        self.getdents_while(pid, fd, |_| {
            taken += 1;
            taken <= limit
        })
    }

    /// How many entries of a directory were listed.
    pub(crate) fn directory_position(&self, pid: Pid, fd: Fd) -> Result<u64, Errno> {
        Ok(self.file(self.file_id(pid, fd)?)?.offset)
    }

    /// getdents64(2): the next entries up to one that `take` refuses; that one stays.
    pub(crate) fn getdents_while(
        &mut self,
        pid: Pid,
        fd: Fd,
        mut take: impl FnMut(&DirEntry) -> bool,
    ) -> Result<Vec<DirEntry>, Errno> {
        let id = self.file_id(pid, fd)?;
        let file = self.file(id)?;
        let FileKind::Directory { entries } = &file.kind else {
            return Err(if matches!(file.kind, FileKind::Path) { Errno::EBADF } else { Errno::ENOTDIR });
        };
        if entries.is_none() {
            let (node, skip) = (file.loc.ok_or(Errno::EIO)?.node, file.offset);
            if self.inode(node).is_some_and(|inode| inode.nlink == 0) {
                return Err(Errno::ENOENT);
            }
            // An offset is a number of entries: that is what seekdir(3) comes back with.
            let skip = usize::try_from(skip).unwrap_or(usize::MAX);
            let all = self.entries(node)?.into_iter().skip(skip).collect();
            self.file_mut(id)?.kind = FileKind::Directory { entries: Some(all) };
        }
        if let Some(loc) = self.file(id)?.loc {
            self.accessed(loc.node);
        }
        let file = self.file_mut(id)?;
        let FileKind::Directory { entries: Some(left) } = &mut file.kind else { return Err(Errno::EIO) };
        let mut taken = Vec::new();
        while left.front().is_some_and(&mut take) {
            taken.extend(left.pop_front());
        }
        file.offset += taken.len() as u64;
        Ok(taken)
    }
}
