//! What is recorded, where, and that recording never matters to the tests.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::harness::{FAIL, PASS, Project, Ran, run};

/// A test that asks much of a guest, and fails.
const TALKS: &str = "\
test('talks', function(t)
    local vm = provium:vm('a', 'linux'):boot()
    for i = 1, 40 do
        vm:run('echo ' .. string.rep(tostring(math.random()), 40))
    end
    t:assert_eq(vm:run('echo 1').stdout, '2')
end)
test('is well', function(t)
    t:assert_eq(provium:vm('a', 'linux'):boot():run('echo 1').stdout, '1\\n')
end)
";

/// The reports, times of the host aside.
fn same_anywhere(ran: &Ran) -> String {
    let lines = ran.out.lines().filter(|line| !line.contains("replay ") && !line.contains(" in "));
    let lines = lines.map(|line| {
        let mut value: serde_json::Value = match serde_json::from_str(line) {
            Ok(value) => value,
            Err(_) => return line.to_owned(),
        };
        if let Some(object) = value.as_object_mut() {
            object.retain(|key, _| !key.starts_with("host"));
        }
        value.to_string()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn only_failures_are_kept() {
    let project = Project::new(&[("a.test.lua", PASS), ("d/b.test.lua", FAIL), ("e/c.test.lua", PASS)]);
    project.run(&[]).exits(1);
    let traces = project.0.path().join("traces");
    assert_eq!(project.below("traces"), [traces.join("d/b.test.lua/fifo-1.trace")]);
    assert_eq!(fs::read_dir(&traces).expect("there").count(), 1, "no directories are left behind");
    project.run(&["--seed", "7"]).exits(1);
    project.run(&[]).exits(1);
    let names = ["fifo-1.trace", "fifo-2.trace", "seed-7-1.trace"];
    assert_eq!(project.below("traces"), names.map(|name| traces.join("d/b.test.lua").join(name)));
    // Directories that are named like test files are none.
    project.run(&["list"]).exits(0);
    // Nothing is left where nothing failed.
    let project = Project::new(&[("a.test.lua", PASS)]);
    project.run(&[]).exits(0);
    assert!(!project.0.path().join("traces").exists());
}

#[test]
fn a_file_that_cannot_be_loaded_is_kept_too() {
    let project = Project::new(&[("a.test.lua", "provium:vm('a', 'linux'):boot():run('true')\nerror('no')\n")]);
    let ran = project.run(&[]).exits(2);
    assert_eq!(project.below("traces").len(), 1);
    let again = project.run(&["replay", "traces/a.test.lua/fifo-1.trace"]).exits(1).says("no");
    assert_eq!(message(&ran, "could not be loaded"), message(&again, "could not be loaded"));
}

#[test]
fn all_or_none_can_be_kept_anywhere() {
    let project = Project::new(&[("a.test.lua", PASS), ("b.test.lua", FAIL)]);
    project.run(&["--record", "never"]).exits(1).does_not_say("replay");
    assert!(!project.0.path().join("traces").exists());
    project.run(&["--record", "always", "--traces", "kept/here"]).exits(1).says("replay kept/here/b.test.lua/fifo-1");
    assert_eq!(project.below("kept").len(), 2);
    assert!(!project.0.path().join("traces").exists());
    // With a report of passing tests alone there is nothing to repeat.
    project.run(&["--record", "always", "a.test.lua"]).exits(0).does_not_say("replay");
}

/// The command that stands last in a failure.
fn replay_command(ran: &Ran) -> &str {
    let mut lines = ran.out.lines();
    lines.find(|line| line.contains("replay its recording:")).expect("it says so");
    lines.next().expect("the command").trim()
}

/// What is shown of a failure, its commands aside.
fn message(ran: &Ran, from: &str) -> Vec<String> {
    let lines = ran.out.lines().skip_while(|line| !line.contains(from)).skip(1);
    lines.take_while(|line| !line.contains("repeat") && !line.contains("replay")).map(str::to_owned).collect()
}

#[test]
fn the_last_line_of_a_failure_replays_it() {
    for name in ["a.test.lua", "it's a dir/ü & $x.test.lua", "-x.test.lua"] {
        let project = Project::new(&[(name, TALKS)]);
        let ran = project.run(&["--seed", "3"]).exits(1);
        let command = replay_command(&ran);
        assert!(command.contains(" replay "), "{command}");
        let again = run(Command::new("sh").args(["-c", command]).current_dir(project.0.path())).exits(1);
        assert_eq!(message(&ran, "FAIL"), message(&again, "FAIL"), "{}", again.out);
        assert_eq!(ran.last_line(), again.last_line());
    }
}

#[test]
fn the_command_works_from_where_it_was_called() {
    let project = Project::new(&[("provium.toml", ""), ("tests/a.test.lua", TALKS)]);
    let ran = run(project.command(&["a.test.lua"]).current_dir(project.0.path().join("tests"))).exits(1);
    let command = replay_command(&ran);
    let again = run(Command::new("sh").args(["-c", command]).current_dir(project.0.path().join("tests"))).exits(1);
    assert_eq!(message(&ran, "FAIL"), message(&again, "FAIL"), "{}", again.out);
}

#[test]
fn recording_changes_nothing() {
    let project = Project::new(&[("a.test.lua", TALKS), ("b.test.lua", FAIL), ("c.test.lua", PASS)]);
    for report in ["terminal", "json", "junit"] {
        for seed in ["1", "2"] {
            let args = |record| ["--report", report, "--seed", seed, "--record", record, "--verbose"];
            let [never, always, failed] = ["never", "always", "failed"].map(|record| {
                let ran = project.run(&args(record)).exits(1);
                assert_eq!(ran.err, "");
                same_anywhere(&ran)
            });
            if report == "json" {
                let without = |text: &str| -> Vec<String> {
                    text.lines().filter(|line| !line.contains("\"recording\"")).map(str::to_owned).collect()
                };
                assert_eq!(without(&never), without(&always));
                assert_eq!(without(&never), without(&failed));
            } else if report == "terminal" {
                assert_eq!(times_aside(&never), times_aside(&always));
            }
        }
    }
}

/// Lines of tests without what they took.
fn times_aside(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let words = line.split_whitespace();
        words.filter(|word| !word.ends_with('s') || !word.starts_with(|c: char| c.is_ascii_digit())).collect::<Vec<_>>()
    });
    lines.filter(|line| !line.is_empty() && !line.contains(&"recording:")).map(|line| line.join(" ") + "\n").collect()
}

/// Runs with no place for traces: one warning, and nothing else is different.
#[track_caller]
fn goes_on(project: &Project, ran: Ran, words: &str) {
    let plain = project.run(&["--record", "never"]).exits(1);
    let warnings: Vec<&str> = ran.err.lines().collect();
    assert_eq!(warnings.len(), 1, "{}", ran.err);
    assert!(ran.err.starts_with("warning: ") && ran.err.contains(words), "{}", ran.err);
    assert_eq!(ran.code, plain.code);
    assert_eq!(ran.last_line(), plain.last_line());
}

#[test]
fn a_file_in_the_way_is_a_warning() {
    let project = Project::new(&[("a.test.lua", TALKS), ("b.test.lua", FAIL), ("traces", "no directory")]);
    let ran = project.run(&[]);
    goes_on(&project, ran, "`a.test.lua` is not recorded");
}

#[test]
fn a_directory_that_cannot_be_written_is_a_warning() {
    let project = Project::new(&[("a.test.lua", TALKS), ("b.test.lua", FAIL)]);
    // Root may write anywhere but there.
    let ran = project.run(&["--traces", "/proc/nowhere"]);
    goes_on(&project, ran, "/proc/nowhere");
    let closed = project.0.path().join("closed");
    fs::create_dir(&closed).expect("a directory");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).expect("its mode");
    if fs::write(closed.join("probe"), "").is_err() {
        let ran = project.run(&["--traces", "closed"]);
        goes_on(&project, ran, "closed");
    }
}

