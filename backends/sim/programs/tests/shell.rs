//! The shell in a simulated guest, where the host's shell can be no measure: limits, schedules, and what
//! dash does not have.

#[expect(dead_code, reason = "each test uses a part of it")]
mod common;

use std::rc::Rc;

use common::{Outcome, Start, run, run_script, run_seeded};
use provium_protocol::choice::{Fixed, Seeded};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Standard output, standard error and status of a script.
fn shown(outcome: &Outcome) -> (String, String, i32) {
    (text(&outcome.stdout), text(&outcome.stderr), outcome.code)
}

fn sh(script: &str) -> (String, String, i32) {
    shown(&run_script(script))
}

fn out(script: &str) -> String {
    let (stdout, stderr, _) = sh(script);
    assert_eq!(stderr, "", "{script}");
    stdout
}

#[test]
fn a_command_runs_and_its_status_is_told() {
    let (stdout, stderr, code) = sh("echo hello; nosuch; exit 3");
    assert_eq!((stdout.as_str(), stderr.as_str(), code), ("hello\n", "sh: 1: nosuch: not found\n", 3));
}

#[test]
fn only_exec_takes_the_place_of_the_shell() {
    assert_eq!(out("sh -c 'echo $$; sh -c \"echo \\$PPID\"' | uniq | wc -l").trim(), "1");
    assert_eq!(out("sh -c 'echo $$; exec sh -c \"echo \\$\\$\"' | uniq | wc -l").trim(), "1");
    // With a trap the shell must stay to run it.
    assert_eq!(out("sh -c 'trap \"echo bye\" EXIT; cat /dev/null'"), "bye\n");
}

#[test]
fn endless_recursion_is_an_error_and_no_overflow() {
    for script in [
        "f() { f; }; f",
        "x='eval \"$x\"'; eval \"$x\"",
        "echo '. ./self' >self; . ./self",
        "f() { g; }; g() { { if f; then :; fi; }; }; f",
    ] {
        let (stdout, stderr, code) = sh(script);
        assert_eq!((stdout.as_str(), code), ("", 2), "{script}");
        assert!(stderr.contains("Maximum function recursion depth (1000) reached"), "{stderr}");
    }
    let (_, stderr, code) = sh("f() { echo $(f); }; f | cat >/dev/null; echo end >&2; exit 4");
    assert!(stderr.ends_with("end\n"), "{}", &stderr[stderr.len().saturating_sub(300)..]);
    assert_eq!(code, 4);
}

#[test]
fn nesting_in_the_text_runs_up_to_its_limit() {
    for (open, inner, close) in [
        ("( ", "echo deep", " )"),
        ("{ ", "echo deep", "; }"),
        ("if ", "echo deep", "; then :; fi"),
        ("echo $(", "echo deep", ")"),
        ("case a in a) ", "echo deep", ";; esac"),
        ("while ", "echo deep", "; do break; done"),
        (": | ", "echo deep", ""),
        ("! ", "echo deep", ""),
        ("true && ", "echo deep", ""),
    ] {
        // `! !` is no syntax of dash.
        let levels = if open == "! " { 1 } else { 120 };
        let script = format!("{}{inner}{}", open.repeat(levels), close.repeat(levels));
        assert_eq!(out(&script), "deep\n", "{open}");
        let script = format!("{}{inner}{}", "( ".repeat(100_000), " )".repeat(100_000));
        let (stdout, stderr, code) = sh(&script);
        assert_eq!((stdout.as_str(), code), ("", 2));
        assert!(stderr.contains("nested more than 500 deep"), "{stderr}");
    }
}

#[test]
fn what_grows_without_end_runs_out_of_space() {
    for script in [
        "x=x; while :; do x=$x$x; done",
        "set -- a; while :; do set -- \"$@\" \"$@\"; done",
        "x=$(while :; do printf '%1000000s' x; done)",
        "i=0; x=$(printf '%1000000s' x); while :; do i=$((i+1)); eval v$i=\\$x; done",
        "set -- ''; while :; do set -- \"$@\" \"$@\" \"$@\" \"$@\"; done",
    ] {
        let (stdout, stderr, code) = sh(script);
        assert_eq!((stdout.as_str(), code), ("", 2), "{script}");
        assert!(stderr.starts_with("sh: 1: ") && stderr.ends_with("Out of space\n"), "{script}: {stderr}");
    }
}

#[test]
fn an_endless_loop_lets_others_go_on() {
    for body in
        [":", "true", "x=$((x+1))", "continue", "if :; then :; fi", "[ a ]", "f() { :; }; f", "case a in b) ;; esac"]
    {
        let script = format!("(while :; do {body}; done) & sleep 0.1; kill $!; wait $! 2>/dev/null; echo $?");
        assert_eq!(out(&script), "143\n", "{body}");
    }
    for script in [
        "until false; do :; done",
        "f() { while :; do :; done; }; f",
        "eval 'while :; do :; done'",
        "while :; do for i in a b; do :; done; done",
    ] {
        assert_eq!(
            sh(&format!("timeout 0.2 sh -c '{}'; echo $?", script.replace('\'', "'\\''"))).0,
            "124\n",
            "{script}"
        );
    }
}

#[test]
fn too_many_processes_are_an_error() {
    let (stdout, stderr, code) = sh("while :; do sleep 1000 & done");
    assert_eq!((stdout.as_str(), stderr.as_str(), code), ("", "sh: 1: Cannot fork\n", 2));
}

