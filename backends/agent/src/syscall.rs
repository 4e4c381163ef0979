//! Raw system calls, each lane's on a thread of its own.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use provium_protocol::limits::{MAX_SYSCALL_ARGS, MAX_SYSCALL_BUF, MAX_SYSCALL_BUFS};
use provium_protocol::syscall::{PtrTarget, SyscallSpec};
use provium_protocol::{OpError, Reply};
use tokio::sync::{Mutex, Notify};

use crate::Os;
use crate::agent::Inner;
use crate::sync::until;

/// Bytes of an address inside of a buffer.
const ADDRESS_BYTES: usize = 8;

/// The thread of a lane, made when it is first needed.
pub struct LaneThread<O: Os> {
    thread: RefCell<Option<Rc<O::Thread>>>,
    /// Callers take turns, first come first served.
    turn: Mutex<()>,
    calling: Cell<bool>,
    changed: Notify,
}

impl<O: Os> Default for LaneThread<O> {
    fn default() -> Self {
        LaneThread {
            thread: RefCell::new(None),
            turn: Mutex::const_new(()),
            calling: Cell::new(false),
            changed: Notify::new(),
        }
    }
}

/// Marks the thread as being inside of a call.
struct Calling<'a, O: Os>(&'a LaneThread<O>);

impl<'a, O: Os> Calling<'a, O> {
    fn begin(lane: &'a LaneThread<O>) -> Self {
        lane.calling.set(true);
        lane.changed.notify_waiters();
        Calling(lane)
    }
}

impl<O: Os> Drop for Calling<'_, O> {
    fn drop(&mut self) {
        self.0.calling.set(false);
    }
}

impl<O: Os> LaneThread<O> {
    /// The thread, while a call is under way on it.
    fn in_call(&self) -> Option<Rc<O::Thread>> {
        if self.calling.get() { self.thread.borrow().clone() } else { None }
    }

    async fn thread(&self, os: &O) -> Result<Rc<O::Thread>, OpError> {
        let there = self.thread.borrow().clone();
        if let Some(thread) = there {
            return Ok(thread);
        }
        let made = os.new_thread().await;
        let thread = Rc::new(made.map_err(|errno| OpError::os(errno, "make a thread for system calls"))?);
        *self.thread.borrow_mut() = Some(thread.clone());
        Ok(thread)
    }

    /// Whether its call sleeps in the kernel.
    pub fn blocked(&self, os: &O) -> bool {
        self.in_call().is_some_and(|thread| os.thread_blocked(&thread))
    }

    /// Ends when its call sleeps in the kernel.
    pub async fn wait_blocked(&self, os: &O) {
        loop {
            let thread = until(&self.changed, || self.in_call()).await;
            os.wait_thread_blocked(&thread).await;
            if self.calling.get() {
                return;
            }
        }
    }

    /// Ends the thread.
    pub fn end(&self) {
        let thread = self.thread.borrow_mut().take();
        drop(thread);
    }
}

/// Makes one raw system call on a lane's thread.
pub async fn call<O: Os>(agent: &Rc<Inner<O>>, lane: &LaneThread<O>, spec: SyscallSpec) -> Result<Reply, OpError> {
    check(&spec)?;
    let _turn = lane.turn.lock().await;
    let thread = lane.thread(&agent.os).await?;
    let _calling = Calling::begin(lane);
    match agent.os.syscall(&thread, &spec).await {
        Some(reply) => Ok(Reply::Syscall(reply)),
        None => {
            // The next call gets a new one.
            lane.end();
            Err(OpError::agent("the thread of the system call ended in it"))
        }
    }
}

fn check(spec: &SyscallSpec) -> Result<(), OpError> {
    if spec.bufs.len() > MAX_SYSCALL_BUFS {
        return Err(OpError::limit(format!(
            "{} buffers for one system call are above the limit of {MAX_SYSCALL_BUFS} (MAX_SYSCALL_BUFS)",
            spec.bufs.len()
        )));
    }
    if let Some(large) = spec.bufs.iter().find(|buf| buf.0.len() > MAX_SYSCALL_BUF) {
        return Err(OpError::limit(format!(
            "a buffer of {} bytes for a system call is above the limit of {MAX_SYSCALL_BUF} bytes (MAX_SYSCALL_BUF)",
            large.0.len()
        )));
    }
    if spec.ptrs.len() > spec.bufs.len() {
        return Err(OpError::usage(format!("{} pointers were given for {} buffers", spec.ptrs.len(), spec.bufs.len())));
    }
    spec.ptrs.iter().try_for_each(|target| check_target(spec, *target))
}

fn check_target(spec: &SyscallSpec, target: PtrTarget) -> Result<(), OpError> {
    match target {
        PtrTarget::Arg(slot) if usize::from(slot) < MAX_SYSCALL_ARGS => Ok(()),
        PtrTarget::Arg(slot) => Err(OpError::usage(format!(
            "argument slot {slot} is out of range: they are counted from 0 to {}",
            MAX_SYSCALL_ARGS - 1
        ))),
        PtrTarget::Buf { buf, offset } => {
            let Some(into) = spec.bufs.get(buf as usize) else {
                return Err(OpError::usage(format!("there is no buffer {buf}: {} were given", spec.bufs.len())));
            };
            if offset as usize + ADDRESS_BYTES > into.0.len() {
                return Err(OpError::usage(format!(
                    "an address at offset {offset} does not fit into buffer {buf} of {} bytes",
                    into.0.len()
                )));
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use provium_protocol::ErrorKind;
    use provium_protocol::syscall::SyscallBuf;

    use super::*;

    fn spec(bufs: &[usize], ptrs: Vec<PtrTarget>) -> SyscallSpec {
        SyscallSpec { nr: 0, args: [0; 6], bufs: bufs.iter().map(|len| SyscallBuf(vec![0; *len])).collect(), ptrs }
    }

    #[test]
    fn pointers_must_point_somewhere() {
        assert_eq!(check(&spec(&[8], vec![PtrTarget::Arg(5)])), Ok(()));
        assert_eq!(check(&spec(&[16, 1], vec![PtrTarget::Arg(1), PtrTarget::Buf { buf: 0, offset: 8 }])), Ok(()));
        for bad in [
            spec(&[8], vec![PtrTarget::Arg(6)]),
            spec(&[8], vec![PtrTarget::Buf { buf: 0, offset: 1 }]),
            spec(&[8], vec![PtrTarget::Buf { buf: 1, offset: 0 }]),
            spec(&[], vec![PtrTarget::Arg(0)]),
        ] {
            assert_eq!(check(&bad).map_err(|error| error.kind), Err(ErrorKind::Usage), "{bad:?}");
        }
        assert_eq!(check(&spec(&[0; 65], vec![])).map_err(|error| error.kind), Err(ErrorKind::Limit));
    }
}
