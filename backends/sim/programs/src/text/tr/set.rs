//! The strings of `tr`: escapes, ranges, classes, repeats.

use crate::shared::quote::{c_escaped, quote};

/// A class that stands for the other case when both strings have one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Case {
    Upper,
    Lower,
}

/// One construct of a string.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Item {
    Range(u8, u8),
    Class(&'static str, Option<Case>),
    Equivalence(u8),
    /// `[c*n]`; no count means as many as needed.
    Repeat(u8, Option<u64>),
}

impl Item {
    /// How many bytes it stands for; `fill` is the length of a repeat without count.
    pub(super) fn len(&self, fill: usize) -> usize {
        match self {
            Item::Range(low, high) => usize::from(high - low) + 1,
            Item::Class(name, _) => class(name).map_or(0, |member| (0..=255_u8).filter(|byte| member(*byte)).count()),
            Item::Equivalence(_) => 1,
            Item::Repeat(_, count) => count.map_or(fill, |count| usize::try_from(count).unwrap_or(usize::MAX)),
        }
    }
}

/// A parsed string.
#[derive(Debug)]
pub(super) struct Operand {
    pub(super) items: Vec<Item>,
}

const CLASSES: &[&str] =
    &["alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "xdigit"];

/// The most bytes that a string is expanded to: there are 256 to translate.
const MAX_EXPANDED: usize = 1 << 16;

fn class(name: &str) -> Option<fn(u8) -> bool> {
    Some(match name {
        "alnum" => |b| b.is_ascii_alphanumeric(),
        "alpha" => |b| b.is_ascii_alphabetic(),
        "blank" => |b| b == b' ' || b == b'\t',
        "cntrl" => |b| b.is_ascii_control(),
        "digit" => |b| b.is_ascii_digit(),
        "graph" => |b| b.is_ascii_graphic(),
        "lower" => |b| b.is_ascii_lowercase(),
        "print" => |b| (b' '..=b'~').contains(&b),
        "punct" => |b| b.is_ascii_punctuation(),
        "space" => |b| b == b' ' || (9..=13).contains(&b),
        "upper" => |b| b.is_ascii_uppercase(),
        "xdigit" => |b| b.is_ascii_hexdigit(),
        _ => return None,
    })
}

impl Operand {
    pub(super) fn parse(text: &[u8]) -> Result<Operand, String> {
        let bytes = unescape(text);
        let mut items = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            if let Some((item, next)) = bracket(&bytes, at)? {
                items.push(item);
                at = next;
                continue;
            }
            let (low, _) = bytes[at];
            if let (Some((b'-', false)), Some(&(high, _))) = (bytes.get(at + 1), bytes.get(at + 2)) {
                if high < low {
                    let range = format!("{}-{}", c_escaped(&[low]), c_escaped(&[high]));
                    return Err(format!("range-endpoints of '{range}' are in reverse collating sequence order"));
                }
                items.push(Item::Range(low, high));
                at += 3;
            } else {
                items.push(Item::Range(low, low));
                at += 1;
            }
        }
        Ok(Operand { items })
    }

    /// The length that a repeat without count gets if the whole must be `length` long.
    pub(super) fn fill(&self, length: Option<usize>) -> usize {
        let fixed: usize = self.items.iter().map(|item| item.len(0).min(MAX_EXPANDED)).sum();
        length.unwrap_or(0).saturating_sub(fixed)
    }

    /// All bytes in order, those of a complement in ascending order.
    pub(super) fn expand(&self, complement: bool, length: Option<usize>) -> Vec<u8> {
        if complement {
            let members = self.members(true);
            return (0..=255_u8).filter(|byte| members[usize::from(*byte)]).collect();
        }
        let fill = self.fill(length);
        let mut bytes = Vec::new();
        for item in &self.items {
            match item {
                Item::Range(low, high) => bytes.extend(*low..=*high),
                // Both cases are listed by letter, so that they translate into each other.
                Item::Class(name, _) => {
                    if let Some(member) = class(name) {
                        bytes.extend((0..=255_u8).filter(|byte| member(*byte)));
                    }
                }
                Item::Equivalence(byte) => bytes.push(*byte),
                Item::Repeat(byte, _) => bytes.extend(std::iter::repeat_n(*byte, item.len(fill).min(MAX_EXPANDED))),
            }
            bytes.truncate(MAX_EXPANDED);
        }
        bytes
    }

    pub(super) fn members(&self, complement: bool) -> Box<[bool; 256]> {
        let mut set = Box::new([complement; 256]);
        for byte in self.expand(false, None) {
            set[usize::from(byte)] = !complement;
        }
        set
    }

    pub(super) fn has_class(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Class(..)))
    }
}

