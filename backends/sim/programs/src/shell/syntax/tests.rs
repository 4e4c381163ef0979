//! What is accepted, what is refused, and in which words.

use super::{Aliases, Failure, MAX_NESTING, Parser};

/// Parses all lines; the failure of the first bad one.
fn parse(script: &str) -> Result<usize, Failure> {
    let aliases = Aliases::new();
    let (mut at, mut line, mut commands) = (0, 1, 0);
    loop {
        let parsed = Parser::new(script.as_bytes(), at, line, &aliases).line()?;
        if parsed.is_end {
            return Ok(commands);
        }
        commands += usize::from(parsed.command.is_some());
        (at, line) = (parsed.end, parsed.end_line);
    }
}

#[test]
fn what_dash_accepts() {
    for script in [
        "",
        "\n\n# only a comment",
        "echo a; echo b & echo c",
        "if a; then b; elif c\nthen d; else\ne; fi",
        "while a; do b; done; until a\ndo\nb\ndone",
        "for i in a b c; do echo $i; done; for i; do :; done; for i\ndo :; done; for i in\ndo :; done",
        "case $x in a|b) c;; (d) e\n;; *) esac; case x in esac",
        "f() { :; }; g() ( : ); h() if a; then b; fi; i()\n{ :; } >x",
        "echo $(case a in a) echo hi;; esac) `echo \\`echo a\\``",
        "{ a; } >x 2>&1 <&- | ( b ) && ! c || d",
        "cat <<A <<-'B'; echo $(cat <<C\nc\nC\n)\na $x\nA\n\tb\n\tB\necho done",
        "echo \"${x:-a   b}\" \"${x#'}'}\" ${x:+\"}\"} ${#x} ${##} ${#-} ${#-a} ${10}",
        "echo $(( (1 + 2) * $(echo 3) )) \"$((1))\"",
        "a=1 b=\"2 3\" c >x d",
        "echo a\\\nb; ec\\\nho c",
        "a &\nb",
        "echo {a,b} [[ a ]] $'x' a!b c#d }",
        "! a | b",
        "cat <<''\nbody\n\necho after",
        "cat <<EOF",
    ] {
        assert!(parse(script).is_ok(), "{script:?}: {:?}", parse(script));
    }
}

#[test]
fn refusals_read_as_those_of_dash() {
    for (script, line, message) in [
        ("if then", 1, "\"then\" unexpected"),
        ("if true", 1, "end of file unexpected (expecting \"then\")"),
        ("if true; then echo a", 1, "end of file unexpected (expecting \"fi\")"),
        ("if true; then", 1, "end of file unexpected (expecting \"fi\")"),
        ("echo a\necho b\nfi", 3, "\"fi\" unexpected"),
        ("for 1 in a; do :; done", 1, "Bad for loop variable"),
        ("echo \"abc", 1, "Unterminated quoted string"),
        ("echo $(echo", 1, "end of file unexpected (expecting \")\")"),
        ("echo `echo", 1, "EOF in backquote substitution"),
        ("echo ${x", 1, "Missing '}'"),
        ("echo $((1+", 1, "Missing '))'"),
        ("a-b() { :; }", 1, "Bad function name"),
        ("echo a >", 1, "end of file unexpected"),
        ("echo a > ; b", 1, "\";\" unexpected"),
        ("echo a | | b", 1, "\"|\" unexpected"),
        ("&& b", 1, "\"&&\" unexpected"),
        (";;", 1, "\";;\" unexpected"),
        ("case x in x) echo a", 1, "end of file unexpected (expecting \";;\")"),
        ("case x y", 1, "word unexpected (expecting \"in\")"),
        ("while true; done", 1, "\"done\" unexpected (expecting \"do\")"),
        ("{ a; ", 1, "end of file unexpected (expecting \"}\")"),
        ("()", 1, "\")\" unexpected"),
    ] {
        let failure = parse(script).unwrap_err();
        assert_eq!((failure.line, failure.message.as_str()), (line, message), "{script:?}");
    }
}

#[test]
fn text_that_may_go_on_says_so() {
    let aliases = Aliases::new();
    for script in
        ["if a\n", "echo 'a\n", "cat <<E\na\n", "a &&\n", "{ a\n", "echo $(a\n", "echo a\\\n", "case x in\n", "f()\n"]
    {
        let parsed = Parser::new(script.as_bytes(), 0, 1, &aliases).line();
        assert!(
            parsed.as_ref().map_or_else(|failure| failure.incomplete, |line| line.incomplete),
            "{script:?} {parsed:?}"
        );
    }
    for script in ["echo a\n", "fi\n", "cat <<E\na\nE\n", "a & b\n", "f() { a; }\n", "echo $(a)\n", "if a; then fi\n"] {
        let parsed = Parser::new(script.as_bytes(), 0, 1, &aliases).line();
        assert!(
            !parsed.as_ref().map_or_else(|failure| failure.incomplete, |line| line.incomplete),
            "{script:?} {parsed:?}"
        );
    }
}

#[test]
fn nesting_is_limited_and_costs_no_more_than_it_is() {
    for (open, close) in [
        ("( ", ")"),
        ("{ ", "; }"),
        ("if ", "; then a; fi"),
        ("case a in a) ", "\nesac"),
        ("echo $(", ")"),
        ("echo \"x$(", ")\""),
        ("echo ${x-", "}"),
        ("echo \"${x-", "}\""),
        ("echo $((", "))"),
    ] {
        let nested = |levels: usize| {
            let inner = if open.starts_with("echo $((") { "1" } else { "a" };
            format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
        };
        let script = nested(40).replace("$((echo ", "$((");
        assert!(parse(&script).is_ok(), "{open}: {:?}", parse(&script));
        let failure = parse(&nested(MAX_NESTING * 4)).unwrap_err();
        assert!(failure.message.contains("nested more than"), "{open}: {}", failure.message);
    }
}

#[test]
fn aliases_are_replaced_where_a_command_begins() {
    let mut aliases = Aliases::new();
    for (name, text) in [
        ("ll", "ls -l"),
        ("sudo", "do "),
        ("then2", "then"),
        ("a", "a b"),
        ("loop", "pool"),
        ("pool", "loop"),
        ("two", "x\ny"),
    ] {
        aliases.insert(name.into(), text.as_bytes().into());
    }
    let shown = |script: &str| {
        let parsed = Parser::new(script.as_bytes(), 0, 1, &aliases).line().unwrap();
        format!("{:?}", parsed.command.unwrap())
    };
    let plain = |script: &str| {
        let parsed = Parser::new(script.as_bytes(), 0, 1, &Aliases::new()).line().unwrap();
        format!("{:?}", parsed.command.unwrap())
    };
    assert_eq!(shown("ll x"), plain("ls -l x"));
    assert_eq!(shown("x ll; \\ll; 'll'"), plain("x ll; \\ll; 'll'"));
    assert_eq!(shown("if c; then2 x; fi"), plain("if c; then x; fi"));
    assert_eq!(shown("a"), plain("a b"));
    assert_eq!(shown("loop"), plain("loop"));
    assert_eq!(shown("x=1 ll"), plain("x=1 ls -l"));
}

#[test]
fn aliases_cannot_grow_without_end() {
    let mut aliases = Aliases::new();
    for level in 0..40 {
        let text = format!("a{} ; a{} ", level + 1, level + 1);
        aliases.insert(format!("a{level}").into_bytes(), text.as_bytes().into());
    }
    let failure = Parser::new(b"a0", 0, 1, &aliases).line().unwrap_err();
    assert!(failure.message.contains("aliases"), "{}", failure.message);
}
