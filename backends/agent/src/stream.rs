//! Streams: flows of bytes that a test reads piece by piece.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use provium_protocol::{ErrorKind, Frame, Lane, OpError, Reply, StreamId};

use crate::Os;
use crate::agent::Inner;
use crate::capture::{Capture, Next};
use crate::sync::Flag;

/// One open stream.
pub struct Stream {
    lane: Lane,
    pub capture: Rc<Capture>,
    /// It was closed: who fills it stops.
    pub closed: Flag,
    reading: Cell<bool>,
}

/// The open streams of a guest.
pub struct Streams {
    last_id: Cell<u64>,
    open: RefCell<BTreeMap<StreamId, Rc<Stream>>>,
}

impl Streams {
    /// None yet; numbers go on after this one.
    pub fn new(last_id: u64) -> Streams {
        Streams { last_id: Cell::new(last_id), open: RefCell::default() }
    }

    /// Opens a stream on a flow, from its first byte.
    pub fn open(&self, lane: Lane, capture: Rc<Capture>) -> StreamId {
        self.last_id.set(self.last_id.get() + 1);
        let id = StreamId(self.last_id.get());
        capture.open(id);
        let stream = Stream { lane, capture, closed: Flag::default(), reading: Cell::new(false) };
        self.open.borrow_mut().insert(id, Rc::new(stream));
        id
    }

    /// Finds an open stream.
    pub fn get(&self, id: StreamId) -> Result<Rc<Stream>, OpError> {
        let found = self.open.borrow().get(&id).cloned();
        found.ok_or_else(|| match (1..=self.last_id.get()).contains(&id.0) {
            true => OpError::state("stream is closed"),
            false => OpError::state(format!("there is no stream with number {}", id.0)),
        })
    }

    /// Closes a stream; one that is not open is none the worse for it.
    pub fn close(&self, id: StreamId) {
        let stream = self.open.borrow_mut().remove(&id);
        if let Some(stream) = stream {
            stream.closed.set();
            stream.capture.close(id);
        }
    }

    /// Closes all streams.
    pub fn close_all(&self) {
        let ids: Vec<StreamId> = self.open.borrow().keys().copied().collect();
        for id in ids.into_iter().rev() {
            self.close(id);
        }
    }

    /// Hands out no number up to this one any more.
    pub fn skip_to(&self, last_id: u64) {
        self.last_id.set(self.last_id.get().max(last_id));
    }

    /// Closes all streams that were opened on a lane.
    pub fn close_lane(&self, lane: Lane) {
        let of_lane = |(id, stream): (&StreamId, &Rc<Stream>)| (stream.lane == lane).then_some(*id);
        let ids: Vec<StreamId> = self.open.borrow().iter().filter_map(of_lane).collect();
        for id in ids.into_iter().rev() {
            self.close(id);
        }
    }
}

/// Marks a stream as being read for as long as it lives.
struct Reading(Rc<Stream>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.reading.set(false);
    }
}

/// The next piece of a stream; `None` at its end.
pub async fn next_frame<O: Os>(agent: &Rc<Inner<O>>, id: StreamId) -> Result<Option<Frame>, OpError> {
    let stream = agent.streams.get(id)?;
    if stream.reading.replace(true) {
        return Err(OpError::state("somebody is already reading this stream"));
    }
    let reading = Reading(stream);
    match reading.0.capture.next(id).await? {
        Next::Data(data) => Ok(Some(Frame { data })),
        Next::End => Ok(None),
        Next::Gap(bytes) => Err(OpError::new(
            ErrorKind::Limit,
            format!("{bytes} bytes beyond max_output went by before this stream was opened and were not kept"),
        )),
    }
}

/// Closes a stream; twice is fine.
pub fn close<O: Os>(agent: &Rc<Inner<O>>, id: StreamId) -> Result<Reply, OpError> {
    agent.streams.close(id);
    Ok(Reply::Unit)
}
