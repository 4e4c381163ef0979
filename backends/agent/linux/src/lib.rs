//! The agent on Linux: [`LinuxOs`] gives the agent's logic the system calls of a real kernel.
//!
//! The binary of this crate is what runs inside of a guest: as process 1 of its initramfs, or as an ordinary process.
//! x86-64 only, as the numbers of raw system calls are.
//!
//! It speaks over its link and nothing else, and lives as long as its guest: whatever comes over the link, it goes on. What
//! would end it (`execve`, `exit_group` as raw system calls) is refused; what a test does to its memory, its descriptors or
//! its address space with other raw calls is the test's own affair.
//!
//! Rejected: a thread pool of a fixed size, because calls that never end would hold up the others; a handler of `SIGCHLD`,
//! because it would interrupt system calls that tests hold; fork(2), because the agent's memory would be copied for each
//! command; and io_uring, because guests' kernels may be built without it, and a `flock` or the opening of a FIFO would need
//! threads all the same.

mod init;
mod os;
mod run;
mod server;

pub use os::{LinuxOs, RawThread};
pub use run::{Startup, run};
pub use server::Endpoint;
