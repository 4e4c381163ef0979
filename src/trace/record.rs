//! What a trace is made of.
//!
//! Records stand in the order in which the test saw things. A [`Record::Poll`] gives the floor to a task, and what
//! follows, up to the next record that gives it to somebody else, that task did: it began an exchange, it got an
//! answer, it took a frame. So the order of the records is the interleaving, and nothing else has to be kept of it.
//!
//! Version rule: variants and fields are only ever added at the end, under a new [`FORMAT_VERSION`]; what a reader must
//! understand to replay rightly is named among [`Header::required`].

use std::collections::BTreeMap;

use provium_protocol::exec::ByteString;
use provium_protocol::profile::{BootSpec, Profile};
use provium_protocol::{ChoicePoint, Errno, Frame, Lane, Nanos, Op, OpError, Reply, Signal, StreamId};
use serde::{Deserialize, Serialize};

/// The version that this code writes; it reads this one and all before it.
pub const FORMAT_VERSION: u16 = 3;

/// What the file says of itself before the first record. It is stored as JSON, so that a person can read it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Header {
    /// Who wrote it: `provium 0.1.0`.
    pub writer: String,
    /// Features without which a reader would replay wrongly; one it does not know makes it refuse.
    pub required: Vec<String>,
    /// The test file, as reports name it.
    pub file: String,
    /// SHA-256 of the test file's text, in hexadecimal. Written no more: the text itself is the first record, and what was
    /// left out of that could be guessed by its digest.
    pub file_sha256: String,
    /// `"sim"`, `"qemu"`.
    pub backend: String,
    /// Whether computing by the test was charged to the clock, as on a clock that is virtual.
    pub virtual_clock: bool,
    /// `"fifo"`, `"random"`.
    pub strategy: String,
    /// The seed of a random schedule.
    pub seed: Option<u64>,
    /// The deadline of a test whose file and meta say nothing.
    pub default_timeout: Option<Nanos>,
    /// What `lab:vm(name, profile)` could name, whole.
    pub profiles: BTreeMap<String, Profile>,
    /// SHA-256 of each profile in its canonical JSON, in hexadecimal.
    pub profile_sha256: BTreeMap<String, String>,
    /// Patterns whose matches were replaced in the records, if there were any: how many.
    pub redacted: u32,
}

/// Names an exchange or a boot: the n-th [`Record::Begun`] or [`Record::Boot`] of the trace, counted from 0.
pub type Seq = u64;

/// Names a task: the n-th [`Record::Task`] of the trace, counted from 0.
pub type TaskNo = u32;

/// Names a source text: the n-th [`Record::Source`] of the trace, counted from 0.
pub type SourceNo = u32;

/// Names a booted guest: the n-th [`Record::Boot`] of the trace, counted from 0. A VM that is booted twice is two.
pub type GuestNo = u32;

/// Names a run of a program written in Lua: the n-th [`Record::ProgramStart`] of the trace, counted from 0.
pub type ProgramNo = u32;

/// A line of Lua.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    /// In which text.
    pub source: SourceNo,
    /// Counted from 1.
    pub line: u32,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    // Who goes next.
    /// A task of the test goes on, until the next record that gives somebody else the floor.
    Poll {
        /// Which.
        task: TaskNo,
        /// How far the lab's clock moved since the last record that moved it, in nanoseconds. What the task computes
        /// is charged on top, by rule.
        dt: Nanos,
    },

    // What a task does with the guests.
    /// The task that has the floor begins an exchange.
    Begun {
        /// With which guest.
        guest: GuestNo,
        /// On whose line.
        lane: Lane,
        /// The worker's name, on a worker's line.
        worker: Option<String>,
        /// Where the test asks.
        at: Option<At>,
        /// What it asks.
        op: Op,
    },
    /// The task that has the floor gets its answer.
    Ended {
        /// Which exchange: how many were begun after it (0: the youngest).
        back: u64,
        /// The answer.
        result: Result<Reply, OpError>,
    },
    /// An exchange whose answer nobody waits for any more.
    Abandoned {
        /// Which, counted as in [`Record::Ended`].
        back: u64,
    },
    /// The task that has the floor takes a piece of a stream.
    Frame {
        /// Of which guest.
        guest: GuestNo,
        /// Which stream.
        stream: StreamId,
        /// The piece; `None` at the end.
        frame: Result<Option<Frame>, OpError>,
    },
    /// The task that has the floor boots a guest. Counts among the exchanges.
    Boot {
        /// Where the test asks.
        at: Option<At>,
        /// Everything about it; in a box, because it is large and rare.
        spec: Box<BootSpec>,
    },
    /// The guest answers, or does not.
    Booted {
        /// Which boot, counted as in [`Record::Ended`].
        back: u64,
        /// What came of it.
        result: Result<(), OpError>,
    },

    // What else the Lua side sees.
    /// A random draw for the Lua side.
    Draw(u64),
    /// A file of the host, as the Lua side read it.
    HostFile {
        /// As the test named it.
        path: ByteString,
        /// What it held, or why it could not be read.
        content: Result<ByteString, HostError>,
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// Lua that computed past its deadline is stopped, at this look at the clock since it got the floor.
    Interrupt {
        /// Counted from 1.
        look: u64,
    },

    // The guests' side.
    /// Choices since the last record, in order.
    Choices(Vec<Choice>),
    /// A draw for the guests' side.
    GuestDraw(u64),
    /// A program written in Lua starts in a guest.
    ProgramStart {
        /// Its name.
        name: String,
        /// Its process.
        pid: i32,
        /// `argv`.
        args: Vec<ByteString>,
        /// The environment.
        env: Vec<(ByteString, ByteString)>,
    },
    /// A program has the floor.
    ProgramPoll {
        /// Which.
        program: ProgramNo,
        /// As in [`Record::Poll`].
        dt: Nanos,
    },
    /// The program that has the floor gets an answer from its kernel.
    ProgramAnswer(ProgramAnswer),
    /// A program is no more: it ended, or was killed.
    ProgramGone {
        /// Which.
        program: ProgramNo,
    },

    // Names.
    /// The next task's name.
    Task {
        /// Its spawn path: `main`, `main/2`.
        path: String,
        /// Where it was spawned.
        at: Option<At>,
    },
    /// The next source text.
    Source {
        /// As messages name it.
        name: String,
        /// For a module: the name by which it was required.
        module: Option<String>,
        /// The text.
        text: ByteString,
    },

    // Where the run stands.
    /// Something begins or ends.
    Boundary {
        /// As in [`Record::Poll`].
        dt: Nanos,
        /// What.
        what: Boundary,
    },
    /// Waiting for tasks ended without the tasks.
    Halt {
        /// As in [`Record::Poll`].
        dt: Nanos,
        /// Why.
        why: Halt,
    },
    /// The test logged a line.
    Log(String),
}