/// Runs with files that may only grow so large, in blocks of 512 bytes.
fn limited(project: &Project, blocks: u32, args: &[&str]) -> Ran {
    let mut command = Command::new("sh");
    let script = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
    run(command.args(["-c", &script, env!("CARGO_BIN_EXE_provium")]).args(args).current_dir(project.0.path()))
}

#[test]
fn a_full_disk_is_a_warning() {
    let project = Project::new(&[("a.test.lua", TALKS)]);
    // Not even the header fits, or nothing but it does.
    for blocks in [0, 1] {
        let ran = limited(&project, blocks, &["--record", "always"]);
        goes_on(&project, ran, "");
    }
    let project = Project::new(&[("a.test.lua", PASS)]);
    let ran = limited(&project, 0, &[]).exits(0);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(!project.0.path().join("traces").exists());
}

#[test]
fn what_fitted_on_a_full_disk_is_replayed() {
    let project = Project::new(&[("a.test.lua", &TALKS.replace("40 do", "1000 do"))]);
    let ran = limited(&project, 24, &["--record", "always"]);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    let trace = "traces/a.test.lua/fifo-1.trace";
    assert!(ran.err.contains(trace), "{}", ran.err);
    project.run(&["trace", "check", trace]).says("torn");
    let ran = project.run(&["replay", "--at-end", "stop", trace]).exits(0).complains("torn");
    assert!(ran.out.contains("the trace ends here"), "{}", ran.out);
    project.run(&["replay", trace]).exits(125).says("--at-end stop");
}

