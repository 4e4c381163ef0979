//! The bytes of an answer that is read piece by piece.

use std::rc::Rc;

use provium_protocol::limits::MAX_READ;
use provium_protocol::{Errno, LocalFuture, OpError, Reply};

use crate::Os;
use crate::os::READ_AT_ONCE;

/// Takes the beginning of an answer on its way while the rest of it is still being read: so a guest need not have memory for
/// all of it, and reads while its host takes in what was read before.
pub trait Pieces {
    /// Bytes that a piece should have.
    fn size(&self) -> usize;
    /// Takes the next bytes of the answer, whose last ones are those of the reply; ends when there is room for more.
    fn put(&self, data: Vec<u8>) -> LocalFuture<()>;
}

/// Where an operation may put the beginning of its answer, if anywhere.
pub type Taker = Option<Rc<dyn Pieces>>;

/// The bytes that were read so far.
pub struct Gathering<'a, O> {
    os: &'a O,
    fd: i32,
    /// For messages: the operation and the file.
    doing: &'a str,
    path: &'a str,
    taker: Taker,
    /// Bytes that are on their way.
    given: u64,
    all: Vec<u8>,
}

impl<'a, O: Os> Gathering<'a, O> {
    /// Nothing yet of what is read from `fd`.
    pub fn new(os: &'a O, fd: i32, doing: &'a str, path: &'a str, taker: Taker) -> Gathering<'a, O> {
        Gathering { os, fd, doing, path, taker, given: 0, all: Vec::new() }
    }

    /// How many bytes the next read should ask for.
    pub fn at_once(&self) -> Result<usize, OpError> {
        let at_once = self.os.bytes_at_once(self.fd);
        match &self.taker {
            Some(taker) if self.given > 0 => Ok(taker.size()),
            Some(_) => Ok(at_once.min(READ_AT_ONCE)),
            None => self.check_room(at_once).map(|()| at_once),
        }
    }

    /// Takes what was read; `false` at the end.
    pub async fn take(&mut self, data: Vec<u8>) -> Result<bool, OpError> {
        if data.is_empty() {
            return Ok(false);
        }
        if self.given + (self.all.len() + data.len()) as u64 > MAX_READ {
            return Err(OpError::limit(format!(
                "{} holds more than {MAX_READ} bytes, the most that one read returns (MAX_READ)",
                self.path
            )));
        }
        if self.all.is_empty() {
            self.all = data;
        } else {
            // A buffer that grows becomes up to twice as large, and is copied for it.
            self.check_room(2 * self.all.len() + data.len())?;
            self.all.extend_from_slice(&data);
        }
        // What is small is one answer.
        if let Some(taker) = &self.taker
            && (self.given > 0 || self.all.len() >= READ_AT_ONCE)
        {
            self.given += self.all.len() as u64;
            taker.put(std::mem::take(&mut self.all)).await;
        }
        Ok(true)
    }

    /// The answer, or what is left of it.
    pub fn reply(self) -> Reply {
        Reply::Bytes(self.all)
    }

    /// Refuses to go on where there is no memory for so many bytes more.
    fn check_room(&self, more: usize) -> Result<(), OpError> {
        if more <= READ_AT_ONCE || self.os.has_room(more as u64) {
            return Ok(());
        }
        let doing = format!(
            "{} {} (no memory for its bytes after the first {} MiB)",
            self.doing,
            self.path,
            self.all.len() >> 20
        );
        Err(OpError::os(Errno::ENOMEM, doing))
    }
}
