//! Bytes on their way from a descriptor to those who want them: kept up to a limit for the result, and
//! read by any number of streams, each at its own pace.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use provium_protocol::limits::{FRAMES_IN_FLIGHT, MAX_FRAME};
use provium_protocol::{OpError, StreamId};
use tokio::sync::Notify;

use crate::sync::until;

/// Bytes of output that the agent of one guest keeps for results at once, in bytes (1 GiB): many
/// commands may each keep their own limit, the host's memory is one.
const MAX_KEPT: u64 = 1 << 30;

/// How much is kept between two questions whether the system has room for more, in bytes.
const ROOM_STEP: u64 = 1 << 20;

/// What the agent may still keep.
pub struct Budget {
    left: Cell<u64>,
    /// Whether the system has so many bytes to spare.
    has_room: Box<dyn Fn(u64) -> bool>,
}

impl Default for Budget {
    fn default() -> Self {
        Budget::new(Box::new(|_| true))
    }
}

impl Budget {
    /// All that may be kept at once, as long as `has_room` says that the system has so many bytes to spare.
    pub fn new(has_room: Box<dyn Fn(u64) -> bool>) -> Budget {
        Budget { left: Cell::new(MAX_KEPT), has_room }
    }

    /// Takes what there is of `wanted` more bytes, for somebody who has kept `before`.
    fn take(&self, before: u64, wanted: u64) -> u64 {
        // A result is a copy of what is kept, and a message with another one.
        if before / ROOM_STEP != (before + wanted) / ROOM_STEP && !self.has_room(2 * (before + wanted)) {
            return 0;
        }
        let granted = wanted.min(self.left.get());
        self.left.set(self.left.get() - granted);
        granted
    }

    /// Whether the system can spare so many bytes, and some more for the next ones.
    fn has_room(&self, bytes: u64) -> bool {
        (self.has_room)(bytes + ROOM_STEP)
    }

    fn give_back(&self, bytes: u64) {
        self.left.set(self.left.get() + bytes);
    }
}

/// Bytes beyond what is kept that may wait for the slowest stream.
const WINDOW: usize = FRAMES_IN_FLIGHT * MAX_FRAME;

/// What a stream finds.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// The next bytes, at most a frame of them.
    Data(Vec<u8>),
    /// So many bytes went by before the stream was opened and are kept no more.
    Gap(u64),
    /// There will be no more.
    End,
}

#[derive(Default)]
struct State {
    /// The first bytes, up to the limit.
    kept: Vec<u8>,
    /// Some bytes were not kept, so that no later ones are either.
    full: bool,
    /// What came after them and some stream has not read yet.
    beyond: VecDeque<u8>,
    /// All bytes that ever came.
    total: u64,
    /// Where each open stream stands, counted from the first byte.
    cursors: BTreeMap<StreamId, u64>,
    /// A first stream is still expected: until it is there, nothing is dropped.
    expecting: bool,
    error: Option<OpError>,
}

impl State {
    /// Where `beyond` begins, counted from the first byte.
    fn beyond_start(&self) -> u64 {
        self.total - self.beyond.len() as u64
    }

    /// Drops what every stream has read.
    fn trim(&mut self) {
        if self.expecting {
            return;
        }
        let slowest = self.cursors.values().min().copied().unwrap_or(self.total);
        let read = slowest.saturating_sub(self.beyond_start()).min(self.beyond.len() as u64);
        self.beyond.drain(..read as usize);
    }
}

/// One flow of bytes.
pub struct Capture {
    limit: u64,
    budget: Rc<Budget>,
    state: RefCell<State>,
    ended: Cell<bool>,
    changed: Notify,
}

impl Capture {
    /// A flow of which the first `limit` bytes are kept, as long as the budget lasts.
    pub fn new(limit: u64, budget: Rc<Budget>) -> Capture {
        Capture { limit, budget, state: RefCell::default(), ended: Cell::new(false), changed: Notify::new() }
    }

