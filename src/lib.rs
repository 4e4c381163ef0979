//! provium runs Lua tests against guest machines: the library behind the command of the same name.
//!
//! From the outside in: [`cli`] reads the command line, [`config`] the project's file; [`runner`] finds test
//! files, runs each on a backend of its own and says what happens as one stream of events; [`report`] folds that
//! stream into what people and tools are shown, and [`error`] into an exit code. Everything said to a guest goes
//! through the traits of `provium-protocol`, so nothing but the choice of a backend in `cli` knows which there are.
//!
//! Rejected: running test files in parallel threads. The simulator is single-threaded by design, a file takes
//! milliseconds, and one order of events keeps every report the same from run to run.

pub mod cli;
pub mod config;
pub mod error;
pub mod exec;
mod lua;
pub mod report;
pub mod runner;
pub mod trace;
pub mod units;
