//! Runs a test file against a trace, with no guest and no simulator.
//!
//! The replayer is a backend made from a trace, the run's observer, and its conductor. As long as the Lua
//! does what it did, the records are followed one by one: the same task gets the floor at the same time by the lab's
//! clock, and gets the same answer. That is being *on plan*.
//!
//! Lua that was edited may do the same exchanges in another order of its tasks. Then the replay goes *off plan*: tasks
//! go as they are ready, an answer is given when all exchanges that were begun before it have been begun
//! (mode *causal*), or as soon as it is asked for (mode *keyed*). At the next test it is on plan again. What cannot be
//! answered from the trace at all is a [`Stop`]; in mode *strict* so is leaving the plan.

mod answers;
mod backend;
mod causal;
pub mod explain;
mod follow;
mod guest;
mod inputs;
pub mod load;
mod matching;
mod plan;
mod program;
pub mod rerun;
pub mod session;
mod timers;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::task::Waker;

use provium_protocol::Nanos;
use provium_protocol::program::Program;

use super::record::{ProgramNo, Seq};

pub use backend::ReplayBackend;
pub use inputs::{ReplayInputs, Script};
pub use matching::Question;
pub use plan::{Answer, Asked, Builder, Item, Plan, PlanError, Recorded, RecordedFile, Source};

/// How closely the recorded order is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The order within each task, and no answer before what was begun before it.
    #[default]
    Causal,
    /// All of it.
    Strict,
    /// Each exchange by its task, operation and arguments alone.
    Keyed,
}

/// What happens when a test asks for more than was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtEnd {
    /// The replay has diverged.
    #[default]
    Fail,
    /// The test ends there, and nothing is said against it.
    Stop,
}

/// Why a replay does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The test asks what it did not ask when it was recorded.
    Diverged(Box<Question>),
    /// The recorded exchanges are used up, and [`AtEnd::Stop`] was asked for.
    TraceEnded,
    /// The exchange was reached at which the caller wants to look.
    Reached(u64),
}

/// A task of the run.
struct Live {
    serial: u32,
    path: Rc<str>,
}

/// Follows one trace.
pub struct Replayer {
    plan: Plan,
    mode: Mode,
    at_end: AtEnd,
    until: Option<u64>,
    /// The next item, on plan; off plan all before it are done with.
    cursor: Cell<usize>,
    on_plan: Cell<bool>,
    clock: Cell<Nanos>,
    /// Where the recorded clock stood still while Lua computed: when that was, and how long Lua has computed since.
    computed: Cell<(Nanos, Nanos)>,
    /// The deadline past which Lua was found to compute, by such a clock.
    overdue: Cell<Option<Nanos>>,
    /// How much later than recorded things happen, after tests were left out or put in another order.
    late: Cell<Nanos>,
    /// The tasks of the run, the youngest last.
    live: RefCell<Vec<Live>>,
    /// The task that has the floor.
    floor: RefCell<Option<Rc<str>>>,
    /// The exchange that was just begun, on its way to the guest's call.
    asked: Cell<Option<Match>>,
    /// Exchanges begun now, for `until`.
    begun: Cell<u64>,
    answers: RefCell<Vec<Option<Answer>>>,
    /// Off plan: the exchanges of each task that were not asked for yet.
    queues: RefCell<BTreeMap<String, VecDeque<Seq>>>,
    /// Off plan: the recorded task that a task does the work of, where tasks were spawned in another order.
    stands_for: RefCell<BTreeMap<String, String>>,
    /// Off plan: answers that may be taken.
    delivered: RefCell<Vec<bool>>,
    matched: RefCell<Vec<bool>>,
    /// Off plan: pieces of streams that may be taken.
    frames: RefCell<BTreeMap<(u32, u64), VecDeque<usize>>>,
    wakers: RefCell<Vec<Waker>>,
    timers: timers::Timers,
    draws: Cell<usize>,
    programs: RefCell<BTreeMap<String, Program>>,
    running: RefCell<BTreeMap<ProgramNo, program::Running>>,
    stop: RefCell<Option<Stop>>,
    /// Some part of the run, not only the last one, left its recording.
    diverged: Cell<bool>,
    /// Where it was left in this part of the run, in mode strict.
    order: RefCell<Option<Box<Question>>>,
    /// Whether anything was asked since then.
    asked_since: Cell<bool>,
    /// The recorded interleaving was left somewhere.
    left_plan: Cell<bool>,
    /// The test that runs has failed already: what it leaves out is its own affair.
    lenient: Cell<bool>,
}

