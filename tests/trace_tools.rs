//! What people look at traces with, on traces of real runs.

#[path = "common/library.rs"]
mod library;

use std::path::Path;
use std::process::{Command, Output};
use std::rc::Rc;

use library::{files, options, schedule};
use provium::report::style::Paint;
use provium::runner::file::{FileToRun, run_file};
use provium::runner::inputs::Disk;
use provium::runner::observe::{Observer, Observers};
use provium::trace::format::TraceWriter;
use provium::trace::record::{Header, Record};
use provium::trace::recorder::{Memory, Recorder, RecordingBackend, RecordingChoices, RecordingInputs};
use provium::trace::show::table::Look;
use provium::trace::show::{Selected, json, table};
use provium::trace::timeline::Timeline;
use provium_sim::SimBackend;

/// Runs a file in the simulator and records it.
fn record(file: &FileToRun, seed: Option<u64>) -> (Header, Vec<Record>) {
    let memory = Memory::default();
    let recorder = Recorder::new(Box::new(memory.clone()));
    let choices = Rc::new(RecordingChoices::new(Rc::clone(&recorder), schedule(seed)));
    let backend = Rc::new(RecordingBackend::new(Rc::clone(&recorder), Rc::new(SimBackend::new(choices))));
    let mut options = options(seed);
    options.inputs = Rc::new(RecordingInputs::new(Rc::clone(&recorder), Rc::new(Disk)));
    options.observers = Observers::new(vec![Rc::clone(&recorder) as Rc<dyn Observer>]);
    run_file(file, &options, backend, &mut |_| {});
    recorder.finish().expect("memory takes everything");
    let strategy = if seed.is_some() { "random" } else { "fifo" };
    let header = Header {
        writer: "provium".into(),
        file: file.name.clone(),
        backend: "sim".into(),
        virtual_clock: true,
        strategy: strategy.into(),
        seed,
        ..Header::default()
    };
    (header, memory.take())
}

fn write(path: &Path, (header, records): &(Header, Vec<Record>)) {
    let mut bytes = Vec::new();
    let mut writer = TraceWriter::new(&mut bytes, header).expect("memory takes everything");
    records.iter().for_each(|record| writer.record(record).expect("memory takes everything"));
    writer.finish().expect("memory takes everything");
    std::fs::write(path, bytes).expect("the directory takes everything");
}

fn provium(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_provium")).args(args).output().expect("the command runs")
}

#[test]
fn every_run_of_the_suite_can_be_looked_at() {
    let mut exchanges = 0;
    for file in files("tests/lua").iter().chain(&files("tests/lua-failing")) {
        let (header, records) = record(file, Some(1));
        let timeline = Timeline::new(header, records).unwrap_or_else(|error| panic!("{}: {error}", file.name));
        exchanges += timeline.exchanges.len();
        let (mut shown, mut lines) = (Vec::new(), Vec::new());
        let look = Look { paint: Paint { colour: false }, columns: Some(120), full: false };
        table::write(&mut shown, &timeline, &Selected::default(), &look).expect("memory takes everything");
        let shown = String::from_utf8(shown).expect("a table is text");
        for test in &timeline.tests {
            assert!(shown.contains(&test.name), "{}: {} is missing", file.name, test.name);
        }
        json::write(&mut lines, &timeline, &Selected::default()).expect("memory takes everything");
        let of_exchanges = String::from_utf8(lines).expect("JSON is text");
        let lines = of_exchanges.lines().filter(|line| line.contains("\"type\":\"exchange\"")).count();
        assert!(lines >= timeline.exchanges.len(), "{}", file.name);
    }
    assert!(exchanges > 1_000, "only {exchanges}");
}
