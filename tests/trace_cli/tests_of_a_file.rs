//! Files with several tests: each is replayed for itself, and what is said of all of them fits `git bisect run`.

use crate::harness::{Project, Ran};

const FIRST: &str = "\
test('first', function(t)
    local vm = provium:vm('a', 'linux'):boot()
    t:assert_eq(vm:run('echo first').stdout, 'first\\n')
end)
";

const SECOND: &str = "\
test('second', function(t)
    local vm = provium:vm('a', 'linux'):boot()
    local x = math.random()
    t:assert_eq(vm:run('echo ' .. x).stdout, 'no')
end)
";

const THIRD: &str = "\
test('third', function(t)
    local vm = provium:vm('a', 'linux'):boot()
    local x = math.random(1000)
    t:assert_eq(vm:run('echo third ' .. x).stdout, 'third ' .. x .. '\\n')
end)
";

fn recorded() -> (Project, String) {
    let project = Project::new(&[("a.test.lua", &[FIRST, SECOND, THIRD].concat())]);
    let trace = project.record_one();
    (project, trace)
}

#[track_caller]
fn replay(text: &str, code: i32) -> Ran {
    let (project, trace) = recorded();
    project.file("a.test.lua", text);
    project.run(&["replay", &trace]).exits(code)
}

fn mended(text: &str) -> String {
    text.replace("'no'", "x .. '\\n'")
}

#[test]
fn unchanged_it_fails_as_it_did() {
    let ran = replay(&[FIRST, SECOND, THIRD].concat(), 1);
    assert_eq!(ran.last_line(), "2 passed, 1 failed");
    let ran = replay(&[FIRST, &mended(SECOND), THIRD].concat(), 0);
    assert_eq!(ran.last_line(), "3 passed, 0 failed");
}

#[test]
fn one_that_diverges_does_not_keep_the_others_from_it() {
    // What had failed still does: whatever else happens, that is known.
    let ran = replay(&[&FIRST.replace("echo", "printf"), SECOND, THIRD].concat(), 1).says("diverged");
    assert_eq!(ran.last_line(), "1 passed, 2 failed");
    // What had failed is mended, but of another test nothing can be said.
    let ran = replay(&[&FIRST.replace("echo", "printf"), &mended(SECOND), THIRD].concat(), 125).says("diverged");
    assert_eq!(ran.last_line(), "2 passed, 1 failed");
    // Nothing can be said of what had failed.
    let ran = replay(&[FIRST, &SECOND.replace("echo", "printf"), THIRD].concat(), 125).says("diverged");
    assert_eq!(ran.last_line(), "2 passed, 1 failed");
    // Something else fails.
    let ran = replay(&[FIRST, &mended(SECOND), &THIRD.replace("x .. '\\n'", "'no'")].concat(), 1);
    assert_eq!(ran.last_line(), "2 passed, 1 failed");
}

#[test]
fn their_order_does_not_matter() {
    for order in [[THIRD, SECOND, FIRST], [SECOND, FIRST, THIRD], [FIRST, THIRD, SECOND]] {
        let ran = replay(&order.concat(), 1).does_not_say("diverged");
        assert_eq!(ran.last_line(), "2 passed, 1 failed");
        assert_eq!(replay(&mended(&order.concat()), 0).last_line(), "3 passed, 0 failed");
    }
}

#[test]
fn one_that_is_new_is_not_run() {
    let new = FIRST.replace("'first'", "'fourth'").replace("echo", "printf");
    let ran = replay(&[FIRST, &new, SECOND, THIRD].concat(), 1).says("1 test not selected").does_not_say("fourth");
    assert_eq!(ran.last_line(), "2 passed, 1 failed");
}

#[test]
fn one_that_is_gone_is_named() {
    let words = "was recorded, and the file does not have it any more";
    let ran = replay(&[FIRST, THIRD].concat(), 125).says("second").says(words).does_not_say("but not in the recording");
    assert_eq!(ran.last_line(), "2 passed, 1 failed");
    let renamed = SECOND.replace("'second'", "'zweiter'");
    replay(&[FIRST, &renamed, THIRD].concat(), 125).says(words).says("but not in the recording: `zweiter`");
    // What had failed still does.
    replay(&[SECOND, THIRD].concat(), 1).says("first").says(words);
}

#[test]
fn of_a_file_that_cannot_be_loaded_nothing_can_be_said() {
    replay("test('first', function(t)", 125).says("could not be loaded");
    replay(&["error('no')\n", FIRST, SECOND, THIRD].concat(), 125).says("could not be loaded");
}

#[test]
fn of_a_test_that_is_skipped_now_nothing_can_be_said() {
    let skips = SECOND.replace("local vm", "t:skip('later')\n    local vm");
    replay(&[FIRST, &skips, THIRD].concat(), 125);
    let skips = FIRST.replace("local vm", "t:skip('later')\n    local vm");
    replay(&[&skips, SECOND, THIRD].concat(), 1);
}
