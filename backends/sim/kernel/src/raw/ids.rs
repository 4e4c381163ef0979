//! Process ids and credentials. As on Linux, the raw calls that set ids change those of the calling
//! thread alone (the C library is what tells the other threads).

use provium_protocol::Errno;

use super::call::{Call, done};
use super::table::nr;
use crate::kernel::Kernel;
use crate::types::Pid;

pub(super) fn call(c: &mut Call<'_>) -> Result<i64, Errno> {
    let pid = c.pid();
    match c.nr {
        nr::GETPID => Ok(i64::from(pid)),
        nr::GETTID => Ok(i64::from(c.sys.tid())),
        nr::GETPPID => c.kernel(|kernel| Ok(i64::from(kernel.proc(pid)?.ppid))),
        nr::GETPGRP => c.kernel(|kernel| kernel.getpgid(pid, 0)).map(i64::from),
        nr::GETPGID => c.kernel(|kernel| kernel.getpgid(pid, c.int(0))).map(i64::from),
        nr::SETPGID => done(c.kernel(|kernel| kernel.setpgid(pid, c.int(0), c.int(1)))),
        nr::GETSID => c.kernel(|kernel| kernel.getsid(pid, c.int(0))).map(i64::from),
        nr::SETSID => c.kernel(|kernel| kernel.setsid(pid)).map(i64::from),
        nr::GETUID | nr::GETEUID | nr::GETGID | nr::GETEGID | nr::SETFSUID | nr::SETFSGID => {
            let creds = c.kernel(|kernel| kernel.credentials(pid))?;
            Ok(i64::from(match c.nr {
                nr::GETUID => creds.uid,
                nr::GETEUID | nr::SETFSUID => creds.euid,
                nr::GETGID => creds.gid,
                _ => creds.egid,
            }))
        }
        nr::GETRESUID | nr::GETRESGID => {
            let creds = c.kernel(|kernel| kernel.credentials(pid))?;
            let ids = match c.nr {
                nr::GETRESUID => [creds.uid, creds.euid, creds.suid],
                _ => [creds.gid, creds.egid, creds.sgid],
            };
            for (at, id) in ids.into_iter().enumerate() {
                c.mem.put(c.addr(at), &id.to_le_bytes())?;
            }
            Ok(0)
        }
        nr::GETGROUPS => getgroups(c),
        nr::SETGROUPS => {
            let count = usize::try_from(c.int(0)).map_err(|_| Errno::EINVAL)?;
            if count > crate::kernel::ids::MAX_GROUPS {
                return Err(Errno::EINVAL);
            }
            let bytes = c.mem.bytes(c.addr(1), count * 4)?;
            let groups = bytes.chunks_exact(4).map(|id| u32::from_le_bytes([id[0], id[1], id[2], id[3]])).collect();
            set(c, |kernel, pid| kernel.setgroups(pid, groups))
        }
        nr::SETUID => {
            let id = c.id(0).ok_or(Errno::EINVAL)?;
            set(c, |kernel, pid| kernel.setuid(pid, id))
        }
        nr::SETGID => {
            let id = c.id(0).ok_or(Errno::EINVAL)?;
            set(c, |kernel, pid| kernel.setgid(pid, id))
        }
        nr::SETREUID => {
            let ids = (c.id(0), c.id(1));
            set(c, |kernel, pid| kernel.setreuid(pid, ids.0, ids.1))
        }
        nr::SETREGID => {
            let ids = (c.id(0), c.id(1));
            set(c, |kernel, pid| kernel.setregid(pid, ids.0, ids.1))
        }
        nr::SETRESUID => {
            let ids = (c.id(0), c.id(1), c.id(2));
            set(c, |kernel, pid| kernel.setresuid(pid, ids.0, ids.1, ids.2))
        }
        nr::SETRESGID => {
            let ids = (c.id(0), c.id(1), c.id(2));
            set(c, |kernel, pid| kernel.setresgid(pid, ids.0, ids.1, ids.2))
        }
        _ => Err(Errno::ENOSYS),
    }
}

/// Changes credentials: those of the process if it has one thread, else those of this thread alone.
fn set(c: &Call<'_>, change: impl FnOnce(&mut Kernel, Pid) -> Result<(), Errno>) -> Result<i64, Errno> {
    let (pid, thread) = (c.pid(), c.thread());
    let own = c.kernel(|kernel| {
        let process = kernel.proc(pid)?;
        Ok::<_, Errno>((process.threads.len() > 1).then(|| Box::new(process.creds.clone())))
    })?;
    if let Some(own) = own {
        thread.credentials().borrow_mut().get_or_insert(own);
    }
    done(c.kernel(|kernel| change(kernel, pid)))
}

fn getgroups(c: &mut Call<'_>) -> Result<i64, Errno> {
    let room = usize::try_from(c.int(0)).map_err(|_| Errno::EINVAL)?;
    let groups = c.kernel(|kernel| kernel.credentials(c.pid()))?.groups;
    if room > 0 {
        if room < groups.len() {
            return Err(Errno::EINVAL);
        }
        let bytes: Vec<u8> = groups.iter().flat_map(|id| id.to_le_bytes()).collect();
        c.mem.put(c.addr(1), &bytes)?;
    }
    Ok(groups.len() as i64)
}
