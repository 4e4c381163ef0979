//! The agent on Linux: [`LinuxOs`] gives the agent's logic the system calls of a real kernel.
//!
//! The binary of this crate is what runs inside of a guest: as process 1 of its initramfs, or as an ordinary process.
//! x86-64 only, as the numbers of raw system calls are.

mod init;
mod os;
mod run;
mod server;

pub use os::{LinuxOs, RawThread};
pub use run::{Startup, run};
pub use server::Endpoint;
