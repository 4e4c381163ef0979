//! The console of a guest as its test sees it: one line from power-on to power-off. A reset is a new machine here, so it is
//! made of the consoles of all machines that the guest has been, one behind the other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use provium_protocol::console::{Chunk, ConsoleStreams, Look, whole};
use provium_protocol::limits::{CONSOLE_KEPT, MAX_FRAME};
use provium_protocol::{Frame, OpError, StreamId};
use tokio::sync::watch;

use crate::machine::Console;

/// One guest's console. Copies are of the same one.
#[derive(Clone)]
pub(crate) struct GuestConsole {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// A machine follows, or none any more, or a stream was closed.
    changed: watch::Sender<()>,
}

/// The console of one machine, and where it begins in that of the guest.
struct Part {
    start: u64,
    console: Console,
}

#[derive(Default)]
struct State {
    parts: Vec<Part>,
    /// No machine follows.
    over: bool,
    streams: ConsoleStreams,
}

impl Default for GuestConsole {
    fn default() -> GuestConsole {
        GuestConsole { shared: Arc::new(Shared { state: Mutex::default(), changed: watch::channel(()).0 }) }
    }
}

impl GuestConsole {
    /// Goes on with a machine.
    pub fn goes_on(&self, console: &Console) {
        let mut state = self.shared.state();
        let start = state.end();
        state.parts.push(Part { start, console: console.clone() });
        state.over = false;
        // What ends before what is kept begins is in nobody's way any more.
        let first = start.saturating_sub(CONSOLE_KEPT as u64);
        let gone = state.parts.iter().skip(1).take_while(|part| part.start <= first).count();
        state.parts.drain(..gone);
        drop(state);
        self.shared.changed.send_replace(());
    }

    /// Nothing follows what the machine printed.
    pub fn ends(&self) {
        self.shared.state().over = true;
        self.shared.changed.send_replace(());
    }

    /// Opens a stream from the first byte.
    pub fn open(&self) -> StreamId {
        self.shared.state().streams.open()
    }

    /// Closes a stream; one that is not open is none the worse for it.
    pub fn close(&self, stream: StreamId) {
        self.shared.state().streams.close(stream);
        self.shared.changed.send_replace(());
    }

    /// All that is kept.
    pub fn log(&self) -> Vec<u8> {
        let state = self.shared.state();
        let mut kept = state.read(0, usize::MAX);
        loop {
            let next = state.read(kept.offset + kept.bytes.len() as u64, usize::MAX);
            if next.bytes.is_empty() {
                return whole(kept);
            }
            kept.bytes.extend_from_slice(&next.bytes);
        }
    }

    /// The next piece of a stream. It is taken by the poll that returns it: dropping the future loses nothing.
    pub async fn next_frame_of(self, stream: StreamId) -> Result<Option<Frame>, OpError> {
        let mut changed = self.shared.changed.subscribe();
        loop {
            changed.borrow_and_update();
            let newest = self.shared.state().parts.last().map(|part| part.console.ends());
            // A receiver that was just made has seen what there is, and what comes from here on wakes it.
            match self.shared.look(stream)? {
                Look::Piece(frame) => return Ok(Some(frame)),
                Look::End => return Ok(None),
                Look::Nothing => {}
            }
            let printed = async {
                match newest {
                    // The console is kept here, so its end is no error.
                    Some(mut newest) => newest.changed().await.unwrap_or(()),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = changed.changed() => {}
                () = printed => {}
            }
        }
    }

    /// See [`GuestConsole::next_frame_of`].
    pub fn next_frame(&self, stream: StreamId) -> impl Future<Output = Result<Option<Frame>, OpError>> + Send + use<> {
        self.clone().next_frame_of(stream)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // It is whole between any two calls.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, stream: StreamId) -> Result<Look, OpError> {
        let mut state = self.state();
        let state = &mut *state;
        let mut streams = std::mem::take(&mut state.streams);
        // Asked before reading: what is printed in between is read at the next look.
        let over = state.over && state.parts.last().is_none_or(|part| part.console.ends().borrow().1);
        let looked = streams.look(stream, over, |at| state.read(at, MAX_FRAME));
        state.streams = streams;
        looked
    }
}

impl State {
    /// How much was ever printed.
    fn end(&self) -> u64 {
        self.parts.last().map_or(0, |part| part.start + part.console.ends().borrow().0)
    }

