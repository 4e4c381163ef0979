//! Bytes that have come, put together to messages.

use std::collections::{BTreeMap, BTreeSet};

use super::MAX_MESSAGE;
use super::chunk::{HEADER, Header, MAGIC};
use super::sum::sum;

/// Messages of which only a part has come; a sender never has more under way than it has operations and streams.
const MAX_PARTS: usize = 65_536;

/// How much of a message comes between two questions whether there is room for more, in bytes: rarely enough for the answer
/// to cost nothing, often enough for a small machine.
const ROOM_STEP: usize = 1 << 20;

/// Bytes kept of a message that there was no room for: what it is about stands at its beginning.
const BEGINNING: usize = 64;

/// What has come.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// A whole message.
    Message(Vec<u8>),
    /// Bytes that are no chunk were skipped, or a chunk was damaged, or its message grew above a limit.
    Garbled {
        /// How many bytes were skipped.
        skipped: u64,
        /// What was wrong.
        why: &'static str,
    },
    /// There is no room for a message; the rest of it is skipped as it comes.
    NoRoom {
        /// Its first bytes.
        beginning: Vec<u8>,
        /// Bytes of it that had come.
        bytes: usize,
    },
}

/// Puts messages together. What it holds is bounded by [`MAX_MESSAGE`] for all messages of which a part has come.
#[derive(Default)]
pub struct Inbox {
    buffer: Vec<u8>,
    /// Up to where the buffer was read.
    taken: usize,
    parts: BTreeMap<u32, Vec<u8>>,
    part_bytes: usize,
    skipped: u64,
    /// Whether there is room for so many bytes; absent where there always is.
    room: Option<fn(usize) -> bool>,
    /// Messages that there was no room for, and of which more comes.
    refused: BTreeSet<u32>,
}

impl Inbox {
    /// One that asks `room` whether there is memory for so many bytes as a message grows, and gives up those that there is
    /// none for. What is asked for is what it takes to read the message when it is whole.
    #[must_use]
    pub fn with_room(room: fn(usize) -> bool) -> Inbox {
        Inbox { room: Some(room), ..Inbox::default() }
    }

    /// Takes bytes as they come.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.taken > 0 {
            self.buffer.drain(..self.taken);
            self.taken = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Forgets the beginnings of messages: their rest is not going to come.
    pub fn forget_parts(&mut self) {
        self.parts.clear();
        self.part_bytes = 0;
    }

    /// The next message or trouble; `None` until more bytes come.
    pub fn receive(&mut self) -> Option<Received> {
        loop {
            let rest = &self.buffer[self.taken..];
            let start = next_magic(rest);
            if start > 0 {
                self.skipped += start as u64;
                self.taken += start;
                continue;
            }
            // Less than a magic number may be the beginning of one.
            let Some(head) = rest.first_chunk::<HEADER>() else {
                return self.whole_magic_or_nothing();
            };
            let Some(header) = Header::parse(head) else {
                self.skipped += 1;
                self.taken += 1;
                continue;
            };
            if self.skipped > 0 {
                return Some(self.garbled("bytes between chunks"));
            }
            if rest.len() < HEADER + header.len {
                return None;
            }
            if sum(&rest[HEADER..HEADER + header.len]) != header.sum {
                // Not beyond its header: the next chunk may begin inside of what this one claims.
                self.skipped += 1;
                self.taken += 1;
                self.drop_part(header.message);
                return Some(self.garbled("a chunk was damaged"));
            }
            let begin = self.taken + HEADER;
            self.taken = begin + header.len;
            if let Some(received) = self.piece(header, begin) {
                return Some(received);
            }
        }
    }

    /// There is no whole header. Says what was skipped so far, so that it is not said only when the next chunk comes.
    fn whole_magic_or_nothing(&mut self) -> Option<Received> {
        (self.skipped > 0).then(|| self.garbled("bytes between chunks"))
    }

    fn garbled(&mut self, why: &'static str) -> Received {
        Received::Garbled { skipped: std::mem::take(&mut self.skipped), why }
    }

    fn drop_part(&mut self, message: u32) {
        if let Some(part) = self.parts.remove(&message) {
            self.part_bytes -= part.len();
        }
    }

    /// Takes the piece of a chunk, which begins there in the buffer.
    fn piece(&mut self, header: Header, begin: usize) -> Option<Received> {
        if self.refused.contains(&header.message) && !header.first {
            if header.last {
                self.refused.remove(&header.message);
            }
            return None;
        }
        if header.first {
            self.refused.remove(&header.message);
            // A message of this number that never ended is not going to.
            self.drop_part(header.message);
            if header.last {
                return Some(Received::Message(self.buffer[begin..begin + header.len].to_vec()));
            }
        } else if !self.parts.contains_key(&header.message) {
            return Some(self.garbled("a message came without its beginning"));
        }
        if self.part_bytes + header.len > MAX_MESSAGE || self.parts.len() + self.refused.len() >= MAX_PARTS {
            self.drop_part(header.message);
            return Some(self.garbled("more was begun than a sender may have under way"));
        }
        self.part_bytes += header.len;
        let part = self.parts.entry(header.message).or_default();
        let steps = part.len() / ROOM_STEP;
        part.extend_from_slice(&self.buffer[begin..begin + header.len]);
        let bytes = part.len();
        // Its bytes are there already; as many again are what it is read into.
        if bytes / ROOM_STEP != steps && self.room.is_some_and(|room| !room(bytes + ROOM_STEP)) {
            let beginning = part[..BEGINNING.min(bytes)].to_vec();
            self.drop_part(header.message);
            if !header.last {
                self.refused.insert(header.message);
            }
            return Some(Received::NoRoom { beginning, bytes });
        }
        if !header.last {
            return None;
        }
        let whole = self.parts.remove(&header.message)?;
        self.part_bytes -= whole.len();
        Some(Received::Message(whole))
    }
}

/// How many bytes come before the next place where a chunk may begin.
fn next_magic(bytes: &[u8]) -> usize {
    let begins = |at: &usize| {
        let rest = &bytes[*at..];
        rest.iter().zip(MAGIC).all(|(have, want)| *have == want)
    };
    // The first byte of a magic number is in no other place of it, nor in text.
    (0..bytes.len()).find(begins).unwrap_or(bytes.len())
}
