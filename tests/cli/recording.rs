//! What is recorded: secrets are left out, and whatever happens the trace is whole.

use crate::harness::Project;

const TEST: &str = r#"
test("a secret is used", function(t)
    local vm = provium:vm("v", "linux"):boot()
    local r = vm:run("echo token is hunter2", { env = { TOKEN = "hunter2" } })
    t:assert_contains(r.stdout, "token is")
    t:assert_eq(#r.stdout, 17)
end)
"#;

#[test]
fn a_secret_is_left_out_and_the_trace_replays() {
    let project = Project::new(&[("secret.test.lua", TEST)]);
    project.run(&["--record", "always", "--redact", "hunter[0-9]"]).exits(0);
    let trace = "traces/secret.test.lua/fifo-1.trace";
    let shown = project.run(&["trace", "show", trace, "--json"]).exits(0);
    assert!(!shown.out.contains("hunter2"), "{}", shown.out);
    assert!(shown.out.contains("*******"), "{}", shown.out);
    project.run(&["replay", trace]).exits(0).says("1 passed, 0 failed");
    project.run(&["replay", trace, "--script", "recorded"]).exits(0).says("1 passed, 0 failed");
    project.run(&["replay", trace, "--at-end", "continue"]).exits(0).says("1 passed, 0 failed");
    // Another secret of the same length is as good.
    project.file("secret.test.lua", &TEST.replace("hunter2", "hunter3"));
    project.run(&["replay", trace]).exits(0);
}

#[test]
fn a_pattern_that_is_none_is_said_at_once() {
    let project = Project::new(&[("secret.test.lua", TEST)]);
    project.run(&["--redact", "("]).exits(2).complains("--redact");
    project.run(&["--redact", ""]).exits(2).complains("--redact");
}

#[test]
fn what_is_no_file_is_no_trace() {
    let project = Project::new(&[("secret.test.lua", TEST)]);
    let made = std::process::Command::new("mkfifo").arg(project.0.path().join("fifo.trace")).status();
    assert!(made.expect("mkfifo runs").success());
    project.run(&["replay", "fifo.trace"]).exits(125).complains("regular file");
    project.run(&["trace", "check", "."]).exits(2).complains("regular file");
}

#[test]
fn a_file_that_does_not_load_is_recorded_to_its_end() {
    let project = Project::new(&[("broken.test.lua", "test('x', function(t)\n")]);
    project.run(&[]).exits(2);
    let trace = "traces/broken.test.lua/fifo-1.trace";
    project.run(&["trace", "check", trace]).exits(0);
    project.run(&["replay", trace]).says("could not be loaded");
}

#[test]
fn a_run_that_goes_on_in_the_simulator_takes_the_recorded_tests_and_no_idle_options() {
    let both = format!("{TEST}test('the other', function(t) t:fail('not asked for') end)\n");
    let project = Project::new(&[("secret.test.lua", &both)]);
    project.run(&["--record", "always", "--filter", "a secret"]).exits(0);
    let replay = ["replay", "traces/secret.test.lua/fifo-1.trace", "--at-end", "continue"];
    assert_eq!(project.run(&replay).exits(0).last_line(), "1 passed, 0 failed");
    for idle in [["--mode", "strict"], ["--until", "2"]] {
        project.run(&[&replay[..], &idle].concat()).exits(2).complains("--at-end continue");
    }
}
