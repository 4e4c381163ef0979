//! What diff is asked to do.

use super::lines::Ignore;
use super::output::Style;
use crate::shared::fnmatch::{self, MatchOptions};
use crate::shared::posix_regex::{Dialect, Regex, Syntax};
use crate::shared::quote::shell_escaped;
use crate::shared::{Exit, Opt, Spec, Tool, quote};

use super::super::common::{number, parse_diffutils, usage_diffutils};

const SPEC: Spec = Spec::new(
    "[OPTION]... FILES",
    &[
        Opt::flag("", "normal"),
        Opt::flag("q", "brief"),
        Opt::flag("s", "report-identical-files"),
        Opt::flag("c", ""),
        Opt::value("C", ""),
        Opt::optional("", "context"),
        Opt::flag("u", ""),
        Opt::value("U", ""),
        Opt::optional("", "unified"),
        Opt::flag("e", "ed"),
        Opt::flag("n", "rcs"),
        Opt::unsupported("y", "side-by-side"),
        Opt::unsupported("W", "width"),
        Opt::unsupported("p", "show-c-function"),
        Opt::unsupported("F", "show-function-line"),
        Opt::value("L", "label"),
        Opt::unsupported("t", "expand-tabs"),
        Opt::unsupported("T", "initial-tab"),
        Opt::unsupported("l", "paginate"),
        Opt::flag("r", "recursive"),
        Opt::flag("", "no-dereference"),
        Opt::flag("N", "new-file"),
        Opt::flag("P", "unidirectional-new-file"),
        Opt::value("x", "exclude"),
        Opt::unsupported("X", "exclude-from"),
        Opt::unsupported("S", "starting-file"),
        Opt::unsupported("", "from-file"),
        Opt::unsupported("", "to-file"),
        Opt::flag("i", "ignore-case"),
        Opt::unsupported("E", "ignore-tab-expansion"),
        Opt::flag("Z", "ignore-trailing-space"),
        Opt::flag("b", "ignore-space-change"),
        Opt::flag("w", "ignore-all-space"),
        Opt::flag("B", "ignore-blank-lines"),
        Opt::value("I", "ignore-matching-lines"),
        Opt::flag("a", "text"),
        Opt::flag("", "strip-trailing-cr"),
        Opt::flag("d", "minimal"),
        Opt::unsupported("D", "ifdef"),
        Opt::unsupported("", "color"),
    ],
)
.failure(2);

/// Lines of context unless told.
const CONTEXT: usize = 3;

/// What is to be done.
pub(super) struct Job {
    pub(super) style: Style,
    pub(super) brief: bool,
    pub(super) report_identical: bool,
    pub(super) labels: Vec<Vec<u8>>,
    pub(super) recursive: bool,
    pub(super) new_file: bool,
    /// A missing first file counts as empty.
    pub(super) old_file: bool,
    pub(super) ignore: Ignore,
    pub(super) blank_lines: bool,
    pub(super) matching: Option<Regex>,
    pub(super) text: bool,
    pub(super) strip_cr: bool,
    excluded: Vec<Vec<u8>>,
    /// The options as they were typed, for the lines that name a pair of files.
    pub(super) switches: String,
}

impl Job {
    /// Whether `-x` leaves a name out.
    pub(super) fn excludes(&self, name: &[u8]) -> bool {
        self.excluded.iter().any(|glob| fnmatch::matches(glob, name, MatchOptions::default()))
    }
}

