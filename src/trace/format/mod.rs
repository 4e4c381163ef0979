//! The trace file: how records lie in bytes. `traces/README.md` says it for whoever writes another reader.
//!
//! [`TraceWriter`] appends and never goes back, so that whatever ends the run leaves a file that opens;
//! [`TraceReader`] gives the records one by one and says at the end whether that was all of them.
//!
//! Rejected: a table of contents at the end, because the runs that one wants most are those that never wrote it; and a
//! frame around each record, because most records are smaller than a frame.

pub mod block;
pub mod codec;
pub mod context;
mod error;
pub mod header;
pub mod pieces;
mod read;
pub mod redact;
mod write;

pub use error::{Damage, TraceError, WriteError};
pub use read::{End, TraceReader};
pub use write::TraceWriter;

/// What a whole trace amounts to; the closing block holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Records.
    pub records: u64,
    /// Exchanges and boots begun: what [`super::record::Seq`] counts.
    pub exchanges: u64,
    /// Bytes of all records, before compression.
    pub raw: u64,
}

impl Totals {
    /// Counts one record that takes `raw` bytes, and whether it begins an exchange.
    fn add(&mut self, begins: bool, raw: usize) {
        self.records += 1;
        self.exchanges += u64::from(begins);
        self.raw += raw as u64;
    }
}

/// Whether a record begins an exchange.
fn begins(record: &super::record::Record) -> bool {
    use super::record::Record;
    matches!(record, Record::Begun { .. } | Record::Boot { .. })
}

#[cfg(test)]
mod tests;
