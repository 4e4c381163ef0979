//! Standard output as C's stdio does it: a buffer of one block, written when it is full and at the end.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use provium_kernel::{Errno, Fd, Sys};

use super::tool::{Exit, report};

/// Bytes that stdio gathers before it writes: `st_blksize` of files and pipes.
pub const BUFFER: usize = 4096;

/// A buffered writer. Clones share the buffer, as all of a process shares `stdout`.
///
/// A write that fails is reported once (`NAME: write error: TEXT`) and ends the tool, as in the GNU
/// tools. `EPIPE` comes with SIGPIPE, which kills the process unless it is ignored.
#[derive(Clone)]
pub struct Out(Rc<Inner>);

struct Inner {
    sys: Sys,
    fd: Fd,
    name: RefCell<Rc<[u8]>>,
    buffer: RefCell<Vec<u8>>,
    failure: Cell<i32>,
    failed: Cell<bool>,
    /// `None` until the first write asks the kernel, as stdio does.
    line_buffered: Cell<Option<bool>>,
}

impl Out {
    /// A writer to `fd` for the tool `name`.
    #[must_use]
    pub fn new(sys: Sys, fd: Fd, name: Rc<[u8]>) -> Out {
        Out(Rc::new(Inner {
            sys,
            fd,
            name: RefCell::new(name),
            buffer: RefCell::new(Vec::new()),
            failure: Cell::new(1),
            failed: Cell::new(false),
            line_buffered: Cell::new(None),
        }))
    }

    /// Calls the tool by another name from now on; the buffer stays the same one for all clones.
    pub fn rename(&self, name: Rc<[u8]>) {
        *self.0.name.borrow_mut() = name;
    }

    /// The exit code after a failed write, 1 unless set (`ls`: 2).
    pub fn set_failure(&self, code: i32) {
        self.0.failure.set(code);
    }

    /// Writes each line at once (`grep --line-buffered`, `sed -u`).
    pub fn set_line_buffered(&self, on: bool) {
        self.0.line_buffered.set(Some(on));
    }

    /// Appends to the buffer; whole blocks are written on the way.
    pub async fn write(&self, data: impl AsRef<[u8]>) -> Result<(), Exit> {
        let data = data.as_ref();
        let line_buffered = match self.0.line_buffered.get() {
            Some(known) => known,
            None => {
                let terminal = self.0.sys.isatty(self.0.fd).await;
                self.0.line_buffered.set(Some(terminal));
                terminal
            }
        };
        let held = self.0.buffer.borrow().len();
        if held + data.len() < BUFFER {
            self.0.buffer.borrow_mut().extend_from_slice(data);
        } else {
            // What fits fills the buffer, whole blocks after it go out directly, the rest is kept.
            let (fits, rest) = data.split_at(data.len().min(BUFFER - held));
            self.0.buffer.borrow_mut().extend_from_slice(fits);
            self.flush().await?;
            let (blocks, rest) = rest.split_at(rest.len() - rest.len() % BUFFER);
            self.send(blocks).await?;
            self.0.buffer.borrow_mut().extend_from_slice(rest);
        }
        if line_buffered && data.contains(&b'\n') {
            self.flush().await?;
        }
        Ok(())
    }

    /// Writes what is held.
    pub async fn flush(&self) -> Result<(), Exit> {
        let held = self.0.buffer.take();
        self.send(&held).await
    }

    /// Writes what is held and says what went wrong instead of reporting it.
    pub async fn try_flush(&self) -> Result<(), Errno> {
        let held = self.0.buffer.take();
        self.0.sys.write_all(self.0.fd, &held).await
    }

    /// Forgets what is held: for a child that must not write its parent's output again.
    pub fn discard(&self) {
        self.0.buffer.take();
    }

    async fn send(&self, data: &[u8]) -> Result<(), Exit> {
        if data.is_empty() {
            return Ok(());
        }
        let Err(errno) = self.0.sys.write_all(self.0.fd, data).await else { return Ok(()) };
        if !self.0.failed.replace(true) {
            let name = Rc::clone(&self.0.name.borrow());
            report(&self.0.sys, &name, b"write error", Some(errno)).await;
        }
        Err(Exit(self.0.failure.get()))
    }
}
