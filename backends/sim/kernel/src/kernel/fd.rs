//! Descriptor tables and the calls that copy and change descriptors.

use provium_protocol::Errno;

use super::Kernel;
use super::file::{FileKind, OpenFile};
use crate::flags::{O_APPEND, O_NONBLOCK};
use crate::limits::{MAX_FDS, MAX_OPEN_FILES};
use crate::types::{Fd, Pid};

#[derive(Clone, Copy)]
struct Entry {
    file: usize,
    cloexec: bool,
}

/// The descriptors of a process.
#[derive(Clone)]
pub struct FdTable {
    entries: Vec<Option<Entry>>,
    /// One more than the largest number that may be given out.
    limit: usize,
}

impl Default for FdTable {
    fn default() -> FdTable {
        FdTable { entries: Vec::new(), limit: MAX_FDS }
    }
}

impl FdTable {
    fn entry(&self, fd: Fd) -> Result<Entry, Errno> {
        usize::try_from(fd).ok().and_then(|fd| self.entries.get(fd).copied().flatten()).ok_or(Errno::EBADF)
    }

    fn lowest_free(&self, from: Fd) -> Result<Fd, Errno> {
        let from = usize::try_from(from).map_err(|_| Errno::EINVAL)?;
        if from >= self.limit {
            return Err(Errno::EINVAL);
        }
        let free = (from..self.entries.len()).find(|fd| self.entries[*fd].is_none());
        let fd = free.unwrap_or(self.entries.len().max(from));
        if fd >= self.limit { Err(Errno::EMFILE) } else { Ok(fd as Fd) }
    }

    fn set(&mut self, fd: Fd, entry: Entry) {
        let fd = fd as usize;
        if fd >= self.entries.len() {
            self.entries.resize(fd + 1, None);
        }
        self.entries[fd] = Some(entry);
    }

    fn take(&mut self, fd: Fd) -> Result<Entry, Errno> {
        let entry = self.entry(fd)?;
        self.entries[fd as usize] = None;
        Ok(entry)
    }

    /// `RLIMIT_NOFILE`: what is open above it stays open.
    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Open descriptors in order.
    #[must_use]
    pub fn numbers(&self) -> Vec<Fd> {
        (0..self.entries.len()).filter(|fd| self.entries[*fd].is_some()).map(|fd| fd as Fd).collect()
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = usize> {
        self.entries.iter().flatten().map(|entry| entry.file)
    }
}

impl Kernel {
    /// The open file behind a descriptor.
    pub(crate) fn file_id(&self, pid: Pid, fd: Fd) -> Result<usize, Errno> {
        Ok(self.proc(pid)?.fds.entry(fd)?.file)
    }

    pub(crate) fn file(&self, id: usize) -> Result<&OpenFile, Errno> {
        self.files.get(id).ok_or(Errno::EBADF)
    }

    pub(crate) fn file_mut(&mut self, id: usize) -> Result<&mut OpenFile, Errno> {
        self.files.get_mut(id).ok_or(Errno::EBADF)
    }

    /// `EMFILE` if the process has no descriptor left.
    pub(crate) fn check_fd_free(&self, pid: Pid) -> Result<(), Errno> {
        self.proc(pid)?.fds.lowest_free(0).map(drop)
    }

    /// Gives an open file its first descriptor, the lowest free one from `from`.
    pub(crate) fn install(&mut self, pid: Pid, file: OpenFile, cloexec: bool, from: Fd) -> Result<Fd, Errno> {
        let fd = self.proc(pid)?.fds.lowest_free(from);
        let fd = match fd {
            Ok(fd) if self.files.len() < MAX_OPEN_FILES => fd,
            result => {
                self.dispose(file);
                return Err(result.err().unwrap_or(Errno::ENFILE));
            }
        };
        if let Some(loc) = file.loc {
            self.hold(loc.node);
        }
        let id = self.files.insert(file);
        self.proc_mut(pid)?.fds.set(fd, Entry { file: id, cloexec });
        Ok(fd)
    }

    /// close(2).
    pub fn close(&mut self, pid: Pid, fd: Fd) -> Result<(), Errno> {
        let entry = self.proc_mut(pid)?.fds.take(fd)?;
        self.closed(pid, entry.file);
        Ok(())
    }

    /// What close(2) of one descriptor does besides freeing its number.
    fn closed(&mut self, pid: Pid, id: usize) {
        if let Some(node) = self.lock_node(id) {
            self.release_posix_locks(pid, node);
        }
        self.release_file(id);
    }

    /// Counts one descriptor less; the last one closes the open file.
    pub(crate) fn release_file(&mut self, id: usize) {
        let Some(file) = self.files.get_mut(id) else { return };
        file.refs -= 1;
        if file.refs > 0 {
            return;
        }
        if let Some(node) = self.lock_node(id) {
            self.release_flock(node, id);
            self.release_file_locks(id, node);
        }
        let file = self.files.remove(id);
        if let Some(loc) = file.loc {
            self.unhold(loc.node);
            self.forget_memfd(loc.node);
        }
        self.forget_watched(id);
        self.dispose(file);
    }