    /// A flow that drops nothing until its first stream is opened or [`Capture::expect_no_stream`] is called.
    pub fn expecting_a_stream(limit: u64, budget: Rc<Budget>) -> Capture {
        let capture = Capture::new(limit, budget);
        capture.state.borrow_mut().expecting = true;
        capture
    }

    /// Whether bytes are kept for a stream that is not there yet.
    pub fn expects_a_stream(&self) -> bool {
        self.state.borrow().expecting
    }

    /// Says that from now on bytes beyond the limit may be dropped unless a stream is there.
    pub fn expect_no_stream(&self) {
        {
            let state = &mut *self.state.borrow_mut();
            state.expecting = false;
            state.trim();
        }
        self.changed.notify_waiters();
    }

    /// Ends when more bytes may come: at once unless a stream, open or expected, lags behind by a whole window.
    pub async fn room(&self) {
        until(&self.changed, || (self.state.borrow().beyond.len() < WINDOW).then_some(())).await;
    }

    /// Takes bytes in. The caller waits for [`Capture::room`] before each.
    pub fn push(&self, data: &[u8]) {
        {
            let state = &mut *self.state.borrow_mut();
            let free = if state.full { 0 } else { self.limit.saturating_sub(state.kept.len() as u64) };
            let kept = self.budget.take(state.kept.len() as u64, (data.len() as u64).min(free)) as usize;
            state.full |= kept < data.len();
            state.kept.extend_from_slice(&data[..kept]);
            state.beyond.extend(&data[kept..]);
            state.total += data.len() as u64;
            // What only may be wanted must not take what the system lives on.
            state.expecting &= kept == data.len() || self.budget.has_room(state.beyond.len() as u64);
            // Bytes that no stream waits for are gone at once.
            state.trim();
        }
        self.changed.notify_waiters();
    }

    /// Says that no more bytes come.
    pub fn end(&self) {
        self.ended.set(true);
        self.changed.notify_waiters();
    }

    /// Says that reading failed: every stream ends with the error.
    pub fn fail(&self, error: OpError) {
        self.state.borrow_mut().error = Some(error);
        self.end();
    }

    /// Whether no more bytes come.
    pub fn ended(&self) -> bool {
        self.ended.get()
    }

    /// Whether more came than was kept.
    pub fn truncated(&self) -> bool {
        self.state.borrow().full
    }

    /// A copy of what was kept.
    pub fn kept(&self) -> Vec<u8> {
        self.state.borrow().kept.clone()
    }

    /// Moves out what was kept; for a flow that nobody can ask for again.
    pub fn take(&self) -> Vec<u8> {
        let kept = std::mem::take(&mut self.state.borrow_mut().kept);
        self.budget.give_back(kept.len() as u64);
        kept
    }

    /// Opens a stream that begins at the first byte.
    pub fn open(&self, id: StreamId) {
        let state = &mut *self.state.borrow_mut();
        state.cursors.insert(id, 0);
        state.expecting = false;
    }

    /// Closes a stream: it holds nothing back any more.
    pub fn close(&self, id: StreamId) {
        {
            let state = &mut *self.state.borrow_mut();
            state.cursors.remove(&id);
            state.trim();
        }
        self.changed.notify_waiters();
    }

    /// The next bytes of a stream; waits for them. A closed stream is at its end.
    pub async fn next(&self, id: StreamId) -> Result<Next, OpError> {
        until(&self.changed, || self.try_next(id)).await
    }

