//! The agent itself: what it holds, and who answers which operation.

use std::future::Future;
use std::rc::Rc;

use provium_protocol::{Frame, Lane, Op, OpError, Reply, StreamId};

use crate::capture::Budget;
use crate::ending::{self, Reaping};
use crate::files::Files;
use crate::gather::Taker;
use crate::procs::Procs;
use crate::stream::Streams;
use crate::worker::{self, Admission, Workers};
use crate::{Os, batch, discard, files, paths, procs, reset, stream, syscall, tail};

/// Bits of a handle that count within one boot of a guest: four billion of each kind.
pub const HANDLES_OF_A_BOOT: u32 = 32;

/// What the agent holds. Shared by all of its futures.
pub struct Inner<O: Os> {
    pub os: Rc<O>,
    pub procs: Procs,
    /// What may still be kept of output.
    pub budget: Rc<Budget>,
    pub reaping: Reaping,
    pub files: Files,
    pub streams: Streams,
    pub workers: Workers<O>,
}

/// The agent of one guest. Cloning gives another handle on the same agent.
pub struct Agent<O: Os> {
    inner: Rc<Inner<O>>,
}

impl<O: Os> Clone for Agent<O> {
    fn clone(&self) -> Self {
        Agent { inner: self.inner.clone() }
    }
}

impl<O: Os> Agent<O> {
    /// An agent on an operating system, with its reaper running. `boot` says how often the guest was
    /// booted before: no handle of an earlier boot is ever handed out again.
    pub fn new(os: O, boot: u64) -> Agent<O> {
        let last_handle = boot << HANDLES_OF_A_BOOT;
        let os = Rc::new(os);
        let room = os.clone();
        let inner = Rc::new(Inner {
            os,
            procs: Procs::new(last_handle),
            budget: Rc::new(Budget::new(Box::new(move |bytes| room.has_room(bytes)))),
            reaping: Reaping::default(),
            files: Files::new(last_handle),
            streams: Streams::new(last_handle),
            workers: Workers::new(last_handle),
        });
        inner.os.spawn_task(Box::pin(ending::reap(inner.clone())));
        Agent { inner }
    }

    /// Carries one operation out. Dropping the future abandons the operation.
    pub fn call(&self, lane: Lane, op: Op) -> impl Future<Output = Result<Reply, OpError>> + 'static + use<O> {
        self.call_in_pieces(lane, op, None)
    }

    /// Carries one operation out; the beginning of a long answer goes to the taker, if there is one, and the reply ends it.
    pub fn call_in_pieces(
        &self,
        lane: Lane,
        op: Op,
        taker: Taker,
    ) -> impl Future<Output = Result<Reply, OpError>> + 'static + use<O> {
        let agent = self.inner.clone();
        async move { call(&agent, lane, op, taker).await }
    }

    /// The next piece of a stream; `None` at its end.
    pub fn next_frame(
        &self,
        stream: StreamId,
    ) -> impl Future<Output = Result<Option<Frame>, OpError>> + 'static + use<O> {
        let agent = self.inner.clone();
        async move { stream::next_frame(&agent, stream).await }
    }

    /// Takes back what a reply handed out, because nobody is left to receive it: a started process
    /// is killed, an opened file, stream or worker is closed.
    pub fn discard(&self, reply: Reply) {
        discard::discard(&self.inner, reply);
    }

    /// Begins anew for somebody else, in a guest that was booted `boot` times before: kills and closes all that was
    /// started and opened. What is still under way has to be dropped before.
    pub fn reset(&self, boot: u64) -> impl Future<Output = ()> + 'static + use<O> {
        let agent = self.inner.clone();
        async move { reset::reset(&agent, boot).await }
    }
}

/// Carries one operation out on its lane.
pub async fn call<O: Os>(agent: &Rc<Inner<O>>, lane: Lane, op: Op, taker: Taker) -> Result<Reply, OpError> {
    match agent.workers.admit(lane, &op)? {
        Admission::Main => dispatch(agent, lane, op, taker).await,
        // In a box of its own: every operation would have to carry the room for it otherwise.
        Admission::Worker(worker) => Box::pin(worker::on_lane(agent, &worker, op, taker)).await,
    }
}

