use provium_protocol::{Op, Reply};

use super::{What, diff};
use crate::trace::record::{Boundary, Record, RecordedVerdict};
use crate::trace::timeline::Timeline;
use crate::trace::timeline::samples::{begun, header, ran, records, run};

fn compare(edit: impl FnOnce(&mut Vec<Record>)) -> Option<super::TraceDifference> {
    let mut other = records();
    edit(&mut other);
    let (a, b) = (Timeline::new(header(), records()).unwrap(), Timeline::new(header(), other).unwrap());
    let found = diff(&a, &b, ["a.trace", "b.trace"]);
    let back = diff(&b, &a, ["b.trace", "a.trace"]);
    assert_eq!(found.is_some(), back.is_some());
    found
}

fn at(records: &[Record], is: impl Fn(&Record) -> bool) -> usize {
    records.iter().position(is).unwrap()
}

#[test]
fn equal_traces_do_not_differ() {
    assert_eq!(compare(|_| {}), None);
    assert_eq!(
        compare(|records| {
            for record in records {
                if let Record::Poll { dt, .. } = record {
                    *dt += 17;
                }
            }
        }),
        None,
        "times are not compared"
    );
}

#[test]
fn the_first_difference_is_shown() {
    let list = [
        compare(|records| {
            let at = at(records, |record| matches!(record, Record::Begun { op: Op::Run { .. }, .. }));
            records[at] = begun(3, run("echo hallo"));
        }),
        compare(|records| {
            let at = at(records, |record| matches!(record, Record::Ended { result: Ok(Reply::Run(_)), .. }));
            records[at] = Record::Ended { back: 0, result: ran(1, "hello\n") };
        }),
        compare(|records| {
            let at = at(records, |record| matches!(record, Record::Begun { op: Op::ReadFile(_), .. }));
            records.drain(at..at + 3);
        }),
        compare(|records| {
            let at = at(records, |record| matches!(record, Record::Log(_)));
            records[at] = Record::Log("there".into());
        }),
        compare(|records| {
            let at = at(records, |record| matches!(record, Record::Frame { .. }));
            records.remove(at);
        }),
        compare(|records| {
            // Task main/1 asks before task main does.
            let at = at(records, |record| matches!(record, Record::Begun { at: Some(at), .. } if at.line == 15));
            let asks = records.remove(at);
            records.insert(at + 2, Record::Poll { task: 2, dt: 0 });
            records.insert(at + 3, asks);
            let end = records.iter().position(|record| matches!(record, Record::Ended { back: 1, .. })).unwrap();
            records[end] = Record::Ended { back: 0, result: ran(3, "") };
            let gone = records.iter().position(|record| matches!(record, Record::Abandoned { .. })).unwrap();
            records[gone] = Record::Abandoned { back: 1 };
        }),
        compare(|records| {
            for record in records {
                if let Record::Boundary { what: Boundary::TestEnds { verdict, .. }, .. } = record {
                    *verdict = RecordedVerdict::Passed;
                }
            }
        }),
        compare(|records| {
            records.truncate(records.len() - 1);
        }),
    ];
    let text: Vec<String> = list.iter().map(|found| format!("{}\n", found.as_ref().unwrap())).collect();
    insta::assert_snapshot!(text.join("\n"));
    assert!(matches!(list[0].as_ref().unwrap().what, What::Asks(_)));
}
