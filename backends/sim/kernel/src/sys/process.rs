//! Processes: fork, exec, exit, wait.

use std::convert::Infallible;

use provium_protocol::Errno;

use super::Sys;
use crate::program::{Invocation, ProgramFuture};
use crate::types::{Pid, WaitFor, WaitOptions, WaitStatus};

impl Sys {
    /// fork(2): the child runs `entry` with its own view of the kernel; the parent gets its id.
    pub async fn fork(&self, entry: impl FnOnce(Sys) -> ProgramFuture + 'static) -> Result<Pid, Errno> {
        let pid = self.call_now(|kernel| kernel.fork_process(self.pid())).await?;
        let child = self.machine.spawn_thread(pid, entry)?;
        child.set_blocked(self.thread.blocked());
        Ok(pid)
    }

    /// execve(2): never returns on success. The path is taken as it is.
    pub async fn exec(&self, path: impl AsRef<[u8]>, argv: Vec<Vec<u8>>, env: Vec<Vec<u8>>) -> Errno {
        let invocation = Invocation { argv, env };
        let started = self.call_now(|kernel| kernel.exec(self.pid(), path.as_ref(), invocation)).await;
        let (name, invocation) = match started {
            Ok(started) => started,
            Err(errno) => return errno,
        };
        let Some(program) = self.machine.program(&name) else { return Errno::ENOEXEC };
        let future = program(Sys::new(self.machine.clone(), self.thread.clone()), invocation);
        self.thread.set_next_program(future);
        match std::future::pending::<Infallible>().await {}
    }

    /// exit_group(2).
    pub async fn exit(&self, code: i32) -> Infallible {
        self.step().await;
        self.machine.kernel().borrow_mut().end_process(self.pid(), WaitStatus::Exited(code & 0xff));
        std::future::pending().await
    }

    /// wait4(2): a child that changed and how; `None` if nobody did and `nohang` is set.
    pub async fn wait(&self, which: WaitFor, options: WaitOptions) -> Result<Option<(Pid, WaitStatus)>, Errno> {
        self.call(|kernel| kernel.wait(self.pid(), which, options)).await
    }

    /// getppid(2).
    pub async fn getppid(&self) -> Result<Pid, Errno> {
        self.call_now(|kernel| Ok(kernel.proc(self.pid())?.ppid)).await
    }
}
