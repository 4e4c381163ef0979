//! Record locks that belong to processes, see fcntl(2) under "Advisory record locking".

use provium_protocol::Errno;

use super::Kernel;
use super::wait::{Channel, Stop};
use crate::types::{Fd, Pid};
use crate::vfs::NodeId;

/// One lock, or a question about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PosixLock {
    /// First byte.
    pub start: u64,
    /// The byte after the last; `u64::MAX` is to the end, however far.
    pub end: u64,
    /// A write lock.
    pub exclusive: bool,
    /// The process.
    pub pid: Pid,
    /// The open file, if the lock belongs to that and not to the process (`F_OFD_SETLK`).
    pub file: Option<usize>,
}

impl PosixLock {
    fn overlaps(&self, other: &PosixLock) -> bool {
        self.start < other.end && other.start < self.end
    }

    fn same_owner(&self, other: &PosixLock) -> bool {
        self.file == other.file && (self.file.is_some() || self.pid == other.pid)
    }

    fn conflicts(&self, other: &PosixLock) -> bool {
        !self.same_owner(other) && (self.exclusive || other.exclusive) && self.overlaps(other)
    }
}

/// What fcntl(2) is asked to do with a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockRequest {
    /// `F_RDLCK`
    Read,
    /// `F_WRLCK`
    Write,
    /// `F_UNLCK`
    Unlock,
}

impl Kernel {
    /// The range of a `struct flock` in absolute bytes: `whence` as in lseek(2), a negative `len` counts
    /// back from `start`, 0 is to the end.
    pub fn lock_range(&self, pid: Pid, fd: Fd, whence: i32, start: i64, len: i64) -> Result<(u64, u64), Errno> {
        let file = self.file(self.file_id(pid, fd)?)?;
        let base = match whence {
            crate::flags::SEEK_SET => 0,
            crate::flags::SEEK_CUR => file.offset as i64,
            crate::flags::SEEK_END => match file.loc {
                Some(loc) => self.file_len(loc.node).unwrap_or(0) as i64,
                None => 0,
            },
            _ => return Err(Errno::EINVAL),
        };
        let start = base.checked_add(start).ok_or(Errno::EOVERFLOW)?;
        if start < 0 {
            return Err(Errno::EINVAL);
        }
        // The last byte: what reaches the largest offset there is reaches the end, wherever that is.
        let (start, last) = match len {
            0 => (start, i64::MAX),
            1.. => (start, start.checked_add(len - 1).ok_or(Errno::EOVERFLOW)?),
            _ => (start.checked_add(len).filter(|start| *start >= 0).ok_or(Errno::EINVAL)?, start - 1),
        };
        Ok((start as u64, if last == i64::MAX { u64::MAX } else { last as u64 + 1 }))
    }

    fn locked_node(&self, pid: Pid, fd: Fd) -> Result<NodeId, Errno> {
        let id = self.file_id(pid, fd)?;
        if self.file(id)?.flags & crate::flags::O_PATH != 0 {
            return Err(Errno::EBADF);
        }
        self.lock_node(id).ok_or(Errno::EBADF)
    }

    /// `F_GETLK`: the first lock that stands in the way.
    pub fn get_posix_lock(
        &self,
        pid: Pid,
        fd: Fd,
        exclusive: bool,
        start: u64,
        end: u64,
    ) -> Result<Option<PosixLock>, Errno> {
        self.find_lock(pid, fd, exclusive, start, end, false)
    }

    /// `F_GETLK` and, `of_file`, `F_OFD_GETLK`.
    pub(crate) fn find_lock(
        &self,
        pid: Pid,
        fd: Fd,
        exclusive: bool,
        start: u64,
        end: u64,
        of_file: bool,
    ) -> Result<Option<PosixLock>, Errno> {
        let node = self.locked_node(pid, fd)?;
        let file = if of_file { Some(self.file_id(pid, fd)?) } else { None };
        let wanted = PosixLock { start, end, exclusive, pid, file };
        Ok(self.posix_locks.get(&node).into_iter().flatten().find(|lock| lock.conflicts(&wanted)).copied())
    }

    /// `F_SETLK` and, with `wait`, `F_SETLKW`.
    pub fn set_posix_lock(
        &mut self,
        pid: Pid,
        fd: Fd,
        request: LockRequest,
        start: u64,
        end: u64,
        wait: bool,
    ) -> Result<(), Stop> {
        self.set_lock(pid, fd, request, start, end, wait, false)
    }

