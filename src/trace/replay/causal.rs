//! Off plan: tasks go as they are ready, and answers come when what was begun before them has been begun.

use std::rc::Rc;

use provium_protocol::{Idle, Nanos};

use super::matching::Now;
use super::plan::Item;
use super::{AtEnd, Mode, Replayer, Stop};
use crate::trace::record::{Boundary, Halt, Seq};

impl Replayer {
    /// The Lua does not do what it did. `now` is what it asks instead, if that is how it shows.
    pub(super) fn leave_plan(&self, now: Option<&Now<'_>>) {
        let cursor = self.cursor.get();
        let end = self.plan.boundary_from(cursor);
        let left = |item: &Item| match item {
            Item::Begun(seq) => Some(*seq),
            _ => None,
        };
        if self.mode == Mode::Strict && self.order.borrow().is_none() {
            // Whether it is the order alone shows in what follows, and what else there is tells more.
            let task = self.floor.borrow().clone().unwrap_or_else(|| "main".into());
            let expected = self.plan.items[cursor.min(end)..end].iter().find_map(left);
            let question = self.question(&task, expected, now, true);
            *self.order.borrow_mut() = Some(Box::new(question));
            self.asked_since.set(false);
        }
        self.on_plan.set(false);
        self.left_plan.set(true);
        let mut queues = self.queues.borrow_mut();
        queues.clear();
        for seq in self.plan.items[cursor.min(end)..end].iter().filter_map(left) {
            queues.entry(self.plan.task_of(seq).to_owned()).or_default().push_back(seq);
        }
        self.stands_for.borrow_mut().clear();
        self.frames.borrow_mut().clear();
    }

    /// The first thing that may be delivered, and when it was: everything before it has been, and what was begun
    /// before it has been begun.
    fn deliverable(&self) -> Option<(usize, Nanos)> {
        let end = self.plan.boundary_from(self.cursor.get());
        let matched = self.matched.borrow();
        let mut at = self.clock.get();
        for index in self.cursor.get()..end {
            match self.plan.items.get(index)? {
                Item::Poll { at: polled, .. } => at = polled.saturating_add(self.late.get()),
                Item::Begun(seq) if self.mode != Mode::Keyed && !matched[*seq as usize] => return None,
                Item::Ended(seq) if matched[*seq as usize] && !self.delivered.borrow()[*seq as usize] => {
                    return Some((index, at));
                }
                Item::Frame { .. } | Item::ProgramStart(_) | Item::ProgramGone(_) => return Some((index, at)),
                Item::ProgramPoll { at, .. } => return Some((index, at.saturating_add(self.late.get()))),
                _ => {}
            }
        }
        None
    }

