//! Patterns, separators, and replacement.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::value::{Text, Value};
use crate::shared::posix_regex::{Dialect, Regex, Syntax};

/// Patterns made at run time that are kept compiled. Programs use a few of them over and over; one that
/// makes more starts again with none.
const MAX_KEPT: usize = 200;

/// What ends a program: its message.
pub(super) type Fault = String;

/// Compiles a pattern.
pub(super) fn compile(pattern: &[u8]) -> Result<Regex, Fault> {
    Regex::new(pattern, Syntax::extended(Dialect::Awk))
        .map_err(|error| format!("regular expression compile failed ({error})\n{}", String::from_utf8_lossy(pattern)))
}

/// Compiled patterns by their text.
#[derive(Debug, Default)]
pub(super) struct Patterns(BTreeMap<Text, Rc<Regex>>);

impl Patterns {
    pub(super) fn get(&mut self, pattern: &Text) -> Result<Rc<Regex>, Fault> {
        if let Some(known) = self.0.get(pattern) {
            return Ok(Rc::clone(known));
        }
        if self.0.len() >= MAX_KEPT {
            self.0.clear();
        }
        let regex = Rc::new(compile(pattern)?);
        self.0.insert(Rc::clone(pattern), Rc::clone(&regex));
        Ok(regex)
    }
}

/// Whether the text has a match.
pub(super) fn is_match(regex: &Regex, text: &[u8]) -> Result<bool, Fault> {
    regex.is_match(text).map_err(|error| error.to_string())
}

/// The first match at or after `start`.
pub(super) fn find(regex: &Regex, text: &[u8], start: usize) -> Result<Option<(usize, usize)>, Fault> {
    regex.find_at(text, start).map_err(|error| error.to_string())
}

/// What stands between fields.
#[derive(Clone, Debug)]
pub(super) enum Fields {
    /// Runs of blanks and newlines; those at the ends separate nothing.
    Blanks,
    /// One byte; a newline too in paragraph mode.
    Byte {
        byte: u8,
        newline: bool,
    },
    Regex(Rc<Regex>),
    /// Each byte is a field.
    Bytes,
}

impl Fields {
    /// The meaning of `FS`.
    pub(super) fn new(separator: &Text, paragraphs: bool, patterns: &mut Patterns) -> Result<Fields, Fault> {
        Ok(match separator.as_ref() {
            b" " => Fields::Blanks,
            b"" => Fields::Bytes,
            [byte] => Fields::Byte { byte: *byte, newline: paragraphs },
            pattern if paragraphs => Fields::Regex(patterns.get(&[b"(", pattern, b")|\n"].concat().into())?),
            _ => Fields::Regex(patterns.get(separator)?),
        })
    }

    /// Splits text into fields, of which there may be at most `most`.
    pub(super) fn split(&self, text: &[u8], most: usize) -> Result<Vec<Value>, Fault> {
        let mut fields = Vec::new();
        if text.is_empty() {
            return Ok(fields);
        }
        let mut push = |field: &[u8]| {
            if fields.len() >= most {
                return Err(format!("more than {most} fields"));
            }
            fields.push(Value::Input(field.into()));
            Ok(())
        };
        match self {
            Fields::Blanks => {
                let words = text.split(|byte| matches!(byte, b' ' | b'\t' | b'\n'));
                words.filter(|word| !word.is_empty()).try_for_each(push)?;
            }
            Fields::Byte { byte, newline } => {
                text.split(|found| found == byte || (*newline && *found == b'\n')).try_for_each(push)?;
            }
            Fields::Bytes => text.chunks(1).try_for_each(push)?,
            Fields::Regex(regex) => {
                let (mut begin, mut from) = (0, 0);
                while let Some((low, high)) = find(regex, text, from)? {
                    if high == low {
                        // An empty match separates nothing.
                        from = high + 1;
                        continue;
                    }
                    push(&text[begin..low])?;
                    (begin, from) = (high, high);
                }
                push(&text[begin..])?;
            }
        }
        Ok(fields)
    }
}

/// A replacement, taken apart.
enum Piece<'a> {
    Plain(&'a [u8]),
    Match,
}

