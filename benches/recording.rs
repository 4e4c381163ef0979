//! What recording a run costs, and what replaying it costs against running it in the simulator.
//!
//! `cargo bench --bench recording`. What recording adds is printed before the measurements: from runs in turns, with and
//! without, because a machine that others use, too, is now faster and now slower.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use provium::config::Project;
use provium::runner::discover::discover;
use provium::runner::file::{FileOptions, FileToRun, run_file};
use provium::runner::inputs::Disk;
use provium::runner::observe::{Observer, Observers};
use provium::trace::format::redact::Redactor;
use provium::trace::format::{TraceReader, TraceWriter};
use provium::trace::record::{Boundary, Header, Record};
use provium::trace::recorder::{Recorder, RecordingBackend, RecordingChoices, RecordingInputs, TraceFile};
use provium::trace::replay::session::{Session, Settings};
use provium::trace::replay::{AtEnd, Builder, Mode, Script};
use provium_protocol::choice::Seeded;
use provium_protocol::profile::Profile;
use provium_sim::SimBackend;

/// A file in memory: what a disk costs is not the question here.
#[derive(Clone, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Bytes {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().expect("nobody panics while it holds it"))
    }
}

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics while it holds it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn project() -> Project {
    Project::find(&PathBuf::from(env!("CARGO_MANIFEST_DIR"))).expect("the repository has a good provium.toml")
}

fn files(directory: &str) -> Vec<FileToRun> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(directory);
    let found = discover(&project(), std::slice::from_ref(&directory)).expect("the tests can be found");
    let roots = vec![directory];
    found
        .files
        .into_iter()
        .map(|found| FileToRun { name: found.name, path: found.path, roots: roots.clone() })
        .collect()
}

fn options(seed: u64) -> FileOptions {
    // Read once: the project's file is not what is measured.
    thread_local!(static PROFILES: BTreeMap<String, Profile> = project().profiles);
    FileOptions { profiles: PROFILES.with(Clone::clone), seed: Some(seed), ..FileOptions::default() }
}

fn live(file: &FileToRun, seed: u64) {
    let backend = Rc::new(SimBackend::new(Rc::new(Seeded::new(seed))));
    run_file(file, &options(seed), backend, &mut |_| {});
}

/// Records a run. Whether its trace is kept is known when the run is over, as by default only those of failed runs are.
fn recorded(file: &FileToRun, seed: u64, kept: bool) -> Vec<u8> {
    let bytes = Bytes::default();
    let header = Header {
        backend: "sim".into(),
        virtual_clock: true,
        file: file.name.clone(),
        profiles: options(seed).profiles,
        seed: Some(seed),
        ..Header::default()
    };
    let sink = TraceFile::begin(bytes.clone(), &header, Redactor::default()).expect("memory takes everything");
    let recorder = Recorder::new(Box::new(sink));
    let choices = Rc::new(RecordingChoices::new(Rc::clone(&recorder), Rc::new(Seeded::new(seed))));
    let backend = Rc::new(RecordingBackend::new(Rc::clone(&recorder), Rc::new(SimBackend::new(choices))));
    let mut options = options(seed);
    options.inputs = Rc::new(RecordingInputs::new(Rc::clone(&recorder), Rc::new(Disk)));
    options.observers = Observers::new(vec![Rc::clone(&recorder) as Rc<dyn Observer>]);
    run_file(file, &options, backend, &mut |_| {});
    let ended = if kept { recorder.finish() } else { recorder.discard() };
    ended.expect("memory takes everything");
    drop(options);
    bytes.take()
}

fn replayed(file: &FileToRun, trace: &[u8]) {
    let mut reader = TraceReader::new(trace).expect("a trace");
    let mut builder = Builder::new(reader.header().clone());
    while let Some(record) = reader.next_record().expect("whole") {
        builder.add(record).expect("sense");
    }
    let settings = Settings { mode: Mode::Causal, at_end: AtEnd::Fail, until: None, script: Script::Recorded };
    let session = Session::new(builder.finish(), settings, Rc::new(Disk), Vec::new());
    run_file(file, &session.options, session.backend, &mut |_| {});
    assert_eq!(session.replayer.stop(), None, "{} must replay", file.name);
}