/// What a question to the trace came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Match {
    /// This exchange answers it.
    Recorded(Seq),
    /// Nobody will look at the answer.
    Unneeded,
    /// The replay stops here.
    Stopped,
}

impl Replayer {
    /// Follows this plan.
    #[must_use]
    pub fn new(mut plan: Plan, mode: Mode, at_end: AtEnd, until: Option<u64>) -> Rc<Replayer> {
        let answers = std::mem::take(&mut plan.answers);
        let exchanges = plan.exchanges.len();
        Rc::new(Replayer {
            plan,
            mode,
            at_end,
            until,
            cursor: Cell::new(0),
            on_plan: Cell::new(true),
            clock: Cell::new(0),
            computed: Cell::default(),
            overdue: Cell::default(),
            late: Cell::new(0),
            live: RefCell::default(),
            floor: RefCell::default(),
            asked: Cell::new(None),
            begun: Cell::new(0),
            answers: RefCell::new(answers),
            queues: RefCell::default(),
            stands_for: RefCell::default(),
            delivered: RefCell::new(vec![false; exchanges]),
            matched: RefCell::new(vec![false; exchanges]),
            frames: RefCell::default(),
            wakers: RefCell::default(),
            timers: timers::Timers::default(),
            draws: Cell::new(0),
            programs: RefCell::default(),
            running: RefCell::default(),
            stop: RefCell::default(),
            diverged: Cell::new(false),
            order: RefCell::default(),
            asked_since: Cell::new(false),
            left_plan: Cell::new(false),
            lenient: Cell::new(false),
        })
    }

    /// Whether the test's Lua computes past this deadline. By a clock that stood still meanwhile only the recording knows;
    /// for Lua that is no longer what was recorded, its computing passes for time.
    fn overdue(&self, deadline: Nanos, look: u64) -> bool {
        let clock = self.clock.get();
        if self.plan.header.virtual_clock {
            return clock >= deadline;
        }
        if self.on_plan.get() {
            if self.plan.interrupts.contains(&look) {
                self.overdue.set(Some(deadline));
            }
            return self.overdue.get() == Some(deadline);
        }
        let (since, computed) = self.computed.get();
        let computed = if since == clock { computed } else { 0 };
        clock.saturating_add(computed) >= deadline
    }

    /// What is followed.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Why the replay of the present test, or of the file, does not go on, if it does not.
    #[must_use]
    pub fn stop(&self) -> Option<Stop> {
        self.stop.borrow().clone()
    }

    /// Whether any test so far, or the file's top level, left its recording.
    #[must_use]
    pub fn has_diverged(&self) -> bool {
        self.diverged.get()
    }

    /// Whether the recorded interleaving was kept all the way.
    #[must_use]
    pub fn is_on_plan(&self) -> bool {
        !self.left_plan.get()
    }

    fn item(&self) -> Option<&Item> {
        self.plan.items.get(self.cursor.get())
    }

    fn advance(&self) {
        self.cursor.set(self.cursor.get() + 1);
    }

    /// The clock reads what it read when this was recorded.
    fn tick(&self, at: Nanos) {
        let at = at.saturating_add(self.late.get());
        self.clock.set(at.max(self.clock.get()));
    }

    fn stop_with(&self, stop: Stop) {
        let mut first = self.stop.borrow_mut();
        if first.is_none() {
            self.diverged.set(self.diverged.get() || matches!(stop, Stop::Diverged(_)));
            *first = Some(stop);
        }
    }

    /// The serial number of the youngest task of this path.
    fn serial_of(&self, path: &str) -> Option<u32> {
        self.live.borrow().iter().rev().find(|task| *task.path == *path).map(|task| task.serial)
    }
}
