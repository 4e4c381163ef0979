//! What a guest printed on its console, as every backend keeps it: the last [`CONSOLE_KEPT`] bytes, by their offsets.

use std::collections::VecDeque;

use crate::OpError;
use crate::limits::CONSOLE_KEPT;

/// The end of what was printed.
#[derive(Clone, Debug, Default)]
pub struct ConsoleLog {
    bytes: VecDeque<u8>,
    first: u64,
}

/// A piece of what was printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Where it begins, counted from the console's first byte. When it is more than what was asked for, what is between was
    /// given up.
    pub offset: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl ConsoleLog {
    /// The offset of the first byte that is kept.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The offset behind the last byte: how many were ever printed.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first + self.bytes.len() as u64
    }

    /// More was printed.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        let over = self.bytes.len().saturating_sub(CONSOLE_KEPT);
        self.bytes.drain(..over);
        self.first += over as u64;
    }

    /// At most so many bytes from this offset on, or from the first that is kept.
    #[must_use]
    pub fn read(&self, from: u64, most: usize) -> Chunk {
        let offset = from.clamp(self.first, self.end());
        let skip = usize::try_from(offset - self.first).unwrap_or(usize::MAX).min(self.bytes.len());
        Chunk { offset, bytes: self.bytes.range(skip..).take(most).copied().collect() }
    }
}

/// The whole log for [`crate::Op::ConsoleLog`]: if it does not begin with the first byte, a line says so.
#[must_use]
pub fn whole(kept: Chunk) -> Vec<u8> {
    if kept.offset == 0 {
        return kept.bytes;
    }
    let mut log = format!("[provium: the first {} bytes of this console were given up]\r\n", kept.offset).into_bytes();
    log.extend_from_slice(&kept.bytes);
    log
}

/// The error of a reader that missed this many bytes.
#[must_use]
pub fn behind(missed: u64) -> OpError {
    OpError::limit(format!(
        "{missed} bytes of the console were given up before this stream read them: the last {} MiB are kept; the next read \
         goes on behind them",
        CONSOLE_KEPT >> 20
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_given_up_and_shows_in_the_offset() {
        let mut log = ConsoleLog::default();
        log.push(b"begin");
        assert_eq!(whole(log.read(0, usize::MAX)), b"begin");
        log.push(&vec![b'a'; CONSOLE_KEPT - 2]);
        assert_eq!((log.first(), log.end()), (3, CONSOLE_KEPT as u64 + 3));
        assert_eq!(log.read(0, 4), Chunk { offset: 3, bytes: b"inaa".to_vec() });
        assert_eq!(log.read(u64::MAX, 4), Chunk { offset: log.end(), bytes: Vec::new() });
        let shown = whole(log.read(0, 2));
        assert_eq!(shown, b"[provium: the first 3 bytes of this console were given up]\r\nin");
    }
}
