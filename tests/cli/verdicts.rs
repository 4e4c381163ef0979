//! What became of the tests, and the exit code that says so.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use crate::harness::{FAIL, PASS, Project};

#[test]
fn all_passed_is_0() {
    let ran = Project::new(&[("a.test.lua", PASS), ("d/b.test.lua", PASS)]).run(&[]).exits(0);
    assert_eq!(ran.last_line(), "2 passed, 0 failed");
}

#[test]
fn a_failed_test_is_1_and_shows_what_and_where() {
    let project = Project::new(&[("a.test.lua", FAIL), ("b.test.lua", PASS)]);
    let ran = project.run(&[]).exits(1).says("FAIL").says("a.test.lua:3").says("> 3 |     t:assert_eq(x, 2)");
    assert_eq!(ran.last_line(), "1 passed, 1 failed");
}

#[test]
fn a_file_that_cannot_be_loaded_is_2_and_the_rest_runs() {
    let project = Project::new(&[("a.test.lua", "test('x', function(t)\n"), ("b.test.lua", PASS)]);
    let ran = project.run(&[]).exits(2).says("could not be loaded").says("a.test.lua").says("1 file could not");
    assert_eq!(ran.last_line(), "1 passed, 0 failed");
    project.file("c.test.lua", FAIL);
    assert_eq!(project.run(&[]).exits(1).last_line(), "1 passed, 1 failed");
}

#[test]
fn an_error_at_the_top_level_is_a_file_that_cannot_be_loaded() {
    let project = Project::new(&[("a.test.lua", "local x = nil\nx.y = 1\n")]);
    project.run(&[]).exits(2).says("a.test.lua:2").says("> 2 | x.y = 1");
    let project = Project::new(&[("a.test.lua", "test('x', function() end)\ntest('x', function() end)\n")]);
    project.run(&[]).exits(2).says("duplicate name");
}

#[test]
fn a_profile_that_does_not_exist_is_named_with_those_that_do() {
    let project = Project::new(&[("a.test.lua", "test('x', function(t) provium:vm('v', 'nosuch'):boot() end)\n")]);
    project.run(&[]).exits(1).says("nosuch").says("linux");
}

#[test]
fn fail_fast_stops_after_the_first_failure() {
    let more = format!("{FAIL}{PASS}");
    let project = Project::new(&[("a.test.lua", &more), ("b.test.lua", PASS)]);
    let ran = project.run(&["--fail-fast"]).exits(1).says("stopped: a test failed").says("1 file not run");
    assert_eq!(ran.last_line(), "0 passed, 1 failed");
}

#[test]
fn strange_files_are_no_trouble() {
    let project = Project::new(&[("a.test.lua", PASS)]);
    let dir = project.0.path();
    symlink(".", dir.join("loop")).expect("a link");
    symlink("gone", dir.join("dangling.test.lua")).expect("a link");
    fs::write(dir.join(OsStr::from_bytes(b"\xff.test.lua")), PASS).expect("a file");
    fs::write(dir.join("bytes.test.lua"), b"test('\xff\xfe', function(t) end)\n").expect("a file");
    let ran = project.run(&[]).exits(2);
    let ran = ran.says("not UTF-8").says("dangling.test.lua").says("3 files could not be loaded");
    assert_eq!(ran.last_line(), "1 passed, 0 failed");
}
