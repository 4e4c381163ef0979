//! Locks.

use provium_protocol::Errno;

use super::Sys;
use crate::kernel::posix_lock::{LockRequest, PosixLock};
use crate::types::Fd;

impl Sys {
    /// flock(2).
    pub async fn flock(&self, fd: Fd, operation: i32) -> Result<(), Errno> {
        self.call(|kernel| kernel.flock(self.pid(), fd, operation)).await
    }

    /// fcntl(2) `F_SETLK` and, with `wait`, `F_SETLKW` on the bytes `start..end`.
    pub async fn posix_lock(
        &self,
        fd: Fd,
        request: LockRequest,
        start: u64,
        end: u64,
        wait: bool,
    ) -> Result<(), Errno> {
        self.call(|kernel| kernel.set_posix_lock(self.pid(), fd, request, start, end, wait)).await
    }

    /// fcntl(2) `F_GETLK`: the first lock in the way.
    pub async fn get_posix_lock(
        &self,
        fd: Fd,
        exclusive: bool,
        start: u64,
        end: u64,
    ) -> Result<Option<PosixLock>, Errno> {
        self.call_now(|kernel| kernel.get_posix_lock(self.pid(), fd, exclusive, start, end)).await
    }
}
