//! What was recorded is replayed without the simulator: the same events in the same order, to the last letter.

#[path = "common/library.rs"]
mod library;
#[path = "common/no_host.rs"]
mod no_host;
#[path = "common/recorded.rs"]
mod recorded;
#[path = "common/replayed.rs"]
mod replayed;
#[path = "common/simulated.rs"]
mod simulated;

use library::files;
use provium::trace::record::Record;
use provium::trace::replay::Mode;
use replayed::{differences, replay};
use simulated::record;

fn all_replay(directory: &str, seed: Option<u64>, mode: Mode) {
    let files = files(directory);
    assert!(!files.is_empty(), "no tests in {directory}");
    let mut problems = Vec::new();
    for file in &files {
        let (header, records, recorded) = record(file, seed);
        let (replayer, replayed) = replay(file, seed, mode, header, records);
        problems.extend(differences(file, &recorded, &replayer, &replayed));
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
