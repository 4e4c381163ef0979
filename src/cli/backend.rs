//! Which backend drives the guests.

use std::rc::Rc;
use std::sync::Arc;

use provium_protocol::Backend;
use provium_protocol::choice::{Choices, Fixed, Seeded};
use provium_qemu::QemuBackend;
use provium_qemu::backend::Host;

use crate::config::Project;
use crate::error::CommandError;
use crate::runner::journal::Journal;
use crate::trace::recorder::{Recorder, RecordingBackend, RecordingChoices};

/// A backend that is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BackendName {
    /// Simulated guests: in memory, deterministic, virtual time.
    Sim,
    /// Real guests: a kernel that QEMU runs.
    Qemu,
}

impl BackendName {
    /// As it is typed.
    pub fn as_str(self) -> &'static str {
        match self {
            BackendName::Sim => "sim",
            BackendName::Qemu => provium_qemu::backend::NAME,
        }
    }

    /// Whether its clock passes only when the run wants it to.
    pub fn has_virtual_clock(self) -> bool {
        self == BackendName::Sim
    }
}

/// Makes the backends of a run.
pub(super) enum Backends {
    /// Simulated guests.
    Sim,
    /// Real guests, with what all files of a run share.
    Qemu(Arc<Host>),
}

impl Backends {
    /// Those of this name. `cold_boot` has real guests boot from the beginning.
    ///
    /// # Errors
    /// When there is no thread for them, or `cold_boot` is asked of guests that are not real.
    pub fn open(name: BackendName, project: &Project, cold_boot: bool) -> Result<Backends, CommandError> {
        match name {
            BackendName::Sim if cold_boot => Err(CommandError::NothingToBootCold),
            BackendName::Sim => Ok(Backends::Sim),
            BackendName::Qemu => {
                let progress = Box::new(|line: &str| eprintln!("provium: {line}"));
                let host = Host::new(project.qemu.clone(), cold_boot, progress);
                Ok(Backends::Qemu(host.map_err(|why| CommandError::Backend { name: name.as_str(), why })?))
            }
        }
    }

    /// A fresh backend. Each test file gets its own, so that no file depends on what ran before it.
    /// Its choices go into the journal, if there is one.
    pub fn make(
        &self,
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
        let backend: Rc<dyn Backend> = match self {
            Backends::Sim => simulator(choices),
            Backends::Qemu(host) => Rc::new(QemuBackend::new(Arc::clone(host), choices)),
        };
        match recorder {
            Some(recorder) => Rc::new(RecordingBackend::new(Rc::clone(recorder), backend)),
            None => backend,
        }
    }
}

/// A fresh simulator with these choices.
pub(super) fn simulator(choices: Rc<dyn Choices>) -> Rc<dyn Backend> {
    Rc::new(provium_sim::SimBackend::new(choices))
}

/// Reads `--backend`.
pub(super) fn parse(text: &str) -> Result<BackendName, String> {
    match text {
        "sim" => Ok(BackendName::Sim),
        "qemu" => Ok(BackendName::Qemu),
        "replay" => Err("recorded guests are driven by `provium replay TRACE`".to_owned()),
        _ => Err(format!("there is no backend `{}`; there are: sim, qemu", text.escape_debug())),
    }
}
