//! The README's examples: they run, they race, and a race is repeated.

use std::path::Path;
use std::process::Command;

use crate::harness::{Project, Ran, run};

#[test]
fn the_same_seed_is_the_same_run() {
    let project = Project::new(&[("race.test.lua", include_str!("../../examples/race.test.lua"))]);
    let report = |seed: &str| {
        let ran = project.run(&["--report", "json", "--seed", seed]);
        let lines = ran.out.lines().map(|line| {
            let mut line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            line["host_ns"].take();
            line
        });
        lines.collect::<Vec<_>>()
    };
    assert_eq!(report("3"), report("3"));
}

/// The command that a failure prints, given to a shell, fails in the same way.
#[test]
fn a_failure_is_repeated_by_the_command_it_prints() {
    let project = Project::new(&[("it's racy.test.lua", include_str!("../../examples/race.test.lua"))]);
    let failed = (0..200).find_map(|seed: u32| {
        let ran = project.run(&["--seed", &seed.to_string()]);
        (ran.code == Some(1)).then_some(ran)
    });
    let failed = failed.expect("one of 200 schedules loses an increment");
    let command = failed.out.lines().skip_while(|line| line.trim() != "repeat this run:").nth(1);
    let command = command.expect("a command to repeat").trim();
    let again = run(Command::new("sh").args(["-c", command]).current_dir(project.0.path())).exits(1);
    let told = |ran: &Ran| {
        let lines = ran.out.lines().skip_while(|line| !line.starts_with("  FAIL")).skip(1);
        lines.take_while(|line| line.trim() != "repeat this run:").map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(told(&failed), told(&again));
    assert!(told(&again).len() > 5);
}

#[test]
fn the_examples_do_what_they_say() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let project = Project::new(&[]);
    project.run(&[&examples.join("hello.test.lua").to_string_lossy()]).exits(0);
    let race = examples.join("race.test.lua");
    for seed in 0..20 {
        let ran = project.run(&[&race.to_string_lossy(), "-f", "under a lock", "--seed", &seed.to_string()]);
        assert_eq!(ran.exits(0).last_line(), "1 passed, 0 failed");
    }
}

#[test]
fn the_readme_shows_the_example_as_it_is() {
    let readme = include_str!("../../README.md");
    assert!(readme.contains(include_str!("../../examples/hello.test.lua")));
}

#[test]
fn the_main_job_works_from_a_fresh_clone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_provium"));
    let ran = run(command.arg("tests/lua/concurrent_writers.test.lua").current_dir(root)).exits(0);
    assert_eq!(ran.last_line(), "1 passed, 0 failed");
}
