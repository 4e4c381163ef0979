//! Keys: which part of a line counts, and how.

use crate::shared::quote;

/// How two texts are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Kind {
    #[default]
    Bytes,
    /// `-n`
    Numeric,
    /// `-g`
    General,
    /// `-h`
    Human,
    /// `-M`
    Month,
    /// `-V`
    Version,
    /// `-R`
    Random,
}

impl Kind {
    /// The kind of an option letter.
    pub(super) fn by_letter(letter: u8) -> Option<Kind> {
        Some(match letter {
            b'n' => Kind::Numeric,
            b'g' => Kind::General,
            b'h' => Kind::Human,
            b'M' => Kind::Month,
            b'V' => Kind::Version,
            b'R' => Kind::Random,
            _ => return None,
        })
    }
}

/// Ordering options, of a key or of all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Order {
    pub(super) kind: Kind,
    /// Several kinds were asked for, by their letters; they exclude each other.
    kinds: u8,
    pub(super) skip_start_blanks: bool,
    pub(super) skip_end_blanks: bool,
    pub(super) dictionary: bool,
    pub(super) printable: bool,
    pub(super) fold: bool,
    pub(super) reverse: bool,
}

/// The letters of the kinds in the order in which messages name them.
const KIND_LETTERS: &[u8] = b"ghMnRV";

impl Order {
    /// Adds one option; false if the letter is none. `start` and `end` say where `b` applies.
    pub(super) fn add(&mut self, letter: u8, start: bool, end: bool) -> bool {
        match letter {
            b'b' => {
                self.skip_start_blanks |= start;
                self.skip_end_blanks |= end;
            }
            b'd' => self.dictionary = true,
            b'f' => self.fold = true,
            // Dictionary order takes precedence over printable order.
            b'i' => self.printable = true,
            b'r' => self.reverse = true,
            _ => {
                let Some(kind) = Kind::by_letter(letter) else { return false };
                self.kind = kind;
                if let Some(at) = KIND_LETTERS.iter().position(|known| *known == letter) {
                    self.kinds |= 1 << at;
                }
            }
        }
        true
    }

    /// Whether it says nothing but perhaps `r`.
    pub(super) fn is_default(&self) -> bool {
        *self == Order { reverse: self.reverse, ..Order::default() }
    }

    /// The letters of options that exclude each other, if there are any.
    pub(super) fn conflict(&self) -> Option<String> {
        // Version and random order stand beside each other but not beside numbers.
        let ignoring = self.dictionary || self.printable;
        let kinds = self.kinds.count_ones();
        if kinds + u32::from(ignoring && self.kind != Kind::Version && self.kind != Kind::Random) <= 1 || kinds == 0 {
            return None;
        }
        let mut letters: Vec<u8> = Vec::new();
        if self.dictionary {
            letters.push(b'd');
        }
        for (at, letter) in KIND_LETTERS.iter().enumerate() {
            if self.kinds & (1 << at) != 0 {
                letters.push(*letter);
            }
        }
        if self.printable {
            letters.push(b'i');
        }
        letters.sort_by_key(|letter| b"dfghiMnRV".iter().position(|known| known == letter));
        Some(String::from_utf8_lossy(&letters).into_owned())
    }
}

/// A key: a part of the line, and how it is compared.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// Fields to skip, then bytes.
    start: (usize, usize),
    /// Fields to skip, then bytes (0: to the end of the field); `None` is the end of the line.
    end: Option<(usize, usize)>,
    pub(super) order: Order,
}

impl Key {
    /// The whole line.
    pub(super) fn whole(order: Order) -> Key {
        Key { start: (0, 0), end: None, order }
    }

