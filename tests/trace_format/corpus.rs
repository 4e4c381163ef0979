//! The fuzzer's corpus, through the function that it fuzzes, without the fuzzer.

#[path = "../common/fuzzed.rs"]
mod fuzzed;

use std::fs;

use provium::trace::check::exhaust;
use provium::trace::format::{End, TraceReader};
use provium::trace::record::Record;

use crate::hostile::{block, frame};
use crate::sample;

const TARGET: &str = "trace_reader";

/// What the corpus begins with; what the fuzzer finds is added by hand.
fn seeds() -> [(&'static str, Vec<u8>); 10] {
    let (whole, _) = sample::file(&sample::run());
    let records: Vec<_> = sample::every().into_iter().map(|(_, record)| record).collect();
    let (every, _) = sample::file(&records);
    let (pieces, _) = sample::file(&[Record::Log("long ".repeat(250_000)), Record::Log("short".into())]);
    let header = whole[..sample::header_size(&whole)].to_vec();
    let blocks = sample::blocks(&whole);
    let mut flipped = whole.clone();
    flipped[blocks[1] + 30] ^= 4;
    let nested: Vec<u8> = [1, 0, 0, 0, 0].into_iter().chain([37, 1].repeat(500)).collect();
    let long = [20, 252, 0, 0, 0x40, 6];
    let lie = |raw: u32, payload: &[u8]| [&header[..], &block(0, raw, payload)].concat();
    [
        ("sound-2", whole.clone()),
        ("every-kind-2", every),
        ("pieces", pieces),
        ("torn-in-a-block", whole[..blocks[2] + 40].to_vec()),
        ("torn-in-the-header", whole[..100].to_vec()),
        ("flipped", flipped),
        ("bomb", lie(65_536, &frame(&vec![0; 1 << 20]))),
        ("nested-batches", lie(nested.len() as u32, &frame(&nested))),
        ("a-text-too-long", lie(long.len() as u32, &frame(&long))),
        ("not-zstd", lie(5, b"hello")),
    ]
}

#[test]
fn the_corpus_is_read_or_refused() {
    fuzzed::exhausted(TARGET, &seeds().map(|(name, bytes)| (name.to_owned(), bytes)), exhaust);
}

#[test]
fn what_was_sound_once_is_sound_for_ever() {
    // Those of version 1 are not written again.
    for name in ["sound", "every-kind", "sound-2", "every-kind-2"] {
        let file = fs::read(fuzzed::directory(TARGET).join(name)).expect("the corpus is there");
        let mut reader = TraceReader::new(&file[..]).expect("the header is good");
        let records: Vec<_> = reader.by_ref().map(|record| record.expect("it is sound")).collect();
        assert!(matches!(reader.end(), Some(End::Complete(_))), "{name}: {:?}", reader.end());
        let known = if name.starts_with("sound") {
            sample::run()
        } else {
            sample::every().into_iter().map(|(_, record)| record).collect()
        };
        // New kinds of records are new samples; old ones stay what they were.
        assert!(records.iter().all(|record| known.contains(record)), "{name} is read differently");
    }
}
