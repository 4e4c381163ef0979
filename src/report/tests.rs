//! What each report makes of runs that are written down as events here.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::rc::Rc;

use provium_protocol::time::{MILLISECOND, SECOND};

use super::json::JsonLines;
use super::junit::Junit;
use super::repeat::Repeat;
use super::style::Paint;
use super::terminal::{Level, Terminal};
use super::{Report, Reports};
use crate::runner::event::{Event, ExchangeNote, Failure, Site, Verdict};

const RACE: &str = "tests/lua/race.test.lua";
const RACE_SOURCE: &str = "\
test(\"reads zero\", function(t) end)

test(\"counter keeps every increment\", function(t)
\tlocal vm = provium:vm(\"v\", \"peios\"):boot()
\tlocal w1, w2 = vm:spawn_worker(), vm:spawn_worker()
\tadd(w1) add(w2)
\tt:assert_eq(vm:read_file(\"/n\"), \"2\\n\", \"lost update\")
end)
";

/// A writer whose content can be looked at afterwards.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).expect("reports write UTF-8")
    }
}

fn terminal(level: Level, colour: bool, events: &[Event]) -> String {
    let out = Shared::default();
    let sources = BTreeMap::from([(RACE.to_owned(), RACE_SOURCE.to_owned())]);
    let seed = events.iter().find_map(|event| match event {
        Event::RunStarted { seed: Some(seed), .. } => Some(vec!["--seed".to_owned(), seed.to_string()]),
        _ => None,
    });
    let repeat = Repeat { program: "provium".to_owned(), options: seed.unwrap_or_default(), ..Repeat::default() };
    let mut report = Terminal::new(out.clone(), level, Paint { colour }, Box::new(sources), repeat);
    feed(&mut report, events);
    out.text()
}

fn normal(events: &[Event]) -> String {
    terminal(Level::Normal, false, events)
}

fn feed(report: &mut dyn Report, events: &[Event]) {
    for event in events {
        report.event(event).expect("a report to memory can write");
    }
}

fn run(seed: Option<u64>, files: Vec<Vec<Event>>) -> Vec<Event> {
    let started = Event::RunStarted { backend: "sim".to_owned(), seed, files: files.len() };
    let finished = Event::RunFinished { stopped: None, host_time: 123_456_789 };
    std::iter::once(started).chain(files.into_iter().flatten()).chain([finished]).collect()
}

fn file(name: &str, events: Vec<Event>) -> Vec<Event> {
    let started = Event::FileStarted { file: name.to_owned() };
    let finished = Event::FileFinished { file: name.to_owned(), deselected: 0 };
    std::iter::once(started).chain(events).chain([finished]).collect()
}

fn began(file: &str, test: &str) -> Event {
    Event::TestStarted { file: file.to_owned(), test: test.to_owned() }
}

fn ended(file: &str, test: &str, verdict: Verdict) -> Event {
    Event::TestFinished {
        file: file.to_owned(),
        test: test.to_owned(),
        verdict,
        lab_time: 2 * SECOND + 5 * MILLISECOND,
        host_time: 12_345_678,
        warnings: Vec::new(),
        site: Some(site(file, 3)),
    }
}

fn log(file: &str, test: Option<&str>, text: &str) -> Event {
    Event::Log { file: file.to_owned(), test: test.map(str::to_owned), text: text.to_owned() }
}

fn site(file: &str, line: u32) -> Site {
    Site { file: file.to_owned(), line }
}

fn exchange(on: (&str, Option<&str>), operation: &str, outcome: &str, began: u64, ended: Option<u64>) -> ExchangeNote {
    ExchangeNote {
        task: "main".to_owned(),
        vm: on.0.to_owned(),
        worker: on.1.map(str::to_owned),
        operation: operation.to_owned(),
        outcome: outcome.to_owned(),
        began,
        ended,
        site: Some(site(RACE, 6)),
    }
}

fn lost_update() -> Failure {
    Failure {
        message: "lost update\n  expected: \"2\\n\"\n  got:      \"1\\n\"".to_owned(),
        site: Some(site(RACE, 7)),
        stack: vec![site(RACE, 7), site("tests/lua/helper.lua", 30), site(RACE, 3)],
        exchanges: vec![
            exchange(("v", None), "boot(profile = \"peios\")", "ok", 0, Some(1_500_000)),
            exchange(("v", Some("worker1")), "run_async(\"add\", …)", "pid 12", 1_500_000, Some(1_503_000)),
            exchange(("v", Some("worker2")), "run_async(\"add\", …)", "still running", 1_503_000, None),
        ],
        waits: vec!["add[12] waits for the lock of /n that add[13] holds".to_owned()],
        notes: vec!["File /n was left open\nopened at tests/lua/race.test.lua:6".to_owned()],
    }
}

/// Three tests of which the second fails; it logs, and the first does too.
fn racy() -> Vec<Event> {
    let (first, second, third) = ("reads zero", "counter keeps every increment", "goes on");
    let events = vec![
        log(RACE, None, "at the top level"),
        began(RACE, first),
        log(RACE, Some(first), "of the first"),
        ended(RACE, first, Verdict::Passed),
        began(RACE, second),
        log(RACE, Some(second), "n is 0\nn is 1"),
        ended(RACE, second, Verdict::Failed(lost_update())),
        began(RACE, third),
        ended(RACE, third, Verdict::Passed),
    ];
    run(Some(7), vec![file(RACE, events)])
}

#[test]
fn all_passed() {
    let name = "two concurrent writers don't tear";
    let events = vec![began(RACE, name), ended(RACE, name, Verdict::Passed)];
    insta::assert_snapshot!(normal(&run(None, vec![file(RACE, events)])));
}

#[test]
fn a_failure_shows_all_there_is_to_know() {
    insta::assert_snapshot!(normal(&racy()));
}

#[test]
fn a_failure_in_colour() {
    insta::assert_snapshot!(terminal(Level::Normal, true, &racy()).replace('\x1b', "␛"));
}

#[test]
fn verbose_shows_logs_and_the_lab_clock() {
    insta::assert_snapshot!(terminal(Level::Verbose, false, &racy()));
}

#[test]
fn quiet_shows_failures_only() {
    insta::assert_snapshot!(terminal(Level::Quiet, false, &racy()));
    let name = "x";
    let events = vec![began(RACE, name), ended(RACE, name, Verdict::Passed)];
    let text = terminal(Level::Quiet, false, &run(None, vec![file(RACE, events)]));
    assert_eq!(text, "1 passed, 0 failed\n");
}

#[test]
fn the_first_test_of_a_file_is_repeated_alone() {
    let failure = Failure { message: "no".to_owned(), ..Failure::default() };
    let events = vec![began(RACE, "a"), ended(RACE, "a", Verdict::Failed(failure))];
    insta::assert_snapshot!(normal(&run(None, vec![file(RACE, events)])));
}

#[test]
fn a_file_that_cannot_be_loaded() {
    let broken = "tests/lua/broken.test.lua";
    let failure = Failure {
        message: "syntax error: 'end' expected (to close 'function' at line 3) near <eof>".to_owned(),
        site: Some(site(RACE, 8)),
        ..Failure::default()
    };
    let failed = vec![Event::FileFailed { file: broken.to_owned(), failure }];
    let passed = vec![began(RACE, "a"), ended(RACE, "a", Verdict::Passed)];
    insta::assert_snapshot!(normal(&run(None, vec![file(broken, failed), file(RACE, passed)])));
}

#[test]
fn skips_say_why_and_what_was_left_out_is_counted() {
    let events = vec![
        ended(RACE, "on qemu", Verdict::Skipped("backend is sim, needs qemu".to_owned())),
        ended(RACE, "long", Verdict::Skipped("slow: run with --include-slow".to_owned())),
    ];
    let mut events = file(RACE, events);
    if let Some(Event::FileFinished { deselected, .. }) = events.last_mut() {
        *deselected = 4;
    }
    insta::assert_snapshot!(normal(&run(None, vec![events])));
}

#[test]
fn a_timeout_names_who_waits_for_what() {
    let failure = Failure {
        message: "deadlock: every process waits for another one\n(test timeout 30s was not reached)".to_owned(),
        site: Some(site(RACE, 6)),
        waits: vec![
            "deadlock: a[12] -> b[13] -> a[12]".to_owned(),
            "a[12] waits for flock /l2 held by b[13]".to_owned(),
            "b[13] waits for flock /l1 held by a[12]".to_owned(),
        ],
        exchanges: (0..25)
            .map(|n| {
                exchange(
                    ("v", Some("worker1")),
                    &format!("syscall(\"getpid\", {n})"),
                    "0",
                    n * SECOND,
                    Some(n * SECOND),
                )
            })
            .collect(),
        ..Failure::default()
    };
    let events = vec![began(RACE, "locks"), ended(RACE, "locks", Verdict::Failed(failure))];
    insta::assert_snapshot!(normal(&run(Some(u64::MAX), vec![file(RACE, events)])));
}

#[test]
fn wide_and_hostile_text_keeps_the_columns() {
    let mut note = exchange(("机器", Some("工人")), &"写".repeat(60), "✓ \x1b[31mred\x1b[0m", 1, Some(2));
    note.site = Some(site("tests/lua/帮手.lua", 4));
    let failure = Failure {
        message: format!("expected \"日本語\"\n     got \"\x1b[2J\u{202e}\"\n{}", "x".repeat(1_000)),
        site: Some(site("tests/lua/gone.test.lua", 99)),
        exchanges: vec![note, exchange(("v", None), "stat(\"/tmp\")", "ENOENT", 3, Some(3_000_000_000))],
        ..Failure::default()
    };
    let name = "naïve 日本語 🦀\nsecond line";
    let events = vec![began(RACE, name), ended(RACE, name, Verdict::Failed(failure))];
    insta::assert_snapshot!(normal(&run(None, vec![file(RACE, events)])));
}

#[test]
fn long_messages_logs_and_stacks_are_cut_and_say_so() {
    let failure = Failure {
        message: (1..=100).map(|n| format!("line {n}\n")).collect(),
        stack: (1..=40).map(|line| site("tests/lua/deep.lua", line)).collect(),
        ..Failure::default()
    };
    let logs = (1..=60).map(|n| log(RACE, Some("a"), &format!("log {n}")));
    let events: Vec<Event> =
        std::iter::once(began(RACE, "a")).chain(logs).chain([ended(RACE, "a", Verdict::Failed(failure))]).collect();
    let text = normal(&run(None, vec![file(RACE, events)]));
    for cut in ["(… 40 more lines: ", "(… 10 lines before)", "(… 30 more callers)"] {
        assert!(text.contains(cut), "{cut} in {text}");
    }
}

#[test]
fn warnings_stand_below_a_test_that_passed() {
    let mut end = ended(RACE, "a", Verdict::Passed);
    if let Event::TestFinished { warnings, .. } = &mut end {
        warnings.push("task main/1 was still running and was cancelled".to_owned());
    }
    let text = normal(&run(None, vec![file(RACE, vec![began(RACE, "a"), end.clone()])]));
    assert!(text.contains("\n       warning: task main/1 was still running and was cancelled\n"), "{text}");
    if let Event::TestFinished { verdict, .. } = &mut end {
        *verdict = Verdict::Failed(Failure::default());
    }
    let text = normal(&run(None, vec![file(RACE, vec![began(RACE, "a"), end])]));
    assert!(text.contains("\n      also:\n        task main/1 was still running and was cancelled\n"), "{text}");
}

#[test]
fn a_run_that_was_stopped_says_why_and_what_is_missing() {
    let mut events = racy();
    if let Some(Event::RunStarted { files, .. }) = events.first_mut() {
        *files = 3;
    }
    if let Some(Event::RunFinished { stopped, .. }) = events.last_mut() {
        *stopped = Some("a test failed (--fail-fast)".to_owned());
    }
    let text = normal(&events);
    let end: Vec<&str> = text.lines().rev().take(3).collect();
    insta::assert_snapshot!(end.into_iter().rev().collect::<Vec<_>>().join("\n"));
}

/// A run with everything in it.
fn mixed() -> Vec<Event> {
    let broken = "tests/lua/<broken>.test.lua";
    let failure = Failure { message: "bad & \"ugly\"\u{1}".to_owned(), ..Failure::default() };
    let mut events = racy();
    let finished = events.pop();
    events.extend(file(broken, vec![Event::FileFailed { file: broken.to_owned(), failure }]));
    events.extend(file("s.test.lua", vec![ended("s.test.lua", "s", Verdict::Skipped("why\nnot".to_owned()))]));
    events.extend(finished);
    events
}

#[test]
fn json_lines() {
    let out = Shared::default();
    feed(&mut JsonLines::new(out.clone()), &mixed());
    let text = out.text();
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("each line is JSON");
    }
    insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn junit() {
    let out = Shared::default();
    feed(&mut Junit::new(out.clone()), &mixed());
    insta::assert_snapshot!(out.text());
}

#[test]
fn a_report_that_cannot_write_does_not_stop_the_others() {
    struct Broken(io::ErrorKind);
    impl Report for Broken {
        fn event(&mut self, _: &Event) -> io::Result<()> {
            Err(self.0.into())
        }
    }
    let out = Shared::default();
    let mut reports = Reports::default();
    reports.add("x.json", Box::new(Broken(io::ErrorKind::StorageFull)));
    reports.add("standard output", Box::new(Broken(io::ErrorKind::BrokenPipe)));
    reports.add("y.json", Box::new(JsonLines::new(out.clone())));
    for event in racy() {
        reports.event(&event);
    }
    assert_eq!(out.text().lines().count(), racy().len());
    assert_eq!(reports.failures(), ["cannot write x.json: no storage space"]);
}
