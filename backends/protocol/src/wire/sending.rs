//! Chunks that are being sent.

use super::outbox::Message;

/// Chunks that were taken to be sent, and how much of them was. The chunks of a large message are sent from where they are: an
/// emulated guest has better things to do than to copy megabytes.
#[derive(Default)]
pub struct Sending {
    pub(super) copied: Vec<u8>,
    /// Instead of those.
    pub(super) in_place: Option<InPlace>,
    sent: usize,
}

/// A chunk within its message.
pub(super) struct InPlace {
    pub flow: u64,
    pub message: Message,
    /// How often the outbox had been cleared when it was taken.
    pub cleared: u64,
    /// Where it is, in the last part of the message.
    pub begin: usize,
    pub end: usize,
}

impl Sending {
    /// What is to be sent now; nothing when all was.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        let all = match &self.in_place {
            Some(chunk) => &chunk.message.last_part()[chunk.begin..chunk.end],
            None => &self.copied[..],
        };
        all.get(self.sent..).unwrap_or_default()
    }

    /// So many bytes more were sent.
    pub fn advance(&mut self, bytes: usize) {
        self.sent += bytes;
    }

    /// Moves bytes that are no chunk behind what is to be sent, unless that is a chunk within its message: then they are to be
    /// brought again when it was sent.
    #[doc(hidden)]
    pub fn disturb(&mut self, garbage: &mut Vec<u8>) {
        if self.in_place.is_none() {
            self.copied.append(garbage);
        }
    }

    /// Makes room for other chunks; returns the one that was sent from where it was.
    pub(super) fn renew(&mut self) -> Option<InPlace> {
        self.copied.clear();
        self.sent = 0;
        self.in_place.take()
    }
}
