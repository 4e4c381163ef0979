//! Scripts that are edited after they were recorded: what asks something else is named exactly, what does not replays.

use crate::harness::{Project, Ran};

/// Lines that each make one exchange, in any order and number.
const CALLS: [&str; 5] = [
    "vm:run('echo 1')",
    "vm:syscall('getpid')",
    "vm:run('cat', {stdin = 'one'})",
    "vm:run('echo 2', {cwd = '/'})",
    "vm:run('ls', {'/tmp'})",
];

/// A script with calls in it.
struct Template {
    before: &'static str,
    after: &'static str,
    task: &'static str,
    /// Whether the task asks more after the calls.
    goes_on: bool,
}

const TEMPLATES: [Template; 4] = [
    Template {
        before: "test('x', function(t)\n    local vm = provium:vm('a', 'linux'):boot()\n",
        after: "end)\n",
        task: "main",
        goes_on: false,
    },
    Template {
        before: "\
test('x', function(t)
    local vm = provium:vm('a', 'linux'):boot()
    local other = t:spawn(function() vm:run('sleep 0.001; echo other') end)
    local task = t:spawn(function()
",
        after: "    end)\n    vm:run('echo main')\n    task:join()\n    other:join()\nend)\n",
        task: "main/2",
        goes_on: false,
    },
    Template {
        before: "\
test('x', function(t)
    local machine = provium:vm('a', 'linux'):boot()
    local vm = machine:spawn_worker()
",
        after: "    vm:close()\nend)\n",
        task: "main",
        goes_on: true,
    },
    Template {
        before: "\
test('x', function(t)
    local vm = provium:vm('a', 'linux'):boot()
    for i = 1, 3 do
",
        after: "    end\nend)\n",
        task: "main",
        goes_on: true,
    },
];

impl Template {
    fn text(&self, calls: &[&str]) -> String {
        let lines: String = calls.iter().map(|call| format!("        {call}\n")).collect();
        [self.before, &lines, self.after].concat()
    }

    /// The line of a call, counted from 1; of what follows the calls if there are not so many.
    fn line(&self, call: usize) -> usize {
        self.before.lines().count() + call + 1
    }
}

/// What a report must say.
struct Expected {
    kind: &'static str,
    recorded: String,
    now: String,
}

const NOTHING: &str = "nothing more";

fn check(what: &str, task: &str, ran: Ran, expected: &Expected) {
    let ran = ran.exits(125);
    let report = ran.report();
    let text = report.join("\n");
    let of = |label: &str| {
        let line = report.iter().map(|line| line.trim()).find(|line| line.split_whitespace().next() == Some(label));
        line.unwrap_or_else(|| panic!("{what}: no `{label}` in\n{text}")).to_owned()
    };
    // The first line is the words before the report; the last is empty.
    assert!(report.len() <= 27, "{what}: {} lines\n{text}", report.len());
    assert!(report[1].trim().starts_with(&format!("{}: ", expected.kind)), "{what}: not {}\n{text}", expected.kind);
    assert!(report[2].contains(&format!(" of task {task} of test `x`")), "{what}: not {task}\n{text}");
    assert!(of("recorded").contains(&expected.recorded), "{what}: recorded is not {}\n{text}", expected.recorded);
    assert!(of("now").contains(&expected.now), "{what}: now is not {}\n{text}", expected.now);
    assert!(of("cause").contains("the script was edited"), "{what}\n{text}");
    assert!(of("next").contains("provium replay --script recorded "), "{what}\n{text}");
}

/// Makes an edit of the calls at each position and replays.
fn at_every_position(edit: impl Fn(&Template, usize) -> Option<(Vec<&'static str>, Expected)>) {
    for template in &TEMPLATES {
        let project = Project::new(&[("a.test.lua", &template.text(&CALLS))]);
        let trace = project.record_one();
        for at in 0..=CALLS.len() {
            let Some((calls, expected)) = edit(template, at) else { continue };
            project.file("a.test.lua", &template.text(&calls));
            for mode in ["causal", "strict"] {
                let what = format!("{mode}, {} at {at} in\n{}", expected.kind, template.text(&calls));
                check(&what, template.task, project.run(&["replay", "--mode", mode, &trace]), &expected);
            }
        }
    }
}

/// Line `at` of the file; or nothing, if the task ends there.
fn side(template: &Template, at: usize, calls: usize) -> String {
    if at < calls {
        return format!("a.test.lua:{}: ", template.line(at));
    }
    match template.goes_on {
        true => "a.test.lua:".to_owned(),
        false => NOTHING.to_owned(),
    }
}

#[test]
fn a_changed_argument_is_named() {
    at_every_position(|template, at| {
        let mut calls = CALLS.to_vec();
        let changed = [
            "vm:run('echo 7')",
            "vm:syscall('getppid')",
            "vm:run('cat', {stdin = 'two'})",
            "vm:run('echo 2', {cwd = '/tmp'})",
            "vm:run('ls', {'/'})",
        ];
        *calls.get_mut(at)? = changed.get(at)?;
        let line = side(template, at, CALLS.len());
        Some((calls, Expected { kind: "changed", recorded: line.clone(), now: line }))
    });
}

#[test]
fn a_new_call_is_named() {
    at_every_position(|template, at| {
        let mut calls = CALLS.to_vec();
        calls.insert(at, "vm:run('date')");
        let recorded = side(template, at, CALLS.len());
        Some((calls, Expected { kind: "new", recorded, now: format!("a.test.lua:{}: ", template.line(at)) }))
    });
}

#[test]
fn a_call_that_is_gone_is_named() {
    at_every_position(|template, at| {
        let mut calls = CALLS.to_vec();
        (at < calls.len()).then(|| calls.remove(at))?;
        let now = side(template, at, calls.len());
        Some((calls, Expected { kind: "removed", recorded: side(template, at, CALLS.len()), now }))
    });
}

#[test]
fn a_call_that_was_moved_is_named() {
    for distance in [1, 2] {
        at_every_position(|template, at| {
            let mut calls = CALLS.to_vec();
            (at + distance < calls.len()).then(|| {
                let call = calls.remove(at);
                calls.insert(at + distance, call);
            })?;
            let line = side(template, at, CALLS.len());
            Some((calls, Expected { kind: "moved", recorded: line.clone(), now: line }))
        });
    }
}

const PLAIN: &str = "\
test('x', function(t)
    local vm = provium:vm('a', 'linux'):boot()
    local first = t:spawn(function() return vm:run('echo first').stdout end)
    local second = t:spawn(function() return vm:run('echo second').stdout end)
    local text = first:join() .. second:join()
    local number = vm:run('echo 5').stdout
    t:assert_eq(number, '4\\n')
end)
";

/// Replays the plain script as edited.
#[track_caller]
fn edited(mode: &str, edits: &[(&str, &str)], code: i32) -> Ran {
    let project = Project::new(&[("a.test.lua", PLAIN)]);
    let trace = project.record_one();
    let mut text = PLAIN.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    project.file("a.test.lua", &text);
    project.run(&["replay", "--mode", mode, &trace]).exits(code)
}

#[test]
fn what_asks_nothing_else_replays() {
    let edits: [&[(&str, &str)]; 6] = [
        &[("test('x'", "-- a comment\n\ntest('x'")],
        &[("    local text", "    t:log('here')\n    print(#'x')\n    local text")],
        &[("number", "count")],
        &[("local number", "co.yield()\n    local number")],
        &[("local text = first", "co.sleep(0.001)\n    local text = first")],
        &[(
            "    local text = first:join() .. second:join()",
            "    local b = second:join()\n    local a = first:join()",
        )],
    ];
    let mended = ("'4\\n'", "'5\\n'");
    for edit in edits {
        for mode in ["causal", "keyed"] {
            assert_eq!(edited(mode, edit, 1).last_line(), "0 passed, 1 failed");
            assert_eq!(edited(mode, &[edit, &[mended]].concat(), 0).last_line(), "1 passed, 0 failed");
        }
    }
    // What does not even touch the order is allowed everywhere.
    for edit in &edits[..3] {
        edited("strict", edit, 1).does_not_say("mode strict");
        edited("strict", &[edit, &[mended][..]].concat(), 0);
    }
    edited("strict", &[("t:assert_eq", "t:assert_neq")], 0);
}

#[test]
fn tasks_that_swap_their_places_replay() {
    // Their names are the order in which they are spawned; what they ask says which they were.
    let swap: &[(&str, &str)] = &[("'echo first'", "'?'"), ("'echo second'", "'echo first'"), ("'?'", "'echo second'")];
    for mode in ["causal", "keyed"] {
        edited(mode, swap, 1).does_not_say("diverged");
        edited(mode, &[swap, &[("'4\\n'", "'5\\n'")]].concat(), 0);
    }
    edited("strict", swap, 125);
    // One that asks what none did is none of them.
    edited("causal", &[("'echo second'", "'echo first'")], 125).says("of task main/2 of test `x`");
}

#[test]
fn strict_says_where_the_order_was_left() {
    let ran = edited("strict", &[("local number", "co.yield()\n    local number")], 125);
    ran.says("left the recorded order of tasks, and mode strict allows no other")
        .says("recorded  a.test.lua:6: task main asks a  #3 run(\"echo 5\")")
        .says("now       task main does not ask this yet");
    let first = (
        "    local first",
        "    local first = t:spawn(function() co.sleep(0.01) return vm:run('echo first').stdout end)\n    --",
    );
    let ran = edited("strict", &[first], 125);
    ran.says("recorded  a.test.lua:3: task main/1 asks a  #1 run(\"echo first\")");
    edited("causal", &[first], 1).does_not_say("diverged");
    // An assertion that fails earlier is the test's own affair.
    let ran = edited("strict", &[("    local number", "    t:assert_eq(text, '')\n    local number")], 1);
    ran.says("values differ").does_not_say("mode strict");
    // Where more than the order differs, that is what is said.
    edited("strict", &[("'echo 5'", "'echo 6'")], 125).says("changed: ").does_not_say("mode strict");
}

#[test]
fn keyed_lets_a_task_ask_in_another_order() {
    let body = |calls: &[&str]| {
        let lines: String = calls.iter().map(|call| format!("    t:log({call})\n")).collect();
        format!("test('x', function(t)\n    local vm = provium:vm('a', 'linux'):boot()\n{lines}end)\n")
    };
    let calls = ["vm:run('echo 1').stdout", "vm:run('echo 2').stdout", "vm:run('echo 3').stdout"];
    let project = Project::new(&[("a.test.lua", &body(&calls))]);
    let trace = project.record_one();
    project.file("a.test.lua", &body(&[calls[2], calls[0], calls[1]]));
    let ran = project.run(&["replay", "--mode", "keyed", "--verbose", &trace]).exits(0);
    let logged: Vec<&str> = ran.out.lines().filter_map(|line| line.trim().strip_prefix("| ")).collect();
    assert_eq!(logged, ["3", "1", "2"]);
    project.run(&["replay", &trace]).exits(125);
}
