//! Records as bytes: [`provium_protocol::codec`] with the limits of a trace.

use provium_protocol::codec;

use super::super::record::Record;
use super::super::said::Said;
use super::WriteError;
use super::pieces::LONG_RECORD;

/// The largest record, in bytes, without the texts that are stored before it ([`super::pieces`]): a batch of ten thousand
/// operations fits; a reader needs some times as much memory.
pub const MAX_RECORD: usize = 80 << 20;

/// Up to this size a record can be read back whatever it holds: bincode charges at most 16 bytes to its limit for each
/// that it reads.
const SURELY_READABLE: usize = MAX_RECORD / 16;

/// What the bytes at the beginning of a slice are.
#[derive(Debug, PartialEq)]
pub enum Decoded {
    /// A record.
    Whole {
        /// It.
        record: Record,
        /// Bytes that it takes.
        size: usize,
    },
    /// The beginning of a record that needs at least so many more bytes.
    Incomplete {
        /// At least one.
        more: usize,
    },
    /// No record can begin like this.
    Invalid {
        /// Why.
        why: String,
    },
}

/// Appends a record to `out`; on an error `out` is as before.
///
/// # Errors
/// When the record is so large, or so built, that [`decode`] would refuse it.
pub fn encode(record: &Record, out: &mut Vec<u8>) -> Result<(), WriteError> {
    let start = out.len();
    let done = codec::encode(record, out).map_err(|error| WriteError::Encode(error.to_string()));
    let result = done.and_then(|()| readable(&out[start..]));
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Appends a record to `out` unless it is a long one, and says whether it did.
///
/// # Errors
/// As for [`encode`].
pub fn encode_short(record: &Said<'_>, out: &mut Vec<u8>) -> Result<bool, WriteError> {
    const { assert!(LONG_RECORD <= SURELY_READABLE, "what is short can be read back") };
    codec::encode_short(record, out, LONG_RECORD).map_err(|error| WriteError::Encode(error.to_string()))
}

fn readable(bytes: &[u8]) -> Result<(), WriteError> {
    if bytes.len() <= SURELY_READABLE {
        return Ok(());
    }
    let fits = bytes.len() <= MAX_RECORD && matches!(decode(bytes), Decoded::Whole { .. });
    if fits { Ok(()) } else { Err(WriteError::TooLarge { size: bytes.len() }) }
}

/// Looks at the record that `bytes` begin with.
#[must_use]
pub fn decode(bytes: &[u8]) -> Decoded {
    match codec::decode::<Record, MAX_RECORD>(bytes) {
        codec::Decoded::Whole { value, size } => Decoded::Whole { record: value, size },
        codec::Decoded::Incomplete { more } => Decoded::Incomplete { more },
        codec::Decoded::TooLarge => {
            Decoded::Invalid { why: format!("a record takes more than {MAX_RECORD} bytes (MAX_RECORD)") }
        }
        codec::Decoded::Invalid { why } => Decoded::Invalid { why: format!("a record cannot be decoded: {why}") },
    }
}
