//! Which backend drives the guests.

use std::rc::Rc;

use provium_protocol::Backend;
use provium_protocol::choice::{Choices, Fixed, Seeded};

use crate::runner::journal::Journal;
use crate::trace::recorder::{Recorder, RecordingBackend, RecordingChoices};

/// A backend that is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BackendName {
    /// Simulated guests: in memory, deterministic, virtual time.
    Sim,
}

impl BackendName {
    /// As it is typed.
    pub fn as_str(self) -> &'static str {
        match self {
            BackendName::Sim => "sim",
        }
    }

    /// A fresh backend. Each test file gets its own, so that no file depends on what ran before it.
    /// Its choices go into the journal, if there is one.
    pub fn make(
        self,
        seed: Option<u64>,
        journal: Option<&Rc<Journal>>,
        recorder: Option<&Rc<Recorder>>,
    ) -> Rc<dyn Backend> {
        let choices: Rc<dyn Choices> = match seed {
            Some(seed) => Rc::new(Seeded::new(seed)),
            None => Rc::new(Fixed::default()),
        };
        let choices = match journal {
            Some(journal) => journal.choices(choices),
            None => choices,
        };
        let choices = match recorder {
            Some(recorder) => Rc::new(RecordingChoices::new(Rc::clone(recorder), choices)),
            None => choices,
        };
        let backend = self.make_with(choices);
        match recorder {
            Some(recorder) => Rc::new(RecordingBackend::new(Rc::clone(recorder), backend)),
            None => backend,
        }
    }

    /// A fresh backend with these choices.
    pub fn make_with(self, choices: Rc<dyn Choices>) -> Rc<dyn Backend> {
        match self {
            BackendName::Sim => Rc::new(provium_sim::SimBackend::new(choices)),
        }
    }
}

/// Reads `--backend`.
pub(super) fn parse(text: &str) -> Result<BackendName, String> {
    match text {
        "sim" => Ok(BackendName::Sim),
        "qemu" | "replay" => Err(format!("backend `{text}` is not built in yet; built in: sim")),
        _ => Err(format!("there is no backend `{}`; built in: sim", text.escape_debug())),
    }
}
