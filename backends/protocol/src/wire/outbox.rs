//! Messages that wait to be sent.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::MAX_MESSAGE;
use super::chunk::{HEADER, Header, MAX_CHUNK};
use super::sending::{InPlace, Sending};
use crate::codec;

/// Bytes of a message that is made a chunk at once, if nothing of its flow waits: it is not worth a place in the queues.
const SMALL: usize = 1 << 10;

/// Bytes of such chunks that wait at the most, about: less than is sent at once, so that something else goes with them however
/// many there are.
const READY: usize = MAX_CHUNK / 2;

/// A message that is under way.
pub(super) struct Message {
    number: u32,
    bytes: Vec<u8>,
    /// What follows them.
    tail: Vec<u8>,
    sent: usize,
}

impl Message {
    fn len(&self) -> usize {
        self.bytes.len() + self.tail.len()
    }

    /// Where its next chunk begins and ends.
    fn next(&self) -> (usize, usize) {
        (self.sent, (self.sent + MAX_CHUNK).min(self.len()))
    }

    /// The last part of it, where there are two.
    pub(super) fn last_part(&self) -> &Vec<u8> {
        if self.tail.is_empty() { &self.bytes } else { &self.tail }
    }

    fn last_part_mut(&mut self) -> &mut Vec<u8> {
        if self.tail.is_empty() { &mut self.bytes } else { &mut self.tail }
    }

    /// Appends what is between two places of it.
    fn copy(&self, from: usize, to: usize, out: &mut Vec<u8>) {
        let head = self.bytes.len();
        out.extend_from_slice(&self.bytes[from.min(head)..to.min(head)]);
        out.extend_from_slice(&self.tail[from.saturating_sub(head)..to.saturating_sub(head)]);
    }
}

/// Messages that wait to be sent. Those of one *flow* arrive in the order in which they were put; flows take turns, chunk by
/// chunk.
#[derive(Default)]
pub struct Outbox {
    /// Chunks of small messages. They go before all else, and so before what was put later into their flows.
    ready: Vec<u8>,
    /// Bytes of those messages.
    ready_bytes: usize,
    /// What waits in each flow; none is empty but that of which a message is being sent.
    flows: BTreeMap<u64, VecDeque<Message>>,
    /// Whose turn is when.
    turns: VecDeque<u64>,
    last_number: u32,
    bytes: usize,
    /// How often it was cleared.
    cleared: u64,
}

impl Outbox {
    /// Puts a message at the end of its flow.
    ///
    /// # Errors
    /// When it is larger than [`MAX_MESSAGE`], or has no encoding; in words for people. Nothing is sent then.
    pub fn put<T: Serialize>(&mut self, flow: u64, message: &T) -> Result<(), String> {
        if self.ready.len() < READY && !self.flows.contains_key(&flow) && self.put_ready(message)? {
            return Ok(());
        }
        let bytes = encoded(message)?;
        self.add(flow, bytes, Vec::new())
    }

    /// Puts a message that ends in an empty string of bytes, in whose place `tail` is sent: as it is, without a copy. A large
    /// reply and its encoding do not fit into a small guest's memory at the same time.
    ///
    /// # Errors
    /// As for [`Outbox::put`].
    pub fn put_with_tail<T: Serialize>(&mut self, flow: u64, message: &T, tail: Vec<u8>) -> Result<(), String> {
        let mut bytes = encoded(message)?;
        if bytes.pop() != Some(0) {
            return Err("a message does not end in an empty string of bytes".to_owned());
        }
        bytes.extend(encoded(&tail.len())?);
        self.add(flow, bytes, tail)
    }

    /// Makes a message a chunk if it is small, and says whether it is.
    fn put_ready<T: Serialize>(&mut self, message: &T) -> Result<bool, String> {
        let head = self.ready.len();
        self.ready.resize(head + HEADER, 0);
        let encoded = codec::encode_short(message, &mut self.ready, SMALL);
        if !matches!(encoded, Ok(true)) {
            self.ready.truncate(head);
            return encoded.map_err(|error| no_encoding(&error));
        }
        self.last_number = self.last_number.wrapping_add(1);
        set_header(&mut self.ready[head..], self.last_number, true, true);
        self.ready_bytes += self.ready.len() - head - HEADER;
        Ok(true)
    }