    /// `F_SETLK`, `F_SETLKW` and, `of_file`, their counterparts for locks that belong to open files.
    #[expect(clippy::too_many_arguments, reason = "a lock has that many parts, and they are named at every call")]
    pub(crate) fn set_lock(
        &mut self,
        pid: Pid,
        fd: Fd,
        request: LockRequest,
        start: u64,
        end: u64,
        wait: bool,
        of_file: bool,
    ) -> Result<(), Stop> {
        let node = self.locked_node(pid, fd)?;
        let id = self.file_id(pid, fd)?;
        let owner = of_file.then_some(id);
        let file = self.file(id)?;
        match request {
            LockRequest::Read => file.check_readable()?,
            LockRequest::Write => file.check_writable()?,
            LockRequest::Unlock => {}
        }
        let wanted = PosixLock { start, end, exclusive: request == LockRequest::Write, pid, file: owner };
        if request != LockRequest::Unlock {
            let blockers: Vec<Pid> = self
                .posix_locks
                .get(&node)
                .into_iter()
                .flatten()
                .filter(|lock| lock.conflicts(&wanted))
                .map(|lock| lock.pid)
                .collect();
            if !blockers.is_empty() {
                if !wait {
                    return Err(Errno::EAGAIN.into());
                }
                // Nobody can tell who waits for a lock that belongs to an open file.
                if !of_file && blockers.iter().any(|blocker| self.waits_for(*blocker, pid, 0)) {
                    return Err(Errno::EDEADLK.into());
                }
                return Err(Stop::on(Channel::PosixLock(node)));
            }
        }
        let locks = self.posix_locks.entry(node).or_default();
        carve(locks, &wanted);
        if request != LockRequest::Unlock {
            locks.push(wanted);
        }
        tidy(locks);
        if locks.is_empty() {
            self.posix_locks.remove(&node);
        }
        self.wake(Channel::PosixLock(node));
        Ok(())
    }

    /// Whether a process sleeps on a record lock that, over any number of others, `target` holds.
    fn waits_for(&self, pid: Pid, target: Pid, depth: usize) -> bool {
        // As many steps as there are processes can go around every cycle.
        if depth > self.procs.len() {
            return false;
        }
        let Some(process) = self.procs.get(&pid) else { return false };
        let mut nodes = Vec::new();
        for thread in &process.threads {
            for channel in thread.waiting().borrow().iter() {
                if let Channel::PosixLock(node) = channel {
                    nodes.push(*node);
                }
            }
        }
        nodes.iter().any(|node| {
            self.posix_locks
                .get(node)
                .into_iter()
                .flatten()
                .filter(|lock| lock.file.is_none())
                .any(|lock| lock.pid != pid && (lock.pid == target || self.waits_for(lock.pid, target, depth + 1)))
        })
    }

    /// A process closed some descriptor of this inode: all its record locks on it are gone.
    pub(crate) fn release_posix_locks(&mut self, pid: Pid, node: NodeId) {
        let Some(locks) = self.posix_locks.get_mut(&node) else { return };
        let before = locks.len();
        locks.retain(|lock| lock.pid != pid || lock.file.is_some());
        let changed = locks.len() < before;
        if locks.is_empty() {
            self.posix_locks.remove(&node);
        }
        if changed {
            self.wake(Channel::PosixLock(node));
        }
    }

    /// An open file was closed for good: the record locks that belong to it are gone.
    pub(crate) fn release_file_locks(&mut self, file: usize, node: NodeId) {
        let Some(locks) = self.posix_locks.get_mut(&node) else { return };
        let before = locks.len();
        locks.retain(|lock| lock.file != Some(file));
        let changed = locks.len() < before;
        if locks.is_empty() {
            self.posix_locks.remove(&node);
        }
        if changed {
            self.wake(Channel::PosixLock(node));
        }
    }

    pub(crate) fn posix_holders(&self, node: NodeId) -> Vec<Pid> {
        self.posix_locks.get(&node).into_iter().flatten().map(|lock| lock.pid).collect()
    }
}

/// Cuts the range of a lock out of the other locks of its owner.
fn carve(locks: &mut Vec<PosixLock>, cut: &PosixLock) {
    let (start, end) = (cut.start, cut.end);
    let mut kept = Vec::with_capacity(locks.len() + 1);
    for lock in locks.drain(..) {
        if !lock.same_owner(cut) || lock.end <= start || end <= lock.start {
            kept.push(lock);
            continue;
        }
        if lock.start < start {
            kept.push(PosixLock { end: start, ..lock });
        }
        if end < lock.end {
            kept.push(PosixLock { start: end, ..lock });
        }
    }
    *locks = kept;
}

/// Orders locks and joins those of one owner that touch and are of one kind.
fn tidy(locks: &mut Vec<PosixLock>) {
    locks.sort_by_key(|lock| (lock.file.is_none().then_some(lock.pid), lock.file, lock.start));
    let mut joined: Vec<PosixLock> = Vec::with_capacity(locks.len());
    for lock in locks.drain(..) {
        match joined.last_mut() {
            Some(last) if last.same_owner(&lock) && last.exclusive == lock.exclusive && last.end == lock.start => {
                last.end = lock.end;
            }
            _ => joined.push(lock),
        }
    }
    joined.sort_by_key(|lock| (lock.start, lock.pid));
    *locks = joined;
}
