//! nl: numbers lines.

use super::common::{chomp, close, lines, open, or_stdin};
use crate::shared::posix_regex::{Dialect, Regex, Syntax};
use crate::shared::{Exit, Opt, Outcome, Parsed, Spec, Tool, quote, quotef};

const SPEC: Spec = Spec::new(
    "[OPTION]... [FILE]...",
    &[
        Opt::value("b", "body-numbering"),
        Opt::value("d", "section-delimiter"),
        Opt::value("f", "footer-numbering"),
        Opt::value("h", "header-numbering"),
        Opt::value("i", "line-increment"),
        Opt::value("l", "join-blank-lines"),
        Opt::value("n", "number-format"),
        Opt::flag("p", "no-renumber"),
        Opt::value("s", "number-separator"),
        Opt::value("v", "starting-line-number"),
        Opt::value("w", "number-width"),
    ],
);

/// The widest number column: more would only serve to exhaust memory.
const MAX_WIDTH: i64 = 1 << 16;

enum Style {
    All,
    NonEmpty,
    None,
    Matching(Box<Regex>),
}

/// The three parts of a page, which lines `\:\:\:`, `\:\:` and `\:` begin.
const SECTIONS: [(&str, &str); 3] = [("header-numbering", "n"), ("body-numbering", "t"), ("footer-numbering", "n")];

struct Job {
    styles: [Style; 3],
    delimiter: Vec<u8>,
    step: i64,
    blanks: i64,
    left: bool,
    zeros: bool,
    renumber: bool,
    separator: Vec<u8>,
    start: i64,
    width: usize,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let job = job(&tool, &parsed).await?;
    let mut number = job.start;
    let mut section = 1;
    let mut blanks = 0;
    let mut code = 0;
    for name in or_stdin(parsed.operands) {
        let fd = match open(&tool, &name).await {
            Ok(fd) => fd,
            Err(errno) => {
                tool.error_errno(quotef(&name), errno).await;
                code = 1;
                continue;
            }
        };
        let mut reader = lines(&tool, fd);
        loop {
            let line = match reader.line().await {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(errno) => {
                    tool.error_errno(quotef(&name), errno).await;
                    code = 1;
                    break;
                }
            };
            let line = chomp(&line);
            if let Some(next) = job.section(line) {
                section = next;
                if job.renumber {
                    number = job.start;
                }
                tool.out.write("\n").await?;
                continue;
            }
            let counted = match &job.styles[section] {
                Style::All if job.blanks > 1 && line.is_empty() => {
                    blanks += 1;
                    blanks == job.blanks
                }
                Style::All => true,
                Style::NonEmpty => !line.is_empty(),
                Style::None => false,
                Style::Matching(regex) => match regex.is_match(line) {
                    Ok(matched) => matched,
                    Err(error) => return Err(tool.fail(1, error.to_string()).await),
                },
            };
            if counted {
                blanks = 0;
                tool.out.write(job.field(number)).await?;
                number = match number.checked_add(job.step) {
                    Some(next) => next,
                    None => return Err(tool.fail(1, "line number overflow").await),
                };
            } else {
                tool.out.write(vec![b' '; job.width + job.separator.len()]).await?;
            }
            tool.out.write([line, b"\n"].concat()).await?;
        }
        close(&tool, fd).await;
    }
    Ok(code)
}

impl Job {
    /// Which section a line begins, if it is a delimiter.
    fn section(&self, line: &[u8]) -> Option<usize> {
        if self.delimiter.is_empty() || line.is_empty() || !line.len().is_multiple_of(self.delimiter.len()) {
            return None;
        }
        let times = line.len() / self.delimiter.len();
        let all = line.chunks(self.delimiter.len()).all(|chunk| chunk == self.delimiter);
        (all && (1..=3).contains(&times)).then(|| 3 - times)
    }

    fn field(&self, number: i64) -> Vec<u8> {
        let width = self.width;
        let text = match (self.left, self.zeros) {
            (true, _) => format!("{number:<width$}"),
            (false, true) => format!("{number:0width$}"),
            (false, false) => format!("{number:>width$}"),
        };
        [text.as_bytes(), &self.separator].concat()
    }
}

async fn job(tool: &Tool, parsed: &Parsed) -> Result<Job, Exit> {
    let mut styles = [Style::None, Style::NonEmpty, Style::None];
    for (index, (key, default)) in SECTIONS.iter().enumerate() {
        let text = parsed.value(key).unwrap_or(default.as_bytes());
        styles[index] = match text {
            b"a" => Style::All,
            b"t" => Style::NonEmpty,
            b"n" => Style::None,
            [b'p', pattern @ ..] => match Regex::new(pattern, Syntax::basic(Dialect::Grep)) {
                Ok(regex) => Style::Matching(Box::new(regex)),
                Err(error) => return Err(tool.fail(1, error.to_string()).await),
            },
            _ => {
                let what = key.replace("-numbering", " numbering style");
                return Err(tool.usage_error(1, format!("invalid {what}: {}", quote(text))).await);
            }
        };
    }
    let integer = async |key: &str, what: &str, default: i64, least: i64, most: i64| {
        let Some(text) = parsed.value(key) else { return Ok(default) };
        match std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok()) {
            Some(value) if (least..=most).contains(&value) => Ok(value),
            Some(_) => {
                let message = format!("invalid {what}: {}: Numerical result out of range", quote(text));
                Err(tool.fail(1, message).await)
            }
            None => Err(tool.fail(1, format!("invalid {what}: {}", quote(text))).await),
        }
    };
    let (left, zeros) = match parsed.value("number-format") {
        None | Some(b"rn") => (false, false),
        Some(b"ln") => (true, false),
        Some(b"rz") => (false, true),
        Some(other) => {
            return Err(tool.usage_error(1, format!("invalid line numbering format: {}", quote(other))).await);
        }
    };
    let delimiter = match parsed.value("section-delimiter") {
        None => b"\\:".to_vec(),
        Some([one]) => vec![*one, b':'],
        Some(given) => given.to_vec(),
    };
    let width = integer("number-width", "line number field width", 6, 1, MAX_WIDTH).await?;
    Ok(Job {
        styles,
        delimiter,
        step: integer("line-increment", "line number increment", 1, i64::MIN, i64::MAX).await?,
        blanks: integer("join-blank-lines", "line number of blank lines", 1, 0, i64::MAX).await?,
        left,
        zeros,
        renumber: !parsed.has("no-renumber"),
        separator: parsed.value("number-separator").unwrap_or(b"\t").to_vec(),
        start: integer("starting-line-number", "starting line number", 1, i64::MIN, i64::MAX).await?,
        width: usize::try_from(width).unwrap_or(6),
    })
}
