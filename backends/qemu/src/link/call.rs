//! An operation that is under way.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use provium_protocol::wire::ToAgent;
use provium_protocol::{Lane, Op, OpError};

use super::state::Pending;
use super::{Inner, Outcome, pump};

/// The caller's end of an operation. Dropping it abandons the operation.
pub struct Call {
    inner: Arc<Inner>,
    /// Absent when it never began, or is over.
    id: Option<u64>,
    refused: Option<OpError>,
}

impl Call {
    pub(super) fn begin(inner: &Arc<Inner>, lane: Lane, op: Op) -> Call {
        let mut state = inner.lock();
        let begun = state.alive().and_then(|()| {
            let id = state.last_id + 1;
            close_streams(&mut state, &op);
            state.outbox.put(id, &ToAgent::Call { id, lane, op }).map_err(OpError::limit)?;
            state.last_id = id;
            state.calls.insert(id, Pending::default());
            Ok(id)
        });
        drop(state);
        pump::send(inner);
        let inner = Arc::clone(inner);
        match begun {
            Ok(id) => Call { inner, id: Some(id), refused: None },
            Err(error) => Call { inner, id: None, refused: Some(error) },
        }
    }
}

/// Nobody reads a stream any more whose closing has begun.
fn close_streams(state: &mut super::State, op: &Op) {
    match op {
        Op::StreamClose(stream) => state.close_stream(*stream),
        Op::Batch(ops) => ops.iter().for_each(|op| close_streams(state, op)),
        _ => {}
    }
}

impl Future for Call {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let Some(id) = self.id else {
            let error = self.refused.take().unwrap_or_else(|| OpError::agent("the operation is over"));
            return Poll::Ready(Err(error));
        };
        let mut state = self.inner.lock();
        let outcome = match state.calls.get_mut(&id) {
            Some(call) => match call.outcome.take() {
                Some(outcome) => outcome,
                None => {
                    call.waker = Some(context.waker().clone());
                    return Poll::Pending;
                }
            },
            None => Err(OpError::agent("the operation is over")),
        };
        state.calls.remove(&id);
        drop(state);
        self.id = None;
        Poll::Ready(outcome)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let mut state = self.inner.lock();
        let Some(call) = state.calls.remove(&id) else { return };
        match call.outcome {
            Some(outcome) => state.discard(outcome),
            None if state.alive().is_ok() => {
                // In the flow of the call, so that it does not arrive before it. It is small.
                let _ = state.outbox.put(id, &ToAgent::Cancel { id });
            }
            None => {}
        }
        drop(state);
        self.inner.sends.notify_one();
    }
}
