//! Between the socket and the state of a link.
//!
//! Whoever has put something down to be sent also sends it, if the socket takes it: a message that had to wait for the runtime's
//! thread to wake up would come as much later as a short round trip takes. What the socket does not take at once is the
//! task's.

use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use provium_protocol::wire::Sending;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use super::Inner;

/// Bytes read, and gathered to be written, at once: several chunks, so that a fast link is not slowed down by calls.
const AT_ONCE: usize = 256 << 10;

/// The writing end of the socket, and what was taken out of the state for it.
pub struct Outlet {
    /// `None` when the link is over.
    to: Option<Box<dyn AsyncWrite + Send + Unpin>>,
    sending: Sending,
    /// The socket takes no more; the task waits for it.
    blocked: bool,
}

impl Outlet {
    /// Writes to this.
    pub fn new(to: impl AsyncWrite + Send + Unpin + 'static) -> Outlet {
        Outlet { to: Some(Box::new(to)), sending: Sending::default(), blocked: false }
    }

    /// Closes it.
    pub fn close(&mut self) {
        self.to = None;
    }

    /// Writes all that is to be sent; an error when the other side takes nothing any more.
    fn flush(&mut self, inner: &Inner, context: &mut Context<'_>) -> Poll<Result<(), ()>> {
        loop {
            if self.sending.rest().is_empty() {
                let mut state = inner.lock();
                state.outbox.fill(&mut self.sending, AT_ONCE);
                self.sending.disturb(&mut state.garbage);
            }
            if self.sending.rest().is_empty() {
                return Poll::Ready(Ok(()));
            }
            let Some(to) = &mut self.to else { return Poll::Ready(Err(())) };
            let was_blocked = std::mem::replace(&mut self.blocked, true);
            match ready!(Pin::new(to).poll_write(context, self.sending.rest())) {
                Ok(written @ 1..) => {
                    self.sending.advance(written);
                    if was_blocked {
                        // The guest has made room: a ping that waits behind so much is no silence.
                        inner.lock().heard = true;
                    }
                }
                Ok(0) | Err(_) => return Poll::Ready(Err(())),
            }
            self.blocked = false;
        }
    }
}

/// Sends what is to be sent, or has the task do it. The state must not be locked.
pub fn send(inner: &Inner) {
    if let Ok(mut outlet) = inner.outlet.try_lock()
        && !outlet.blocked
        && outlet.flush(inner, &mut Context::from_waker(Waker::noop())) == Poll::Ready(Ok(()))
    {
        return;
    }
    // Others are at it, and may have looked already; or the socket wants to be waited for.
    inner.sends.notify_one();
}

/// Reads until the other side closes the connection.
pub async fn read(inner: Arc<Inner>, mut from: impl AsyncRead + Unpin) {
    let mut buffer = vec![0; AT_ONCE];
    loop {
        match from.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(read) => {
                let (wakers, answers) = {
                    let mut state = inner.lock();
                    (state.take(&buffer[..read]), !state.outbox.is_empty())
                };
                // First whoever waits for a reply; the rest is nobody's haste.
                wakers.into_iter().for_each(Waker::wake);
                inner.news.notify_waiters();
                if answers {
                    inner.sends.notify_one();
                }
            }
        }
    }
    inner.lock().closed = true;
    inner.news.notify_waiters();
}

/// Writes what is to be sent, for as long as the other side takes it.
pub async fn write(inner: Arc<Inner>) {
    loop {
        let flushed = std::future::poll_fn(|context| {
            let mut outlet = inner.outlet.lock().unwrap_or_else(PoisonError::into_inner);
            outlet.flush(&inner, context)
        });
        if flushed.await.is_err() {
            inner.lock().closed = true;
            inner.news.notify_waiters();
            return;
        }
        inner.sends.notified().await;
    }
}
