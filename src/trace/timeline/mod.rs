//! What a trace tells, put in order: who asked what of whom, when, and what came of it.
//!
//! Everything that people look at traces with is made from this. It holds what the records hold, moved and not copied,
//! and a small constant for each of them; choices and draws are only counted.

mod fold;
#[cfg(test)]
pub mod samples;
#[cfg(test)]
mod tests;

pub use fold::Builder;

use provium_protocol::exec::ByteString;
use provium_protocol::profile::BootSpec;
use provium_protocol::{Frame, Lane, Nanos, Op, OpError, Reply, Signal, StreamId};

use super::record::{
    At, Boundary, GuestNo, Halt, Header, HostError, ProgramNo, Record, RecordedVerdict, Seq, SourceNo, TaskNo,
};
use crate::runner::describe;
use crate::runner::event::Site;

/// The name that stands for a task where none has the floor: what a scope opened is being closed.
pub const CLOSING: &str = "close";

/// What a trace tells.
///
/// Times are nanoseconds of the lab's clock since the trace began, as far as the records say: what tasks compute is
/// charged to the clock by rule and not recorded.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// What the file says of itself.
    pub header: Header,
    /// The texts.
    pub sources: Vec<Source>,
    /// The tests that began.
    pub tests: Vec<Test>,
    /// The tasks.
    pub tasks: Vec<Task>,
    /// The guests, one for each boot.
    pub guests: Vec<Guest>,
    /// The exchanges and boots, by number.
    pub exchanges: Vec<Exchange>,
    /// Runs of programs written in Lua.
    pub programs: Vec<Program>,
    /// Everything else, in order.
    pub events: Vec<Event>,
    /// Choices with more than one alternative.
    pub choices: u64,
    /// Draws, for the Lua side and the guests'.
    pub draws: u64,
    /// How many records there were.
    pub records: u64,
    /// The time of the last record.
    pub end: Nanos,
    /// Whether the file came to its end; if not, the trace is torn or the run was killed.
    pub complete: bool,
}

/// A text.
#[derive(Clone, Debug)]
pub struct Source {
    /// As messages name it.
    pub name: String,
    /// For a module: the name by which it was required.
    pub module: Option<String>,
    /// What it says.
    pub text: String,
    /// Where each line begins.
    starts: Vec<u32>,
}

/// A test.
#[derive(Clone, Debug)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// When it began.
    pub began: Nanos,
    /// When its body was over and what it opened was being closed.
    pub closes: Option<Nanos>,
    /// When it was over, and what came of it.
    pub ended: Option<(Nanos, RecordedVerdict)>,
}

/// A task.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its spawn path.
    pub path: String,
    /// Where it was spawned.
    pub at: Option<At>,
    /// The test that it belongs to; `None` for the file's top level.
    pub test: Option<usize>,
    /// When it was first heard of.
    pub began: Nanos,
    /// Its exchanges and boots, in order.
    pub exchanges: Vec<Seq>,
}

/// A booted guest.
#[derive(Clone, Debug)]
pub struct Guest {
    /// The VM's name.
    pub vm: String,
    /// The exchange that booted it.
    pub boot: Seq,
}

/// What is asked: an operation of a guest, or a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// An operation.
    Op(Op),
    /// A boot.
    Boot(Box<BootSpec>),
}

/// [`Ask`], borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskRef<'a> {
    /// An operation.
    Op(&'a Op),
    /// A boot.
    Boot(&'a BootSpec),
}

/// One exchange, or a boot.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Its number.
    pub seq: Seq,
    /// Which record began it, counted from 0.
    pub record: u64,
    /// The task that asked; `None` when something was closed.
    pub task: Option<TaskNo>,
    /// Which of its task it is, boots included, counted from 0.
    pub index: usize,
    /// The test in which it began.
    pub test: Option<usize>,
    /// With which guest.
    pub guest: GuestNo,
    /// On whose line.
    pub lane: Lane,
    /// The worker's name, on a worker's line.
    pub worker: Option<String>,
    /// What was asked.
    pub ask: Ask,
    /// Where.
    pub at: Option<At>,
    /// When.
    pub began: Nanos,
    /// When it ended, and how.
    pub ended: Option<(Nanos, Result<Reply, OpError>)>,
    /// When nobody waited for it any more.
    pub abandoned: Option<Nanos>,
    /// Which record says that it is over.
    pub over_record: Option<u64>,
}

