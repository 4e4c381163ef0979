//! The conformance suite `tests/lua` on the simulator: under the default schedule, and under a few others,
//! because nothing in it may depend on who happens to go first.

#[path = "common/describe.rs"]
mod describe;
#[path = "common/library.rs"]
mod library;

use std::rc::Rc;

use describe::describe;
use library::{files, options, schedule};
use provium::runner::event::{Event, Failure, Verdict};
use provium::runner::file::{FileToRun, run_file};
use provium_sim::SimBackend;

/// A suite that covers the surface has at least so many tests.
const LEAST_TESTS: usize = 150;

/// Random schedules that the suite must pass under: enough to find a test that counts on an order, few enough for
/// every run of the tests.
const SEEDS: [u64; 3] = [1, 2, 3];

/// What became of one file.
struct FileOutcome {
    /// As it was named to the run.
    file: String,
    /// Its tests with their verdicts, in order.
    tests: Vec<(String, Verdict)>,
    /// Why it could not be loaded.
    broken: Option<Failure>,
}

impl FileOutcome {
    /// Everything that went wrong, one entry for each test, for people.
    fn failures(&self) -> Vec<String> {
        let broken = self.broken.iter().map(|failure| format!("{}: {}", self.file, describe(failure)));
        let failed = self.tests.iter().filter_map(|(name, verdict)| match verdict {
            Verdict::Failed(failure) => Some(format!("{}: {name}\n{}", self.file, describe(failure))),
            Verdict::Passed | Verdict::Skipped(_) => None,
        });
        broken.chain(failed).collect()
    }
}

/// Runs one file on a simulator of its own.
fn run(file: &FileToRun, seed: Option<u64>) -> FileOutcome {
    let mut outcome = FileOutcome { file: file.name.clone(), tests: Vec::new(), broken: None };
    let backend = Rc::new(SimBackend::new(schedule(seed)));
    run_file(file, &options(seed), backend, &mut |event| match event {
        Event::TestFinished { test, verdict, .. } => outcome.tests.push((test, verdict)),
        Event::FileFailed { failure, .. } => outcome.broken = Some(failure),
        _ => {}
    });
    outcome
}

fn suite(seed: Option<u64>) -> Vec<FileOutcome> {
    files("tests/lua").iter().map(|file| run(file, seed)).collect()
}

fn check(outcomes: &[FileOutcome], schedule: &str) {
    let failures: Vec<String> = outcomes.iter().flat_map(FileOutcome::failures).collect();
    assert!(failures.is_empty(), "{} failed under {schedule}:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_suite_passes_under_the_default_schedule() {
    let outcomes = suite(None);
    check(&outcomes, "the default schedule");
    let verdicts = || outcomes.iter().flat_map(|outcome| &outcome.tests).map(|(_, verdict)| verdict);
    let passed = verdicts().filter(|verdict| **verdict == Verdict::Passed).count();
    assert!(passed >= LEAST_TESTS, "only {passed} tests passed, the suite should have {LEAST_TESTS}");
    // Only those may be skipped that are there to show skipping.
    let skipped = verdicts().filter(|verdict| matches!(verdict, Verdict::Skipped(_))).count();
    assert!(skipped <= 10, "{skipped} tests were skipped");
}

#[test]
fn the_suite_passes_under_random_schedules() {
    for seed in SEEDS {
        check(&suite(Some(seed)), &format!("seed {seed}"));
    }
}
