//! Writes down what a run sees, while it sees it.
//!
//! A recorder is an [`Observer`] of the run and stands around its backend and its source of choices; all of them say
//! their records into one sink in the order in which things happen. It never changes what happens: when the sink fails,
//! recording ends with a word on why, and the run goes on.

mod backend;
mod choices;
mod file;
mod inputs;
mod program;
mod sink;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use provium_protocol::exec::ByteString;
use provium_protocol::profile::BootSpec;
use provium_protocol::{Frame, Nanos, Op, OpError, Reply, StreamId};

use super::record::{At, Boundary as Place, Choice, Halt, ProgramAnswer, Record, RecordedVerdict};
use super::said::Said;
use crate::runner::event::{Site, Verdict};
use crate::runner::exchanges::Exchange;
use crate::runner::observe::{Boundary, Observer};

pub use backend::RecordingBackend;
pub use choices::RecordingChoices;
pub use file::TraceFile;
pub use inputs::{MODULE, RecordingInputs};
pub use sink::{Memory, Sink};

/// Choices that are kept before they are written as one record: a guest that computes for long must not fill the memory.
const MOST_CHOICES: usize = 4_096;

/// Records one run.
pub struct Recorder {
    sink: RefCell<Option<Box<dyn Sink>>>,
    trouble: RefCell<Option<String>>,
    /// What the reader's clock will read.
    clock: Cell<Nanos>,
    /// Exchanges and boots so far.
    begun: Cell<u64>,
    programs: Cell<u32>,
    sources: RefCell<Vec<Rc<str>>>,
    choices: RefCell<Vec<Choice>>,
}

impl Recorder {
    /// A recorder that writes into `sink`.
    #[must_use]
    pub fn new(sink: Box<dyn Sink>) -> Rc<Recorder> {
        Rc::new(Recorder {
            sink: RefCell::new(Some(sink)),
            trouble: RefCell::default(),
            clock: Cell::new(0),
            begun: Cell::new(0),
            programs: Cell::new(0),
            sources: RefCell::default(),
            choices: RefCell::default(),
        })
    }

    /// Ends the trace. What recording could not write, and why.
    ///
    /// # Errors
    /// The first error that the sink met.
    pub fn finish(&self) -> Result<(), String> {
        self.put_choices();
        if let Some(mut sink) = self.sink.take()
            && let Err(error) = sink.finish()
        {
            self.trouble.borrow_mut().get_or_insert(error);
        }
        match self.trouble.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Nobody needs the trace: what of it is not written yet never is. Says what recording met until then.
    ///
    /// # Errors
    /// As for [`Recorder::finish`].
    pub fn discard(&self) -> Result<(), String> {
        self.choices.take();
        self.sink.take();
        self.trouble.take().map_or(Ok(()), Err)
    }

    /// A source text was read.
    fn source(&self, name: &str, module: Option<&str>, text: &[u8]) {
        self.sources.borrow_mut().push(name.into());
        let module = module.map(str::to_owned);
        self.put(Record::Source { name: name.to_owned(), module, text: ByteString(text.to_vec()) });
    }

    fn choice(&self, choice: Choice) {
        let mut choices = self.choices.borrow_mut();
        choices.push(choice);
        if choices.len() >= MOST_CHOICES {
            drop(choices);
            self.put_choices();
        }
    }

    fn put_choices(&self) {
        let choices = self.choices.take();
        if !choices.is_empty() {
            self.write(&Said::Other(&Record::Choices(choices)));
        }
    }

    fn put(&self, record: Record) {
        self.say(&Said::Other(&record));
    }

    fn say(&self, said: &Said<'_>) {
        self.put_choices();
        self.write(said);
    }

    fn write(&self, record: &Said<'_>) {
        let mut sink = self.sink.borrow_mut();
        if let Some(open) = &mut *sink
            && let Err(error) = open.record(record)
        {
            *self.trouble.borrow_mut() = Some(error);
            *sink = None;
        }
    }

    fn settle(&self, precious: bool) {
        self.put_choices();
        let mut sink = self.sink.borrow_mut();
        if let Some(open) = &mut *sink
            && let Err(error) = open.settle(precious)
        {
            *self.trouble.borrow_mut() = Some(error);
            *sink = None;
        }
    }

    /// How far the clock moved since it was last said.
    fn dt(&self, now: Nanos) -> Nanos {
        now.saturating_sub(self.clock.replace(now.max(self.clock.get())))
    }

    fn at(&self, file: &str, line: u32) -> At {
        let known = self.sources.borrow().iter().position(|name| **name == *file);
        let source = known.unwrap_or_else(|| {
            // Lua that came from a string by another name than a file's.
            self.source(file, None, b"");
            self.sources.borrow().len() - 1
        });
        At { source: source as u32, line }
    }

    fn site(&self, site: Option<&Site>) -> Option<At> {
        site.map(|site| self.at(&site.file, site.line))
    }

    fn place(&self, place: Option<&crate::runner::place::Place>) -> Option<At> {
        place.map(|place| self.at(&place.file, place.line))
    }

    fn back(&self, exchange: &Exchange) -> u64 {
        let youngest = self.begun.get().saturating_sub(1);
        youngest.saturating_sub(exchange.number.unwrap_or(youngest))
    }

    fn verdict(&self, verdict: &Verdict) -> RecordedVerdict {
        match verdict {
            Verdict::Passed => RecordedVerdict::Passed,
            Verdict::Failed(failure) => {
                RecordedVerdict::Failed { message: failure.message.clone(), at: self.site(failure.site.as_ref()) }
            }
            Verdict::Skipped(reason) => RecordedVerdict::Skipped { reason: reason.clone() },
        }
    }

    fn answered(&self, answer: ProgramAnswer) {
        self.put(Record::ProgramAnswer(answer));
    }
}

impl Observer for Recorder {
    fn begun(&self, exchange: &Exchange, op: &Op) {
        let origin = &exchange.origin;
        let at = self.place(origin.at.as_ref());
        self.begun.set(self.begun.get() + 1);
        let (guest, lane, worker) = (origin.guest, origin.lane, origin.worker.as_deref());
        self.say(&Said::Begun { guest, lane, worker, at, op });
    }

