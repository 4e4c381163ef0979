//! The conformance suite `tests/lua` on real guests, recorded; and what was recorded, replayed without them.
//!
//! Without QEMU, or without the packages that a guest is made of, these tests say that they did not run;
//! `PROVIUM_REQUIRE_QEMU=1` makes that a failure.

#[path = "common/describe.rs"]
mod describe;
#[path = "common/library.rs"]
mod library;
#[path = "common/recorded.rs"]
mod recorded;
#[path = "common/replayed.rs"]
mod replayed;

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use describe::describe;
use library::files;
use provium::config::Project;
use provium::runner::event::{Event, Verdict};
use provium::runner::file::FileToRun;
use provium::trace::record::{Header, Record};
use provium::trace::replay::Mode;
use provium_qemu::backend::Host;
use provium_qemu::profile::QemuProfile;
use provium_qemu::{QemuBackend, image, testing};
use recorded::record_on;
use replayed::{differences, replay};

/// Tests that the suite has at least, and that real guests may skip: those that show skipping, and those of programs that only
/// simulated guests have.
const LEAST_TESTS: usize = 440;
const MOST_SKIPPED: usize = 40;

/// What all real guests of this process share; `None` when there can be none.
fn host() -> Option<Arc<Host>> {
    let project = Project::find(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("the repository has a good provium.toml");
    let host = Host::new(project.qemu, false, Box::new(|line| eprintln!("{line}"))).expect("a thread");
    testing::available("QEMU", host.find_qemu())?;
    let made = image::ensure(&QemuProfile::named("linux"), &mut |line| eprintln!("{line}"));
    testing::available("image of the profile `linux`", made)?;
    Some(host)
}

fn record(host: &Arc<Host>, file: &FileToRun) -> (Header, Vec<Record>, Vec<Event>) {
    record_on(file, None, false, &|choices| Rc::new(QemuBackend::new(Arc::clone(host), choices)))
}

#[test]
fn the_conformance_suite_passes_on_real_guests_and_replays_without_them() {
    let Some(host) = host() else { return };
    let (mut passed, mut skipped, mut problems) = (0, 0, Vec::new());
    for file in &files("tests/lua") {
        let (header, records, events) = record(&host, file);
        for event in &events {
            match event {
                Event::TestFinished { verdict: Verdict::Passed, .. } => passed += 1,
                Event::TestFinished { verdict: Verdict::Skipped(_), .. } => skipped += 1,
                Event::TestFinished { test, verdict: Verdict::Failed(failure), .. } => {
                    problems.push(format!("{}: {test}\n{}", file.name, describe(failure)));
                }
                Event::FileFailed { failure, .. } => problems.push(format!("{}: {}", file.name, describe(failure))),
                _ => {}
            }
        }
        let (replayer, replayed) = replay(file, None, Mode::Strict, header, records);
        problems.extend(differences(file, &events, &replayer, &replayed));
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    assert!(passed >= LEAST_TESTS, "only {passed} tests passed");
    assert!(skipped <= MOST_SKIPPED, "{skipped} tests were skipped");
}

/// The clock of real guests stands still while Lua goes on, so only the recording knows when an endless loop was stopped.
#[test]
fn an_endless_loop_is_stopped_and_replayed() {
    let Some(host) = host() else { return };
    let files = files("tests/lua-failing");
    let file = files.iter().find(|file| file.name.ends_with("endless_loop.test.lua")).expect("the file is there");
    let (header, records, events) = record(&host, file);
    assert!(records.iter().any(|record| matches!(record, Record::Interrupt { .. })));
    let (replayer, replayed) = replay(file, None, Mode::Strict, header, records);
    assert_eq!(differences(file, &events, &replayer, &replayed), None);
}
