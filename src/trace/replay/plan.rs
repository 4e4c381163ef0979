//! The records of a trace, put in the form in which a replay follows them.

use std::collections::BTreeMap;

use provium_protocol::exec::ByteString;
use provium_protocol::profile::BootSpec;
use provium_protocol::{Frame, Lane, Nanos, Op, OpError, Reply, StreamId};

use super::rerun::Made;
use crate::trace::record::{
    At, Boundary, GuestNo, Halt, Header, HostError, ProgramAnswer, ProgramNo, Record, RecordedVerdict, Seq, TaskNo,
};

/// One thing to follow.
#[derive(Debug)]
pub enum Item {
    /// A task has the floor.
    Poll {
        /// Which.
        task: TaskNo,
        /// The lab's clock.
        at: Nanos,
    },
    /// An exchange or a boot begins.
    Begun(Seq),
    /// It ends.
    Ended(Seq),
    /// A piece of a stream is taken.
    Frame {
        /// Of which guest.
        guest: GuestNo,
        /// Which stream.
        stream: StreamId,
        /// The piece.
        frame: Result<Option<Frame>, OpError>,
    },
    /// A program starts.
    ProgramStart(ProgramNo),
    /// A program has the floor.
    ProgramPoll {
        /// Which.
        program: ProgramNo,
        /// The lab's clock.
        at: Nanos,
    },
    /// A program is answered.
    ProgramAnswer(ProgramAnswer),
    /// A program is no more.
    ProgramGone(ProgramNo),
    /// Something begins or ends.
    Boundary {
        /// The lab's clock.
        at: Nanos,
        /// What.
        what: Boundary,
    },
    /// The wait ended.
    Halt {
        /// The lab's clock.
        at: Nanos,
        /// Why.
        why: Halt,
    },
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// An operation.
    Op(Op),
    /// A guest.
    Boot(BootSpec),
}

/// What was answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To an operation.
    Reply(Result<Reply, OpError>),
    /// To a boot.
    Booted(Result<(), OpError>),
}

/// An exchange of the recording.
#[derive(Debug)]
pub struct Recorded {
    /// Who asked.
    pub task: TaskNo,
    /// Which exchange of its task in its part of the run, counted from 0.
    pub index: u32,
    /// The guest.
    pub guest: GuestNo,
    /// On whose line.
    pub lane: Lane,
    /// Where.
    pub at: Option<At>,
    /// What.
    pub asked: Asked,
    /// The item of its beginning.
    pub item: usize,
    /// The item of its end, if it ended.
    pub ended: Option<usize>,
}

/// A start of a program.
#[derive(Debug)]
pub struct Start {
    /// Its name.
    pub name: String,
    /// Its process.
    pub pid: i32,
    /// `argv`.
    pub args: Vec<ByteString>,
    /// The environment.
    pub env: Vec<(ByteString, ByteString)>,
}

/// A source text.
#[derive(Clone, Debug)]
pub struct Source {
    /// As messages name it.
    pub name: String,
    /// The name by which it was required, for a module.
    pub module: Option<String>,
    /// The text.
    pub text: Vec<u8>,
}

/// A random draw of the Lua side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// What was drawn.
    pub value: u64,
    /// The item that follows.
    pub item: usize,
}

/// A file of the host, as it was read.
#[derive(Clone, Debug)]
pub struct RecordedFile {
    /// As the test named it.
    pub path: ByteString,
    /// What it held, or why it could not be read.
    pub content: Result<ByteString, HostError>,
    /// Whether its owner may execute it.
    pub executable: bool,
}

/// A trace, ready to be followed.
#[derive(Debug, Default)]
pub struct Plan {
    /// What the file says of itself.
    pub header: Header,
    /// What to follow.
    pub items: Vec<Item>,
    /// The exchanges and boots.
    pub exchanges: Vec<Recorded>,
    /// The answers, until they are given.
    pub answers: Vec<Option<Answer>>,
    /// The VM of each guest.
    pub guests: Vec<String>,
    /// The path of each task.
    pub tasks: Vec<String>,
    /// The texts.
    pub sources: Vec<Source>,
    /// The programs.
    pub programs: Vec<Start>,
    /// The choices, in order.
    pub made: Vec<Made>,
    /// Random draws of the Lua side.
    pub draws: Vec<Draw>,
    /// The looks at the test's Lua at which it was found to compute past its deadline.
    pub interrupts: Vec<u64>,
    /// Files of the host.
    pub host_files: Vec<RecordedFile>,
    /// The verdicts, in order.
    pub verdicts: Vec<(String, RecordedVerdict)>,
}

