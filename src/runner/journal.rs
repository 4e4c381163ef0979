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

use provium_protocol::{ChoicePoint, Choices, Nanos, Op, OpError, Reply};

use super::exchanges::{Exchange, ExchangeObserver};

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

impl ExchangeObserver for Journal {
    fn begun(&self, exchange: &Exchange, op: &Op) {
        let mut line = format!("{} {}#{} ", exchange.began, exchange.task, exchange.index);
        // Writing to a string cannot fail.
        let _ = write!(line, "{}", exchange.vm);
        if let Some(worker) = &exchange.worker {
            let _ = write!(line, "/{worker}");
        }
        let _ = write!(line, " > {} [{:016x}]", exchange.operation, checksum(&format!("{op:?}")));
        if let Some(at) = &exchange.at {
            let _ = write!(line, " @ {at}");
        }
        self.line(&line);
    }

    fn ended(&self, exchange: &Exchange, now: Nanos, result: &Result<Reply, OpError>) {
        let outcome = exchange.to_note().outcome;
        let sum = checksum(&format!("{result:?}"));
        self.line(&format!("{now} {}#{} {} < {outcome} [{sum:016x}]", exchange.task, exchange.index, exchange.vm));
    }

    fn boundary(&self, now: Nanos, what: &str) {
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
