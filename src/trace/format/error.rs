//! What can be wrong with a trace, each with what to do next.

use std::fmt;
use std::io;

use thiserror::Error;

use super::super::record::FORMAT_VERSION;

/// Why a trace cannot be read, or not to its end.
#[derive(Debug, Error)]
pub enum TraceError {
    /// The file cannot be opened or read.
    #[error("the trace cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It begins with something else.
    #[error(
        "this is not a trace: it begins with {begins}. Traces are written by `provium --record` and end in `.trace`"
    )]
    NotATrace {
        /// The first bytes, shown.
        begins: String,
    },
    /// Something on its way treated it as text.
    #[error(
        "the trace was damaged on its way: {how}. Copy it again as a binary file (git: mark `*.trace` as binary in \
         .gitattributes; ftp: binary mode)"
    )]
    Mangled {
        /// What was done to it.
        how: &'static str,
    },
    /// A provium that is newer than this one wrote it.
    #[error(
        "the trace has format version {version}, this provium reads up to {FORMAT_VERSION}: it was written by {writer}; \
         use that version or a later one"
    )]
    Newer {
        /// Its version.
        version: u16,
        /// Who wrote it, as the header says.
        writer: String,
    },
    /// Replaying it rightly needs something that this provium does not know.
    #[error(
        "the trace needs the feature `{feature}`, which this provium does not know: it was written by {writer}; use that \
         version or a later one"
    )]
    Needs {
        /// The feature.
        feature: String,
        /// Who wrote it.
        writer: String,
    },
    /// The header's bytes are not those that were written.
    #[error(
        "the trace's header is damaged: {why}. Nothing after it can be trusted; fetch the file again, or record anew"
    )]
    HeaderDamaged {
        /// What does not fit.
        why: String,
    },
    /// The file ends within its header.
    #[error(
        "the trace ends within its header, at byte {has} of {}: the run was ended before it said anything; record anew",
        needs.map_or_else(|| "a length that was not written either".to_owned(), |needs| needs.to_string())
    )]
    HeaderTorn {
        /// Bytes that are there.
        has: u64,
        /// Bytes that the header takes, if so much is there that one can tell.
        needs: Option<u64>,
    },
    /// A block, or a record in it, is not what was written.
    #[error(
        "the trace is damaged {0}. The records before it are whole and were given; fetch the file again, or record anew"
    )]
    Damaged(Damage),
}

/// Where a trace is damaged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The block, counted from 0.
    pub block: u32,
    /// Where in the file that block begins, or is expected, in bytes.
    pub at: u64,
    /// Whole records before the damage.
    pub records: u64,
    /// What does not fit.
    pub why: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in block {} at byte {}, after {} records: {}", self.block, self.at, self.records, self.why)
    }
}

/// Why a trace cannot be written on. What was written before stays readable.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The file cannot be written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A record is too large for any reader.
    #[error("a record of {size} bytes is above the limit of {} (MAX_RECORD)", super::codec::MAX_RECORD)]
    TooLarge {
        /// What it would take.
        size: usize,
    },
    /// The texts of a record are too long for any reader.
    #[error("the texts of a record take {size} bytes, the limit is {} (MAX_TEXTS)", super::pieces::MAX_TEXTS)]
    LongTexts {
        /// What they take.
        size: usize,
    },
    /// The header is too large for any reader.
    #[error("a header of {size} bytes is above the limit of {} (MAX_HEADER)", super::header::MAX_HEADER)]
    HeaderTooLarge {
        /// What it would take.
        size: usize,
    },
    /// A record cannot be put into bytes, or not be read again.
    #[error("a record cannot be encoded: {0}")]
    Encode(String),
    /// The compressor failed.
    #[error("the records cannot be compressed: {0}")]
    Compress(&'static str),
    /// Writing failed before: the file ends there.
    #[error("the trace has ended: writing it failed before")]
    Stopped,
}
