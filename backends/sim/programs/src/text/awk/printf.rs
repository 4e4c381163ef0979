//! printf and sprintf.

use super::number;
use super::record::MAX_STRING;
use super::regex::Fault;
use super::value::{Compared, Value};
use crate::shared::numfmt::{MAX_WIDTH, Spec};

/// Formats values; `convert` is CONVFMT.
pub(super) fn format(format: &[u8], args: &[Value], convert: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut output = Vec::new();
    let mut args = args.iter();
    let mut next = || {
        args.next()
            .ok_or_else(|| format!("not enough arguments passed to printf(\"{}\")", String::from_utf8_lossy(format)))
    };
    let mut rest = format;
    while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
        output.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        if output.len() > MAX_STRING {
            return Err(format!("a string of more than {MAX_STRING} bytes"));
        }
        if let Some(after) = rest.strip_prefix(b"%") {
            output.push(b'%');
            rest = after;
            continue;
        }
        let mut spec = Spec::default();
        let mut used = 0;
        loop {
            match rest.get(used) {
                Some(b'-') => spec.left = true,
                Some(b'+') => spec.plus = true,
                Some(b' ') => spec.space = true,
                Some(b'#') => spec.alternate = true,
                Some(b'0') => spec.zero = true,
                _ => break,
            }
            used += 1;
        }
        if rest.get(used) == Some(&b'*') {
            used += 1;
            let width = integer(next()?.number());
            spec.left |= width < 0;
            spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(MAX_WIDTH).min(MAX_WIDTH);
        } else {
            spec.width = decimal(rest, &mut used);
        }
        if rest.get(used) == Some(&b'.') {
            used += 1;
            spec.precision = if rest.get(used) == Some(&b'*') {
                used += 1;
                usize::try_from(integer(next()?.number())).ok().map(|most| most.min(MAX_WIDTH))
            } else {
                Some(decimal(rest, &mut used))
            };
        }
        while matches!(rest.get(used), Some(b'h' | b'l' | b'L' | b'q' | b'j' | b'z' | b't')) {
            used += 1;
        }
        let Some(&letter) = rest.get(used) else {
            return Err(format!("improper conversion in printf(\"{}\")", String::from_utf8_lossy(format)));
        };
        match letter {
            b'%' => output.push(b'%'),
            b'd' | b'i' => {
                let value = next()?.number();
                output.extend(if value.is_finite() { spec.signed(integer(value)) } else { unusual(spec, value) });
            }
            b'o' | b'u' | b'x' | b'X' => {
                let value = next()?.number();
                output.extend(if value.is_finite() {
                    spec.unsigned(unsigned(value), letter)
                } else {
                    unusual(spec, value)
                });
            }
            b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'a' | b'A' => {
                let value = next()?.number();
                output.extend(if value.is_nan() { unusual(spec, value) } else { spec.float(value, letter, false) });
            }
            b'c' => output.extend(spec.pad(&character(next()?))),
            b's' => output.extend(spec.string(&next()?.to_text(convert))),
            _ => {
                let conversion = String::from_utf8_lossy(&rest[..=used]).into_owned();
                return Err(format!(
                    "improper conversion %{conversion} in printf(\"{}\")",
                    String::from_utf8_lossy(format)
                ));
            }
        }
        rest = &rest[used + 1..];
    }
    output.extend_from_slice(rest);
    Ok(output)
}

/// A number by a format such as CONVFMT; a format that does not work gives its own text.
pub(super) fn number(format: &[u8], value: f64) -> Vec<u8> {
    self::format(format, &[Value::Number(value)], b"%.6g").unwrap_or_else(|_| format.to_vec())
}

/// Infinity and what is no number: no digits, so no zeros and no precision.
fn unusual(spec: Spec, value: f64) -> Vec<u8> {
    let plain = Spec { zero: false, precision: None, ..spec };
    if value.is_nan() { plain.pad(number::NAN) } else { plain.float(value, b'f', false) }
}

#[expect(clippy::cast_possible_truncation, reason = "what does not fit becomes the nearest number")]
fn integer(value: f64) -> i64 {
    value as i64
}

/// For `%u` and `%x`: negative numbers wrap around as in C.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what does not fit becomes the nearest")]
fn unsigned(value: f64) -> u64 {
    if value < 0.0 { integer(value).cast_unsigned() } else { value as u64 }
}

/// `%c`: the byte of that number, or the first byte of text.
fn character(value: &Value) -> Vec<u8> {
    match value {
        // Input that looks like a number stays text here, as in gawk and mawk.
        Value::Input(text) => text.first().copied().into_iter().collect(),
        _ => match value.compared() {
            Compared::Number(number) => vec![unsigned(number).to_le_bytes()[0]],
            Compared::Text(text) => text.first().copied().into_iter().collect(),
            Compared::Unset => vec![0],
        },
    }
}

fn decimal(text: &[u8], at: &mut usize) -> usize {
    let mut value = 0_usize;
    while let Some(digit) = text.get(*at).filter(|byte| byte.is_ascii_digit()) {
        value = value.saturating_mul(10).saturating_add(usize::from(digit - b'0')).min(MAX_WIDTH);
        *at += 1;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::{Value, format};

    fn show(text: &str, args: &[Value]) -> String {
        match format(text.as_bytes(), args, b"%.6g") {
            Ok(output) => String::from_utf8_lossy(&output).into_owned(),
            Err(fault) => fault,
        }
    }

    #[test]
    fn conversions() {
        let number = Value::Number;
        assert_eq!(
            show(
                "%d|%5.1f|%-4s|%c%c",
                &[number(3.9), number(2.25), Value::text(b"ab"), number(65.0), Value::text(b"xy")]
            ),
            "3|  2.2|ab  |Ax"
        );
        assert_eq!(show("%*d|%.*f", &[number(4.0), number(7.0), number(1.0), number(1.5)]), "   7|1.5");
        assert_eq!(show("%x %o %u", &[number(255.0), number(8.0), number(-1.0)]), "ff 10 18446744073709551615");
        assert_eq!(show("%d %s", &[number(1e30), number(0.1)]), "9223372036854775807 0.1");
        assert_eq!(show("%05d|%5d", &[number(f64::NAN), number(f64::INFINITY)]), " -nan|  inf");
        assert_eq!(show("100%%", &[]), "100%");
        assert_eq!(show("%ld", &[number(5.0)]), "5");
    }

    #[test]
    fn wrong_formats_are_faults() {
        assert_eq!(show("%d", &[]), "not enough arguments passed to printf(\"%d\")");
        assert!(show("%z", &[Value::Unset]).starts_with("improper conversion"));
        assert!(show("a%", &[]).starts_with("improper conversion"));
    }
}
