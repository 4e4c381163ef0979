//! provium runs Lua tests against guest machines: the library behind the command of the same name.

pub mod cli;
pub mod config;
pub mod error;
pub mod exec;
mod lua;
pub mod report;
pub mod runner;
pub mod units;