/// Carries out what is the same on every lane.
pub async fn dispatch<O: Os>(agent: &Rc<Inner<O>>, lane: Lane, op: Op, taker: Taker) -> Result<Reply, OpError> {
    match op {
        Op::Run { spec, timeout_ns } => procs::run(agent, lane, spec, timeout_ns).await,
        Op::Spawn(spec) => procs::spawn(agent, lane, spec).await,
        Op::ProcWait { proc, timeout_ns, kill } => procs::wait(agent, proc, timeout_ns, kill).await,
        Op::ProcSignal { proc, signal, group } => procs::signal(agent, proc, signal, group).await,
        Op::ProcStatus(proc) => procs::status(agent, proc),
        Op::ProcState(proc) => procs::state(agent, proc).await,
        Op::ProcWaitState { proc, state, timeout_ns } => procs::wait_state(agent, proc, state, timeout_ns).await,
        Op::StdinWrite { proc, data } => procs::stdin_write(agent, proc, &data).await,
        Op::StdinClose(proc) => procs::stdin_close(agent, proc).await,
        Op::ProcStream { proc, output } => procs::stream(agent, lane, proc, output),
        Op::ProcClose(proc) => procs::close(agent, proc).await,

        Op::ReadFile(path) => paths::read_file(agent, &path.0, taker).await,
        Op::WriteFile { path, data, perm, append } => paths::write_file(agent, &path.0, &data, perm, append).await,
        Op::Stat(path) => paths::stat(agent, &path.0).await,
        Op::Lstat(path) => paths::lstat(agent, &path.0).await,
        Op::ListDir(path) => paths::list_dir(agent, &path.0).await,
        Op::Mkdir { path, parents, perm } => paths::mkdir(agent, &path.0, parents, perm).await,
        Op::Unlink(path) => paths::unlink(agent, &path.0).await,
        Op::Rename { from, to } => paths::rename(agent, &from.0, &to.0).await,
        Op::Symlink { target, path } => paths::symlink(agent, &target.0, &path.0).await,
        Op::Readlink(path) => paths::readlink(agent, &path.0).await,
        Op::Chmod { path, mode } => paths::chmod(agent, &path.0, mode).await,

        Op::OpenFile { path, mode } => files::open(agent, lane, &path.0, mode).await,
        Op::FileRead { file, len } => files::read(agent, file, len).await,
        Op::FileReadAll(file) => files::read_all(agent, file, taker).await,
        Op::FileWrite { file, data, all } => files::write(agent, file, &data, all).await,
        Op::FileSeek { file, offset, whence } => files::seek(agent, file, offset, whence).await,
        Op::FileSync(file) => files::sync(agent, file).await,
        Op::FileTruncate { file, len } => files::truncate(agent, file, len).await,
        Op::FileLock { file, kind, block } => files::lock(agent, file, kind, block).await,
        Op::FileUnlock(file) => files::unlock(agent, file).await,
        Op::FileClose(file) => files::close(agent, file).await,

        Op::TailFile { path, start } => tail::path(agent, lane, &path.0, start).await,
        Op::FdStream(file) => tail::fd_stream(agent, lane, file),
        Op::FileTail(file) => tail::file(agent, lane, file).await,
        Op::StreamClose(stream) => stream::close(agent, stream),

        Op::Syscall(spec) => syscall::call(agent, &agent.workers.main, spec).await,
        Op::Batch(ops) => batch::run(agent, lane, ops).await,
        Op::SpawnWorker { name } => worker::spawn(agent, lane, name),
        Op::Inspect => Ok(Reply::WaitGraph(agent.os.inspect().await)),

        Op::WorkerKill(_)
        | Op::WorkerJoin { .. }
        | Op::WorkerClose
        | Op::WorkerState
        | Op::WorkerWaitBlocked { .. } => {
            Err(OpError::usage(format!("`{}` is an operation of a worker, not of the VM", op.name())))
        }
        // They are the machine's; an agent is told none of them.
        Op::Pause
        | Op::Resume
        | Op::Reset
        | Op::PowerButton
        | Op::Shutdown
        | Op::ConsoleStream
        | Op::ConsoleLog
        | Op::ConsoleWrite { .. } => Err(OpError::unsupported("agent", op.name())),
    }
}