/// `&` stands for the match. Backslashes before it: each pair for one of them, an odd one takes the
/// meaning from the ampersand.
fn pieces(replacement: &[u8]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut begin, mut at) = (0, 0);
    while at < replacement.len() {
        let backslashes = replacement[at..].iter().take_while(|byte| **byte == b'\\').count();
        let ampersand = at + backslashes;
        if replacement.get(ampersand) != Some(&b'&') {
            at = ampersand + 1;
            continue;
        }
        pieces.push(Piece::Plain(&replacement[begin..at + backslashes / 2]));
        begin = ampersand;
        if backslashes % 2 == 0 {
            pieces.push(Piece::Match);
            begin += 1;
        }
        at = ampersand + 1;
    }
    pieces.push(Piece::Plain(&replacement[begin..]));
    pieces
}

/// The text with its first match, or all of them, replaced, and how many there were.
pub(super) fn substitute(
    regex: &Regex,
    replacement: &[u8],
    text: &[u8],
    global: bool,
    most: usize,
) -> Result<(Vec<u8>, usize), Fault> {
    let pieces = pieces(replacement);
    let mut result = Vec::with_capacity(text.len());
    let (mut copied, mut from, mut count) = (0, 0, 0);
    let mut last_end = None;
    while let Some((low, high)) = find(regex, text, from)? {
        // An empty match right behind another match is part of it.
        if !(low == high && last_end == Some(low)) {
            count += 1;
            result.extend_from_slice(&text[copied..low]);
            for piece in &pieces {
                result.extend_from_slice(match piece {
                    Piece::Plain(plain) => plain,
                    Piece::Match => &text[low..high],
                });
            }
            copied = high;
            if result.len() > most {
                return Err(format!("a string of more than {most} bytes"));
            }
        }
        last_end = Some(high);
        from = if high == low { high + 1 } else { high };
        if !global || from > text.len() {
            break;
        }
    }
    result.extend_from_slice(&text[copied..]);
    Ok((result, count))
}

#[cfg(test)]
mod tests {
    use super::{Fields, Patterns, compile, substitute};

    fn sub(pattern: &str, replacement: &str, text: &str) -> (String, usize) {
        let regex = compile(pattern.as_bytes()).unwrap();
        let (result, count) = substitute(&regex, replacement.as_bytes(), text.as_bytes(), true, 100).unwrap();
        (String::from_utf8(result).unwrap(), count)
    }

    #[test]
    fn replacements_take_the_match_or_an_ampersand() {
        assert_eq!(sub("l", "[&]", "hello"), ("he[l][l]o".into(), 2));
        assert_eq!(sub("x*", "-", "abc"), ("-a-b-c-".into(), 4));
        assert_eq!(sub("b*", "-", "abc"), ("-a-c-".into(), 3));
        assert_eq!(sub("a", r"\&", "a"), ("&".into(), 1));
        assert_eq!(sub("a", r"\\&", "a"), (r"\a".into(), 1));
        assert_eq!(sub("a", r"\\\&", "a"), (r"\&".into(), 1));
        assert_eq!(sub("a", r"\q", "a"), (r"\q".into(), 1));
        assert_eq!(sub("^", ">", "ab"), (">ab".into(), 1));
        assert_eq!(sub("$", "<", "ab"), ("ab<".into(), 1));
        assert!(substitute(&compile(b"a").unwrap(), b"bbbb", b"aaaa", true, 10).is_err());
    }

    #[test]
    fn fields_are_separated_by_blanks_bytes_or_patterns() {
        let split = |separator: &[u8], paragraphs, text: &[u8]| -> Vec<String> {
            let fields = Fields::new(&separator.into(), paragraphs, &mut Patterns::default()).unwrap();
            let values = fields.split(text, 10).unwrap();
            values.iter().map(|value| String::from_utf8_lossy(&value.to_text(b"")).into_owned()).collect()
        };
        assert_eq!(split(b" ", false, b"  a \t b\n"), ["a", "b"]);
        assert_eq!(split(b"|", false, b"|a||"), ["", "a", "", ""]);
        assert_eq!(split(b":+", false, b"a::b:c"), ["a", "b", "c"]);
        assert_eq!(split(b":", true, b"a:b\nc"), ["a", "b", "c"]);
        assert_eq!(split(b", *", true, b"a, b\nc"), ["a", "b", "c"]);
        assert_eq!(split(b"", false, b"abc"), ["a", "b", "c"]);
        assert_eq!(split(b"x*", false, b"axxb"), ["a", "b"]);
        assert!(split(b" ", false, b"").is_empty());
    }
}