/// A trace whose records make no sense together.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("record {record}: {problem}; the trace was written by something else than provium, or by a broken one")]
pub struct PlanError {
    /// Which record, counted from 0.
    pub record: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// Puts records together, one after another.
#[derive(Default)]
pub struct Builder {
    plan: Plan,
    clock: Nanos,
    floor: Option<TaskNo>,
    indices: BTreeMap<TaskNo, u32>,
    records: usize,
}

impl Builder {
    /// For the records of this trace.
    #[must_use]
    pub fn new(header: Header) -> Builder {
        Builder { plan: Plan { header, ..Plan::default() }, ..Builder::default() }
    }

    /// All records have come.
    #[must_use]
    pub fn finish(self) -> Plan {
        self.plan
    }

    /// The texts and files of a plan, and nothing to follow.
    pub(super) fn texts_of(plan: &Plan) -> Plan {
        Plan {
            header: plan.header.clone(),
            sources: plan.sources.clone(),
            host_files: plan.host_files.clone(),
            ..Plan::default()
        }
    }

    /// The next record.
    ///
    /// # Errors
    /// When it speaks of something that was not there before.
    pub fn add(&mut self, record: Record) -> Result<(), PlanError> {
        let number = self.records;
        self.records += 1;
        self.take(record).map_err(|problem| PlanError { record: number, problem })
    }

    fn tick(&mut self, dt: Nanos) -> Nanos {
        self.clock = self.clock.saturating_add(dt);
        self.clock
    }

    fn seq(&self, back: u64) -> Result<Seq, String> {
        let begun = self.plan.exchanges.len() as u64;
        begun
            .checked_sub(back)
            .and_then(|at| at.checked_sub(1))
            .ok_or_else(|| format!("there is no exchange {back} back"))
    }

    fn begin(&mut self, guest: GuestNo, lane: Lane, at: Option<At>, asked: Asked) -> Result<(), String> {
        let task = self.floor.ok_or("an exchange begins and no task has the floor")?;
        if at.is_some_and(|at| at.source as usize >= self.plan.sources.len()) {
            return Err("a line of a source that did not come".to_owned());
        }
        let index = self.indices.entry(task).or_default();
        let item = self.plan.items.len();
        self.plan.items.push(Item::Begun(self.plan.exchanges.len() as Seq));
        self.plan.exchanges.push(Recorded { task, index: *index, guest, lane, at, asked, item, ended: None });
        self.plan.answers.push(None);
        *index += 1;
        Ok(())
    }

    fn end(&mut self, back: u64, answer: Answer) -> Result<(), String> {
        let seq = self.seq(back)?;
        let item = self.plan.items.len();
        let exchange = &mut self.plan.exchanges[seq as usize];
        let fits = matches!(
            (&exchange.asked, &answer),
            (Asked::Op(_), Answer::Reply(_)) | (Asked::Boot(_), Answer::Booted(_))
        );
        if !fits || exchange.ended.replace(item).is_some() {
            return Err(format!("exchange {seq} does not wait for this answer"));
        }
        self.plan.answers[seq as usize] = Some(answer);
        self.plan.items.push(Item::Ended(seq));
        Ok(())
    }

