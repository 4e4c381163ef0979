//! Starting a program with pipes on its standard descriptors, in one go: what posix_spawn(3) does for
//! the init process of a guest.

use provium_protocol::{Errno, Signal};

use super::Kernel;
use super::rlimit::RLIMIT_NOFILE;
use super::wait::{Channel, Stop};
use crate::flags::{AT_FDCWD, O_CLOEXEC, O_RDWR};
use crate::program::Invocation;
use crate::types::{Fd, Pid, SigAction, WaitFor, WaitOptions, WaitStatus};

/// What is started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpawnRequest {
    /// Paths of the program, tried in order as execvp(3) does.
    pub candidates: Vec<Vec<u8>>,
    /// Arguments and environment.
    pub invocation: Invocation,
    /// The working directory; the caller's own when absent.
    pub cwd: Option<Vec<u8>>,
    /// Whether standard input is a pipe; else it is `/dev/null`.
    pub stdin_pipe: bool,
    /// Its limits of open files, soft and hard; the caller's when absent.
    pub files: Option<(u64, u64)>,
}

/// A program that was started, and the caller's ends of its pipes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spawned {
    /// Its process, the leader of its own group.
    pub pid: Pid,
    /// The writing end of its standard input.
    pub stdin: Option<Fd>,
    /// The reading end of its standard output.
    pub stdout: Fd,
    /// The reading end of its standard error.
    pub stderr: Fd,
}

/// What a start that failed was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpawnFailure {
    /// Making pipes or the process.
    Fork(Errno),
    /// Changing to the working directory.
    Chdir(Errno),
    /// Becoming the program.
    Exec(Errno),
}

/// Descriptors that are closed again when the start fails.
#[derive(Default)]
struct Ends {
    own: Vec<Fd>,
    passed: Vec<Fd>,
}

impl Kernel {
    /// Starts a program in a group of its own, with default signal actions and no descriptors but its
    /// standard ones; also says which program its thread has to run, and with what.
    pub(crate) fn spawn(
        &mut self,
        pid: Pid,
        request: SpawnRequest,
    ) -> Result<(Spawned, String, Invocation), SpawnFailure> {
        let mut ends = Ends::default();
        let spawned = self.spawn_with(pid, request, &mut ends);
        for fd in std::mem::take(&mut ends.passed) {
            // The caller's copies of the child's ends; they are open, so closing them cannot fail.
            let _ = self.close(pid, fd);
        }
        if spawned.is_err() {
            for fd in ends.own {
                let _ = self.close(pid, fd);
            }
        }
        spawned
    }

    fn spawn_with(
        &mut self,
        pid: Pid,
        request: SpawnRequest,
        ends: &mut Ends,
    ) -> Result<(Spawned, String, Invocation), SpawnFailure> {
        let (input, stdin) = match request.stdin_pipe {
            true => {
                let (read, write) = self.spawn_pipe(pid, ends, true)?;
                (read, Some(write))
            }
            false => {
                let null = self.open(pid, AT_FDCWD, b"/dev/null", O_RDWR | O_CLOEXEC, 0, &mut None);
                let null = null.map_err(|stop| {
                    SpawnFailure::Fork(match stop {
                        Stop::Errno(errno) => errno,
                        // A device never makes its opener wait.
                        Stop::Block(_) => Errno::EAGAIN,
                    })
                })?;
                ends.passed.push(null);
                (null, None)
            }
        };
        let (stdout, out) = self.spawn_pipe(pid, ends, false)?;
        let (stderr, err) = self.spawn_pipe(pid, ends, false)?;
        let child = self.fork_process(pid).map_err(SpawnFailure::Fork)?;
        match self.prepare(child, [input, out, err], &request) {
            Ok((name, invocation)) => Ok((Spawned { pid: child, stdin, stdout, stderr }, name, invocation)),
            Err(failure) => {
                // It never ran: nobody needs to learn of its end.
                self.end_process(child, WaitStatus::Exited(127));
                self.reap(child);
                Err(failure)
            }
        }
    }

    fn spawn_pipe(&mut self, pid: Pid, ends: &mut Ends, own_writes: bool) -> Result<(Fd, Fd), SpawnFailure> {
        let (read, write) = self.pipe(pid, O_CLOEXEC).map_err(SpawnFailure::Fork)?;
        let (own, passed) = if own_writes { (write, read) } else { (read, write) };
        ends.own.push(own);
        ends.passed.push(passed);
        Ok((read, write))
    }

    fn prepare(
        &mut self,
        child: Pid,
        standard: [Fd; 3],
        request: &SpawnRequest,
    ) -> Result<(String, Invocation), SpawnFailure> {
        self.setpgid(child, 0, 0).map_err(SpawnFailure::Fork)?;
        let process = self.proc_mut(child).map_err(SpawnFailure::Fork)?;
        process.actions = [SigAction::Default; Signal::MAX as usize];
        if let Some(files) = request.files {
            process.rlimits[RLIMIT_NOFILE] = files;
            process.fds.set_limit(files.0 as usize);
        }
        for (to, from) in (0..).zip(standard) {
            self.dup_to(child, from, to, false, true).map_err(SpawnFailure::Fork)?;
        }
        if let Some(cwd) = &request.cwd {
            let place = self.walk_at(child, AT_FDCWD, cwd, 0).map_err(SpawnFailure::Chdir)?;
            self.chdir(child, &place).map_err(SpawnFailure::Chdir)?;
        }
        let mut why = Errno::ENOENT;
        for path in &request.candidates {
            match self.exec(child, path, request.invocation.clone()) {
                Ok(started) => return Ok(started),
                Err(Errno::EACCES) => why = Errno::EACCES,
                Err(Errno::ENOENT | Errno::ENOTDIR) => {}
                Err(errno) => return Err(SpawnFailure::Exec(errno)),
            }
        }
        Err(SpawnFailure::Exec(why))
    }

    /// Reaps every child that has ended, and waits for more: also when there is no child at all.
    pub(crate) fn reap_ended(&mut self, pid: Pid, reaped: &mut impl FnMut(Pid, WaitStatus)) -> Stop {
        let options = WaitOptions { nohang: true, ..WaitOptions::default() };
        loop {
            match self.wait(pid, WaitFor::Any, options) {
                Ok(Some((child, status))) => reaped(child, status),
                Ok(None) | Err(Stop::Errno(Errno::ECHILD)) => return Stop::on(Channel::Child(pid)),
                Err(stop) => return stop,
            }
        }
    }
}
