//! From test files to verdicts: loads a file, runs its tests in order, closes what they opened, and
//! says what became of them as a stream of [`event::Event`]s.

pub mod describe;
pub mod discover;
pub mod event;
pub mod exchanges;
pub mod file;
pub mod inputs;
pub mod journal;
pub mod observe;
pub mod place;
pub mod repl;
mod run;
pub mod scope;
pub mod section;
pub mod select;

#[cfg(test)]
mod tests;
