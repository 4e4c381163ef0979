//! `provium repl` on a terminal.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use crate::harness::Project;
use crate::pty::Pty;
use crate::repl::has_qemu;

fn start(project: &Project, args: &[&str]) -> Pty {
    let mut command = project.command(&["repl"]);
    let mut pty =
        Pty::start(command.args(args).env("XDG_STATE_HOME", project.0.path().join("state")).env("NO_COLOR", "1"));
    pty.sees("`vm` is a guest of profile `linux`");
    pty.sees("> ");
    pty
}

#[test]
fn lines_are_edited_completed_and_remembered() {
    let project = Project::new(&[]);
    let mut pty = start(&project, &[]);
    // Back once, and a digit in between.
    pty.types("40 + 2\u{1b}[D1\r");
    pty.sees("= 52");
    pty.types("vm:na\t)\r");
    pty.sees("= \"vm\"");
    pty.types("vm:read\t\t");
    pty.sees("read_file");
    pty.sees("readlink");
    pty.types("\u{15}function f()\r");
    pty.sees(">> ");
    pty.types("return 6 * 7\rend\rf()\r");
    pty.sees("= 42");
    // The line before, once more.
    pty.types("\u{1b}[A\r");
    pty.sees("= 42");
    // Several lines at once, as they are pasted.
    pty.types("\u{1b}[200~local a = 1\nlocal b = a + 1\nb * 100\u{1b}[201~\r");
    pty.sees("= 200");
    pty.types("\u{4}");
    assert_eq!(pty.ends().code(), Some(0));
    assert!(pty.is_cooked());
    let history = fs::read_to_string(project.0.path().join("state/provium/history")).expect("a history");
    assert!(history.contains("\n40 + 12\n"), "{history}");
    assert!(history.contains("function f()\\nreturn 6 * 7\\nend\n"), "{history}");
    // The next session has it.
    let mut pty = start(&project, &[]);
    pty.types("\u{1b}[A");
    pty.sees("b * 100");
    pty.types("\u{3}");
    pty.sees("ends the session");
    pty.sees("> ");
    pty.types("exit\r");
    assert_eq!(pty.ends().code(), Some(0));
}

#[test]
fn ctrl_c_ends_what_a_line_does_and_nothing_else() {
    let project = Project::new(&[]);
    let mut pty = start(&project, &[]);
    for endless in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "table.sort({1, 2, 3}, function() while true do end end)",
        "setmetatable({}, {__tostring = function() while true do end end})",
        "vm:run('while :; do :; done')",
        "t:spawn(function() while true do co.yield() end end):join()",
    ] {
        pty.types(&format!("{endless}\r"));
        // It is shown as it is typed, then the terminal goes to the line that runs.
        pty.sees("\r\n");
        pty.types("x = (x or 0) + 1\r");
        pty.types("\u{3}");
        pty.sees("interrupted");
        pty.sees("> ");
    }
    pty.types("vm:run('echo well').stdout\r");
    pty.sees("= \"well\\n\"");
    // Of a line, and of a chunk that is being typed.
    pty.types("nothing of this\u{3}");
    pty.sees("`exit` ends the session");
    pty.types("if true then\r");
    pty.sees(">> ");
    pty.types("\u{3}");
    pty.sees("is forgotten");
    pty.types("7 * 7\r");
    pty.sees("= 49");
    pty.types("error('bad')\r");
    pty.sees("error: bad");
    pty.types("exit\r");
    assert_eq!(pty.ends().code(), Some(0));
}

#[test]
fn the_terminal_is_given_back_whatever_ends_the_session() {
    for signal in [libc::SIGTERM, libc::SIGHUP] {
        let mut pty = start(&Project::new(&[]), &[]);
        assert!(!pty.is_cooked(), "the prompt edits its lines itself");
        pty.signal(signal);
        assert_eq!(pty.ends().signal(), Some(signal));
        assert!(pty.is_cooked());
    }
}

#[test]
fn ctrl_c_leaves_a_real_guest_as_it_is() {
    if !has_qemu() {
        return;
    }
    let mut pty = start(&Project::new(&[]), &["--backend", "qemu"]);
    pty.types("vm:write_file('/tmp/x', 'kept')\r");
    pty.sees("= 4");
    pty.types("vm:run('echo $$ > /tmp/pid; exec sleep 1000')\r");
    pty.sees("sleep 1000')");
    pty.sees("\r\n");
    pty.types("\u{3}");
    pty.sees("interrupted");
    pty.types("vm:read_file('/tmp/x')\r");
    pty.sees("= \"kept\"");
    pty.types("exit\r");
    assert_eq!(pty.ends().code(), Some(0));
}

fn console(project: &Project, args: &[&str]) -> Pty {
    let mut command = project.command(&["repl", "--console"]);
    let mut pty = Pty::start(command.args(args).env("NO_COLOR", "1"));
    pty.sees("Ctrl-] then q leaves");
    pty.sees("Linux version");
    pty.sees("vm# ");
    assert!(!pty.is_cooked(), "the guest's terminal edits the lines");
    pty
}

#[test]
fn a_console_has_a_shell_and_every_key_until_its_own_keys_leave() {
    let project = Project::new(&[]);
    let mut pty = console(&project, &[]);
    pty.types("echo $((6 * 7))\r");
    pty.sees("echo $((6 * 7))\r\n42\r\n");
    pty.sees("vm# ");
    // The guest's terminal takes the last character back, and knows Ctrl-C.
    pty.types("echo ab\u{7f}c\r");
    pty.sees("\r\nac\r\n");
    pty.types("nothing of this\u{3}");
    pty.sees("^C");
    pty.types("echo still\r");
    pty.sees("\r\nstill\r\n");
    // An error is none of the session's.
    pty.types("if )\r");
    pty.sees("Syntax error");
    pty.sees("vm# ");
    pty.types("\u{1d}q");
    assert_eq!(pty.ends().code(), Some(0));
    assert!(pty.is_cooked());
}

#[test]
fn a_console_is_left_with_its_shell_and_by_signals() {
    let project = Project::new(&[]);
    let mut pty = console(&project, &[]);
    pty.types("exit 3\r");
    pty.sees("the shell on the console has ended");
    assert_eq!(pty.ends().code(), Some(0));
    assert!(pty.is_cooked());
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        let mut pty = console(&project, &[]);
        pty.signal(signal);
        assert_eq!(pty.ends().signal(), Some(signal));
        assert!(pty.is_cooked());
    }
}

#[test]
fn the_console_of_a_real_guest_has_a_shell_that_ctrl_c_reaches() {
    if !has_qemu() {
        return;
    }
    let project = Project::new(&[]);
    let mut pty = console(&project, &["--backend", "qemu"]);
    pty.types("echo $((6 * 7))\r");
    pty.sees("echo $((6 * 7))\r\n42\r\n");
    pty.sees("vm# ");
    pty.types("stty size; echo asleep; sleep 1000\r");
    pty.sees("\r\n50 120\r\nasleep\r\n");
    pty.types("\u{3}");
    pty.sees("vm# ");
    pty.types("\u{1d}.");
    assert_eq!(pty.ends().code(), Some(0));
    assert!(pty.is_cooked());
}
