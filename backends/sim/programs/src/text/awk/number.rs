//! Numbers and their text.
//!
//! Text is read as a decimal number only: not as hexadecimal, `inf` or `nan`, which the strtod(3) of
//! some awks takes and others refuse.

use super::value::Text;
use crate::shared::{numfmt, strnum};

/// The number that text begins with after blanks, and how many bytes it took.
pub(super) fn prefix(text: &[u8]) -> (f64, usize) {
    let blanks = text.iter().take_while(|byte| is_blank(**byte)).count();
    let sign = usize::from(matches!(text.get(blanks), Some(b'+' | b'-')));
    let digits = text.get(blanks + sign..).unwrap_or_default();
    match digits {
        [b'0', b'x' | b'X', ..] => (0.0, blanks + sign + 1),
        [b'0'..=b'9' | b'.', ..] => {
            // Short runs of digits are nearly all numbers there are.
            let end = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if end < 16 && !matches!(digits.get(end), Some(b'.' | b'e' | b'E')) {
                let value = digits[..end].iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0')) as f64;
                let negative = text.get(blanks) == Some(&b'-');
                return (if negative { -value } else { value }, blanks + sign + end);
            }
            let read = strnum::float(text.get(blanks..).unwrap_or_default());
            (read.value, if read.used == 0 { 0 } else { blanks + read.used })
        }
        _ => (0.0, 0),
    }
}

/// The value of text that looks like a number from end to end, blanks aside.
pub(super) fn whole(text: &[u8]) -> Option<f64> {
    let (value, used) = prefix(text);
    (used > 0 && text[used..].iter().all(|byte| is_blank(*byte))).then_some(value)
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || (9..=13).contains(&byte)
}

/// 2^63: whole numbers below are written with all their digits.
const INTEGERS: f64 = 9_223_372_036_854_775_808.0;

/// The number as an integer, if it is one that is written as such.
pub(super) fn integer(value: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "a whole number in the range of i64")]
    (value.abs() < INTEGERS && value.trunc() == value).then_some(value as i64)
}

/// What a number that is none looks like, in the words of the C library on x86.
pub(super) const NAN: &[u8] = b"-nan";

/// The text of a number: whole ones as integers, others by `format`.
pub(super) fn text(value: f64, format: &[u8]) -> Text {
    if let Some(integer) = integer(value) {
        return integer.to_string().into_bytes().into();
    }
    fraction(value, format).into()
}

fn fraction(value: f64, format: &[u8]) -> Vec<u8> {
    if value.is_nan() {
        return NAN.to_vec();
    }
    if value.is_infinite() {
        return if value > 0.0 { b"inf".to_vec() } else { b"-inf".to_vec() };
    }
    if format == b"%.6g" {
        return numfmt::Spec::default().float(value, b'g', false);
    }
    super::printf::number(format, value)
}

#[cfg(test)]
mod tests {
    use super::{prefix, text, whole};

    #[test]
    fn text_is_read_as_a_decimal_number() {
        assert_eq!(prefix(b" -12abc"), (-12.0, 4));
        assert_eq!(prefix(b"1e3x"), (1000.0, 3));
        assert_eq!(prefix(b"0x1A"), (0.0, 1));
        assert_eq!(prefix(b"inf"), (0.0, 0));
        assert_eq!(prefix(b".5."), (0.5, 2));
        assert_eq!(whole(b" 10 \n"), Some(10.0));
        assert_eq!(whole(b"10a"), None);
        assert_eq!(whole(b""), None);
        assert_eq!(whole(b" "), None);
        assert_eq!(whole(b"+nan"), None);
        assert_eq!(whole(b"123456789012345678901234567890"), Some(1.234_567_890_123_456_8e29));
    }

    #[test]
    fn whole_numbers_are_written_as_integers() {
        let shown = |value: f64| String::from_utf8_lossy(&text(value, b"%.6g")).into_owned();
        assert_eq!(shown(2_147_483_648.0), "2147483648");
        assert_eq!(shown(-0.0), "0");
        assert_eq!(shown(1e18), "1000000000000000000");
        assert_eq!(shown(1e30), "1e+30");
        assert_eq!(shown(0.1 + 0.2), "0.3");
        assert_eq!(shown(1e-5), "1e-05");
        assert_eq!(shown(f64::NAN), "-nan");
        assert_eq!(shown(f64::NEG_INFINITY), "-inf");
        assert_eq!(&*text(2.345_67, b"%.2f!"), b"2.35!");
    }
}
