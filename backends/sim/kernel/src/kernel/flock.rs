//! flock(2): locks that belong to open files.

use provium_protocol::Errno;

use super::Kernel;
use super::wait::{Channel, Stop};
use crate::flags::{LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, O_PATH};
use crate::types::{Fd, Pid};
use crate::vfs::NodeId;

/// One held lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flock {
    /// The open file that holds it.
    pub file: usize,
    /// Whether it holds it alone.
    pub exclusive: bool,
    /// The process that took it, for people.
    pub pid: Pid,
}

impl Kernel {
    /// flock(2).
    pub fn flock(&mut self, pid: Pid, fd: Fd, operation: i32) -> Result<(), Stop> {
        let nonblock = operation & LOCK_NB != 0;
        let wanted = match operation & !LOCK_NB {
            LOCK_SH => Some(false),
            LOCK_EX => Some(true),
            LOCK_UN => None,
            _ => return Err(Errno::EINVAL.into()),
        };
        let id = self.file_id(pid, fd)?;
        let file = self.file(id)?;
        if file.flags & O_PATH != 0 {
            return Err(Errno::EBADF.into());
        }
        let node = self.lock_node(id).ok_or(Errno::EBADF)?;
        let Some(exclusive) = wanted else {
            self.release_flock(node, id);
            return Ok(());
        };
        // What is open for neither reading nor writing cannot be locked.
        if file.check_readable().is_err() && file.check_writable().is_err() {
            return Err(Errno::EBADF.into());
        }
        let held = self.flocks.entry(node).or_default();
        if held.iter().any(|lock| lock.file == id && lock.exclusive == exclusive) {
            return Ok(());
        }
        // A lock is converted by giving up the old one first, so another may get in between.
        let before = held.len();
        held.retain(|lock| lock.file != id);
        let gave_up = held.len() < before;
        let conflict = held.iter().any(|lock| exclusive || lock.exclusive);
        if !conflict {
            held.push(Flock { file: id, exclusive, pid });
        }
        let empty = held.is_empty();
        if gave_up {
            self.wake(Channel::Flock(node));
        }
        match (conflict, nonblock) {
            (false, _) => Ok(()),
            (true, true) => Err(Errno::EAGAIN.into()),
            (true, false) => {
                debug_assert!(!empty, "a conflict without a holder");
                Err(Stop::on(Channel::Flock(node)))
            }
        }
    }

    /// Gives up the lock of an open file.
    pub(crate) fn release_flock(&mut self, node: NodeId, file: usize) {
        let Some(held) = self.flocks.get_mut(&node) else { return };
        let before = held.len();
        held.retain(|lock| lock.file != file);
        let changed = held.len() < before;
        if held.is_empty() {
            self.flocks.remove(&node);
        }
        if changed {
            self.wake(Channel::Flock(node));
        }
    }

    /// Processes that have a descriptor of an open file which holds a lock on this inode.
    pub(crate) fn flock_holders(&self, node: NodeId) -> Vec<Pid> {
        let held: Vec<usize> = self.flocks.get(&node).into_iter().flatten().map(|lock| lock.file).collect();
        self.procs
            .values()
            .filter(|process| process.fds.files().any(|file| held.contains(&file)))
            .map(|process| process.pid)
            .collect()
    }

    /// `/proc/locks`.
    pub(crate) fn locks_text(&self) -> String {
        let mut text = String::new();
        self.lock_lines(|line, _, _| text.push_str(&format!("{line}\n")));
        text
    }

    /// Lines of `/proc/locks` about locks that this open file holds, or its process by it.
    pub(crate) fn locks_of(&self, file: usize, pid: Pid, node: NodeId) -> Vec<String> {
        let mut lines = Vec::new();
        self.lock_lines(|line, of, holder| {
            if of == node && (holder == LockHolder::File(file) || holder == LockHolder::Process(pid)) {
                lines.push(line);
            }
        });
        lines
    }

    fn lock_lines(&self, mut found: impl FnMut(String, NodeId, LockHolder)) {
        let mut number = 0;
        let mut line = |holder: LockHolder, what: &str, kind: &str, pid: Pid, node: NodeId, start: u64, end: String| {
            number += 1;
            let dev = self.filesystems.get(node.fs as usize).map_or(0, |fs| fs.dev);
            let text = format!("{number}: {what} ADVISORY  {kind} {pid} 00:{dev:02x}:{} {start} {end}", node.ino);
            found(text, node, holder);
        };
        for (node, locks) in &self.flocks {
            for lock in locks {
                let kind = if lock.exclusive { "WRITE" } else { "READ " };
                line(LockHolder::File(lock.file), "FLOCK ", kind, lock.pid, *node, 0, "EOF".to_owned());
            }
        }
        for (node, locks) in &self.posix_locks {
            for lock in locks {
                let end = if lock.end == u64::MAX { "EOF".to_owned() } else { (lock.end - 1).to_string() };
                let (what, pid, holder) = match lock.file {
                    Some(file) => ("OFDLCK", -1, LockHolder::File(file)),
                    None => ("POSIX ", lock.pid, LockHolder::Process(lock.pid)),
                };
                line(holder, what, if lock.exclusive { "WRITE" } else { "READ " }, pid, *node, lock.start, end);
            }
        }
    }
}

/// Whom a lock belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LockHolder {
    File(usize),
    Process(Pid),
}
