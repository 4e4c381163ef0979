//! Operations on processes.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use provium_protocol::exec::ExecSpec;
use provium_protocol::process::{OutputStream, ProcHandle, ProcState, ProcStatus};
use provium_protocol::{Errno, Lane, Nanos, OpError, Reply, Signal};

use crate::agent::Inner;
use crate::os::SignalTarget;
use crate::process::Proc;
use crate::sync::{First, in_task, race, within};
use crate::{Os, ending, spawn, stdin};

/// The processes that the agent knows.
pub struct Procs {
    last_handle: Cell<ProcHandle>,
    by_handle: RefCell<BTreeMap<ProcHandle, Rc<Proc>>>,
    /// Those not known to be reaped, the eldest first: the system may know more, and have given their number away again.
    by_pid: RefCell<BTreeMap<i32, VecDeque<Rc<Proc>>>>,
}

impl Procs {
    /// None yet; handles go on after this one.
    pub fn new(last_handle: ProcHandle) -> Procs {
        Procs { last_handle: Cell::new(last_handle), by_handle: RefCell::default(), by_pid: RefCell::default() }
    }

    /// A handle that no process had before.
    pub fn next_handle(&self) -> ProcHandle {
        self.last_handle.set(self.last_handle.get() + 1);
        self.last_handle.get()
    }

    /// Takes a process in.
    pub fn add(&self, proc: &Rc<Proc>) {
        self.by_handle.borrow_mut().insert(proc.handle, proc.clone());
        self.by_pid.borrow_mut().entry(proc.pid).or_default().push_back(proc.clone());
    }

    /// Finds a process by handle.
    pub fn get(&self, handle: ProcHandle) -> Result<Rc<Proc>, OpError> {
        let found = self.by_handle.borrow().get(&handle).cloned();
        found.ok_or_else(|| OpError::state(format!("there is no process with handle {handle}")))
    }

    /// Takes out the one whose reaping is told by this pid.
    pub fn take_pid(&self, pid: i32) -> Option<Rc<Proc>> {
        let mut by_pid = self.by_pid.borrow_mut();
        let of_pid = by_pid.get_mut(&pid)?;
        let eldest = of_pid.pop_front();
        if of_pid.is_empty() {
            by_pid.remove(&pid);
        }
        eldest
    }

    /// Notes that a process was reaped: its number may be another's now.
    pub fn forget_pid(&self, proc: &Rc<Proc>) {
        let mut by_pid = self.by_pid.borrow_mut();
        if let Some(of_pid) = by_pid.get_mut(&proc.pid) {
            of_pid.retain(|one| !Rc::ptr_eq(one, proc));
            if of_pid.is_empty() {
                by_pid.remove(&proc.pid);
            }
        }
    }

    /// Forgets all processes, and gives them; those that have not ended are reaped all the same.
    pub fn take_all(&self) -> Vec<Rc<Proc>> {
        std::mem::take(&mut *self.by_handle.borrow_mut()).into_values().collect()
    }

    /// Hands out no handle up to this one any more.
    pub fn skip_to(&self, last_handle: ProcHandle) {
        self.last_handle.set(self.last_handle.get().max(last_handle));
    }

    /// Forgets a process.
    pub fn remove(&self, handle: ProcHandle) {
        self.by_handle.borrow_mut().remove(&handle);
    }
}

/// Kills the command of an abandoned `run`.
struct KillOnDrop<O: Os> {
    agent: Rc<Inner<O>>,
    proc: Option<Rc<Proc>>,
}

impl<O: Os> Drop for KillOnDrop<O> {
    fn drop(&mut self) {
        if let Some(proc) = self.proc.take() {
            ending::abandon(&self.agent, &proc);
        }
    }
}

/// Runs a command to its end.
pub async fn run<O: Os>(
    agent: &Rc<Inner<O>>,
    lane: Lane,
    spec: ExecSpec,
    timeout: Option<Nanos>,
) -> Result<Reply, OpError> {
    let started = agent.os.now();
    let Some(proc) = within(&*agent.os, timeout, spawn::start(agent, lane, &spec, false)).await else {
        return Err(OpError::timeout("the command could not even be started in time"));
    };
    let mut guard = KillOnDrop { agent: agent.clone(), proc: Some(proc?) };
    let Some(proc) = guard.proc.clone() else {
        return Err(OpError::agent("a started command was lost"));
    };
    let left = timeout.map(|timeout| timeout.saturating_sub(agent.os.now() - started));
    ending::result(agent, &proc, left, true).await;
    guard.proc = None;
    agent.procs.remove(proc.handle);
    proc.take_reply().map(Reply::Run).ok_or_else(|| unfinished(&proc))
}

/// Starts a command.
pub async fn spawn<O: Os>(agent: &Rc<Inner<O>>, lane: Lane, spec: ExecSpec) -> Result<Reply, OpError> {
    let proc = spawn::start(agent, lane, &spec, true).await?;
    Ok(Reply::Spawned { proc: proc.handle, pid: proc.pid })
}

/// Waits for the result.
pub async fn wait<O: Os>(
    agent: &Rc<Inner<O>>,
    handle: ProcHandle,
    timeout: Option<Nanos>,
    kill: bool,
) -> Result<Reply, OpError> {
    let proc = agent.procs.get(handle)?;
    if !ending::result(agent, &proc, timeout, kill).await {
        return Ok(Reply::Nothing);
    }
    proc.reply().map(Reply::Run).ok_or_else(|| unfinished(&proc))
}

