//! Programs on the bare machine, and the limits.

use super::code::Variable;
use super::machine::{Machine, Pause};
use super::parser::MAX_NESTING;
use super::value::Value;
use super::{compile, parser};

fn machine(source: &str) -> Result<Machine, String> {
    let code = parser::parse(source.as_bytes()).and_then(|tree| compile::compile(&tree));
    let code = code.map_err(|error| format!("{}: {}", error.line, error.message))?;
    Ok(Machine::new(code))
}

/// Runs the BEGIN actions: what they print, or the fault.
fn run(source: &str) -> Result<String, String> {
    let mut machine = machine(source)?;
    machine.start(machine.code.begin);
    let mut output = String::new();
    loop {
        match machine.run()? {
            Pause::Tired(_) => {}
            Pause::Print { to: None, data } => output.push_str(&String::from_utf8_lossy(&data)),
            Pause::End | Pause::Exit => return Ok(output),
            other => return Err(format!("{other:?}")),
        }
    }
}

fn shown(expression: &str) -> String {
    run(&format!("BEGIN {{print {expression}}}")).unwrap_or_else(|fault| fault).trim_end().to_owned()
}

fn error(source: &str) -> String {
    machine(source).err().unwrap_or_else(|| "no error".to_owned())
}

#[test]
fn operators_bind_as_they_should() {
    for (expression, expected) in [
        ("-2^2", "-4"),
        ("2^3^2", "512"),
        ("2**3", "8"),
        ("2^-1", "0.5"),
        ("!x + 1", "2"),
        ("1 - 1 - 1", "-1"),
        ("1 \" \" -1", "1-1"),
        ("-12 \" \" -24", "-12-24"),
        ("2 * 3 4", "64"),
        ("1 == 1 == 1", "1"),
        ("1 ? 2 ? 3 : 4 : 5", "3"),
        ("(1 > 2) \"x\"", "0x"),
        ("\"a\" ~ \"a\" \"\"", "1"),
        ("1 in a", "0"),
        ("(1, 2) in a", "0"),
        ("x = 3 y", "3"),
        ("1 || x = 5", "1"),
        ("n++ + ++n", "2"),
        ("$1 = 5, $1", "5 5"),
        ("length \"x\"", "0x"),
    ] {
        assert_eq!(shown(expression), expected, "{expression}");
    }
}

#[test]
fn errors_name_their_line() {
    assert_eq!(error("BEGIN {\nprint (1, 2}"), "2: syntax error at or near }");
    assert_eq!(error("BEGIN {print \"a"), "1: runaway string constant \"a ...");
    assert_eq!(error("/abc"), "1: runaway regular expression /abc ...");
    assert_eq!(error("BEGIN {\n\nf(1)}"), "3: function f never defined");
    assert_eq!(
        error("BEGIN {gensub(1)}"),
        "1: function gensub is an extension that the awk of the simulated guest does not have"
    );
    assert_eq!(error("BEGIN {print 1"), "1: missing } near end of file");
    assert_eq!(error("BEGIN {next}"), "1: improper use of next");
    assert_eq!(error("BEGIN {a[1]; a = 1}"), "0: illegal reference to array a");
    assert_eq!(error("BEGIN {print (1, 2) 3}"), "0: syntax error: a list in parentheses stands where no list can");
    assert!(error("/(/").contains("regular expression compile failed"));
    assert_eq!(error("BEGIN {print \"x\" |& \"cat\"}"), "1: syntax error at or near |&");
    assert_eq!(error("@include \"x\""), "1: syntax error at or near @");
}

