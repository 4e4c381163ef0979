//! What grep is asked to do.

use crate::shared::args::Stopped;
use crate::shared::fnmatch::{self, MatchOptions};
use crate::shared::posix_regex::{Around, Dialect, Regex, Syntax};
use crate::shared::{Exit, Opt, Parsed, Spec, Tool, quote};

use super::super::common::{chomp, number, open, read_all};

/// Bytes of one read of a pattern file.
const BLOCK: usize = 4096;

const SPEC: Spec = Spec::new(
    "[OPTION]... PATTERNS [FILE]...",
    &[
        Opt::flag("E", "extended-regexp"),
        Opt::flag("F", "fixed-strings"),
        Opt::flag("G", "basic-regexp"),
        Opt::unsupported("P", "perl-regexp"),
        Opt::value("e", "regexp"),
        Opt::value("f", "file"),
        Opt::flag("iy", "ignore-case"),
        Opt::flag("", "no-ignore-case"),
        Opt::flag("w", "word-regexp"),
        Opt::flag("x", "line-regexp"),
        Opt::flag("z", "null-data"),
        Opt::flag("s", "no-messages"),
        Opt::flag("v", "invert-match"),
        Opt::value("m", "max-count"),
        Opt::flag("b", "byte-offset"),
        Opt::flag("n", "line-number"),
        Opt::flag("", "line-buffered"),
        Opt::flag("H", "with-filename"),
        Opt::flag("h", "no-filename"),
        Opt::value("", "label"),
        Opt::flag("o", "only-matching"),
        Opt::flag("q", "quiet"),
        Opt::flag("", "silent"),
        Opt::value("", "binary-files"),
        Opt::flag("a", "text"),
        Opt::flag("I", ""),
        Opt::value("d", "directories"),
        Opt::unsupported("D", "devices"),
        Opt::flag("r", "recursive"),
        Opt::flag("R", "dereference-recursive"),
        Opt::value("", "include"),
        Opt::value("", "exclude"),
        Opt::unsupported("", "exclude-from"),
        Opt::value("", "exclude-dir"),
        Opt::flag("L", "files-without-match"),
        Opt::flag("l", "files-with-matches"),
        Opt::flag("c", "count"),
        Opt::flag("T", "initial-tab"),
        Opt::flag("Z", "null"),
        Opt::value("A", "after-context"),
        Opt::value("B", "before-context"),
        Opt::value("C", "context"),
        Opt::value("", "group-separator"),
        Opt::flag("", "no-group-separator"),
        Opt::optional("", "color"),
        Opt::optional("", "colour"),
        Opt::flag("U", "binary"),
    ],
)
.failure(2);

/// What is done with directories.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Directories {
    Read,
    Recurse,
    Skip,
}

/// What is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Listing {
    Lines,
    Count,
    Matching,
    NotMatching,
}

/// What is done with files that have NUL bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Binary {
    Report,
    Text,
    WithoutMatch,
}

/// What is to be done.
#[derive(Debug)]
pub(super) struct Job {
    /// `None` matches nothing (an empty pattern file).
    pub(super) regex: Option<Regex>,
    pub(super) invert: bool,
    pub(super) listing: Listing,
    pub(super) only_matching: bool,
    pub(super) quiet: bool,
    /// Standard output is `/dev/null`.
    pub(super) quiet_at_first: bool,
    pub(super) max_count: u64,
    pub(super) line_numbers: bool,
    pub(super) byte_offsets: bool,
    pub(super) with_name: bool,
    pub(super) nul_after_name: bool,
    pub(super) initial_tab: bool,
    pub(super) label: Vec<u8>,
    /// `None` if no context was asked for: then no separators stand between groups.
    pub(super) before: Option<u64>,
    pub(super) after: Option<u64>,
    pub(super) group_separator: Option<Vec<u8>>,
    pub(super) binary: Binary,
    pub(super) line_end: u8,
    pub(super) no_messages: bool,
    pub(super) directories: Directories,
    pub(super) dereference: bool,
    globs: Vec<(bool, Vec<u8>)>,
    directory_globs: Vec<Vec<u8>>,
}

impl Job {
    /// Nothing is shown and the first match ends the run.
    pub(super) fn quiet(&self) -> bool {
        self.quiet || self.quiet_at_first
    }

    /// Whether `--include` and `--exclude` leave a file out.
    pub(super) fn skips_file(&self, name: &[u8], argument: bool) -> bool {
        let base = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
        let hit = |glob: &[u8]| matches(glob, base) || (argument && matches(glob, name));
        // The last one that matches decides; without any, a file is out if the first is an include.
        match self.globs.iter().rev().find(|(_, glob)| hit(glob)) {
            Some((include, _)) => !include,
            None => self.globs.first().is_some_and(|(include, _)| *include),
        }
    }

