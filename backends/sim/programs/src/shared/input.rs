//! Input line by line, read in blocks as C's stdio reads.

use provium_kernel::{Errno, Fd, Sys};

/// Bytes that stdio asks for in one read.
pub const BLOCK: usize = 4096;

/// The longest line that is held, in bytes: input without line ends must not fill the host's memory.
pub const MAX_LINE: usize = 64 << 20;

/// Reads pieces that end in a delimiter.
pub struct LineReader {
    sys: Sys,
    fd: Fd,
    block: usize,
    held: Vec<u8>,
    /// Where what is not yet returned starts in `held`.
    start: usize,
    ended: bool,
}

impl LineReader {
    /// A reader of `fd` that asks for 4096 bytes at a time.
    #[must_use]
    pub fn new(sys: Sys, fd: Fd) -> LineReader {
        LineReader::with_block(sys, fd, BLOCK)
    }

    /// A reader that asks for `block` bytes at a time.
    #[must_use]
    pub fn with_block(sys: Sys, fd: Fd, block: usize) -> LineReader {
        LineReader { sys, fd, block: block.max(1), held: Vec::new(), start: 0, ended: false }
    }

    /// The next line with its `\n`; the last one may lack it. `None` at the end.
    pub async fn line(&mut self) -> Result<Option<Vec<u8>>, Errno> {
        self.until(b'\n').await
    }

    /// The next piece up to and including `delimiter`; the last one may lack it. `None` at the end.
    /// A line longer than [`MAX_LINE`] is `ENOMEM`.
    pub async fn until(&mut self, delimiter: u8) -> Result<Option<Vec<u8>>, Errno> {
        let mut searched = self.start;
        loop {
            if let Some(at) = self.held[searched..].iter().position(|&byte| byte == delimiter) {
                let end = searched + at + 1;
                let line = self.held[self.start..end].to_vec();
                self.start = end;
                return Ok(Some(line));
            }
            if self.held.len() - self.start > MAX_LINE {
                return Err(Errno::ENOMEM);
            }
            self.held.drain(..self.start);
            self.start = 0;
            searched = self.held.len();
            if !self.fill().await? {
                let rest = std::mem::take(&mut self.held);
                return Ok((!rest.is_empty()).then_some(rest));
            }
        }
    }

    /// Whether there is more to return; reads ahead if nothing is held.
    pub async fn has_more(&mut self) -> Result<bool, Errno> {
        if self.start < self.held.len() {
            return Ok(true);
        }
        self.held.clear();
        self.start = 0;
        self.fill().await
    }

    /// What was read from the descriptor and not returned yet.
    #[must_use]
    pub fn unread(&self) -> &[u8] {
        &self.held[self.start..]
    }

    async fn fill(&mut self) -> Result<bool, Errno> {
        if self.ended {
            return Ok(false);
        }
        let data = self.sys.read(self.fd, self.block).await?;
        self.ended = data.is_empty();
        self.held.extend_from_slice(&data);
        Ok(!self.ended)
    }
}
