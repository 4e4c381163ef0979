//! awk where it means to differ from the awk of the host: the expected text is from POSIX, or what gawk says.

#[expect(dead_code, reason = "each test uses a part of it")]
mod common;

use common::run_script;

/// Checks what scripts write to both streams.
fn check(cases: &[(&str, &str)]) {
    for (script, expected) in cases {
        let outcome = run_script(format!("{{ {script}\n}} 2>&1"));
        assert_eq!(String::from_utf8_lossy(&outcome.stdout), *expected, "{script}");
    }
}

#[test]
fn numbers_are_written_and_read_as_posix_has_it() {
    check(&[
        (
            "awk 'BEGIN {print 2^31, 2^53, 1e15, -2^31, 100000 * 100000}'",
            "2147483648 9007199254740992 1000000000000000 -2147483648 10000000000\n",
        ),
        ("awk 'BEGIN {x = 2 ** 3; x **= 2; print x}'", "64\n"),
        ("awk 'BEGIN {print \"0x1A\" + 0, \"inf\" + 0, \"nan\" + 0, log(-1), 1 / 0, -1 / 0}'", "0 0 0 -nan inf -inf\n"),
        ("awk 'BEGIN {printf \"%d %x\\n\", 2^40, -1}'", "1099511627776 ffffffffffffffff\n"),
        ("awk 'BEGIN {print rand() == rand()}'", "0\n"),
        ("awk 'BEGIN {print rand()}' > a; awk 'BEGIN {print rand()}' > b; cmp a b && echo same", "same\n"),
    ]);
}

#[test]
fn text_and_patterns() {
    check(&[
        ("awk 'BEGIN {print \"aab\" ~ /^a{2}b$/, \"2026\" ~ /^[0-9]{4}$/}'", "1 1\n"),
        (
            "awk 'BEGIN {print substr(\"hello\", -1, 3), substr(\"hello\", 1.5, 1), substr(\"hello\", 1.4, 1.6)}'",
            "h e he\n",
        ),
        ("awk 'BEGIN {s = \"a+b\"; sub(\"+\", \"-\", s); print s, \"\\/\"}'", "a-b /\n"),
        ("echo one | awk '{print ($2 == 0), ($2 == \"\")}'", "1 1\n"),
        ("printf 'a:b\\nc\\n\\ne:f\\n' | awk 'BEGIN {RS = \"\"; FS = \":\"} {print $1 \"-\" $3}'", "a-c\ne-\n"),
    ]);
}

#[test]
fn arrays_functions_and_getline() {
    check(&[
        (
            "awk 'BEGIN {for (i = 3; i > 0; i--) a[\"k\" i]; delete a[\"k2\"]; a[\"k2\"]; for (k in a) print k}'",
            "k3\nk1\nk2\n",
        ),
        ("awk 'function f(a) {return 1} BEGIN {f(z); z = 3; print z; f(y); y[1] = 2; print y[1]}'", "3\n2\n"),
        ("awk 'func f(n) {return n == 0 ? 0 : 1 + f(n - 1)} BEGIN {print f(20000)}'", "20000\n"),
        ("awk 'BEGIN {\"echo \" \"hello\" | getline x; print x}'", "hello\n"),
        (
            "awk 'BEGIN {\"echo a b; echo c\" | getline; print $2, NR; \"echo a b; echo c\" | getline v; print v, NR}'",
            "b 1\nc 2\n",
        ),
    ]);
}

#[test]
fn errors_say_where_they_happen() {
    check(&[
        ("awk 'BEGIN {print 1'; echo $?", "awk: line 1: missing } near end of file\n2\n"),
        (
            "printf 'a\\nb\\n' > f; awk 'NR == 2 {print \"x\"; $-1 = 1}' f; echo $?",
            "x\nawk: run time error: negative field index $-1\n\tFILENAME=\"f\" FNR=2 NR=2\n2\n",
        ),
        ("awk '{print}' missing; echo $?", "awk: cannot open \"missing\" (No such file or directory)\n2\n"),
        (
            "awk 'BEGIN {print > \"d/f\"}'; echo $?",
            "awk: cannot open \"d/f\" for output (No such file or directory)\n2\n",
        ),
        ("awk --sandbox 1; echo $?", "awk: not an option: --sandbox\n2\n"),
        ("awk '{print}' /; echo $?", "awk: read failure on \"/\" (Is a directory)\n2\n"),
        (
            "awk 'BEGIN {print strftime(\"%Y\")}'; echo $?",
            "awk: line 1: function strftime is an extension that the awk of the simulated guest does not have\n2\n",
        ),
    ]);
}

#[test]
fn the_seed_from_the_clock_is_the_guests() {
    check(&[("awk 'BEGIN {srand(); t = srand(); print (t > 1000)}'", "1\n")]);
}
