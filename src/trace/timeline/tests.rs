use provium_protocol::{Lane, Op, Reply};

use super::samples::{begun, header, records, run};
use super::{Happening, Timeline};
use crate::trace::record::{Boundary, Record, RecordedVerdict};

fn sample() -> Timeline {
    Timeline::new(header(), records()).unwrap()
}

#[test]
fn exchanges_have_their_task_place_and_time() {
    let line = sample();
    assert_eq!(line.exchanges.len(), 11);
    assert_eq!(line.exchanges.iter().map(|exchange| exchange.seq).collect::<Vec<_>>(), (0..11).collect::<Vec<_>>());
    let write = &line.exchanges[9];
    assert_eq!(line.task_path(write.task), "main/1");
    assert_eq!((write.index, write.test, line.test_name(write.test)), (0, Some(1), Some("fails")));
    assert_eq!(line.line(write.at.unwrap()), Some("        vm:write_file('/tmp/x', '\\xff')"));
    assert_eq!(line.site(write.at.unwrap()).unwrap().line, 13);
    assert!(write.abandoned.is_some() && write.ended.is_none());
    assert_eq!(write.outcome(), "abandoned");
    let wait = &line.exchanges[5];
    assert_eq!((wait.index, line.on(wait), wait.lane), (4, "a/w1".to_owned(), Lane::Worker(1)));
    assert_eq!(wait.over().unwrap() - wait.began, 1_000_000);
    assert_eq!(line.exchanges[0].outcome(), "answers");
    let close = &line.exchanges[7];
    assert_eq!((close.task, line.task_path(close.task), close.test), (None, "close", Some(0)));
}

#[test]
fn a_task_is_found_by_its_test_and_path() {
    let line = sample();
    let task = line.find_task(Some("fails"), "main").unwrap();
    assert_eq!((task.exchanges.as_slice(), task.test), ([8].as_slice(), Some(1)));
    assert_eq!(line.find_task(None, "main").unwrap().exchanges, [0]);
    assert!(line.find_task(Some("fails"), "main/2").is_none());
}

#[test]
fn the_rest_is_kept_in_order() {
    let line = sample();
    assert_eq!((line.choices, line.draws, line.complete), (3, 2, true));
    let program = &line.programs[0];
    assert_eq!((program.answers, program.caught.len(), program.gone.is_some()), (2, 1, true));
    assert!(matches!(line.tests[1].ended, Some((_, RecordedVerdict::Failed { .. }))));
    let opened = line.events.iter().find_map(|event| match event.what {
        Happening::Frame { opened, .. } => Some(opened),
        _ => None,
    });
    assert_eq!(opened, Some(Some(4)));
    let log = line.events.iter().find(|event| matches!(event.what, Happening::Log(_))).unwrap();
    assert_eq!((log.test, log.after), (Some(1), 10));
    assert_eq!(line.source(0).unwrap().line(1), Some("local vm = lab:vm('a')"));
    assert_eq!((line.source(0).unwrap().line(0), line.source(0).unwrap().line(99)), (None, None));
}

#[test]
fn records_that_make_no_sense_are_named() {
    let message = |records: Vec<Record>| Timeline::new(header(), records).unwrap_err().to_string();
    insta::assert_snapshot!([
        message(vec![Record::Poll { task: 0, dt: 1 }]),
        message(vec![Record::Ended { back: 3, result: Ok(Reply::Unit) }]),
        message(vec![Record::Abandoned { back: u64::MAX }]),
        message(vec![begun(1, run("x"))]),
        message(vec![Record::ProgramGone { program: 2 }]),
        message(vec![Record::ProgramAnswer(crate::trace::record::ProgramAnswer::Computed)]),
        message(vec![Record::Boundary { dt: 0, what: Boundary::TestCloses }]),
        message({
            let mut twice = records();
            twice.insert(16, Record::Ended { back: 0, result: Ok(Reply::Unit) });
            twice
        }),
        message({
            let mut boot = records();
            boot[7] = Record::Ended { back: 0, result: Ok(Reply::Unit) };
            boot
        }),
        message({
            let mut place = records();
            place.remove(0);
            place
        }),
    ]
    .join("\n"), @r"
    record 0 (Poll) makes no sense: there is no task 0, there are 0 so far
    record 0 (Ended) makes no sense: 0 exchanges have begun, it means the one 3 before the last
    record 0 (Abandoned) makes no sense: 0 exchanges have begun, it means the one 18446744073709551615 before the last
    record 0 (Begun) makes no sense: there is no guest 0, there are 0 so far
    record 0 (ProgramGone) makes no sense: there is no run of a program 2, there are 0 so far
    record 0 (ProgramAnswer) makes no sense: no program has the floor
    record 0 (Boundary) makes no sense: no test runs
    record 16 (Ended) makes no sense: exchange 1 is over already
    record 7 (Ended) makes no sense: exchange 0 is a boot
    record 3 (Boot) makes no sense: there is no source 0, there are 0 so far
    ");
}

#[test]
fn any_subset_of_records_is_a_timeline_or_an_error() {
    // Whatever is left out or repeated, nothing panics, and times never run backwards.
    let all = records();
    for left_out in 0..all.len() {
        for repeated in 0..all.len() {
            let mut some = all.clone();
            let again = some[repeated].clone();
            some.remove(left_out);
            some.insert(repeated.min(some.len()), again);
            if let Ok(line) = Timeline::new(header(), some) {
                assert!(line.events.windows(2).all(|pair| pair[0].when <= pair[1].when));
            }
        }
    }
    let huge = Record::Poll { task: 0, dt: u64::MAX };
    let task = Record::Task { path: "main".into(), at: None };
    assert_eq!(Timeline::new(header(), vec![task, huge.clone(), huge]).unwrap().end, u64::MAX);
    let op = Op::Pause;
    assert!(Timeline::new(header(), vec![begun(1, op)]).is_err());
}