/// A trace of some of these records, which ends blocks where a recorder does.
fn some(header: &Header, records: &[Record], keeps: impl Fn(&Record) -> bool) -> usize {
    let lean = Bytes::default();
    let mut writer = TraceWriter::new(lean.clone(), header).expect("memory takes everything");
    for record in records {
        if keeps(record) {
            writer.record(record).expect("memory takes everything");
        }
        if matches!(record, Record::Boundary { what: Boundary::TestEnds { .. }, .. }) {
            writer.may_end_block().expect("memory takes everything");
        }
    }
    writer.finish().expect("memory takes everything");
    lean.take().len()
}

/// What the whole suite takes on disk for each exchange.
fn size(files: &[FileToRun]) {
    let (mut all, mut without_texts, mut without_choices, mut exchanges) = (0, 0, 0, 0_u64);
    for file in files {
        let trace = recorded(file, 1, true);
        all += trace.len();
        let reader = TraceReader::new(&trace[..]).expect("a trace");
        let header = reader.header().clone();
        let records: Vec<Record> = reader.map_while(Result::ok).collect();
        let begins = |record: &&Record| matches!(record, Record::Begun { .. } | Record::Boot { .. });
        exchanges += records.iter().filter(begins).count() as u64;
        without_texts += some(&header, &records, |record| !matches!(record, Record::Source { .. }));
        without_choices +=
            some(&header, &records, |record| !matches!(record, Record::Source { .. } | Record::Choices(_)));
    }
    let each = |bytes: usize| bytes as f64 / exchanges as f64;
    println!(
        "the conformance suite: {} files, {exchanges} exchanges, {all} bytes of traces: {:.1} bytes an exchange; \
         {:.1} without the scripts' texts, {:.1} without these and the choices of its random schedule",
        files.len(),
        each(all),
        each(without_texts),
        each(without_choices)
    );
}

/// Seeds of the runs that are compared: each is another run.
const SEEDS: u64 = 20;

/// How often each of them is run in each way. What disturbs a run only makes it longer, so the shortest is what it takes.
const TIMES: usize = 15;

/// What recording adds to the runs of a file, in percent, when the trace is kept and when it is not.
fn added(file: &FileToRun) {
    let ways: [&dyn Fn(u64); 3] =
        [&|seed| live(file, seed), &|seed| drop(recorded(file, seed, true)), &|seed| drop(recorded(file, seed, false))];
    let mut shortest = [[Duration::MAX; SEEDS as usize]; 3];
    for time in 0..TIMES {
        for seed in 0..SEEDS {
            // None of them always comes after the same other.
            for way in (0..ways.len()).map(|way| (way + time) % ways.len()) {
                let start = Instant::now();
                ways[way](seed);
                let took = &mut shortest[way][seed as usize];
                *took = start.elapsed().min(*took);
            }
        }
    }
    let [live, kept, not_kept] = shortest.map(|took| took.iter().sum::<Duration>().as_secs_f64());
    let percent = |took: f64| (took / live - 1.0) * 100.0;
    println!(
        "recording {} takes {:.1} % more, {:.1} % if the trace is not kept; without, a run takes {:.3} ms",
        file.name,
        percent(kept),
        percent(not_kept),
        live * 1e3 / SEEDS as f64
    );
}

fn benches(criterion: &mut Criterion) {
    let suite = files("tests/lua");
    size(&suite);
    let small = files("benches/lua");
    let find = |name: &str| {
        let mut all = suite.iter().chain(&small);
        all.find(|file| file.name.ends_with(name)).cloned().expect("the file is there")
    };
    let five =
        ["racy_files.test.lua", "racy_shell.test.lua", "file.test.lua", "worker.test.lua", "stream.test.lua"].map(find);
    five.iter().for_each(added);
    for file in five {
        let name = file.name.rsplit('/').next().expect("a name has an end");
        let mut group = criterion.benchmark_group(name);
        let mut seed = 0;
        group.bench_function("live", |bencher| {
            bencher.iter(|| {
                seed += 1;
                live(&file, seed % 50);
            });
        });
        for (name, kept) in [("recorded", true), ("recorded, not kept", false)] {
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    seed += 1;
                    recorded(&file, seed % 50, kept)
                });
            });
        }
        let trace = recorded(&file, 1, true);
        group.bench_function("replayed", |bencher| bencher.iter(|| replayed(&file, &trace)));
        group.finish();
    }
}

criterion_group!(all, benches);
criterion_main!(all);