    /// Whether something is to be delivered before the next timer.
    pub(super) fn may_deliver(&self) -> bool {
        match (self.deliverable(), self.timers.next()) {
            (Some((_, at)), Some(timer)) => at <= timer,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }

    /// The guests' side goes on: on plan a program does, off plan the next thing is delivered.
    pub(super) fn step(self: &Rc<Self>) {
        if self.on_plan.get() {
            self.step_program();
            return;
        }
        let Some((index, at)) = self.deliverable() else { return };
        self.clock.set(at.max(self.clock.get()));
        match self.plan.items.get(index) {
            Some(Item::Ended(seq)) => self.delivered.borrow_mut()[*seq as usize] = true,
            Some(Item::Frame { guest, stream, .. }) => {
                self.frames.borrow_mut().entry((*guest, stream.0)).or_default().push_back(index);
                self.cursor.set(index + 1);
            }
            Some(_) => {
                self.cursor.set(index);
                self.step_program();
                return self.wake_all();
            }
            None => {}
        }
        if self.mode != Mode::Keyed && !matches!(self.plan.items.get(index), Some(Item::Frame { .. })) {
            self.cursor.set(index + 1);
        }
        self.wake_all();
    }

    fn step_program(self: &Rc<Self>) {
        match self.item() {
            Some(Item::ProgramStart(number)) => {
                let number = *number;
                self.advance();
                self.start_program(number);
            }
            Some(Item::ProgramPoll { program, at }) => {
                let number = *program;
                self.tick(*at);
                self.advance();
                self.poll_program(number);
                // What an edited program did not ask for is not for anybody else.
                while matches!(self.item(), Some(Item::ProgramAnswer(_))) {
                    self.advance();
                }
            }
            Some(Item::ProgramGone(number)) => {
                let number = *number;
                self.advance();
                self.end_program(number);
            }
            _ => {}
        }
    }

    /// Nobody is ready and nothing can be delivered: the next timer, or the end of the wait.
    pub(super) fn idle(&self, deadline: Option<Nanos>) -> Idle {
        if let Some(timer) = self.timers.next() {
            if deadline.is_some_and(|deadline| deadline < timer) {
                return self.reach(deadline);
            }
            self.clock.set(timer.max(self.clock.get()));
            self.timers.fire();
            return Idle::Woken;
        }
        // What was recorded says which end this wait had.
        let end = self.plan.boundary_from(self.cursor.get());
        let rest = &self.plan.items[self.cursor.get().min(end)..end];
        if let Some((task, seq)) = self.missing(rest) {
            let question = self.question(&task, Some(seq), None, false);
            self.stop_with(Stop::Diverged(Box::new(question)));
            return Idle::Stalled;
        }
        let halted = rest.iter().find_map(|item| match item {
            Item::Halt { why, .. } => Some(*why),
            _ => None,
        });
        match halted {
            Some(Halt::Deadline) => self.reach(deadline),
            Some(Halt::Stalled) => Idle::Stalled,
            // The trace ends in the middle of things: its recorder was killed.
            None if end == self.plan.items.len() => {
                let task = "main".to_owned();
                let stop = match self.at_end {
                    AtEnd::Stop => Stop::TraceEnded,
                    AtEnd::Fail => Stop::Diverged(Box::new(self.question(&task, None, None, false))),
                };
                self.stop_with(stop);
                Idle::Stalled
            }
            None => Idle::Stalled,
        }
    }

    fn reach(&self, deadline: Option<Nanos>) -> Idle {
        match deadline {
            Some(deadline) => {
                self.clock.set(deadline.max(self.clock.get()));
                Idle::Deadline
            }
            None => Idle::Stalled,
        }
    }

    /// The first exchange among these that was not asked for.
    fn missing(&self, items: &[Item]) -> Option<(String, Seq)> {
        let matched = self.matched.borrow();
        items.iter().find_map(|item| match item {
            Item::Begun(seq) if !matched[*seq as usize] => Some((self.plan.task_of(*seq).to_owned(), *seq)),
            _ => None,
        })
    }

    /// A part of the run is over, and the cursor is to go to this boundary: what was not asked for on the way is a
    /// divergence, unless the test has failed by itself.
    pub(super) fn leaves_out(&self, boundary: usize) {
        if self.lenient.get() {
            return;
        }
        let from = self.cursor.get().min(boundary);
        // What was left open is closed by whoever closes it.
        let closing = self.plan.items[..from].iter().rev().find_map(|item| match item {
            Item::Boundary { what, .. } => Some(matches!(what, Boundary::TestCloses | Boundary::FileCloses)),
            _ => None,
        });
        if closing.unwrap_or_default() {
            return;
        }
        if let Some((task, seq)) = self.missing(&self.plan.items[from..boundary]) {
            let question = self.question(&task, Some(seq), None, false);
            self.stop_with(Stop::Diverged(Box::new(question)));
        }
    }

    /// A part of the run is over: in mode strict its order must have been the recorded one, as far as it came.
    pub(super) fn order_was_left(&self) {
        if let Some(question) = self.order.take()
            && (question.now.is_some() || self.asked_since.get() || !self.lenient.get())
        {
            self.stop_with(Stop::Diverged(question));
        }
    }
}
