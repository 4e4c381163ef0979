//! Runs test files through the library, in this process.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use provium::config::Project;
use provium::runner::discover::discover;
use provium::runner::event::{Event, Failure, Verdict};
use provium::runner::file::{FileOptions, FileToRun, run_file};
use provium_protocol::choice::{Choices, Fixed, Seeded};
use provium_sim::SimBackend;

/// What became of one file.
pub struct FileOutcome {
    /// As it was named to the run.
    pub file: String,
    /// Its tests with their verdicts, in order.
    pub tests: Vec<(String, Verdict)>,
    /// Why it could not be loaded.
    pub broken: Option<Failure>,
}

impl FileOutcome {
    /// Everything that went wrong, one entry for each test, for people.
    pub fn failures(&self) -> Vec<String> {
        let broken = self.broken.iter().map(|failure| format!("{}: {}", self.file, describe(failure)));
        let failed = self.tests.iter().filter_map(|(name, verdict)| match verdict {
            Verdict::Failed(failure) => Some(format!("{}: {name}\n{}", self.file, describe(failure))),
            Verdict::Passed | Verdict::Skipped(_) => None,
        });
        broken.chain(failed).collect()
    }
}

/// A failure with all there is to know, in lines.
pub fn describe(failure: &Failure) -> String {
    let place = failure.site.as_ref().map(|site| format!(" at {}:{}", site.file, site.line)).unwrap_or_default();
    let mut lines = vec![format!("  {}{place}", failure.message)];
    lines.extend(failure.waits.iter().map(|wait| format!("    {wait}")));
    lines.extend(failure.notes.iter().map(|note| format!("    {note}")));
    lines.join("\n")
}

/// The schedule of a seed; first in, first out without one.
pub fn schedule(seed: Option<u64>) -> Rc<dyn Choices> {
    match seed {
        Some(seed) => Rc::new(Seeded::new(seed)),
        None => Rc::new(Fixed::default()),
    }
}

/// The test files below a directory of this repository, ready to be run.
pub fn files(directory: &str) -> Vec<FileToRun> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = Project::find(root).expect("the repository has a good provium.toml");
    let directory = root.join(directory);
    let found = discover(&project, std::slice::from_ref(&directory)).expect("the tests can be found");
    let roots = vec![directory];
    let file = |found: provium::runner::discover::FoundFile| FileToRun {
        name: found.name,
        path: found.path,
        roots: roots.clone(),
    };
    found.files.into_iter().map(file).collect()
}

/// How this repository's own tests are run.
pub fn options(seed: Option<u64>) -> FileOptions {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let project = Project::find(&root).expect("the repository has a good provium.toml");
    FileOptions { profiles: project.profiles, seed, ..FileOptions::default() }
}

/// Runs one file on a simulator of its own.
pub fn run(file: &FileToRun, seed: Option<u64>) -> FileOutcome {
    let mut outcome = FileOutcome { file: file.name.clone(), tests: Vec::new(), broken: None };
    let backend = Rc::new(SimBackend::new(schedule(seed)));
    run_file(file, &options(seed), backend, &mut |event| match event {
        Event::TestFinished { test, verdict, .. } => outcome.tests.push((test, verdict)),
        Event::FileFailed { failure, .. } => outcome.broken = Some(failure),
        _ => {}
    });
    outcome
}
