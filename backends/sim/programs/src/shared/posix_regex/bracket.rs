//! Bracket expressions: `[a-z]`, `[^[:space:]]`, `[[.-.]]`.

use super::RegexError;
use super::ast::ByteSet;

/// The set of one named class in the C locale.
fn class_by_name(name: &[u8]) -> Option<fn(u8) -> bool> {
    Some(match name {
        b"alpha" => |b| b.is_ascii_alphabetic(),
        b"digit" => |b| b.is_ascii_digit(),
        b"alnum" => |b| b.is_ascii_alphanumeric(),
        b"upper" => |b| b.is_ascii_uppercase(),
        b"lower" => |b| b.is_ascii_lowercase(),
        b"space" => |b| b == b' ' || (9..=13).contains(&b),
        b"blank" => |b| b == b' ' || b == b'\t',
        b"punct" => |b| b.is_ascii_punctuation(),
        b"print" => |b| (b' '..=b'~').contains(&b),
        b"graph" => |b| b.is_ascii_graphic(),
        b"cntrl" => |b| b.is_ascii_control(),
        b"xdigit" => |b| b.is_ascii_hexdigit(),
        _ => return None,
    })
}

/// Puts the bytes of a class such as `alpha` into the set.
pub(super) fn insert_class(set: &mut ByteSet, name: &[u8]) -> Result<(), RegexError> {
    let member = class_by_name(name).ok_or(RegexError::ClassName)?;
    for byte in 0..=255_u8 {
        if member(byte) {
            set.insert(byte);
        }
    }
    Ok(())
}

/// What stands at one place in a bracket expression.
enum Item {
    Byte(u8),
    Class,
}

/// Parses what follows `[`; returns the set and the position after `]`.
pub(super) fn parse(
    pattern: &[u8],
    mut at: usize,
    icase: bool,
    backslash_escapes: bool,
) -> Result<(ByteSet, usize), RegexError> {
    let mut set = ByteSet::default();
    let start = at;
    let negated = pattern.get(at) == Some(&b'^');
    if negated {
        at += 1;
    }
    let first = at;
    if first == pattern.len() {
        return Err(RegexError::EmptyBracket);
    }
    loop {
        match pattern.get(at) {
            None => return Err(RegexError::Bracket),
            Some(b']') if at > first => {
                at += 1;
                break;
            }
            Some(_) => {}
        }
        let (item, next) = parse_item(pattern, at, backslash_escapes, &mut set)?;
        at = next;
        let Item::Byte(low) = item else { continue };
        let is_range = pattern.get(at) == Some(&b'-') && pattern.get(at + 1).is_some_and(|b| *b != b']');
        if !is_range {
            set.insert(low);
            continue;
        }
        let (item, next) = parse_item(pattern, at + 1, backslash_escapes, &mut set)?;
        at = next;
        match item {
            Item::Byte(high) if low <= high => set.insert_range(low, high),
            _ => return Err(RegexError::RangeEnd),
        }
    }
    // `[:space:]` without the outer brackets is a mistake that GNU tools name.
    let whole = &pattern[start..at - 1];
    if whole.len() >= 2 && whole.starts_with(b":") && whole.ends_with(b":") {
        return Err(RegexError::ClassSyntax);
    }
    if icase {
        set.fold_case();
    }
    if negated {
        set.negate();
    }
    Ok((set, at))
}

fn parse_item(
    pattern: &[u8],
    at: usize,
    backslash_escapes: bool,
    set: &mut ByteSet,
) -> Result<(Item, usize), RegexError> {
    let Some(&byte) = pattern.get(at) else { return Err(RegexError::Bracket) };
    if byte == b'\\' && backslash_escapes && at + 1 < pattern.len() {
        let (byte, next) = super::parse::unescape(pattern, at + 1);
        return Ok((Item::Byte(byte), next));
    }
    if byte != b'[' {
        return Ok((Item::Byte(byte), at + 1));
    }
    let Some(&kind @ (b':' | b'.' | b'=')) = pattern.get(at + 1) else { return Ok((Item::Byte(byte), at + 1)) };
    let body = at + 2;
    let Some(length) = pattern[body..].windows(2).position(|pair| pair == [kind, b']']) else {
        return Err(RegexError::Bracket);
    };
    let name = &pattern[body..body + length];
    let next = body + length + 2;
    if kind == b':' {
        insert_class(set, name)?;
        return Ok((Item::Class, next));
    }
    match name {
        [single] => Ok((Item::Byte(*single), next)),
        _ => Err(RegexError::Collation),
    }
}
