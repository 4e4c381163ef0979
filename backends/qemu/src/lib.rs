//! Real guests: a kernel that QEMU runs, with provium's agent inside.
//!
//! - [`backend`] and [`guest`] are the waist: what the rest of provium sees.
//! - [`profile`] is what a kind of guest is, beyond what every backend knows of it.
//! - [`image`] makes what a guest boots from: kernel, modules, initramfs, out of the distribution's packages.
//! - [`machine`] starts QEMU, speaks QMP with it, and sees to it that nothing is left behind.
//! - [`agent`] is the program that carries operations out inside, [`link`] carries them to it and replies back.
//! - `qga` speaks with the agent of guests that come with `qemu-guest-agent` alone; `answerer` is either of the two.
//! - [`doctor`] says what this host can do for real guests, and what mends what it cannot.
//! - [`testing`] says whether this host has what a test with a real guest needs.
//!
//! QEMU, its sockets and the timers live on a runtime with a thread of its own; the waist's futures belong to the thread that
//! runs the tests, and look at what that runtime has put down for them.

pub mod agent;
mod answerer;
pub mod backend;
mod boot;
mod console;
pub mod doctor;
pub mod guest;
pub mod image;
pub mod link;
mod lost;
pub mod machine;
pub mod profile;
mod qga;
pub mod testing;

pub use backend::QemuBackend;
