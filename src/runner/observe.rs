//! Who sees a run whole: the journal, the recorder of a trace, and the replayer, which also says how things went.
//!
//! Everything that the Lua side sees of the world comes by here, in the order in which it sees it. An observer must not
//! ask the guests anything.

use std::rc::Rc;

use provium_protocol::profile::BootSpec;
use provium_protocol::{Frame, Nanos, Op, OpError, Reply, StreamId};

use super::event::Verdict;
use super::exchanges::Exchange;
use super::place::Place;

/// A place in the run of a file.
#[derive(Clone, Copy, Debug)]
pub enum Boundary<'a> {
    /// The file's top level begins.
    FileBegins(&'a str),
    /// It has run, or failed with this message.
    FileLoaded(Option<&'a str>),
    /// A test begins.
    TestBegins(&'a str),
    /// The body of the test is over, and whether it failed; what it opened is closed next.
    TestCloses(&'a str, bool),
    /// The test is over.
    TestEnds(&'a str, &'a Verdict),
    /// All tests are over; what the top level opened is closed next.
    FileCloses(&'a str),
    /// The file is over.
    FileEnds(&'a str),
}

/// Sees a run. Nothing needs to be done with what is of no interest.
pub trait Observer {
    /// An exchange begins with this operation.
    fn begun(&self, _exchange: &Exchange, _op: &Op) {}
    /// It ended like this, and its task is told so.
    fn ended(&self, _exchange: &Exchange, _now: Nanos, _result: &Result<Reply, OpError>) {}
    /// Nobody waits for it any more.
    fn abandoned(&self, _exchange: &Exchange) {}
    /// A guest is booted.
    fn boot_begun(&self, _exchange: &Exchange, _spec: &BootSpec) {}
    /// It answers, or does not.
    fn boot_ended(&self, _exchange: &Exchange, _now: Nanos, _result: Result<(), &OpError>) {}
    /// A piece of a stream is taken.
    fn frame(&self, _guest: u32, _stream: StreamId, _now: Nanos, _frame: &Result<Option<Frame>, OpError>) {}
    /// The Lua side drew a random number.
    fn drew(&self, _value: u64) {}
    /// Lua that computed past its deadline is stopped, at this look at the clock since its task got the floor.
    fn interrupted(&self, _look: u64) {}
    /// The test logged a line.
    fn logged(&self, _text: &str) {}
    /// Something begins or ends.
    fn boundary(&self, _now: Nanos, _what: Boundary<'_>) {}
    /// A task was added to the executor under this number; numbers are not used twice in a run.
    fn spawned(&self, _serial: u32, _path: &str, _at: Option<&Place>) {}
    /// A task gets the floor.
    fn polls(&self, _serial: u32, _now: Nanos) {}
    /// It gives the floor back.
    fn polled(&self) {}
    /// The waiting for tasks ends without what was waited for.
    fn halted(&self, _now: Nanos, _stalled: bool) {}
}

/// All observers of a run.
#[derive(Clone, Default)]
pub struct Observers(Vec<Rc<dyn Observer>>);

impl Observers {
    /// These.
    #[must_use]
    pub fn new(observers: Vec<Rc<dyn Observer>>) -> Observers {
        Observers(observers)
    }

    /// Tells each of them.
    pub fn tell(&self, what: impl Fn(&dyn Observer)) {
        for observer in &self.0 {
            what(&**observer);
        }
    }

    /// Whether nobody looks.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Rc<dyn Observer>> for Observers {
    fn from_iter<T: IntoIterator<Item = Rc<dyn Observer>>>(observers: T) -> Self {
        Observers(observers.into_iter().collect())
    }
}
