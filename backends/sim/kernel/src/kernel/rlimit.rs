//! Limits of a process, see getrlimit(2).

use provium_protocol::Errno;

use super::Kernel;
use crate::limits::{HARD_FDS, MAX_FDS, MAX_OPEN_FILES, MAX_THREADS};
use crate::types::Pid;

/// Kinds of limits.
pub const RLIMITS: usize = 16;

/// `RLIM_INFINITY`
pub const INFINITY: u64 = u64::MAX;

/// The largest file that a process may write.
pub(crate) const RLIMIT_FSIZE: usize = 1;
/// One more than the largest descriptor.
pub(crate) const RLIMIT_NOFILE: usize = 7;

/// Names as in `/proc/PID/limits`, with their units, soft and hard limits.
pub(crate) const NAMES: [(&str, &str, u64, u64); RLIMITS] = [
    ("Max cpu time", "seconds", INFINITY, INFINITY),
    ("Max file size", "bytes", INFINITY, INFINITY),
    ("Max data size", "bytes", INFINITY, INFINITY),
    ("Max stack size", "bytes", 8 << 20, INFINITY),
    ("Max core file size", "bytes", 0, INFINITY),
    ("Max resident set", "bytes", INFINITY, INFINITY),
    ("Max processes", "processes", MAX_THREADS as u64, MAX_THREADS as u64),
    ("Max open files", "files", MAX_FDS as u64, HARD_FDS as u64),
    ("Max locked memory", "bytes", 8 << 20, 8 << 20),
    ("Max address space", "bytes", INFINITY, INFINITY),
    ("Max file locks", "locks", INFINITY, INFINITY),
    ("Max pending signals", "signals", MAX_THREADS as u64, MAX_THREADS as u64),
    ("Max msgqueue size", "bytes", 819_200, 819_200),
    ("Max nice priority", "", 0, 0),
    ("Max realtime priority", "", 0, 0),
    ("Max realtime timeout", "us", INFINITY, INFINITY),
];

/// The limits that the first process has.
pub(crate) fn defaults() -> [(u64, u64); RLIMITS] {
    NAMES.map(|(_, _, soft, hard)| (soft, hard))
}

impl Kernel {
    /// Lets a process have as many descriptors as one guest can; gives the limits that it had.
    pub fn raise_files(&mut self, pid: Pid) -> Result<(u64, u64), Errno> {
        let process = self.find_process_mut(pid)?;
        let raised = (MAX_OPEN_FILES as u64, MAX_OPEN_FILES as u64);
        process.fds.set_limit(MAX_OPEN_FILES);
        Ok(std::mem::replace(&mut process.rlimits[RLIMIT_NOFILE], raised))
    }

    /// prlimit(2): the limit of process `of` before it was changed to `new`.
    pub fn rlimit(&mut self, pid: Pid, of: Pid, resource: usize, new: Option<(u64, u64)>) -> Result<(u64, u64), Errno> {
        let caller = self.proc(pid)?.creds.clone();
        let root = caller.is_root();
        let process = self.find_process_mut(of)?;
        let creds = &process.creds;
        let same = [creds.uid, creds.euid, creds.suid].iter().all(|id| *id == caller.uid)
            && [creds.gid, creds.egid, creds.sgid].iter().all(|id| *id == caller.gid);
        if process.pid != pid && !root && !same {
            return Err(Errno::EPERM);
        }
        let slot = process.rlimits.get_mut(resource).ok_or(Errno::EINVAL)?;
        let before = *slot;
        if let Some((soft, hard)) = new {
            if soft > hard {
                return Err(Errno::EINVAL);
            }
            // The kernel's own table ends there, for root too.
            let most = before.1.max(if resource == RLIMIT_NOFILE { HARD_FDS as u64 } else { INFINITY });
            if (hard > before.1 && !root) || hard > most {
                return Err(Errno::EPERM);
            }
            *slot = (soft, hard);
            if resource == RLIMIT_NOFILE {
                process.fds.set_limit(soft as usize);
            }
        }
        Ok(before)
    }
}
