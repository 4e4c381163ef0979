//! A trace to damage, and every kind of record there is.

use std::collections::{BTreeMap, BTreeSet};

use provium::trace::format::{Totals, TraceReader, TraceWriter};
use provium::trace::record::{Boundary, Header, Record};
use provium_protocol::exec::ExecSpec;
use provium_protocol::{Lane, Op, Reply};

use crate::make::{Source, make};

/// A header in which not everything is empty.
pub fn header() -> Header {
    Header { writer: "provium 0.1.0".into(), file: "a.test.lua".into(), backend: "sim".into(), ..Header::default() }
}

/// A short run of three tests.
pub fn run() -> Vec<Record> {
    let mut records = vec![Record::Source { name: "a.test.lua".into(), module: None, text: "test()".into() }];
    for name in ["one", "two", "three"] {
        records.push(Record::Boundary { dt: 0, what: Boundary::TestBegins { name: name.into() } });
        for n in 0..4_u8 {
            let op = if n % 2 == 0 {
                Op::Spawn(ExecSpec::shell(format!("echo {name} {n}")))
            } else {
                Op::WriteFile { path: "/tmp/a".into(), data: (0..=n * 40).rev().collect(), perm: None, append: false }
            };
            records.push(Record::Begun { guest: 0, lane: Lane::Main, worker: None, at: None, op });
            records.push(Record::Poll { task: 0, dt: 1_000_003 * u64::from(n) });
            records.push(Record::Ended { back: 0, result: Ok(Reply::Count(u64::from(n) << 20)) });
        }
        records.push(Record::Boundary { dt: 0, what: Boundary::TestCloses });
    }
    records
}

/// As a file, with a block for each test.
pub fn file(records: &[Record]) -> (Vec<u8>, Totals) {
    let mut file = Vec::new();
    let mut writer = TraceWriter::new(&mut file, &header()).expect("the header is small");
    for record in records {
        writer.record(record).expect("memory takes everything");
        if matches!(record, Record::Boundary { what: Boundary::TestCloses, .. }) {
            writer.flush().expect("memory takes everything");
        }
    }
    let totals = writer.finish().expect("memory takes everything");
    (file, totals)
}

/// Bytes of the header of a trace.
pub fn header_size(file: &[u8]) -> usize {
    TraceReader::new(file).expect("a good trace").position().at as usize
}

/// Where each block begins, and where the last one ends.
pub fn blocks(file: &[u8]) -> Vec<usize> {
    let mut starts = vec![header_size(file)];
    let mut at = starts[0];
    while at < file.len() {
        let length = u32::from_le_bytes(file[at + 5..at + 9].try_into().expect("four bytes"));
        at += 21 + length as usize;
        starts.push(at);
    }
    starts
}

/// Decisions that lead to given variants of some enumerations, and count up everywhere else.
struct Systematic {
    forced: BTreeMap<&'static str, u32>,
    met: BTreeMap<&'static str, &'static [&'static str]>,
    counter: u64,
}

impl Source for Systematic {
    fn number(&mut self) -> u64 {
        // Every fourth number is wider than a byte, so that the markers of the encoding are there too.
        self.counter += 1;
        match self.counter % 4 {
            0 => 1000 + self.counter,
            _ => self.counter,
        }
    }

    fn flag(&mut self) -> bool {
        true
    }

    fn bytes(&mut self) -> Vec<u8> {
        self.text().into_bytes()
    }

    fn text(&mut self) -> String {
        self.counter += 1;
        format!("t{}", self.counter)
    }

    fn length(&mut self) -> usize {
        1
    }

    fn variant(&mut self, name: &'static str, variants: &'static [&'static str]) -> u32 {
        self.met.insert(name, variants);
        self.forced.get(name).copied().unwrap_or(0)
    }
}

/// Records in which every variant of every enumeration occurs, each with what it shows.
pub fn every() -> Vec<(String, Record)> {
    let mut found = Vec::new();
    let mut covered = BTreeSet::new();
    let mut waiting: Vec<BTreeMap<&'static str, u32>> = vec![BTreeMap::new()];
    while let Some(forced) = waiting.pop() {
        let mut source = Systematic { forced, met: BTreeMap::new(), counter: 0 };
        let record: Record = make(&mut source).expect("every decision leads to a record");
        let mut shows: Vec<String> = Vec::new();
        for (name, variants) in &source.met {
            // What an error is depends on whose it is.
            let within = ["Record", "ProgramAnswer"].map(|outer| source.forced.get(outer).copied());
            let within = if *name == "Result" { within } else { [None; 2] };
            for picked in 0..variants.len() as u32 {
                let this = source.forced.get(name).copied().unwrap_or(0) == picked;
                if covered.contains(&(*name, within, picked)) {
                    continue;
                }
                if this {
                    covered.insert((*name, within, picked));
                    shows.push(format!("{name}::{}", variants[picked as usize]));
                } else {
                    let mut forced = source.forced.clone();
                    forced.insert(name, picked);
                    waiting.push(forced);
                }
            }
        }
        if !shows.is_empty() {
            shows.sort_unstable();
            found.push((shows.join(", "), record));
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}
