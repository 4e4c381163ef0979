//! Real guests: a kernel that QEMU runs, with provium's agent inside.
//!
//! - [`image`] makes what a guest boots from: kernel, modules, initramfs, out of the distribution's packages.
//! - [`machine`] starts QEMU, speaks QMP with it, and sees to it that nothing is left behind.
//! - [`profile`] is what a kind of guest is, beyond what every backend knows of it.
//! - [`testing`] says whether this host has what a test with a real guest needs.
//! - [`link`] carries operations to the agent and replies back.

pub mod image;
pub mod link;
pub mod machine;
pub mod profile;
pub mod testing;
