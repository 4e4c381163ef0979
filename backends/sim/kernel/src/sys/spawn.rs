//! What the init process of a guest needs: starting programs in one step, reaping all that end.

use std::convert::Infallible;

use provium_protocol::Errno;

use super::Sys;
use crate::kernel::spawn::{SpawnFailure, SpawnRequest, Spawned};
use crate::types::{Pid, WaitStatus};

impl Sys {
    /// Starts a program with pipes on its standard descriptors, as one step.
    pub async fn spawn(&self, request: SpawnRequest) -> Result<Spawned, SpawnFailure> {
        self.step().await;
        let (spawned, name, invocation) = self.machine.kernel().borrow_mut().spawn(self.pid(), request)?;
        let program = self.machine.program(&name);
        let started = self.machine.spawn_thread(spawned.pid, |sys| match program {
            Some(program) => program(sys, invocation),
            // An executable whose program is not in the table any more.
            None => Box::pin(async { 127 }),
        });
        match started {
            Ok(_) => Ok(spawned),
            Err(errno) => {
                let mut kernel = self.machine.kernel().borrow_mut();
                kernel.end_process(spawned.pid, WaitStatus::Exited(127));
                kernel.reap(spawned.pid);
                for fd in spawned.stdin.into_iter().chain([spawned.stdout, spawned.stderr]) {
                    // Just opened, so closing cannot fail.
                    let _ = kernel.close(self.pid(), fd);
                }
                Err(SpawnFailure::Fork(errno))
            }
        }
    }

    /// Reaps every child that ends, for ever: all that have ended in one step. Without children it waits
    /// for one.
    pub async fn reap_children(&self, mut reaped: impl FnMut(Pid, WaitStatus)) -> Errno {
        let never: Result<Infallible, Errno> =
            self.call(|kernel| Err(kernel.reap_ended(self.pid(), &mut reaped))).await;
        match never {
            Ok(never) => match never {},
            Err(errno) => errno,
        }
    }
}
