//! Whoever reads a stream.

use std::future::poll_fn;
use std::rc::Rc;

use provium_protocol::{ErrorKind, OpError};

use super::{Stream, this};
use crate::lua::call::Call;
use crate::lua::fault::Fault;

/// Lines that a timeout shows of what was seen.
const LINES_SHOWN: usize = 5;

/// Bytes kept of what was seen, for those lines.
const SEEN_KEPT: usize = 1_000;

/// Bytes that `read_until` looks through for its text (16 MiB): a text that did not come by then is not going to.
const MAX_BUFFERED: usize = 16 << 20;

/// The one reader of a stream, until it is dropped.
pub struct Reader(pub Rc<Stream>);

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.being_read.set(false);
    }
}

impl Reader {
    /// The reader of the call's stream.
    pub fn of(call: &Call) -> Result<Reader, Fault> {
        Reader::new(this(call)?, &call.name())
    }

    /// The reader of a stream that nobody reads; `name` is the call's, for messages.
    pub fn new(stream: Rc<Stream>, name: &str) -> Result<Reader, Fault> {
        // What a lost guest had given is still there, and behind it how it was lost.
        if stream.open.lost_guest().is_none() {
            stream.open.check("stream").map_err(|fault| fault.prefixed(name))?;
        }
        if stream.being_read.replace(true) {
            let fault = Fault::state(format!("{name}: another task is reading this {}; one at a time", stream.noun));
            return Err(fault.of_vm(&stream.open.speaker.vm.name));
        }
        Ok(Reader(stream))
    }

    /// Waits for one more frame: whether there was one.
    pub async fn fill(&self) -> Result<bool, OpError> {
        let stream = &self.0;
        if stream.ended.get() {
            return Ok(false);
        }
        let Some((guest, number)) = stream.source() else {
            stream.ended.set(true);
            return Ok(false);
        };
        let frame = poll_fn(|cx| {
            let mut next = stream.next.borrow_mut();
            let poll = next.get_or_insert_with(|| guest.next_frame(stream.id)).as_mut().poll(cx);
            if poll.is_ready() {
                *next = None;
            }
            poll
        })
        .await;
        if let Some(host) = stream.open.host() {
            let now = host.backend.now();
            host.setup.observers.tell(|observer| observer.frame(number, stream.id, now, &frame));
        }
        if let Err(error) = &frame
            && error.kind == ErrorKind::Lost
        {
            stream.open.speaker.vm.lost(error);
        }
        match frame? {
            Some(frame) => {
                stream.buffer.borrow_mut().extend_from_slice(&frame.data);
                Ok(true)
            }
            None => {
                stream.ended.set(true);
                Ok(false)
            }
        }
    }

    /// Reads until the text came: where it ends in the buffer; nothing if the stream ended before.
    pub async fn find(&self, text: &[u8], shown: &str) -> Result<Option<usize>, OpError> {
        let mut searched = 0;
        loop {
            {
                let buffer = self.0.buffer.borrow();
                let from = usize::saturating_sub(searched, text.len());
                if let Some(at) = find(&buffer[from..], text) {
                    return Ok(Some(from + at + text.len()));
                }
                searched = buffer.len();
                if searched > MAX_BUFFERED {
                    let most = MAX_BUFFERED >> 20;
                    return Err(OpError::limit(format!("more than {most} MiB came without {shown}")));
                }
            }
            if !self.fill().await? {
                return Ok(None);
            }
        }
    }

    /// Takes the first bytes of what came.
    pub fn take(&self, count: usize) -> Vec<u8> {
        let mut buffer = self.0.buffer.borrow_mut();
        let taken = if count >= buffer.len() { std::mem::take(&mut *buffer) } else { buffer.drain(..count).collect() };
        let mut seen = self.0.seen.borrow_mut();
        seen.extend_from_slice(&taken);
        let surplus = seen.len().saturating_sub(SEEN_KEPT);
        seen.drain(..surplus);
        taken
    }

    /// The end of what was seen, for messages.
    pub fn last_lines(&self) -> String {
        let mut seen = self.0.seen.borrow().clone();
        seen.extend_from_slice(&self.0.buffer.borrow());
        let from = seen.len().saturating_sub(SEEN_KEPT);
        let text = String::from_utf8_lossy(&seen[from..]);
        let lines: Vec<&str> = text.lines().collect();
        if lines.is_empty() {
            return "nothing came at all".to_owned();
        }
        let last = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
        format!("the last lines seen:\n    {}", last.join("\n    "))
    }
}

/// What went wrong with a call on a stream.
pub fn fault(error: OpError, call: &str, reader: &Reader) -> Fault {
    Fault::from_op(error, call, &reader.0.open.speaker.vm.name)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