fn unfinished(proc: &Proc) -> OpError {
    OpError::agent(format!("{} has no result although it is finished", proc.describe()))
}

/// Sends a signal.
pub async fn signal<O: Os>(
    agent: &Rc<Inner<O>>,
    handle: ProcHandle,
    signal: Signal,
    group: bool,
) -> Result<Reply, OpError> {
    let proc = agent.procs.get(handle)?;
    // A group may live on after its leader; a reaped process may not, and its number may be another's.
    if proc.ending().is_some() && (!group || proc.is_finished()) {
        return Ok(Reply::Bool(false));
    }
    let target = if group { SignalTarget::Group(proc.pid) } else { SignalTarget::Process(proc.pid) };
    match agent.os.kill(target, signal).await {
        Ok(()) => Ok(Reply::Bool(true)),
        Err(Errno::ESRCH) => Ok(Reply::Bool(false)),
        Err(errno) => Err(OpError::os(errno, format!("send {signal} to {}", proc.describe()))),
    }
}

/// What the agent knows.
pub fn status<O: Os>(agent: &Rc<Inner<O>>, handle: ProcHandle) -> Result<Reply, OpError> {
    let proc = agent.procs.get(handle)?;
    Ok(Reply::ProcStatus(proc.exit_status().map_or(ProcStatus::Running, ProcStatus::Ended)))
}

/// What the kernel says.
pub async fn state<O: Os>(agent: &Rc<Inner<O>>, handle: ProcHandle) -> Result<Reply, OpError> {
    let proc = agent.procs.get(handle)?;
    let state = match race(proc.exited(), agent.os.proc_state(proc.pid)).await {
        First::A(()) => ProcState::Gone,
        First::B(state) => state,
    };
    Ok(Reply::ProcState(state))
}

/// Waits until the kernel says so.
pub async fn wait_state<O: Os>(
    agent: &Rc<Inner<O>>,
    handle: ProcHandle,
    wanted: ProcState,
    timeout: Option<Nanos>,
) -> Result<Reply, OpError> {
    let proc = agent.procs.get(handle)?;
    let seen = async {
        match race(proc.exited(), agent.os.wait_proc_state(proc.pid, wanted)).await {
            First::A(()) => wanted == ProcState::Gone,
            First::B(()) => true,
        }
    };
    match within(&*agent.os, timeout, seen).await {
        Some(true) => Ok(Reply::ProcState(wanted)),
        Some(false) => {
            Err(OpError::state(format!("{} has ended and will never be {}", proc.describe(), wanted.name())))
        }
        None => {
            let now = match proc.ending() {
                Some(_) => ProcState::Gone,
                None => agent.os.proc_state(proc.pid).await,
            };
            Err(OpError::timeout(format!(
                "{} is {} and did not become {} in time",
                proc.describe(),
                now.name(),
                wanted.name()
            )))
        }
    }
}

/// Writes all to standard input.
pub async fn stdin_write<O: Os>(agent: &Rc<Inner<O>>, handle: ProcHandle, data: &[u8]) -> Result<Reply, OpError> {
    let proc = agent.procs.get(handle)?;
    stdin::write(&*agent.os, &proc, data).await.map(Reply::Count)
}

/// Closes standard input.
pub async fn stdin_close<O: Os>(agent: &Rc<Inner<O>>, handle: ProcHandle) -> Result<Reply, OpError> {
    let proc = agent.procs.get(handle)?;
    stdin::close(&agent.os, &proc).await;
    Ok(Reply::Unit)
}

/// Opens a stream of its output.
pub fn stream<O: Os>(
    agent: &Rc<Inner<O>>,
    lane: Lane,
    handle: ProcHandle,
    output: OutputStream,
) -> Result<Reply, OpError> {
    let proc = agent.procs.get(handle)?;
    Ok(Reply::Stream(agent.streams.open(lane, proc.output(output).clone())))
}

/// SIGTERM, patience, SIGKILL.
pub async fn close<O: Os>(agent: &Rc<Inner<O>>, handle: ProcHandle) -> Result<Reply, OpError> {
    let proc = agent.procs.get(handle)?;
    if proc.ending().is_none() {
        // A task, because a closing that has begun goes on without its caller.
        let (task_agent, task_proc) = (agent.clone(), proc.clone());
        let closing = async move { ending::terminate(&task_agent, &[task_proc]).await };
        in_task(&*agent.os, closing)
            .await
            .unwrap_or_else(|| Err(OpError::lost("the agent ended while it closed a process")))?;
    }
    Ok(Reply::Unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Capture;
    use crate::stdin::Stdin;

    #[test]
    fn endings_are_of_the_eldest_with_the_number() {
        let proc = |handle| {
            let outputs = [(); 2].map(|()| Capture::new(0, Rc::default()));
            Rc::new(Proc::new(handle, 50, "x".to_owned(), Stdin::none(), outputs, 0))
        };
        let procs = Procs::new(0);
        let [first, second, third] = [1, 2, 3].map(proc);
        for proc in [&first, &second, &third] {
            procs.add(proc);
        }
        procs.forget_pid(&second);
        let taken = [(); 3].map(|()| procs.take_pid(50).map(|proc| proc.handle));
        assert_eq!(taken, [Some(1), Some(3), None]);
        assert!(procs.by_pid.borrow().is_empty());
    }
}
