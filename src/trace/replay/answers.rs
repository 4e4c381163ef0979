//! Futures that wait for what the trace holds.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use provium_protocol::{ErrorKind, Frame, Nanos, OpError, StreamId};

use super::plan::{Answer, Item};
use super::{Match, Replayer};
use crate::trace::record::{GuestNo, Seq};

/// What a call is told of which the replayer does not know.
pub fn stopped() -> OpError {
    OpError::new(ErrorKind::Divergence, "the replay stops here")
}

impl Replayer {
    /// Waits for an exchange's answer; `None` if none will come, because nobody looks at it.
    pub(super) async fn answer(self: Rc<Self>, found: Option<Match>) -> Result<Option<Answer>, OpError> {
        match found {
            Some(Match::Recorded(seq)) => {
                std::future::poll_fn(|cx| match self.take_answer(seq) {
                    Some(answer) => Poll::Ready(Ok(Some(answer))),
                    None => {
                        self.wait(cx);
                        Poll::Pending
                    }
                })
                .await
            }
            Some(Match::Unneeded) => Ok(None),
            // The task is not to see that it is in a replay: it gets no answer, and the run is halted.
            Some(Match::Stopped) => std::future::pending().await,
            None => Err(stopped()),
        }
    }

    fn take_answer(&self, seq: Seq) -> Option<Answer> {
        let mine = if self.on_plan.get() {
            let mine = matches!(self.item(), Some(Item::Ended(ended)) if *ended == seq);
            if mine {
                self.advance();
            }
            mine
        } else {
            self.delivered.borrow().get(seq as usize).copied().unwrap_or_default()
        };
        if mine { self.answers.borrow_mut().get_mut(seq as usize).and_then(Option::take) } else { None }
    }

    /// Waits for the next piece of a stream.
    pub(super) async fn frame(self: Rc<Self>, guest: GuestNo, stream: StreamId) -> Result<Option<Frame>, OpError> {
        std::future::poll_fn(|cx| match self.take_frame(guest, stream) {
            Some(frame) => Poll::Ready(frame),
            None => {
                self.wait(cx);
                Poll::Pending
            }
        })
        .await
    }

    fn take_frame(&self, guest: GuestNo, stream: StreamId) -> Option<Result<Option<Frame>, OpError>> {
        if self.on_plan.get() {
            let Some(Item::Frame { guest: of, stream: id, frame }) = self.item() else { return None };
            if (*of, *id) != (guest, stream) {
                return None;
            }
            self.advance();
            return Some(frame.clone());
        }
        let item =
            self.frames.borrow_mut().get_mut(&(guest, stream.0)).and_then(std::collections::VecDeque::pop_front)?;
        match self.plan.items.get(item) {
            Some(Item::Frame { frame, .. }) => Some(frame.clone()),
            _ => None,
        }
    }

    /// Has the task woken when something was delivered. On plan nobody needs to be woken: the plan says who goes.
    fn wait(&self, cx: &Context<'_>) {
        let mut wakers = self.wakers.borrow_mut();
        if !wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            wakers.push(cx.waker().clone());
        }
    }

    pub(super) fn wake_all(&self) {
        let wakers = self.wakers.take();
        wakers.into_iter().for_each(std::task::Waker::wake);
    }
}

/// Ends when the replayed clock reads `until`.
pub struct Sleep {
    replayer: Rc<Replayer>,
    until: Nanos,
    timer: RefCell<Option<(Nanos, u64)>>,
}

impl Sleep {
    /// Ends so much later than now.
    pub fn new(replayer: Rc<Replayer>, duration: Nanos) -> Sleep {
        let until = replayer.clock.get().saturating_add(duration);
        Sleep { replayer, until, timer: RefCell::default() }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(timer) = self.timer.take() {
            self.replayer.timers.cancel(timer);
        }
        if self.replayer.clock.get() >= self.until {
            return Poll::Ready(());
        }
        let timer = self.replayer.timers.set(self.until, cx.waker().clone());
        *self.timer.borrow_mut() = Some(timer);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.replayer.timers.cancel(timer);
        }
    }
}
