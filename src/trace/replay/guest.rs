//! A guest of a trace.

use std::rc::Rc;

use provium_protocol::{Frame, Guest, Lane, LocalFuture, Op, OpError, Reply, StreamId};

use super::Replayer;
use super::plan::Answer;

/// Answers as the trace says.
pub struct ReplayGuest {
    replayer: Rc<Replayer>,
    number: u32,
}

impl ReplayGuest {
    /// The guest of this number.
    pub fn new(replayer: Rc<Replayer>, number: u32) -> ReplayGuest {
        ReplayGuest { replayer, number }
    }
}

impl Guest for ReplayGuest {
    fn call(&self, _: Lane, _: Op) -> LocalFuture<Result<Reply, OpError>> {
        // The replayer saw the exchange begin, with its task and its place, a moment ago.
        let found = self.replayer.asked.take();
        let answer = Rc::clone(&self.replayer).answer(found);
        Box::pin(async move {
            match answer.await? {
                Some(Answer::Reply(reply)) => reply,
                Some(Answer::Booted(_)) | None => Ok(Reply::Unit),
            }
        })
    }

    fn next_frame(&self, stream: StreamId) -> LocalFuture<Result<Option<Frame>, OpError>> {
        Box::pin(Rc::clone(&self.replayer).frame(self.number, stream))
    }
}
