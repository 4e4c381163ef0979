//! Records that somebody has tampered with: a replay of them comes to its end, and nothing panics.

#[path = "common/library.rs"]
mod library;
#[path = "common/recorded.rs"]
mod recorded;
#[path = "common/simulated.rs"]
mod simulated;

use std::rc::Rc;
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use library::files;
use proptest::prelude::*;
use provium::runner::file::{FileToRun, run_file};
use provium::runner::inputs::{HostFile, HostInputs, Module};
use provium::trace::record::{Header, HostError, Record};
use provium::trace::replay::session::{Session, Settings};
use provium::trace::replay::{AtEnd, Builder, Mode, Script};
use provium_protocol::exec::ByteString;

/// How long one replay may take by the host's clock: they take milliseconds, and what takes this long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Files that have a bit of everything: tasks, workers, streams, programs in Lua, timeouts, failures.
const FILES: [(&str, &str, Option<u64>); 6] = [
    ("tests/lua", "worker_join.test.lua", Some(1)),
    ("tests/lua", "stream.test.lua", Some(2)),
    ("tests/lua", "programs.test.lua", None),
    ("tests/lua", "task.test.lua", Some(4)),
    ("tests/lua-races", "lost_update.test.lua", Some(5)),
    ("tests/lua-failing", "test_times_out.test.lua", None),
];

/// A host without any files.
struct Nothing;

impl HostInputs for Nothing {
    fn script(&self, _: &FileToRun) -> Result<Vec<u8>, HostError> {
        Err(HostError { message: "no".to_owned(), errno: 2 })
    }

    fn module(&self, _: &FileToRun, _: &str) -> Result<Module, HostError> {
        Err(HostError { message: "no".to_owned(), errno: 2 })
    }

    fn read_file(&self, _: &FileToRun, _: &ByteString, _: u64) -> Result<HostFile, HostError> {
        Err(HostError { message: "no".to_owned(), errno: 2 })
    }
}

/// One change of the records; positions are taken modulo their number.
#[derive(Clone, Debug)]
enum Change {
    Drop(usize),
    Repeat(usize),
    Swap(usize, usize),
    Move(usize, usize),
    Number(usize, u64),
    Cut(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0_usize..1 << 20;
    let number = prop_oneof![0_u64..4, Just(u64::from(u32::MAX)), Just(u64::MAX), Just(1 << 40), any::<u64>()];
    prop_oneof![
        at.clone().prop_map(Change::Drop),
        at.clone().prop_map(Change::Repeat),
        (at.clone(), at.clone()).prop_map(|(a, b)| Change::Swap(a, b)),
        (at.clone(), 1_usize..5).prop_map(|(a, by)| Change::Move(a, by)),
        (at.clone(), number).prop_map(|(a, number)| Change::Number(a, number)),
        at.prop_map(Change::Cut),
    ]
}

fn tamper(records: &mut Vec<Record>, change: &Change) {
    let count = records.len();
    if count == 0 {
        return;
    }
    match *change {
        Change::Drop(at) => {
            records.remove(at % count);
        }
        Change::Repeat(at) => records.insert(at % count, records[at % count].clone()),
        Change::Swap(a, b) => records.swap(a % count, b % count),
        Change::Move(at, by) => {
            let record = records.remove(at % count);
            records.insert((at % count + by).min(records.len()), record);
        }
        Change::Cut(at) => records.truncate(at % count),
        Change::Number(at, number) => {
            let small = number as u32;
            match &mut records[at % count] {
                Record::Poll { task, dt } if number % 2 == 0 => (*task, *dt) = (small, *dt),
                Record::Poll { dt, .. } | Record::Boundary { dt, .. } | Record::Halt { dt, .. } => *dt = number,
                Record::Begun { guest, .. } => *guest = small,
                Record::Ended { back, .. } | Record::Abandoned { back } | Record::Booted { back, .. } => *back = number,
                Record::Frame { guest, stream, .. } => {
                    if number % 2 == 0 {
                        *guest = small;
                    } else {
                        stream.0 = number;
                    }
                }
                Record::Draw(value) | Record::GuestDraw(value) => *value = number,
                Record::Interrupt { look } => *look = number,
                Record::ProgramPoll { program, .. } | Record::ProgramGone { program } => *program = small,
                Record::ProgramStart { pid, .. } => *pid = small as i32,
                _ => {}
            }
        }
    }
}

/// The recording of a file, made once.
fn recording(which: usize) -> &'static (FileToRun, Header, Vec<Record>) {
    static MADE: [OnceLock<(FileToRun, Header, Vec<Record>)>; FILES.len()] = [const { OnceLock::new() }; FILES.len()];
    MADE[which].get_or_init(|| {
        let (directory, name, seed) = FILES[which];
        let file = files(directory).into_iter().find(|file| file.name.ends_with(name)).expect("the file is there");
        let (header, records, _) = simulated::record(&file, seed);
        (file, header, records)
    })
}

/// Replays what makes sense of a file's tampered records, in a thread of its own.
fn comes_to_its_end(which: usize, changes: Vec<Change>, mode: Mode, at_end: AtEnd, until: Option<u64>) {
    let (done, ended) = mpsc::channel();
    let what = format!("{} {changes:?} {mode:?} {at_end:?} {until:?}", FILES[which].1);
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(move || {
        let (file, header, mut records) = recording(which).clone();
        for change in &changes {
            tamper(&mut records, change);
        }
        let mut builder = Builder::new(header);
        for record in records {
            // A trace that makes no sense is refused; what makes some is replayed.
            let _ = builder.add(record);
        }
        let settings = Settings { mode, at_end, until, script: Script::Recorded };
        let session = Session::new(builder.finish(), settings, Rc::new(Nothing), Vec::new());
        run_file(&file, &session.options, session.backend, &mut |_| {});
        // Who waits in vain is not there any more.
        let _ = done.send(());
    });
    let thread = thread.expect("a thread");
    match ended.recv_timeout(PATIENCE) {
        Ok(()) => thread.join().expect("it did not panic"),
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs: {what}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => panic!("it panics: {what}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, max_shrink_iters: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_replay_of_tampered_records_comes_to_its_end(
        which in 0..FILES.len(),
        changes in prop::collection::vec(change(), 1..6),
        mode in prop_oneof![Just(Mode::Causal), Just(Mode::Strict), Just(Mode::Keyed)],
        at_end in prop_oneof![Just(AtEnd::Fail), Just(AtEnd::Stop)],
        until in prop::option::of(0_u64..40),
    ) {
        comes_to_its_end(which, changes, mode, at_end, until);
    }
}
