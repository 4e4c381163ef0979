//! The conformance suite `tests/lua` on the simulator: under the default schedule, and under a few others,
//! because nothing in it may depend on who happens to go first.

#[path = "common/library.rs"]
mod library;

use library::{FileOutcome, files, run};
use provium::runner::event::Verdict;

/// A suite that covers the surface has at least so many tests.
const LEAST_TESTS: usize = 150;

/// Random schedules that the suite must pass under: enough to find a test that counts on an order, few enough for
/// every run of the tests.
const SEEDS: [u64; 3] = [1, 2, 3];

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
