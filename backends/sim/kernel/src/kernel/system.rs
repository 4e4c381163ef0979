//! What the system as a whole says of itself.

use provium_protocol::Errno;

use super::Kernel;
use crate::limits::PAGE;
use crate::types::{Pid, SysInfo, TimeSpec, Uname};
use crate::vfs::fs::FsKind;

/// Longest host name, as on Linux.
const HOST_NAME_MAX: usize = 64;

impl Kernel {
    /// uname(2).
    #[must_use]
    pub fn uname(&self) -> Uname {
        Uname {
            sysname: "Linux".into(),
            nodename: String::from_utf8_lossy(&self.hostname).into_owned(),
            release: "6.1.0-provium".into(),
            version: "#1 SMP provium simulated kernel".into(),
            machine: "x86_64".into(),
        }
    }

    /// sethostname(2).
    pub fn sethostname(&mut self, pid: Pid, name: &[u8]) -> Result<(), Errno> {
        if !self.proc(pid)?.creds.is_root() {
            return Err(Errno::EPERM);
        }
        if name.len() > HOST_NAME_MAX {
            return Err(Errno::EINVAL);
        }
        self.hostname = name.to_vec();
        Ok(())
    }

    /// clock_settime(2) of `CLOCK_REALTIME`.
    pub(crate) fn clock_settime(&mut self, pid: Pid, time: TimeSpec) -> Result<(), Errno> {
        if !self.proc(pid)?.creds.is_root() {
            return Err(Errno::EPERM);
        }
        self.set_realtime(time.as_nanos());
        Ok(())
    }

    /// sysinfo(2).
    #[must_use]
    pub fn sysinfo(&self) -> SysInfo {
        SysInfo {
            uptime: self.uptime() / 1_000_000_000,
            total_ram: self.memory,
            free_ram: self.free_memory(),
            procs: u16::try_from(self.procs.len()).unwrap_or(u16::MAX),
        }
    }

    /// Memory that no file in memory takes, in bytes.
    #[must_use]
    pub fn free_memory(&self) -> u64 {
        // What a small system uses by itself.
        self.memory.saturating_sub(self.file_memory()).saturating_sub(self.memory / 16)
    }

    /// Memory that files in memory take, in bytes.
    #[must_use]
    pub(crate) fn file_memory(&self) -> u64 {
        self.filesystems
            .iter()
            .map(|fs| match &fs.kind {
                FsKind::Memory(memory) => (memory.limit_pages() - memory.free_pages()) * PAGE as u64,
                FsKind::Proc => 0,
            })
            .sum()
    }

    /// Memory in bytes.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.memory
    }

    /// Processors.
    #[must_use]
    pub fn cpus(&self) -> u32 {
        self.cpus
    }
}
