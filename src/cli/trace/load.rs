//! Reads a trace for those who look at it.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::report::text::printable;
use crate::trace::format::{End, TraceError, TraceReader};
use crate::trace::timeline::{Builder, SenselessRecord, Timeline};

/// Why a trace cannot be looked at.
#[derive(Debug, Error)]
pub(super) enum LoadError {
    /// It cannot be read at all.
    #[error("{}: {why}", name(path))]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The reason.
        why: TraceError,
    },
    /// Every byte is as it was written, but it makes no sense.
    #[error("{}: {why}", name(path))]
    Senseless {
        /// Which.
        path: PathBuf,
        /// What makes no sense.
        why: SenselessRecord,
    },
}

/// What there is of a trace.
pub(super) struct Loaded {
    pub timeline: Timeline,
    /// What is wrong with the file, if it could not be read to its end.
    pub damage: Option<String>,
}

fn name(path: &Path) -> String {
    printable(&path.display().to_string())
}

/// Reads a trace. Of a damaged one, what stands before the damage is worth looking at, and given.
pub(super) fn load(path: &Path) -> Result<Loaded, LoadError> {
    let unreadable = |why| LoadError::Unreadable { path: path.to_owned(), why };
    let mut reader = TraceReader::open(path).map_err(unreadable)?;
    let mut builder = Builder::new(reader.header().clone());
    loop {
        match reader.next_record() {
            Ok(Some(record)) => {
                builder.record(record).map_err(|why| LoadError::Senseless { path: path.to_owned(), why })?;
            }
            // Damage is told by the end.
            Ok(None) | Err(TraceError::Damaged(_)) => break,
            Err(why) => return Err(unreadable(why)),
        }
    }
    let damage = match reader.end() {
        Some(End::Damaged(damage)) => {
            Some(format!("{}: the trace is damaged {damage}; only what stands before is shown", name(path)))
        }
        _ => None,
    };
    Ok(Loaded { timeline: builder.finish(), damage })
}
