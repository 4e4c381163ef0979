//! The frames of one stream that have come and were not taken yet.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use provium_protocol::limits::{FRAMES_IN_FLIGHT, MAX_FRAME};
use provium_protocol::{OpError, StreamId};

use super::{Inner, Piece};

/// One stream. It holds at most as many frames as the agent has credit for.
#[derive(Default)]
pub struct Flow {
    waiting: VecDeque<Piece>,
    /// Nothing follows what waits.
    ended: bool,
    reader: Option<Waker>,
    reading: bool,
    /// Frames taken that the agent was not told of.
    pub taken: u32,
}

impl Flow {
    /// How many pieces wait for the reader.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Adds a piece; returns whom to wake.
    pub fn put(&mut self, piece: Piece) -> Option<Waker> {
        if !self.ended {
            let piece = if self.allows(&piece) { piece } else { Err(too_much()) };
            self.ended = !matches!(piece, Ok(Some(_)));
            self.waiting.push_back(piece);
        }
        self.reader.take()
    }

    /// Whether the agent had credit for a frame, and kept to its size: one that does not must not fill the host's memory.
    fn allows(&self, piece: &Piece) -> bool {
        match piece {
            Ok(Some(frame)) => self.waiting.len() < FRAMES_IN_FLIGHT && frame.data.len() <= MAX_FRAME,
            _ => true,
        }
    }

    fn next(&mut self) -> Option<Piece> {
        match self.waiting.pop_front() {
            // The end stays the end, however often it is asked for.
            Some(end @ Ok(None)) => {
                self.waiting.push_back(Ok(None));
                Some(end)
            }
            Some(Err(error)) => {
                self.waiting.push_back(Err(error.clone()));
                Some(Err(error))
            }
            piece => piece,
        }
    }
}

pub(super) fn too_much() -> OpError {
    OpError::agent("the guest's agent sent more than it may")
}

pub(super) fn closed() -> OpError {
    OpError::state("stream is closed")
}

/// Waits for the next piece of a stream. It is taken by the poll that returns it, so none is lost when this is dropped.
pub struct NextFrame {
    inner: Arc<Inner>,
    stream: StreamId,
    /// This is the one that reads.
    reads: bool,
}

impl NextFrame {
    pub(super) fn new(inner: &Arc<Inner>, stream: StreamId) -> NextFrame {
        NextFrame { inner: Arc::clone(inner), stream, reads: false }
    }
}

impl Future for NextFrame {
    type Output = Piece;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Piece> {
        let inner = Arc::clone(&self.inner);
        let mut state = inner.lock();
        if state.closed_streams.contains(&self.stream) && !state.flows.contains_key(&self.stream) {
            return Poll::Ready(Err(closed()));
        }
        let gone = state.alive().err();
        let flow = state.flows.entry(self.stream).or_default();
        if !self.reads && std::mem::replace(&mut flow.reading, true) {
            return Poll::Ready(Err(OpError::state("somebody is already reading this stream")));
        }
        self.reads = true;
        match (flow.next(), gone) {
            (Some(piece), _) => {
                if let Ok(Some(_)) = piece {
                    state.taken(self.stream);
                    drop(state);
                    inner.sends.notify_one();
                }
                Poll::Ready(piece)
            }
            (None, Some(error)) => Poll::Ready(Err(error)),
            (None, None) => {
                flow.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for NextFrame {
    fn drop(&mut self) {
        if self.reads
            && let Some(flow) = self.inner.lock().flows.get_mut(&self.stream)
        {
            flow.reading = false;
            flow.reader = None;
        }
    }
}
