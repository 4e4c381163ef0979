//! Concurrency bugs are found and kept: each file of `tests/lua-races` has a test `wrong` that passes under the
//! default schedule and fails under some seed, and a test `right` that passes under all.

#[path = "common/describe.rs"]
mod describe;
#[path = "common/library.rs"]
mod library;

use std::rc::Rc;

use describe::describe;
use library::{files, options, schedule};
use provium::runner::event::{Event, Verdict};
use provium::runner::file::{Selection, run_file};
use provium_sim::SimBackend;

/// Seeds under which the right version must pass.
const PROOF: u64 = 200;

/// Runs one test of a file: what its failure says, if it failed.
fn failure(file: &str, test: &'static str, seed: Option<u64>) -> Option<String> {
    let name = format!("tests/lua-races/{file}.test.lua");
    let file = files("tests/lua-races").into_iter().find(|file| file.name == name).expect("the file is there");
    let mut options = options(seed);
    options.select = Box::new(move |info| if info.name == test { Selection::Run } else { Selection::Leave });
    let mut verdict = None;
    let backend = Rc::new(SimBackend::new(schedule(seed)));
    run_file(&file, &options, backend, &mut |event| match event {
        Event::TestFinished { verdict: finished, .. } => verdict = Some(finished),
        Event::FileFailed { failure, .. } => panic!("{name} cannot be loaded:\n{}", describe(&failure)),
        _ => {}
    });
    match verdict.unwrap_or_else(|| panic!("{name} has no test `{test}`")) {
        Verdict::Passed => None,
        Verdict::Failed(failure) => Some(describe(&failure)),
        Verdict::Skipped(reason) => panic!("`{test}` of {name} was skipped: {reason}"),
    }
}

/// The wrong version must fail within so many seeds, and its report must say all of `says`.
fn race(file: &str, within: u64, says: &[&str]) {
    for test in ["wrong", "right"] {
        let failed = failure(file, test, None);
        assert_eq!(failed, None, "`{test}` of {file} fails under the default schedule");
    }
    let found = (0..within).find_map(|seed| failure(file, "wrong", Some(seed)).map(|text| (seed, text)));
    let (seed, text) = found.unwrap_or_else(|| panic!("`wrong` of {file} passes under the seeds 0 to {}", within - 1));
    for part in says {
        assert!(text.contains(part), "under seed {seed}, {file} does not say `{part}`:\n{text}");
    }
    for _ in 0..3 {
        assert_eq!(failure(file, "wrong", Some(seed)).as_ref(), Some(&text), "seed {seed} of {file} is no promise");
    }
    for seed in 0..PROOF {
        assert_eq!(failure(file, "right", Some(seed)), None, "`right` of {file} fails under seed {seed}");
    }
}

#[test]
fn a_lost_update_is_found() {
    race("lost_update", 50, &["\"1\\n\"", "\"2\\n\""]);
}

#[test]
fn a_torn_line_is_found() {
    race("torn_line", 50, &["values differ"]);
}

#[test]
fn a_check_before_a_create_is_found() {
    race("check_then_create", 50, &["\"mine\\nmine\\n\""]);
}

#[test]
fn a_deadlock_is_found_and_says_who_waits_for_what() {
    race("lock_order", 50, &["deadlock", "waits for pid", "flock", "/tmp/a", "/tmp/b", "held by pid"]);
}

#[test]
fn a_signal_before_its_trap_is_found() {
    race("signal_before_trap", 50, &["7"]);
}

#[test]
fn a_half_written_file_is_found() {
    race("half_written", 50, &["one=1\\ntwo=2\\n"]);
}
