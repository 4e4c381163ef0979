//! Looking at a run while it is replayed: `--until` and `--step`.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::harness::{Project, Ran};

const TASKS: &str = "\
test('tasks', function(t)
    local vm = provium:vm('a', 'linux'):boot()
    local w = vm:spawn_worker()
    local a = t:spawn(function() vm:run('sleep 0.2; echo a') vm:run('echo b') end)
    local b = t:spawn(function() provium:barrier('go', 2) end)
    w:run('echo c')
    vm:run('echo d')
    a:join()
    provium:barrier('go', 2)
    vm:run('echo e')
end)
";

fn until(number: &str) -> Ran {
    let project = Project::new(&[("a.test.lua", TASKS)]);
    let trace = project.record_one();
    let ran = project.run(&["replay", "--until", number, &trace]);
    assert!(!ran.out.contains("does not say who waits"), "{}", ran.out);
    assert!(!ran.out.contains("still ran at the end"), "{}", ran.out);
    ran
}

#[test]
fn until_shows_who_waits_for_what_and_where() {
    until("3")
        .exits(0)
        .says("stopped at exchange 3, as asked: task main/1 asks run(\"sleep 0.2; echo a\")")
        .says("> 4 |     local a = t:spawn(")
        .says("task main waits in worker:run at a.test.lua:6 for 20µs")
        .says("task main/1 waits in vm:run at a.test.lua:4 for 0s");
    until("6")
        .says("task main waits in vm:run at a.test.lua:10 for 0s")
        .says("task main/2 waits in lab:barrier at a.test.lua:5 for ")
        .says("exit 0, \"a\\n\"");
    until("0").says("stopped at exchange 0, as asked").says("task main waits in vm:boot at a.test.lua:2");
    let ran = until("99").exits(0).complains("exchange 99 was never reached");
    assert_eq!(ran.last_line(), "1 passed, 0 failed");
}

/// Walks with this input.
fn step(input: &str) -> Ran {
    let project = Project::new(&[("a.test.lua", TASKS)]);
    let trace = project.record_one();
    let mut command = Command::new(env!("CARGO_BIN_EXE_provium"));
    command.args(["replay", "--step", &trace]).current_dir(project.0.path());
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // Who has quit reads no more.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

#[test]
fn step_goes_from_exchange_to_exchange() {
    let ran = step("\n\n\nt\nr\n").exits(0);
    let walked: Vec<&str> = ran.out.lines().skip_while(|line| !line.starts_with("test: ")).collect();
    let expected = [
        "test: tasks",
        "    0        0s  main  a  boot(linux)  a.test.lua:2",
        "[Enter] next, [t]asks, [r]un on, [q]uit:",
        "    0        0s  main  = booted",
        "    1        0s  main  a  spawn_worker(worker1)  a.test.lua:3",
        "[Enter] next, [t]asks, [r]un on, [q]uit:",
        "    1        0s  main  = worker 1",
        "    2        0s  main  a/worker1  run(\"echo c\")  a.test.lua:6",
        "[Enter] next, [t]asks, [r]un on, [q]uit:",
        "    3      20µs  main/1  a  run(\"sleep 0.2; echo a\")  a.test.lua:4",
        "[Enter] next, [t]asks, [r]un on, [q]uit: t",
        "  task main waits for 2: run(\"echo c\")",
        "  task main/1 (spawned at a.test.lua:4) waits for 3: run(\"sleep 0.2; echo a\")",
        "  task main/2 (spawned at a.test.lua:5) waits for no guest, or is over",
        "[Enter] next, [t]asks, [r]un on, [q]uit: r",
    ];
    let walked: Vec<&str> = walked.iter().map(|line| line.trim_end()).collect();
    assert_eq!(walked[..expected.len().min(walked.len())], expected, "{}", ran.out);
    assert_eq!(ran.last_line(), "1 passed, 0 failed");
}

#[test]
fn step_can_be_left() {
    // Of what was not replayed nothing can be said.
    step("q\n").exits(125).says("boot(linux)").does_not_say("spawn_worker").does_not_say("passed");
    // Nobody is there: it runs on.
    let ran = step("").exits(0);
    assert_eq!(ran.last_line(), "1 passed, 0 failed");
    step("what\nq\n").says("there is no `what`");
}
