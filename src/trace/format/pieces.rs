//! Long texts of a record, stored before it in pieces.
//!
//! The output of a command may take hundreds of megabytes. In pieces it is written and read with memory for the text itself
//! and little more, and a reader's memory grows with what it has read, not with a length that a file claims.

use std::mem::take;

use provium_protocol::codec;
use provium_protocol::texts::Texts;
use serde_bytes::Bytes;

use super::super::record::Record;
use super::WriteError;

/// A record of more bytes than this is stored in pieces.
pub const LONG_RECORD: usize = 1 << 20;

/// Texts of such a record that are longer than this are stored before it: what is left of a batch of ten thousand is
/// below the limit of a record.
pub const SHORT_TEXT: usize = 4 << 10;

/// The most bytes of a text in one piece.
pub const MAX_PIECE: usize = 256 << 10;

/// The most bytes of all texts that stand before one record: both outputs of a command at the most that can be captured
/// (256 MiB each), and some more.
pub const MAX_TEXTS: usize = 544 << 20;

/// What stands where records have the number of their variant.
pub const NUMBER: u8 = 21;

/// What a piece may take in memory besides its bytes.
const SLACK: usize = 64;

/// A record without its long texts, and these, each with its number.
pub struct Split {
    /// Empty texts stand where they belong.
    pub rest: Record,
    /// In order.
    pub texts: Vec<(u32, Vec<u8>)>,
}

impl Split {
    /// Takes the long texts out of this record.
    ///
    /// # Errors
    /// When they take more than a reader takes.
    pub fn new(record: Record) -> Result<Split, WriteError> {
        let mut split = Split { rest: record, texts: Vec::new() };
        let (mut number, mut size) = (0, 0);
        split.rest.each_text(&mut |text| {
            if text.len() > SHORT_TEXT {
                size += text.len();
                split.texts.push((number, take(text)));
            }
            number += 1;
        });
        if size > MAX_TEXTS { Err(WriteError::LongTexts { size }) } else { Ok(split) }
    }
}

/// Appends one piece.
///
/// # Errors
/// When it cannot be encoded.
pub fn encode(number: u32, data: &[u8], out: &mut Vec<u8>) -> Result<(), WriteError> {
    let piece = (u32::from(NUMBER), number, Bytes::new(data));
    codec::encode(&piece, out).map_err(|error| WriteError::Encode(error.to_string()))
}

/// What the bytes at the beginning of a slice are, which begins with [`NUMBER`].
pub enum Decoded<'a> {
    /// A piece.
    Whole {
        /// The number of its text.
        number: u32,
        /// More of that text.
        data: &'a [u8],
        /// Bytes that it takes.
        size: usize,
    },
    /// The beginning of one that needs at least so many more bytes.
    Incomplete {
        /// At least one.
        more: usize,
    },
    /// No piece.
    Invalid {
        /// Why.
        why: String,
    },
}

/// Looks at the piece that `bytes` begin with.
#[must_use]
pub fn decode(bytes: &[u8]) -> Decoded<'_> {
    match codec::decode::<(u32, u32, &Bytes), { MAX_PIECE + SLACK }>(bytes) {
        codec::Decoded::Whole { value: (_, _, data), .. } if data.is_empty() => {
            Decoded::Invalid { why: "a piece of a text is empty".to_owned() }
        }
        codec::Decoded::Whole { value: (_, number, data), size } if data.len() <= MAX_PIECE => {
            Decoded::Whole { number, data, size }
        }
        codec::Decoded::Whole { .. } | codec::Decoded::TooLarge => {
            Decoded::Invalid { why: format!("a piece of a text takes more than {MAX_PIECE} bytes (MAX_PIECE)") }
        }
        codec::Decoded::Incomplete { more } => Decoded::Incomplete { more },
        codec::Decoded::Invalid { why } => {
            Decoded::Invalid { why: format!("a piece of a text cannot be decoded: {why}") }
        }
    }
}

/// Puts pieces together, and the texts into their record.
#[derive(Default)]
pub struct Pieces {
    texts: Vec<(u32, Vec<u8>)>,
    size: usize,
}

impl Pieces {
    /// Bytes that wait for their record.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The next piece.
    ///
    /// # Errors
    /// Why it cannot be one, in words.
    pub fn add(&mut self, number: u32, data: &[u8]) -> Result<(), String> {
        self.size += data.len();
        if self.size > MAX_TEXTS {
            return Err(format!("the texts of a record take more than {MAX_TEXTS} bytes (MAX_TEXTS)"));
        }
        let count = self.texts.len();
        match self.texts.last_mut() {
            Some((last, text)) if *last == number => text.extend_from_slice(data),
            Some((last, _)) if *last > number => {
                return Err(format!("a piece of text {number} follows one of text {last}"));
            }
            // Each stored text is longer than this, but for those of a file that wants to hurt.
            _ if count >= MAX_TEXTS / SHORT_TEXT => return Err("a record has too many long texts".to_owned()),
            _ => self.texts.push((number, data.to_vec())),
        }
        Ok(())
    }

    /// The record whose texts these are has come.
    ///
    /// # Errors
    /// When it has no room for them, in words.
    pub fn put_into(&mut self, record: &mut Record) -> Result<(), String> {
        if self.size == 0 {
            return Ok(());
        }
        self.size = 0;
        let mut texts = take(&mut self.texts).into_iter().peekable();
        let (mut number, mut taken) = (0_u32, None);
        record.each_text(&mut |text| {
            if let Some((_, stored)) = texts.next_if(|(at, _)| *at == number) {
                taken = taken.or((!text.is_empty()).then_some(number));
                *text = stored;
            }
            number = number.saturating_add(1);
        });
        match (texts.next(), taken) {
            (Some((number, _)), _) => Err(format!("there are pieces of text {number}, which the record does not have")),
            (None, Some(number)) => Err(format!("there are pieces of text {number}, which the record has whole")),
            (None, None) => Ok(()),
        }
    }
}
