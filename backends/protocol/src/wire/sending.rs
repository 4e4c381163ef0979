//! Chunks that are being sent.

use super::outbox::Message;

/// Chunks that were taken to be sent, and how much of them was. A large message's chunks are sent from where they are: copying
/// them costs an emulated guest a tenth of the time that sending takes.
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

impl InPlace {
    fn bytes(&self) -> &[u8] {
        let message = &self.message;
        let part = if message.tail.is_empty() { &message.bytes } else { &message.tail };
        &part[self.begin..self.end]
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        let message = &mut self.message;
        let part = if message.tail.is_empty() { &mut message.bytes } else { &mut message.tail };
        &mut part[self.begin..self.end]
    }
}

impl Sending {
    /// What is to be sent now; nothing when all was.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        let all = self.in_place.as_ref().map_or(&*self.copied, InPlace::bytes);
        all.get(self.sent..).unwrap_or_default()
    }

    /// So many bytes more were sent.
    pub fn advance(&mut self, bytes: usize) {
        self.sent += bytes;
    }

    /// Appends bytes that are no chunk to what is to be sent, between two chunks.
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
