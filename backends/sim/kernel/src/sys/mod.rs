//! System calls as simulated programs make them. Each is at least one step: the scheduler may let
//! others go first.

mod call;
pub mod descriptors;
pub mod files;
pub mod helpers;
pub mod ids;
pub mod locks;
pub mod paths;
pub mod process;
pub mod signals;
pub mod spawn;
pub mod system;
pub mod threads;
pub mod time;

use std::rc::Rc;

use crate::machine::Machine;
use crate::types::Pid;
use crate::world::thread::Thread;

/// The calling thread's view of its kernel. Cheap to clone.
#[derive(Clone)]
pub struct Sys {
    machine: Rc<Machine>,
    thread: Rc<Thread>,
}

impl Sys {
    pub(crate) fn new(machine: Rc<Machine>, thread: Rc<Thread>) -> Sys {
        Sys { machine, thread }
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.thread.pid()
    }

    /// The thread id.
    #[must_use]
    pub fn tid(&self) -> Pid {
        self.thread.tid()
    }

    pub(crate) fn thread(&self) -> &Rc<Thread> {
        &self.thread
    }

    /// The guest.
    #[must_use]
    pub fn machine(&self) -> &Rc<Machine> {
        &self.machine
    }
}
