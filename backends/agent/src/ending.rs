//! How processes end: reaping, killing when time is up, closing with patience.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use provium_protocol::limits::{CLOSE_PATIENCE_NS, DRAIN_AFTER_KILL_NS};
use provium_protocol::{Nanos, OpError, Signal};

use crate::agent::Inner;
use crate::os::{Ending, SignalTarget};
use crate::process::Proc;
use crate::sync::within;
use crate::{Os, stdin};

/// How long the agent waits for a process to be gone after SIGKILL, in nanoseconds (10 s): only a
/// process that sleeps uninterruptibly in its kernel takes longer than an instant.
const KILL_PATIENCE_NS: u64 = 10_000_000_000;

/// Endings of children whose start has not been told to the agent yet.
#[derive(Default)]
pub struct Reaping {
    starting: Cell<usize>,
    early: RefCell<BTreeMap<i32, Ending>>,
}

impl Reaping {
    /// Says that a child is about to be started.
    pub fn expect_child(&self) -> InFlight<'_> {
        self.starting.set(self.starting.get() + 1);
        InFlight { reaping: self }
    }

    /// Keeps the ending of a child that nobody knows (yet).
    fn unknown(&self, pid: i32, ending: Ending) {
        // With no start in flight it is an orphan that came to process 1.
        if self.starting.get() > 0 {
            self.early.borrow_mut().insert(pid, ending);
        }
    }
}

/// One start in flight.
pub struct InFlight<'a> {
    reaping: &'a Reaping,
}

impl InFlight<'_> {
    /// Ends the flight: how the child ended, if it has already.
    pub fn arrived(self, pid: i32) -> Option<Ending> {
        self.reaping.early.borrow_mut().remove(&pid)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let left = self.reaping.starting.get() - 1;
        self.reaping.starting.set(left);
        if left == 0 {
            self.reaping.early.borrow_mut().clear();
        }
    }
}

/// Reaps every child for as long as the agent lives.
pub async fn reap<O: Os>(agent: Rc<Inner<O>>) {
    loop {
        let (pid, ending) = agent.os.next_exit().await;
        match agent.procs.take_pid(pid) {
            Some(proc) => reaped(&agent, &proc, ending),
            None => agent.reaping.unknown(pid, ending),
        }
    }
}

/// Notes the ending of a process.
pub fn reaped<O: Os>(agent: &Rc<Inner<O>>, proc: &Rc<Proc>, ending: Ending) {
    agent.procs.forget_pid(proc);
    proc.set_ending(ending, agent.os.now());
    check_finished(agent, proc);
}

/// To be called when the process or one of its pipes has ended.
pub fn check_finished<O: Os>(agent: &Rc<Inner<O>>, proc: &Rc<Proc>) {
    proc.check_finished(agent.os.now());
    // Nobody will read what is written from now on.
    if proc.is_finished() && !proc.stdin.is_closed() {
        let (task_agent, proc) = (agent.clone(), proc.clone());
        agent.os.spawn_task(Box::pin(async move { stdin::close(&task_agent.os, &proc).await }));
    }
}

/// Waits for the result of a process. On timeout with `kill` its group is killed and the result says
/// so; without, `false`.
pub async fn result<O: Os>(agent: &Rc<Inner<O>>, proc: &Rc<Proc>, timeout: Option<Nanos>, kill: bool) -> bool {
    if within(&*agent.os, timeout, proc.finished()).await.is_some() {
        return true;
    }
    if kill {
        proc.set_timed_out();
        // A task, because the kill goes on whether or not the caller waits for it.
        let (task_agent, task_proc) = (agent.clone(), proc.clone());
        agent.os.spawn_task(Box::pin(async move {
            if !kill_group(&task_agent, &task_proc).await {
                task_proc.give_up(task_agent.os.now());
            }
        }));
        proc.finished().await;
    }
    kill
}

/// Kills a process whose caller has lost interest, and forgets it.
pub fn abandon<O: Os>(agent: &Rc<Inner<O>>, proc: &Rc<Proc>) {
    let (task_agent, proc) = (agent.clone(), proc.clone());
    agent.os.spawn_task(Box::pin(async move {
        kill_group(&task_agent, &proc).await;
        task_agent.procs.remove(proc.handle);
    }));
}

/// SIGKILL to the group of a process; `true` when it is finished. Pipes that a stranger still holds
/// are cut.
async fn kill_group<O: Os>(agent: &Rc<Inner<O>>, proc: &Rc<Proc>) -> bool {
    if proc.is_finished() {
        return true;
    }
    // A group that is gone already has nothing left to kill.
    let _ = agent.os.kill(SignalTarget::Group(proc.pid), Signal::SIGKILL).await;
    if within(&*agent.os, Some(DRAIN_AFTER_KILL_NS), proc.finished()).await.is_some() {
        return true;
    }
    proc.cut.set();
    within(&*agent.os, Some(KILL_PATIENCE_NS), proc.finished()).await.is_some()
}

/// SIGTERM to the group of each process, patience, SIGKILL; ends when all are finished.
pub async fn terminate<O: Os>(agent: &Rc<Inner<O>>, procs: &[Rc<Proc>]) -> Result<(), OpError> {
    for proc in procs.iter().filter(|proc| !proc.is_finished()) {
        let group = SignalTarget::Group(proc.pid);
        let _ = agent.os.kill(group, Signal::SIGTERM).await;
        // A stopped process does not see the SIGTERM before it goes on.
        let _ = agent.os.kill(group, Signal::SIGCONT).await;
    }
    // Not only their exit: members of their groups that hold their pipes get the same patience.
    let all_finished = async {
        for proc in procs {
            proc.finished().await;
        }
    };
    within(&*agent.os, Some(CLOSE_PATIENCE_NS), all_finished).await;
    let mut result = Ok(());
    for proc in procs {
        if !kill_group(agent, proc).await {
            result = Err(OpError::timeout(format!("{} did not end after SIGKILL", proc.describe())));
        }
    }
    result
}