    /// Counts one reference less of every doomed file. Sockets on their way in sockets are closed one
    /// after another, not inside of each other.
    pub(crate) fn release_doomed(&mut self) {
        if std::mem::replace(&mut self.releasing, true) {
            return;
        }
        while let Some(id) = self.doomed.pop() {
            self.release_file(id);
        }
        self.releasing = false;
    }

    /// Gives a process a descriptor of an open file; the caller's reference becomes the descriptor's.
    pub(crate) fn install_existing(&mut self, pid: Pid, file: usize, cloexec: bool) -> Result<Fd, Errno> {
        let process = self.proc_mut(pid)?;
        let fd = process.fds.lowest_free(0)?;
        process.fds.set(fd, Entry { file, cloexec });
        Ok(fd)
    }

    /// Undoes what making an open file did to the object behind it.
    fn dispose(&mut self, file: OpenFile) {
        match file.kind {
            FileKind::Pipe { pipe, read, write, .. } => self.pipe_remove(pipe, read, write),
            FileKind::Socket(id) => self.close_socket(id),
            FileKind::Event(id) => drop(self.events.try_remove(id)),
            FileKind::Timer(id) => drop(self.timer_fds.try_remove(id)),
            FileKind::Epoll(id) => drop(self.epolls.try_remove(id)),
            FileKind::Regular
            | FileKind::Directory { .. }
            | FileKind::Proc { .. }
            | FileKind::Device(_)
            | FileKind::Path => {}
        }
    }

    /// Closes every descriptor of a process.
    pub(crate) fn close_all(&mut self, pid: Pid) {
        let Ok(process) = self.proc_mut(pid) else { return };
        let entries = std::mem::take(&mut process.fds.entries);
        let table = FdTable { entries, limit: 0 };
        for id in table.files() {
            self.closed(pid, id);
        }
    }

    /// Closes the descriptors that execve(2) closes.
    pub(crate) fn close_on_exec(&mut self, pid: Pid) {
        let Ok(process) = self.proc(pid) else { return };
        for fd in process.fds.numbers() {
            if self.proc(pid).and_then(|process| process.fds.entry(fd)).is_ok_and(|entry| entry.cloexec) {
                // The descriptor is open, so closing it cannot fail.
                let _ = self.close(pid, fd);
            }
        }
    }

    /// A copy of a process's table for its child.
    pub(crate) fn fork_fds(&mut self, pid: Pid) -> Result<FdTable, Errno> {
        let table = self.proc(pid)?.fds.clone();
        for id in table.files() {
            if let Some(file) = self.files.get_mut(id) {
                file.refs += 1;
            }
        }
        Ok(table)
    }

    /// dup(2) and `F_DUPFD`: the lowest free descriptor from `from`.
    pub fn dup_from(&mut self, pid: Pid, fd: Fd, from: Fd, cloexec: bool) -> Result<Fd, Errno> {
        let process = self.proc_mut(pid)?;
        let file = process.fds.entry(fd)?.file;
        let new = process.fds.lowest_free(from)?;
        process.fds.set(new, Entry { file, cloexec });
        self.file_mut(file)?.refs += 1;
        Ok(new)
    }

    /// dup2(2) and dup3(2); `same_ok`: the two may be the same (dup2).
    pub fn dup_to(&mut self, pid: Pid, old: Fd, new: Fd, cloexec: bool, same_ok: bool) -> Result<Fd, Errno> {
        if old == new && !same_ok {
            return Err(Errno::EINVAL);
        }
        let table = &self.proc(pid)?.fds;
        let limit = table.limit;
        // dup3(2) looks at the new number first, dup2(2) at nothing more if the two are the same.
        let in_range = usize::try_from(new).is_ok_and(|new| new < limit);
        let file = table.entry(old)?.file;
        if old == new {
            return Ok(new);
        }
        if !in_range {
            return Err(Errno::EBADF);
        }
        self.file_mut(file)?.refs += 1;
        // Whether something was open there does not matter.
        let _ = self.close(pid, new);
        self.proc_mut(pid)?.fds.set(new, Entry { file, cloexec });
        Ok(new)
    }

    /// `F_GETFD`: whether execve(2) closes it.
    pub fn cloexec(&self, pid: Pid, fd: Fd) -> Result<bool, Errno> {
        Ok(self.proc(pid)?.fds.entry(fd)?.cloexec)
    }

    /// `F_SETFD`.
    pub fn set_cloexec(&mut self, pid: Pid, fd: Fd, cloexec: bool) -> Result<(), Errno> {
        let process = self.proc_mut(pid)?;
        let entry = process.fds.entry(fd)?;
        process.fds.set(fd, Entry { cloexec, ..entry });
        Ok(())
    }

    /// `F_GETFL`.
    pub fn status_flags(&self, pid: Pid, fd: Fd) -> Result<i32, Errno> {
        Ok(self.file(self.file_id(pid, fd)?)?.flags)
    }

    /// `F_SETFL`: `O_APPEND` and `O_NONBLOCK` can be changed.
    pub fn set_status_flags(&mut self, pid: Pid, fd: Fd, flags: i32) -> Result<(), Errno> {
        const CHANGEABLE: i32 = O_APPEND | O_NONBLOCK;
        let id = self.file_id(pid, fd)?;
        let file = self.file_mut(id)?;
        file.flags = (file.flags & !CHANGEABLE) | (flags & CHANGEABLE);
        Ok(())
    }
}