impl Record {
    /// What kind of record it is, in a word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Record::Poll { .. } => "poll",
            Record::Begun { .. } => "begun",
            Record::Ended { .. } => "ended",
            Record::Abandoned { .. } => "abandoned",
            Record::Frame { .. } => "frame",
            Record::Boot { .. } => "boot",
            Record::Booted { .. } => "booted",
            Record::Draw(_) => "draw",
            Record::HostFile { .. } => "host file",
            Record::Interrupt { .. } => "interrupt",
            Record::Choices(_) => "choices",
            Record::GuestDraw(_) => "guest draw",
            Record::ProgramStart { .. } => "program start",
            Record::ProgramPoll { .. } => "program poll",
            Record::ProgramAnswer(_) => "program answer",
            Record::ProgramGone { .. } => "program gone",
            Record::Task { .. } => "task",
            Record::Source { .. } => "source",
            Record::Boundary { .. } => "boundary",
            Record::Halt { .. } => "halt",
            Record::Log(_) => "log",
        }
    }
}

/// Why a file of the host could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostError {
    /// In words, as Lua has it.
    pub message: String,
    /// The host's errno.
    pub errno: i32,
}

/// One choice with more than one alternative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What was chosen.
    pub point: ChoicePoint,
    /// Among how many.
    pub of: u32,
    /// Which, counted from 0.
    pub picked: u32,
}

/// What a program written in Lua was told by its kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProgramAnswer {
    /// It may go on computing.
    Computed,
    /// read(2).
    Read(Result<ByteString, Errno>),
    /// write(2).
    Write(Result<u64, Errno>),
    /// open(2).
    Open(Result<i32, Errno>),
    /// close(2).
    Close(Result<(), Errno>),
    /// nanosleep(2).
    Sleep(Result<(), Errno>),
    /// A signal is caught from now on.
    Catch(Result<(), Errno>),
    /// Signals that it caught since it asked last.
    Caught(Vec<Signal>),
    /// execve(2) failed.
    Exec(Errno),
}

/// A place in the run of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Boundary {
    /// The file's top level begins.
    FileBegins,
    /// It has run, or failed.
    FileLoaded {
        /// Why it could not be loaded.
        failure: Option<String>,
    },
    /// A test begins.
    TestBegins {
        /// Its name.
        name: String,
    },
    /// The body of the test has returned, raised, or been stopped; what it opened is closed next.
    TestCloses,
    /// A test is over.
    TestEnds {
        /// Its name.
        name: String,
        /// What came of it.
        verdict: RecordedVerdict,
    },
    /// All tests are over; what the file's top level opened is closed next.
    FileCloses,
    /// The file is over.
    FileEnds,
}

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordedVerdict {
    /// It did what it says.
    Passed,
    /// It did not.
    Failed {
        /// What the report says.
        message: String,
        /// Where.
        at: Option<At>,
    },
    /// It was not run.
    Skipped {
        /// Why.
        reason: String,
    },
}

/// Why the waiting for tasks ended without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Halt {
    /// The deadline came.
    Deadline,
    /// Nothing could happen any more.
    Stalled,
}
