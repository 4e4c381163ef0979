//! `provium repl` with lines from a pipe.

use std::io::Write;
use std::process::Stdio;

use provium_qemu::backend::Host;
use provium_qemu::profile::QemuProfile;
use provium_qemu::{image, testing};

use crate::harness::{Project, Ran};

/// Whether real guests can be had.
pub fn has_qemu() -> bool {
    let host = Host::new(std::collections::BTreeMap::new(), false, Box::new(|_| {})).expect("a thread");
    let made = || image::ensure(&QemuProfile::named("linux"), &mut |_| {});
    testing::available("QEMU", host.find_qemu()).is_some()
        && testing::available("image of the profile `linux`", made()).is_some()
}

fn repl_with(project: &Project, args: &[&str], lines: &[u8]) -> Ran {
    let mut command = project.command(&["repl"]);
    command.args(args).env("XDG_STATE_HOME", project.0.path().join("state"));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let lines = lines.to_owned();
    // It may end before it has read all.
    let writer = std::thread::spawn(move || stdin.write_all(&lines).unwrap_or_default());
    let output = child.wait_with_output().expect("the command ends");
    writer.join().expect("the writer does not panic");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the command writes UTF-8");
    let ran = Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
    assert!(!ran.err.contains("panicked at"), "{}", ran.err);
    ran
}

fn repl(lines: &str) -> Ran {
    repl_with(&Project::new(&[]), &[], lines.as_bytes())
}

#[test]
fn what_a_line_comes_to_is_shown() {
    let ran = repl(
        r#"1 + 1, "it's\n\27", nil, 2.0
vm:run("id -u; echo oops >&2; exit 3").exit_code
vm:run("printf 'a\\nb\\n\\033'; echo oops >&2; exit 3")
vm:run("true")
vm:run("kill -9 $$")
vm, provium, t, vm:run_async("true")
{1, "two", {x = {y = true}}}
x = 5
x
vm:run("echo quiet");
-- nothing
vm:listdir("/etc")
setmetatable({}, {__tostring = function() return "by itself" end})
pcall(vm.read_file, vm, "/gone")
print("printed", _)
"#,
    )
    .exits(0);
    insta::assert_snapshot!(ran.out.trim_end(), @r#"
    = 2, "it's\n\u{1b}", nil, 2.0
    = 3
    = exit 3 (461µs)
      stdout:
        a
        b
        \u{1b}
      stderr: oops
    = exit 0 (261µs)
    = SIGKILL (280µs)
    = vm `vm`, lab `provium`, t, process 9 of vm `vm` (run_async("true"))
    = {1, "two", {x = {y = true}}}
    = 5
    = {
      {entry_type = "file", name = "group"},
      {entry_type = "symlink", name = "mtab"},
      {entry_type = "file", name = "os-release"},
      {entry_type = "file", name = "passwd"},
      {entry_type = "file", name = "shells"},
    }
    = by itself
    = false, repl:14: vm:read_file: read_file /gone: No such file or directory (ENOENT)
    printed	false
    "#);
    assert_eq!(ran.err, "");
}

#[test]
fn a_chunk_may_have_several_lines_and_a_local_at_its_beginning_stays() {
    let ran = repl(
        "local function twice(x)\n  local y = x\n  return y + y\nend\nlocal a, b = twice(2),\n  twice(3)\na + b\n\
         {\n  a = 1\n}\nlocal c <const> = 7\nc\n",
    );
    assert_eq!(ran.exits(0).out, "= 10\n= {a = 1}\n= nil\n");
}

#[test]
fn an_error_is_shown_with_its_line_and_the_next_line_runs() {
    let ran = repl(
        "function f()\n  error('deep')\nend\nf()\nx = = 1\nvm:read_file('/gone')\nt:assert_eq(1, 2)\n\
         vm:run_async('cat'):wait()\nt:skip('for a reason')\nt:spawn(function() error('lost') end)\nco.sleep(1)\n'end'\n",
    )
    .exits(1);
    insta::assert_snapshot!(ran.err.trim_end(), @r"
    error: deep
      at repl:2: error('deep')
      from repl:4: f()
    error: unexpected symbol near '='
      at repl:5: x = = 1
    error: vm:read_file: read_file /gone: No such file or directory (ENOENT)
      at repl:6: vm:read_file('/gone')
    error: values differ
       left: 1
      right: 2
      at repl:7: t:assert_eq(1, 2)
    error: deadlock: nothing can happen any more
      at repl:8: vm:run_async('cat'):wait()
      vm `vm`: pid 3 (sh) waits for a child to end, held by pid 5
      vm `vm`: pid 5 (cat) waits for data from pipe:[1], held by pid 1
      task main waits in proc:wait at repl:8 for 400µs
    ");
    ran.says("skipped: for a reason\n")
        .says("= task main/1\nwarning: task main/1 (spawned at repl:10) raised an error that nobody joined: lost\n")
        .says("= \"end\"\n");
}

#[test]
fn tasks_go_on_while_later_lines_wait() {
    let lines = "n = 0\nt:spawn(function() for i = 1, 3 do co.sleep(1) n = i end end)\nn\nco.sleep(1.5)\nn\nco.sleep(5)\nn\n\
                 t:spawn(function() co.sleep(100) end)\n";
    assert_eq!(repl(lines).exits(0).out, "= task main/1\n= 0\n= 1\n= 3\n= task main/1\n");
}

#[test]
fn long_values_are_cut_and_all_shows_them_whole() {
    let ran = repl("('x'):rep(5000)\nall\n").exits(0);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], format!("= \"{}\"… 5000 bytes", "x".repeat(4000)));
    assert_eq!(lines[1..], ["(cut; `all` shows the whole first value)", &format!("= \"{}\"", "x".repeat(5000))]);
    // What is called like a word of the session is a variable.
    repl("all = 3\nall\nhelp = 4\nhelp\n").exits(0).says("= 3\n= 4\n");
    repl("function loop() end\nl = {}\nl.l = l\nl\n").exits(0).says("= {l = {… a table above}}\n");
}

