//! The agent: carries operations out inside a guest. Written once, generic over [`Os`], so that a
//! simulated guest and a real one can differ only in the kernel below, never in what a worker is, what
//! kill, join and close do, how output is captured, or what a batch does.
//!
//! Every operation is a future of its own. Whatever must outlive its caller (pumps of pipes, closings
//! that have begun, clean-up after an abandoned operation) is a task started through
//! [`Os::spawn_task`]. Dropping the future of a call abandons the operation: a held system call is
//! interrupted, the command of a `run` is killed. Everything lives on one thread; no `RefCell` borrow
//! is ever held over an await.
//!
//! This crate does no I/O of its own: what touches a system goes through [`Os`].
//!
//! Rejected: a mutex around the agent (an operation that holds it while it waits can be ended by no
//! watchdog), polling with a period (pushes are exact in virtual time and cheap in real time), and a
//! reader thread per pipe (the simulator has no threads).

mod agent;
mod batch;
mod capture;
mod checks;
mod discard;
mod ending;
mod files;
mod gather;
pub mod os;
mod paths;
mod process;
mod procs;
mod reset;
mod spawn;
mod stdin;
mod stream;
pub mod sync;
mod syscall;
mod tail;
mod worker;

pub use agent::Agent;
pub use gather::{Pieces, Taker};
pub use os::Os;
