//! How evaluation goes on, and how it may call itself without end of stack.
//!
//! A command in a command is evaluated *apart*: by a future of its own, to which the caller lends the shell.
//! Only the innermost of these futures is polled. So a step costs the same however deep evaluation is, and
//! recursion takes heap, not stack. Rejected: futures inside of futures, where a step polls all of them (a
//! thousand function calls deep took milliseconds a step) and the host's stack bounds the depth.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::state::Shell;

/// Why evaluation of a command does not go on after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// `break` out of so many loops.
    Break(usize),
    /// `continue` of the loop so many out.
    Continue(usize),
    /// `return`, with the status.
    Return(i32),
    /// `exit`, or an error under `set -e`, with the status.
    Exit(i32),
    /// An error that ends a shell and was reported, with the status; only a builtin that is not special, or
    /// `command`, holds it up.
    Error(i32),
}

/// The exit status of a command.
pub type Eval = Result<i32, Flow>;

type Frame = Pin<Box<dyn Future<Output = ()>>>;

/// What the futures of one process share.
#[derive(Default)]
pub(super) struct Frames {
    /// The future that the one being polled waits for.
    called: Cell<Option<Frame>>,
    /// Shells to stand in for those that are lent.
    hollow: RefCell<Vec<Shell>>,
}

/// Runs the outermost future of a process, and all that are called from it.
pub(super) fn drive(frames: Rc<Frames>, outermost: Frame) -> impl Future<Output = ()> {
    let mut stack = vec![outermost];
    std::future::poll_fn(move |context| {
        while let Some(innermost) = stack.last_mut() {
            match innermost.as_mut().poll(context) {
                Poll::Ready(()) => {
                    stack.pop();
                }
                Poll::Pending => match frames.called.take() {
                    Some(called) => stack.push(called),
                    None => return Poll::Pending,
                },
            }
        }
        Poll::Ready(())
    })
}

/// Where a frame leaves its result and the shell that was lent to it.
type Slot<T> = Rc<Cell<Option<(Shell, T)>>>;

/// Waits for what is evaluated apart.
#[must_use = "nothing else may be done before it ends"]
pub(super) struct Apart<'s, T> {
    shell: &'s mut Shell,
    frames: Rc<Frames>,
    slot: Slot<T>,
}

impl Shell {
    /// Runs `body` apart with this shell, which must not be used before that ends.
    pub(super) fn apart<T: 'static>(&mut self, body: impl AsyncFnOnce(&mut Shell) -> T + 'static) -> Apart<'_, T> {
        let frames = Rc::clone(&self.frames);
        let spare = frames.hollow.borrow_mut().pop();
        let hollow = spare.unwrap_or_else(|| Shell::hollow(self.sys.clone()));
        let mut lent = std::mem::replace(self, hollow);
        let slot: Slot<T> = Rc::default();
        let result = Rc::clone(&slot);
        frames.called.set(Some(Box::pin(async move {
            let value = body(&mut lent).await;
            result.set(Some((lent, value)));
        })));
        Apart { shell: self, frames, slot }
    }
}

impl<T> Future for Apart<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<T> {
        match self.slot.take() {
            Some((shell, value)) => {
                let hollow = std::mem::replace(self.shell, shell);
                self.frames.hollow.borrow_mut().push(hollow);
                Poll::Ready(value)
            }
            None => Poll::Pending,
        }
    }
}
