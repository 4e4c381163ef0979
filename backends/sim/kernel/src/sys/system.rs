//! The system as a whole.

use provium_protocol::Errno;

use super::Sys;
use crate::types::{SysInfo, Uname};

impl Sys {
    /// uname(2).
    pub async fn uname(&self) -> Uname {
        self.step().await;
        self.machine.kernel().borrow().uname()
    }

    /// sethostname(2).
    pub async fn sethostname(&self, name: &[u8]) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.sethostname(self.pid(), name)).await
    }

    /// sysinfo(2).
    pub async fn sysinfo(&self) -> SysInfo {
        self.step().await;
        self.machine.kernel().borrow().sysinfo()
    }

    /// getrandom(2).
    pub async fn getrandom(&self, len: usize) -> Vec<u8> {
        self.step().await;
        self.machine.kernel().borrow_mut().random(len)
    }

    /// syslog(2): the kernel's log.
    pub async fn syslog(&self) -> Vec<u8> {
        self.step().await;
        self.machine.kernel().borrow().dmesg()
    }

    /// Processors, as sched_getaffinity(2) would count them.
    pub async fn cpus(&self) -> u32 {
        self.step().await;
        self.machine.kernel().borrow().cpus()
    }
}
