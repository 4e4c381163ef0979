//! The backend of a replay.

use std::cell::Cell;
use std::rc::Rc;

use provium_protocol::profile::BootSpec;
use provium_protocol::program::Program;
use provium_protocol::{Backend, ChoicePoint, Choices, Guest, Idle, LocalFuture, Nanos, OpError};

use super::Replayer;
use super::answers::Sleep;
use super::guest::ReplayGuest;
use super::plan::{Answer, Asked};

/// A backend made from a trace.
pub struct ReplayBackend {
    replayer: Rc<Replayer>,
    /// The name of the backend that was recorded: what a test asks about it must be answered as it was.
    name: &'static str,
    booted: Cell<u32>,
}

impl ReplayBackend {
    /// Of this replayer.
    #[must_use]
    pub fn new(replayer: Rc<Replayer>) -> ReplayBackend {
        let name = match replayer.plan.header.backend.as_str() {
            "sim" => "sim",
            "qemu" => "qemu",
            _ => "replay",
        };
        ReplayBackend { replayer, name, booted: Cell::new(0) }
    }
}

impl Backend for ReplayBackend {
    fn name(&self) -> &'static str {
        self.name
    }

    fn boot(&self, _: BootSpec) -> LocalFuture<Result<Rc<dyn Guest>, OpError>> {
        let found = self.replayer.asked.take();
        let number = self.booted.replace(self.booted.get() + 1);
        // Its streams are known by the number that the guest had when it was recorded.
        let number = match found {
            Some(super::Match::Recorded(seq)) => {
                let exchange = self.replayer.plan.exchanges.get(seq as usize);
                exchange.filter(|exchange| matches!(exchange.asked, Asked::Boot(_))).map_or(number, |found| found.guest)
            }
            _ => number,
        };
        let guest: Rc<dyn Guest> = Rc::new(ReplayGuest::new(Rc::clone(&self.replayer), number));
        let answer = Rc::clone(&self.replayer).answer(found);
        Box::pin(async move {
            match answer.await? {
                Some(Answer::Booted(Err(error))) => Err(error),
                _ => Ok(guest),
            }
        })
    }

    fn now(&self) -> Nanos {
        self.replayer.clock.get()
    }

    fn sleep(&self, duration: Nanos) -> LocalFuture<()> {
        Box::pin(Sleep::new(Rc::clone(&self.replayer), duration))
    }

    fn choices(&self) -> Rc<dyn Choices> {
        Rc::new(Recorded(Rc::clone(&self.replayer)))
    }

    fn overdue(&self, deadline: Nanos, look: u64) -> bool {
        self.replayer.overdue(deadline, look)
    }

    fn compute(&self, ns: Nanos) {
        let clock = self.replayer.clock.get();
        if self.replayer.plan.header.virtual_clock {
            self.replayer.clock.set(clock.saturating_add(ns));
        } else {
            let (since, computed) = self.replayer.computed.get();
            let before = if since == clock { computed } else { 0 };
            self.replayer.computed.set((clock, before.saturating_add(ns)));
        }
    }

    fn define_program(&self, name: &str, program: Program) {
        self.replayer.programs.borrow_mut().insert(name.to_owned(), program);
    }

    fn has_step(&self) -> bool {
        false
    }

    fn step(&self) {
        self.replayer.step();
    }

    fn idle(&self, deadline: Option<Nanos>) -> Idle {
        self.replayer.idle(deadline)
    }
}

/// Off plan tasks go in the order in which they became ready; draws are the recorded ones.
struct Recorded(Rc<Replayer>);

impl Choices for Recorded {
    fn pick(&self, _: ChoicePoint, _: &[u32]) -> usize {
        0
    }

    fn draw(&self) -> u64 {
        let at = self.0.draws.replace(self.0.draws.get() + 1);
        // A draw more than was recorded is as good as any, so long as it is the same each time.
        self.0.plan.draws.get(at).map_or(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(at as u64 + 1), |draw| draw.value)
    }
}

impl Drop for ReplayBackend {
    fn drop(&mut self) {
        // Programs hold the Lua state, and the state holds this backend.
        self.replayer.running.borrow_mut().clear();
        self.replayer.programs.borrow_mut().clear();
        self.replayer.wakers.borrow_mut().clear();
    }
}