    fn add(&mut self, flow: u64, bytes: Vec<u8>, tail: Vec<u8>) -> Result<(), String> {
        let message = Message { number: self.last_number.wrapping_add(1), bytes, tail, sent: 0 };
        if message.len() > MAX_MESSAGE {
            return Err(format!(
                "a message of {} bytes is above the limit of {MAX_MESSAGE} (MAX_MESSAGE)",
                message.len()
            ));
        }
        self.last_number = message.number;
        self.bytes += message.len();
        let turns = &mut self.turns;
        let waiting = self.flows.entry(flow).or_insert_with(|| {
            turns.push_back(flow);
            VecDeque::new()
        });
        waiting.push_back(message);
        Ok(())
    }

    /// Whether nothing waits. What was taken to be sent does not.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.turns.is_empty()
    }

    /// Bytes that wait, headers aside.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.ready_bytes + self.bytes
    }

    /// Forgets what waits, and the rest of a message that is being sent.
    pub fn clear(&mut self) {
        *self = Outbox { cleared: self.cleared + 1, last_number: self.last_number, ..Outbox::default() };
    }

    /// Appends the next chunk to `out`, or several small ones; `false` when nothing waits.
    pub fn next_chunk(&mut self, out: &mut Vec<u8>) -> bool {
        if !self.ready.is_empty() {
            if out.is_empty() {
                std::mem::swap(out, &mut self.ready);
            } else {
                out.append(&mut self.ready);
            }
            self.ready_bytes = 0;
            return true;
        }
        let Some(flow) = self.turns.pop_front() else { return false };
        let Some(mut message) = self.flows.get_mut(&flow).and_then(VecDeque::pop_front) else { return false };
        let (from, to) = message.next();
        out.reserve(HEADER + to - from);
        let head = out.len();
        out.extend_from_slice(&[0; HEADER]);
        message.copy(from, to, out);
        set_header(&mut out[head..], message.number, from == 0, to == message.len());
        message.sent = to;
        self.bytes -= to - from;
        self.go_on(flow, message);
        true
    }

    /// Takes chunks to be sent: about so many bytes, or the next chunk if it can be sent from where it is. What was sent before
    /// must have been sent whole.
    pub fn fill(&mut self, sending: &mut Sending, about: usize) {
        debug_assert!(sending.rest().is_empty(), "{} bytes are not sent", sending.rest().len());
        if let Some(InPlace { flow, message, cleared, .. }) = sending.renew()
            && cleared == self.cleared
        {
            self.go_on(flow, message);
        }
        if self.ready.is_empty()
            && let Some(at) = self.next_in_place()
        {
            sending.in_place = self.take_in_place(at);
            return;
        }
        // One that could be sent from where it is does not wait for another turn: there might always be small ones before it.
        while sending.copied.len() < about && self.next_chunk(&mut sending.copied) {}
    }

    /// Where the next chunk can be sent from in the last part of its message: there are bytes before it that were sent, in whose
    /// place its header comes.
    fn next_in_place(&self) -> Option<(usize, usize)> {
        let message = self.flows.get(self.turns.front()?)?.front()?;
        let (from, to) = message.next();
        let before = message.len() - message.last_part().len();
        let begin = from.checked_sub(before + HEADER)?;
        // What is small is sooner copied than written by itself.
        (to - from > SMALL).then_some((begin, to - before))
    }

    fn take_in_place(&mut self, (begin, end): (usize, usize)) -> Option<InPlace> {
        let flow = self.turns.pop_front()?;
        let mut message = self.flows.get_mut(&flow)?.pop_front()?;
        let (from, to) = message.next();
        let (number, last) = (message.number, to == message.len());
        message.sent = to;
        self.bytes -= to - from;
        set_header(&mut message.last_part_mut()[begin..end], number, from == 0, last);
        Some(InPlace { flow, message, cleared: self.cleared, begin, end })
    }

    /// A chunk of a message was sent: what is left of it waits before the others of its flow.
    fn go_on(&mut self, flow: u64, message: Message) {
        let Some(waiting) = self.flows.get_mut(&flow) else { return };
        if message.sent < message.len() {
            waiting.push_front(message);
        }
        if waiting.is_empty() {
            self.flows.remove(&flow);
        } else {
            self.turns.push_back(flow);
        }
    }
}

/// Writes the header of the piece that follows it.
fn set_header(chunk: &mut [u8], number: u32, first: bool, last: bool) {
    let (head, piece) = chunk.split_at_mut(HEADER);
    head.copy_from_slice(&Header::of(number, first, last, piece).to_bytes());
}

fn encoded<T: Serialize>(message: &T) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    codec::encode(message, &mut bytes).map_err(|error| no_encoding(&error))?;
    Ok(bytes)
}

fn no_encoding(error: &codec::EncodeError) -> String {
    format!("a message cannot be encoded: {error}")
}
