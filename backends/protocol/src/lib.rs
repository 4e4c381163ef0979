//! The narrow waist of provium: what is said to a guest, and the traits behind which a guest may be
//! simulated, real, or a recording.
//!
//! Everything here is plain data (no lifetimes, no handles to host things) or a trait. This crate does
//! no I/O, starts no process and reads no clock; a type that would need one belongs behind a trait.
//!
//! Rejected: an open set of operations (strings with JSON arguments), because neither a recorder nor a
//! replayer could compare what it does not know; and a trait method per operation, because a recorder
//! would then be as large as the protocol.

pub mod backend;
mod batch;
pub mod choice;
pub mod codec;
pub mod console;
pub mod errno;
pub mod error;
pub mod exec;
pub mod frame;
pub mod fs;
pub mod inspect;
pub mod lane;
pub mod limits;
pub mod op;
pub mod process;
pub mod profile;
pub mod program;
pub mod reply;
pub mod signal;
pub mod syscall;
pub mod syscall_names;
pub mod texts;
pub mod time;
pub mod wire;
pub mod worker;

pub use backend::{Backend, Guest, Idle, LocalFuture};
pub use choice::{ChoicePoint, Choices};
pub use errno::Errno;
pub use error::{ErrorKind, OpError};
pub use frame::{Frame, StreamId};
pub use lane::Lane;
pub use op::Op;
pub use reply::Reply;
pub use signal::Signal;
pub use time::Nanos;