    /// Whether `--exclude-dir` leaves a directory out.
    pub(super) fn skips_directory(&self, name: &[u8], argument: bool) -> bool {
        let trimmed = name.strip_suffix(b"/").unwrap_or(name);
        if argument && (trimmed == b"." || trimmed.is_empty()) {
            return false;
        }
        self.directory_globs.iter().any(|glob| matches(glob, trimmed))
    }
}

async fn usage(tool: &Tool) -> Exit {
    let name = String::from_utf8_lossy(tool.name()).into_owned();
    tool.stderr(format!("Usage: {name} [OPTION]... PATTERNS [FILE]...\n")).await;
    tool.usage_hint(2).await
}

/// Whether the next argument is this option's value.
fn takes_next(arg: &[u8]) -> bool {
    let Some((b'-', letters)) = arg.split_first() else { return false };
    let last = letters.last().is_some_and(|last| b"efmABCdD".contains(last));
    let earlier = letters.iter().rev().skip(1).any(|letter| b"efmABCdD".contains(letter));
    last && !earlier && !letters.starts_with(b"-")
}

/// `-5` is a context; digits of several options in a row make one number.
fn modern(args: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut changed = Vec::with_capacity(args.len());
    let mut ended = false;
    let mut is_value = false;
    for arg in args {
        ended |= arg == b"--";
        if std::mem::replace(&mut is_value, takes_next(arg)) {
            changed.push(arg.clone());
            is_value = false;
            continue;
        }
        match arg.strip_prefix(b"-") {
            Some(body) if !ended && body.first().is_some_and(u8::is_ascii_digit) => {
                let digits = body.iter().take_while(|byte| byte.is_ascii_digit()).count();
                changed.push([b"-C", &body[..digits]].concat());
                if digits < body.len() {
                    changed.push([b"-", &body[digits..]].concat());
                }
            }
            _ => changed.push(arg.clone()),
        }
    }
    changed
}

fn matches(glob: &[u8], name: &[u8]) -> bool {
    fnmatch::matches(glob, name, MatchOptions::default())
}

/// Reads the options; returns the job and the files.
pub(super) async fn read(tool: &Tool) -> Result<(Job, Vec<Vec<u8>>), Exit> {
    let args = modern(&tool.args);
    let mut parsed = match SPEC.parse(args.clone()) {
        Err(Stopped::Wrong(message)) => {
            let name = String::from_utf8_lossy(tool.name()).into_owned();
            tool.stderr([name.as_bytes(), b": ", &message, b"\n"].concat()).await;
            return Err(usage(tool).await);
        }
        _ => tool.parse_args(&SPEC, args).await?,
    };
    let mut job = job(tool, &parsed).await?;
    let patterns = patterns(tool, &mut parsed).await?;
    let icase = parsed.last_of(&["ignore-case", "no-ignore-case"]) == Some("ignore-case");
    let around = match (parsed.has("line-regexp"), parsed.has("word-regexp")) {
        (true, _) => Around::Line,
        (false, true) => Around::Word,
        (false, false) => Around::Free,
    };
    let compiled = if patterns.is_empty() {
        Ok(None)
    } else if parsed.last_of(&["extended-regexp", "fixed-strings", "basic-regexp"]) == Some("fixed-strings") {
        Regex::fixed(&patterns, icase, around).map(Some)
    } else {
        let extended = parsed.last_of(&["extended-regexp", "fixed-strings", "basic-regexp"]) == Some("extended-regexp");
        let syntax = Syntax { icase, extended, ..Syntax::basic(Dialect::Grep) };
        Regex::any_of(&patterns, syntax, around).map(Some)
    };
    let regex = match compiled {
        Ok(regex) => regex,
        Err(error) => return Err(tool.fail(2, error.to_string()).await),
    };
    for warning in regex.iter().flat_map(Regex::warnings) {
        tool.error(format!("warning: {warning}")).await;
    }
    job.regex = regex;
    job.with_name = match parsed.last_of(&["with-filename", "no-filename"]) {
        Some(given) => given == "with-filename",
        None => parsed.operands.len() > 1 || job.directories == Directories::Recurse,
    };
    Ok((job, parsed.operands))
}

/// The patterns of `-e`, `-f` or the first operand: one a line.
async fn patterns(tool: &Tool, parsed: &mut Parsed) -> Result<Vec<Vec<u8>>, Exit> {
    let mut patterns: Vec<Vec<u8>> = Vec::new();
    let mut given = false;
    for (key, value) in &parsed.options {
        let text = value.as_deref().unwrap_or_default();
        match *key {
            "regexp" => patterns.extend(text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec)),
            "file" => {
                let read = match open(tool, text).await {
                    Ok(fd) => read_all(tool, fd, BLOCK).await,
                    Err(errno) => Err(errno),
                };
                match read {
                    Ok(list) => {
                        // A file without lines has no pattern, an empty line is the empty pattern.
                        patterns.extend(list.split_inclusive(|byte| *byte == b'\n').map(|line| chomp(line).to_vec()));
                    }
                    Err(errno) => return Err(tool.fail_errno(2, text, errno).await),
                }
            }
            _ => continue,
        }
        given = true;
    }
    if !given {
        if parsed.operands.is_empty() {
            return Err(usage(tool).await);
        }
        let first = parsed.operands.remove(0);
        patterns.extend(first.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
    }
    Ok(patterns)
}

