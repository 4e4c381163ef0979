//! Operations on processes.

use std::sync::Arc;
use std::time::Duration;

use provium_protocol::exec::{ExecSpec, ExitStatus, RunReply};
use provium_protocol::limits::CLOSE_PATIENCE_NS;
use provium_protocol::process::{ProcHandle, ProcState, ProcStatus};
use provium_protocol::{Errno, Nanos, OpError, Reply, Signal};
use qapi::qga::{GuestExecCaptureOutput, guest_exec, guest_exec_status};
use tokio::time::Instant;

use super::errors::{Refused, errno_in};
use super::proc::{Proc, Started, pause_after};
use super::{Inner, exec, files};

/// How often it is looked whether what was killed has ended, and how long between two looks. After that somebody else holds its
/// output. Counted, because a guest that is slow to end it is slow to answer, too.
const LOOKS_AFTER_KILL: usize = 20;
const LOOK_AFTER_KILL: Duration = Duration::from_millis(50);

/// How long a process may take to be gone after SIGKILL.
const KILL_PATIENCE: Duration = Duration::from_secs(10);

/// Output kept of a command that does the work of an operation.
const HELPER_OUTPUT: u64 = 64 << 10;

/// Ends with what the future ends with, or with nothing when the time is up.
async fn within<T>(timeout: Option<Nanos>, future: impl Future<Output = T>) -> Option<T> {
    match timeout {
        None => Some(future.await),
        Some(timeout) => tokio::time::timeout(Duration::from_nanos(timeout), future).await.ok(),
    }
}

/// Asks QGA for a process until its end is known.
pub async fn watch(inner: Arc<Inner>, proc: Arc<Proc>) {
    loop {
        look(&inner, &proc).await;
        if proc.is_over() {
            return;
        }
        tokio::time::sleep(pause_after(proc.age())).await;
    }
}

/// Asks QGA once. QGA tells the end once, so whoever gives up must not take the answer with it.
async fn look(inner: &Arc<Inner>, proc: &Arc<Proc>) {
    let (task_inner, task_proc) = (Arc::clone(inner), Arc::clone(proc));
    let looking = inner.runtime.spawn(async move {
        let _asking = task_proc.asking.lock().await;
        if task_proc.is_over() {
            return;
        }
        match task_inner.talk.ask(guest_exec_status { pid: task_proc.pid }).await {
            Ok(status) if status.exited => task_proc.ended(status),
            // Should the end have been told, the next answer is an error.
            Ok(_) | Err(Refused::Disturbed) => {}
            Err(Refused::Said(said)) => task_proc.lost(OpError::agent(format!(
                "what came of {} is not known any more: qemu-guest-agent says: {}; was it started anew?",
                task_proc.describe(),
                said.desc
            ))),
            Err(refused) => task_proc.lost(refused.doing("wait for a command")),
        }
    });
    // The runtime ends with all guests.
    let _ = looking.await;
}

/// Runs a command to its end.
pub async fn run(inner: &Arc<Inner>, spec: ExecSpec, timeout: Option<Nanos>) -> Result<Reply, OpError> {
    let began = Instant::now();
    let Some(fresh) = within(timeout, exec::start(inner, &spec)).await else {
        return Err(OpError::timeout("the command could not even be started in time"));
    };
    let fresh = fresh?;
    let proc = fresh.proc()?;
    let passed = Nanos::try_from(began.elapsed().as_nanos()).unwrap_or(Nanos::MAX);
    let left = timeout.map(|timeout| timeout.saturating_sub(passed));
    let outcome = match within(left, proc.finished()).await {
        Some(outcome) => outcome,
        None => end_in_time(inner, &proc).await,
    };
    fresh.keep();
    outcome.map(Reply::Run)
}

/// Starts a command.
pub async fn spawn(inner: &Arc<Inner>, spec: ExecSpec) -> Result<Reply, OpError> {
    let fresh = exec::start_and_see(inner, &spec).await?;
    let proc = fresh.proc()?;
    let pid = i32::try_from(proc.pid)
        .map_err(|_| OpError::agent(format!("qemu-guest-agent gives {} as a process id", proc.pid)))?;
    let handle = proc.handle;
    inner.procs().insert(handle, proc);
    fresh.keep();
    Ok(Reply::Spawned { proc: handle, pid })
}

/// Waits for the result.
pub async fn wait(
    inner: &Arc<Inner>,
    handle: ProcHandle,
    timeout: Option<Nanos>,
    kill: bool,
) -> Result<Reply, OpError> {
    let proc = inner.proc(handle)?;
    match within(timeout, proc.finished()).await {
        Some(outcome) => outcome.map(Reply::Run),
        None if kill => end_in_time(inner, &proc).await.map(Reply::Run),
        None => Ok(Reply::Nothing),
    }
}

