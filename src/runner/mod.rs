//! From test files to verdicts.

pub mod event;
