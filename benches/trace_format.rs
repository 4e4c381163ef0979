//! What the trace file costs: writing and reading exchanges, and bytes an exchange.
//!
//! `cargo bench --bench trace_format`. The records are those of this repository's conformance suite, recorded here, and
//! a mix of plain exchanges as a busy test makes them. Sizes are printed before the measurements.

#[path = "../tests/common/library.rs"]
mod library;

use std::hint::black_box;
use std::io;
use std::rc::Rc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use provium::runner::file::run_file;
use provium::runner::inputs::Disk;
use provium::runner::observe::{Observer, Observers};
use provium::trace::format::{Totals, TraceReader, TraceWriter};
use provium::trace::record::{At, Boundary, Header, Record};
use provium::trace::recorder::{Memory, Recorder, RecordingBackend, RecordingChoices, RecordingInputs};
use provium_protocol::exec::{ExecSpec, ExitStatus, RunReply};
use provium_protocol::{Lane, Op, Reply};
use provium_sim::SimBackend;

/// The records of one test file's run.
fn recorded(file: &provium::runner::file::FileToRun) -> Vec<Record> {
    let memory = Memory::default();
    let recorder = Recorder::new(Box::new(memory.clone()));
    let choices = Rc::new(RecordingChoices::new(Rc::clone(&recorder), library::schedule(None)));
    let backend = Rc::new(RecordingBackend::new(Rc::clone(&recorder), Rc::new(SimBackend::new(choices))));
    let mut options = library::options(None);
    options.inputs = Rc::new(RecordingInputs::new(Rc::clone(&recorder), Rc::new(Disk)));
    options.observers = Observers::new(vec![Rc::clone(&recorder) as Rc<dyn Observer>]);
    // What the file says is of no interest here, only what was recorded of it.
    run_file(file, &options, backend, &mut |_| {});
    recorder.finish().expect("memory takes everything");
    memory.take()
}

/// Exchanges as a busy test makes them: commands, files, a read and a write, in turns.
fn plain(exchanges: usize) -> Vec<Record> {
    let mut records = Vec::new();
    for n in 0..exchanges {
        let (op, reply) = match n % 4 {
            0 => {
                let spec = ExecSpec::shell(format!("echo {n} >> /tmp/log"));
                let (stdout, stderr) = (format!("{n}\n").into_bytes(), Vec::new());
                let status = ExitStatus::Exited(0);
                let duration_ns = 2_000_000 + n as u64 * 17 % 5_000;
                (
                    Op::Run { spec, timeout_ns: Some(30_000_000_000) },
                    Reply::Run(RunReply { status, stdout, stderr, truncated: false, duration_ns }),
                )
            }
            1 => {
                let path = format!("/tmp/file-{}", n % 100).as_str().into();
                (Op::WriteFile { path, data: vec![b'x'; n % 64], perm: None, append: false }, Reply::Count(64))
            }
            2 => (Op::FileRead { file: 3, len: 4096 }, Reply::Bytes(vec![b'y'; n % 80])),
            _ => (Op::FileSeek { file: 3, offset: 0, whence: provium_protocol::fs::Whence::Set }, Reply::Count(0)),
        };
        let at = Some(At { source: 0, line: 10 + n as u32 % 40 });
        records.push(Record::Begun { guest: 0, lane: Lane::Main, worker: None, at, op });
        records.push(Record::Poll { task: 0, dt: 2_000_000 + n as u64 * 31 % 9_000 });
        records.push(Record::Ended { back: 0, result: Ok(reply) });
    }
    records
}

fn header() -> Header {
    Header { writer: "provium".into(), file: "bench.test.lua".into(), backend: "sim".into(), ..Header::default() }
}

/// Writes one trace, in blocks as the recorder makes them.
fn write(records: &[Record], out: impl io::Write) -> Totals {
    let mut writer = TraceWriter::new(out, &header()).expect("there is room");
    for record in records {
        writer.record(record).expect("there is room");
        if matches!(record, Record::Boundary { what: Boundary::TestEnds { .. }, .. }) {
            writer.may_end_block().expect("there is room");
        }
    }
    writer.finish().expect("there is room")
}

fn traces(runs: &[Vec<Record>]) -> (Vec<Vec<u8>>, Totals) {
    let mut sum = Totals::default();
    let files = runs.iter().map(|records| {
        let mut file = Vec::new();
        let totals = write(records, &mut file);
        sum.records += totals.records;
        sum.exchanges += totals.exchanges;
        sum.raw += totals.raw;
        file
    });
    (files.collect(), sum)
}

fn formats(criterion: &mut Criterion) {
    let suite: Vec<Vec<Record>> = library::files("tests/lua").iter().map(recorded).collect();
    for (name, runs) in [("conformance suite", suite), ("plain exchanges", vec![plain(100_000)])] {
        let (files, totals) = traces(&runs);
        let bytes: usize = files.iter().map(Vec::len).sum();
        let per = |bytes: f64| bytes / totals.exchanges as f64;
        println!(
            "{name}: {} traces, {} exchanges, {:.1} records, {:.1} bytes and {:.1} stored bytes an exchange",
            files.len(),
            totals.exchanges,
            per(totals.records as f64),
            per(totals.raw as f64),
            per(bytes as f64),
        );
        let mut group = criterion.benchmark_group("trace_format");
        group.throughput(Throughput::Elements(totals.exchanges));
        group.bench_function(format!("write/{name}"), |bencher| {
            bencher.iter(|| {
                for records in &runs {
                    black_box(write(records, io::sink()));
                }
            });
        });
        group.bench_function(format!("read/{name}"), |bencher| {
            bencher.iter(|| {
                for file in &files {
                    let reader = TraceReader::new(&file[..]).expect("it was just written");
                    for record in reader {
                        black_box(record.expect("it was just written"));
                    }
                }
            });
        });
    }
}

criterion_group!(benches, formats);
criterion_main!(benches);
