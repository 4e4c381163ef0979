//! The substitution of `s`.

use super::script::{Case, Piece, Substitution};
use crate::shared::posix_regex::{MatchError, Regex, Spans};

/// Replaces matches in `line`; `None` if nothing was replaced.
pub(super) fn substitute(line: &[u8], job: &Substitution, regex: &Regex) -> Result<Option<Vec<u8>>, MatchError> {
    let mut out = Vec::new();
    let mut spans = Spans::default();
    let mut start = 0;
    let mut count = 0;
    let mut replaced = false;
    let mut last_end: Option<usize> = None;
    while start <= line.len() && regex.captures_at(line, start, &mut spans)? {
        let (low, high) = spans.whole();
        out.extend_from_slice(&line[start..low]);
        if low == high && last_end == Some(low) {
            // An empty match right behind a match is none.
            out.extend(line.get(low));
            start = low + 1;
            continue;
        }
        count += 1;
        if count < job.number {
            out.extend_from_slice(&line[low..high]);
        } else {
            replaced = true;
            append(&mut out, job, line, &spans);
        }
        last_end = Some(high);
        start = high;
        if low == high {
            out.extend(line.get(low));
            start += 1;
        }
        if replaced && !job.global {
            break;
        }
    }
    if !replaced {
        return Ok(None);
    }
    out.extend_from_slice(line.get(start..).unwrap_or_default());
    Ok(Some(out))
}

fn append(out: &mut Vec<u8>, job: &Substitution, line: &[u8], spans: &Spans) {
    let mut lasting = Case::End;
    let mut next = Case::End;
    for piece in &job.pieces {
        let text = match piece {
            Piece::Case(case @ (Case::NextUpper | Case::NextLower)) => {
                next = *case;
                continue;
            }
            Piece::Case(case) => {
                lasting = *case;
                next = Case::End;
                continue;
            }
            Piece::Text(text) => text.as_slice(),
            Piece::Group(group) => spans.group(*group).map_or(&[][..], |(low, high)| &line[low..high]),
        };
        for &byte in text {
            let changed = match std::mem::replace(&mut next, Case::End) {
                Case::NextUpper => byte.to_ascii_uppercase(),
                Case::NextLower => byte.to_ascii_lowercase(),
                _ => match lasting {
                    Case::Upper => byte.to_ascii_uppercase(),
                    Case::Lower => byte.to_ascii_lowercase(),
                    _ => byte,
                },
            };
            out.push(changed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::script::Substitution;
    use super::super::text::pieces;
    use super::substitute;
    use crate::shared::posix_regex::{Dialect, Regex, Syntax};

    fn run(pattern: &str, replacement: &str, global: bool, number: u64, line: &str) -> String {
        let regex = Rc::new(Regex::new(pattern.as_bytes(), Syntax::basic(Dialect::Sed)).expect("valid"));
        let job = Substitution {
            pattern: Some(Rc::clone(&regex)),
            pieces: pieces(replacement.as_bytes()),
            global,
            print: false,
            number,
            write: None,
        };
        let out = substitute(line.as_bytes(), &job, &regex).expect("few steps");
        String::from_utf8(out.unwrap_or_else(|| line.as_bytes().to_vec())).expect("ascii")
    }

    #[test]
    fn matches_are_counted_and_replaced() {
        assert_eq!(run("b*", "X", true, 1, "abc"), "XaXcX");
        assert_eq!(run("b*", "X", false, 2, "abc"), "aXc");
        assert_eq!(run("x*", "-", true, 1, "abc"), "-a-b-c-");
        assert_eq!(run("a", "<&>", true, 2, "aaa"), "a<a><a>");
        assert_eq!(run(r"\(a\)\(b\)", r"\2\n\1\&", false, 1, "xab"), "xb\na&");
        assert_eq!(run(r"\(.*\)", r"\u\1-\U\1\E-\1", false, 1, "abc"), "Abc-ABC-abc");
    }
}
