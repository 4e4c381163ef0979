//! Clocks and sleeping.

use provium_protocol::{Errno, Nanos};

use super::Sys;
use crate::kernel::wait::{Block, Channel};
use crate::types::TimeSpec;

impl Sys {
    /// Computing without system calls: takes time, and others may go first.
    pub async fn compute(&self, ns: Nanos) {
        self.machine.world().compute(ns);
        self.step().await;
    }

    /// clock_gettime(2) of `CLOCK_REALTIME`.
    pub async fn clock_realtime(&self) -> TimeSpec {
        self.step().await;
        TimeSpec::from_nanos(self.machine.kernel().borrow().realtime())
    }

    /// clock_gettime(2) of `CLOCK_MONOTONIC`, in nanoseconds.
    pub async fn clock_monotonic(&self) -> Nanos {
        self.step().await;
        self.machine.kernel().borrow().uptime()
    }

    /// clock_settime(2) of `CLOCK_REALTIME`.
    pub async fn clock_settime(&self, time: TimeSpec) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.clock_settime(self.pid(), time)).await
    }

    /// nanosleep(2); `EINTR` on a caught signal.
    pub async fn nanosleep(&self, ns: Nanos) -> Result<(), Errno> {
        self.step().await;
        self.sleep_until(self.now().saturating_add(ns)).await
    }

    /// Sleeps until the world's clock reads `until`, without a step before it.
    pub(crate) async fn sleep_until(&self, until: Nanos) -> Result<(), Errno> {
        while self.now() < until {
            self.sleep_on(Block { channels: vec![Channel::Timer], deadline: Some(until) }).await?;
        }
        Ok(())
    }
}