/// Reads the options; returns the job and the two files.
pub(super) async fn read(tool: &Tool) -> Result<(Job, [Vec<u8>; 2]), Exit> {
    let args = modern(&tool.args);
    let parsed = parse_diffutils(tool, &SPEC, args).await?;
    let mut style: Option<Style> = None;
    let mut context: Option<usize> = None;
    for (key, value) in &parsed.options {
        let this = match *key {
            "normal" => Style::Normal,
            "ed" => Style::Ed,
            "rcs" => Style::Rcs,
            "c" | "C" | "context" => Style::Context(CONTEXT),
            "u" | "U" | "unified" => Style::Unified(CONTEXT),
            _ => continue,
        };
        if let Some(text) = value {
            let Some(lines) = number(text) else {
                return Err(usage_diffutils(tool, format!("invalid context length {}", quote(text))).await);
            };
            // More context than lines is all lines.
            let lines = usize::try_from(lines).unwrap_or(usize::MAX).min(usize::MAX / 4);
            context = Some(context.map_or(lines, |earlier| earlier.max(lines)));
        }
        let same = |earlier: Style| std::mem::discriminant(&earlier) == std::mem::discriminant(&this);
        if !style.is_none_or(same) {
            return Err(usage_diffutils(tool, "conflicting output style options").await);
        }
        style = Some(this);
    }
    let style = match (style.unwrap_or(Style::Normal), context) {
        (Style::Unified(_), Some(lines)) => Style::Unified(lines),
        (Style::Context(_), Some(lines)) => Style::Context(lines),
        (style, _) => style,
    };
    let matching = match parsed.value("ignore-matching-lines").map(|re| Regex::new(re, Syntax::basic(Dialect::Grep))) {
        None => None,
        Some(Ok(regex)) => Some(regex),
        Some(Err(error)) => {
            let shown = String::from_utf8_lossy(parsed.value("ignore-matching-lines").unwrap_or_default()).into_owned();
            return Err(tool.fail(2, format!("{shown}: {error}")).await);
        }
    };
    let values = |key: &str| -> Vec<Vec<u8>> {
        let given = parsed.options.iter().filter(|(own, _)| *own == key);
        given.map(|(_, value)| value.clone().unwrap_or_default()).collect()
    };
    let labels = values("label");
    if labels.len() > 2 {
        return Err(tool.fail(2, "too many file label options").await);
    }
    let job = Job {
        style,
        brief: parsed.has("brief"),
        report_identical: parsed.has("report-identical-files"),
        labels,
        recursive: parsed.has("recursive"),
        new_file: parsed.has("new-file"),
        old_file: parsed.has("new-file") || parsed.has("unidirectional-new-file"),
        ignore: Ignore {
            case: parsed.has("ignore-case"),
            space_change: parsed.has("ignore-space-change"),
            all_space: parsed.has("ignore-all-space"),
            trailing_space: parsed.has("ignore-trailing-space"),
        },
        blank_lines: parsed.has("ignore-blank-lines"),
        matching,
        text: parsed.has("text"),
        strip_cr: parsed.has("strip-trailing-cr"),
        excluded: values("exclude"),
        switches: switches(&tool.args, &parsed.operands),
    };
    match parsed.operands.as_slice() {
        [old, new] => Ok((job, [old.clone(), new.clone()])),
        [_, _, extra, ..] => Err(usage_diffutils(tool, format!("extra operand {}", quote(extra))).await),
        other => {
            let after = other.last().map_or(tool.name(), Vec::as_slice);
            Err(usage_diffutils(tool, format!("missing operand after {}", quote(after))).await)
        }
    }
}

/// `-u5` and `-5` in their form of today.
fn modern(args: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut changed = Vec::with_capacity(args.len());
    for arg in args {
        match arg.as_slice() {
            [b'-', letter @ (b'u' | b'c'), digits @ ..] if number(digits).is_some() => {
                changed.push([&[b'-', letter.to_ascii_uppercase()][..], digits].concat());
            }
            // Alone it is a context without a style, which means nothing.
            [b'-', digits @ ..] if number(digits).is_some() => {}
            _ => changed.push(arg.clone()),
        }
    }
    changed
}

fn switches(args: &[Vec<u8>], operands: &[Vec<u8>]) -> String {
    let mut left = operands.iter().peekable();
    let mut text = String::new();
    for arg in args {
        if left.next_if(|operand| *operand == arg).is_none() && arg != b"--" {
            text.push(' ');
            text.push_str(&shell_escaped(arg));
        }
    }
    text
}
