//! One chunk: a header of fixed size, then a piece of a message.
//!
//! | bytes | |
//! |---|---|
//! | 0–3 | [`MAGIC`] |
//! | 4–7 | number of the message, little-endian, counted per direction |
//! | 8 | bit 0: the first chunk of its message; bit 1: the last |
//! | 9–11 | length of the piece, little-endian |
//! | 12–15 | sum of bytes 0–11 (`sum.rs`) |
//! | 16–19 | sum of the piece |
//!
//! The header has a sum of its own, so that a damaged length is not waited for.

use super::sum::sum;

/// What a chunk begins with: no text, and no byte of it is another's beginning.
pub const MAGIC: [u8; 4] = [0xf5, b'p', 0x9c, 0x01];

/// Bytes of a header.
pub const HEADER: usize = 20;

/// The largest piece, in bytes: large enough that the cost of a chunk vanishes, small enough that those who share the link take
/// turns soon. On virtio-serial, writes of 64 KiB are the fastest.
pub const MAX_CHUNK: usize = (64 << 10) - HEADER;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub message: u32,
    pub first: bool,
    pub last: bool,
    pub len: usize,
    pub sum: u32,
}

impl Header {
    pub(super) fn of(message: u32, first: bool, last: bool, piece: &[u8]) -> Header {
        debug_assert!(piece.len() <= MAX_CHUNK, "a piece of {} bytes", piece.len());
        Header { message, first, last, len: piece.len(), sum: sum(piece) }
    }

    pub(super) fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..8].copy_from_slice(&self.message.to_le_bytes());
        bytes[8] = u8::from(self.first) | u8::from(self.last) << 1;
        bytes[9..12].copy_from_slice(&(self.len as u32).to_le_bytes()[..3]);
        let sum = sum(&bytes[..12]);
        bytes[12..16].copy_from_slice(&sum.to_le_bytes());
        bytes[16..].copy_from_slice(&self.sum.to_le_bytes());
        bytes
    }

    /// Reads a header; `None` when it is none.
    pub(super) fn parse(bytes: &[u8; HEADER]) -> Option<Header> {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let len = u32::from_le_bytes([bytes[9], bytes[10], bytes[11], 0]) as usize;
        let good = bytes[..4] == MAGIC && bytes[8] <= 3 && len <= MAX_CHUNK && word(12) == sum(&bytes[..12]);
        good.then(|| Header { message: word(4), first: bytes[8] & 1 != 0, last: bytes[8] & 2 != 0, len, sum: word(16) })
    }
}
