//! One block: a piece of the stream of records, compressed and checked.
//!
//! The payloads of all blocks are one zstd frame, flushed at each block's end. So every block can be unpacked as soon
//! as it is there, and what repeats from block to block (one block for each test, mostly) is stored once. The frame is
//! never ended: the closing block does that.

use zstd::zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd::zstd_safe::{InBuffer, OutBuffer, compress_bound, get_error_name};

use super::context::{Compressor, Decompressor};
use super::{Totals, WriteError};

/// The most bytes of records in one block: what a run that is killed loses at most, and what a reader holds unpacked.
pub const MAX_BLOCK: usize = 64 << 10;

/// The most bytes of a payload: what zstd makes of a block that cannot be compressed, with its headers.
pub const MAX_PAYLOAD: usize = MAX_BLOCK + 1024;

/// Bytes of a block before its payload.
pub const HEAD: usize = 21;

/// Bytes of the closing block's payload.
pub const CLOSING_PAYLOAD: usize = 24;

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Records.
    Records,
    /// The totals; nothing follows.
    Closing,
}

impl Kind {
    fn byte(self) -> u8 {
        match self {
            Kind::Records => 1,
            Kind::Closing => 2,
        }
    }
}

/// What stands before a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// What the block holds.
    pub kind: Kind,
    /// Its number, counted from 0.
    pub number: u32,
    /// Bytes of its payload.
    pub payload: usize,
    /// Bytes of records that the payload unpacks to.
    pub raw: usize,
    /// CRC-32C of the payload.
    pub checksum: u32,
}

impl Head {
    /// The head of a block with this payload.
    fn of(kind: Kind, number: u32, raw: usize, payload: &[u8]) -> Head {
        Head { kind, number, payload: payload.len(), raw, checksum: crc32c::crc32c(payload) }
    }

    fn encode(&self) -> [u8; HEAD] {
        // Both lengths are below MAX_PAYLOAD.
        let (payload, raw) = (self.payload as u32, self.raw as u32);
        let mut head = [0; HEAD];
        head[0] = self.kind.byte();
        head[1..5].copy_from_slice(&self.number.to_le_bytes());
        head[5..9].copy_from_slice(&payload.to_le_bytes());
        head[9..13].copy_from_slice(&raw.to_le_bytes());
        head[13..17].copy_from_slice(&self.checksum.to_le_bytes());
        let checksum = crc32c::crc32c(&head[..17]);
        head[17..].copy_from_slice(&checksum.to_le_bytes());
        head
    }

    /// Understands the head of the block that should be number `number`.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn decode(bytes: &[u8; HEAD], number: u32) -> Result<Head, String> {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        if crc32c::crc32c(&bytes[..17]) != word(17) {
            return Err("the checksum of its head does not fit".to_owned());
        }
        let kind = match bytes[0] {
            1 => Kind::Records,
            2 => Kind::Closing,
            other => return Err(format!("{other} is no kind of block")),
        };
        let head = Head { kind, number: word(1), payload: word(5) as usize, raw: word(9) as usize, checksum: word(13) };
        if head.number != number {
            return Err(format!("it is numbered {}, a block is missing or stands twice", head.number));
        }
        let fits = match kind {
            Kind::Records => head.payload <= MAX_PAYLOAD && (1..=MAX_BLOCK).contains(&head.raw),
            Kind::Closing => head.payload == CLOSING_PAYLOAD && head.raw == CLOSING_PAYLOAD,
        };
        if !fits {
            return Err(format!("its lengths ({} bytes for {}) cannot be", head.payload, head.raw));
        }
        Ok(head)
    }

    /// Compares a payload with the head's checksum.
    ///
    /// # Errors
    /// That it does not fit, in words.
    pub fn verify(&self, payload: &[u8]) -> Result<(), String> {
        if crc32c::crc32c(payload) == self.checksum {
            Ok(())
        } else {
            Err("the checksum of its content does not fit".to_owned())
        }
    }
}

