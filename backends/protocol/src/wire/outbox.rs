//! Messages that wait to be sent.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::MAX_MESSAGE;
use super::chunk::{HEADER, Header, MAX_CHUNK};
use crate::codec;

/// A message that is under way.
struct Message {
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
    /// What waits in each flow; none is empty.
    flows: BTreeMap<u64, VecDeque<Message>>,
    /// Whose turn is when.
    turns: VecDeque<u64>,
    last_number: u32,
    bytes: usize,
}

impl Outbox {
    /// Puts a message at the end of its flow.
    ///
    /// # Errors
    /// When it is larger than [`MAX_MESSAGE`], or has no encoding; in words for people. Nothing is sent then.
    pub fn put<T: Serialize>(&mut self, flow: u64, message: &T) -> Result<(), String> {
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
        let waiting = self.flows.entry(flow).or_default();
        if waiting.is_empty() {
            self.turns.push_back(flow);
        }
        waiting.push_back(message);
        Ok(())
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Bytes that wait, headers aside.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends the next chunk to `out`; `false` when nothing waits.
    pub fn next_chunk(&mut self, out: &mut Vec<u8>) -> bool {
        let Some(flow) = self.turns.pop_front() else {
            return false;
        };
        let Some(waiting) = self.flows.get_mut(&flow) else { return false };
        if let Some(message) = waiting.front_mut() {
            let (from, to) = (message.sent, (message.sent + MAX_CHUNK).min(message.len()));
            let last = to == message.len();
            out.reserve(HEADER + to - from);
            let head = out.len();
            // Its place; it needs the sum of what follows.
            out.extend_from_slice(&[0; HEADER]);
            message.copy(from, to, out);
            let header = Header::of(message.number, from == 0, last, &out[head + HEADER..]).to_bytes();
            out[head..head + HEADER].copy_from_slice(&header);
            self.bytes -= to - from;
            message.sent = to;
            if last {
                waiting.pop_front();
            }
        }
        if waiting.is_empty() {
            self.flows.remove(&flow);
        } else {
            self.turns.push_back(flow);
        }
        true
    }
}

fn encoded<T: Serialize>(message: &T) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    codec::encode(message, &mut bytes).map_err(|error| format!("a message cannot be encoded: {error}"))?;
    Ok(bytes)
}
