//! The Lua surface: one file for each thing that a test can hold. Lua values never leave this module.
//!
//! The bindings know the guests only through the traits of the waist, and reach them only through
//! [`exchange`]. None of them asks which backend it has, except to tell the test.

mod args;
mod barrier;
mod batch;
mod call;
mod console;
mod date;
mod display;
mod exchange;
mod exec;
mod failure;
mod fault;
mod file;
mod fs;
mod heap;
mod held;
mod hook;
mod host;
mod io;
mod json;
mod lab;
mod machine;
mod modules;
mod native;
mod ops;
mod pattern;
mod place;
mod process;
mod repl;
mod run_result;
mod sandbox;
mod session;
mod sim;
mod stock;
mod stream;
mod syscall;
mod t;
mod task;
mod tasks;
mod testing;
mod vm;
mod worker;

pub(crate) use exchange::{Speaker, exchange};
pub(crate) use failure::Raised;
pub(crate) use host::{Host, Setup};
pub(crate) use machine::VmState;
pub use repl::{Candidates, FILE as REPL_FILE};
pub(crate) use repl::{Chunk, Reading};
pub(crate) use session::{Ended, Session};
