//! What people look at traces with, on traces of real runs.

#[path = "common/library.rs"]
mod library;
#[path = "common/recorded.rs"]
mod recorded;
#[path = "common/simulated.rs"]
mod simulated;

use std::path::Path;
use std::process::{Command, Output};

use library::files;
use provium::report::style::Paint;
use provium::runner::file::FileToRun;
use provium::trace::format::TraceWriter;
use provium::trace::record::{Header, Record};
use provium::trace::show::table::Look;
use provium::trace::show::{Selected, json, table};
use provium::trace::timeline::Timeline;

/// Runs a file in the simulator and records it.
fn record(file: &FileToRun, seed: Option<u64>) -> (Header, Vec<Record>) {
    let (header, records, _) = simulated::record(file, seed);
    let strategy = if seed.is_some() { "random" } else { "fifo" };
    let header = Header { writer: "provium".into(), file: file.name.clone(), strategy: strategy.into(), ..header };
    (header, records)
}

fn write(path: &Path, (header, records): &(Header, Vec<Record>)) {
    let mut bytes = Vec::new();
    let mut writer = TraceWriter::new(&mut bytes, header).expect("memory takes everything");
    records.iter().for_each(|record| writer.record(record).expect("memory takes everything"));
    writer.finish().expect("memory takes everything");
    std::fs::write(path, bytes).expect("the directory takes everything");
}

fn provium(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_provium")).args(args).output().expect("the command runs")
}

#[test]
fn every_run_of_the_suite_can_be_looked_at() {
    let mut exchanges = 0;
    for file in files("tests/lua").iter().chain(&files("tests/lua-failing")) {
        let (header, records) = record(file, Some(1));
        let timeline = Timeline::new(header, records).unwrap_or_else(|error| panic!("{}: {error}", file.name));
        exchanges += timeline.exchanges.len();
        let (mut shown, mut lines) = (Vec::new(), Vec::new());
        let look = Look { paint: Paint { colour: false }, columns: Some(120), full: false };
        table::write(&mut shown, &timeline, &Selected::default(), &look).expect("memory takes everything");
        let shown = String::from_utf8(shown).expect("a table is text");
        for test in &timeline.tests {
            assert!(shown.contains(&test.name), "{}: {} is missing", file.name, test.name);
        }
        json::write(&mut lines, &timeline, &Selected::default()).expect("memory takes everything");
        let of_exchanges = String::from_utf8(lines).expect("JSON is text");
        let lines = of_exchanges.lines().filter(|line| line.contains("\"type\":\"exchange\"")).count();
        assert!(lines >= timeline.exchanges.len(), "{}", file.name);
    }
    assert!(exchanges > 1_000, "only {exchanges}");
}

#[test]
fn the_command_looks_at_traces() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    let races = files("tests/lua-races");
    let race = races.iter().find(|file| file.name.ends_with("lost_update.test.lua")).expect("the race is there");
    write(Path::new(&path("a.trace")), &record(race, None));
    write(Path::new(&path("b.trace")), &record(race, Some(3)));
    let ran = |args: &[&str], code: i32| {
        let output = provium(args);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}\n{err}");
        assert!(!err.contains("panicked"), "{err}");
        (out, err)
    };
    let (a, b) = (path("a.trace"), path("b.trace"));

    let (out, _) = ran(&["trace", "show", &a, "--test", "right", "--grep", "/flock .*lock/"], 0);
    assert!(out.contains("test right") && out.contains("run_async(\"flock") && !out.contains("test wrong"), "{out}");
    let (out, _) = ran(&["trace", "show", &a, "--json", "--vm", "v/worker2"], 0);
    assert!(out.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{out}");
    assert!(out.contains("\"worker\":\"worker2\"") && !out.contains("\"worker\":\"worker1\""), "{out}");
    ran(&["trace", "show", &a, "--grep", "/(/"], 2);
    ran(&["trace", "show", &path("nothing.trace")], 2);

    let (out, _) = ran(&["trace", "diff", &a, &a], 0);
    assert!(out.contains("say the same"), "{out}");
    let (out, _) = ran(&["trace", "diff", &a, &b], 1);
    assert!(out.contains("  A  ") && out.contains("  B  ") && out.contains("provium trace show"), "{out}");
    assert!(out.lines().count() <= 25, "{out}");
    ran(&["trace", "diff", &a, &path("nothing.trace")], 2);

    ran(&["trace", "export", "--html", &b, "-o", &path("b.html")], 0);
    let page = std::fs::read_to_string(path("b.html")).expect("the page was written");
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    let (out, _) = ran(&["trace", "export", "--perfetto", &b], 0);
    let events: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    assert!(events["traceEvents"].as_array().is_some_and(|events| events.len() > 50), "{out}");
    ran(&["trace", "export", &b], 2);
    ran(&["trace", "export", "--html", "--perfetto", &b], 2);

    // A torn trace is shown as far as it goes; of a damaged one too, but not for good.
    let whole = std::fs::read(&b).expect("the trace was written");
    std::fs::write(path("torn.trace"), &whole[..whole.len() - 30]).expect("the directory takes everything");
    ran(&["trace", "show", &path("torn.trace")], 0);
    let mut damaged = whole.clone();
    let at = damaged.len() - 60;
    damaged[at] ^= 1;
    std::fs::write(path("damaged.trace"), damaged).expect("the directory takes everything");
    let (_, err) = ran(&["trace", "show", &path("damaged.trace")], 2);
    assert!(err.contains("damaged"), "{err}");
}
