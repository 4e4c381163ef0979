//! On plan: the records are followed one by one.

use std::rc::Rc;

use provium_protocol::profile::BootSpec;
use provium_protocol::{Nanos, Op};

use super::matching::Now;
use super::plan::Item;
use super::{Live, Match, Replayer, Stop};
use crate::exec::{Conductor, Next, Ran};
use crate::runner::exchanges::Exchange;
use crate::runner::observe::{Boundary, Observer};
use crate::runner::place::Place;
use crate::trace::record::{Boundary as Recorded, Halt};

impl Conductor for Replayer {
    fn next(&self, ready: bool) -> Next {
        if self.stop.borrow().is_some() {
            return Next::Halt(Ran::Stopped);
        }
        if self.on_plan.get() {
            match self.item() {
                Some(Item::Poll { task, at }) => {
                    let path = self.plan.tasks.get(*task as usize);
                    if let Some(serial) = path.and_then(|path| self.serial_of(path)) {
                        self.tick(*at);
                        self.advance();
                        return Next::Task(serial);
                    }
                }
                Some(Item::ProgramStart(_) | Item::ProgramPoll { .. } | Item::ProgramGone(_)) => return Next::Guests,
                Some(Item::Halt { at, why }) => {
                    self.tick(*at);
                    self.advance();
                    return Next::Halt(match why {
                        Halt::Deadline => Ran::Deadline,
                        Halt::Stalled => Ran::Stalled,
                    });
                }
                _ => {}
            }
            self.leave_plan(None);
            if self.stop.borrow().is_some() {
                return Next::Halt(Ran::Stopped);
            }
        }
        if !ready && self.may_deliver() { Next::Guests } else { Next::Free }
    }

    fn stopped(&self) -> Option<String> {
        let stop = self.stop.borrow();
        stop.as_ref().map(|stop| match stop {
            Stop::Diverged(_) => "the replay has diverged from its recording".to_owned(),
            Stop::TraceEnded => "the trace ends here".to_owned(),
            Stop::Reached(number) => format!("exchange {number} is reached"),
        })
    }

    fn ends_run(&self) -> bool {
        matches!(&*self.stop.borrow(), Some(Stop::Reached(_)))
    }

    fn no_such_task(&self, _: u32) {
        if self.on_plan.get() {
            self.leave_plan(None);
        }
    }
}

impl Observer for Replayer {
    fn begun(&self, exchange: &Exchange, op: &Op) {
        let found = if self.counts() { Match::Stopped } else { self.ask(&Now::op(exchange, op)) };
        self.asked.set(Some(found));
    }

    fn boot_begun(&self, exchange: &Exchange, spec: &BootSpec) {
        let found = if self.counts() { Match::Stopped } else { self.ask(&Now::boot(exchange, spec)) };
        self.asked.set(Some(found));
    }

    fn spawned(&self, serial: u32, path: &str, _: Option<&Place>) {
        let mut live = self.live.borrow_mut();
        // Of one path only the youngest is ever meant.
        live.retain(|task| *task.path != *path);
        live.push(Live { serial, path: path.into() });
    }

    fn polls(&self, serial: u32, _: Nanos) {
        let path = self.live.borrow().iter().find(|task| task.serial == serial).map(|task| Rc::clone(&task.path));
        *self.floor.borrow_mut() = path;
    }

    fn polled(&self) {
        // The task did less than it did.
        if self.on_plan.get() && matches!(self.item(), Some(Item::Begun(_) | Item::Ended(_) | Item::Frame { .. })) {
            self.leave_plan(None);
        }
        *self.floor.borrow_mut() = None;
    }

    fn boundary(&self, _: Nanos, what: Boundary<'_>) {
        let is_it = |recorded: &Recorded| match (recorded, what) {
            (Recorded::FileBegins, Boundary::FileBegins(_))
            | (Recorded::FileLoaded { .. }, Boundary::FileLoaded(_))
            | (Recorded::TestCloses, Boundary::TestCloses(..))
            | (Recorded::FileCloses, Boundary::FileCloses(_))
            | (Recorded::FileEnds, Boundary::FileEnds(_)) => true,
            (Recorded::TestBegins { name }, Boundary::TestBegins(now)) => name == now,
            (Recorded::TestEnds { name, .. }, Boundary::TestEnds(now, _)) => name == now,
            _ => false,
        };
        match what {
            Boundary::TestBegins(_) | Boundary::FileBegins(_) => {
                self.lenient.set(false);
                // Where one test left its recording says nothing of the next.
                if !self.ends_run() {
                    *self.stop.borrow_mut() = None;
                    *self.order.borrow_mut() = None;
                }
            }
            Boundary::TestCloses(_, failed) if failed => self.lenient.set(true),
            _ => {}
        }
        if self.on_plan.get()
            && let Some(Item::Boundary { at, what: recorded }) = self.item()
            && is_it(recorded)
        {
            self.tick(*at);
            self.advance();
            return;
        }
        if self.stop.borrow().is_some() {
            return;
        }
        let position = |item: &Item| matches!(item, Item::Boundary { what, .. } if is_it(what));
        let from = self.cursor.get().min(self.plan.items.len());
        let ahead = self.plan.items[from..].iter().position(position).map(|found| from + found);
        let anywhere = || match what {
            Boundary::TestBegins(_) => self.plan.items.iter().position(position),
            _ => None,
        };
        let Some(found) = ahead.or_else(anywhere) else { return };
        if matches!(what, Boundary::TestCloses(..) | Boundary::TestEnds(..) | Boundary::FileLoaded(_)) {
            self.leaves_out(found);
            if self.stop.borrow().is_none() {
                self.order_was_left();
            }
            if self.stop.borrow().is_some() {
                return;
            }
        }
        self.resume_plan(found);
    }
}

impl Replayer {
    /// Counts an exchange; whether it is the one at which to stop.
    fn counts(&self) -> bool {
        let number = self.begun.replace(self.begun.get() + 1);
        let reached = self.until == Some(number);
        if reached {
            self.stop_with(Stop::Reached(number));
        }
        reached
    }

    /// On plan again, behind this boundary.
    fn resume_plan(&self, boundary: usize) {
        if let Some(Item::Boundary { at, .. }) = self.plan.items.get(boundary) {
            self.late.set(self.clock.get().saturating_sub(*at));
            self.tick(*at);
        }
        self.cursor.set(boundary + 1);
        self.draws.set(self.plan.draws.partition_point(|draw| draw.item <= boundary));
        self.on_plan.set(true);
    }

    /// The items of the part of the run that the cursor is in: from the last boundary to the next.
    pub(super) fn segment(&self) -> (usize, usize) {
        let cursor = self.cursor.get().min(self.plan.items.len());
        let begins = self.plan.items[..cursor].iter().rposition(|item| matches!(item, Item::Boundary { .. }));
        (begins.map_or(0, |begins| begins + 1), self.plan.boundary_from(cursor))
    }

    /// The test that the cursor is in.
    pub(super) fn test_now(&self) -> Option<String> {
        let cursor = self.cursor.get().min(self.plan.items.len());
        self.plan.items[..cursor].iter().rev().find_map(|item| match item {
            Item::Boundary { what: Recorded::TestBegins { name }, .. } => Some(Some(name.clone())),
            Item::Boundary { what: Recorded::TestEnds { .. } | Recorded::FileBegins, .. } => Some(None),
            _ => None,
        })?
    }
}
