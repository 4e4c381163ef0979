//! Traces that end too early, as those of killed runs do.

use provium::trace::format::{End, TraceError, TraceReader};
use provium::trace::record::Record;

use crate::sample;

#[test]
fn a_trace_cut_at_any_byte_gives_the_records_of_its_whole_blocks() {
    let records = sample::run();
    let (file, totals) = sample::file(&records);
    let header = sample::header_size(&file);
    let blocks = sample::blocks(&file);
    assert!(blocks.len() > 4, "there are several blocks: {blocks:?}");
    let mut counts = Vec::new();
    for cut in 0..=file.len() {
        let torn = &file[..cut];
        let mut reader = match TraceReader::new(torn) {
            Ok(reader) if cut >= header => reader,
            Err(TraceError::HeaderTorn { has, needs }) if cut < header => {
                assert_eq!(has, cut as u64);
                assert!(needs.is_none_or(|needs| needs == header as u64), "{needs:?} at {cut}");
                continue;
            }
            Err(error) => panic!("cut at {cut}: {error}"),
            Ok(_) => panic!("cut at {cut}, within the header, and opened"),
        };
        let read: Vec<Record> = reader.by_ref().map(|record| record.expect("torn is not damaged")).collect();
        assert_eq!(read, records[..read.len()], "cut at {cut}");
        let whole = blocks.iter().rposition(|start| *start <= cut).expect("the header is there");
        match reader.end() {
            Some(End::Complete(found)) if cut == file.len() => assert_eq!(*found, totals),
            Some(End::Torn { given, blocks: count, at, lost, .. }) if cut < file.len() => {
                assert_eq!((given.records, *count), (read.len() as u64, whole as u32), "cut at {cut}");
                assert_eq!((*at, *lost), (blocks[whole] as u64, (cut - blocks[whole]) as u64), "cut at {cut}");
            }
            end => panic!("cut at {cut}: {end:?}"),
        }
        counts.push(read.len());
    }
    assert!(counts.is_sorted(), "a longer file never gives less");
    // Each test had its block: its records are there as soon as the block is.
    assert_eq!(counts.last(), Some(&records.len()));
    counts.dedup();
    assert_eq!(
        counts.len(),
        blocks.len() - 1,
        "nothing before the first block, and something more with each: {counts:?}"
    );
}

#[test]
fn a_large_record_that_is_cut_off_is_left_out() {
    let records = [Record::Log("first".into()), Record::Log("x".repeat(1 << 20))];
    let (file, _) = sample::file(&records);
    let blocks = sample::blocks(&file);
    assert!(blocks.len() > 10, "{blocks:?}");
    let torn = &file[..blocks[5]];
    let mut reader = TraceReader::new(torn).expect("the header is whole");
    let read: Vec<Record> = reader.by_ref().map(|record| record.expect("torn is not damaged")).collect();
    assert_eq!(read, records[..1]);
    assert!(matches!(reader.end(), Some(End::Torn { blocks: 5, lost: 0, cut, .. }) if *cut > 0), "{:?}", reader.end());
}

#[test]
fn the_words_say_what_to_do_next() {
    let (file, _) = sample::file(&[]);
    let said = |bytes: &[u8]| TraceReader::new(bytes).err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(
        said(&file[..5]),
        "the trace ends within its header, at byte 5 of a length that was not written either: the run was ended before \
         it said anything; record anew"
    );
    assert!(
        said(&file[..100]).starts_with("the trace ends within its header, at byte 100 of "),
        "{}",
        said(&file[..100])
    );
    assert!(said(b"").starts_with("the trace ends within its header, at byte 0 of "), "{}", said(b""));
    assert!(
        said(b"#!/bin/sh\n").starts_with("this is not a trace: it begins with `#!/bin/s`"),
        "{}",
        said(b"#!/bin/sh\n")
    );
    assert!(said(b"no").starts_with("this is not a trace: it begins with `no` and ends there"), "{}", said(b"no"));
}
