//! Signals.

use std::rc::Rc;

use provium_protocol::{Errno, Signal};

use super::Sys;
use crate::kernel::wait::{Block, Channel};
use crate::types::{Pid, SigAction};

impl Sys {
    /// kill(2); `None` only asks whether it could be sent.
    pub async fn kill(&self, pid: Pid, signal: Option<Signal>) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.kill(self.pid(), pid, signal)).await?;
        // A signal to oneself takes effect before the call returns.
        self.step().await;
        Ok(())
    }

    /// sigaction(2): the old action. `SigAction::Catch` makes the signal show up in
    /// [`Sys::take_caught`].
    pub async fn sigaction(&self, signal: Signal, action: SigAction) -> Result<SigAction, Errno> {
        self.call_now(|kernel| kernel.sigaction(self.pid(), signal, action)).await
    }

    /// sigprocmask(2) with `SIG_SETMASK`: bit `n - 1` holds signal `n` back. Returns the old mask.
    pub async fn sigmask(&self, mask: u64) -> Result<u64, Errno> {
        self.call_now(|kernel| Ok(kernel.set_thread_mask(&self.thread, mask))).await
    }

    /// Caught signals that arrived since the last call, in order of arrival. While this list is not
    /// taken, every call that would sleep answers `EINTR` at once.
    #[must_use]
    pub fn take_caught(&self) -> Vec<Signal> {
        let mut kernel = self.machine.kernel().borrow_mut();
        kernel.proc_mut(self.pid()).map(|process| std::mem::take(&mut process.caught)).unwrap_or_default()
    }

    /// pause(2): `EINTR`, once a caught signal arrives.
    pub async fn pause(&self) -> Errno {
        self.step().await;
        self.pause_now().await
    }

    /// pause(2) without a step before it.
    pub(crate) async fn pause_now(&self) -> Errno {
        loop {
            let block = Block { channels: vec![Channel::Signal(self.pid())], deadline: None };
            if let Err(errno) = self.sleep_on(block).await {
                return errno;
            }
        }
    }

    /// alarm(2) in nanoseconds; `None` takes it away. Returns what was left of the one before.
    pub async fn alarm(&self, after_ns: Option<u64>) -> Result<Option<u64>, Errno> {
        self.step().await;
        Ok(self.alarm_now(after_ns, 0)?.map(|(left, _)| left))
    }

    /// setitimer(2) without a step before it: what was left of the one before, and its interval.
    pub(crate) fn alarm_now(&self, after_ns: Option<u64>, interval_ns: u64) -> Result<Option<(u64, u64)>, Errno> {
        let machine = Rc::downgrade(&self.machine);
        self.with_kernel(|kernel| kernel.set_alarm(self.pid(), after_ns, interval_ns, machine))
    }
}
