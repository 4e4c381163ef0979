//! Workers: lines of work under the main agent, each with its own processes, files, streams and thread.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use provium_protocol::worker::{JoinSummary, JoinedChild, WorkerState};
use provium_protocol::{Lane, Nanos, Op, OpError, Reply, Signal};
use tokio::sync::Notify;

use crate::agent::{Inner, dispatch};
use crate::gather::Taker;
use crate::os::SignalTarget;
use crate::process::Proc;
use crate::sync::{First, Flag, in_task, race, until, within};
use crate::syscall::{self, LaneThread};
use crate::{Os, ending, files};

/// One worker.
pub struct Worker<O: Os> {
    handle: u64,
    name: String,
    /// Its closing has begun: nothing new is taken in.
    closing: Flag,
    /// Its closing is over.
    closed: Flag,
    operations: Cell<usize>,
    /// Commands being started, whose processes are not among the children yet.
    starting: Cell<usize>,
    started: Notify,
    /// Every process it ever started, in order of start.
    children: RefCell<Vec<Rc<Proc>>>,
    thread: LaneThread<O>,
}

/// The workers of a guest, and the main agent's own thread.
pub struct Workers<O: Os> {
    pub main: LaneThread<O>,
    last_handle: Cell<u64>,
    by_handle: RefCell<BTreeMap<u64, Rc<Worker<O>>>>,
}

/// Who an operation is for.
pub enum Admission<O: Os> {
    /// The main agent.
    Main,
    /// A worker.
    Worker(Rc<Worker<O>>),
}

impl<O: Os> Workers<O> {
    /// None yet; handles go on after this one.
    pub fn new(last_handle: u64) -> Self {
        Workers { main: LaneThread::default(), last_handle: Cell::new(last_handle), by_handle: RefCell::default() }
    }

    fn get(&self, handle: u64) -> Result<Rc<Worker<O>>, OpError> {
        let found = self.by_handle.borrow().get(&handle).cloned();
        found.ok_or_else(|| OpError::state(format!("there is no worker with handle {handle}")))
    }

    /// Finds whom an operation is for; refuses it when that worker is closed.
    pub fn admit(&self, lane: Lane, op: &Op) -> Result<Admission<O>, OpError> {
        let Lane::Worker(handle) = lane else {
            return Ok(Admission::Main);
        };
        let worker = self.get(handle)?;
        if worker.closing.is_set() && !outlives_worker(op) {
            return Err(closed());
        }
        Ok(Admission::Worker(worker))
    }

    /// Whether the lane is one of a worker whose closing has begun.
    pub fn is_closing(&self, lane: Lane) -> bool {
        match lane {
            Lane::Main => false,
            Lane::Worker(handle) => self.get(handle).map_or(true, |worker| worker.closing.is_set()),
        }
    }

    /// Says that a process is being started on a lane: whoever waits for the lane's processes waits
    /// for this one too.
    pub fn starting(&self, lane: Lane) -> Starting<O> {
        let worker = match lane {
            Lane::Main => None,
            Lane::Worker(handle) => self.get(handle).ok(),
        };
        if let Some(worker) = &worker {
            worker.starting.set(worker.starting.get() + 1);
        }
        Starting(worker)
    }

    /// Ends all threads and forgets all workers.
    pub fn end_all(&self) {
        self.main.end();
        let workers = std::mem::take(&mut *self.by_handle.borrow_mut());
        for worker in workers.into_values().rev() {
            worker.closing.set();
            worker.thread.end();
            worker.closed.set();
        }
    }

    /// Hands out no handle up to this one any more.
    pub fn skip_to(&self, last_handle: u64) {
        self.last_handle.set(self.last_handle.get().max(last_handle));
    }

    /// Counts a process among those of its lane.
    pub fn register(&self, lane: Lane, proc: &Rc<Proc>) -> Result<(), OpError> {
        let Lane::Worker(handle) = lane else {
            return Ok(());
        };
        let worker = self.get(handle)?;
        if worker.closing.is_set() {
            return Err(closed());
        }
        worker.children.borrow_mut().push(proc.clone());
        Ok(())
    }
}

/// One start in flight.
pub struct Starting<O: Os>(Option<Rc<Worker<O>>>);

