//! Threads, and being told what threads and processes do.

use std::rc::Rc;

use provium_protocol::process::ProcState;
use provium_protocol::{Errno, Nanos};

use super::Sys;
use crate::kernel::wait::{Block, Channel, Stop};
use crate::program::ProgramFuture;
use crate::types::Pid;
use crate::world::thread::{Thread, ThreadActivity};

impl Sys {
    /// Starts another thread in the process: not a step, for a process's own organisation.
    pub fn spawn_thread(&self, make: impl FnOnce(Sys) -> ProgramFuture) -> Result<Rc<Thread>, Errno> {
        let thread = self.machine.spawn_thread(self.pid(), make)?;
        thread.set_blocked(self.thread.blocked());
        Ok(thread)
    }

    /// Sleeps until a thread of this guest sleeps in a system call; `false` when it ended instead.
    pub async fn wait_thread_asleep(&self, thread: &Rc<Thread>) -> Result<bool, Errno> {
        self.call(|kernel| {
            if thread.is_dead() || !kernel.has_thread(thread) {
                return Ok(false);
            }
            match thread.activity() {
                ThreadActivity::Sleeping => Ok(true),
                ThreadActivity::Running => Err(Stop::on(Channel::ThreadActivity(thread.tid()))),
            }
        })
        .await
    }

    /// What the kernel says of a process.
    pub async fn process_state(&self, pid: Pid) -> ProcState {
        self.step().await;
        self.machine.kernel().borrow().process_state(pid)
    }

    /// Sleeps until a process is in a state, or until the clock reads `deadline`: the state it is in then.
    pub async fn wait_process_state(
        &self,
        pid: Pid,
        state: ProcState,
        deadline: Option<Nanos>,
    ) -> Result<ProcState, Errno> {
        self.call(|kernel| {
            let now = kernel.process_state(pid);
            if now == state || deadline.is_some_and(|deadline| kernel.world.now() >= deadline) {
                return Ok(now);
            }
            Err(Stop::Block(Block { channels: vec![Channel::ProcessState(pid)], deadline }))
        })
        .await
    }
}

impl crate::kernel::Kernel {
    /// What `p:state()` says of a process.
    #[must_use]
    pub fn process_state(&self, pid: Pid) -> ProcState {
        let Some(process) = self.procs.get(&pid) else { return ProcState::Gone };
        if process.is_zombie() {
            return ProcState::Zombie;
        }
        if process.stopped.is_some() {
            return ProcState::Stopped;
        }
        match process.threads.iter().any(|thread| thread.activity() == ThreadActivity::Running) {
            true => ProcState::Running,
            false => ProcState::Sleeping,
        }
    }

    fn has_thread(&self, thread: &Rc<Thread>) -> bool {
        self.procs
            .get(&thread.pid())
            .is_some_and(|process| process.threads.iter().any(|other| Rc::ptr_eq(other, thread)))
    }
}