#[test]
fn verifying_finds_nothing_and_leaves_nothing() {
    let project = Project::new(&[("a.test.lua", TALKS), ("b.test.lua", PASS)]);
    for record in ["never", "failed", "always"] {
        let ran = project.run(&["--verify", "--record", record, "--seed", "5"]).exits(1);
        assert_eq!(ran.err, "");
        let kept = project.below("traces").len();
        assert_eq!(kept, ["never", "failed", "always"].iter().position(|word| *word == record).expect("one"));
        fs::remove_dir_all(project.0.path().join("traces")).ok();
    }
}

#[test]
fn options_of_traces_that_are_not_kept_are_refused() {
    let project = Project::new(&[("a.test.lua", PASS)]);
    for option in [["--traces", "elsewhere"], ["--redact", "secret"]] {
        let ran = project.run(&[&["--record", "never"], &option[..]].concat()).exits(2);
        ran.complains(option[0]).complains("--record never");
    }
    // Until it was replayed there is one.
    project.run(&["--record", "never", "--verify", "--traces", "elsewhere"]).exits(0);
}

#[test]
fn nothing_in_a_trace_depends_on_what_was_left_out() {
    // A digest would: short secrets are soon guessed by it.
    let trace = |secret: &str| {
        let test = format!("local secret = 'pin-{secret}'\n{FAIL}");
        let project = Project::new(&[("a.test.lua", &test)]);
        project.run(&["--redact", "pin-[0-9]+"]).exits(1);
        fs::read(project.0.path().join("traces/a.test.lua/fifo-1.trace")).expect("it was kept")
    };
    assert_eq!(trace("1234"), trace("5678"));
    assert_ne!(trace("1234"), trace("12345"), "the length is left");
}

#[test]
fn a_part_of_a_file_verifies() {
    let project = Project::new(&[("a.test.lua", &[TALKS, PASS].concat()), ("b.test.lua", FAIL)]);
    for args in [&["--fail-fast"][..], &["--filter", "well"], &["--filter", "passes", "--seed", "2"]] {
        let ran = project.run(&[&["--verify", "--record", "never"], args].concat());
        assert_eq!(ran.err, "", "{args:?}");
    }
}

#[test]
fn what_cannot_be_verified_is_not_passed_over() {
    let project = Project::new(&[("a.test.lua", &TALKS.replace("'2'", "'1\\n'"))]);
    let words = "`a.test.lua` could not be verified";
    project.run(&["--verify", "--traces", "/proc/nowhere"]).exits(2).complains(words);
    limited(&project, 1, &["--verify"]).exits(2).complains(words);
    project.run(&["--verify"]).exits(0);
}

#[test]
fn the_conformance_suite_verifies() {
    let traces = tempfile::tempdir().expect("a directory");
    let traces = traces.path().join("new");
    let mut command = Command::new(env!("CARGO_BIN_EXE_provium"));
    command.args(["--verify", "--quiet", "--traces"]).arg(&traces).args(["tests/lua", "examples"]);
    let ran = run(command.current_dir(env!("CARGO_MANIFEST_DIR"))).exits(0);
    assert_eq!(ran.err, "");
    assert!(!traces.exists(), "passing runs leave nothing");
}
