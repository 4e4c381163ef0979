//! The golden traces replay, for ever: from their own Lua, without a guest, a simulator or any file of the host.

#[path = "common/no_host.rs"]
mod no_host;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use no_host::Nothing;
use provium::runner::event::{Event, Verdict};
use provium::runner::file::{FileToRun, run_file};
use provium::trace::format::End;
use provium::trace::record::{Boundary, RecordedVerdict};
use provium::trace::replay::load::load;
use provium::trace::replay::session::{Session, Settings};
use provium::trace::replay::{AtEnd, Item, Mode, Script};

/// The most bytes of a golden trace: they are kept for ever, in every copy of the repository.
const MAX_SIZE: u64 = 100 << 10;

fn golden() -> Vec<PathBuf> {
    let mut pending = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/golden")];
    let mut found = Vec::new();
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(path.read_dir().expect("a directory").map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "trace") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What came of a test, as a trace has it.
fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Passed => "passed".to_owned(),
        Verdict::Failed(failure) => format!("failed: {}", failure.message),
        Verdict::Skipped(reason) => format!("skipped: {reason}"),
    }
}

fn recorded(verdict: &RecordedVerdict) -> String {
    match verdict {
        RecordedVerdict::Passed => "passed".to_owned(),
        RecordedVerdict::Failed { message, .. } => format!("failed: {message}"),
        RecordedVerdict::Skipped { reason } => format!("skipped: {reason}"),
    }
}

/// Replays a trace in the strictest mode.
fn replays(trace: &Path) {
    let name = trace.display();
    assert!(trace.metadata().expect("a file").len() <= MAX_SIZE, "{name} is too large to be kept for ever");
    let (plan, end) = load(trace).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(matches!(end, End::Complete(_)), "{name}: {end:?}");
    let expected: Vec<(String, String)> =
        plan.verdicts.iter().map(|(test, verdict)| (test.clone(), recorded(verdict))).collect();
    let loaded = plan.items.iter().find_map(|item| match item {
        Item::Boundary { what: Boundary::FileLoaded { failure }, .. } => Some(failure.clone()),
        _ => None,
    });
    let file = FileToRun { name: plan.header.file.clone(), path: PathBuf::from("/nowhere"), roots: Vec::new() };
    let settings = Settings { mode: Mode::Strict, at_end: AtEnd::Fail, until: None, script: Script::Recorded };
    let session = Session::new(plan, settings, Rc::new(Nothing), Vec::new());
    let (mut found, mut broken) = (Vec::new(), None);
    run_file(&file, &session.options, session.backend, &mut |event| match event {
        Event::TestFinished { test, verdict: came, .. } => found.push((test, verdict(&came))),
        Event::FileFailed { failure, .. } => broken = Some(failure.message),
        _ => {}
    });
    assert_eq!(session.replayer.stop(), None, "{name}");
    assert!(session.replayer.is_on_plan() && !session.replayer.has_diverged(), "{name}");
    assert_eq!(found, expected, "{name}");
    assert_eq!(Some(broken), loaded, "{name}");
}

#[test]
fn golden_traces_replay() {
    let traces = golden();
    assert!(traces.len() >= 10, "only {} golden traces are there", traces.len());
    traces.iter().for_each(|trace| replays(trace));
}
