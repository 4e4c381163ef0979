//! Groups, sessions, credentials.

use provium_protocol::Errno;

use super::Sys;
use crate::types::{Credentials, Pid};

impl Sys {
    /// getpgid(2); 0 is the caller.
    pub async fn getpgid(&self, pid: Pid) -> Result<Pid, Errno> {
        self.call_now(|kernel| kernel.getpgid(self.pid(), pid)).await
    }

    /// getpgrp(2).
    pub async fn getpgrp(&self) -> Result<Pid, Errno> {
        self.getpgid(0).await
    }

    /// setpgid(2); 0 is the caller, and its own id.
    pub async fn setpgid(&self, pid: Pid, pgid: Pid) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.setpgid(self.pid(), pid, pgid)).await
    }

    /// getsid(2); 0 is the caller.
    pub async fn getsid(&self, pid: Pid) -> Result<Pid, Errno> {
        self.call_now(|kernel| kernel.getsid(self.pid(), pid)).await
    }

    /// setsid(2).
    pub async fn setsid(&self) -> Result<Pid, Errno> {
        self.call_now(|kernel| kernel.setsid(self.pid())).await
    }

    /// getresuid(2), getresgid(2) and getgroups(2) at once.
    pub async fn credentials(&self) -> Result<Credentials, Errno> {
        self.call_now(|kernel| kernel.credentials(self.pid())).await
    }

    /// setuid(2).
    pub async fn setuid(&self, uid: u32) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.setuid(self.pid(), uid)).await
    }

    /// setgid(2).
    pub async fn setgid(&self, gid: u32) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.setgid(self.pid(), gid)).await
    }

    /// setgroups(2).
    pub async fn setgroups(&self, groups: Vec<u32>) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.setgroups(self.pid(), groups)).await
    }
}
