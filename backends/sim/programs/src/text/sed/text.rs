//! The parts of commands that have quoting rules of their own.

use super::script::{Case, Piece};
use super::source::Source;

/// What a delimited text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Quoted {
    Pattern,
    Replacement,
    /// A string of `y`.
    Bytes,
}

/// Reads up to the delimiter; `None` if it does not come. An escaped delimiter loses its backslash,
/// other escapes stay.
pub(super) fn delimited(source: &mut Source, delimiter: u8, kind: Quoted) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    loop {
        let byte = source.next()?;
        if byte == delimiter {
            return Some(text);
        }
        match byte {
            b'\n' if kind == Quoted::Pattern => {
                source.back();
                return None;
            }
            b'\\' => {
                let escaped = source.next()?;
                if escaped == delimiter && !(kind == Quoted::Replacement && escaped == b'&') {
                    text.push(escaped);
                } else if kind == Quoted::Pattern && matches!(escaped, b'n' | b'\n') {
                    text.push(b'\n');
                } else {
                    text.extend([b'\\', escaped]);
                }
            }
            b'[' if kind == Quoted::Pattern => {
                text.push(byte);
                bracket(source, &mut text)?;
            }
            _ => text.push(byte),
        }
    }
}

/// Copies a bracket expression, in which the delimiter means nothing.
fn bracket(source: &mut Source, text: &mut Vec<u8>) -> Option<()> {
    if source.peek() == Some(b'^') {
        text.push(source.next()?);
    }
    let mut first = true;
    loop {
        let byte = source.next()?;
        match byte {
            b'\n' => {
                source.back();
                return None;
            }
            b']' if !first => {
                text.push(byte);
                return Some(());
            }
            b'\\' if source.peek() == Some(b'n') => {
                source.next();
                text.push(b'\n');
            }
            b'[' if matches!(source.peek(), Some(b':' | b'.' | b'=')) => {
                let kind = source.next()?;
                text.extend([byte, kind]);
                let mut last = 0;
                loop {
                    let inner = source.next()?;
                    text.push(inner);
                    if last == kind && inner == b']' {
                        break;
                    }
                    last = inner;
                }
            }
            _ => text.push(byte),
        }
        first = false;
    }
}

/// The byte of an escape that GNU sed has everywhere (`\t`, `\x41`, `\o101`, `\d065`, `\cA`), and how
/// many bytes of the text after the backslash it takes.
fn produced(rest: &[u8]) -> Option<(u8, usize)> {
    let simple = match rest.first()? {
        b'a' => 7,
        b'f' => 12,
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'c' => {
            let byte = rest.get(1)?.to_ascii_uppercase();
            return Some((byte ^ 0x40, 2));
        }
        b'd' => return number(rest, 10, 3),
        b'o' => return number(rest, 8, 3),
        b'x' => return number(rest, 16, 2),
        _ => return None,
    };
    Some((simple, 1))
}

fn number(rest: &[u8], radix: u32, most: usize) -> Option<(u8, usize)> {
    let digits = rest[1..].iter().take(most).take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let text = std::str::from_utf8(&rest[1..=digits]).ok()?;
    let value = u32::from_str_radix(text, radix).ok()?;
    Some(((value & 0xff) as u8, digits + 1))
}

/// Resolves the escapes in a pattern that the regular expressions do not know.
pub(super) fn unescape_pattern(pattern: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(pattern.len());
    let mut at = 0;
    while let Some(&byte) = pattern.get(at) {
        at += 1;
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        if let Some((value, used)) = produced(&pattern[at..]) {
            text.push(value);
            at += used;
        } else {
            text.push(b'\\');
            text.extend(pattern.get(at));
            at += 1;
        }
    }
    text
}

/// Resolves the escapes in a string of `y`.
pub(super) fn unescape_bytes(string: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(string.len());
    let mut at = 0;
    while let Some(&byte) = string.get(at) {
        at += 1;
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        if let Some((value, used)) = produced(&string[at..]) {
            text.push(value);
            at += used;
            continue;
        }
        match string.get(at) {
            Some(b'n') => text.push(b'\n'),
            Some(other) => text.push(*other),
            None => text.push(b'\\'),
        }
        at += 1;
    }
    text
}

/// Cuts a replacement into pieces.
pub(super) fn pieces(replacement: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text: Vec<u8> = Vec::new();
    let mut at = 0;
    let mut push = |text: &mut Vec<u8>, piece: Piece| {
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(text)));
        }
        pieces.push(piece);
    };
    while let Some(&byte) = replacement.get(at) {
        at += 1;
        match byte {
            b'&' => push(&mut text, Piece::Group(0)),
            b'\\' => {
                if let Some((value, used)) = produced(&replacement[at..]) {
                    text.push(value);
                    at += used;
                    continue;
                }
                let Some(&escaped) = replacement.get(at) else { break };
                at += 1;
                match escaped {
                    b'0'..=b'9' => push(&mut text, Piece::Group(usize::from(escaped - b'0'))),
                    b'U' => push(&mut text, Piece::Case(Case::Upper)),
                    b'L' => push(&mut text, Piece::Case(Case::Lower)),
                    b'E' => push(&mut text, Piece::Case(Case::End)),
                    b'u' => push(&mut text, Piece::Case(Case::NextUpper)),
                    b'l' => push(&mut text, Piece::Case(Case::NextLower)),
                    b'n' => text.push(b'\n'),
                    other => text.push(other),
                }
            }
            other => text.push(other),
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces
}

/// The highest group that a replacement refers to.
pub(super) fn highest_group(pieces: &[Piece]) -> usize {
    pieces.iter().map(|piece| if let Piece::Group(group) = piece { *group } else { 0 }).max().unwrap_or(0)
}

/// The text of `a`, `i`, `c`, with a newline at its end; `None` if there is none.
pub(super) fn inserted(source: &mut Source) -> Option<Vec<u8>> {
    source.skip_blanks();
    let mut byte = source.next()?;
    if byte == b'\\' {
        // `a\`, newline, text; or `a\text`, where the backslash keeps leading blanks.
        let mark = source.peek();
        match mark {
            None => return Some(Vec::new()),
            Some(_) => {
                let mut blanks = 0;
                while matches!(source.peek(), Some(b' ' | b'\t')) {
                    source.next();
                    blanks += 1;
                }
                if source.peek() == Some(b'\n') {
                    source.next();
                } else {
                    for _ in 0..blanks {
                        source.back();
                    }
                }
            }
        }
        match source.next() {
            None => return Some(Vec::new()),
            Some(next) => byte = next,
        }
    } else if byte == b'\n' {
        source.back();
        return None;
    }
    let mut text = Vec::new();
    loop {
        match byte {
            b'\n' => break,
            b'\\' => {
                if let Some((value, used)) = produced(source.rest()) {
                    text.push(value);
                    source.advance(used);
                } else {
                    match source.next() {
                        None => break,
                        Some(b'n') => text.push(b'\n'),
                        Some(other) => text.push(other),
                    }
                }
            }
            other => text.push(other),
        }
        match source.next() {
            Some(next) => byte = next,
            None => break,
        }
    }
    text.push(b'\n');
    Some(text)
}
