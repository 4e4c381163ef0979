//! `lab:barrier(name, count, timeout)`: tasks meet.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use mlua::Value;
use provium_protocol::{Nanos, time};

use super::args::Named;
use super::call::{Answer, Call, one};
use super::fault::Fault;
use super::lab::Lab;
use super::ops;
use crate::exec::wait::{Waiters, within};

/// How long a barrier waits unless it is told.
const BARRIER_TIMEOUT: Nanos = 60 * time::SECOND;

/// The most callers that one barrier waits for: more tasks than this do not fit a test's memory.
const MAX_COUNT: i64 = 100_000;

/// How a round ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Open,
    Met,
    /// The patience of one was up when so many were there.
    TimedOut(u32),
}

/// One meeting.
pub struct Round {
    name: String,
    count: u32,
    arrived: Cell<u32>,
    outcome: Cell<Outcome>,
    waiters: Waiters,
}

impl Round {
    fn describe(&self) -> String {
        format!("{} of {} are at barrier `{}`", self.arrived.get(), self.count, self.name)
    }
}

/// The barriers of a lab whose round has begun.
pub type Rounds = RefCell<Vec<Rc<Round>>>;

/// One caller that waits. Dropped while the round is open (its task was cancelled), it is not there any more.
struct Arrival {
    lab: Rc<Lab>,
    round: Rc<Round>,
}

impl Drop for Arrival {
    fn drop(&mut self) {
        if self.round.outcome.get() != Outcome::Open {
            return;
        }
        self.round.arrived.set(self.round.arrived.get() - 1);
        if self.round.arrived.get() == 0 {
            forget(&self.lab, &self.round);
        }
    }
}

fn forget(lab: &Lab, round: &Rc<Round>) {
    lab.rounds.borrow_mut().retain(|live| !Rc::ptr_eq(live, round));
}

/// `lab:barrier(name, count, timeout)`.
pub fn barrier(call: &Call) -> Result<Answer, Fault> {
    let lab = super::lab::this(call)?;
    let name = call.read(1, "name", Named::name)?;
    let count = call.read(2, "count", |named| named.integer_in(1..=MAX_COUNT))? as u32;
    let timeout = call.read_optional(3, "timeout", Named::duration)?.unwrap_or(BARRIER_TIMEOUT);
    if count == 1 {
        return Ok(ops::ready(Value::Boolean(true)));
    }
    let live = lab.rounds.borrow().iter().find(|round| round.name == name).cloned();
    let round = match live {
        Some(round) if round.count != count => {
            let (there, wanted) = (round.arrived.get(), round.count);
            return Err(call.usage(format!(
                "barrier `{name}` has a live round for {wanted} callers ({there} there); this call says {count}"
            )));
        }
        Some(round) => round,
        None => {
            let round = Rc::new(Round {
                name,
                count,
                arrived: Cell::new(0),
                outcome: Cell::new(Outcome::Open),
                waiters: Waiters::default(),
            });
            lab.rounds.borrow_mut().push(Rc::clone(&round));
            round
        }
    };
    round.arrived.set(round.arrived.get() + 1);
    if round.arrived.get() == round.count {
        round.outcome.set(Outcome::Met);
        forget(&lab, &round);
        round.waiters.wake_all();
    }
    let arrival = Arrival { lab, round: Rc::clone(&round) };
    call.describe_wait(move || round.describe());
    let (host, lua) = (Rc::clone(&call.host), call.lua.clone());
    Ok(Box::pin(async move {
        let round = &arrival.round;
        let settled = poll_fn(|cx| match round.outcome.get() {
            Outcome::Open => {
                round.waiters.register(cx);
                Poll::Pending
            }
            outcome => Poll::Ready(outcome),
        });
        let outcome = within(&*host.backend, Some(timeout), settled).await.unwrap_or_else(|| {
            // The first whose patience is up ends the round for all.
            let outcome = Outcome::TimedOut(round.arrived.get());
            round.outcome.set(outcome);
            forget(&arrival.lab, round);
            round.waiters.wake_all();
            outcome
        });
        match outcome {
            Outcome::TimedOut(there) => {
                let limit = crate::units::format_duration(timeout);
                Err(Fault::timeout(format!(
                    "lab:barrier: barrier `{}` timed out after {limit}: {there} of {} arrived",
                    round.name, round.count
                )))
            }
            Outcome::Met | Outcome::Open => one(&lua, true),
        }
    }))
}
