//! What the guest prints on its serial console, kept from the first byte, and what is typed there.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use provium_protocol::console::{Chunk, ConsoleLog};
use provium_protocol::limits::MAX_FRAME;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

use super::error::MachineError;

/// How much of the console's end goes into a report of how a machine ended.
pub const TAIL_LINES: usize = 40;
/// The same in bytes, for a guest that prints no newlines.
const TAIL_BYTES: usize = 8 << 10;
/// One read of the socket: larger than what QEMU writes at once.
const READ_AT_ONCE: usize = 16 << 10;

/// A guest's console. Copies are of the same console; it can be read after the machine has ended.
#[derive(Debug, Clone)]
pub struct Console {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    kept: Mutex<ConsoleLog>,
    /// The offset of the end; `true` when nothing can follow.
    end: watch::Sender<(u64, bool)>,
    input: tokio::sync::Mutex<Option<OwnedWriteHalf>>,
    machine: String,
}

impl Console {
    /// A console that begins with what was printed before: a restored guest's begins with the saved one's.
    pub(crate) fn new(machine: &str, before: &[u8]) -> Self {
        let mut kept = ConsoleLog::default();
        kept.push(before);
        let (end, _) = watch::channel((kept.end(), false));
        let input = tokio::sync::Mutex::new(None);
        Self { shared: Arc::new(Shared { kept: Mutex::new(kept), end, input, machine: machine.to_owned() }) }
    }

    /// Reads until QEMU is gone. It must be read all the time: a console that nobody reads stops the guest when the
    /// socket is full.
    pub(crate) async fn pump(&self, stream: UnixStream, log: Option<File>) {
        let (output, input) = stream.into_split();
        *self.shared.input.lock().await = Some(input);
        self.read_all(output, log).await;
        self.close();
        *self.shared.input.lock().await = None;
    }

    /// Nothing follows.
    pub(crate) fn close(&self) {
        self.shared.end.send_modify(|end| end.1 = true);
    }

    async fn read_all(&self, mut output: OwnedReadHalf, mut log: Option<File>) {
        let mut buffer = vec![0; READ_AT_ONCE];
        loop {
            match output.read(&mut buffer).await {
                Ok(0) => return,
                Ok(read) => {
                    // A disk that is full costs the rest of the file, not the guest.
                    if log.as_mut().is_some_and(|log| log.write_all(&buffer[..read]).is_err()) {
                        log = None;
                    }
                    let end = {
                        let mut kept = self.kept();
                        kept.push(&buffer[..read]);
                        kept.end()
                    };
                    self.shared.end.send_modify(|at| at.0 = end);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Reset by a QEMU that was killed: the end, as good as any.
                Err(_) => return,
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, ConsoleLog> {
        // What is kept is whole between any two calls, so a panic elsewhere does no harm to it.
        self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that was printed so far, or its last [`provium_protocol::limits::CONSOLE_KEPT`] bytes.
    #[must_use]
    pub fn log(&self) -> Chunk {
        self.kept().read(0, usize::MAX)
    }

    /// The last bytes.
    pub(crate) fn last(&self, most: usize) -> Vec<u8> {
        let kept = self.kept();
        kept.read(kept.end().saturating_sub(most as u64), most).bytes
    }

    /// The last lines, for people.
    #[must_use]
    pub fn tail(&self) -> String {
        let bytes = self.last(TAIL_BYTES);
        let text = String::from_utf8_lossy(&bytes).replace('\r', "");
        let lines: Vec<&str> = text.trim_end().lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }

    /// At most so many bytes from this offset on, or from the first that is kept.
    pub(crate) fn read(&self, from: u64, most: usize) -> Chunk {
        self.kept().read(from, most)
    }

    /// How much was printed, and whether nothing can follow.
    pub(crate) fn ends(&self) -> watch::Receiver<(u64, bool)> {
        self.shared.end.subscribe()
    }

    /// A reader that begins with the first byte.
    #[must_use]
    pub fn subscribe(&self) -> ConsoleReader {
        ConsoleReader { console: self.clone(), at: 0, end: self.shared.end.subscribe() }
    }

    /// Types this. Waits while the guest takes nothing; whoever has a deadline drops the future.
    pub async fn write(&self, bytes: &[u8]) -> Result<(), MachineError> {
        let failed = |source| MachineError::Console { name: self.shared.machine.clone(), source };
        let mut input = self.shared.input.lock().await;
        match input.as_mut() {
            Some(input) => input.write_all(bytes).await.map_err(failed),
            None => Err(failed(io::ErrorKind::NotConnected.into())),
        }
    }
}

/// Reads a console from its first byte on, at its own pace.
#[derive(Debug)]
pub struct ConsoleReader {
    console: Console,
    at: u64,
    end: watch::Receiver<(u64, bool)>,
}

impl ConsoleReader {
    /// The next piece, when there is one; `None` when the machine has ended and all was read. Loses nothing when dropped.
    pub async fn next(&mut self) -> Option<Chunk> {
        loop {
            let (end, over) = *self.end.borrow_and_update();
            if end > self.at {
                let chunk = self.console.kept().read(self.at, MAX_FRAME);
                self.at = chunk.offset + chunk.bytes.len() as u64;
                return Some(chunk);
            }
            if over || self.end.changed().await.is_err() {
                return None;
            }
        }
    }

    /// Skips what was printed so far.
    pub fn skip_to_end(&mut self) {
        self.at = self.end.borrow_and_update().0;
    }
}

#[cfg(test)]
mod tests {
    use provium_protocol::limits::CONSOLE_KEPT;

    use super::*;

    async fn printed(console: &Console, text: &[u8]) {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let (_, ()) = tokio::join!(console.pump(ours, None), async {
            theirs.write_all(text).await.unwrap();
            drop(theirs);
        });
    }

    #[tokio::test]
    async fn a_reader_begins_with_the_first_byte() {
        let console = Console::new("vm", b"before ");
        printed(&console, b"and after\r\n").await;
        let mut reader = console.subscribe();
        let first = reader.next().await.unwrap();
        assert_eq!((first.offset, first.bytes.as_slice()), (0, b"before and after\r\n".as_slice()));
        assert_eq!(reader.next().await, None);
        assert_eq!(console.tail(), "before and after");
    }

    #[tokio::test]
    async fn what_is_given_up_shows_in_the_offset() {
        let console = Console::new("vm", &vec![b'a'; CONSOLE_KEPT]);
        let mut late = console.subscribe();
        printed(&console, b"bbb").await;
        assert_eq!(late.next().await.unwrap().offset, 3);
        assert_eq!(console.log().bytes.len(), CONSOLE_KEPT);
    }

    #[tokio::test]
    async fn nothing_can_be_typed_at_a_machine_that_ended() {
        let console = Console::new("vm", b"");
        printed(&console, b"").await;
        let error = console.write(b"x").await.unwrap_err().to_string();
        assert!(error.contains("takes no input"), "{error}");
    }
}
