//! What is needed to run this repository's test files through the library, in this process.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use provium::config::Project;
use provium::runner::discover::discover;
use provium::runner::file::{FileOptions, FileToRun};
use provium_protocol::choice::{Choices, Fixed, Seeded};

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