#[test]
fn a_script_on_standard_input_leaves_the_rest_to_its_commands() {
    for piped in [false, true] {
        let run = |script: &str| shown(&run(Start::input(script, piped), Rc::new(Fixed::default())));
        assert_eq!(run("read x\nhello there\necho \"got $x\"\n").0, "got hello there\n");
        assert_eq!(run("cat\nrest\nof it\n").0, "rest\nof it\n");
        // head reads a block; what it did not need it can put back in a file only.
        assert_eq!(run("head -n 1 >/dev/null\nif\necho after\n").0, if piped { "" } else { "after\n" });
        assert_eq!(run("if true; then\necho multi\nfi; exit 4\necho no\n"), ("multi\n".into(), String::new(), 4));
        assert_eq!(run("echo a\nfi\n"), ("a\n".into(), "sh: 2: Syntax error: \"fi\" unexpected\n".into(), 2));
        assert_eq!(run("cat <<E\nin\nE\necho 'two\nlines'").0, "in\ntwo\nlines\n");
    }
}

#[test]
fn bytes_that_are_no_text_are_kept() {
    let outcome = run_script(b"x='\xff\xfe'; echo $x \xc3x | cat; case \xff in ?) echo one;; esac; echo ${#x}");
    assert_eq!(outcome.stdout, b"\xff\xfe \xc3x\none\n2\n");
}

#[test]
fn options_and_parameters_that_dash_lacks() {
    assert_eq!(
        out("set -o pipefail; false | true; echo $?; (exit 3) | (exit 4) | true; echo $?; true | true; echo $?"),
        "1\n4\n0\n"
    );
    assert_eq!(out("echo $LINENO\n\necho $LINENO $((LINENO))"), "1\n3 3\n");
    assert_eq!(sh("ulimit -n 10; echo $?; ulimit -c 0; echo $?").0, "2\n0\n");
}

#[test]
fn a_pipeline_has_the_same_outcome_under_every_schedule() {
    let script = "trap 'echo trapped' USR1; printf '%s\\n' a b c | while read x; do echo $x; done | cat; \
                  (sleep 0.01; kill -USR1 $$) & sleep 1 & wait $!; echo $?; x=$(echo sub | cat); echo $x; \
                  { echo 1; echo 2; } >f; cat <f; (exit 3) & wait $!; echo $?; kill %nosuch 2>/dev/null; echo $?";
    let expected = shown(&run_script(script));
    assert_eq!(expected.0, "a\nb\nc\ntrapped\n138\nsub\n1\n2\n3\n2\n");
    for seed in 0..100 {
        assert_eq!(shown(&run_seeded(script, seed)), expected, "seed {seed}");
    }
}

#[test]
fn appends_of_two_writers_are_in_some_order_and_whole() {
    let script = "echo a >>f & echo b >>f & wait; sort f | tr '\\n' ' '; cat f >&2";
    let mut orders = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let outcome = run_seeded(script, seed);
        assert_eq!(text(&outcome.stdout), "a b ");
        orders.insert(outcome.stderr);
    }
    assert_eq!(orders.len(), 2, "schedules differ");
}

#[test]
fn a_lost_update_is_found_under_some_schedule() {
    let script = "echo 0 >n; add() { read x <n; echo $((x+1)) >n; }; add & add & wait; cat n";
    let results: std::collections::BTreeSet<String> =
        (0..100).map(|seed| text(&run_seeded(script, seed).stdout)).collect();
    assert!(results.contains("1\n") && results.contains("2\n"), "{results:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let script = "for i in 1 2 3 4 5; do echo $i & done; wait; for i in a b c; do (echo $i; echo $i$i) & done; wait";
    for seed in 0..20 {
        let first = run(Start::command(script), Rc::new(Seeded::new(seed)));
        assert_eq!(first, run(Start::command(script), Rc::new(Seeded::new(seed))));
    }
}

#[test]
fn fifos_join_background_jobs() {
    assert_eq!(out("mkfifo p; cat p & echo through >p; wait; echo $?"), "through\n0\n");
    assert_eq!(out("mkfifo p; (read x <p; echo got $x) & sleep 0.1; echo hi >p; wait"), "got hi\n");
}

#[test]
fn a_signal_interrupts_read_and_wait() {
    let script = "trap 'echo t' USR1; (sleep 0.1; kill -USR1 $$) & mkfifo p; exec 3<>p; read x <&3; echo $?";
    assert_eq!(out(script), "t\n1\n");
}

#[test]
fn scripts_without_interpreter_and_long_environments() {
    assert_eq!(
        out("printf 'echo script $1 $#' >s; chmod +x s; ./s a b; PATH=$PATH:.; s c"),
        "script a 2\nscript c 1\n"
    );
    let (_, stderr, code) = sh("x=$(printf '%01000000d' 1); export x y=$x z=$x; cat /dev/null; echo $?; exit 5");
    assert_eq!((stderr.as_str(), code), ("sh: 1: cat: Argument list too long\n", 5));
}

#[test]
fn an_interactive_shell_asks_and_goes_on_after_errors() {
    let script = "printf 'echo a\nif true\nthen echo b; fi\n)\n${x?unset}\necho $?\nnosuch\n' | PS1='[$((6 * 7))] ' PS2='more ' sh -i";
    let (stdout, stderr, code) = sh(script);
    assert_eq!((stdout.as_str(), code), ("a\nb\n2\n", 127));
    assert_eq!(
        stderr,
        "[42] [42] more [42] sh: 4: Syntax error: \")\" unexpected\n[42] sh: 5: x: unset\n[42] [42] sh: 7: nosuch: not \
         found\n[42] \n"
    );
    // What is no prompt's business stays as it was.
    let (stdout, stderr, code) = sh("printf 'echo a\n)\necho b\n' | sh");
    assert_eq!((stdout.as_str(), stderr.as_str(), code), ("a\n", "sh: 2: Syntax error: \")\" unexpected\n", 2));
}
