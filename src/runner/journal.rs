//! The journal: every exchange, every choice and every boundary of a run, one line each, in order.
//!
//! Two runs with the same choices write the same journal to the byte; that is how determinism is proved. It is for
//! people and for comparison, not for replaying: long data is shown by its beginning and a checksum of all of it.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::rc::Rc;

use provium_protocol::profile::BootSpec;
use provium_protocol::{ChoicePoint, Choices, Frame, Nanos, Op, OpError, Reply, StreamId};

use super::event::Verdict;
use super::exchanges::Exchange;
use super::observe::{Boundary, Observer};

/// Writes the journal's lines to a file.
pub struct Journal {
    out: RefCell<BufWriter<File>>,
    trouble: RefCell<Option<std::io::Error>>,
}

impl Journal {
    /// A journal in a new file; one that is there is replaced.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path) -> std::io::Result<Rc<Journal>> {
        let out = RefCell::new(BufWriter::new(File::create(path)?));
        Ok(Rc::new(Journal { out, trouble: RefCell::new(None) }))
    }

    fn line(&self, line: &str) {
        let mut out = self.out.borrow_mut();
        if let Err(error) = out.write_all(line.as_bytes()).and_then(|()| out.write_all(b"\n")) {
            self.trouble.borrow_mut().get_or_insert(error);
        }
    }

    /// Writes what is still in memory.
    ///
    /// # Errors
    /// The first error that writing met.
    pub fn finish(&self) -> std::io::Result<()> {
        match self.trouble.take() {
            Some(error) => Err(error),
            None => self.out.borrow_mut().flush(),
        }
    }

    /// The same choices, each of them in the journal.
    pub fn choices(self: &Rc<Self>, choices: Rc<dyn Choices>) -> Rc<dyn Choices> {
        Rc::new(Journalled { journal: Rc::clone(self), choices })
    }
}

impl Journal {
    fn begins(&self, exchange: &Exchange, operation: &str, arguments: &str) {
        let origin = &exchange.origin;
        let mut line = format!("{} {}#{} ", exchange.began, origin.task, origin.index);
        // Writing to a string cannot fail.
        let _ = write!(line, "{}", origin.vm);
        if let Some(worker) = &origin.worker {
            let _ = write!(line, "/{worker}");
        }
        let _ = write!(line, " > {operation} [{:016x}]", checksum(arguments));
        if let Some(at) = &origin.at {
            let _ = write!(line, " @ {at}");
        }
        self.line(&line);
    }

    fn ends(&self, exchange: &Exchange, now: Nanos, outcome: &str, result: &str) {
        let (origin, sum) = (&exchange.origin, checksum(result));
        self.line(&format!("{now} {}#{} {} < {outcome} [{sum:016x}]", origin.task, origin.index, origin.vm));
    }
}

impl Observer for Journal {
    fn begun(&self, exchange: &Exchange, op: &Op) {
        self.begins(exchange, &exchange.operation, &format!("{op:?}"));
    }

    fn ended(&self, exchange: &Exchange, now: Nanos, result: &Result<Reply, OpError>) {
        self.ends(exchange, now, &exchange.to_note().outcome, &format!("{result:?}"));
    }

    fn boot_begun(&self, exchange: &Exchange, spec: &BootSpec) {
        self.begins(exchange, &format!("boot as {}", spec.profile.name), &format!("{spec:?}"));
    }

    fn boot_ended(&self, exchange: &Exchange, now: Nanos, result: Result<(), &OpError>) {
        self.ends(exchange, now, if result.is_ok() { "booted" } else { "not booted" }, &format!("{result:?}"));
    }

    fn frame(&self, guest: u32, stream: StreamId, now: Nanos, frame: &Result<Option<Frame>, OpError>) {
        let sum = checksum(&format!("{frame:?}"));
        self.line(&format!("{now} -- frame of stream {} of guest {guest} [{sum:016x}]", stream.0));
    }

    fn boundary(&self, now: Nanos, what: Boundary<'_>) {
        let what = match what {
            Boundary::FileBegins(file) => format!("file {file}"),
            Boundary::FileLoaded(None) => "loaded".to_owned(),
            Boundary::FileLoaded(Some(why)) => format!("not loaded: {why}"),
            Boundary::TestBegins(test) => format!("test {test}"),
            Boundary::TestCloses(test, _) => format!("closing test {test}"),
            Boundary::TestEnds(test, verdict) => {
                let word = match verdict {
                    Verdict::Passed => "passed",
                    Verdict::Failed(_) => "failed",
                    Verdict::Skipped(_) => "skipped",
                };
                format!("end of test {test}: {word}")
            }
            Boundary::FileCloses(file) => format!("closing file {file}"),
            Boundary::FileEnds(file) => format!("end of file {file}"),
        };
        self.line(&format!("{now} -- {}", what.escape_debug()));
    }
}

struct Journalled {
    journal: Rc<Journal>,
    choices: Rc<dyn Choices>,
}

impl Choices for Journalled {
    fn pick(&self, point: ChoicePoint, alternatives: &[u32]) -> usize {
        let picked = self.choices.pick(point, alternatives);
        self.journal.line(&format!("? {point:?} {alternatives:?} {picked}"));
        picked
    }

    fn draw(&self) -> u64 {
        let drawn = self.choices.draw();
        self.journal.line(&format!("? draw {drawn:016x}"));
        drawn
    }
}

/// FNV-1a, 64 bits: tells two texts apart that differ by accident, which is all that is asked of it.
fn checksum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
