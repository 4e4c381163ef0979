//! The formats of `stat -c` and `stat --printf`.

use provium_kernel::TimeSpec;

use crate::shared::echo::Flavor;
use crate::shared::escape::{self, Escape};

/// The widest that a field is padded to: a width is typed by hand, and its padding is held in memory.
const MAX_WIDTH: usize = 4096;

/// A piece of a format.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Shown as it is.
    Text(Vec<u8>),
    /// Something about the file.
    Field(Field),
    /// Nothing that is shown: a complaint about the format.
    Warning(String),
}

/// A directive with what stands between `%` and its letter.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Field {
    left: bool,
    zeros: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
    /// `H` or `L`: the major or minor part of a device.
    pub(super) major_minor: Option<u8>,
    /// What is asked for.
    pub(super) letter: u8,
}

/// A value and how it is written.
pub(super) enum Conversion {
    Text(Vec<u8>),
    Number(u64),
    Octal(u64),
    Hex(u64),
    Seconds(TimeSpec),
}

/// Takes a format apart; `Err` is the piece that is no directive.
pub(super) fn pieces(format: &[u8], escapes: bool) -> Result<Vec<Piece>, Vec<u8>> {
    let mut pieces = Vec::new();
    let mut text = Vec::new();
    let mut rest = format;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => {
                let (field, after) = field(rest);
                let length = rest.len() - after.len();
                match after.split_first() {
                    None if length > 0 => return Err([b"%", rest].concat()),
                    None => text.push(b'%'),
                    Some((b'%', _)) if length > 0 => return Err([b"%", &rest[..=length]].concat()),
                    Some((b'%', after)) => {
                        text.push(b'%');
                        rest = after;
                    }
                    Some((&letter, after)) => {
                        let (part, letter, after) = match (letter, after.split_first()) {
                            (b'H' | b'L', Some((&next @ (b'd' | b'r'), after))) => (Some(letter), next, after),
                            _ => (None, letter, after),
                        };
                        if !text.is_empty() {
                            pieces.push(Piece::Text(std::mem::take(&mut text)));
                        }
                        pieces.push(Piece::Field(Field { major_minor: part, letter, ..field }));
                        rest = after;
                    }
                }
            }
            b'\\' if escapes => {
                let (warning, after) = unescape(rest, &mut text);
                pieces.extend(warning.map(Piece::Warning));
                rest = after;
            }
            byte => text.push(byte),
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

fn field(mut rest: &[u8]) -> (Field, &[u8]) {
    let mut field = Field::default();
    while let Some((&flag, after)) = rest.split_first() {
        match flag {
            b'-' => field.left = true,
            b'0' => field.zeros = true,
            b'+' => field.plus = true,
            b' ' => field.space = true,
            b'#' => field.alternate = true,
            b'\'' => {}
            _ => break,
        }
        rest = after;
    }
    let (width, after) = number(rest);
    field.width = width.unwrap_or(0);
    rest = after;
    if let Some((b'.', after)) = rest.split_first() {
        let (precision, after) = number(after);
        field.precision = Some(precision.unwrap_or(0));
        rest = after;
    }
    (field, rest)
}

fn number(text: &[u8]) -> (Option<usize>, &[u8]) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    let value = number.iter().fold(0usize, |value, digit| (value * 10 + usize::from(digit - b'0')).min(MAX_WIDTH));
    ((digits > 0).then_some(value), rest)
}

/// A backslash escape, which the utility reads as printf does. What it does not know stands for itself, with a complaint.
fn unescape<'a>(rest: &'a [u8], text: &mut Vec<u8>) -> (Option<String>, &'a [u8]) {
    match (escape::read(rest, Flavor::Gnu), rest.split_first()) {
        (Escape::Bytes(bytes, used), _) => {
            text.extend(bytes);
            (None, &rest[used..])
        }
        (_, Some((&letter, after))) => {
            text.push(letter);
            let unknown = || format!("warning: unrecognized escape '\\{}'", char::from(letter));
            ((letter != b'"').then(unknown), after)
        }
        (_, None) => {
            text.push(b'\\');
            (Some("warning: backslash at end of format".to_owned()), rest)
        }
    }
}

impl Field {
    /// Writes a value as this directive wants it.
    pub(super) fn conversion(&self, value: Conversion, out: &mut Vec<u8>) {
        let (sign, mut body, numeric) = match value {
            Conversion::Text(mut text) => {
                text.truncate(self.precision.unwrap_or(usize::MAX));
                ("", text, false)
            }
            Conversion::Number(number) => (self.sign(), self.digits(number.to_string()), true),
            Conversion::Octal(number) => {
                let prefix = if self.alternate && number != 0 { "0" } else { "" };
                ("", self.digits(format!("{prefix}{number:o}")), true)
            }
            Conversion::Hex(number) => {
                let prefix = if self.alternate && number != 0 { "0x" } else { "" };
                (prefix, self.digits(format!("{number:x}")), true)
            }
            Conversion::Seconds(time) => {
                let fraction = match self.precision {
                    None | Some(0) => String::new(),
                    Some(places) => {
                        let digits = format!("{:09}", time.nsec);
                        let shown: String = digits.chars().chain(std::iter::repeat('0')).take(places).collect();
                        format!(".{shown}")
                    }
                };
                (self.sign(), format!("{}{fraction}", time.sec).into_bytes(), true)
            }
        };
        let missing = self.width.saturating_sub(sign.len() + body.len());
        if self.left {
            body.extend(std::iter::repeat_n(b' ', missing));
        } else if self.zeros && numeric {
            body.splice(0..0, std::iter::repeat_n(b'0', missing));
        } else {
            out.extend(std::iter::repeat_n(b' ', missing));
        }
        out.extend_from_slice(sign.as_bytes());
        out.extend_from_slice(&body);
    }

    fn sign(&self) -> &'static str {
        if self.plus {
            "+"
        } else if self.space {
            " "
        } else {
            ""
        }
    }

    fn digits(&self, text: String) -> Vec<u8> {
        format!("{text:0>width$}", width = self.precision.unwrap_or(0)).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::{Conversion, Piece, pieces};

    fn shown(format: &str, escapes: bool) -> String {
        let mut out = Vec::new();
        for piece in pieces(format.as_bytes(), escapes).unwrap_or_default() {
            match piece {
                Piece::Text(text) => out.extend_from_slice(&text),
                Piece::Warning(warning) => out.extend_from_slice(format!("<{warning}>").as_bytes()),
                Piece::Field(field) if field.letter == b'a' => field.conversion(Conversion::Octal(0o644), &mut out),
                Piece::Field(field) => field.conversion(Conversion::Number(6), &mut out),
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn formats_of_stat() {
        assert_eq!(shown("[%-4s|%4s|%04s|%#a|%+s|%%]", false), "[6   |   6|0006|0644|+6|%]");
        assert_eq!(shown("\\t\\x41\\101%s\\n", true), "\tAA6\n");
        assert_eq!(shown("\\n", false), "\\n");
        assert_eq!(shown("%s\\\"\\\\\\8", true), "6<warning: unrecognized escape '\\8'>\"\\8");
        assert_eq!(shown("%s\\", true), "6<warning: backslash at end of format>\\");
        assert_eq!(pieces(b"%5", false), Err(b"%5".to_vec()));
        assert_eq!(pieces(b"%", false), Ok(vec![Piece::Text(b"%".to_vec())]));
    }
}
