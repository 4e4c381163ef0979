//! From a trace file to a plan.

use std::path::Path;

use super::plan::{Builder, Plan, PlanError};
use crate::trace::format::{End, TraceError, TraceReader};
use crate::trace::timeline::Timeline;

/// Why a trace cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// Its records make no sense.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// Reads a trace; says how the file ends.
///
/// # Errors
/// When it is no trace, or damaged. One that is torn is not: it is replayed as far as it goes.
pub fn load(path: &Path) -> Result<(Plan, End), LoadError> {
    let mut reader = TraceReader::open(path)?;
    let mut builder = Builder::new(reader.header().clone());
    while let Some(record) = reader.next_record()? {
        builder.add(record)?;
    }
    let end = reader.end().cloned();
    // The reader knows its end once it has given its last record.
    Ok((builder.finish(), end.unwrap_or(End::Torn { given: Default::default(), blocks: 0, at: 0, lost: 0, cut: 0 })))
}

/// The same file as a timeline, for a report.
pub fn timeline(path: &Path) -> Option<Timeline> {
    let reader = TraceReader::open(path).ok()?;
    let header = reader.header().clone();
    Timeline::new(header, reader.map_while(Result::ok)).ok()
}
