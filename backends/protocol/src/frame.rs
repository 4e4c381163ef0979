//! Pieces of a stream that a guest pushes.

use serde::{Deserialize, Serialize};

/// Names one stream of one guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId(pub u64);

/// One piece of a stream, at most [`crate::limits::MAX_FRAME`] bytes. The end of a stream is the
/// absence of further frames, not a frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The bytes, never empty.
    #[serde(with = "serde_bytes")]
    pub data: Vec<u8>,
}
