//! Guests that have only `qemu-guest-agent` (QGA): operations through its commands.
//!
//! - [`talk`] holds the conversation, [`frame`] takes what comes apart.
//! - [`exec`] and [`procs`] start commands and see to them ([`proc`]), [`files`] opens files.
//! - [`errors`] makes errors of what QGA says, [`checks`] refuses what it could not take.
//!
//! QGA starts programs and opens files, no more. What it cannot do is refused by name, unless a tool that every Linux has does just
//! that; `docs/real-guests.md` has the whole list. Rejected: to put the missing operations together out of the texts of `stat`,
//! `ls` and others, because these differ from guest to guest.

mod checks;
mod errors;
mod exec;
mod files;
mod frame;
mod proc;
mod procs;
mod talk;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use provium_protocol::fs::FileHandle;
use provium_protocol::limits::MAX_BATCH;
use provium_protocol::process::ProcHandle;
use provium_protocol::{Lane, Op, OpError, Reply};
use qapi::qga::{GuestShutdownMode, guest_ping, guest_shutdown};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use errors::{Refused, unsupported};
use proc::Proc;
use talk::Talk;

/// Bits of a handle that count within one boot of a guest: as in provium's agent.
const HANDLES_OF_A_BOOT: u32 = 32;

/// Where Linux takes its host name from.
const HOSTNAME: &str = "/proc/sys/kernel/hostname";

/// What all operations of a guest share.
struct Inner {
    talk: Talk,
    /// Where work goes on whose caller has gone.
    runtime: Handle,
    first_handle: u64,
    last_handle: AtomicU64,
    procs: Mutex<BTreeMap<ProcHandle, Arc<Proc>>>,
    files: Mutex<BTreeMap<FileHandle, Arc<files::Open>>>,
    /// Where the guest has setsid(1).
    setsid: OnceCell<Option<String>>,
    /// What QGA's own environment is.
    environment: OnceCell<Vec<u8>>,
}

impl Inner {
    fn next_handle(&self) -> u64 {
        self.last_handle.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn was_handed_out(&self, handle: u64) -> bool {
        handle > self.first_handle && handle <= self.last_handle.load(Ordering::Relaxed)
    }

    fn procs(&self) -> MutexGuard<'_, BTreeMap<ProcHandle, Arc<Proc>>> {
        self.procs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<FileHandle, Arc<files::Open>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn proc(&self, handle: ProcHandle) -> Result<Arc<Proc>, OpError> {
        let found = self.procs().get(&handle).cloned();
        found.ok_or_else(|| OpError::state(format!("there is no process with handle {handle}")))
    }
}

/// A handle on a guest with QGA. Cloning gives another handle on the same one.
#[derive(Clone)]
pub struct Qga {
    inner: Arc<Inner>,
}

impl Qga {
    /// Speaks with QGA on a connected socket, in a guest that was booted `boots` times before. To be called within a runtime.
    pub fn open<S: AsyncRead + AsyncWrite + Send + 'static>(socket: S, boots: u64) -> Qga {
        let first_handle = boots << HANDLES_OF_A_BOOT;
        let inner = Inner {
            talk: Talk::open(socket),
            runtime: Handle::current(),
            first_handle,
            last_handle: AtomicU64::new(first_handle),
            procs: Mutex::default(),
            files: Mutex::default(),
            setsid: OnceCell::new(),
            environment: OnceCell::new(),
        };
        Qga { inner: Arc::new(inner) }
    }

    /// Waits until QGA answers, for as long as the caller wants to, and gives the guest its host name.
    ///
    /// # Errors
    /// What the guest refused.
    pub async fn greet(&self, hostname: Option<&str>) -> Result<(), OpError> {
        // A QGA that starts anew while it is greeted is greeted again.
        loop {
            match self.inner.talk.ask(guest_ping {}).await {
                Ok(_) => break,
                Err(Refused::Disturbed) => {}
                Err(refused) => return Err(refused.doing("greet the guest")),
            }
        }
        match hostname {
            Some(name) => files::write_path(&self.inner, HOSTNAME, name.as_bytes()).await,
            None => Ok(()),
        }
    }

    /// Carries an operation out. It begins now, whether or not the future is polled; dropping the future abandons it.
    pub fn call(&self, lane: Lane, op: Op) -> Call {
        let inner = Arc::clone(&self.inner);
        Call(self.inner.runtime.spawn(async move {
            let outcome = tokio::select! {
                biased;
                error = inner.talk.failed() => Err(error),
                outcome = dispatch(&inner, lane, op) => outcome,
            };
            outcome.map(|reply| Handed { inner, replies: vec![reply] })
        }))
    }

    /// Asks the guest to switch itself off.
    ///
    /// # Errors
    /// Why QGA does not.
    pub async fn power_off(&self) -> Result<(), OpError> {
        let powerdown = guest_shutdown { mode: Some(GuestShutdownMode::Powerdown) };
        // There is no answer but a refusal.
        tokio::select! {
            biased;
            answered = self.inner.talk.ask(powerdown) => match answered {
                Ok(_) | Err(Refused::Disturbed) => Ok(()),
                Err(refused) => Err(refused.doing("switch the guest off")),
            },
            () = self.inner.talk.closed() => Ok(()),
        }
    }

    /// Ends everything that is under way with this error; what comes later ends with it, too.
    pub fn fail(&self, error: OpError) {
        self.inner.talk.fail(error);
        self.inner.procs().clear();
        let files = std::mem::take(&mut *self.inner.files());
        // Not under their lock: each says that it is closed.
        drop(files);
    }

    /// Whether the guest cannot answer because nothing of it runs: silence is no trouble then.
    pub fn set_paused(&self, paused: bool) {
        self.inner.talk.set_paused(paused);
    }

