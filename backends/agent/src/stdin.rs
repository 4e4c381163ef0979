//! Standard input of a process: a pipe that writers fill one after another.

use std::cell::Cell;
use std::rc::Rc;

use provium_protocol::{Errno, OpError};
use tokio::sync::Mutex;

use crate::Os;
use crate::process::Proc;
use crate::sync::{First, race};

/// The writing end.
pub struct Stdin {
    /// Whether more may be written: a close was not asked for yet.
    open: Cell<bool>,
    /// The descriptor, until it is closed. Writers and the close take turns, first come first served.
    fd: Mutex<Option<i32>>,
}

impl Stdin {
    /// Whether there is nothing left to close.
    pub fn is_closed(&self) -> bool {
        self.fd.try_lock().is_ok_and(|fd| fd.is_none())
    }

    /// `/dev/null`.
    pub fn none() -> Stdin {
        Stdin { open: Cell::new(false), fd: Mutex::const_new(None) }
    }

    /// A pipe.
    pub fn pipe(fd: i32, stays_open: bool) -> Stdin {
        Stdin { open: Cell::new(stays_open), fd: Mutex::const_new(Some(fd)) }
    }
}

/// Writes all of `data` or says why not.
pub async fn write<O: Os>(os: &O, proc: &Proc, data: &[u8]) -> Result<u64, OpError> {
    if !proc.stdin.open.get() {
        return Err(OpError::state(format!("standard input of {} is closed", proc.describe())));
    }
    let fd = proc.stdin.fd.lock().await;
    let outcome = match *fd {
        Some(fd) => write_all(os, proc, fd, data).await,
        // The process ended while this write waited for its turn.
        None => Err(Errno::EPIPE),
    };
    match outcome {
        Ok(()) => Ok(data.len() as u64),
        Err(errno) => Err(OpError::os(errno, format!("write to standard input of {}", proc.describe()))),
    }
}

/// Starts to write what the command was given; `close` says whether that is all it will get.
pub fn feed<O: Os>(os: &Rc<O>, proc: &Rc<Proc>, data: Vec<u8>, close: bool) {
    let (task_os, proc) = (os.clone(), proc.clone());
    os.spawn_task(Box::pin(async move {
        let mut fd = proc.stdin.fd.lock().await;
        if let Some(number) = *fd {
            // A process may end or close its input without having read all of it; that is its affair.
            let _ = write_all(&*task_os, &proc, number, &data).await;
            if close {
                *fd = None;
                let _ = task_os.close(number).await;
            }
        }
    }));
}

/// Closes the pipe after what is already being written; twice is fine. A writer before it may be held
/// up by a full pipe: then the close happens behind the caller's back.
pub async fn close<O: Os>(os: &Rc<O>, proc: &Rc<Proc>) {
    proc.stdin.open.set(false);
    if let Ok(mut fd) = proc.stdin.fd.try_lock() {
        if let Some(number) = fd.take() {
            let _ = os.close(number).await;
        }
        return;
    }
    let (task_os, proc) = (os.clone(), proc.clone());
    os.spawn_task(Box::pin(async move {
        let taken = proc.stdin.fd.lock().await.take();
        if let Some(number) = taken {
            let _ = task_os.close(number).await;
        }
    }));
}

async fn write_all<O: Os>(os: &O, proc: &Proc, fd: i32, mut data: &[u8]) -> Result<(), Errno> {
    while !data.is_empty() {
        // When the pipes are cut, whoever still holds the reading end must not hold the writer up.
        let written = match race(os.write(fd, data), proc.cut.wait()).await {
            First::A(written) => written?,
            First::B(()) => return Err(Errno::EPIPE),
        };
        data = data.get(written..).unwrap_or_default();
    }
    Ok(())
}
