//! Runs one test file, or lists what it registers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use provium_protocol::profile::Profile;
use provium_protocol::{Backend, Nanos};

use crate::exec::Conductor;

use super::event::{Event, Failure, Site};
use super::inputs::{Disk, HostInputs};
use super::observe::Observers;
use super::run::Run;

/// A test file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileToRun {
    /// As people see it: relative to the project when it lies in it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Directories in which `require` looks, in order.
    pub roots: Vec<PathBuf>,
}

/// What a file says of one of its tests when it registers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestInfo {
    /// Unique in its file.
    pub name: String,
    /// From `meta.tags`.
    pub tags: Vec<String>,
    /// From `meta.slow`.
    pub slow: bool,
    /// Why the test says it is not to be run: `meta.skip`, `meta.backend`, `todo`.
    pub skip: Option<String>,
    /// Where it was registered.
    pub site: Option<Site>,
}

/// What the caller of [`run_file`] wants with a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Run it, unless the test itself says that it is skipped.
    Run,
    /// Report it as skipped, with this reason.
    Skip(String),
    /// Say nothing of it: it was not asked for.
    Leave,
}

/// How a file is run.
pub struct FileOptions {
    /// Asked for each registered test, in order.
    pub select: Box<dyn Fn(&TestInfo) -> Selection>,
    /// The deadline of a test whose file and meta say nothing; [`DEFAULT_TIMEOUT`] by default.
    pub default_timeout: Option<Nanos>,
    /// The profiles of `lab:vm(name, profile)`, by name.
    pub profiles: BTreeMap<String, Profile>,
    /// What `provium.seed` says; `None` for the fixed schedule.
    pub seed: Option<u64>,
    /// Stop after the first test that fails.
    pub fail_fast: bool,
    /// See the run: a journal, a recorder.
    pub observers: Observers,
    /// Says who goes next, in a replay.
    pub conductor: Option<Rc<dyn Conductor>>,
    /// Where the test's text, its modules and its files come from: the disk, or a recording.
    pub inputs: Rc<dyn HostInputs>,
}

impl Default for FileOptions {
    fn default() -> Self {
        FileOptions {
            select: Box::new(|_| Selection::Run),
            default_timeout: None,
            profiles: BTreeMap::new(),
            seed: None,
            fail_fast: false,
            observers: Observers::default(),
            conductor: None,
            inputs: Rc::new(Disk),
        }
    }
}

/// How long a test may take by the lab's clock when nothing else is said: long enough for a real guest
/// to boot and work, short enough that a hang is not mistaken for work.
pub const DEFAULT_TIMEOUT: Nanos = 30_000_000_000;

/// What came of a file, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileSummary {
    /// Tests that did what they say.
    pub passed: usize,
    /// Tests that did not.
    pub failed: usize,
    /// Tests that were not run.
    pub skipped: usize,
    /// The file itself could not be loaded.
    pub broken: bool,
}

/// Runs a file's tests in order. Everything that happens goes to `sink`, from `FileStarted` to
/// `FileFinished`.
pub fn run_file(
    file: &FileToRun,
    options: &FileOptions,
    backend: Rc<dyn Backend>,
    sink: &mut dyn FnMut(Event),
) -> FileSummary {
    sink(Event::FileStarted { file: file.name.clone() });
    let mut summary = FileSummary::default();
    let mut deselected = 0;
    match Run::load(file, options, backend, sink) {
        Ok(mut run) => {
            deselected = run.tests(options, &mut summary, sink);
            run.finish(sink);
        }
        Err(failure) => {
            summary.broken = true;
            sink(Event::FileFailed { file: file.name.clone(), failure: *failure });
        }
    }
    sink(Event::FileFinished { file: file.name.clone(), deselected });
    summary
}

/// Loads a file and says which tests it registers, in order, without running any. What the file does at its top
/// level happens, so the backend should be one that costs nothing.
///
/// # Errors
/// What is wrong with the file, when it cannot be loaded.
pub fn list_file(
    file: &FileToRun,
    options: &FileOptions,
    backend: Rc<dyn Backend>,
) -> Result<Vec<TestInfo>, Box<Failure>> {
    let mut nobody = |_: Event| {};
    let mut run = Run::load(file, options, backend, &mut nobody)?;
    let tests = run.list();
    run.finish(&mut nobody);
    Ok(tests)
}