/// Kills a process whose time is up, and all of its group; gives what came of it.
async fn end_in_time(inner: &Arc<Inner>, proc: &Arc<Proc>) -> Result<RunReply, OpError> {
    proc.set_timed_out();
    let (task_inner, task_proc) = (Arc::clone(inner), Arc::clone(proc));
    // A task, because the kill goes on whether or not the caller waits for it.
    inner.runtime.spawn(async move { kill_whole(&task_inner, &task_proc).await });
    proc.finished().await
}

/// Kills a process whose caller has lost interest.
pub fn abandon(inner: &Arc<Inner>, proc: Arc<Proc>) {
    let task_inner = Arc::clone(inner);
    inner.procs().remove(&proc.handle);
    inner.runtime.spawn(async move { kill_whole(&task_inner, &proc).await });
}

/// SIGKILL to a process and its group; ends when it has a result.
async fn kill_whole(inner: &Arc<Inner>, proc: &Arc<Proc>) {
    if proc.outcome().is_none() {
        // What is gone already has nothing left to kill; a guest that cannot be asked is lost.
        let _ = send_to_all(inner, proc, Signal::SIGKILL).await;
        for _ in 0..LOOKS_AFTER_KILL {
            look(inner, proc).await;
            if proc.is_over() {
                return;
            }
            tokio::time::sleep(LOOK_AFTER_KILL).await;
        }
        proc.give_up();
    }
}

/// Sends a signal to the group of a process, or to itself if it leads none (yet).
async fn send_to_all(inner: &Arc<Inner>, proc: &Proc, signal: Signal) -> Result<bool, OpError> {
    Ok(proc.started_as.group && send(inner, proc, signal, true).await? || send(inner, proc, signal, false).await?)
}

/// Sends a signal to a process or its group → whether somebody was there to get it.
async fn send(inner: &Arc<Inner>, proc: &Proc, signal: Signal, group: bool) -> Result<bool, OpError> {
    let target = if group { format!("-{}", proc.pid) } else { proc.pid.to_string() };
    let doing = format!("send {signal} to {}", proc.describe());
    let sent = helper(inner, "kill -\"$0\" \"$1\"", &[&signal.0.to_string(), &target], &doing).await?;
    match (sent.status, errno_in(&String::from_utf8_lossy(&sent.stderr))) {
        (ExitStatus::Exited(0), _) => Ok(true),
        (_, Some(Errno::ESRCH)) => Ok(false),
        (_, Some(errno)) => Err(OpError::os(errno, doing)),
        (_, None) => Err(OpError::agent(format!("{doing}: {}", String::from_utf8_lossy(&sent.stderr).trim()))),
    }
}

/// Sends a signal.
pub async fn signal(inner: &Arc<Inner>, handle: ProcHandle, signal: Signal, group: bool) -> Result<Reply, OpError> {
    let proc = inner.proc(handle)?;
    if group && !proc.started_as.group {
        return Err(super::errors::unsupported(
            "kill{group=true}",
            "this guest has no `setsid`: signal the process itself",
        ));
    }
    // Once it has ended, its number may be another's.
    if ending(inner, &proc).await?.is_some() {
        return Ok(Reply::Bool(false));
    }
    send(inner, &proc, signal, group).await.map(Reply::Bool)
}

/// What QGA knows: a process whose output somebody holds has not ended for it.
pub async fn status(inner: &Arc<Inner>, handle: ProcHandle) -> Result<Reply, OpError> {
    let proc = inner.proc(handle)?;
    Ok(Reply::ProcStatus(ending(inner, &proc).await?.map_or(ProcStatus::Running, ProcStatus::Ended)))
}

/// How a process has ended, by now.
async fn ending(inner: &Arc<Inner>, proc: &Arc<Proc>) -> Result<Option<ExitStatus>, OpError> {
    look(inner, proc).await;
    match (proc.ending(), proc.outcome()) {
        (None, Some(Err(error))) => Err(error),
        (ending, _) => Ok(ending),
    }
}

/// What the kernel says.
pub async fn state(inner: &Arc<Inner>, handle: ProcHandle) -> Result<Reply, OpError> {
    let proc = inner.proc(handle)?;
    kernel_state(inner, &proc).await.map(Reply::ProcState)
}

async fn kernel_state(inner: &Arc<Inner>, proc: &Proc) -> Result<ProcState, OpError> {
    if proc.ending().is_some() {
        return Ok(ProcState::Gone);
    }
    match files::read_path(inner, &format!("/proc/{}/stat", proc.pid)).await {
        Ok(stat) => state_in(&stat).ok_or_else(|| {
            OpError::agent(format!("the kernel's word on {} cannot be read: {}", proc.describe(), stat.escape_ascii()))
        }),
        Err(error) if files::is_gone(&error) => Ok(ProcState::Gone),
        Err(error) => Err(error),
    }
}

