//! Records as bytes: the one place that knows by which library.
//!
//! The encoding is bincode 2's standard configuration (variable-length integers, little-endian) of the serde form of
//! [`Record`]. Its project has ended, so the version is pinned, and so are the bytes, by the tests below.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::enc::write::Writer;
use bincode::error::{DecodeError, EncodeError};

use super::super::record::Record;
use super::WriteError;

/// The largest record, in bytes: the output of a command that is captured by default (twice 16 MiB), and files and
/// buffers of 64 MiB, fit; a reader needs some times as much memory.
pub const MAX_RECORD: usize = 80 << 20;

/// Up to this size a record can be read back whatever it holds: bincode charges at most 16 bytes to its limit for each
/// that it reads.
const SURELY_READABLE: usize = MAX_RECORD / 16;

/// The limit is on what the values take in memory, not on the bytes read, so that tiny elements do not add up to more
/// memory than a large record may take.
const CONFIG: Configuration<LittleEndian, Varint, Limit<MAX_RECORD>> = bincode::config::standard().with_limit();

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

struct Tail<'a>(&'a mut Vec<u8>);

impl Writer for Tail<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Appends a record to `out`; on an error `out` is as before.
///
/// # Errors
/// When the record is so large, or so built, that [`decode`] would refuse it.
pub fn encode(record: &Record, out: &mut Vec<u8>) -> Result<(), WriteError> {
    let start = out.len();
    let done = bincode::serde::encode_into_writer(record, Tail(out), CONFIG).map_err(|error| encode_error(&error));
    let result = done.and_then(|()| readable(&out[start..]));
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn readable(bytes: &[u8]) -> Result<(), WriteError> {
    if bytes.len() <= SURELY_READABLE {
        return Ok(());
    }
    let fits = bytes.len() <= MAX_RECORD && matches!(decode(bytes), Decoded::Whole { .. });
    if fits { Ok(()) } else { Err(WriteError::TooLarge { size: bytes.len() }) }
}

fn encode_error(error: &EncodeError) -> WriteError {
    WriteError::Encode(error.to_string())
}

/// Looks at the record that `bytes` begin with.
#[must_use]
pub fn decode(bytes: &[u8]) -> Decoded {
    match bincode::serde::borrow_decode_from_slice(bytes, CONFIG) {
        Ok((record, size)) => Decoded::Whole { record, size },
        Err(DecodeError::UnexpectedEnd { additional }) => Decoded::Incomplete { more: additional.max(1) },
        Err(DecodeError::LimitExceeded) => {
            Decoded::Invalid { why: format!("a record takes more than {MAX_RECORD} bytes (MAX_RECORD)") }
        }
        Err(error) => Decoded::Invalid { why: format!("a record cannot be decoded: {}", describe(&error)) },
    }
}

/// The library's words where they are for people, ours where they are not.
fn describe(error: &DecodeError) -> String {
    match error {
        DecodeError::OtherString(text) => text.clone(),
        DecodeError::Other(text) => (*text).to_owned(),
        DecodeError::Utf8 { .. } => "a text is not UTF-8".to_owned(),
        DecodeError::InvalidBooleanValue(value) => format!("{value} is neither yes nor no"),
        DecodeError::UnexpectedVariant { found, type_name, .. } => format!("{found} is no variant of {type_name}"),
        other => other.to_string(),
    }
}
