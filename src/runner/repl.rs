//! A session with a person, or with a script on standard input: a run whose file is typed line by line. All of it is one
//! section, so that what a line made lives until the session ends.

use std::collections::BTreeMap;
use std::rc::Rc;

use provium_protocol::profile::Profile;
use provium_protocol::{Backend, Nanos};

use super::event::{Event, Failure};
use super::file::FileToRun;
use super::inputs::HostInputs;
use super::observe::Observers;
use super::run::{Outcome, Run};
use super::section::Section;
use crate::exec::Stop;
pub use crate::lua::{Candidates, REPL_FILE};
use crate::lua::{Chunk, Reading, Session, Setup};

/// What a session is given.
pub struct ReplOptions {
    /// Names the session; modules and files of the host are looked for from where it lies.
    pub file: FileToRun,
    /// The profiles of `lab:vm(name, profile)`, by name.
    pub profiles: BTreeMap<String, Profile>,
    /// What `provium.seed` says; `None` for the fixed schedule.
    pub seed: Option<u64>,
    /// Where modules and files come from.
    pub inputs: Rc<dyn HostInputs>,
    /// Ends what a line does.
    pub stop: Stop,
}

/// What became of a line.
#[derive(Debug)]
pub enum Fed {
    /// More of its chunk is to come.
    Incomplete,
    /// Its chunk has run.
    Ran {
        /// What it came to, if that is anything.
        shown: Option<String>,
        /// It had variables that have ended with it.
        locals: bool,
    },
    /// Something went wrong.
    Failed(Box<Failure>),
    /// It was asked to stop. So many other tasks were stopped with it.
    Interrupted {
        /// How many.
        tasks: usize,
    },
}

/// A session.
pub struct Repl {
    run: Run,
    stop: Stop,
    /// All lines so far.
    lines: Vec<String>,
    /// At which of them the chunk begins that is being read.
    begins: usize,
}

impl Repl {
    /// A session in which nothing was said yet.
    ///
    /// # Errors
    /// When there is no memory for a Lua state.
    pub fn new(options: ReplOptions, backend: Rc<dyn Backend>) -> Result<Repl, Box<Failure>> {
        let file = options.file.name.clone();
        let setup = Setup {
            file: file.as_str().into(),
            run: options.file,
            inputs: options.inputs,
            profiles: options.profiles,
            seed: options.seed,
            observers: Observers::default(),
            conductor: None,
            stop: Some(options.stop.clone()),
        };
        let session = Session::new(Rc::clone(&backend), setup)?;
        session.open(&session.host().top)?;
        Ok(Repl { run: Run { file, session, backend }, stop: options.stop, lines: Vec::new(), begins: 0 })
    }

    /// Boots a guest of this profile as the global `vm`.
    pub fn boot(&mut self, profile: &str, sink: &mut dyn FnMut(Event)) -> Fed {
        match self.run.session.boot_chunk(profile) {
            Ok(chunk) => self.chunk(chunk, false, usize::MAX, sink),
            Err(failure) => Fed::Failed(failure),
        }
    }

    /// Takes a line, without its end, and runs the chunk that it ends, if it ends one. What that comes to is shown in lines
    /// of about `width` characters.
    pub fn feed(&mut self, line: &str, width: usize, sink: &mut dyn FnMut(Event)) -> Fed {
        self.lines.push(line.to_owned());
        let text = self.lines[self.begins..].join("\n");
        let first = u32::try_from(self.begins + 1).unwrap_or(u32::MAX);
        let reading = self.run.session.read(&text, first);
        if let Reading::Incomplete = reading {
            return Fed::Incomplete;
        }
        self.begins = self.lines.len();
        match reading {
            Reading::Whole { chunk, locals } => self.chunk(chunk, locals, width, sink),
            Reading::Broken(failure) => Fed::Failed(failure),
            Reading::Incomplete => Fed::Incomplete,
        }
    }

    /// Counts a line that is not for Lua.
    pub fn pass_over(&mut self, line: &str) {
        self.lines.push(line.to_owned());
        self.begins = self.lines.len();
    }

    /// Forgets what there is of a chunk that is not whole; the number of its first line, if there was one.
    pub fn give_up(&mut self) -> Option<usize> {
        let first = self.begins + 1;
        self.begins = self.lines.len();
        (first <= self.lines.len()).then_some(first)
    }

    /// Whether a chunk has begun that is not whole.
    #[must_use]
    pub fn is_within(&self) -> bool {
        self.begins < self.lines.len()
    }

    /// A line of the session, counted from 1.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<&str> {
        self.lines.get(usize::try_from(number).ok()?.checked_sub(1)?).map(String::as_str)
    }

    /// The first value of the last line, whole.
    #[must_use]
    pub fn last_whole(&self, width: usize) -> String {
        self.run.session.last_whole(width)
    }

    /// Whether there is a global variable of this name.
    #[must_use]
    pub fn has_global(&self, name: &str) -> bool {
        self.run.session.has_global(name)
    }

    /// What the word at the end of this text may become.
    #[must_use]
    pub fn candidates(&self, before: &str) -> Candidates {
        self.run.session.candidates(before)
    }

    fn chunk(&mut self, chunk: Chunk, locals: bool, width: usize, sink: &mut dyn FnMut(Event)) -> Fed {
        let top = Rc::clone(&self.run.host().top);
        begin(&top);
        self.stop.forget();
        self.read_clock();
        let (ended, shown) = match self.run.session.start_chunk(&top, chunk, width) {
            Ok(started) => started,
            Err(failure) => return Fed::Failed(failure),
        };
        let outcome = self.run.wait(&top, &ended, Nanos::MAX, sink);
        if self.stop.asked() && !matches!(outcome, Outcome::Returned) {
            let tasks = self.run.session.interrupt();
            self.stop.forget();
            return Fed::Interrupted { tasks };
        }
        if matches!(outcome, Outcome::Returned) {
            // An assertion that was caught is the one's own business who caught it.
            begin(&top);
        }
        let failure = self.run.failure_of(&top, outcome);
        self.run.session.cancel_main(&top);
        for (task, failure) in self.run.session.unseen_errors() {
            top.warn(format!("{task} raised an error that nobody joined: {}", failure.message));
        }
        self.warnings(&top, sink);
        if let Some(reason) = top.skipped.take() {
            sink(Event::Log { file: self.run.file.clone(), test: None, text: format!("skipped: {reason}") });
        }
        match failure {
            Some(failure) => Fed::Failed(Box::new(failure)),
            None => Fed::Ran { shown: shown.take(), locals },
        }
    }

    fn warnings(&self, top: &Section, sink: &mut dyn FnMut(Event)) {
        for warning in top.warnings.take() {
            sink(Event::Log { file: self.run.file.clone(), test: None, text: format!("warning: {warning}") });
        }
    }

    /// A real clock has gone on while somebody typed, and is read only where the guests are asked for a step.
    fn read_clock(&self) {
        let _ = self.run.backend.has_step();
    }

    /// Ends what still runs, and closes all that the session opened.
    pub fn finish(self, sink: &mut dyn FnMut(Event)) {
        let top = Rc::clone(&self.run.host().top);
        self.run.session.interrupt();
        self.stop.forget();
        self.read_clock();
        self.run.close(&top, sink);
        self.warnings(&top, sink);
    }
}

/// A new chunk is not to blame for those before it.
fn begin(section: &Section) {
    section.failures.take();
    section.more_failures.set(0);
    section.skipped.take();
    section.interrupted_at.take();
    section.logged.set(0);
}
