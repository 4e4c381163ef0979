//! One raw system call under way: its arguments, its memory and its thread.

use std::rc::Rc;

use provium_protocol::{Errno, Nanos};

use super::memory::Memory;
use crate::Sys;
use crate::kernel::Kernel;
use crate::kernel::wait::Stop;
use crate::types::{Fd, Pid, TimeSpec};

/// Nanoseconds in a second.
pub(super) const SECOND: u64 = 1_000_000_000;

/// One raw system call.
pub(super) struct Call<'a> {
    pub(super) sys: &'a Sys,
    pub(super) nr: u64,
    pub(super) args: [i64; 6],
    pub(super) mem: Memory<'a>,
}

impl Call<'_> {
    pub(super) fn pid(&self) -> Pid {
        self.sys.pid()
    }

    /// An argument as the address of something.
    pub(super) fn addr(&self, at: usize) -> u64 {
        self.args[at] as u64
    }

    /// An argument that is a C `int`: the upper half does not count.
    pub(super) fn int(&self, at: usize) -> i32 {
        self.args[at] as i32
    }

    /// An argument that is a C `unsigned int`.
    pub(super) fn uint(&self, at: usize) -> u32 {
        self.args[at] as u32
    }

    /// An argument that is a descriptor.
    pub(super) fn fd(&self, at: usize) -> Fd {
        self.int(at)
    }

    /// An argument that is a `size_t`.
    pub(super) fn len(&self, at: usize) -> usize {
        self.args[at] as usize
    }

    /// An argument that is the address of a path.
    pub(super) fn path(&self, at: usize) -> Result<&[u8], Errno> {
        self.mem.path(self.addr(at))
    }

    /// A user or group id; -1 is none.
    pub(super) fn id(&self, at: usize) -> Option<u32> {
        (self.uint(at) != u32::MAX).then_some(self.uint(at))
    }

    /// A `struct timespec` whose nanoseconds are in range, as a span of time.
    pub(super) fn span(&self, addr: u64) -> Result<Nanos, Errno> {
        let (sec, nsec) = (self.mem.i64(addr)?, self.mem.i64(addr + 8)?);
        let sec = u64::try_from(sec).map_err(|_| Errno::EINVAL)?;
        let nsec = u64::try_from(nsec).ok().filter(|nsec| *nsec < SECOND).ok_or(Errno::EINVAL)?;
        Ok(sec.saturating_mul(SECOND).saturating_add(nsec))
    }

    /// A `struct timespec` as a point in time.
    pub(super) fn time(&self, addr: u64) -> Result<TimeSpec, Errno> {
        let (sec, nsec) = (self.mem.i64(addr)?, self.mem.i64(addr + 8)?);
        let nsec = u32::try_from(nsec).ok().filter(|nsec| u64::from(*nsec) < SECOND).ok_or(Errno::EINVAL)?;
        Ok(TimeSpec { sec, nsec })
    }

    /// A `struct timeval` as a point in time.
    pub(super) fn timeval(&self, addr: u64) -> Result<TimeSpec, Errno> {
        let (sec, usec) = (self.mem.i64(addr)?, self.mem.i64(addr + 8)?);
        let usec = u32::try_from(usec).ok().filter(|usec| *usec < 1_000_000).ok_or(Errno::EINVAL)?;
        Ok(TimeSpec { sec, nsec: usec * 1_000 })
    }

    /// Uses the kernel. The step of the schedule was made before the call was looked at.
    pub(super) fn kernel<T>(&self, call: impl FnOnce(&mut Kernel) -> T) -> T {
        self.sys.with_kernel(call)
    }

    /// Uses the kernel, sleeping and looking again as often as it must.
    pub(super) async fn wait<T>(&self, call: impl FnMut(&mut Kernel) -> Result<T, Stop>) -> Result<T, Errno> {
        self.sys.attempt(call).await
    }

    /// The thread that makes the call.
    pub(super) fn thread(&self) -> &Rc<crate::world::thread::Thread> {
        self.sys.thread()
    }
}

/// What a call without a result returns.
pub(super) fn done(result: Result<(), Errno>) -> Result<i64, Errno> {
    result.map(|()| 0)
}
