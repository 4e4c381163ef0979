//! How evaluation goes on, and how it may call itself without end of stack.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

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

/// Free stack below which a nested evaluation gets a new piece: more than what is used between two nested ones.
const STACK_RED_ZONE: usize = 192 << 10;
/// The size of such a piece.
const STACK_SEGMENT: usize = 1 << 20;

/// A future that may hold others of its kind: on the heap, and polled and dropped with enough stack.
pub struct Deep<'a, T>(Option<Pin<Box<dyn Future<Output = T> + 'a>>>);

impl<'a, T> Deep<'a, T> {
    /// Puts a future on the heap.
    pub fn new(future: impl Future<Output = T> + 'a) -> Deep<'a, T> {
        Deep(Some(Box::pin(future)))
    }
}

impl<T> Future for Deep<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match self.0.as_mut() {
            Some(future) => stacker::maybe_grow(STACK_RED_ZONE, STACK_SEGMENT, || future.as_mut().poll(context)),
            None => Poll::Pending,
        }
    }
}

impl<T> Drop for Deep<'_, T> {
    fn drop(&mut self) {
        if let Some(future) = self.0.take() {
            stacker::maybe_grow(STACK_RED_ZONE, STACK_SEGMENT, || drop(future));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::Deep;

    fn count(depth: u32) -> Deep<'static, u32> {
        Deep::new(async move { if depth == 0 { 0 } else { count(depth - 1).await + 1 } })
    }

    fn wait_forever(depth: u32) -> Deep<'static, ()> {
        Deep::new(async move { if depth == 0 { std::future::pending().await } else { wait_forever(depth - 1).await } })
    }

    #[test]
    fn a_hundred_thousand_levels_fit_any_stack() {
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(pin!(count(100_000)).poll(&mut context), Poll::Ready(100_000));
        let mut waiting = wait_forever(100_000);
        assert!(std::pin::Pin::new(&mut waiting).poll(&mut context).is_pending());
        drop(waiting);
    }
}
