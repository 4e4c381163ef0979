//! Traces of runs that did not come to their end, and traces that were cut later.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::harness::{Project, run};

/// Where blocks begin in a trace, the end of the file among them: magic 8, version 2, length 4 and the header, CRC-32C 4;
/// each block has kind 1, number 4, compressed length 4, raw length 4, two CRC-32C of 4, and its payload.
fn boundaries(bytes: &[u8]) -> Vec<usize> {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
    let mut at = 14 + number(10) + 4;
    let mut found = vec![at];
    while at < bytes.len() {
        at += 21 + number(at + 5);
        found.push(at);
    }
    assert_eq!(*found.last().expect("one"), bytes.len());
    found
}

/// Numbers that are the same each time.
fn scattered(count: usize, below: usize) -> impl Iterator<Item = usize> {
    let mut state = 0x9e37_79b9_u64;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    })
    .take(count)
}

/// Replays a trace of which the end is missing, to the end that is there and to that of its tests.
fn replays_what_is_there(project: &Project, trace: &str, what: &str) {
    let ran = project.run(&["replay", "--script", "recorded", "--at-end", "stop", trace]);
    if ran.out.contains("the trace does not hold it") {
        // It was cut before the script, or before what the script requires.
        assert_eq!(ran.code, Some(125), "{what}: {}", ran.out);
        return;
    }
    assert!(matches!(ran.code, Some(0 | 1)), "{what}: {:?}\n{}{}", ran.code, ran.out, ran.err);
    assert!(ran.err.contains("is torn"), "{what}: {}", ran.err);
    assert!(!ran.out.contains("diverged"), "{what}:\n{}", ran.out);
    let ran = project.run(&["replay", "--script", "recorded", trace]);
    assert!(!ran.out.contains("diverged"), "{what}:\n{}", ran.out);
    // Where the cut is behind the last exchange, or between two tests, nothing is asked of what is missing.
    if ran.code == Some(125) {
        assert!(ran.out.contains("--at-end stop"), "{what}:\n{}", ran.out);
    }
}

/// Checks a trace of which the end is missing: whether it has a header.
fn opens(project: &Project, trace: &str, what: &str) -> bool {
    let ran = project.run(&["trace", "check", trace]);
    let all = [ran.out.as_str(), &ran.err].concat();
    if ran.code == Some(0) {
        assert!(all.contains("OK"), "{what}: {all}");
    } else {
        assert!(all.contains("torn"), "{what}: {:?} {all}", ran.code);
    }
    !all.contains("header")
}

#[test]
fn a_trace_cut_anywhere_replays_what_is_there() {
    let root = env!("CARGO_MANIFEST_DIR");
    for name in ["worker.test.lua", "stream.test.lua"] {
        let text = fs::read_to_string(format!("{root}/tests/lua/{name}")).expect("a test of the suite");
        let support = fs::read_to_string(format!("{root}/tests/lua/support.lua")).expect("what they share");
        let config = fs::read_to_string(format!("{root}/provium.toml")).expect("the settings");
        let config: String =
            config.lines().filter(|line| !line.starts_with("roots")).map(|line| format!("{line}\n")).collect();
        let project = Project::new(&[(name, &text), ("support.lua", &support), ("provium.toml", &config)]);
        let trace = project.record(&["--seed", "3"]).remove(0);
        let bytes = fs::read(project.0.path().join(&trace)).expect("the trace");
        let blocks = boundaries(&bytes);
        let first = blocks[0];
        let middle = scattered(15, bytes.len() - first).map(|at| first + at);
        for cut in blocks.iter().copied().chain(middle).filter(|cut| *cut < bytes.len()) {
            fs::write(project.0.path().join("cut.trace"), &bytes[..cut]).expect("a file");
            let what = format!("{name} cut at {cut} of {}", bytes.len());
            assert!(opens(&project, "cut.trace", &what), "{what}");
            replays_what_is_there(&project, "cut.trace", &what);
        }
        // Without its header nothing can be replayed, and no run was judged.
        for cut in scattered(10, first) {
            fs::write(project.0.path().join("cut.trace"), &bytes[..cut]).expect("a file");
            project.run(&["replay", "cut.trace"]).exits(125).complains("cut.trace");
        }
    }
}