impl<O: Os> Drop for Starting<O> {
    fn drop(&mut self) {
        if let Some(worker) = &self.0 {
            worker.starting.set(worker.starting.get() - 1);
            worker.started.notify_waiters();
        }
    }
}

fn closed() -> OpError {
    OpError::state("worker is closed")
}

/// Whether an operation still makes sense on a closed worker: it asks for what is left of it.
fn outlives_worker(op: &Op) -> bool {
    matches!(
        op,
        Op::WorkerClose
            | Op::WorkerState
            | Op::ProcWait { .. }
            | Op::ProcSignal { .. }
            | Op::ProcStatus(_)
            | Op::ProcState(_)
            | Op::ProcWaitState { .. }
            | Op::StdinClose(_)
            | Op::ProcClose(_)
            | Op::FileClose(_)
            | Op::StreamClose(_)
    )
}

/// Whether an operation that is under way ends by itself soon after its worker was closed, because
/// what it waits for is ended.
fn ends_by_itself(op: &Op) -> bool {
    outlives_worker(op) || matches!(op, Op::Run { .. } | Op::Spawn(_) | Op::Batch(_) | Op::StdinWrite { .. })
}

/// Makes a worker.
pub fn spawn<O: Os>(agent: &Rc<Inner<O>>, lane: Lane, name: String) -> Result<Reply, OpError> {
    if lane != Lane::Main {
        return Err(OpError::usage("a worker cannot spawn a worker"));
    }
    let workers = &agent.workers;
    workers.last_handle.set(workers.last_handle.get() + 1);
    let handle = workers.last_handle.get();
    let worker = Worker {
        handle,
        name,
        closing: Flag::default(),
        closed: Flag::default(),
        operations: Cell::new(0),
        starting: Cell::new(0),
        started: Notify::new(),
        children: RefCell::default(),
        thread: LaneThread::default(),
    };
    workers.by_handle.borrow_mut().insert(handle, Rc::new(worker));
    Ok(Reply::Worker(handle))
}

/// Counts an operation of a worker for as long as it lives.
struct Busy<O: Os>(Rc<Worker<O>>);

impl<O: Os> Busy<O> {
    fn begin(worker: &Rc<Worker<O>>) -> Busy<O> {
        worker.operations.set(worker.operations.get() + 1);
        Busy(worker.clone())
    }
}

impl<O: Os> Drop for Busy<O> {
    fn drop(&mut self) {
        self.0.operations.set(self.0.operations.get() - 1);
    }
}

/// Carries out an operation said on a worker's lane.
pub async fn on_lane<O: Os>(
    agent: &Rc<Inner<O>>,
    worker: &Rc<Worker<O>>,
    op: Op,
    taker: Taker,
) -> Result<Reply, OpError> {
    match op {
        Op::WorkerKill(signal) => kill(agent, worker, signal).await,
        Op::WorkerJoin { timeout_ns } => join(agent, worker, timeout_ns).await,
        Op::WorkerClose => close(agent, worker).await,
        Op::WorkerState => Ok(Reply::WorkerState(state(agent, worker))),
        Op::WorkerWaitBlocked { timeout_ns } => wait_blocked(agent, worker, timeout_ns).await,
        op => {
            let _busy = Busy::begin(worker);
            let lane = Lane::Worker(worker.handle);
            if ends_by_itself(&op) {
                return dispatch(agent, lane, op, taker).await;
            }
            let work = async {
                match op {
                    Op::Syscall(spec) => syscall::call(agent, &worker.thread, spec).await,
                    op => dispatch(agent, lane, op, taker).await,
                }
            };
            match race(worker.closing.wait(), work).await {
                First::A(()) => Err(closed()),
                First::B(outcome) => outcome,
            }
        }
    }
}

impl<O: Os> Worker<O> {
    fn running(&self) -> Vec<Rc<Proc>> {
        self.children.borrow().iter().filter(|proc| proc.ending().is_none()).cloned().collect()
    }

    /// Ends when none of its processes runs.
    async fn idle(&self) {
        loop {
            self.nothing_starts().await;
            // Looked up anew each time: more may have been started meanwhile.
            let next = self.running().into_iter().next();
            match next {
                Some(proc) => proc.exited().await,
                None => return,
            }
        }
    }