/// A run of a program written in Lua.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// Its process.
    pub pid: i32,
    /// `argv`.
    pub args: Vec<ByteString>,
    /// The environment.
    pub env: Vec<(ByteString, ByteString)>,
    /// When it began.
    pub began: Nanos,
    /// When it was no more.
    pub gone: Option<Nanos>,
    /// How often it got an answer from its kernel.
    pub answers: u64,
    /// Signals that it caught.
    pub caught: Vec<Signal>,
}

/// Something that is neither an exchange nor of the guests' side.
#[derive(Clone, Debug)]
pub struct Event {
    /// Which record, counted from 0.
    pub record: u64,
    /// When.
    pub when: Nanos,
    /// In which test.
    pub test: Option<usize>,
    /// Which task had the floor.
    pub task: Option<TaskNo>,
    /// How many exchanges had begun before.
    pub after: Seq,
    /// What happened.
    pub what: Happening,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Happening {
    /// The test logged a line.
    Log(String),
    /// A piece of a stream was taken.
    Frame {
        /// Of which guest.
        guest: GuestNo,
        /// Which stream.
        stream: StreamId,
        /// The exchange that opened it, if it is known.
        opened: Option<Seq>,
        /// The piece.
        frame: Result<Option<Frame>, OpError>,
    },
    /// A file of the host was read.
    HostFile {
        /// As the test named it.
        path: ByteString,
        /// What it held.
        content: Result<ByteString, HostError>,
    },
    /// Lua that computed past its deadline was stopped.
    Interrupt,
    /// A program written in Lua began.
    ProgramStart(ProgramNo),
    /// It is no more.
    ProgramGone(ProgramNo),
    /// Waiting for tasks ended without them.
    Halt(Halt),
    /// Something began or ended.
    Boundary(Boundary),
}

/// A record that makes no sense after those before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {record} ({name}) makes no sense: {why}")]
pub struct SenselessRecord {
    /// Which, counted from 0.
    pub record: u64,
    /// Its name.
    pub name: &'static str,
    /// What is wrong with it.
    pub why: String,
}

impl Timeline {
    /// Puts records in order.
    pub fn new(header: Header, records: impl IntoIterator<Item = Record>) -> Result<Timeline, SenselessRecord> {
        let mut fold = Builder::new(header);
        records.into_iter().try_for_each(|record| fold.record(record))?;
        Ok(fold.finish())
    }

    /// A place in words.
    #[must_use]
    pub fn site(&self, at: At) -> Option<Site> {
        let source = self.source(at.source)?;
        Some(Site { file: source.name.clone(), line: at.line })
    }

    /// A source by number.
    #[must_use]
    pub fn source(&self, number: SourceNo) -> Option<&Source> {
        self.sources.get(usize::try_from(number).ok()?)
    }

    /// The recorded text of a line.
    #[must_use]
    pub fn line(&self, at: At) -> Option<&str> {
        self.source(at.source)?.line(at.line)
    }

