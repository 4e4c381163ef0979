//! Small tools for futures of one thread.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use provium_protocol::Nanos;
use tokio::sync::{Notify, oneshot};

use crate::Os;

/// Which of two futures ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First<A, B> {
    /// The first one; it wins when both are ready.
    A(A),
    /// The second one.
    B(B),
}

/// Ends with the one of two futures that ends first and drops the other. `a` is always polled first, so
/// the outcome depends on nothing but the futures.
pub async fn race<A: Future, B: Future>(a: A, b: B) -> First<A::Output, B::Output> {
    let mut a = pin!(a);
    let mut b = pin!(b);
    poll_fn(|cx| {
        if let Poll::Ready(value) = a.as_mut().poll(cx) {
            return Poll::Ready(First::A(value));
        }
        b.as_mut().poll(cx).map(First::B)
    })
    .await
}

/// Ends with the future's value, or with `None` when it took longer than `timeout`.
pub async fn within<O: Os, F: Future>(os: &O, timeout: Option<Nanos>, future: F) -> Option<F::Output> {
    let Some(timeout) = timeout else {
        return Some(future.await);
    };
    match race(future, os.sleep(timeout)).await {
        First::A(value) => Some(value),
        First::B(()) => None,
    }
}

/// Runs `future` as a task that goes on when the caller does not, and ends with its value; `None` when
/// the tasks were dropped.
pub async fn in_task<O: Os, T: 'static>(os: &O, future: impl Future<Output = T> + 'static) -> Option<T> {
    let (sender, receiver) = oneshot::channel();
    os.spawn_task(Box::pin(async move {
        // A caller that has gone does not want the value.
        let _ = sender.send(future.await);
    }));
    receiver.await.ok()
}

/// Something that happens once.
#[derive(Default)]
pub struct Flag {
    set: Cell<bool>,
    changed: Notify,
}

impl Flag {
    /// Says that it happened; again is fine.
    pub fn set(&self) {
        if !self.set.replace(true) {
            self.changed.notify_waiters();
        }
    }

    /// Whether it happened.
    pub fn is_set(&self) -> bool {
        self.set.get()
    }

    /// Ends when it has happened.
    pub async fn wait(&self) {
        until(&self.changed, || self.set.get().then_some(())).await;
    }
}

/// Ends when `ready` gives something; asks again after each notification of `changed`.
pub async fn until<T>(changed: &Notify, mut ready: impl FnMut() -> Option<T>) -> T {
    loop {
        // Made before asking: it sees every notification from now on, even unpolled.
        let notified = changed.notified();
        if let Some(value) = ready() {
            return value;
        }
        notified.await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::task::{Context, Waker};

    use super::*;

    fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
        pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn the_first_future_wins_a_tie() {
        assert_eq!(poll_once(race(ready(1), ready(2))), Poll::Ready(First::A(1)));
        assert_eq!(poll_once(race(pending::<()>(), ready(2))), Poll::Ready(First::B(2)));
        assert_eq!(poll_once(race(pending::<()>(), pending::<()>())), Poll::Pending);
    }

    #[test]
    fn a_flag_wakes_those_who_waited_before_and_after() {
        let flag = Flag::default();
        let mut early = pin!(flag.wait());
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(early.as_mut().poll(&mut context), Poll::Pending);
        flag.set();
        flag.set();
        assert_eq!(early.as_mut().poll(&mut context), Poll::Ready(()));
        assert_eq!(poll_once(flag.wait()), Poll::Ready(()));
        assert!(flag.is_set());
    }
}
