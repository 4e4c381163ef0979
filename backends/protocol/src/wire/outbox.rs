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
    sent: usize,
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
        let mut bytes = Vec::new();
        codec::encode(message, &mut bytes).map_err(|error| format!("a message cannot be encoded: {error}"))?;
        if bytes.len() > MAX_MESSAGE {
            return Err(format!(
                "a message of {} bytes is above the limit of {MAX_MESSAGE} (MAX_MESSAGE)",
                bytes.len()
            ));
        }
        self.last_number = self.last_number.wrapping_add(1);
        self.bytes += bytes.len();
        let waiting = self.flows.entry(flow).or_default();
        if waiting.is_empty() {
            self.turns.push_back(flow);
        }
        waiting.push_back(Message { number: self.last_number, bytes, sent: 0 });
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
            let piece = &message.bytes[message.sent..(message.sent + MAX_CHUNK).min(message.bytes.len())];
            let last = message.sent + piece.len() == message.bytes.len();
            out.reserve(HEADER + piece.len());
            out.extend_from_slice(&Header::of(message.number, message.sent == 0, last, piece).to_bytes());
            out.extend_from_slice(piece);
            self.bytes -= piece.len();
            message.sent += piece.len();
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
