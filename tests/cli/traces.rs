//! `provium trace check` and `provium trace stat`: what they say of good and bad files, and by which exit code.

use std::fs;
use std::path::PathBuf;

use crate::harness::{FAIL, PASS, Project};

/// A project with a trace of a run, and where that trace is.
fn recorded() -> (Project, PathBuf) {
    let project = Project::new(&[("a.test.lua", PASS), ("b.test.lua", FAIL)]);
    project.run(&["--record", "always", "--traces", "traces"]).exits(1);
    let trace = project.0.path().join("traces/b.test.lua/fifo-1.trace");
    assert!(trace.exists(), "{} is there", trace.display());
    (project, trace)
}

#[test]
fn a_sound_trace_is_good() {
    let (project, trace) = recorded();
    let both = ["traces/a.test.lua/fifo-1.trace", "traces/b.test.lua/fifo-1.trace"];
    project.run(&["trace", "check", both[0], both[1]]).exits(0).says("a.test.lua/fifo-1.trace: OK, ").says(" records");
    let quiet = project.run(&["trace", "check", "--quiet", both[0]]).exits(0);
    assert_eq!(quiet.out, "");
    let size = fs::metadata(&trace).expect("a file").len();
    project
        .run(&["trace", "stat", both[0], both[1]])
        .exits(0)
        .says(&format!("  bytes      {size} in "))
        .says(" of blocks' heads, ")
        .says("  tests      1: 1 passed, 0 failed, 0 skipped")
        .says("  tests      1: 0 passed, 1 failed, 0 skipped")
        .says("  end        complete");
}

#[test]
fn a_torn_trace_says_where_it_ends() {
    let (project, trace) = recorded();
    let bytes = fs::read(&trace).expect("a file");
    fs::write(&trace, &bytes[..bytes.len() - 10]).expect("a file");
    let path = "traces/b.test.lua/fifo-1.trace";
    project.run(&["trace", "check", path]).exits(1).says("torn: it ends at byte ").says("after the end of the file");
    project
        .run(&["trace", "stat", path])
        .exits(0)
        .says("  end        torn: 35 bytes of a block and 0 of a record are cut off");
}

#[test]
fn a_damaged_trace_says_where() {
    let (project, trace) = recorded();
    let mut bytes = fs::read(&trace).expect("a file");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&trace, &bytes).expect("a file");
    let path = "traces/b.test.lua/fifo-1.trace";
    project.run(&["trace", "check", path]).exits(1).says("damaged in block ").says("its content does not fit");
    project.run(&["trace", "stat", path]).exits(2).complains("only what stands before is counted");
}

#[test]
fn what_is_no_trace_is_said_and_the_others_are_still_checked() {
    let (project, _) = recorded();
    let good = "traces/a.test.lua/fifo-1.trace";
    for command in ["check", "stat"] {
        project
            .run(&["trace", command, "a.test.lua", "nowhere.trace", good])
            .exits(2)
            .complains("a.test.lua: this is not a trace")
            .complains("nowhere.trace: the trace cannot be read: ")
            .says("traces/a.test.lua/fifo-1.trace");
    }
    project.run(&["trace", "check"]).exits(2).complains("<FILE>");
}
