//! Writing a trace, from its header to its closing block.

use std::io::Write;

use provium_protocol::Nanos;
use provium_protocol::time::SECOND;

use super::super::record::{Header, Record};
use super::super::said::Said;
use super::block::{MAX_BLOCK, Packer};
use super::context::DICTIONARY_FEATURE;
use super::pieces::{self, MAX_PIECE, Split};
use super::{Totals, WriteError, begins, codec, header};

/// A block ends when the lab's clock has moved so far since it began: what a killed run may lose is at most so old. By
/// the lab's clock, because by any other the same run would not give the same bytes.
const LONGEST_BLOCK: Nanos = SECOND;

/// A block is not worth its head with fewer bytes of records than this, unless something went wrong: what a killed run
/// loses of the tests that were over.
const WORTH_A_BLOCK: usize = 4 << 10;

/// Memory kept from record to record, in bytes: enough for all but those with a file in them.
const KEEP: usize = 4 * MAX_BLOCK;

/// Writes one trace to `W`, which is appended to and never read or moved back.
///
/// A writer that is dropped before [`TraceWriter::finish`] leaves a torn trace, as a killed run does.
pub struct TraceWriter<W> {
    out: W,
    /// Records that are in no block yet.
    raw: Vec<u8>,
    /// Blocks on their way out.
    packed: Vec<u8>,
    packer: Packer,
    totals: Totals,
    /// How far the clock moved since the last block.
    moved: Nanos,
    stopped: bool,
}

impl<W: Write> TraceWriter<W> {
    /// Begins a trace by writing its header.
    ///
    /// # Errors
    /// When the header is too large, or cannot be written.
    pub fn new(mut out: W, header: &Header) -> Result<TraceWriter<W>, WriteError> {
        let mut header = header.clone();
        if !header.required.iter().any(|feature| feature == DICTIONARY_FEATURE) {
            header.required.push(DICTIONARY_FEATURE.to_owned());
        }
        out.write_all(&header::encode(&header)?)?;
        Ok(TraceWriter {
            out,
            raw: Vec::with_capacity(2 * WORTH_A_BLOCK),
            packed: Vec::new(),
            packer: Packer::default(),
            totals: Totals::default(),
            moved: 0,
            stopped: false,
        })
    }

    /// Appends a record. It reaches the file with its block.
    ///
    /// # Errors
    /// When it cannot be encoded or written. The trace then ends here: further calls give [`WriteError::Stopped`].
    pub fn record(&mut self, record: &Record) -> Result<(), WriteError> {
        self.say(&Said::Other(record))
    }

    /// As [`TraceWriter::record`] does.
    ///
    /// # Errors
    /// As for [`TraceWriter::record`].
    pub fn say(&mut self, said: &Said<'_>) -> Result<(), WriteError> {
        let result = self.guarded(|writer| writer.append(said));
        self.stopped |= result.is_err();
        result
    }

    /// Ends the block that is being filled if it is worth one: this is a good place to.
    ///
    /// # Errors
    /// As for [`TraceWriter::record`].
    pub fn may_end_block(&mut self) -> Result<(), WriteError> {
        if self.raw.len() < WORTH_A_BLOCK { Ok(()) } else { self.flush() }
    }

    /// Ends the block that is being filled, so that everything up to here is in the file.
    ///
    /// # Errors
    /// As for [`TraceWriter::record`].
    pub fn flush(&mut self) -> Result<(), WriteError> {
        let result = self.guarded(|writer| {
            writer.end_blocks(1)?;
            Ok(writer.out.flush()?)
        });
        self.stopped |= result.is_err();
        result
    }

    /// Writes the closing block: the run has ended, and this was all of it.
    ///
    /// # Errors
    /// As for [`TraceWriter::record`].
    pub fn finish(mut self) -> Result<Totals, WriteError> {
        self.guarded(|writer| {
            writer.end_blocks(1)?;
            writer.packed.clear();
            writer.packer.closing(&writer.totals, &mut writer.packed);
            writer.out.write_all(&writer.packed)?;
            writer.out.flush()?;
            Ok(writer.totals)
        })
    }

    /// What was recorded so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    fn guarded<T>(&mut self, action: impl FnOnce(&mut Self) -> Result<T, WriteError>) -> Result<T, WriteError> {
        if self.stopped { Err(WriteError::Stopped) } else { action(self) }
    }

    fn append(&mut self, said: &Said<'_>) -> Result<(), WriteError> {
        let before = self.raw.len();
        let (begins, moved) = match said {
            Said::Begun { .. } => (true, 0),
            Said::Ended { .. } | Said::Frame { .. } => (false, 0),
            Said::Other(record) => (begins(record), moved(record)),
        };
        let size = if codec::encode_short(said, &mut self.raw)? {
            self.raw.len() - before
        } else {
            self.append_long(said.to_record())?
        };
        self.totals.add(begins, size);
        self.moved = self.moved.saturating_add(moved);
        if self.moved >= LONGEST_BLOCK {
            self.end_blocks(1)
        } else if self.raw.len() >= MAX_BLOCK {
            self.end_blocks(MAX_BLOCK)
        } else {
            Ok(())
        }
    }

    /// Appends a record whose long texts go before it, in pieces, so that they are not in memory once more. Says what the
    /// rest takes.
    fn append_long(&mut self, record: Record) -> Result<usize, WriteError> {
        let Split { rest, texts } = Split::new(record)?;
        let mut encoded = Vec::new();
        codec::encode(&rest, &mut encoded)?;
        for (number, text) in texts {
            for piece in text.chunks(MAX_PIECE) {
                let before = self.raw.len();
                pieces::encode(number, piece, &mut self.raw)?;
                self.totals.raw += (self.raw.len() - before) as u64;
                self.end_blocks(MAX_BLOCK)?;
            }
        }
        let size = encoded.len();
        self.raw.append(&mut encoded);
        Ok(size)
    }

    /// Writes blocks as long as at least so many bytes are left to be written.
    fn end_blocks(&mut self, least: usize) -> Result<(), WriteError> {
        let mut rest = &self.raw[..];
        while rest.len() >= least {
            let (block, after) = rest.split_at(rest.len().min(MAX_BLOCK));
            self.packed.clear();
            self.packer.records(block, &mut self.packed)?;
            // In one piece, so that a killed run rarely leaves half a block.
            self.out.write_all(&self.packed)?;
            rest = after;
        }
        let written = self.raw.len() - rest.len();
        self.raw.drain(..written);
        self.raw.shrink_to(KEEP);
        self.moved = 0;
        Ok(())
    }
}

/// How far a record says that the lab's clock moved.
fn moved(record: &Record) -> Nanos {
    match record {
        Record::Poll { dt, .. }
        | Record::ProgramPoll { dt, .. }
        | Record::Boundary { dt, .. }
        | Record::Halt { dt, .. } => *dt,
        _ => 0,
    }
}
