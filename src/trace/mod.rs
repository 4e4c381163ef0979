//! Traces: what passed between one run of a test file and its guests, in a file that replays it without them.
//!
//! A trace is a header and a sequence of [`record::Record`]s. `format` puts them into a file and gets them out again;
//! everything else works on records and does not know how they are stored.

pub mod check;
pub mod diff;
pub mod diverge;
pub mod export;
pub mod fields;
pub mod format;
pub mod record;
pub mod recorder;
pub mod replay;
pub mod said;
pub mod show;
pub mod stat;
pub mod store;
pub mod timeline;
