//! The agent on Linux: [`LinuxOs`](os) gives the agent's logic the system calls of a real kernel.
//!
//! The binary of this crate is what runs inside of a guest: as process 1 of its initramfs, or as an ordinary process.
