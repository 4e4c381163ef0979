//! What a guest printed on its console, as every backend keeps it: the last [`CONSOLE_KEPT`] bytes, by their offsets.

use std::collections::{BTreeMap, VecDeque};

use crate::limits::CONSOLE_KEPT;
use crate::{Frame, OpError, StreamId};

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

/// The open streams of one console, and how far each was read.
#[derive(Debug, Default)]
pub struct ConsoleStreams {
    read: BTreeMap<StreamId, u64>,
    opened: u64,
}

/// What a look at a stream came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    /// The next piece; it is taken.
    Piece(Frame),
    /// Nothing follows.
    End,
    /// Nothing yet.
    Nothing,
}

impl ConsoleStreams {
    /// Opens a stream from the first byte.
    pub fn open(&mut self) -> StreamId {
        self.opened += 1;
        let stream = StreamId::console(self.opened);
        self.read.insert(stream, 0);
        stream
    }

    /// Closes a stream; one that is not open is none the worse for it.
    pub fn close(&mut self, stream: StreamId) {
        self.read.remove(&stream);
    }

    /// Takes the next piece of a stream. `piece` gives at most [`crate::limits::MAX_FRAME`] bytes from an offset on, or from the first that
    /// is kept; `over` says that it will never give more than it does now.
    ///
    /// # Errors
    /// When the stream is closed, and once when it missed something.
    pub fn look(&mut self, stream: StreamId, over: bool, piece: impl FnOnce(u64) -> Chunk) -> Result<Look, OpError> {
        let at = self.read.get_mut(&stream).ok_or_else(|| OpError::state("stream is closed"))?;
        let Chunk { offset, bytes } = piece(*at);
        if offset > *at {
            let missed = offset - *at;
            *at = offset;
            return Err(behind(missed));
        }
        if bytes.is_empty() {
            return Ok(if over { Look::End } else { Look::Nothing });
        }
        *at += bytes.len() as u64;
        Ok(Look::Piece(Frame { data: bytes }))
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
fn behind(missed: u64) -> OpError {
    OpError::limit(format!(
        "{missed} bytes of the console were given up before this stream read them: the last {} MiB are kept; the next read \
         goes on behind them",
        CONSOLE_KEPT >> 20
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_FRAME;

    #[test]
    fn a_stream_is_read_piece_by_piece_to_its_end() {
        let mut log = ConsoleLog::default();
        let mut streams = ConsoleStreams::default();
        let (first, second) = (streams.open(), streams.open());
        assert_eq!(streams.look(first, false, |at| log.read(at, MAX_FRAME)), Ok(Look::Nothing));
        log.push(&[b'a'; MAX_FRAME + 1]);
        let mut look = |stream, over| streams.look(stream, over, |at| log.read(at, MAX_FRAME));
        assert_eq!(look(first, true), Ok(Look::Piece(Frame { data: vec![b'a'; MAX_FRAME] })));
        assert_eq!(look(first, true), Ok(Look::Piece(Frame { data: vec![b'a'] })));
        assert_eq!(look(first, true), Ok(Look::End));
        log.push(&[b'b'; CONSOLE_KEPT]);
        let mut look = |stream, over| streams.look(stream, over, |at| log.read(at, MAX_FRAME));
        let error = look(second, false).expect_err("it missed something");
        assert!(error.message.starts_with("65537 bytes of the console were given up"), "{}", error.message);
        assert_eq!(look(second, false), Ok(Look::Piece(Frame { data: vec![b'b'; MAX_FRAME] })));
        streams.close(second);
        streams.close(second);
        let error = streams.look(second, false, |at| log.read(at, MAX_FRAME)).expect_err("it is closed");
        assert_eq!(error.message, "stream is closed");
    }

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
