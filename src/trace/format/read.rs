//! Reading a trace, record by record, in memory that does not grow with the file.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::super::record::{Header, Record};
use super::block::{CLOSING_PAYLOAD, HEAD, Head, Kind, Unpacker};
use super::codec::{self, MAX_RECORD};
use super::context::DICTIONARY_FEATURE;
use super::pieces::{self, Pieces};
use super::{Damage, Totals, TraceError, begins, header};

/// How a trace ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With its closing block: the run ended, and all of it is there.
    Complete(Totals),
    /// Before its closing block, as when the run is killed. What was given is what its whole blocks hold.
    Torn {
        /// What was given.
        given: Totals,
        /// Whole blocks.
        blocks: u32,
        /// Where the last whole block ends, in bytes.
        at: u64,
        /// Bytes after that, of a block that was not written to its end.
        lost: u64,
        /// Bytes of a record whose beginning the last whole block holds.
        cut: u64,
    },
    /// In damage.
    Damaged(Damage),
}

/// Where a reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Records given.
    pub records: u64,
    /// Blocks read.
    pub blocks: u32,
    /// Where the next block begins in the file, in bytes.
    pub at: u64,
    /// Bytes that the records given took before compression.
    pub raw: u64,
}

/// Gives the records of one trace. As an iterator it stops at the end whatever the end is: [`TraceReader::end`] tells.
pub struct TraceReader<R> {
    input: R,
    version: u16,
    header: Header,
    unpacker: Unpacker,
    payload: Vec<u8>,
    /// Unpacked, from `taken` on not yet given.
    raw: Vec<u8>,
    taken: usize,
    /// So many bytes must be there before it is worth looking for a record again.
    want: usize,
    /// Texts of the record that comes next.
    pieces: Pieces,
    /// Where the block begins that was read last.
    block_at: u64,
    given: Totals,
    position: Position,
    /// What follows the bytes that are here, once it is known.
    last: Option<Last>,
    end: Option<End>,
    failed: bool,
}

/// The version of the format from which on long texts are stored in pieces.
const FIRST_WITH_PIECES: u16 = 2;

/// What comes next in the unpacked bytes.
enum Found {
    Record { record: Record, size: usize },
    Piece { size: usize },
    Incomplete { more: usize },
    Invalid { why: String },
}

/// What follows the last block of records.
enum Last {
    Closing(Totals),
    Torn { lost: u64 },
    Damaged(String),
}

impl TraceReader<BufReader<File>> {
    /// Opens a trace and reads its header.
    ///
    /// # Errors
    /// When it cannot be read, is no trace, or one that this provium cannot read.
    pub fn open(path: &Path) -> Result<TraceReader<BufReader<File>>, TraceError> {
        // Looked at before it is opened: opening a FIFO waits for whoever writes to it.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file").into());
        }
        TraceReader::new(BufReader::with_capacity(READ_AHEAD, File::open(path)?))
    }
}

/// Bytes read from a file at once: one block, mostly.
const READ_AHEAD: usize = 64 << 10;

impl<R: Read> TraceReader<R> {
    /// Reads the header of a trace. Reads are small: a file wants a buffer around it.
    ///
    /// # Errors
    /// When it cannot be read, is no trace, or one that this provium cannot read.
    pub fn new(mut input: R) -> Result<TraceReader<R>, TraceError> {
        let opened = header::read(&mut input)?;
        let dictionary = opened.header.required.iter().any(|feature| feature == DICTIONARY_FEATURE);
        Ok(TraceReader {
            input,
            version: opened.version,
            header: opened.header,
            unpacker: Unpacker::new(dictionary).map_err(io::Error::other)?,
            payload: Vec::new(),
            raw: Vec::new(),
            taken: 0,
            want: 1,
            pieces: Pieces::default(),
            block_at: opened.size,
            given: Totals::default(),
            position: Position { records: 0, blocks: 0, at: opened.size, raw: 0 },
            last: None,
            end: None,
            failed: false,
        })
    }

    /// What the trace says of itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The version of the format that it is written in.
    #[must_use]
    pub fn version(&self) -> u16 {
        self.version
    }

    /// Where the reader stands.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// How the trace ended, once all records were given. `None` before that, and when reading failed.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// The next record; `None` at the end, also of a torn trace.
    ///
    /// # Errors
    /// When the file cannot be read, or is damaged here. Both are said once; then there is no next record.
    pub fn next_record(&mut self) -> Result<Option<Record>, TraceError> {
        if self.end.is_some() || self.failed {
            return Ok(None);
        }
        let result = self.advance();
        if let Err(error) = &result {
            match error {
                TraceError::Damaged(damage) => self.end = Some(End::Damaged(damage.clone())),
                _ => self.failed = true,
            }
        }
        result
    }

    fn advance(&mut self) -> Result<Option<Record>, TraceError> {
        loop {
            let there = self.raw.len() - self.taken;
            if there > 0 && (there >= self.want || self.last.is_some()) {
                match self.look() {
                    Found::Record { mut record, size } => {
                        self.take(size);
                        self.given.add(begins(&record), size);
                        self.pieces.put_into(&mut record).map_err(|why| self.damaged_record(why))?;
                        self.position.records += 1;
                        return Ok(Some(record));
                    }
                    Found::Piece { size } => {
                        self.take(size);
                        self.given.raw += size as u64;
                        continue;
                    }
                    Found::Incomplete { more } if self.last.is_none() => {
                        let least = there.saturating_add(more);
                        if least > MAX_RECORD {
                            let why = format!("a record takes more than {MAX_RECORD} bytes (MAX_RECORD)");
                            return Err(self.damaged_record(why));
                        }
                        // Twice as much as last time, so that a record of many small parts is not decoded from its
                        // beginning again with each block.
                        self.want = least.max(there * 2).min(MAX_RECORD);
                    }
                    Found::Incomplete { .. } => {}
                    Found::Invalid { why } => return Err(self.damaged_record(why)),
                }
            }
            match self.last.take() {
                None => self.next_block()?,
                Some(Last::Damaged(why)) => return Err(self.damaged(why)),
                Some(Last::Closing(totals)) => {
                    self.close(totals)?;
                    return Ok(None);
                }
                Some(Last::Torn { lost }) => {
                    let Position { blocks, at, .. } = self.position;
                    let cut = (self.raw.len() - self.taken + self.pieces.size()) as u64;
                    self.end = Some(End::Torn { given: self.given, blocks, at, lost, cut });
                    return Ok(None);
                }
            }
        }
    }