    /// Reads `F[.C][OPTS][,F[.C][OPTS]]`.
    pub(super) fn parse(text: &[u8]) -> Result<Key, String> {
        let mut at = 0;
        let field_error = |why: &str| format!("{why}: invalid field specification {}", quote(text));
        let mut order = Order::default();
        let field = count(text, &mut at, "invalid number at field start")?;
        if field == 0 {
            return Err(field_error("field number is zero"));
        }
        let mut byte = 1;
        if text.get(at) == Some(&b'.') {
            at += 1;
            byte = count(text, &mut at, "invalid number after '.'")?;
            if byte == 0 {
                return Err(field_error("character offset is zero"));
            }
        }
        while text.get(at).is_some_and(|letter| order.add(*letter, true, false)) {
            at += 1;
        }
        let start = (field - 1, byte - 1);
        if at == text.len() {
            return Ok(Key { start, end: None, order });
        }
        if text[at] != b',' {
            return Err(field_error("stray character in field spec"));
        }
        at += 1;
        let field = count(text, &mut at, "invalid number after ','")?;
        if field == 0 {
            return Err(field_error("field number is zero"));
        }
        let mut byte = 0;
        if text.get(at) == Some(&b'.') {
            at += 1;
            byte = count(text, &mut at, "invalid number after '.'")?;
        }
        while text.get(at).is_some_and(|letter| order.add(*letter, false, true)) {
            at += 1;
        }
        if at < text.len() {
            return Err(field_error("stray character in field spec"));
        }
        Ok(Key { start, end: Some((field - 1, byte)), order })
    }

    /// The part of the line that counts.
    pub(super) fn of<'a>(&self, line: &'a [u8], separator: Option<u8>) -> &'a [u8] {
        let mut low = skip_fields(line, self.start.0, separator, false);
        if self.order.skip_start_blanks {
            low += blanks(&line[low..]);
        }
        low = low.saturating_add(self.start.1).min(line.len());
        let Some((fields, bytes)) = self.end else { return &line[low..] };
        let high = if bytes == 0 {
            skip_fields(line, fields + 1, separator, true)
        } else {
            let mut high = skip_fields(line, fields, separator, false);
            if self.order.skip_end_blanks {
                high += blanks(&line[high..]);
            }
            high.saturating_add(bytes).min(line.len())
        };
        &line[low..high.max(low)]
    }
}

/// A number in a key; one that is too large counts as the largest.
fn count(text: &[u8], at: &mut usize, why: &str) -> Result<usize, String> {
    let rest = &text[*at..];
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let Some(number) = super::super::common::number(&rest[..digits]) else {
        return Err(format!("{why}: invalid count at start of {}", quote(rest)));
    };
    *at += digits;
    Ok(usize::try_from(number).unwrap_or(usize::MAX).min(usize::MAX / 2))
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n')
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_blank(**byte)).count()
}

/// Where the line is after so many fields. Without a separator, blanks belong to the field after them;
/// with one, the separator after the last field is skipped too unless `inside`.
fn skip_fields(line: &[u8], count: usize, separator: Option<u8>, inside: bool) -> usize {
    let mut at = 0;
    for index in 0..count {
        if at >= line.len() {
            break;
        }
        match separator {
            None => {
                at += blanks(&line[at..]);
                at += line[at..].iter().take_while(|byte| !is_blank(**byte)).count();
            }
            Some(separator) => {
                at += line[at..].iter().take_while(|byte| **byte != separator).count();
                if at < line.len() && !(inside && index + 1 == count) {
                    at += 1;
                }
            }
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::Key;

    fn of<'a>(key: &str, line: &'a str, separator: Option<u8>) -> &'a str {
        let key = Key::parse(key.as_bytes()).expect("valid");
        std::str::from_utf8(key.of(line.as_bytes(), separator)).expect("ascii")
    }

    #[test]
    fn keys_cut_lines() {
        assert_eq!(of("2", "a  b c", None), "  b c");
        assert_eq!(of("2b", "a  b c", None), "b c");
        assert_eq!(of("2,2", "a  b c", None), "  b");
        assert_eq!(of("2.2,2.3", "a xyz c", None), "xy");
        assert_eq!(of("2,2", "a:b:c", Some(b':')), "b");
        assert_eq!(of("2", "a:b:c", Some(b':')), "b:c");
        assert_eq!(of("2.2,3.1", "a:bx:cy", Some(b':')), "x:c");
        assert_eq!(of("5", "a b", None), "");
        assert_eq!(of("3,2", "a:b:c", Some(b':')), "");
    }

    #[test]
    fn wrong_keys_are_named() {
        for (key, message) in [
            ("x", "invalid number at field start: invalid count at start of 'x'"),
            ("0", "field number is zero: invalid field specification '0'"),
            ("1.0", "character offset is zero: invalid field specification '1.0'"),
            ("1x", "stray character in field spec: invalid field specification '1x'"),
            ("1,", "invalid number after ',': invalid count at start of ''"),
            ("1.", "invalid number after '.': invalid count at start of ''"),
        ] {
            assert_eq!(Key::parse(key.as_bytes()).err().as_deref(), Some(message));
        }
    }
}
