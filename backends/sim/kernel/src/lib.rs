//! The simulated kernel: processes, files, signals and a deterministic scheduler with virtual time.
//!
//! A simulated program is an `async fn` against [`Sys`]. Every system call it makes is one *step*:
//! between steps the scheduler chooses, through the run's one source of choices, who goes next; nothing
//! else preempts. Time is virtual: a step costs [`limits::STEP_NS`], and when nobody is runnable the
//! clock jumps to the next timer.
//!
//! This crate never reads a real clock, a real random number or the environment, starts no thread and
//! uses no container with a random order.
//!
//! Rejected: interpreting real machine code (a thousand times slower, and it needs binaries to be
//! installed), and host threads handing a baton to each other (a context switch a step costs twenty
//! times what polling a future does).

pub mod flags;
pub mod kernel;
pub mod limits;
pub mod machine;
pub mod program;
pub mod raw;
pub mod sys;
pub mod types;
pub mod vfs;
pub mod world;

pub use flags::AT_FDCWD;
pub use machine::{Machine, MachineConfig};
pub use program::{Invocation, ProgramFn, ProgramFuture, ProgramTable};
pub use provium_protocol::{Errno, Signal};
pub use sys::Sys;
pub use types::{
    Credentials, DirEntry, Fd, Pid, PollFd, SetTime, SigAction, Stat, StatFs, SysInfo, TimeSpec, Uname, WaitFor,
    WaitOptions, WaitStatus,
};
pub use world::World;
