//! Files of `tests/lua-chaos` on real guests, and again without them.

use provium::runner::event::{Event, Verdict};
use provium::runner::file::FileToRun;
use provium::trace::replay::Mode;

use crate::describe::describe;
use crate::library::files;
use crate::real_host::host;
use crate::recorded::record_on;
use crate::replayed::{differences, replay};
use crate::trouble::Troubled;

/// The file of this name.
pub fn file(name: &str) -> FileToRun {
    let all = files("tests/lua-chaos");
    all.into_iter().find(|file| file.name.ends_with(&format!("/{name}"))).expect("the file is there")
}

/// Runs a file on real guests: all of its tests pass, and pass again when their recording is replayed.
pub fn passes(name: &str) {
    let Some(host) = host() else { return };
    let file = file(name);
    let (header, records, events) = record_on(&file, None, false, &|choices| Troubled::backend(&host, choices));
    check(&events);
    let (replayer, replayed) = replay(&file, None, Mode::Strict, header, records);
    assert_eq!(differences(&file, &events, &replayer, &replayed), None);
}

/// All tests passed, and there were some.
pub fn check(events: &[Event]) {
    let mut passed = 0;
    for event in events {
        match event {
            Event::TestFinished { verdict: Verdict::Passed, .. } => passed += 1,
            Event::TestFinished { test, verdict: Verdict::Failed(failure), .. } => {
                panic!("{test}\n{}", describe(failure))
            }
            Event::TestFinished { test, verdict: Verdict::Skipped(why), .. } => panic!("{test} was skipped: {why:?}"),
            Event::FileFailed { failure, .. } => panic!("{}", describe(failure)),
            _ => {}
        }
    }
    assert!(passed > 0, "no test ran");
}
