//! The least that must hold; `tests/trace_format` does the rest.

use provium_protocol::{Lane, Op, Reply};

use super::super::record::{Header, Record};
use super::*;

fn exchange(at: u8) -> [Record; 3] {
    let op = Op::WriteFile { path: "/tmp/a".into(), data: vec![at; 500], perm: None, append: false };
    [
        Record::Poll { task: 0, dt: 1_000 },
        Record::Begun { guest: 0, lane: Lane::Main, worker: None, at: None, op },
        Record::Ended { back: 0, result: Ok(Reply::Count(500)) },
    ]
}

#[test]
fn what_was_written_is_read() {
    let header = Header { writer: "provium".into(), file: "a.test.lua".into(), ..Header::default() };
    let mut file = Vec::new();
    let mut writer = TraceWriter::new(&mut file, &header).unwrap();
    let records: Vec<Record> = (0..1000).flat_map(|at| exchange(at as u8)).collect();
    for (at, record) in records.iter().enumerate() {
        writer.record(record).unwrap();
        if at % 100 == 0 {
            writer.flush().unwrap();
        }
    }
    let totals = writer.finish().unwrap();
    assert_eq!((totals.records, totals.exchanges), (3000, 1000));
    let mut reader = TraceReader::new(&file[..]).unwrap();
    let required = vec![context::DICTIONARY_FEATURE.to_owned()];
    assert_eq!(*reader.header(), Header { required, ..header });
    let read: Vec<Record> = reader.by_ref().map(Result::unwrap).collect();
    assert_eq!(read, records);
    assert_eq!(reader.end(), Some(&End::Complete(totals)));
}

#[test]
fn a_large_record_spans_blocks_and_a_larger_one_is_refused() {
    let record = |size| Record::Log("x".repeat(size));
    let mut file = Vec::new();
    let mut writer = TraceWriter::new(&mut file, &Header::default()).unwrap();
    let sizes = [0, block::MAX_BLOCK - 4, block::MAX_BLOCK, pieces::LONG_RECORD - 6, pieces::LONG_RECORD, 10 << 20];
    for size in sizes {
        writer.record(&record(size)).unwrap();
    }
    let totals = writer.totals();
    assert_eq!(totals.records, sizes.len() as u64);
    assert!(matches!(writer.record(&record(pieces::MAX_TEXTS + 1)), Err(WriteError::LongTexts { .. })));
    assert!(matches!(writer.record(&record(1)), Err(WriteError::Stopped)));
    drop(writer);
    let mut reader = TraceReader::new(&file[..]).unwrap();
    let found: Vec<usize> = reader
        .by_ref()
        .map(|record| match record.unwrap() {
            Record::Log(text) => text.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    // The last block was not ended.
    assert_eq!(found, sizes[..found.len()]);
    assert!(found.len() + 1 >= sizes.len(), "{found:?}");
    assert!(matches!(reader.end(), Some(End::Torn { .. })));
}

#[test]
fn long_texts_come_back_where_they_were() {
    let text = |of: u8, len: usize| vec![of; len];
    let write = |of, len| Op::WriteFile { path: "/tmp/a".into(), data: text(of, len), perm: None, append: false };
    let batch = Op::Batch(vec![write(1, 10), write(2, 700_000), write(3, pieces::SHORT_TEXT), write(4, 3_000_000)]);
    let worker = Some("é".repeat(100_000));
    let records = [
        Record::Begun { guest: 0, lane: Lane::Main, worker, at: None, op: batch },
        Record::Ended { back: 0, result: Ok(Reply::Bytes(text(9, 5 << 20))) },
        Record::Log("after".into()),
    ];
    let mut file = Vec::new();
    let mut writer = TraceWriter::new(&mut file, &Header::default()).unwrap();
    records.iter().for_each(|record| writer.record(record).unwrap());
    let totals = writer.finish().unwrap();
    assert_eq!((totals.records, totals.exchanges), (3, 1));
    let mut reader = TraceReader::new(&file[..]).unwrap();
    let read: Vec<Record> = reader.by_ref().map(Result::unwrap).collect();
    assert!(read == records);
    assert_eq!(reader.end(), Some(&End::Complete(totals)));
}

#[test]
fn what_was_packed_before_does_not_show() {
    let file = |records: &[Record]| {
        let mut file = Vec::new();
        let mut writer = TraceWriter::new(&mut file, &Header::default()).unwrap();
        records.iter().for_each(|record| writer.record(record).unwrap());
        writer.finish().unwrap();
        file
    };
    let records: Vec<Record> = (0..200).flat_map(exchange).collect();
    let first = std::thread::scope(|scope| scope.spawn(|| file(&records)).join().unwrap());
    for seed in 0..40_u64 {
        // Bytes without order, from a generator of the simplest kind.
        let mut state = seed;
        let noise: Vec<u8> = (0..50_000 * (seed as usize % 7))
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        file(&[Record::Ended { back: 0, result: Ok(Reply::Bytes(noise)) }]);
        assert_eq!(file(&records), first);
    }
    // A trace that is dropped in the middle leaves nothing behind either.
    let mut torn = Vec::new();
    let mut writer = TraceWriter::new(&mut torn, &Header::default()).unwrap();
    writer.record(&records[1]).unwrap();
    writer.flush().unwrap();
    drop(writer);
    assert_eq!(file(&records), first);
}