/// Packs blocks; one for each trace.
#[derive(Default)]
pub struct Packer {
    /// Made for the first block: most traces of runs that pass are dropped before they have one.
    context: Option<Compressor>,
    number: u32,
}

impl Packer {
    /// Appends a block of records to `out`. `raw` is at most [`MAX_BLOCK`] bytes and not empty.
    ///
    /// # Errors
    /// When zstd fails, or cannot be set up; `out` is then of no use.
    pub fn records(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<(), WriteError> {
        let context = match &mut self.context {
            Some(context) => context,
            None => self.context.insert(Compressor::new().map_err(WriteError::Compress)?),
        };
        let start = out.len();
        out.reserve(HEAD + compress_bound(raw.len()));
        out.extend_from_slice(&[0; HEAD]);
        let mut input = InBuffer::around(raw);
        loop {
            let at = out.len();
            let mut output = OutBuffer::around_pos(out, at);
            let left = context
                .get()
                .compress_stream2(&mut output, &mut input, ZSTD_EndDirective::ZSTD_e_flush)
                .map_err(|code| WriteError::Compress(get_error_name(code)))?;
            if left == 0 {
                break;
            }
            out.reserve(left);
        }
        self.head(Kind::Records, raw.len(), start, out);
        Ok(())
    }

    /// Appends the closing block to `out`.
    pub fn closing(&mut self, totals: &Totals, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; HEAD]);
        for number in [totals.records, totals.exchanges, totals.raw] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        self.head(Kind::Closing, CLOSING_PAYLOAD, start, out);
    }

    fn head(&mut self, kind: Kind, raw: usize, start: usize, out: &mut [u8]) {
        let (head, payload) = out[start..].split_at_mut(HEAD);
        head.copy_from_slice(&Head::of(kind, self.number, raw, payload).encode());
        // A trace of so many blocks would have at least 2^32 bytes of heads alone; the reader says what is wrong then.
        self.number = self.number.wrapping_add(1);
    }
}

/// Unpacks blocks; one for each trace.
pub struct Unpacker {
    context: Decompressor,
}

impl Unpacker {
    /// An unpacker for the blocks of one trace, which was written with the dictionary or without.
    ///
    /// # Errors
    /// When zstd cannot be set up, in words.
    pub fn new(dictionary: bool) -> Result<Unpacker, String> {
        Ok(Unpacker { context: Decompressor::new(dictionary)? })
    }

    /// Appends what a payload unpacks to, which must be `raw` bytes.
    ///
    /// # Errors
    /// What does not fit, in words; `out` may then hold a part of it.
    pub fn records(&mut self, payload: &[u8], raw: usize, out: &mut Vec<u8>) -> Result<(), String> {
        let start = out.len();
        // One byte of room more than the block may fill shows when it would have gone on.
        out.resize(start + raw + 1, 0);
        let result = self.fill(payload, &mut out[start..]);
        out.truncate(start + raw);
        match result? {
            filled if filled == raw => Ok(()),
            filled if filled > raw => Err(format!("its content unpacks to more than the {raw} bytes that it claims")),
            filled => Err(format!("its content unpacks to {filled} bytes instead of {raw}")),
        }
    }

    /// Unpacks into `room` until nothing more comes or nothing more fits; says how many bytes.
    fn fill(&mut self, payload: &[u8], room: &mut [u8]) -> Result<usize, String> {
        let mut input = InBuffer::around(payload);
        let mut output = OutBuffer::around(room);
        loop {
            let before = (input.pos(), output.pos());
            let hint = self
                .context
                .get()
                .decompress_stream(&mut output, &mut input)
                .map_err(|code| format!("its content cannot be unpacked: {}", get_error_name(code)))?;
            if hint == 0 {
                return Err("its content ends the compressed stream".to_owned());
            }
            let full = output.pos() == output.capacity();
            if full || before == (input.pos(), output.pos()) {
                break;
            }
        }
        Ok(output.pos())
    }
}
