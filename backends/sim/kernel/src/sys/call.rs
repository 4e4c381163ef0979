//! How a system call becomes steps of the schedule.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use provium_protocol::{Errno, Nanos};

use super::Sys;
use crate::kernel::Kernel;
use crate::kernel::wait::{Block, Stop};
use crate::world::{TimerId, TimerTarget};

/// Lets the scheduler choose who goes next.
struct Step<'a> {
    sys: &'a Sys,
    asked: bool,
}

impl Future for Step<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        // A process that was ended while it made this call never goes on.
        if self.sys.thread.is_dead() {
            return Poll::Pending;
        }
        if self.asked {
            return Poll::Ready(());
        }
        self.asked = true;
        self.sys.machine.world().run_again();
        Poll::Pending
    }
}

/// Sleeps until woken, interrupted or out of time. A wake-up may come for nothing: callers look again.
struct SleepOn<'a> {
    sys: &'a Sys,
    block: Block,
    timer: Option<TimerId>,
    asleep: bool,
}

impl SleepOn<'_> {
    fn stop(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.sys.machine.world().cancel_timer(timer);
        }
        if self.asleep {
            self.asleep = false;
            // A dead thread is taken off its channels by whoever ended it, maybe with the kernel in use.
            if let Ok(mut kernel) = self.sys.machine.kernel().try_borrow_mut() {
                kernel.stop_sleeping(&self.sys.thread);
            }
        }
    }
}

impl Future for SleepOn<'_> {
    type Output = Result<(), Errno>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Errno>> {
        if self.sys.thread.is_dead() {
            return Poll::Pending;
        }
        if self.asleep {
            self.stop();
            let interrupted = self.sys.thread.take_interrupted();
            return Poll::Ready(if interrupted { Err(Errno::EINTR) } else { Ok(()) });
        }
        let sys = self.sys;
        let mut kernel = sys.machine.kernel().borrow_mut();
        // A caught signal whose handler has not run yet interrupts at once: no wake-up is ever lost.
        if kernel.proc(sys.pid()).is_ok_and(|process| !process.caught.is_empty()) {
            sys.thread.take_interrupted();
            return Poll::Ready(Err(Errno::EINTR));
        }
        kernel.sleep_on(&sys.thread, &self.block.channels);
        drop(kernel);
        self.asleep = true;
        if let Some(deadline) = self.block.deadline {
            let timer = sys.machine.world().set_timer(deadline, TimerTarget::Thread(sys.thread.key()));
            self.timer = Some(timer);
        }
        Poll::Pending
    }
}

impl Drop for SleepOn<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Sys {
    /// One step without any effect.
    pub async fn step(&self) {
        Step { sys: self, asked: false }.await;
        self.thread.take_interrupted();
    }

    /// One step, then the call: it sleeps and looks again as often as it must.
    pub(crate) async fn call<T>(&self, call: impl FnMut(&mut Kernel) -> Result<T, Stop>) -> Result<T, Errno> {
        self.step().await;
        self.attempt(call).await
    }

    /// The call without a step before it: it sleeps and looks again as often as it must.
    pub(crate) async fn attempt<T>(&self, mut call: impl FnMut(&mut Kernel) -> Result<T, Stop>) -> Result<T, Errno> {
        loop {
            match self.with_kernel(&mut call) {
                Ok(value) => return Ok(value),
                Err(Stop::Errno(errno)) => return Err(errno),
                Err(Stop::Block(block)) => self.sleep_on(block).await?,
            }
        }
    }

    /// One step, then a call that never sleeps.
    pub(crate) async fn call_now<T>(&self, call: impl FnOnce(&mut Kernel) -> Result<T, Errno>) -> Result<T, Errno> {
        self.step().await;
        self.with_kernel(call)
    }

    /// Uses the kernel as this thread: with the thread's own credentials, if it has some.
    pub(crate) fn with_kernel<T>(&self, call: impl FnOnce(&mut Kernel) -> T) -> T {
        let mut kernel = self.machine.kernel().borrow_mut();
        kernel.current_tid = self.thread.tid();
        kernel.swap_credentials(&self.thread);
        let result = call(&mut kernel);
        kernel.swap_credentials(&self.thread);
        result
    }

    /// Sleeps once; `EINTR` if a caught signal ended it.
    pub(crate) async fn sleep_on(&self, block: Block) -> Result<(), Errno> {
        SleepOn { sys: self, block, timer: None, asleep: false }.await
    }

    /// The world's clock.
    #[must_use]
    pub fn now(&self) -> Nanos {
        self.machine.world().now()
    }
}
