//! Whose turn it is to start a program.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use provium_agent::sync::{First, race};
use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;

/// Programs that are started at once: more would only get into each other's way.
const AT_ONCE: usize = 8;

/// How long a start counts among those: one that takes longer waits for something, and must not hold the others up.
const COUNTS_FOR: Duration = Duration::from_millis(500);

/// The turns that were given. A timer is set only by those who wait: setting one costs a system call.
#[derive(Default)]
pub struct Turns {
    /// Who comes later waits here, in order, until whoever is at the door has a turn.
    door: Mutex<()>,
    given: RefCell<Given>,
    over: Notify,
}

#[derive(Default)]
struct Given {
    /// By number, and so by age.
    since: BTreeMap<u64, Instant>,
    last: u64,
}

/// One turn. It ends when this is dropped.
pub struct Turn<'a> {
    turns: &'a Turns,
    number: u64,
}

impl Turns {
    /// The next turn; they are given in the order in which they were first asked for.
    pub async fn next(&self) -> Turn<'_> {
        let _at_the_door = self.door.lock().await;
        loop {
            // An end that comes before it is waited for is kept.
            let over = self.over.notified();
            let taken = self.given.borrow_mut().take();
            match taken {
                Ok(number) => return Turn { turns: self, number },
                Err(counts_until) => match race(over, tokio::time::sleep_until(counts_until)).await {
                    First::A(()) | First::B(()) => {}
                },
            }
        }
    }
}

impl Given {
    /// Gives a turn, by its number; or says when the eldest that counts will count no more.
    fn take(&mut self) -> Result<u64, Instant> {
        let now = Instant::now();
        let mut counting = self.since.values().map(|since| *since + COUNTS_FOR).filter(|until| *until > now);
        if let Some(first) = counting.next()
            && counting.count() + 1 >= AT_ONCE
        {
            return Err(first);
        }
        self.last += 1;
        self.since.insert(self.last, now);
        Ok(self.last)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.given.borrow_mut().since.remove(&self.number);
        self.turns.over.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    async fn all(turns: &Turns) -> Vec<Turn<'_>> {
        let mut taken = Vec::new();
        for _ in 0..AT_ONCE {
            taken.push(turns.next().await);
        }
        taken
    }

    /// Where time passes only while all wait for it.
    fn virtually(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(test);
    }

    #[test]
    fn who_ends_lets_another_one_begin() {
        virtually(async {
            let turns = Turns::default();
            let mut taken = all(&turns).await;
            let mut waiting = pin!(turns.next());
            assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            let begun = Instant::now();
            taken.pop();
            let next = waiting.await;
            assert_eq!(begun, Instant::now(), "it waited for more than the end of one");
            drop((next, taken));
            assert!(turns.given.borrow().since.is_empty());
        });
    }

    #[test]
    fn nobody_goes_before_those_who_wait() {
        virtually(async {
            let turns = Turns::default();
            let mut taken = all(&turns).await;
            let mut context = Context::from_waker(Waker::noop());
            let mut first = pin!(turns.next());
            let mut second = pin!(turns.next());
            assert!(first.as_mut().poll(&mut context).is_pending() && second.as_mut().poll(&mut context).is_pending());
            taken.pop();
            let mut newcomer = pin!(turns.next());
            assert!(newcomer.as_mut().poll(&mut context).is_pending());
            assert!(second.as_mut().poll(&mut context).is_pending());
            taken.push(first.await);
            assert!(newcomer.as_mut().poll(&mut context).is_pending());
            taken.pop();
            taken.push(second.await);
            taken.pop();
            drop(newcomer.await);
        });
    }

    #[test]
    fn who_takes_long_does_not_hold_the_others_up() {
        virtually(async {
            let turns = Turns::default();
            let taken = all(&turns).await;
            let begun = Instant::now();
            let next = all(&turns).await;
            assert_eq!(begun.elapsed(), COUNTS_FOR);
            // The old ones count no more, ended or not: those that came after them do.
            drop(taken);
            let mut waiting = pin!(turns.next());
            assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            drop(next);
            waiting.await;
        });
    }
}