/// Resolves backslashes; each byte says whether it was escaped.
fn unescape(text: &[u8]) -> Vec<(u8, bool)> {
    let mut bytes = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        if byte != b'\\' {
            bytes.push((byte, false));
            continue;
        }
        let Some(&escaped) = text.get(at) else {
            // The real tool warns and takes the backslash for itself.
            bytes.push((b'\\', false));
            break;
        };
        at += 1;
        let value = match escaped {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'0'..=b'7' => {
                let mut value = u32::from(escaped - b'0');
                for _ in 0..2 {
                    match text.get(at) {
                        Some(digit @ b'0'..=b'7') if value * 8 + u32::from(digit - b'0') <= 255 => {
                            value = value * 8 + u32::from(digit - b'0');
                            at += 1;
                        }
                        _ => break,
                    }
                }
                value as u8
            }
            other => other,
        };
        bytes.push((value, true));
    }
    bytes
}

/// A construct that begins with `[`, if there is one.
fn bracket(bytes: &[(u8, bool)], at: usize) -> Result<Option<(Item, usize)>, String> {
    if bytes[at] != (b'[', false) {
        return Ok(None);
    }
    let plain = |index: usize, byte: u8| bytes.get(index) == Some(&(byte, false));
    for kind in [b':', b'='] {
        if !plain(at + 1, kind) {
            continue;
        }
        let close = (at + 2..bytes.len().saturating_sub(1)).find(|&end| plain(end, kind) && plain(end + 1, b']'));
        let Some(close) = close else { continue };
        let name: Vec<u8> = bytes[at + 2..close].iter().map(|(byte, _)| *byte).collect();
        if kind == b':' {
            if name.is_empty() {
                return Err("missing character class name '[::]'".into());
            }
            let Some(known) = CLASSES.iter().find(|known| known.as_bytes() == name) else {
                // `[:*]` and the like are repeats, not classes.
                if bytes.get(at + 2) == Some(&(b'*', false)) {
                    break;
                }
                return Err(format!("invalid character class {}", quote(&name)));
            };
            let case = match *known {
                "upper" => Some(Case::Upper),
                "lower" => Some(Case::Lower),
                _ => None,
            };
            return Ok(Some((Item::Class(known, case), close + 2)));
        }
        return match name.as_slice() {
            [] => Err("missing equivalence class character '[==]'".into()),
            [single] => Ok(Some((Item::Equivalence(*single), close + 2))),
            _ => Err(format!("{}: equivalence class operand must be a single character", c_escaped(&name))),
        };
    }
    let Some(&(byte, _)) = bytes.get(at + 1) else { return Ok(None) };
    if !plain(at + 2, b'*') {
        return Ok(None);
    }
    let Some(close) = (at + 3..bytes.len()).find(|&end| plain(end, b']')) else { return Ok(None) };
    let digits: Vec<u8> = bytes[at + 3..close].iter().map(|(byte, _)| *byte).collect();
    if digits.is_empty() {
        return Ok(Some((Item::Repeat(byte, None), close + 1)));
    }
    let radix = if digits.first() == Some(&b'0') { 8 } else { 10 };
    let count = std::str::from_utf8(&digits).ok().and_then(|digits| u64::from_str_radix(digits, radix).ok());
    match count {
        Some(0) => Ok(Some((Item::Repeat(byte, None), close + 1))),
        Some(count) => Ok(Some((Item::Repeat(byte, Some(count)), close + 1))),
        None => Err(format!("invalid repeat count {} in [c*n] construct", quote(&digits))),
    }
}

#[cfg(test)]
mod tests {
    use super::Operand;

    fn expand(text: &str, length: Option<usize>) -> String {
        let operand = Operand::parse(text.as_bytes()).expect("valid");
        String::from_utf8(operand.expand(false, length)).expect("ascii")
    }

    #[test]
    fn constructs_expand_to_bytes() {
        assert_eq!(expand("a-cx", None), "abcx");
        assert_eq!(expand("[:digit:]-", None), "0123456789-");
        assert_eq!(expand(r"\n\101\-z", None), "\nA-z");
        assert_eq!(expand("a[b*3]c", None), "abbbc");
        assert_eq!(expand("a[b*]c", Some(5)), "abbbc");
        assert_eq!(expand("[a-c]", None), "[abc]");
        assert_eq!(expand("[=x=]", None), "x");
    }

    #[test]
    fn wrong_strings_are_named() {
        for (text, message) in [
            ("z-a", "range-endpoints of 'z-a' are in reverse collating sequence order"),
            ("[:foo:]", "invalid character class 'foo'"),
            ("[=ab=]", "ab: equivalence class operand must be a single character"),
            ("[b*x]", "invalid repeat count 'x' in [c*n] construct"),
        ] {
            assert_eq!(Operand::parse(text.as_bytes()).err().as_deref(), Some(message));
        }
    }
}