async fn job(tool: &Tool, parsed: &Parsed) -> Result<Job, Exit> {
    let color = parsed.value("color").or(parsed.value("colour"));
    if matches!(color, Some(b"always" | b"yes" | b"force")) {
        return Err(tool.fail(2, "option '--color=always' is not supported by the simulated guest").await);
    }
    let max_count = match parsed.value("max-count") {
        None => u64::MAX,
        Some(text) => match (number(text), text.strip_prefix(b"-").and_then(number)) {
            (Some(count), _) => count,
            (None, Some(_)) => u64::MAX,
            (None, None) => return Err(tool.fail(2, "invalid max count").await),
        },
    };
    let mut context = [None, None, None];
    for (place, key) in context.iter_mut().zip(["before-context", "after-context", "context"]) {
        if let Some(text) = parsed.value(key) {
            *place = match number(text) {
                Some(lines) => Some(lines),
                None => {
                    let text = String::from_utf8_lossy(text).into_owned();
                    return Err(tool.fail(2, format!("{text}: invalid context length argument")).await);
                }
            };
        }
    }
    let [before, after, both] = context;
    let binary = match parsed.last_of(&["binary-files", "text", "I"]) {
        Some("text") => Binary::Text,
        Some("I") => Binary::WithoutMatch,
        Some(_) => match parsed.value("binary-files") {
            Some(b"binary") => Binary::Report,
            Some(b"text") => Binary::Text,
            Some(b"without-match") => Binary::WithoutMatch,
            _ => return Err(tool.fail(2, "unknown binary-files type").await),
        },
        None => Binary::Report,
    };
    let directories = match parsed.last_of(&["directories", "recursive", "dereference-recursive"]) {
        None => Directories::Read,
        Some("directories") => match parsed.value("directories") {
            Some(b"read") => Directories::Read,
            Some(b"recurse") => Directories::Recurse,
            Some(b"skip") => Directories::Skip,
            other => {
                let text = quote(other.unwrap_or_default());
                tool.error(format!("invalid argument {text} for '--directories'")).await;
                tool.stderr("Valid arguments are:\n  - 'read'\n  - 'recurse'\n  - 'skip'\n").await;
                usage(tool).await;
                return Err(Exit(1));
            }
        },
        Some(_) => Directories::Recurse,
    };
    let listing = match parsed.last_of(&["files-with-matches", "files-without-match"]) {
        Some("files-with-matches") => Listing::Matching,
        Some(_) => Listing::NotMatching,
        None if parsed.has("count") => Listing::Count,
        None => Listing::Lines,
    };
    if parsed.has("line-buffered") {
        tool.out.set_line_buffered(true);
    }
    let values = |key: &str| -> Vec<Vec<u8>> {
        let given = parsed.options.iter().filter(|(own, _)| *own == key);
        given.map(|(_, value)| value.clone().unwrap_or_default()).collect()
    };
    let globs = parsed.options.iter().filter_map(|(key, value)| {
        let include = match *key {
            "include" => true,
            "exclude" => false,
            _ => return None,
        };
        Some((include, value.clone().unwrap_or_default()))
    });
    let separator = match parsed.last_of(&["group-separator", "no-group-separator"]) {
        Some("no-group-separator") => None,
        Some(_) => parsed.value("group-separator").map(<[u8]>::to_vec),
        None => Some(b"--".to_vec()),
    };
    Ok(Job {
        regex: None,
        invert: parsed.has("invert-match"),
        listing,
        only_matching: parsed.has("only-matching"),
        quiet: parsed.has("quiet") || parsed.has("silent"),
        quiet_at_first: false,
        max_count,
        line_numbers: parsed.has("line-number"),
        byte_offsets: parsed.has("byte-offset"),
        with_name: false,
        nul_after_name: parsed.has("null"),
        initial_tab: parsed.has("initial-tab"),
        label: parsed.value("label").unwrap_or(b"(standard input)").to_vec(),
        before: before.or(both),
        after: after.or(both),
        group_separator: separator,
        binary,
        line_end: if parsed.has("null-data") { 0 } else { b'\n' },
        no_messages: parsed.has("no-messages"),
        directories,
        dereference: parsed.has("dereference-recursive"),
        globs: globs.collect(),
        directory_globs: values("exclude-dir"),
    })
}
