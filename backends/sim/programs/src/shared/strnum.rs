//! Numbers in text as the C library reads them: strtoimax, strtoumax and strtod in the C locale.

/// What was read: the value, how many bytes it took (0: no number there), and whether it was out of range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Read<T> {
    /// The value; the nearest one if it was out of range.
    pub value: T,
    /// Bytes taken, leading blanks and sign included.
    pub used: usize,
    /// Whether the value did not fit (`ERANGE`).
    pub overflow: bool,
}

struct Digits {
    negative: bool,
    magnitude: Option<u64>,
    used: usize,
}

fn skip_blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 11).count()
}

/// A sign and digits; base 0 tells by the prefix `0x` or `0`.
fn digits(text: &[u8], base: u32) -> Digits {
    let mut at = skip_blanks(text);
    let negative = text.get(at) == Some(&b'-');
    if matches!(text.get(at), Some(b'+' | b'-')) {
        at += 1;
    }
    let is_hex = matches!(text.get(at..at + 2), Some(b"0x" | b"0X"))
        && text.get(at + 2).is_some_and(u8::is_ascii_hexdigit)
        && (base == 0 || base == 16);
    let base = match base {
        0 if is_hex => 16,
        0 if text.get(at) == Some(&b'0') => 8,
        0 => 10,
        base => base,
    };
    if is_hex {
        at += 2;
    }
    let start = at;
    let mut magnitude = Some(0u64);
    while let Some(digit) = text.get(at).and_then(|&byte| char::from(byte).to_digit(base)) {
        magnitude = magnitude
            .and_then(|value| value.checked_mul(u64::from(base)))
            .and_then(|value| value.checked_add(u64::from(digit)));
        at += 1;
    }
    Digits { negative, magnitude, used: if at == start { 0 } else { at } }
}

/// strtoimax(3): out of range gives the nearest end of the range.
#[must_use]
pub fn signed(text: &[u8], base: u32) -> Read<i64> {
    let Digits { negative, magnitude, used } = digits(text, base);
    let value = match (magnitude, negative) {
        (Some(value), false) => i64::try_from(value).ok(),
        (Some(value), true) => 0i64.checked_sub_unsigned(value),
        (None, _) => None,
    };
    match value {
        Some(value) => Read { value, used, overflow: false },
        None => Read { value: if negative { i64::MIN } else { i64::MAX }, used, overflow: true },
    }
}

/// strtoumax(3): a minus sign negates modulo 2^64.
#[must_use]
pub fn unsigned(text: &[u8], base: u32) -> Read<u64> {
    let Digits { negative, magnitude, used } = digits(text, base);
    match magnitude {
        Some(value) => Read { value: if negative { value.wrapping_neg() } else { value }, used, overflow: false },
        None => Read { value: u64::MAX, used, overflow: true },
    }
}

/// strtod(3): decimal, hexadecimal, `inf`, `infinity`, `nan`.
#[must_use]
pub fn float(text: &[u8]) -> Read<f64> {
    let mut at = skip_blanks(text);
    let negative = text.get(at) == Some(&b'-');
    if matches!(text.get(at), Some(b'+' | b'-')) {
        at += 1;
    }
    let rest = text.get(at..).unwrap_or_default();
    let (value, used, overflow) = unsigned_float(rest);
    Read { value: if negative { -value } else { value }, used: if used == 0 { 0 } else { at + used }, overflow }
}

fn unsigned_float(text: &[u8]) -> (f64, usize, bool) {
    for (word, value) in [(&b"infinity"[..], f64::INFINITY), (b"inf", f64::INFINITY), (b"nan", f64::NAN)] {
        if text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)) {
            return (value, word.len(), false);
        }
    }
    if matches!(text.get(..2), Some(b"0x" | b"0X")) {
        let (value, used) = hexadecimal_float(text.get(2..).unwrap_or_default());
        if used > 0 {
            return (value, used + 2, value.is_infinite());
        }
    }
    let end = decimal_end(text);
    let number = std::str::from_utf8(text.get(..end).unwrap_or_default()).unwrap_or_default();
    match number.parse::<f64>() {
        Ok(value) => (value, end, value.is_infinite()),
        Err(_) => (0.0, 0, false),
    }
}

/// Where a decimal number ends: digits with at most one point, then an exponent if it is complete.
fn decimal_end(text: &[u8]) -> usize {
    let count =
        |from: usize| text.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = count(0);
    let mut end = whole;
    let mut fraction = 0;
    if text.get(end) == Some(&b'.') {
        fraction = count(end + 1);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        return 0;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let exponent = count(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

/// The text after `0x`: value and bytes taken.
fn hexadecimal_float(text: &[u8]) -> (f64, usize) {
    let (mut value, mut scale, mut at, mut seen, mut in_fraction) = (0f64, 1f64, 0, false, false);
    while let Some(&byte) = text.get(at) {
        if let Some(digit) = char::from(byte).to_digit(16) {
            seen = true;
            if in_fraction {
                scale /= 16.0;
                value += f64::from(digit) * scale;
            } else {
                value = value * 16.0 + f64::from(digit);
            }
        } else if byte == b'.' && !in_fraction {
            in_fraction = true;
        } else {
            break;
        }
        at += 1;
    }
    if !seen {
        return (0.0, 0);
    }
    if matches!(text.get(at), Some(b'p' | b'P')) {
        let exponent = signed(text.get(at + 1..).unwrap_or_default(), 10);
        let starts_well = !text.get(at + 1).is_some_and(u8::is_ascii_whitespace);
        if exponent.used > 0 && starts_well {
            let power = i32::try_from(exponent.value.clamp(-5000, 5000)).unwrap_or_default();
            value *= 2f64.powi(power);
            at += 1 + exponent.used;
        }
    }
    (value, at)
}

#[cfg(test)]
mod tests {
    use super::{Read, float, signed, unsigned};

    #[test]
    fn integers_tell_their_base_and_their_end() {
        assert_eq!(signed(b"  -0x1Fz", 0), Read { value: -31, used: 7, overflow: false });
        assert_eq!(signed(b"017", 0).value, 15);
        assert_eq!(signed(b"08", 0), Read { value: 0, used: 1, overflow: false });
        assert_eq!(signed(b"0x", 0), Read { value: 0, used: 1, overflow: false });
        assert_eq!(signed(b"", 0).used, 0);
        assert_eq!(signed(b"-", 10).used, 0);
        assert_eq!(signed(b"-9223372036854775808", 10), Read { value: i64::MIN, used: 20, overflow: false });
        assert_eq!(signed(b"99999999999999999999", 0), Read { value: i64::MAX, used: 20, overflow: true });
        assert_eq!(unsigned(b"-1", 0).value, u64::MAX);
    }

    #[test]
    fn floats_come_in_several_forms() {
        assert_eq!(float(b"1.5e3x"), Read { value: 1500.0, used: 5, overflow: false });
        assert_eq!(float(b"-.5").value, -0.5);
        assert_eq!(float(b"1e").used, 1);
        assert_eq!(float(b"0x1.8p1").value, 3.0);
        assert_eq!(float(b"inf").value, f64::INFINITY);
        assert_eq!(float(b".").used, 0);
        assert!(float(b"1e999").overflow);
    }
}
