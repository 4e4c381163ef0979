//! Simulated guests: the agent of every guest over the simulated kernel, behind the waist.
//!
//! [`SimBackend`] owns one world: its clock, its schedule, its guests. A guest is a
//! [`provium_kernel::Machine`] whose first process is the agent. The agent's logic is the same that runs
//! in real guests; each system call it makes is made by a thread of that first process and is one step
//! of the schedule, while its own thinking takes no time and offers no choice.
//!
//! Nothing here reads a real clock, a real random number or the environment; a run is determined by
//! its choices alone.
//!
//! Rejected: an agent that answers in no step at all (a test could never see its operation lose a race
//! against the guest), and an agent as a simulated program with one thread per operation (its thinking
//! would fill the schedule with steps that touch nothing).

mod backend;
mod boot;
mod call;
pub mod check;
mod console;
mod convert;
mod custom;
mod executor;
mod guest;
mod image;
mod os;
mod pool;
mod world;

pub use backend::SimBackend;
