//! Values as bytes: the one place that knows by which library.
//!
//! The encoding is bincode 2's standard configuration (variable-length integers, little-endian) of the serde form. Its project
//! has ended, so the version is pinned, and so are the bytes, by tests of those who write files with it.
//!
//! `LIMIT` is on what a value takes in memory, not on the bytes read, so that tiny elements do not add up to more memory than
//! a large value may take.

mod borrow;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::enc::write::Writer;
use serde::de::Deserialize;
use serde::ser::Serialize;

/// What the bytes at the beginning of a slice are.
#[derive(Debug, PartialEq)]
pub enum Decoded<T> {
    /// A value.
    Whole {
        /// It.
        value: T,
        /// Bytes that it takes.
        size: usize,
    },
    /// The beginning of a value that needs at least so many more bytes.
    Incomplete {
        /// At least one.
        more: usize,
    },
    /// A value would take more memory than the limit.
    TooLarge,
    /// No value can begin like this.
    Invalid {
        /// Why, in words that can follow "cannot be decoded: ".
        why: String,
    },
}

/// Why a value has no bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EncodeError(String);

struct Tail<'a>(&'a mut Vec<u8>);

/// Like [`Tail`], up to a length.
struct Short<'a> {
    out: &'a mut Vec<u8>,
    room: usize,
}

impl Writer for Short<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        match self.room.checked_sub(bytes.len()) {
            Some(room) => self.room = room,
            None => return Err(bincode::error::EncodeError::UnexpectedEnd),
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }
}

impl Writer for Tail<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

fn config<const LIMIT: usize>() -> Configuration<LittleEndian, Varint, Limit<LIMIT>> {
    bincode::config::standard().with_limit()
}

/// Appends a value's bytes to `out`; on an error `out` is as before.
///
/// # Errors
/// When its serde form is one that this encoding does not have.
#[inline]
pub fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let start = out.len();
    match bincode::serde::encode_into_writer(value, Tail(out), bincode::config::standard()) {
        Ok(()) => Ok(()),
        Err(error) => {
            out.truncate(start);
            Err(EncodeError(error.to_string()))
        }
    }
}

/// Appends a value's bytes to `out` if there are at most `most`, and says whether it did; otherwise `out` is as before.
///
/// # Errors
/// As for [`encode`].
#[inline]
pub fn encode_short<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>, most: usize) -> Result<bool, EncodeError> {
    let start = out.len();
    let writer = Short { out, room: most };
    let error = match bincode::serde::encode_into_writer(value, writer, bincode::config::standard()) {
        Ok(()) => return Ok(true),
        Err(error) => error,
    };
    out.truncate(start);
    match error {
        bincode::error::EncodeError::UnexpectedEnd => Ok(false),
        error => Err(EncodeError(error.to_string())),
    }
}

/// Looks at the value that `bytes` begin with.
#[must_use]
pub fn decode<'de, T: Deserialize<'de>, const LIMIT: usize>(bytes: &'de [u8]) -> Decoded<T> {
    use bincode::error::DecodeError;
    match bincode::serde::seed_decode_from_slice(borrow::Borrowing::default(), bytes, config::<LIMIT>()) {
        Ok((value, size)) => Decoded::Whole { value, size },
        Err(DecodeError::UnexpectedEnd { additional }) => Decoded::Incomplete { more: additional.max(1) },
        Err(DecodeError::LimitExceeded) => Decoded::TooLarge,
        Err(error) => Decoded::Invalid { why: describe(&error) },
    }
}

/// The library's words where they are for people, ours where they are not.
fn describe(error: &bincode::error::DecodeError) -> String {
    use bincode::error::DecodeError;
    match error {
        DecodeError::OtherString(text) => text.clone(),
        DecodeError::Other(text) => (*text).to_owned(),
        DecodeError::Utf8 { .. } => "a text is not UTF-8".to_owned(),
        DecodeError::InvalidBooleanValue(value) => format!("{value} is neither yes nor no"),
        DecodeError::UnexpectedVariant { found, type_name, .. } => format!("{found} is no variant of {type_name}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_pinned() {
        let mut bytes = Vec::new();
        encode(&(1u64, 251u64, -3i64, "ab", Some(true), vec![7u8]), &mut bytes).unwrap();
        assert_eq!(bytes, [1, 251, 251, 0, 5, 2, b'a', b'b', 1, 1, 1, 7]);
    }

    #[test]
    fn a_value_may_be_whole_short_wrong_or_large() {
        assert_eq!(decode::<(u8, bool), 100>(&[3, 1, 9]), Decoded::Whole { value: (3, true), size: 2 });
        assert_eq!(decode::<(u8, bool), 100>(&[3]), Decoded::Incomplete { more: 1 });
        assert_eq!(decode::<(u8, bool), 100>(&[3, 7]), Decoded::Invalid { why: "7 is neither yes nor no".to_owned() });
        assert_eq!(decode::<Vec<u8>, 100>(&[250; 200]), Decoded::TooLarge);
    }
}
