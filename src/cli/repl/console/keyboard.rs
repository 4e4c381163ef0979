//! Standard input, read on a thread of its own: a read of it cannot be given up, and guests go on meanwhile.

use std::future::poll_fn;
use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

/// Pieces that are read ahead, before who writes them has to wait.
const AHEAD: usize = 16;

/// The longest piece, in bytes: a terminal's longest line.
const PIECE: u64 = 4096;

/// Pieces of standard input. A task that waits for one is woken by the thread that reads it.
pub(super) struct Keyboard {
    pieces: Receiver<io::Result<Vec<u8>>>,
    waiting: Arc<Mutex<Option<Waker>>>,
}

impl Keyboard {
    /// Reads keys as they come.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub fn keys() -> io::Result<Keyboard> {
        Keyboard::reads(|| {
            let mut piece = vec![0; PIECE as usize];
            let count = io::stdin().lock().read(&mut piece)?;
            piece.truncate(count);
            Ok(piece)
        })
    }

    /// Reads lines, with their ends.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub fn lines() -> io::Result<Keyboard> {
        Keyboard::reads(|| {
            let mut line = Vec::new();
            io::stdin().lock().take(PIECE).read_until(b'\n', &mut line)?;
            Ok(line)
        })
    }

    fn reads(mut read: impl FnMut() -> io::Result<Vec<u8>> + Send + 'static) -> io::Result<Keyboard> {
        let (put, pieces) = sync_channel(AHEAD);
        let waiting = Arc::new(Mutex::new(None));
        let wakes = Wakes(Arc::clone(&waiting));
        std::thread::Builder::new().name("provium-keyboard".to_owned()).spawn(move || {
            loop {
                let piece = read();
                let ends = match &piece {
                    Ok(piece) if piece.is_empty() => break,
                    piece => piece.is_err(),
                };
                if !give(&put, &wakes, piece) || ends {
                    break;
                }
            }
            // In this order: who is woken must find that there is no more.
            drop(put);
            drop(wakes);
        })?;
        Ok(Keyboard { pieces, waiting })
    }

    /// The next piece; `None` at the end.
    pub async fn next(&self) -> Option<io::Result<Vec<u8>>> {
        poll_fn(|context| {
            // Before the look: what is read in between wakes.
            *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
            match self.pieces.try_recv() {
                Ok(piece) => Poll::Ready(Some(piece)),
                Err(TryRecvError::Disconnected) => Poll::Ready(None),
                Err(TryRecvError::Empty) => Poll::Pending,
            }
        })
        .await
    }

    /// The next piece, with everything else standing still until it is there; `None` at the end.
    pub fn wait(&self) -> Option<io::Result<Vec<u8>>> {
        self.pieces.recv().ok()
    }
}

/// Hands a piece over; whether anybody wants more.
fn give(put: &SyncSender<io::Result<Vec<u8>>>, wakes: &Wakes, piece: io::Result<Vec<u8>>) -> bool {
    let taken = put.send(piece).is_ok();
    wakes.wake();
    taken
}

/// Wakes who waits, and does so once more when nothing follows.
struct Wakes(Arc<Mutex<Option<Waker>>>);

impl Wakes {
    fn wake(&self) {
        if let Some(waker) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            waker.wake();
        }
    }
}

impl Drop for Wakes {
    fn drop(&mut self) {
        self.wake();
    }
}