    /// Looks at what comes next in the unpacked bytes, of which there are some. A piece is kept for its record.
    fn look(&mut self) -> Found {
        let bytes = &self.raw[self.taken..];
        if self.version < FIRST_WITH_PIECES || bytes.first() != Some(&pieces::NUMBER) {
            return match codec::decode(bytes) {
                codec::Decoded::Whole { record, size } => Found::Record { record, size },
                codec::Decoded::Incomplete { more } => Found::Incomplete { more },
                codec::Decoded::Invalid { why } => Found::Invalid { why },
            };
        }
        match pieces::decode(bytes) {
            pieces::Decoded::Whole { number, data, size } => match self.pieces.add(number, data) {
                Ok(()) => Found::Piece { size },
                Err(why) => Found::Invalid { why },
            },
            pieces::Decoded::Incomplete { more } => Found::Incomplete { more },
            pieces::Decoded::Invalid { why } => Found::Invalid { why },
        }
    }

    fn take(&mut self, size: usize) {
        self.taken += size;
        self.want = 1;
        self.position.raw += size as u64;
    }

    /// Reads one block, and learns either its records or what [`Last`] says.
    fn next_block(&mut self) -> Result<(), TraceError> {
        let mut bytes = [0; HEAD];
        let has = fill(&mut self.input, &mut bytes)?;
        if has < HEAD {
            self.last = Some(Last::Torn { lost: has as u64 });
            return Ok(());
        }
        let head = match Head::decode(&bytes, self.position.blocks) {
            Ok(head) => head,
            Err(why) => {
                self.last = Some(Last::Damaged(why));
                return Ok(());
            }
        };
        self.payload.resize(head.payload, 0);
        let has = fill(&mut self.input, &mut self.payload)?;
        if has < head.payload {
            self.last = Some(Last::Torn { lost: (HEAD + has) as u64 });
            return Ok(());
        }
        let understood = head.verify(&self.payload).and_then(|()| match head.kind {
            Kind::Records => self.unpack(head.raw).map(|()| None),
            Kind::Closing => totals(&self.payload).map(Some),
        });
        match understood {
            Err(why) => self.last = Some(Last::Damaged(why)),
            Ok(None) => {
                self.position.blocks = self.position.blocks.wrapping_add(1);
                self.block_at = self.position.at;
                self.position.at += (HEAD + head.payload) as u64;
            }
            Ok(Some(totals)) => {
                let more = fill(&mut self.input, &mut [0])?;
                self.last = Some(match more {
                    0 => Last::Closing(totals),
                    _ => Last::Damaged("bytes follow the closing block".to_owned()),
                });
            }
        }
        Ok(())
    }

    fn unpack(&mut self, raw: usize) -> Result<(), String> {
        self.raw.drain(..self.taken);
        self.taken = 0;
        if self.raw.is_empty() {
            // What one large record took is given back.
            self.raw.shrink_to(2 * super::block::MAX_BLOCK);
        }
        let before = self.raw.len();
        let result = self.unpacker.records(&self.payload, raw, &mut self.raw);
        if result.is_err() {
            self.raw.truncate(before);
        }
        result
    }

    fn close(&mut self, totals: Totals) -> Result<(), TraceError> {
        let left = self.raw.len() - self.taken + self.pieces.size();
        if left > 0 {
            return Err(self.damaged(format!("the closing block cuts a record off, of which {left} bytes are there")));
        }
        if totals != self.given {
            let Totals { records, exchanges, raw } = totals;
            let given = self.given;
            return Err(self.damaged(format!(
                "the closing block counts {records} records, {exchanges} exchanges and {raw} bytes, there are {}, {} and {}",
                given.records, given.exchanges, given.raw
            )));
        }
        self.end = Some(End::Complete(totals));
        Ok(())
    }

    /// Damage in what was read last: its checksums fit, so it was written like that.
    fn damaged_record(&self, why: String) -> TraceError {
        let Position { records, blocks, .. } = self.position;
        TraceError::Damaged(Damage { block: blocks.saturating_sub(1), at: self.block_at, records, why })
    }

    /// Damage in the block that comes next.
    fn damaged(&self, why: String) -> TraceError {
        let Position { records, blocks, at, .. } = self.position;
        TraceError::Damaged(Damage { block: blocks, at, records, why })
    }
}

impl<R: Read> Iterator for TraceReader<R> {
    type Item = Result<Record, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_record().transpose()
    }
}

/// Fills `bytes` as far as the input goes; says how far.
fn fill(input: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match input.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn totals(payload: &[u8]) -> Result<Totals, String> {
    let Ok(payload) = <&[u8; CLOSING_PAYLOAD]>::try_from(payload) else {
        return Err("the totals are not whole".to_owned());
    };
    let mut numbers = payload
        .chunks_exact(8)
        .map(|bytes| bytes.iter().rev().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte)));
    let mut next = || numbers.next().unwrap_or(0);
    Ok(Totals { records: next(), exchanges: next(), raw: next() })
}
