//! What is shown, and where it goes.

use std::fs;

use crate::harness::{FAIL, PASS, Project, run};

#[test]
fn logs_are_shown_when_asked_for_or_when_the_test_fails() {
    let logs = |body: &str| format!("test('x', function(t) t:log('seen') {body} end)\n");
    let project = Project::new(&[("a.test.lua", &logs(""))]);
    project.run(&[]).exits(0).does_not_say("seen");
    project.run(&["-v"]).exits(0).says("| seen");
    project.file("a.test.lua", &logs("t:fail('no')"));
    project.run(&[]).exits(1).says("seen");
}

#[test]
fn quiet_says_only_what_matters() {
    let project = Project::new(&[("a.test.lua", PASS)]);
    assert_eq!(project.run(&["-q"]).exits(0).out, "1 passed, 0 failed\n");
    project.file("b.test.lua", FAIL);
    project.run(&["-q"]).exits(1).says("> 3 |").does_not_say("passes");
}

#[test]
fn colours_are_as_asked_for() {
    let project = Project::new(&[("a.test.lua", PASS)]);
    project.run(&["--color", "auto"]).does_not_say("\x1b[");
    project.run(&["--color", "always"]).says("\x1b[");
    run(project.command(&["--color", "always"]).env("NO_COLOR", "1")).says("\x1b[");
}

#[test]
fn reports_for_tools_go_where_they_are_told() {
    let project = Project::new(&[("a.test.lua", FAIL)]);
    let ran = project.run(&["--report", "json=r.jsonl", "--report", "junit=r.xml"]).exits(1);
    assert_eq!(ran.last_line(), "0 passed, 1 failed");
    let read = |name: &str| fs::read_to_string(project.0.path().join(name)).expect("the report");
    let last: serde_json::Value = serde_json::from_str(read("r.jsonl").lines().last().unwrap_or("")).expect("JSON");
    assert_eq!((&last["event"], &last["failed"]), (&"run_finished".into(), &1.into()));
    assert!(read("r.xml").contains("<failure "));
    let ran = project.run(&["--report", "json"]).exits(1);
    assert!(ran.out.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{}", ran.out);
}

#[test]
fn output_that_nobody_reads_is_no_trouble() {
    let project = Project::new(&[("a.test.lua", FAIL), ("b.test.lua", PASS)]);
    for args in [&[][..], &["list"], &["--report", "json"], &["--help"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let ran = run(project.command(args).stdout(writer));
        assert_eq!(ran.err, "", "{args:?}");
        // The verdict does not depend on who listens.
        assert_eq!(ran.code, Some(i32::from(args.is_empty() || args.contains(&"json"))), "{args:?}");
    }
}

#[test]
fn output_that_cannot_be_written_is_2() {
    let project = Project::new(&[("a.test.lua", PASS)]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    run(project.command(&[]).stdout(full)).exits(2).complains("cannot write standard output: No space left");
}

#[test]
fn a_journal_is_the_same_for_the_same_run() {
    let test = "test('x', function(t)\n    local vm = provium:vm('v', 'linux'):boot()\n\
        vm:write_file('/tmp/x', 'y')\n    t:assert_eq(vm:read_file('/tmp/x'), 'y')\nend)\n";
    let project = Project::new(&[("a.test.lua", test)]);
    let journal = |name: &str, seed: &str| {
        project.run(&["--seed", seed, "--journal", name]).exits(0);
        fs::read_to_string(project.0.path().join(name)).expect("the journal")
    };
    assert_eq!(journal("1", "5"), journal("2", "5"));
    assert!(journal("1", "5").contains("write_file(\"/tmp/x\", \"y\")"));
    project.run(&["--journal", "gone/x"]).exits(2).complains("cannot write `gone/x`");
    let full = project.run(&["--journal", "/dev/full"]).exits(2).complains("cannot write `/dev/full`: No space left");
    assert_eq!(full.last_line(), "1 passed, 0 failed");
}
