//! What is asked for, and what is refused.

use std::fs;

use crate::harness::{FAIL, PASS, Project, run};

/// Three tests: tags, more tags, slow.
const THREE: &str = "test('one', {tags = 'net'}, function(t) end)\n\
    test('two', {tags = {'fs', 'net'}}, function(t) end)\n\
    test('three', {slow = true}, function(t) end)\n";

#[test]
fn a_path_must_lead_to_tests() {
    let project = Project::new(&[("a.test.lua", PASS), ("d/x.lua", "")]);
    project.run(&["gone"]).exits(2).complains("`gone` cannot be read: No such file");
    project.run(&["d"]).exits(2).complains("no tests in `d`");
    project.run(&["d/x.lua"]).exits(2).complains("`d/x.lua` is not a test file");
    project.run(&["a.test.lua", "a.test.lua", "."]).exits(0).says("1 passed, 0 failed");
    Project::new(&[]).run(&[]).exits(2).complains("no tests in");
    Project::new(&[("a.test.lua", "-- none\n")]).run(&[]).exits(2).complains("no test is registered");
}

#[test]
fn bad_arguments_are_2_and_named() {
    let project = Project::new(&[("a.test.lua", PASS)]);
    for (args, complaint) in [
        (&["--nosuch"][..], "--nosuch"),
        (&["--seed", "x"], "'x' for '--seed"),
        (&["--seed", "-1"], "--seed"),
        (&["--timeout", "soon"], "invalid duration `soon`"),
        (&["--backend", "replay"], "recorded guests are driven by `provium replay TRACE`"),
        (&["--backend", "xen"], "there is no backend `xen`; there are: sim, qemu"),
        (&["--cold-boot"], "`--cold-boot` is for real guests: add `--backend qemu`, or leave it out"),
        (&["--tag", ""], "the tag is empty"),
        (&["lst"], "tip: there is no subcommand `lst` either"),
        (&["-q", "list"], "tip: a subcommand comes first"),
        (&["--filter", "/(/"], "invalid filter `/(/`"),
        (&["--report", "html"], "terminal, json or junit"),
        (&["--report", "json", "--report", "terminal"], "only one report can go to standard output"),
        (&["--report", "json=gone/x.json"], "cannot write `gone/x.json`"),
        (&["-v", "-q"], "cannot be used with"),
        (&["list", "--seed", "1"], "--seed"),
    ] {
        project.run(args).exits(2).complains(complaint);
    }
}

#[test]
fn a_broken_project_file_is_2_and_shows_the_place() {
    let project =
        Project::new(&[("provium.toml", "roots = ['t']\n[profiles.x]\nmemroy = 1\n"), ("t/a.test.lua", PASS)]);
    project.run(&[]).exits(2).complains("provium.toml:3:1: unknown key `memroy`").complains("  3 | memroy = 1");
    project.file("provium.toml", "roots = ['gone']\n");
    project.run(&[]).exits(2).complains("of provium.toml cannot be read");
    fs::write(project.0.path().join("provium.toml"), b"\xff").expect("a file");
    project.run(&["t"]).exits(2).complains("line 1 is not UTF-8");
}

#[test]
fn the_project_file_is_found_upward_and_names_are_relative_to_it() {
    let project = Project::new(&[("provium.toml", "roots = ['t']\n"), ("t/d/a.test.lua", FAIL), ("b.test.lua", PASS)]);
    project.run(&[]).exits(1).says("\nt/d/a.test.lua\n").does_not_say("b.test.lua");
    let ran = run(project.command(&["a.test.lua"]).current_dir(project.0.path().join("t/d"))).exits(1);
    ran.says("\nt/d/a.test.lua\n").says(" a.test.lua --filter '/^t/d/a\\.test\\.lua: fails$/'");
}

#[test]
fn filters_and_tags_choose() {
    let project = Project::new(&[("a.test.lua", THREE), ("b.test.lua", PASS)]);
    let last = |args: &[&str]| project.run(args).exits(0).last_line().to_owned();
    assert_eq!(last(&[]), "3 passed, 0 failed, 1 skipped");
    assert_eq!(last(&["--include-slow"]), "4 passed, 0 failed");
    assert_eq!(last(&["--filter", "a.test.lua: t"]), "1 passed, 0 failed, 1 skipped");
    assert_eq!(last(&["-f", "/: (one|passes)$/"]), "2 passed, 0 failed");
    assert_eq!(last(&["--tag", "fs"]), "1 passed, 0 failed");
    assert_eq!(last(&["--tag", "net", "--no-tag", "fs"]), "1 passed, 0 failed");
    assert_eq!(last(&["-f", "one", "-f", "passes"]), "2 passed, 0 failed");
    project.run(&["--filter", "nothing"]).exits(2).complains("no test matches: --filter=nothing (4 tests in 2 files");
    project.run(&["--tag", "nothing"]).exits(2).complains("--tag=nothing");
}

#[test]
fn list_says_what_there_is() {
    let project = Project::new(&[("a.test.lua", THREE), ("b.test.lua", "test('s', {skip = 'why'}, function() end)\n")]);
    let ran = project.run(&["list"]).exits(0);
    assert_eq!(
        ran.out,
        "a.test.lua: one  [net]\na.test.lua: two  [fs, net]\n\
         a.test.lua: three  (skip: slow: run with --include-slow)\nb.test.lua: s  (skip: why)\n"
    );
    let ran = project.run(&["list", "--json", "--tag", "fs"]).exits(0);
    let line: serde_json::Value = serde_json::from_str(&ran.out).expect("one JSON object");
    assert_eq!((&line["test"], &line["tags"][1], &line["line"]), (&"two".into(), &"net".into(), &2.into()));
    project.file("c.test.lua", "syntax error\n");
    project.run(&["list"]).exits(2).says("a.test.lua: one").complains("c.test.lua could not be loaded");
    project.run(&["list", "-f", "nothing", "a.test.lua"]).exits(2).complains("no test matches");
}
