//! A run that goes on where its trace ends is the run that was recorded: its choices are the recorded ones, and after
//! them those that would have been made.

#[path = "common/library.rs"]
mod library;
#[path = "common/recorded.rs"]
mod recorded;
#[path = "common/simulated.rs"]
mod simulated;

use std::rc::Rc;

use library::files;
use provium::runner::event::Event;
use provium::runner::file::{FileToRun, run_file};
use provium::runner::inputs::Disk;
use provium::trace::record::{Header, Record};
use provium::trace::replay::session::Rerun;
use provium::trace::replay::{Builder, Script};
use provium_protocol::Reply;
use provium_protocol::exec::RunReply;
use provium_sim::SimBackend;
use simulated::record;

fn rerun(file: &FileToRun, header: Header, records: &[Record]) -> (Rerun, Vec<Event>) {
    let mut builder = Builder::new(header);
    for record in records {
        builder.add(record.clone()).expect("the beginning of a trace makes sense");
    }
    let rerun = Rerun::new(builder.finish(), Script::Current, Rc::new(Disk), Vec::new());
    let backend = Rc::new(SimBackend::new(Rc::clone(&rerun.choices)));
    let mut events = Vec::new();
    run_file(file, &rerun.options, backend, &mut |event| events.extend(event.repeatable()));
    (rerun, events)
}

fn goes_on(directory: &str, name: &str, seed: Option<u64>) {
    let files = files(directory);
    let file = files.iter().find(|file| file.name.ends_with(name)).expect("the file is there");
    let (header, records, events) = record(file, seed);
    for cut in [0, records.len() / 3, records.len() / 2, records.len() - 1, records.len()] {
        let (rerun, again) = rerun(file, header.clone(), &records[..cut]);
        assert_eq!(rerun.follower.stop(), None, "{name} cut at {cut} of {}", records.len());
        assert_eq!(rerun.follower.answered(), None, "{name} cut at {cut} of {}", records.len());
        assert_eq!(again, events, "{name} cut at {cut} of {}", records.len());
    }
}

#[test]
fn it_is_the_recorded_run() {
    for name in ["worker.test.lua", "stream.test.lua", "task.test.lua"] {
        goes_on("tests/lua", name, None);
        goes_on("tests/lua", name, Some(5));
    }
    goes_on("tests/lua-races", "lost_update.test.lua", Some(11));
    goes_on("tests/lua-races", "lock_order.test.lua", Some(2));
}

#[test]
fn a_guest_that_answers_otherwise_is_named() {
    let files = files("tests/lua");
    let file = files.iter().find(|file| file.name.ends_with("run.test.lua")).expect("the file is there");
    let (header, mut records, _) = record(file, None);
    let changed = records.iter_mut().find_map(|record| match record {
        Record::Ended { result: Ok(Reply::Run(RunReply { stdout, .. })), .. } if !stdout.is_empty() => Some(stdout),
        _ => None,
    });
    changed.expect("something was written").push(b'!');
    let (rerun, _) = rerun(file, header, &records);
    let answered = rerun.follower.answered().expect("the difference is seen");
    assert!(answered.starts_with("run("), "{answered}");
    assert!(answered.contains("of the trace did not: stdout was ") && answered.contains('!'), "{answered}");
}