    fn ended(&self, exchange: &Exchange, _: Nanos, result: &Result<Reply, OpError>) {
        self.say(&Said::Ended { back: self.back(exchange), result });
    }

    fn abandoned(&self, exchange: &Exchange) {
        self.put(Record::Abandoned { back: self.back(exchange) });
    }

    fn boot_begun(&self, exchange: &Exchange, spec: &BootSpec) {
        let at = self.place(exchange.origin.at.as_ref());
        self.begun.set(self.begun.get() + 1);
        self.put(Record::Boot { at, spec: Box::new(spec.clone()) });
    }

    fn boot_ended(&self, exchange: &Exchange, _: Nanos, result: Result<(), &OpError>) {
        self.put(Record::Booted { back: self.back(exchange), result: result.map_err(Clone::clone) });
    }

    fn frame(&self, guest: u32, stream: StreamId, _: Nanos, frame: &Result<Option<Frame>, OpError>) {
        self.say(&Said::Frame { guest, stream, frame });
    }

    fn drew(&self, value: u64) {
        self.put(Record::Draw(value));
    }

    fn interrupted(&self, look: u64) {
        self.put(Record::Interrupt { look });
    }

    fn logged(&self, text: &str) {
        self.put(Record::Log(text.to_owned()));
    }

    fn boundary(&self, now: Nanos, what: Boundary<'_>) {
        let what = match what {
            Boundary::FileBegins(_) => Place::FileBegins,
            Boundary::FileLoaded(failure) => Place::FileLoaded { failure: failure.map(str::to_owned) },
            Boundary::TestBegins(name) => Place::TestBegins { name: name.to_owned() },
            Boundary::TestCloses(..) => Place::TestCloses,
            Boundary::TestEnds(name, verdict) => {
                Place::TestEnds { name: name.to_owned(), verdict: self.verdict(verdict) }
            }
            Boundary::FileCloses(_) => Place::FileCloses,
            Boundary::FileEnds(_) => Place::FileEnds,
        };
        let dt = self.dt(now);
        // A run that is killed later leaves behind what failed before, and most of the rest.
        let settles = match &what {
            Place::TestEnds { verdict, .. } => Some(matches!(verdict, RecordedVerdict::Failed { .. })),
            Place::FileLoaded { failure } => Some(failure.is_some()),
            _ => None,
        };
        self.put(Record::Boundary { dt, what });
        if let Some(precious) = settles {
            self.settle(precious);
        }
    }

    fn spawned(&self, _: u32, path: &str, at: Option<&crate::runner::place::Place>) {
        let at = self.place(at);
        self.put(Record::Task { path: path.to_owned(), at });
    }

    fn polls(&self, serial: u32, now: Nanos) {
        let dt = self.dt(now);
        self.put(Record::Poll { task: serial, dt });
    }

    fn halted(&self, now: Nanos, stalled: bool) {
        let dt = self.dt(now);
        self.put(Record::Halt { dt, why: if stalled { Halt::Stalled } else { Halt::Deadline } });
    }
}
