//! Process groups, sessions and credentials.

use provium_protocol::Errno;

use super::Kernel;
use crate::types::{Credentials, Pid};

/// Supplementary groups that a process may have, as on Linux.
const MAX_GROUPS: usize = 65_536;

impl Kernel {
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