    /// Ends when the other side has closed the connection.
    pub async fn closed(&self) {
        self.inner.talk.closed().await;
    }

    /// Ends when QGA was asked something and has shown no sign of life for as long as provium's agent may take.
    pub async fn unresponsive(&self) {
        self.inner.talk.unresponsive().await;
    }
}

/// An operation that is under way. Dropping it abandons the operation, and gives back what it handed out.
pub struct Call(JoinHandle<Result<Handed, OpError>>);

impl Future for Call {
    type Output = Result<Reply, OpError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = ready!(Pin::new(&mut self.0).poll(context));
        let outcome = outcome.unwrap_or_else(|error| Err(OpError::agent(format!("an operation ended: {error}"))));
        Poll::Ready(outcome.and_then(|mut handed| {
            handed.replies.pop().ok_or_else(|| OpError::agent("an operation ended without a reply"))
        }))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Replies on their way. What nobody takes is given back: a started process is killed, an opened file closed.
struct Handed {
    inner: Arc<Inner>,
    replies: Vec<Reply>,
}

impl Drop for Handed {
    fn drop(&mut self) {
        self.replies.drain(..).for_each(|reply| discard(&self.inner, reply));
    }
}

fn discard(inner: &Arc<Inner>, reply: Reply) {
    match reply {
        Reply::Spawned { proc, .. } => {
            if let Ok(proc) = inner.proc(proc) {
                procs::abandon(inner, proc);
            }
        }
        Reply::Opened { file, .. } => {
            let file = inner.files().remove(&file);
            // Not under the lock: it says that it is closed.
            drop(file);
        }
        Reply::Batch(outcomes) => outcomes.into_iter().flatten().for_each(|reply| discard(inner, reply)),
        _ => {}
    }
}

async fn dispatch(inner: &Arc<Inner>, lane: Lane, op: Op) -> Result<Reply, OpError> {
    match (lane, op) {
        (Lane::Main, Op::Batch(ops)) => batch(inner, ops).await,
        (Lane::Main, op) => single(inner, op).await,
        (Lane::Worker(_), op) => Err(unsupported(op.name(), "it has no workers; use the VM itself")),
    }
}

/// One after the other; one that fails stops none of the others.
async fn batch(inner: &Arc<Inner>, ops: Vec<Op>) -> Result<Reply, OpError> {
    if ops.len() > MAX_BATCH {
        return Err(OpError::limit(format!(
            "{} operations in one batch are above the limit of {MAX_BATCH} (MAX_BATCH)",
            ops.len()
        )));
    }
    let mut handed = Handed { inner: Arc::clone(inner), replies: vec![Reply::Batch(Vec::with_capacity(ops.len()))] };
    for op in ops {
        let outcome = match op {
            Op::Batch(_) => Err(OpError::usage("a batch cannot hold a batch")),
            op => single(inner, op).await,
        };
        if let Some(Reply::Batch(outcomes)) = handed.replies.first_mut() {
            outcomes.push(outcome);
        }
    }
    handed.replies.pop().ok_or_else(|| OpError::agent("a batch was lost"))
}

async fn single(inner: &Arc<Inner>, op: Op) -> Result<Reply, OpError> {
    match op {
        Op::Run { spec, timeout_ns } => procs::run(inner, spec, timeout_ns).await,
        Op::Spawn(spec) => procs::spawn(inner, spec).await,
        Op::ProcWait { proc, timeout_ns, kill } => procs::wait(inner, proc, timeout_ns, kill).await,
        Op::ProcSignal { proc, signal, group } => procs::signal(inner, proc, signal, group).await,
        Op::ProcStatus(proc) => procs::status(inner, proc).await,
        Op::ProcState(proc) => procs::state(inner, proc).await,
        Op::ProcWaitState { proc, state, timeout_ns } => procs::wait_state(inner, proc, state, timeout_ns).await,
        Op::ProcClose(proc) => procs::close(inner, proc).await,
        // It was at its end from the beginning.
        Op::StdinClose(proc) => inner.proc(proc).map(|_| Reply::Unit),

        Op::ReadFile(path) => files::read_file(inner, &path.0).await,
        Op::WriteFile { path, data, perm, append } => files::write_file(inner, &path.0, &data, perm, append).await,
        Op::Chmod { path, mode } => files::chmod(inner, &path.0, mode).await,
        Op::OpenFile { path, mode } => files::open(inner, &path.0, mode).await,
        Op::FileRead { file, len } => files::read(inner, file, len).await,
        Op::FileReadAll(file) => files::read_all(inner, file).await,
        Op::FileWrite { file, data, .. } => files::write(inner, file, &data).await,
        Op::FileSeek { file, offset, whence } => files::seek(inner, file, offset, whence).await,
        Op::FileSync(file) => files::sync(inner, file).await,
        Op::FileClose(file) => files::close(inner, file).await,
        op => Err(unsupported(op.name(), instead(&op))),
    }
}

/// What to do where an operation cannot be done.
fn instead(op: &Op) -> &'static str {
    match op {
        Op::StdinWrite { .. } => "give the command all of its input as `stdin`",
        Op::ProcStream { .. } => "wait for the command and look at its output, or let it write to a file",
        Op::TailFile { .. } | Op::FileTail(_) | Op::FdStream(_) | Op::StreamClose(_) => "read the file again",
        Op::SpawnWorker { .. } => "use `run_async` and `t:spawn`",
        Op::Syscall(_) => "have a program of the guest make the system call",
        Op::Inspect => "look with `ps`",
        _ => "use `vm:run`",
    }
}

#[cfg(test)]
mod tests;