    async fn nothing_starts(&self) {
        until(&self.started, || (self.starting.get() == 0).then_some(())).await;
    }

    fn summary(&self) -> JoinSummary {
        let joined = |proc: &Rc<Proc>| {
            proc.exit_status().map(|status| JoinedChild { handle: proc.handle, pid: proc.pid, status })
        };
        JoinSummary { children: self.children.borrow().iter().filter_map(joined).collect() }
    }
}

async fn kill<O: Os>(agent: &Rc<Inner<O>>, worker: &Worker<O>, signal: Signal) -> Result<Reply, OpError> {
    let mut reached = 0;
    for proc in worker.running() {
        // It may have ended while the others got theirs.
        if proc.ending().is_none() && agent.os.kill(SignalTarget::Process(proc.pid), signal).await.is_ok() {
            reached += 1;
        }
    }
    Ok(Reply::Count(reached))
}

async fn join<O: Os>(agent: &Rc<Inner<O>>, worker: &Worker<O>, timeout: Option<Nanos>) -> Result<Reply, OpError> {
    if within(&*agent.os, timeout, worker.idle()).await.is_some() {
        return Ok(Reply::Joined(worker.summary()));
    }
    let running: Vec<String> = worker.running().iter().map(|proc| proc.describe()).collect();
    let verb = if running.len() == 1 { "runs" } else { "run" };
    Err(OpError::timeout(format!("{}: still {verb}: {}", worker.name, running.join(", "))))
}

/// Closes a worker; the second caller waits for the first one's closing.
async fn close<O: Os>(agent: &Rc<Inner<O>>, worker: &Rc<Worker<O>>) -> Result<Reply, OpError> {
    if worker.closing.is_set() {
        worker.closed.wait().await;
        return Ok(Reply::Unit);
    }
    worker.closing.set();
    // A task, because a closing that has begun goes on without its caller.
    let (task_agent, task_worker) = (agent.clone(), worker.clone());
    let closing = async move {
        // A start that is under way finds the worker closed and takes its process back.
        task_worker.nothing_starts().await;
        let children = task_worker.children.borrow().clone();
        let ended = ending::terminate(&task_agent, &children).await;
        let lane = Lane::Worker(task_worker.handle);
        task_agent.streams.close_lane(lane);
        for file in task_agent.files.of_lane(lane) {
            // An error of close(2) is nothing that closing a worker could mend.
            let _ = files::close(&task_agent, file).await;
        }
        task_worker.thread.end();
        task_worker.closed.set();
        ended
    };
    let ended = in_task(&*agent.os, closing).await;
    ended.unwrap_or_else(|| Err(OpError::lost("the agent ended while it closed a worker"))).map(|()| Reply::Unit)
}

fn state<O: Os>(agent: &Rc<Inner<O>>, worker: &Worker<O>) -> WorkerState {
    if worker.closing.is_set() {
        WorkerState::Closed
    } else if worker.thread.blocked(&agent.os) {
        WorkerState::Blocked
    } else if worker.operations.get() > 0 || !worker.running().is_empty() {
        WorkerState::Running
    } else {
        WorkerState::Idle
    }
}

async fn wait_blocked<O: Os>(
    agent: &Rc<Inner<O>>,
    worker: &Worker<O>,
    timeout: Option<Nanos>,
) -> Result<Reply, OpError> {
    let blocked = race(worker.closing.wait(), worker.thread.wait_blocked(&agent.os));
    match within(&*agent.os, timeout, blocked).await {
        Some(First::B(())) => Ok(Reply::Unit),
        Some(First::A(())) => Err(closed()),
        None => Err(OpError::timeout(format!(
            "{} is {}: no system call of it slept in the kernel in time",
            worker.name,
            state(agent, worker).name()
        ))),
    }
}

/// Closes a worker that nobody waits for.
pub fn discard<O: Os>(agent: &Rc<Inner<O>>, handle: u64) {
    if let Ok(worker) = agent.workers.get(handle) {
        let task_agent = agent.clone();
        agent.os.spawn_task(Box::pin(async move {
            let _ = close(&task_agent, &worker).await;
        }));
    }
}