/// The state in the words of proc_pid_stat(5).
fn state_in(stat: &[u8]) -> Option<ProcState> {
    // The name before it may hold anything.
    let end_of_name = stat.iter().rposition(|byte| *byte == b')')?;
    match stat.get(end_of_name + 2)? {
        b'R' => Some(ProcState::Running),
        b'S' | b'D' | b'I' => Some(ProcState::Sleeping),
        b'T' | b't' => Some(ProcState::Stopped),
        b'Z' => Some(ProcState::Zombie),
        b'X' => Some(ProcState::Gone),
        _ => None,
    }
}

/// Waits until the kernel says so.
pub async fn wait_state(
    inner: &Arc<Inner>,
    handle: ProcHandle,
    wanted: ProcState,
    timeout: Option<Nanos>,
) -> Result<Reply, OpError> {
    let proc = inner.proc(handle)?;
    let began = Instant::now();
    let mut now = kernel_state(inner, &proc).await?;
    let seen = within(timeout, async {
        while now != wanted {
            if now == ProcState::Gone {
                let problem = format!("{} has ended and will never be {}", proc.describe(), wanted.name());
                return Err(OpError::state(problem));
            }
            tokio::time::sleep(pause_after(began.elapsed())).await;
            now = kernel_state(inner, &proc).await?;
        }
        Ok(Reply::ProcState(wanted))
    });
    match seen.await {
        Some(seen) => seen,
        None => Err(OpError::timeout(format!(
            "{} is {} and did not become {} in time",
            proc.describe(),
            now.name(),
            wanted.name()
        ))),
    }
}

/// SIGTERM, patience, SIGKILL.
pub async fn close(inner: &Arc<Inner>, handle: ProcHandle) -> Result<Reply, OpError> {
    let proc = inner.proc(handle)?;
    let task_inner = Arc::clone(inner);
    // A task, because a closing that has begun goes on without its caller.
    let closing = inner.runtime.spawn(async move {
        look(&task_inner, &proc).await;
        if proc.outcome().is_some() {
            return Ok(Reply::Unit);
        }
        send_to_all(&task_inner, &proc, Signal::SIGTERM).await?;
        // A stopped process does not see the SIGTERM before it goes on.
        send_to_all(&task_inner, &proc, Signal::SIGCONT).await?;
        if within(Some(CLOSE_PATIENCE_NS), proc.finished()).await.is_some() {
            return Ok(Reply::Unit);
        }
        send_to_all(&task_inner, &proc, Signal::SIGKILL).await?;
        match tokio::time::timeout(KILL_PATIENCE, proc.finished()).await {
            Ok(_) => Ok(Reply::Unit),
            Err(_) => Err(OpError::timeout(format!("{} did not end after SIGKILL", proc.describe()))),
        }
    });
    closing.await.map_err(|error| OpError::agent(format!("closing a process ended: {error}")))?
}

/// Has a shell of the guest do a part of an operation's work. The words follow the script as `$0`, `$1`, …
pub async fn helper(inner: &Arc<Inner>, script: &str, words: &[&str], doing: &str) -> Result<RunReply, OpError> {
    let arg = ["-c", script].iter().chain(words).map(|word| (*word).to_owned()).collect();
    let command = guest_exec {
        path: "/bin/sh".to_owned(),
        arg: Some(arg),
        // Texts of errors are read; the path is the shell's own.
        env: Some(vec!["LC_ALL=C".to_owned()]),
        input_data: None,
        capture_output: Some(GuestExecCaptureOutput::flag(true)),
    };
    let started_as =
        Started { label: script.to_owned(), program: None, cwd: None, group: false, max_output: HELPER_OUTPUT };
    let (task_inner, doing) = (Arc::clone(inner), doing.to_owned());
    // A task, because QGA remembers each process until somebody has heard of its end.
    let helping = inner.runtime.spawn(async move {
        let began = Instant::now();
        let answer = task_inner.talk.ask(command).await;
        let pid = answer.map_err(|refused| refused.doing(doing))?.pid;
        let proc = Arc::new(Proc::new(0, pid, started_as, began));
        watch(task_inner, Arc::clone(&proc)).await;
        proc.finished().await
    });
    helping.await.map_err(|error| OpError::agent(format!("a command in the guest ended: {error}")))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_read_behind_the_name() {
        assert_eq!(state_in(b"12 (a) R b) S 1 12"), Some(ProcState::Sleeping));
        assert_eq!(state_in(b"12 (sh) T 1"), Some(ProcState::Stopped));
        for broken in [&b""[..], b"12 sh S", b"12 (sh)", b"12 (sh) ?"] {
            assert_eq!(state_in(broken), None);
        }
    }
}
