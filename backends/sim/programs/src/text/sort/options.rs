//! What sort is asked to do.

use super::key::{Key, Kind, Order};
use crate::shared::{Exit, Opt, Parsed, Spec, Tool, quote};

use super::super::common::or_stdin;

const SPEC: Spec = Spec::new(
    "[OPTION]... [FILE]...",
    &[
        Opt::flag("b", "ignore-leading-blanks"),
        Opt::flag("d", "dictionary-order"),
        Opt::flag("f", "ignore-case"),
        Opt::flag("g", "general-numeric-sort"),
        Opt::flag("i", "ignore-nonprinting"),
        Opt::flag("M", "month-sort"),
        Opt::flag("h", "human-numeric-sort"),
        Opt::flag("n", "numeric-sort"),
        Opt::flag("R", "random-sort"),
        Opt::unsupported("", "random-source"),
        Opt::flag("r", "reverse"),
        Opt::value("", "sort"),
        Opt::flag("V", "version-sort"),
        Opt::unsupported("", "batch-size"),
        Opt::flag("C", ""),
        Opt::flag("c", ""),
        Opt::optional("", "check"),
        Opt::unsupported("", "compress-program"),
        Opt::unsupported("", "debug"),
        Opt::unsupported("", "files0-from"),
        Opt::value("k", "key"),
        Opt::flag("m", "merge"),
        Opt::value("o", "output"),
        Opt::flag("s", "stable"),
        Opt::unsupported("S", "buffer-size"),
        Opt::value("t", "field-separator"),
        Opt::unsupported("T", "temporary-directory"),
        Opt::unsupported("", "parallel"),
        Opt::flag("u", "unique"),
        Opt::flag("z", "zero-terminated"),
    ],
)
.failure(2);

/// What to say about disorder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Check {
    Diagnose,
    Quiet,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) keys: Vec<Key>,
    /// The order of whole lines that the keys leave equal.
    pub(super) reverse: bool,
    pub(super) separator: Option<u8>,
    pub(super) unique: bool,
    pub(super) stable: bool,
    pub(super) merge: bool,
    pub(super) check: Option<Check>,
    pub(super) output: Option<Vec<u8>>,
    pub(super) line_end: u8,
    /// Mixed into the hashes of `-R`.
    pub(super) salt: Vec<u8>,
}

const LETTERS: &[(&str, u8)] = &[
    ("ignore-leading-blanks", b'b'),
    ("dictionary-order", b'd'),
    ("ignore-case", b'f'),
    ("general-numeric-sort", b'g'),
    ("ignore-nonprinting", b'i'),
    ("month-sort", b'M'),
    ("human-numeric-sort", b'h'),
    ("numeric-sort", b'n'),
    ("random-sort", b'R'),
    ("reverse", b'r'),
    ("version-sort", b'V'),
];

const SORTS: &[(&str, u8)] = &[
    ("general-numeric", b'g'),
    ("human-numeric", b'h'),
    ("month", b'M'),
    ("numeric", b'n'),
    ("random", b'R'),
    ("version", b'V'),
];

/// Reads the options; returns the job and the files.
pub(super) async fn read(tool: &Tool) -> Result<(Job, Vec<Vec<u8>>), Exit> {
    let parsed = tool.parse(&SPEC).await?;
    let mut order = Order::default();
    let mut keys: Vec<Key> = Vec::new();
    let mut output: Option<Vec<u8>> = None;
    for (name, value) in &parsed.options {
        let text = value.as_deref().unwrap_or_default();
        if let Some((_, letter)) = LETTERS.iter().find(|(known, _)| known == name) {
            order.add(*letter, true, true);
        }
        match *name {
            "sort" => {
                let found = SORTS.iter().filter(|(word, _)| word.as_bytes().starts_with(text)).collect::<Vec<_>>();
                let [(_, letter)] = found.as_slice() else {
                    let words: String = SORTS.iter().map(|(word, _)| format!("  - '{word}'\n")).collect();
                    return Err(invalid_word(tool, text, "sort", &words).await);
                };
                order.add(*letter, true, true);
            }
            "key" => match Key::parse(text) {
                Ok(key) => keys.push(key),
                Err(message) => return Err(tool.fail(2, message).await),
            },
            "output" => {
                if output.as_deref().is_some_and(|earlier| earlier != text) {
                    return Err(tool.fail(2, "multiple output files specified").await);
                }
                output = Some(text.to_vec());
            }
            _ => {}
        }
    }
    let separator = separator(tool, &parsed).await?;
    let check = check(tool, &parsed).await?;
    for key in &mut keys {
        // A key without options of its own takes the general ones.
        if key.order.is_default() && !key.order.reverse {
            key.order = order;
        }
    }
    if keys.is_empty() && !order.is_default() {
        keys.push(Key::whole(order));
    }
    for key in keys.iter().map(|key| &key.order).chain([&order]) {
        if let Some(letters) = key.conflict() {
            return Err(tool.fail(2, format!("options '-{letters}' are incompatible")).await);
        }
    }
    if check.is_some() {
        let letter = if check == Some(Check::Diagnose) { 'c' } else { 'C' };
        if let Some(extra) = parsed.operands.get(1) {
            return Err(tool.fail(2, format!("extra operand {} not allowed with -{letter}", quote(extra))).await);
        }
        if output.is_some() {
            return Err(tool.fail(2, format!("options '-{letter}o' are incompatible")).await);
        }
    }
    let random = keys.iter().any(|key| key.order.kind == Kind::Random);
    let salt = if random { tool.sys.getrandom(16).await } else { Vec::new() };
    let job = Job {
        keys,
        reverse: order.reverse,
        separator,
        unique: parsed.has("unique"),
        stable: parsed.has("stable"),
        merge: parsed.has("merge"),
        check,
        output,
        line_end: if parsed.has("zero-terminated") { 0 } else { b'\n' },
        salt,
    };
    Ok((job, or_stdin(parsed.operands)))
}

async fn invalid_word(tool: &Tool, text: &[u8], option: &str, valid: &str) -> Exit {
    tool.error(format!("invalid argument {} for '--{option}'", quote(text))).await;
    tool.stderr(format!("Valid arguments are:\n{valid}")).await;
    // Unlike all other errors of sort, this one ends with 1.
    tool.usage_hint(1).await
}

async fn separator(tool: &Tool, parsed: &Parsed) -> Result<Option<u8>, Exit> {
    Ok(match parsed.value("field-separator") {
        None => None,
        Some([]) => return Err(tool.fail(2, "empty tab").await),
        Some([one]) => Some(*one),
        Some(b"\\0") => Some(0),
        Some(text) => return Err(tool.fail(2, format!("multi-character tab {}", quote(text))).await),
    })
}

async fn check(tool: &Tool, parsed: &Parsed) -> Result<Option<Check>, Exit> {
    let mut check = None;
    for (name, value) in &parsed.options {
        let this = match (*name, value.as_deref()) {
            ("c", _) | ("check", None) => Check::Diagnose,
            ("C", _) => Check::Quiet,
            ("check", Some(b"quiet" | b"silent")) => Check::Quiet,
            ("check", Some(b"diagnose-first")) => Check::Diagnose,
            ("check", Some(text)) => {
                let valid = "  - 'quiet', 'silent'\n  - 'diagnose-first'\n";
                return Err(invalid_word(tool, text, "check", valid).await);
            }
            _ => continue,
        };
        if check.is_some_and(|earlier| earlier != this) {
            return Err(tool.fail(2, "options '-cC' are incompatible").await);
        }
        check = Some(this);
    }
    Ok(check)
}