#[test]
fn nesting_is_limited_and_the_limit_fits_the_stack() {
    let deep = |open: &str, close: &str, count: usize| {
        error(&format!("BEGIN {{x = {}1{}}}", open.repeat(count), close.repeat(count)))
    };
    for (open, close) in [("(", ")"), ("!", ""), ("- ", ""), ("$", ""), ("f[", "]"), ("1 ? ", " : 2"), ("2 ^ ", "")] {
        assert_eq!(deep(open, close, MAX_NESTING / 2), "no error", "{open}");
        for count in [MAX_NESTING + 10, 20_000] {
            assert!(deep(open, close, count).contains("nested deeper"), "{open}");
        }
    }
    for (open, close) in [("", " + 1"), ("", " \"x\""), ("", " || 1"), ("(", " + 1)")] {
        let wrong = deep(open, close, 20_000);
        assert!(wrong.contains("nested deeper") || wrong.contains("in a row"), "{open}{close}");
    }
    assert_eq!(deep("", " \"x\"", 990), "no error");
    // Chains in parentheses in chains: high trees that are nested, too.
    let step = format!("1{} ^ (", " * 2".repeat(9));
    assert_eq!(deep(&step, ") || 1 && 2", MAX_NESTING / 4), "no error");
    for chain in [" in a", " | getline"] {
        assert!(deep("", chain, 20_000).contains("nested deeper"), "{chain}");
    }
    for open in ["{", "if (1) ", "while (1) ", "for (k in a) ", "do "] {
        assert!(error(&format!("BEGIN {{{}", open.repeat(20_000))).contains("nested deeper"), "{open}");
    }
    assert!(error(&format!("/{}/", "(".repeat(20_000))).contains("compile failed"));
}

#[test]
fn memory_is_limited() {
    assert!(run("BEGIN {s = \"x\"; while (1) s = s s}").unwrap_err().contains("out of memory"));
    assert!(run("BEGIN {s = sprintf(\"%900000d\", 1); while (1) a[n++] = s n}").unwrap_err().contains("out of memory"));
    assert!(run("BEGIN {$2e9 = 1}").unwrap_err().contains("larger than"));
    assert!(run("BEGIN {NF = 2e9}").unwrap_err().contains("larger than"));
    assert!(run("function f() {f()} BEGIN {f()}").unwrap_err().contains("calls deep"));
    assert!(run("BEGIN {s = sprintf(\"%900000d\", 1); gsub(/ /, s, s)}").unwrap_err().contains("more than"));
}

#[test]
fn an_endless_loop_lets_others_run() {
    let mut machine = machine("BEGIN {while (1) {}}").unwrap();
    machine.start(machine.code.begin);
    for _ in 0..3 {
        assert!(matches!(machine.run(), Ok(Pause::Tired(1..))));
    }
}

#[test]
fn arrays_pass_by_reference_even_before_they_are_any() {
    let source = "function g(b) {b[1] = 5} function f(a) {g(a)} BEGIN {f(x); f(y); print x[1] + y[1], length(x)}";
    assert_eq!(run(source), Ok("10 1\n".into()));
    assert_eq!(run("function f(a) {a[1] = 1} BEGIN {x = 1; f(x)}"), Err("a scalar is used as an array".into()));
    assert_eq!(run("function f(a) {return a + 1} BEGIN {x[1]; f(x)}"), Err("an array is used as a scalar".into()));
    assert_eq!(run("function f(a) {return a} BEGIN {x[1]; y = f(x)}"), Err("an array is used as a scalar".into()));
}

#[test]
fn what_getline_reads_is_input() {
    let mut machine = machine("BEGIN {getline x; getline a[\"k\"]; r = (x < 9) a[\"k\"]}").unwrap();
    machine.start(machine.code.begin);
    loop {
        match machine.run().unwrap() {
            Pause::Getline { into, .. } => machine.got_record(b" 10 ".to_vec(), into).unwrap(),
            Pause::End => break,
            _ => {}
        }
    }
    let number = machine.code.globals.iter().position(|(name, _)| name == "r").unwrap();
    assert!(matches!(machine.load(super::code::Place::Variable(Variable::Global(number)), &Value::Unset),
        Ok(Value::Text(text)) if *text == *b"0 10 "));
}
