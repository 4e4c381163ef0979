//! The output forms of `od -t`.

use crate::shared::numfmt::Spec as Field;
use crate::shared::quote;

/// What one value is shown as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// `-t a`: names of control characters.
    Named,
    /// `-t c`: escapes.
    Escaped,
    Signed,
    Octal,
    Unsigned,
    Hexadecimal,
    Float,
}

/// One form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Format {
    kind: Kind,
    size: usize,
    /// Whether the line ends in the printable characters (`z`).
    trailer: bool,
}

const NAMES: [&str; 33] = [
    "nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs", "ht", "nl", "vt", "ff", "cr", "so", "si", "dle",
    "dc1", "dc2", "dc3", "dc4", "nak", "syn", "etb", "can", "em", "sub", "esc", "fs", "gs", "rs", "us", "sp",
];

impl Format {
    /// Reads a type string: `x1`, `cx2z`.
    pub(super) fn parse(text: &[u8]) -> Result<Vec<Format>, String> {
        let mut formats = Vec::new();
        let mut at = 0;
        while let Some(&letter) = text.get(at) {
            at += 1;
            let kind = match letter {
                b'a' => Kind::Named,
                b'c' => Kind::Escaped,
                b'd' => Kind::Signed,
                b'o' => Kind::Octal,
                b'u' => Kind::Unsigned,
                b'x' => Kind::Hexadecimal,
                b'f' => Kind::Float,
                other => {
                    let shown = String::from_utf8_lossy(&[other]).into_owned();
                    return Err(format!("invalid character '{shown}' in type string {}", quote(text)));
                }
            };
            let size = match kind {
                Kind::Named | Kind::Escaped => 1,
                Kind::Float => Format::size_of_float(text, &mut at)?,
                _ => Format::size_of_integer(text, &mut at)?,
            };
            let trailer = text.get(at) == Some(&b'z');
            at += usize::from(trailer);
            formats.push(Format { kind, size, trailer });
        }
        Ok(formats)
    }

    fn size_of_integer(text: &[u8], at: &mut usize) -> Result<usize, String> {
        let letter = match text.get(*at) {
            Some(b'C') => Some(1),
            Some(b'S') => Some(2),
            Some(b'I') => Some(4),
            Some(b'L') => Some(8),
            _ => None,
        };
        if let Some(size) = letter {
            *at += 1;
            return Ok(size);
        }
        match digits(text, at) {
            None => Ok(4),
            Some(size @ (1 | 2 | 4 | 8)) => Ok(size),
            Some(size) => Err(format!(
                "invalid type string {};\nthis system doesn't provide a {size}-byte integral type",
                quote(text)
            )),
        }
    }

    fn size_of_float(text: &[u8], at: &mut usize) -> Result<usize, String> {
        let letter = match text.get(*at) {
            Some(b'F') => Some(4),
            Some(b'D') => Some(8),
            Some(b'L') => Some(16),
            _ => None,
        };
        let size = match letter {
            Some(size) => {
                *at += 1;
                size
            }
            None => digits(text, at).unwrap_or(8),
        };
        match size {
            4 | 8 => Ok(size),
            16 => Err("long double is not supported by the simulated guest".into()),
            size => Err(format!(
                "invalid type string {};\nthis system doesn't provide a {size}-byte floating point type",
                quote(text)
            )),
        }
    }

    /// Bytes of one value.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Columns of one value without the blank before it.
    pub(super) fn width(&self) -> usize {
        let by_size = |widths: [usize; 4]| widths[self.size.trailing_zeros().min(3) as usize];
        match self.kind {
            Kind::Named | Kind::Escaped => 3,
            Kind::Signed => by_size([4, 6, 11, 20]),
            Kind::Octal => by_size([3, 6, 11, 22]),
            Kind::Unsigned => by_size([3, 5, 10, 20]),
            Kind::Hexadecimal => by_size([2, 4, 8, 16]),
            Kind::Float => by_size([15, 15, 15, 24]),
        }
    }

