//! Laws that hold for all inputs, tried on random ones.

#[expect(dead_code, reason = "each test uses a part of it")]
mod common;

use common::run_script;
use proptest::prelude::*;

/// Bytes that a variable can hold.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => prop::sample::select(b" \t\n'\"\\$`*?[]~#&|;<>(){}=!abc".to_vec()), 1 => 1u8..];
    prop::collection::vec(byte, 0..40)
}

fn single_quoted(value: &[u8]) -> Vec<u8> {
    let mut text = b"'".to_vec();
    for &byte in value {
        match byte {
            b'\'' => text.extend_from_slice(b"'\\''"),
            byte => text.push(byte),
        }
    }
    text.push(b'\'');
    text
}

fn double_quoted(value: &[u8]) -> Vec<u8> {
    let mut text = b"\"".to_vec();
    for &byte in value {
        if matches!(byte, b'"' | b'\\' | b'$' | b'`') {
            text.push(b'\\');
        }
        text.push(byte);
    }
    text.push(b'"');
    text
}

fn backslashed(value: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for &byte in value {
        // A backslash before a newline joins lines: quotes are needed there.
        match byte {
            b'\n' => text.extend_from_slice(b"'\n'"),
            byte => text.extend_from_slice(&[b'\\', byte]),
        }
    }
    if text.is_empty() { b"''".to_vec() } else { text }
}

fn script(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_quoted_comes_back(value in value()) {
        for quoted in [single_quoted(&value), double_quoted(&value), backslashed(&value)] {
            let outcome = run_script(script(&[b"printf %s ", &quoted]));
            prop_assert_eq!(&outcome.stdout, &value);
            prop_assert_eq!(outcome.code, 0);
        }
    }

    #[test]
    fn a_value_survives_variables_words_functions_and_substitutions(value in value()) {
        let quoted = single_quoted(&value);
        let outcome = run_script(script(&[
            b"x=", &quoted, b"; y=$x; f() { printf %s \"$1\"; }; set -- \"$y\"; f \"$@\"; printf '|%s' \"$#\" \"${x+\"$x\"}\"; ",
            b"z=$(printf '%s.' \"$x\"); printf '|%s' \"${z%.}\"; eval \"$(printf 'w=%s' ", &single_quoted(&quoted), b")\"; printf '|%s' \"$w\"; ",
            b"case $x in \"$x\") printf '|same';; esac; printf '|%s' \"${x#\"$x\"}\"",
        ]));
        let expected = [&value[..], b"|1|", &value, b"|", &value, b"|", &value, b"|same|"].concat();
        prop_assert_eq!(outcome.stdout, expected);
    }

    #[test]
    fn what_the_shell_lists_it_reads_back(value in value()) {
        let quoted = single_quoted(&value);
        let outcome = run_script(script(&[
            b"v=", &quoted, b"; alias al=", &quoted, b"; trap -- ", &quoted, b" USR1; export v; ",
            b"set >s; export -p >e; alias >a; trap >t; ",
            b"unset v; . ./s 2>/dev/null; printf '%s|' \"$v\"; unset v; . ./e; printf '%s|' \"$v\"; ",
            b"unalias -a; eval \"alias $(cat a)\"; alias >b; cmp a b && trap - USR1; . ./t; trap >u; cmp t u",
        ]));
        // PPID and others are not read only here, so that all of `set` can be read back.
        let expected = [&value[..], b"|", &value, b"|"].concat();
        prop_assert_eq!(String::from_utf8_lossy(&outcome.stderr), "");
        prop_assert_eq!(outcome.stdout, expected);
        prop_assert_eq!(outcome.code, 0);
    }

    #[test]
    fn a_here_document_is_its_text(value in value()) {
        let mut body: Vec<u8> = value.clone();
        body.push(b'\n');
        let outcome = run_script(script(&[b"cat <<'END OF IT'\n", &body, b"END OF IT\n"]));
        prop_assert_eq!(&outcome.stdout, &body);
        let escaped: Vec<u8> = body
            .iter()
            .flat_map(|&byte| if matches!(byte, b'\\' | b'$' | b'`') { vec![b'\\', byte] } else { vec![byte] })
            .collect();
        let outcome = run_script(script(&[b"cat <<END\n", &escaped, b"END\n"]));
        prop_assert_eq!(&outcome.stdout, &body);
    }

    #[test]
    fn fields_are_what_read_and_for_see(fields in prop::collection::vec("[a-z]{1,5}", 0..8), blanks in " {1,3}") {
        let line = fields.join(&blanks);
        let outcome = run_script(format!("x='{line}'; for i in $x; do printf '%s,' $i; done; set -- $x; echo $#"));
        let expected: String = fields.iter().map(|field| format!("{field},")).collect();
        prop_assert_eq!(String::from_utf8_lossy(&outcome.stdout), format!("{expected}{}\n", fields.len()));
    }
}

/// Pieces that make scripts which are nearly right.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "if",
        "then",
        "elif",
        "else",
        "fi",
        "while",
        "until",
        "do",
        "done",
        "for",
        "in",
        "case",
        "esac",
        "{",
        "}",
        "(",
        ")",
        "!",
        "&&",
        "||",
        "|",
        ";",
        ";;",
        "&",
        "\n",
        ">f",
        "<f",
        "2>&1",
        ">&-",
        "<<E\n$x\nE\n",
        "$x",
        "\"$@\"",
        "$(",
        "`",
        "${",
        "${x-",
        "${x%",
        "$((",
        "))",
        "1",
        "+",
        "x=1",
        "x",
        "echo",
        "a",
        "*",
        "~",
        "'",
        "\"",
        "\\",
        "#",
        "break",
        "continue",
        "return",
        "exit",
        "set -e",
        "set --",
        "shift",
        "eval",
        "trap",
        "EXIT",
        "cd",
        "read x",
        "f()",
        "f",
        "wait",
        "local",
        "exec",
        ".",
        "unset x",
        "export x",
        "[",
        "]",
        "=",
        "cat",
        "true",
        "false",
        "$?",
        "$!",
        "kill $!",
        "alias a=b",
        "command",
        " ",
        "-",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_script_is_too_strange(pieces in prop::collection::vec(piece(), 1..25)) {
        // Whatever it does, it ends or goes on within its steps, without a panic.
        common::run_for(pieces.join(" "), 20_000);
    }
}