    fn try_next(&self, id: StreamId) -> Option<Result<Next, OpError>> {
        let state = &mut *self.state.borrow_mut();
        let Some(cursor) = state.cursors.get_mut(&id) else {
            return Some(Ok(Next::End));
        };
        let beyond_start = state.total - state.beyond.len() as u64;
        let at = *cursor;
        if at < state.kept.len() as u64 {
            let rest = &state.kept[at as usize..];
            let data = rest[..rest.len().min(MAX_FRAME)].to_vec();
            *cursor += data.len() as u64;
            return Some(Ok(Next::Data(data)));
        }
        if at < beyond_start {
            *cursor = beyond_start;
            return Some(Ok(Next::Gap(beyond_start - at)));
        }
        if at < state.total {
            let skip = (at - beyond_start) as usize;
            let data: Vec<u8> = state.beyond.iter().skip(skip).take(MAX_FRAME).copied().collect();
            *cursor += data.len() as u64;
            state.trim();
            self.changed.notify_waiters();
            return Some(Ok(Next::Data(data)));
        }
        if !self.ended.get() {
            return None;
        }
        match &state.error {
            Some(error) => {
                let error = error.clone();
                state.cursors.remove(&id);
                Some(Err(error))
            }
            None => Some(Ok(Next::End)),
        }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.budget.give_back(self.state.get_mut().kept.len() as u64);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const S: StreamId = StreamId(1);

    fn capture(limit: u64) -> Capture {
        Capture::new(limit, Rc::default())
    }

    fn next(capture: &Capture, id: StreamId) -> Option<Next> {
        match pin!(capture.next(id)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(next) => next.ok(),
            Poll::Pending => None,
        }
    }

    fn has_room(capture: &Capture) -> bool {
        pin!(capture.room()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn a_stream_begins_at_the_first_byte_however_late_it_is_opened() {
        let capture = capture(100);
        capture.push(b"early ");
        capture.open(S);
        assert_eq!(next(&capture, S), Some(Next::Data(b"early ".to_vec())));
        assert_eq!(next(&capture, S), None);
        capture.push(b"late");
        capture.end();
        assert_eq!(next(&capture, S), Some(Next::Data(b"late".to_vec())));
        assert_eq!(next(&capture, S), Some(Next::End));
        assert_eq!(capture.kept(), b"early late");
        assert!(!capture.truncated());
    }

    #[test]
    fn beyond_the_limit_only_streams_get_the_bytes() {
        let capture = capture(4);
        capture.open(S);
        capture.push(b"abcdef");
        assert!(capture.truncated());
        assert_eq!(capture.kept(), b"abcd");
        assert_eq!(next(&capture, S), Some(Next::Data(b"abcd".to_vec())));
        assert_eq!(next(&capture, S), Some(Next::Data(b"ef".to_vec())));
    }

    #[test]
    fn a_stream_opened_after_bytes_were_dropped_learns_how_many() {
        let capture = capture(2);
        capture.push(b"abcdef");
        capture.open(S);
        capture.push(b"gh");
        assert_eq!(next(&capture, S), Some(Next::Data(b"ab".to_vec())));
        assert_eq!(next(&capture, S), Some(Next::Gap(4)));
        assert_eq!(next(&capture, S), Some(Next::Data(b"gh".to_vec())));
    }

    #[test]
    fn nothing_is_dropped_while_the_first_stream_is_expected() {
        let capture = Capture::expecting_a_stream(2, Rc::default());
        capture.push(b"abcdef");
        assert!(capture.expects_a_stream() && has_room(&capture));
        capture.push(&[0; WINDOW]);
        assert!(!has_room(&capture));
        capture.open(S);
        assert!(!capture.expects_a_stream() && !has_room(&capture));
        assert_eq!(next(&capture, S), Some(Next::Data(b"ab".to_vec())));
        let Some(Next::Data(data)) = next(&capture, S) else { panic!("the next bytes are there") };
        assert_eq!((data.len(), &data[..5]), (MAX_FRAME, &b"cdef\0"[..]));
        assert!(has_room(&capture));
        capture.close(S);
        capture.push(b"x");
        capture.end();
        capture.open(S);
        assert_eq!(next(&capture, S), Some(Next::Data(b"ab".to_vec())));
        assert_eq!(next(&capture, S), Some(Next::Gap(4 + WINDOW as u64 + 1)));
    }

    #[test]
    fn a_stream_that_is_expected_no_more_holds_nothing_back() {
        let capture = Capture::expecting_a_stream(2, Rc::default());
        capture.push(&[0; WINDOW + 2]);
        assert!(!has_room(&capture));
        capture.expect_no_stream();
        assert!(has_room(&capture));
        assert_eq!(capture.state.borrow().beyond.len(), 0);
    }

    #[test]
    fn for_an_expected_stream_no_more_is_kept_than_the_system_has_room_for() {
        let budget = Rc::new(Budget::new(Box::new(|bytes| bytes <= ROOM_STEP + 1_000)));
        let capture = Capture::expecting_a_stream(0, budget);
        capture.push(&[0; 1_000]);
        assert!(capture.expects_a_stream());
        capture.push(&[0; 1]);
        assert!(!capture.expects_a_stream());
    }

    #[test]
    fn a_slow_stream_holds_the_producer_back_only_once_the_capture_is_full() {
        let capture = capture(10);
        capture.open(S);
        capture.push(&[0; 10]);
        assert!(has_room(&capture));
        capture.push(&vec![1; WINDOW]);
        assert!(!has_room(&capture));
        assert_eq!(next(&capture, S), Some(Next::Data(vec![0; 10])));
        assert!(!has_room(&capture));
        assert_eq!(next(&capture, S), Some(Next::Data(vec![1; MAX_FRAME])));
        assert!(has_room(&capture));
        capture.push(&vec![1; MAX_FRAME]);
        capture.close(S);
        assert!(has_room(&capture));
        assert_eq!(next(&capture, S), Some(Next::End));
    }

    #[test]
    fn two_streams_read_the_same_bytes_each_at_its_own_pace() {
        let capture = capture(1);
        let other = StreamId(2);
        capture.open(S);
        capture.open(other);
        capture.push(b"xyz");
        assert_eq!(next(&capture, S), Some(Next::Data(b"x".to_vec())));
        assert_eq!(next(&capture, S), Some(Next::Data(b"yz".to_vec())));
        assert_eq!(next(&capture, other), Some(Next::Data(b"x".to_vec())));
        assert_eq!(next(&capture, other), Some(Next::Data(b"yz".to_vec())));
    }

    #[test]
    fn an_error_comes_after_the_bytes_and_before_the_end() {
        let capture = capture(10);
        capture.open(S);
        capture.push(b"a");
        capture.fail(OpError::agent("gone"));
        assert_eq!(next(&capture, S), Some(Next::Data(b"a".to_vec())));
        assert_eq!(next(&capture, S), None);
        assert_eq!(next(&capture, S), Some(Next::End));
    }

    #[test]
    fn what_the_budget_does_not_cover_is_not_kept_and_never_with_a_hole() {
        let budget = Rc::new(Budget { left: Cell::new(5), ..Budget::default() });
        let (first, second) = (Capture::new(10, budget.clone()), Capture::new(10, budget.clone()));
        first.push(b"abc");
        second.push(b"defg");
        assert_eq!((first.truncated(), second.truncated()), (false, true));
        assert_eq!((first.take(), second.kept()), (b"abc".to_vec(), b"de".to_vec()));
        second.push(b"h");
        assert_eq!(second.kept(), b"de");
        drop(second);
        assert_eq!(budget.left.get(), 5);
    }

    #[test]
    fn no_more_is_kept_than_the_system_has_room_for() {
        // Three MiB and one more can be copied twice, four cannot.
        let budget = Rc::new(Budget::new(Box::new(|bytes| bytes <= 7 << 20)));
        let capture = Capture::new(100 << 20, budget);
        for _ in 0..6 << 4 {
            capture.push(&[0; 64 << 10]);
        }
        assert!(capture.truncated());
        assert_eq!(capture.kept().len(), (4 << 20) - (64 << 10));
    }
}
