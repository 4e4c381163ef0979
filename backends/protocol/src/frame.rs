//! Pieces of a stream that a guest pushes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Names one stream of one guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId(pub u64);

/// Streams of the console are named by whoever has the machine, all others by the agent in it, which counts from 1.
const CONSOLE: u64 = 1 << 63;

impl StreamId {
    /// The `n`-th stream of a guest's console.
    #[must_use]
    pub fn console(n: u64) -> StreamId {
        StreamId(CONSOLE | n)
    }

    /// Whether it is a stream of the console.
    #[must_use]
    pub fn is_console(self) -> bool {
        self.0 & CONSOLE != 0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_console() { "console stream" } else { "stream" };
        write!(f, "{kind} {}", self.0 & !CONSOLE)
    }
}

/// One piece of a stream, at most [`crate::limits::MAX_FRAME`] bytes. The end of a stream is the
/// absence of further frames, not a frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The bytes, never empty.
    #[serde(with = "serde_bytes")]
    pub data: Vec<u8>,
}