    /// A source by the name that messages have for it.
    #[must_use]
    pub fn source_named(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// A task by number.
    #[must_use]
    pub fn task(&self, number: TaskNo) -> Option<&Task> {
        self.tasks.get(usize::try_from(number).ok()?)
    }

    /// A task by its test's name and its spawn path.
    #[must_use]
    pub fn find_task(&self, test: Option<&str>, path: &str) -> Option<&Task> {
        self.tasks.iter().find(|task| task.path == path && self.test_name(task.test) == test)
    }

    /// A test's name.
    #[must_use]
    pub fn test_name(&self, test: Option<usize>) -> Option<&str> {
        self.tests.get(test?).map(|test| test.name.as_str())
    }

    /// An exchange by number.
    #[must_use]
    pub fn exchange(&self, seq: Seq) -> Option<&Exchange> {
        self.exchanges.get(usize::try_from(seq).ok()?)
    }

    /// The spawn path of the task that asked, or [`CLOSING`].
    #[must_use]
    pub fn task_path(&self, task: Option<TaskNo>) -> &str {
        task.and_then(|task| self.task(task)).map_or(CLOSING, |task| task.path.as_str())
    }

    /// A guest's VM.
    #[must_use]
    pub fn vm(&self, guest: GuestNo) -> &str {
        usize::try_from(guest).ok().and_then(|guest| self.guests.get(guest)).map_or("?", |guest| guest.vm.as_str())
    }

    /// On whom an exchange was: `a`, or `a/worker1`.
    #[must_use]
    pub fn on(&self, exchange: &Exchange) -> String {
        on(self.vm(exchange.guest), exchange.worker.as_deref())
    }
}

/// A VM, or one of its workers: `a`, `a/worker1`.
#[must_use]
pub fn on(vm: &str, worker: Option<&str>) -> String {
    match worker {
        Some(worker) => format!("{vm}/{worker}"),
        None => vm.to_owned(),
    }
}

impl Source {
    fn new(name: String, module: Option<String>, text: &ByteString) -> Source {
        let text = String::from_utf8_lossy(&text.0).into_owned();
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        // Lines past 4 GiB of text are not found, which costs nobody anything.
        let starts = std::iter::once(0).chain(ends.filter_map(|(at, _)| u32::try_from(at + 1).ok())).collect();
        Source { name, module, text, starts }
    }

    /// A line, counted from 1, without its end.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<&str> {
        let start = *self.starts.get(usize::try_from(number).ok()?.checked_sub(1)?)?;
        let rest = self.text.get(usize::try_from(start).ok()?..)?;
        Some(rest.split('\n').next().unwrap_or(rest).trim_end_matches('\r'))
    }
}

impl Ask {
    /// The same, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> AskRef<'_> {
        match self {
            Ask::Op(op) => AskRef::Op(op),
            Ask::Boot(spec) => AskRef::Boot(spec),
        }
    }
}

impl AskRef<'_> {
    /// Its name in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            AskRef::Op(op) => op.name(),
            AskRef::Boot(_) => "boot",
        }
    }

    /// With its arguments, in a few words.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            AskRef::Op(op) => describe::operation(op),
            AskRef::Boot(spec) => format!("boot({}, {})", spec.vm, spec.profile.name),
        }
    }

    /// Its arguments as a tree, the kind left out.
    #[must_use]
    pub fn fields(self) -> super::fields::Field {
        match self {
            AskRef::Op(op) => super::fields::of(op).held().clone(),
            AskRef::Boot(spec) => super::fields::of(spec),
        }
    }
}

impl<'a> From<&'a Op> for AskRef<'a> {
    fn from(op: &'a Op) -> Self {
        AskRef::Op(op)
    }
}

impl<'a> From<&'a BootSpec> for AskRef<'a> {
    fn from(spec: &'a BootSpec) -> Self {
        AskRef::Boot(spec)
    }
}

impl Exchange {
    /// What came of it, in a few words.
    #[must_use]
    pub fn outcome(&self) -> String {
        match (&self.ended, self.abandoned) {
            (Some((_, Ok(_))), _) if matches!(self.ask, Ask::Boot(_)) => "answers".to_owned(),
            (Some((_, result)), _) => describe::outcome(result),
            (None, Some(_)) => "abandoned".to_owned(),
            (None, None) => "never ended".to_owned(),
        }
    }

    /// When it was over, one way or the other.
    #[must_use]
    pub fn over(&self) -> Option<Nanos> {
        self.ended.as_ref().map(|(when, _)| *when).or(self.abandoned)
    }
}
