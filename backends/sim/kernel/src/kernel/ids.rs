//! Process groups, sessions and credentials.

use std::rc::Rc;

use provium_protocol::Errno;

use super::Kernel;
use crate::types::{Credentials, Pid};
use crate::world::thread::Thread;

/// Supplementary groups that a process may have, as on Linux.
pub(crate) const MAX_GROUPS: usize = 65_536;

impl Kernel {
    /// Puts a thread's own credentials in the place of its process's, or back. Between the two the
    /// process is what the thread is.
    pub(crate) fn swap_credentials(&mut self, thread: &Rc<Thread>) {
        if let Some(own) = thread.credentials().borrow_mut().as_deref_mut()
            && let Some(process) = self.procs.get_mut(&thread.pid())
        {
            std::mem::swap(own, &mut process.creds);
        }
    }

    /// getpgid(2).
    pub fn getpgid(&self, pid: Pid, of: Pid) -> Result<Pid, Errno> {
        Ok(self.proc(if of == 0 { pid } else { of })?.pgid)
    }

    /// getsid(2).
    pub fn getsid(&self, pid: Pid, of: Pid) -> Result<Pid, Errno> {
        Ok(self.proc(if of == 0 { pid } else { of })?.sid)
    }

    /// setpgid(2).
    pub fn setpgid(&mut self, pid: Pid, of: Pid, pgid: Pid) -> Result<(), Errno> {
        if pgid < 0 || of < 0 {
            return Err(if pgid < 0 { Errno::EINVAL } else { Errno::ESRCH });
        }
        let of = if of == 0 { pid } else { of };
        let pgid = if pgid == 0 { of } else { pgid };
        let (caller_sid, target) = (self.proc(pid)?.sid, self.proc(of)?);
        if of != pid {
            if target.ppid != pid {
                return Err(Errno::ESRCH);
            }
            if target.sid != caller_sid {
                return Err(Errno::EPERM);
            }
            if target.has_execed {
                return Err(Errno::EACCES);
            }
        }
        if target.sid == target.pid {
            return Err(Errno::EPERM);
        }
        if pgid != of && !self.procs.values().any(|other| other.pgid == pgid && other.sid == caller_sid) {
            return Err(Errno::EPERM);
        }
        self.proc_mut(of)?.pgid = pgid;
        Ok(())
    }

    /// setsid(2).
    pub fn setsid(&mut self, pid: Pid) -> Result<Pid, Errno> {
        if self.procs.values().any(|process| process.pgid == pid) {
            return Err(Errno::EPERM);
        }
        let process = self.proc_mut(pid)?;
        process.sid = pid;
        process.pgid = pid;
        Ok(pid)
    }

    /// setuid(2).
    pub fn setuid(&mut self, pid: Pid, uid: u32) -> Result<(), Errno> {
        let creds = &mut self.proc_mut(pid)?.creds;
        if creds.is_root() {
            (creds.uid, creds.euid, creds.suid) = (uid, uid, uid);
        } else if uid == creds.uid || uid == creds.suid {
            creds.euid = uid;
        } else {
            return Err(Errno::EPERM);
        }
        Ok(())
    }

    /// setgid(2).
    pub fn setgid(&mut self, pid: Pid, gid: u32) -> Result<(), Errno> {
        let creds = &mut self.proc_mut(pid)?.creds;
        if creds.is_root() {
            (creds.gid, creds.egid, creds.sgid) = (gid, gid, gid);
        } else if gid == creds.gid || gid == creds.sgid {
            creds.egid = gid;
        } else {
            return Err(Errno::EPERM);
        }
        Ok(())
    }

    /// setresuid(2); `None` leaves an id as it is.
    pub fn setresuid(&mut self, pid: Pid, uid: Option<u32>, euid: Option<u32>, suid: Option<u32>) -> Result<(), Errno> {
        let creds = &mut self.proc_mut(pid)?.creds;
        let known = [creds.uid, creds.euid, creds.suid];
        let allowed = |id: &Option<u32>| id.is_none_or(|id| known.contains(&id));
        if !creds.is_root() && ![uid, euid, suid].iter().all(allowed) {
            return Err(Errno::EPERM);
        }
        creds.uid = uid.unwrap_or(creds.uid);
        creds.euid = euid.unwrap_or(creds.euid);
        creds.suid = suid.unwrap_or(creds.suid);
        Ok(())
    }

    /// setresgid(2); `None` leaves an id as it is.
    pub fn setresgid(&mut self, pid: Pid, gid: Option<u32>, egid: Option<u32>, sgid: Option<u32>) -> Result<(), Errno> {
        let creds = &mut self.proc_mut(pid)?.creds;
        let known = [creds.gid, creds.egid, creds.sgid];
        let allowed = |id: &Option<u32>| id.is_none_or(|id| known.contains(&id));
        if !creds.is_root() && ![gid, egid, sgid].iter().all(allowed) {
            return Err(Errno::EPERM);
        }
        creds.gid = gid.unwrap_or(creds.gid);
        creds.egid = egid.unwrap_or(creds.egid);
        creds.sgid = sgid.unwrap_or(creds.sgid);
        Ok(())
    }

    /// setreuid(2); `None` leaves an id as it is.
    pub fn setreuid(&mut self, pid: Pid, uid: Option<u32>, euid: Option<u32>) -> Result<(), Errno> {
        let creds = &mut self.proc_mut(pid)?.creds;
        let may_real = |id: u32| id == creds.uid || id == creds.euid;
        let may_effective = |id: u32| may_real(id) || id == creds.suid;
        let allowed = uid.is_none_or(may_real) && euid.is_none_or(may_effective);
        if !creds.is_root() && !allowed {
            return Err(Errno::EPERM);
        }
        // The saved id follows the effective one if the real one is set, or the effective one to another.
        let saves = uid.is_some() || euid.is_some_and(|euid| euid != creds.uid);
        creds.uid = uid.unwrap_or(creds.uid);
        creds.euid = euid.unwrap_or(creds.euid);
        if saves {
            creds.suid = creds.euid;
        }
        Ok(())
    }

    /// setregid(2); `None` leaves an id as it is.
    pub fn setregid(&mut self, pid: Pid, gid: Option<u32>, egid: Option<u32>) -> Result<(), Errno> {
        let creds = &mut self.proc_mut(pid)?.creds;
        let may_real = |id: u32| id == creds.gid || id == creds.egid;
        let may_effective = |id: u32| may_real(id) || id == creds.sgid;
        let allowed = gid.is_none_or(may_real) && egid.is_none_or(may_effective);
        if !creds.is_root() && !allowed {
            return Err(Errno::EPERM);
        }
        let saves = gid.is_some() || egid.is_some_and(|egid| egid != creds.gid);
        creds.gid = gid.unwrap_or(creds.gid);
        creds.egid = egid.unwrap_or(creds.egid);
        if saves {
            creds.sgid = creds.egid;
        }
        Ok(())
    }

    /// setgroups(2).
    pub fn setgroups(&mut self, pid: Pid, groups: Vec<u32>) -> Result<(), Errno> {
        let creds = &mut self.proc_mut(pid)?.creds;
        if !creds.is_root() {
            return Err(Errno::EPERM);
        }
        if groups.len() > MAX_GROUPS {
            return Err(Errno::EINVAL);
        }
        creds.groups = groups;
        Ok(())
    }

    /// Who a process is.
    pub fn credentials(&self, pid: Pid) -> Result<Credentials, Errno> {
        Ok(self.proc(pid)?.creds.clone())
    }
}
