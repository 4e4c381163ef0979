//! Backslash escapes as echo and printf read them.

use super::echo::Flavor;

/// What stands after a backslash.
#[derive(Debug, PartialEq, Eq)]
pub enum Escape {
    /// These bytes, and how many of the text they took.
    Bytes(Vec<u8>, usize),
    /// Nothing special: the backslash stands for itself.
    None,
    /// `\x` without a digit, which the utility refuses.
    NoHexDigits,
}

/// Reads the escape whose text, after the backslash, starts `rest`. Octal numbers have up to three
/// digits; hexadecimal ones are known to the utilities only.
#[must_use]
pub fn read(rest: &[u8], flavor: Flavor) -> Escape {
    let Some(&first) = rest.first() else { return Escape::None };
    let byte = match first {
        b'\\' => b'\\',
        b'a' => 7,
        b'b' => 8,
        b'e' => 27,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'0'..=b'7' => {
            let (value, used) = octal(rest, 3);
            return Escape::Bytes(vec![value], used);
        }
        b'x' if flavor == Flavor::Gnu => {
            return match hexadecimal(&rest[1..], 2) {
                (_, 0) => Escape::NoHexDigits,
                (value, used) => Escape::Bytes(vec![value.to_le_bytes()[0]], used + 1),
            };
        }
        _ => return Escape::None,
    };
    Escape::Bytes(vec![byte], 1)
}

/// Reads up to `most` octal digits: the value modulo 256, and how many there were.
#[must_use]
pub fn octal(text: &[u8], most: usize) -> (u8, usize) {
    let digits = text.iter().take(most).take_while(|digit| (b'0'..=b'7').contains(digit));
    digits.fold((0, 0), |(value, used), digit| ((value << 3) | (digit - b'0'), used + 1))
}

/// Reads up to `most` hexadecimal digits: the value, and how many there were.
#[must_use]
pub fn hexadecimal(text: &[u8], most: usize) -> (u32, usize) {
    let digits = text.iter().take(most).map_while(|&digit| char::from(digit).to_digit(16));
    digits.fold((0, 0), |(value, used), digit| ((value << 4) | digit, used + 1))
}

#[cfg(test)]
mod tests {
    use super::{Escape, octal, read};
    use crate::shared::echo::Flavor;

    #[test]
    fn escapes_are_letters_and_numbers() {
        assert_eq!(read(b"nx", Flavor::Dash), Escape::Bytes(vec![b'\n'], 1));
        assert_eq!(read(b"1018", Flavor::Dash), Escape::Bytes(vec![b'A'], 3));
        assert_eq!(read(b"x41", Flavor::Dash), Escape::None);
        assert_eq!(read(b"x41", Flavor::Gnu), Escape::Bytes(vec![b'A'], 3));
        assert_eq!(read(b"xg", Flavor::Gnu), Escape::NoHexDigits);
        assert_eq!(read(b"", Flavor::Gnu), Escape::None);
        assert_eq!(octal(b"777", 3), (0xff, 3));
    }
}
