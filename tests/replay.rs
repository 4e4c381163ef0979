//! What was recorded is replayed without the simulator: the same events in the same order, to the last letter.

#[path = "common/library.rs"]
mod library;
#[path = "common/recorded.rs"]
mod recorded;

use std::rc::Rc;

use library::{files, options};
use provium::exec::Conductor;
use provium::runner::event::Event;
use provium::runner::file::{FileToRun, run_file};
use provium::runner::inputs::{HostFile, HostInputs, Module};
use provium::runner::observe::{Observer, Observers};
use provium::trace::record::{Header, HostError, Record};
use provium::trace::replay::{AtEnd, Builder, Mode, ReplayBackend, ReplayInputs, Replayer, Script};
use provium_protocol::exec::ByteString;
use recorded::record;

fn replay(
    file: &FileToRun,
    seed: Option<u64>,
    mode: Mode,
    header: Header,
    records: Vec<Record>,
) -> (Rc<Replayer>, Vec<Event>) {
    let mut builder = Builder::new(header);
    for record in records {
        builder.add(record).expect("the recorder writes what makes sense");
    }
    let replayer = Replayer::new(builder.finish(), mode, AtEnd::Fail, None);
    let mut options = options(seed);
    options.observers = Observers::new(vec![Rc::clone(&replayer) as Rc<dyn Observer>]);
    options.conductor = Some(Rc::clone(&replayer) as Rc<dyn Conductor>);
    options.inputs = Rc::new(ReplayInputs::new(Rc::clone(&replayer), Script::Recorded, Rc::new(Nothing)));
    let mut events = Vec::new();
    let backend = Rc::new(ReplayBackend::new(Rc::clone(&replayer)));
    run_file(file, &options, backend, &mut |event| events.extend(event.repeatable()));
    (replayer, events)
}

/// A host without any files: a replay needs none.
struct Nothing;

impl HostInputs for Nothing {
    fn script(&self, file: &FileToRun) -> Result<Vec<u8>, HostError> {
        panic!("the host is asked for {}", file.name)
    }

    fn module(&self, _: &FileToRun, relative: &str) -> Result<Module, HostError> {
        panic!("the host is asked for the module {relative}")
    }

    fn read_file(&self, _: &FileToRun, path: &ByteString, _: u64) -> Result<HostFile, HostError> {
        panic!("the host is asked for {path:?}")
    }
}

fn all_replay(directory: &str, seed: Option<u64>, mode: Mode) {
    let files = files(directory);
    assert!(!files.is_empty(), "no tests in {directory}");
    let mut problems = Vec::new();
    for file in &files {
        let (header, records, recorded) = record(file, seed);
        let (replayer, replayed) = replay(file, seed, mode, header, records);
        if let Some(stop) = replayer.stop() {
            problems.push(format!("{}: {stop:?}", file.name));
        } else if !replayer.is_on_plan() {
            problems.push(format!("{}: the recorded order was left", file.name));
        }
        let differs = recorded.iter().zip(&replayed).find(|(recorded, replayed)| recorded != replayed);
        if let Some((recorded, replayed)) = differs {
            problems.push(format!("{}:\n  recorded {recorded:?}\n  replayed {replayed:?}", file.name));
        } else if recorded.len() != replayed.len() {
            problems.push(format!("{}: {} events recorded, {} replayed", file.name, recorded.len(), replayed.len()));
        }
    }
    assert!(problems.is_empty(), "{} of {}:\n{}", problems.len(), files.len(), problems.join("\n"));
}

#[test]
fn the_conformance_suite_replays() {
    for seed in [None, Some(1), Some(7)] {
        all_replay("tests/lua", seed, Mode::Strict);
    }
}

#[test]
fn failures_replay() {
    all_replay("tests/lua-failing", None, Mode::Strict);
    all_replay("tests/lua-failing", Some(3), Mode::Causal);
}

#[test]
fn races_replay_under_every_schedule() {
    for seed in 0..20 {
        all_replay("tests/lua-races", Some(seed), Mode::Strict);
    }
}

/// Where an endless loop, or an endless match, was stopped is part of what the Lua side saw.
#[test]
fn an_interruption_is_recorded() {
    let files = files("tests/lua-failing");
    for (name, least) in [("endless_loop.test.lua", 1), ("endless_pattern.test.lua", 6)] {
        let file = files.iter().find(|file| file.name.ends_with(name)).expect("the file is there");
        let (_, records, _) = record(file, None);
        let looks: Vec<u64> = records
            .iter()
            .filter_map(|record| match record {
                Record::Interrupt { look } => Some(*look),
                _ => None,
            })
            .collect();
        assert!(looks.len() >= least && looks.iter().all(|look| *look > 1), "{name}: {looks:?}");
    }
}
