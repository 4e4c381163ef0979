//! The same choices give the same run, to the byte: the journals of 1,000 seeds of a racy test, each run twice in
//! different processes.

#[path = "common/library.rs"]
mod library;

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::rc::Rc;

use provium::runner::file::run_file;
use provium::runner::journal::Journal;
use provium::runner::observe::Observers;
use provium_sim::SimBackend;

/// Seeds that are compared.
const SEEDS: u64 = 1_000;

/// Set for the processes that write the journals: the directory to write them to.
const DIRECTORY: &str = "PROVIUM_TEST_JOURNALS";

/// Not a test of its own: it is what each of the two processes runs.
#[test]
fn write_journals() {
    let Some(directory) = env::var_os(DIRECTORY) else { return };
    let files = library::files("tests/lua-determinism");
    for seed in 0..SEEDS {
        let path = Path::new(&directory).join(seed.to_string());
        let journal = Journal::create(&path).expect("a journal can be made");
        for file in &files {
            let backend = Rc::new(SimBackend::new(journal.choices(library::schedule(Some(seed)))));
            let mut options = library::options(Some(seed));
            options.observers = Observers::new(vec![journal.clone()]);
            run_file(file, &options, backend, &mut |_| {});
        }
        journal.finish().expect("the journal can be written");
    }
}

fn start(directory: &Path) -> Child {
    Command::new(env::current_exe().expect("this program has a path"))
        .args(["--exact", "write_journals"])
        .env(DIRECTORY, directory)
        .spawn()
        .expect("this program can be started again")
}

/// The first line that differs, for people.
fn difference(left: &[u8], right: &[u8]) -> String {
    let (left, right) = (String::from_utf8_lossy(left), String::from_utf8_lossy(right));
    let mut pairs = left.lines().zip(right.lines()).enumerate();
    match pairs.find(|(_, (left, right))| left != right) {
        Some((index, (left, right))) => format!("line {}:\n  {left}\n  {right}", index + 1),
        None => format!("one has {} lines, the other {}", left.lines().count(), right.lines().count()),
    }
}

#[test]
fn a_seed_gives_the_same_journal_in_every_process() {
    let directories = [tempfile::tempdir(), tempfile::tempdir()].map(|made| made.expect("a directory can be made"));
    for mut child in directories.each_ref().map(|directory| start(directory.path())) {
        assert!(child.wait().expect("the process ends").success());
    }
    let mut different = std::collections::BTreeSet::new();
    for seed in 0..SEEDS {
        let [left, right] = directories
            .each_ref()
            .map(|directory| fs::read(directory.path().join(seed.to_string())).expect("the journal was written"));
        assert!(left.len() > 1_000, "the journal of seed {seed} says next to nothing");
        assert!(left == right, "the journals of seed {seed} differ, {}", difference(&left, &right));
        different.insert(left);
    }
    // A test that is not racy would prove nothing.
    assert!(different.len() > 900, "only {} of {SEEDS} seeds gave a run of their own", different.len());
}
