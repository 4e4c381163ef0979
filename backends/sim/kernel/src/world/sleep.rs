//! A sleep outside the guests: the test's own.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use provium_protocol::Nanos;

use super::{TimerId, TimerTarget, World};

/// Ends when the world's clock reads its time. Dropping it takes its timer away.
pub struct Sleep {
    world: Rc<World>,
    until: Nanos,
    timer: Option<TimerId>,
}

impl Sleep {
    pub(super) fn new(world: Rc<World>, until: Nanos) -> Sleep {
        Sleep { world, until, timer: None }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(timer) = self.timer.take() {
            self.world.cancel_timer(timer);
        }
        if self.world.now() >= self.until {
            return Poll::Ready(());
        }
        let timer = self.world.set_timer(self.until, TimerTarget::Waker(context.waker().clone()));
        self.timer = Some(timer);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.world.cancel_timer(timer);
        }
    }
}
