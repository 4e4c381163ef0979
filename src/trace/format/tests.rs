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
    assert_eq!(*reader.header(), header);
    let read: Vec<Record> = reader.by_ref().map(Result::unwrap).collect();
    assert_eq!(read, records);
    assert_eq!(reader.end(), Some(&End::Complete(totals)));
}

#[test]
fn a_large_record_spans_blocks_and_a_larger_one_is_refused() {
    let record = |size| Record::Log("x".repeat(size));
    let mut file = Vec::new();
    let mut writer = TraceWriter::new(&mut file, &Header::default()).unwrap();
    for size in [0, block::MAX_BLOCK - 4, block::MAX_BLOCK, 10 << 20] {
        writer.record(&record(size)).unwrap();
    }
    assert!(matches!(writer.record(&record(codec::MAX_RECORD)), Err(WriteError::TooLarge { .. })));
    assert!(matches!(writer.record(&record(1)), Err(WriteError::Stopped)));
    drop(writer);
    let mut reader = TraceReader::new(&file[..]).unwrap();
    let sizes: Vec<usize> = reader
        .by_ref()
        .map(|record| match record.unwrap() {
            Record::Log(text) => text.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(sizes.starts_with(&[0, block::MAX_BLOCK - 4, block::MAX_BLOCK]), "{sizes:?}");
    assert!(matches!(reader.end(), Some(End::Torn { .. })));
}