    /// One line: `block` may be shorter than `width`, the bytes of a line; `column` is how wide the
    /// widest of the forms is, to which this one is spread.
    pub(super) fn line(&self, prefix: &str, block: &[u8], width: usize, column: usize) -> Vec<u8> {
        let fields = width / self.size;
        let padding = column - self.width() * fields;
        let mut line = prefix.as_bytes().to_vec();
        let mut left = padding;
        let shown = block.len().div_ceil(self.size);
        for (index, value) in block.chunks(self.size).enumerate() {
            let next = padding * (fields - 1 - index) / fields;
            let text = self.value(value);
            let columns = left - next + self.width();
            line.resize(line.len() + columns.saturating_sub(text.len()), b' ');
            line.extend_from_slice(text.as_bytes());
            left = next;
        }
        if self.trailer {
            line.resize(line.len() + left + (fields - shown) * self.width(), b' ');
            line.extend_from_slice(b"  >");
            line.extend(block.iter().map(|byte| if (b' '..=b'~').contains(byte) { *byte } else { b'.' }));
            line.push(b'<');
        }
        line.push(b'\n');
        line
    }

    fn value(&self, bytes: &[u8]) -> String {
        let mut raw = [0; 8];
        for (place, byte) in raw.iter_mut().zip(bytes) {
            *place = *byte;
        }
        let bits = u64::from_le_bytes(raw);
        match self.kind {
            Kind::Named => {
                let byte = (bits & 0x7f) as usize;
                match (NAMES.get(byte), byte) {
                    (Some(name), _) => (*name).to_owned(),
                    (None, 127) => "del".to_owned(),
                    (None, _) => char::from(byte as u8).to_string(),
                }
            }
            Kind::Escaped => escaped(bits as u8),
            Kind::Signed => match self.size {
                1 => (bits as i8).to_string(),
                2 => (bits as i16).to_string(),
                4 => (bits as i32).to_string(),
                _ => bits.cast_signed().to_string(),
            },
            Kind::Octal => format!("{bits:0width$o}", width = self.width()),
            Kind::Hexadecimal => format!("{bits:0width$x}", width = self.width()),
            Kind::Unsigned => bits.to_string(),
            Kind::Float if self.size == 4 => {
                let value = f32::from_bits(bits as u32);
                shortest(f64::from(value), 6, |text| text.parse::<f32>().is_ok_and(|read| read == value))
            }
            Kind::Float => {
                let value = f64::from_bits(bits);
                shortest(value, 15, |text| text.parse::<f64>().is_ok_and(|read| read == value))
            }
        }
    }
}

fn digits(text: &[u8], at: &mut usize) -> Option<usize> {
    let count = text[*at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = super::super::common::number(&text[*at..*at + count]);
    *at += count;
    value.map(|value| usize::try_from(value).unwrap_or(usize::MAX))
}

/// The shortest `%g` text, from a precision on, that reads back as the same value.
fn shortest(value: f64, least: usize, same: impl Fn(&str) -> bool) -> String {
    // A subnormal has fewer digits that count.
    let least =
        if value.is_subnormal() || (least == 6 && value.abs() < f64::from(f32::MIN_POSITIVE)) { 1 } else { least };
    let mut text = String::new();
    for precision in least..=17 {
        let field = Field { precision: Some(precision), ..Field::default() };
        text = String::from_utf8_lossy(&field.float(value, b'g', false)).into_owned();
        if !value.is_finite() || same(&text) {
            break;
        }
    }
    text
}

fn escaped(byte: u8) -> String {
    let escape = match byte {
        0 => "\\0",
        7 => "\\a",
        8 => "\\b",
        9 => "\\t",
        10 => "\\n",
        11 => "\\v",
        12 => "\\f",
        13 => "\\r",
        b' '..=b'~' => return char::from(byte).to_string(),
        _ => return format!("{byte:03o}"),
    };
    escape.to_owned()
}

#[cfg(test)]
mod tests {
    use super::Format;

    fn line(kind: &str, block: &[u8]) -> String {
        let format = Format::parse(kind.as_bytes()).expect("valid")[0];
        let column = (format.width() + 1) * (16 / format.size());
        String::from_utf8(format.line("", block, 16, column)).expect("ascii")
    }

    #[test]
    fn values_have_fixed_columns() {
        assert_eq!(line("x1", b"ab\n"), " 61 62 0a\n");
        assert_eq!(line("o2", b"abc"), " 061141 000143\n");
        assert_eq!(line("c", b"a\0\xff"), "   a  \\0 377\n");
        assert_eq!(line("d1", b"\xff"), "   -1\n");
        assert_eq!(line("x2z", b"hel"), " 6568 006c                                >hel<\n");
        assert_eq!(line("f4", &1.5_f32.to_le_bytes()), "             1.5\n");
    }

    #[test]
    fn wrong_types_are_named() {
        assert_eq!(Format::parse(b"y").err().as_deref(), Some("invalid character 'y' in type string 'y'"));
        assert!(Format::parse(b"x3").is_err());
    }
}