    /// The offset from which on all is kept.
    fn first(&self) -> u64 {
        self.end().saturating_sub(CONSOLE_KEPT as u64)
    }

    /// At most so many bytes from this offset on, or from the first that is kept, of one machine's console.
    fn read(&self, from: u64, most: usize) -> Chunk {
        let at = from.max(self.first());
        let index = self.parts.iter().rposition(|part| part.start <= at).unwrap_or(0);
        // A machine that printed no more is followed by the next.
        let found = self.parts.iter().skip(index).find_map(|part| {
            let piece = part.console.read(at.saturating_sub(part.start), most);
            let offset = part.start + piece.offset;
            (offset >= at && !piece.bytes.is_empty()).then_some(Chunk { offset, bytes: piece.bytes })
        });
        found.unwrap_or(Chunk { offset: at, bytes: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll(console: &GuestConsole, stream: StreamId) -> Poll<Result<Option<Vec<u8>>, OpError>> {
        let mut next = Box::pin(console.next_frame(stream));
        let polled = next.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        polled.map(|frame| frame.map(|frame| frame.map(|frame| frame.data)))
    }

    fn gives(console: &GuestConsole, stream: StreamId, bytes: &[u8]) {
        assert_eq!(poll(console, stream), Poll::Ready(Ok(Some(bytes.to_vec()))));
    }

    fn machine(printed: &[u8]) -> Console {
        Console::new("vm", printed)
    }

    #[test]
    fn a_stream_goes_on_over_a_reset_and_ends_with_the_power() {
        let console = GuestConsole::default();
        let first = machine(b"one");
        console.goes_on(&first);
        let stream = console.open();
        gives(&console, stream, b"one");
        assert_eq!(poll(&console, stream), Poll::Pending);
        first.close();
        assert_eq!(poll(&console, stream), Poll::Pending, "it may be reset");
        let second = machine(b"two");
        console.goes_on(&second);
        gives(&console, stream, b"two");
        console.ends();
        assert_eq!(poll(&console, stream), Poll::Pending, "the machine may still be printing");
        second.close();
        assert_eq!(poll(&console, stream), Poll::Ready(Ok(None)));
        let late = console.open();
        gives(&console, late, b"one");
        gives(&console, late, b"two");
        assert_eq!(console.log(), b"onetwo");
    }

    #[test]
    fn who_is_too_far_behind_is_told_once() {
        let console = GuestConsole::default();
        let stream = {
            console.goes_on(&machine(b"12345"));
            console.open()
        };
        console.goes_on(&machine(&vec![b'a'; CONSOLE_KEPT - 2]));
        let Poll::Ready(Err(error)) = poll(&console, stream) else { panic!("an error") };
        assert!(error.message.starts_with("3 bytes of the console were given up"), "{}", error.message);
        gives(&console, stream, b"45");
        gives(&console, stream, &[b'a'; MAX_FRAME]);
        assert!(console.log().starts_with(b"[provium: the first 3 bytes of this console were given up]\r\n45aaa"));
        assert!(console.log().ends_with(b"a"));
    }

    #[test]
    fn a_machine_that_talks_too_much_alone_is_told_too() {
        let console = GuestConsole::default();
        console.goes_on(&machine(&vec![b'a'; CONSOLE_KEPT + 7]));
        let stream = console.open();
        let Poll::Ready(Err(error)) = poll(&console, stream) else { panic!("an error") };
        assert!(error.message.starts_with("7 bytes"), "{}", error.message);
    }

    #[test]
    fn a_closed_stream_says_so_to_who_waits() {
        let console = GuestConsole::default();
        let stream = console.open();
        let mut next = Box::pin(console.next_frame(stream));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(next.as_mut().poll(&mut context), Poll::Pending);
        console.close(stream);
        console.close(stream);
        let Poll::Ready(Err(error)) = next.as_mut().poll(&mut context) else { panic!("an error") };
        assert_eq!(error.message, "stream is closed");
    }
}