#[test]
fn the_tests_before_the_cut_are_judged() {
    let body = "local vm = provium:vm('a', 'linux'):boot()\n    for i = 1, 60 do vm:run('echo ' .. math.random()) end";
    let text: String = (1..=6).map(|number| format!("test('{number}', function(t)\n    {body}\nend)\n")).collect();
    let project = Project::new(&[("a.test.lua", &text)]);
    let trace = project.record_one();
    let bytes = fs::read(project.0.path().join(&trace)).expect("the trace");
    // Each of these tests has enough for a block.
    let blocks = boundaries(&bytes);
    assert!(blocks.len() >= 8, "{blocks:?}");
    let cut = blocks[blocks.len() - 4] - 1;
    fs::write(project.0.path().join("cut.trace"), &bytes[..cut]).expect("a file");
    let ran = project.run(&["replay", "cut.trace"]).complains("torn");
    let passed = ran.out.lines().filter(|line| line.trim().starts_with("pass")).count();
    assert!(passed >= 3, "{}", ran.out);
}

/// How often a run is killed while it records.
const KILLS: u64 = 100;

#[test]
fn a_run_that_is_killed_leaves_a_trace_that_replays() {
    let body = "local vm = provium:vm('a', 'linux'):boot()\n    for i = 1, 60 do vm:run('echo ' .. math.random()) end";
    let text: String = (1..=6).map(|number| format!("test('{number}', function(t)\n    {body}\nend)\n")).collect();
    let project = Project::new(&[("a.test.lua", &text)]);
    let whole = Instant::now();
    project.run(&["--record", "always", "--traces", "whole"]).exits(0);
    let whole = whole.elapsed();
    let (mut torn, mut none) = (0, 0);
    for (kill, part) in (0..KILLS).zip(scattered(usize::MAX, 1_000)) {
        let traces = format!("t{kill}");
        let mut command = project.command(&["--record", "always", "--traces", &traces]);
        let mut child = command.stdout(Stdio::null()).spawn().expect("the command starts");
        std::thread::sleep(whole * u32::try_from(part).expect("small") / 1_000);
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");
        let Some(path) = project.below(&traces).into_iter().next() else {
            none += 1;
            continue;
        };
        let trace = format!("{traces}/a.test.lua/{}", path.file_name().and_then(|name| name.to_str()).expect("a name"));
        let what = format!("killed after {part} ‰");
        if fs::metadata(&path).expect("there").len() == 0 || !opens(&project, &trace, &what) {
            // Killed between making the file and writing its header.
            none += 1;
            continue;
        }
        let ran = project.run(&["replay", "--script", "recorded", "--at-end", "stop", &trace]);
        if ran.out.contains("the trace does not hold it") {
            // Killed between its header and its first block.
            none += 1;
            continue;
        }
        let ran = ran.exits(0);
        torn += u64::from(ran.err.contains("torn"));
        assert!(!ran.out.contains("diverged"), "{what}:\n{}", ran.out);
    }
    assert!(none < KILLS / 2 && torn > KILLS / 4, "{none} left nothing, {torn} left a torn trace");
}

#[test]
fn patience_is_not_needed_for_what_is_no_trace() {
    let project = Project::new(&[("empty.trace", ""), ("text.trace", "not a trace at all, but some words\n")]);
    let begun = Instant::now();
    for trace in ["empty.trace", "text.trace", "missing.trace", "."] {
        let ran = run(&mut project.command(&["replay", trace])).exits(125);
        assert!(ran.err.contains(&format!("`{trace}` cannot be replayed")), "{}", ran.err);
    }
    assert!(begun.elapsed() < Duration::from_secs(30));
}
