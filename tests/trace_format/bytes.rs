//! The bytes themselves: a trace that was written once must be read for ever.

use std::fmt::Write as _;

use provium::trace::format::codec::{self, Decoded};
use provium::trace::record::Record;

use crate::sample;

fn encoded(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::new();
    codec::encode(record, &mut bytes).expect("it is small");
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// A change of this snapshot other than new entries at its end of a kind means that old traces are read wrongly.
#[test]
fn every_variant_of_everything_keeps_its_bytes() {
    let mut shown = String::new();
    for (shows, record) in sample::every() {
        writeln!(shown, "{shows}\n  {record:?}\n  {}", hex(&encoded(&record))).expect("strings take everything");
    }
    insta::assert_snapshot!("records", shown);
}

#[test]
fn every_variant_is_read_again_and_no_less_of_it() {
    for (shows, record) in sample::every() {
        let bytes = encoded(&record);
        assert_eq!(codec::decode(&bytes), Decoded::Whole { record, size: bytes.len() }, "{shows}");
        for cut in 0..bytes.len() {
            let decoded = codec::decode(&bytes[..cut]);
            let Decoded::Incomplete { more } = decoded else { panic!("{shows} cut at {cut}: {decoded:?}") };
            assert!((1..=bytes.len() - cut).contains(&more), "{shows} cut at {cut} wants {more} more");
        }
    }
}

#[test]
fn the_header_keeps_its_bytes() {
    let (file, _) = sample::file(&[]);
    let shown = file.escape_ascii().to_string().replace(r"\n\x1a\n", "\\n\\x1a\\n\n");
    insta::assert_snapshot!("header", shown);
}

#[test]
fn the_same_records_give_the_same_file() {
    let records = sample::run();
    assert_eq!(sample::file(&records), sample::file(&records));
}
