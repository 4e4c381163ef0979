//! Starting QEMU so that it never outlives its runner.
//!
//! Nothing of a machine is on disk: QMP, console and agent link are socket pairs whose other ends QEMU inherits. What is
//! left is the process, and the kernel ends that one: it is asked to kill QEMU when its parent dies
//! (`PR_SET_PDEATHSIG`). To the kernel the parent is the *thread* that forked, so all processes are started by one thread
//! that lives as long as the runner does.
//!
//! A watcher process that kills QEMU and removes a directory was rejected: it would itself have to outlive every way in
//! which a runner can be killed, process groups and cgroups included.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitStatus;
use std::sync::OnceLock;
use std::sync::mpsc;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

struct Job {
    command: Command,
    inherited: Vec<OwnedFd>,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

/// The thread that starts all processes.
fn starter() -> io::Result<mpsc::Sender<Job>> {
    static STARTER: OnceLock<mpsc::Sender<Job>> = OnceLock::new();
    if let Some(starter) = STARTER.get() {
        return Ok(starter.clone());
    }
    let (sender, jobs) = mpsc::channel::<Job>();
    std::thread::Builder::new().name("provium-qemu-start".to_owned()).spawn(move || {
        for job in jobs {
            let Job { mut command, inherited, runtime, reply } = job;
            let _in_runtime = runtime.enter();
            // A runtime that is being shut down panics here. This thread must not end: all machines would, with it.
            let started = catch_unwind(AssertUnwindSafe(|| start(&mut command, &inherited)))
                .unwrap_or_else(|_| Err(io::Error::other("the runtime has ended")));
            // Nobody waits any more: the child is killed as it is dropped.
            let _ = reply.send(started);
        }
    })?;
    // Two first callers at once: the thread of the later one ends with its sender.
    Ok(STARTER.get_or_init(|| sender).clone())
}

fn start(command: &mut Command, inherited: &[OwnedFd]) -> io::Result<Child> {
    let numbers: Vec<i32> = inherited.iter().map(AsRawFd::as_raw_fd).collect();
    let parent = rustix::process::getpid();
    // Its own group: Ctrl-C in a terminal is for the runner, which ends its machines in order.
    command.kill_on_drop(true).process_group(0);
    // SAFETY: between fork and exec only system calls are made, without allocation and locks.
    unsafe {
        command.pre_exec(move || {
            rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
            // The runner may have died before the line above.
            if rustix::process::getppid() != Some(parent) {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
            for number in &numbers {
                if libc::fcntl(*number, libc::F_SETFD, 0) == -1 {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(())
        });
    }
    command.spawn()
}

/// Starts a program that gets these descriptors under the numbers that they have here.
pub(crate) async fn spawn(command: Command, inherited: Vec<OwnedFd>) -> io::Result<Child> {
    let (reply, started) = oneshot::channel();
    let job = Job { command, inherited, runtime: Handle::current(), reply };
    starter()?.send(job).map_err(|_| io::Error::other("the thread that starts processes is gone"))?;
    started.await.map_err(|_| io::Error::other("the thread that starts processes is gone"))?
}

/// A process's end in words.
pub(crate) fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it exited with status {code}"),
        (None, Some(signal)) => format!("it was killed by signal {signal}"),
        (None, None) => "it ended".to_owned(),
    }
}