#[test]
fn a_test_runs_at_once_and_what_it_made_stays() {
    let ran = repl(
        "test('two', {slow = true}, function(t)\n  w = vm:spawn_worker()\n  t:assert_eq(w:run('echo 2').stdout, '2\\n')\nend)\n\
         w:state()\ntest('bad', function(t) t:fail('so it is') end)\ntest('no function')\n",
    )
    .exits(1);
    assert_eq!(ran.out, "passed: two\n= \"idle\"\n");
    ran.complains("error: so it is\n  at repl:6").complains("expected test(name, [meta,] function)");
}

#[test]
fn help_knows_what_there_is() {
    let ran =
        repl("help\nhelp vm\nhelp vm:run\nhelp Process\nhelp json\nhelp wait_until\nhelp provium\nhelp nothing\n")
            .exits(0);
    ran.says("help vm:run")
        .says("vm:read_file(path) -> string\n")
        .says("vm:run(command, options?) -> RunResult\n  command: string\n")
        .says("process:wait(")
        .says("json.decode(text) -> any\n")
        .says("wait_until(fn, options?)")
        .says("provium:barrier(name, count, timeout?)")
        .says("nothing is known of `nothing`");
}

#[test]
fn the_session_ends_with_the_input_or_with_exit() {
    assert_eq!(repl("1\nexit\n2\n").exits(0).out, "= 1\n");
    assert_eq!(repl("quit()").exits(0).out, "");
    assert_eq!(repl("").exits(0).out, "");
    repl("if true then\n").exits(1).complains("the input ends within the chunk that begins in line 1");
    let ran = repl_with(&Project::new(&[]), &[], b"x = '\xff'\nreturn 1, 2\r\n").exits(1);
    assert_eq!(ran.out, "= 1, 2\n");
    ran.complains("this line is not UTF-8");
}

#[test]
fn the_profile_the_seed_and_the_project_count() {
    let project = Project::new(&[
        ("provium.toml", "roots = ['lib']\n[profiles.small]\nhostname = 'tiny'\n"),
        ("lib/mine.lua", "return {answer = 42}\n"),
        ("data", "of the host"),
    ]);
    let lines =
        b"vm:profile(), vm:run('hostname').stdout, provium.seed\nrequire('mine').answer\nvm:push_file('data', '/d')\n";
    let ran = repl_with(&project, &["small", "--seed", "7"], lines).exits(0);
    assert_eq!(ran.out, "= \"small\", \"tiny\\n\", 7\n= 42\n= 11\n");
    repl_with(&project, &["large"], b"").exits(2).complains("has no profile `large`; there are linux, small");
    repl_with(&project, &["--cold-boot"], b"").exits(2).complains("`--cold-boot` is for real guests");
    assert!(!project.0.path().join("state").exists(), "a script leaves no history");
}

#[test]
fn a_real_guest_answers_a_script() {
    if !has_qemu() {
        return;
    }
    let lines = b"vm:run('cat /proc/1/comm').stdout\nvm:write_file('/tmp/x', 'kept')\nvm:read_file('/tmp/x')\n";
    let ran = repl_with(&Project::new(&[]), &["--backend", "qemu"], lines).exits(0);
    assert_eq!(ran.out, "= \"provium-agent\\n\"\n= 4\n= \"kept\"\n");
}

#[test]
fn lines_are_typed_at_a_console_until_its_shell_ends() {
    let console = |lines: &str| repl_with(&Project::new(&[]), &["--console"], lines.as_bytes());
    // The end of the input ends what reads it, and then the shell.
    let lines = "echo $((6 * 7))\ncat\nfor cat\n";
    let ran = console(lines).exits(0);
    let shown = "vm# echo $((6 * 7))\r\n42\r\nvm# cat\r\nfor cat\r\nfor cat\r\nvm# \r\n";
    assert!(ran.out.ends_with(shown), "{}", ran.out);
    assert_eq!(ran.out, console(lines).exits(0).out, "the same lines are the same session");
    console("sleep 20; echo awake").exits(0).says("\r\nawake\r\n");
    // Its status is that of its last command.
    console("false\n").exits(1);
    console("exit 0\nexit 1\n").exits(0);
    console("").exits(0);
    let ran = console("echo c >/proc/sysrq-trigger\necho more\n").exits(2);
    ran.complains("(the guest `vm` panicked: sysrq triggered crash)").says("Kernel panic").does_not_say("more");
    repl_with(&Project::new(&[]), &["--console", "none"], b"").exits(2).complains("no profile `none`");
}

#[test]
fn lines_are_typed_at_the_console_of_a_real_guest() {
    if !has_qemu() {
        return;
    }
    // Where its kernel puts a message, and how a line is shown that is typed early, is up to the guest.
    let lines = b"echo answer-$((6 * 7)) >/tmp/x\ncat /tmp/x\n";
    repl_with(&Project::new(&[]), &["--console", "--backend", "qemu"], lines).exits(0).says("answer-42\r\n");
}
