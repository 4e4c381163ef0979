//! `git bisect run provium replay` finds the commit that broke a test: the example of traces/README.md.

use std::process::Command;

use crate::harness::Project;

/// A script of eight versions. What it asks of the guest is the same in all; the fifth reads the answer wrongly.
fn version(number: u32) -> String {
    let field = if number < 5 { 2 } else { 1 };
    format!(
        "\
local function version_of(vm) -- {number}
    local words = {{}}
    for word in vm:run('echo release 12'):assert_ok().stdout:gmatch('%w+') do
        words[#words + 1] = word
    end
    return tonumber(words[{field}])
end

test('the release is known', function(t)
    local vm = provium:vm('v', 'linux'):boot()
    t:assert_eq(version_of(vm), 12)
end)
"
    )
}

#[test]
fn git_bisect_finds_the_commit() {
    let project = Project::new(&[]);
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        let mine = ["-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false"];
        // Nobody's settings count, nor a repository around this one.
        command.args(mine).args(args).current_dir(project.0.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
        command.env("GIT_CONFIG_NOSYSTEM", "1").env_remove("GIT_DIR").env_remove("GIT_WORK_TREE");
        let output = command.output().expect("git is there");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "git {args:?}: {text}");
        text
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    project.file(".gitignore", "traces\n");
    for number in 1..=8 {
        project.file("a.test.lua", &version(number));
        git(&["add", "."]);
        git(&["commit", "--quiet", "-m", &format!("version {number}")]);
        git(&["tag", &format!("v{number}")]);
    }
    // The newest fails, and so there is a trace.
    project.run(&[]).exits(1);
    let trace = "traces/a.test.lua/fifo-1.trace";
    project.run(&["replay", trace]).exits(1);
    git(&["bisect", "start", "HEAD", "v1"]);
    let found = git(&["bisect", "run", env!("CARGO_BIN_EXE_provium"), "replay", "--quiet", trace]);
    assert!(found.contains("is the first bad commit"), "{found}");
    assert_eq!(git(&["rev-parse", "refs/bisect/bad"]), git(&["rev-parse", "v5^{commit}"]));
}

#[test]
fn commits_that_ask_something_else_are_skipped() {
    let project = Project::new(&[("a.test.lua", &version(8))]);
    let trace = project.record_one();
    let codes: Vec<Option<i32>> =
        [version(8), version(1), version(1).replace("release 12", "release 13"), "x".to_owned()]
            .iter()
            .map(|text| {
                project.file("a.test.lua", text);
                project.run(&["replay", &trace]).code
            })
            .collect();
    assert_eq!(codes, [Some(1), Some(0), Some(125), Some(125)]);
}