    fn take(&mut self, record: Record) -> Result<(), String> {
        let item = match record {
            Record::Poll { task, dt } => {
                if task as usize >= self.plan.tasks.len() {
                    return Err(format!("there is no task {task}"));
                }
                self.floor = Some(task);
                Item::Poll { task, at: self.tick(dt) }
            }
            Record::Begun { guest, lane, worker: _, at, op } => {
                if guest as usize >= self.plan.guests.len() {
                    return Err(format!("there is no guest {guest}"));
                }
                return self.begin(guest, lane, at, Asked::Op(op));
            }
            Record::Ended { back, result } => return self.end(back, Answer::Reply(result)),
            Record::Abandoned { back } => return self.seq(back).map(|_| ()),
            Record::Frame { guest, stream, frame } => Item::Frame { guest, stream, frame },
            Record::Boot { at, spec } => {
                self.plan.guests.push(spec.vm.clone());
                let guest = self.plan.guests.len() as GuestNo - 1;
                return self.begin(guest, Lane::Main, at, Asked::Boot(*spec));
            }
            Record::Booted { back, result } => return self.end(back, Answer::Booted(result)),
            Record::Draw(value) => {
                self.plan.draws.push(Draw { value, item: self.plan.items.len() });
                return Ok(());
            }
            Record::HostFile { path, content, executable } => {
                self.plan.host_files.push(RecordedFile { path, content, executable });
                return Ok(());
            }
            Record::Choices(choices) => {
                self.plan.made.extend(choices.iter().map(|choice| Made::Pick(choice.of, choice.picked)));
                return Ok(());
            }
            Record::GuestDraw(drawn) => {
                self.plan.made.push(Made::Draw(drawn));
                return Ok(());
            }
            Record::Interrupt { look } => {
                self.plan.interrupts.push(look);
                return Ok(());
            }
            Record::Log(_) => return Ok(()),
            Record::ProgramStart { name, pid, args, env } => {
                self.plan.programs.push(Start { name, pid, args, env });
                Item::ProgramStart(self.plan.programs.len() as ProgramNo - 1)
            }
            Record::ProgramPoll { program, dt } => {
                let at = self.tick(dt);
                Item::ProgramPoll { program: self.program(program)?, at }
            }
            Record::ProgramAnswer(answer) => Item::ProgramAnswer(answer),
            Record::ProgramGone { program } => Item::ProgramGone(self.program(program)?),
            Record::Task { path, .. } => {
                self.plan.tasks.push(path);
                return Ok(());
            }
            Record::Source { name, module, text } => {
                self.plan.sources.push(Source { name, module, text: text.0 });
                return Ok(());
            }
            Record::Boundary { dt, what } => {
                if let Boundary::TestEnds { name, verdict } = &what {
                    self.plan.verdicts.push((name.clone(), verdict.clone()));
                }
                if matches!(what, Boundary::TestBegins { .. }) {
                    self.indices.clear();
                }
                self.floor = None;
                Item::Boundary { at: self.tick(dt), what }
            }
            Record::Halt { dt, why } => Item::Halt { at: self.tick(dt), why },
        };
        self.plan.items.push(item);
        Ok(())
    }

    fn program(&self, program: ProgramNo) -> Result<ProgramNo, String> {
        if (program as usize) < self.plan.programs.len() {
            Ok(program)
        } else {
            Err(format!("there is no program {program}"))
        }
    }
}

impl Plan {
    /// The first boundary at or after an item.
    #[must_use]
    pub fn boundary_from(&self, item: usize) -> usize {
        let rest = self.items.get(item..).unwrap_or_default();
        let found = rest.iter().position(|item| matches!(item, Item::Boundary { .. }));
        found.map_or(self.items.len(), |found| item + found)
    }

    /// Whether the run came to its end.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self.items.last(), Some(Item::Boundary { what: Boundary::FileEnds, .. }))
    }

    /// Whether the body of this test was run.
    #[must_use]
    pub fn ran(&self, test: &str) -> bool {
        let begun = self.items.iter().position(
            |item| matches!(item, Item::Boundary { what: Boundary::TestBegins { name }, .. } if name == test),
        );
        begun
            .and_then(|begun| self.items.get(begun + 1))
            .is_some_and(|next| !matches!(next, Item::Boundary { what: Boundary::TestEnds { .. }, .. }))
    }

    /// The path of the task of an exchange.
    #[must_use]
    pub fn task_of(&self, seq: Seq) -> &str {
        self.exchanges
            .get(seq as usize)
            .and_then(|exchange| self.tasks.get(exchange.task as usize))
            .map_or("?", |path| path)
    }
}
