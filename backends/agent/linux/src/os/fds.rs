//! The descriptors that the agent holds, and how each is best read and written.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use provium_agent::sync::{First, Flag, race};
use provium_protocol::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::sys::{self, Fd};
use super::timer::Pauses;

/// How long a close waits for calls on the descriptor that were given up just before: each returns as soon as its
/// thread has run again, unless it sleeps uninterruptibly.
const CLOSE_PATIENCE: Duration = Duration::from_millis(200);

/// Bytes for reads of pipes: what a pipe holds.
const SCRATCH_BYTES: usize = 64 << 10;

/// The agent's end of a pipe that it made itself: it never sleeps in the kernel for it.
pub struct Pipe {
    io: AsyncFd<Fd>,
    closed: Flag,
}

impl Pipe {
    /// Reads when there is something to read.
    pub async fn read(&self, len: usize) -> Result<Vec<u8>, Errno> {
        self.when(Interest::READABLE, |fd| {
            // Most looks find nothing or little: the memory for more is had once.
            thread_local!(static SCRATCH: OnceCell<RefCell<Vec<u8>>> = const { OnceCell::new() });
            if len > SCRATCH_BYTES {
                return sys::read(fd, None, len);
            }
            SCRATCH.with(|scratch| {
                let scratch = scratch.get_or_init(|| RefCell::new(vec![0; SCRATCH_BYTES]));
                let mut scratch = scratch.borrow_mut();
                let room = scratch.get_mut(..len).unwrap_or_default();
                let moved = sys::read_into(fd, room)?;
                Ok(room.get(..moved).unwrap_or_default().to_vec())
            })
        })
        .await
    }

    /// Writes when there is room.
    pub async fn write(&self, data: &[u8]) -> Result<usize, Errno> {
        self.when(Interest::WRITABLE, |fd| sys::write(fd, data)).await
    }

    async fn when<T>(&self, interest: Interest, mut call: impl FnMut(i32) -> Result<T, Errno>) -> Result<T, Errno> {
        let io = self.io.async_io(interest, |fd| {
            loop {
                match call(fd.raw()) {
                    Err(Errno::EINTR) => {}
                    Err(errno) => return Err(io::Error::from_raw_os_error(errno.0)),
                    Ok(value) => return Ok(value),
                }
            }
        });
        match race(io, self.closed.wait()).await {
            First::A(outcome) => outcome.map_err(|error| sys::errno_of(&error)),
            First::B(()) => Err(Errno::EBADF),
        }
    }
}

/// What is known of an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file of a file system that lives in memory, by device and inode: calls on it never sleep for
    /// anything outside of the machine's memory.
    Memory(u64, u64),
    /// Another regular file.
    Regular,
    /// Anything else: a directory, a device, a FIFO.
    Other,
}

/// An open file.
pub struct File {
    pub fd: Fd,
    pub kind: Kind,
}

/// One descriptor.
#[derive(Clone)]
pub enum Entry {
    Pipe(Rc<Pipe>),
    /// Shared with the threads that make calls on it: a number must not be closed, and become another file's, while a
    /// call that was given up has not returned.
    File(Arc<File>),
}

/// All of them, by number.
#[derive(Default)]
pub struct Table {
    entries: RefCell<BTreeMap<i32, Entry>>,
}

impl Table {
    /// Finds a descriptor.
    pub fn get(&self, fd: i32) -> Result<Entry, Errno> {
        self.entries.borrow().get(&fd).cloned().ok_or(Errno::EBADF)
    }

    /// Finds an open file.
    pub fn file(&self, fd: i32) -> Result<Arc<File>, Errno> {
        match self.get(fd)? {
            Entry::File(file) => Ok(file),
            Entry::Pipe(_) => Err(Errno::EINVAL),
        }
    }

    /// Takes an open file in.
    pub fn add_file(&self, file: File) -> i32 {
        let number = file.fd.raw();
        self.entries.borrow_mut().insert(number, Entry::File(Arc::new(file)));
        number
    }

    /// Takes the agent's end of a pipe in, which must not block.
    pub fn add_pipe(&self, fd: Fd, interest: Interest) -> Result<i32, Errno> {
        let number = fd.raw();
        let io = sys::register(fd, interest)?;
        let pipe = Pipe { io, closed: Flag::default() };
        self.entries.borrow_mut().insert(number, Entry::Pipe(Rc::new(pipe)));
        Ok(number)
    }

    /// Takes a descriptor out, for it to be closed.
    pub fn remove(&self, fd: i32) -> Result<Entry, Errno> {
        self.entries.borrow_mut().remove(&fd).ok_or(Errno::EBADF)
    }
}

/// Has whoever waits on the agent's end of a pipe give up, and closes it with the last of them.
pub fn close_pipe(pipe: Rc<Pipe>) {
    pipe.closed.set();
}

/// Waits until nobody else uses an open file. `Err` with the file if that takes too long: then the last user closes it.
pub async fn alone(mut file: Arc<File>) -> Option<Fd> {
    let begun = std::time::Instant::now();
    let mut pauses = None;
    loop {
        file = match Arc::try_unwrap(file) {
            Ok(file) => return Some(file.fd),
            Err(file) => file,
        };
        if begun.elapsed() > CLOSE_PATIENCE {
            return None;
        }
        let pauses = pauses.get_or_insert_with(|| Pauses::new(Duration::from_micros(50), Duration::from_millis(5)));
        pauses.pause().await;
    }
}
