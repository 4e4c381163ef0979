//! Durations and sizes as people write them. There is one reader for each, used by the command line,
//! by `provium.toml` and by the Lua surface, so that a form that is good in one place is good in all.
//!
//! Everything is exact: `"0.1s"` is 100,000,000 ns, never a rounded float. A string needs its unit
//! (`"10"` alone could mean seconds or milliseconds), a number is seconds.

use std::fmt;

use provium_protocol::Nanos;
use provium_protocol::time::{MILLISECOND, SECOND};

/// The forms of a duration, for error messages and help texts.
pub const DURATION_FORMS: &str = "a number of seconds, or a string such as \"500ms\", \"1.5s\", \"2m\" or \"1h\"";

/// The forms of a size, for error messages and help texts.
pub const SIZE_FORMS: &str = "a number of bytes, or a string such as \"512\", \"64K\", \"256M\", \"2G\" or \"1T\"";

/// How much of a bad value an error shows, in characters: enough to recognise it, never a screenful.
const MAX_SHOWN: usize = 40;

/// A duration or a size that cannot be read. It displays as one line that shows the value and the forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitError {
    what: &'static str,
    value: String,
    problem: &'static str,
    forms: &'static str,
}

impl UnitError {
    fn duration(value: impl fmt::Display, problem: &'static str) -> UnitError {
        UnitError { what: "duration", value: value.to_string(), problem, forms: DURATION_FORMS }
    }

    fn size(value: impl fmt::Display, problem: &'static str) -> UnitError {
        UnitError { what: "size", value: value.to_string(), problem, forms: SIZE_FORMS }
    }
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown: String = self.value.chars().take(MAX_SHOWN).flat_map(char::escape_debug).collect();
        if self.value.chars().nth(MAX_SHOWN).is_some() {
            shown.push('…');
        }
        write!(f, "invalid {} `{}`: {}; expected {}", self.what, shown, self.problem, self.forms)
    }
}

impl std::error::Error for UnitError {}

const TOO_LONG: &str = "it is too long (the most is about 584 years)";
const TOO_LARGE: &str = "it is too large (the most is 2^64 - 1 bytes)";
const NEGATIVE: &str = "it is negative";

/// Reads a duration with its unit: `"500ms"`, `"1.5s"`, `"2m"`, `"1h"`. Digits below a nanosecond are cut.
pub fn parse_duration(text: &str) -> Result<Nanos, UnitError> {
    let error = |problem| UnitError::duration(text, problem);
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    if text.starts_with('-') {
        return Err(error(NEGATIVE));
    }
    if number.is_empty() {
        return Err(error("it does not begin with a number"));
    }
    let unit: Nanos = match unit {
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3600 * SECOND,
        "" => return Err(error("it has no unit")),
        _ => return Err(error("its unit is not one of ms, s, m, h")),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((_, "")) | Some(("", _)) => return Err(error("its number has no digits on one side of the point")),
        Some((_, fraction)) if fraction.contains('.') => return Err(error("its number has two points")),
        Some(parts) => parts,
        None => (number, ""),
    };
    // The digits were checked above, so only a number that is too long fails to parse.
    let whole: u64 = whole.parse().map_err(|_| error(TOO_LONG))?;
    let whole = whole.checked_mul(unit).ok_or_else(|| error(TOO_LONG))?;
    let mut part: u128 = 0;
    let mut scale: u128 = 1;
    // 18 digits reach below a nanosecond of an hour; the product stays far below 2^128.
    for digit in fraction.bytes().take(18) {
        part = part * 10 + u128::from(digit - b'0');
        scale *= 10;
    }
    let part = u64::try_from(part * u128::from(unit) / scale).map_err(|_| error(TOO_LONG))?;
    whole.checked_add(part).ok_or_else(|| error(TOO_LONG))
}

/// A whole number of seconds as a duration.
pub fn duration_from_secs(seconds: i64) -> Result<Nanos, UnitError> {
    let whole = u64::try_from(seconds).map_err(|_| UnitError::duration(seconds, NEGATIVE))?;
    whole.checked_mul(SECOND).ok_or_else(|| UnitError::duration(seconds, TOO_LONG))
}

/// A number of seconds as a duration, to the nearest nanosecond.
pub fn duration_from_secs_f64(seconds: f64) -> Result<Nanos, UnitError> {
    let error = |problem| UnitError::duration(seconds, problem);
    if seconds.is_nan() {
        return Err(error("it is not a number"));
    }
    if seconds < 0.0 {
        return Err(error(NEGATIVE));
    }
    if seconds.is_infinite() {
        return Err(error("it is infinite"));
    }
    let ns = (seconds * SECOND as f64).round();
    // `u64::MAX as f64` rounds up to 2^64, the first value that does not fit.
    if ns >= u64::MAX as f64 {
        return Err(error(TOO_LONG));
    }
    Ok(ns as Nanos)
}

/// Reads a size: digits, then nothing (bytes) or one of `K`, `M`, `G`, `T` (powers of 1024).
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    let error = |problem| UnitError::size(text, problem);
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    if text.starts_with('-') {
        return Err(error(NEGATIVE));
    }
    if number.is_empty() {
        return Err(error("it does not begin with a whole number"));
    }
    let shift = match unit {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ if unit.starts_with('.') => return Err(error("it is not a whole number")),
        _ => return Err(error("its unit is not one of K, M, G, T")),
    };
    let number: u64 = number.parse().map_err(|_| error(TOO_LARGE))?;
    number.checked_mul(1 << shift).ok_or_else(|| error(TOO_LARGE))
}

/// A number of bytes as a size.
pub fn size_from_integer(bytes: i64) -> Result<u64, UnitError> {
    u64::try_from(bytes).map_err(|_| UnitError::size(bytes, NEGATIVE))
}

/// Writes a duration for people, in the largest unit that keeps it readable: `0s`, `850ns`, `1.5ms`,
/// `2.25s`, `1m 5s`, `2h 0m`. At most three digits follow a point; what is below is cut, not rounded.
#[must_use]
pub fn format_duration(ns: Nanos) -> String {
    match ns {
        0 => "0s".to_owned(),
        1..1_000 => format!("{ns}ns"),
        1_000..MILLISECOND => decimal(ns, 1_000, "µs"),
        MILLISECOND..SECOND => decimal(ns, MILLISECOND, "ms"),
        _ if ns < 60 * SECOND => decimal(ns, SECOND, "s"),
        _ if ns < 3600 * SECOND => format!("{}m {}s", ns / (60 * SECOND), ns / SECOND % 60),
        _ => format!("{}h {}m", ns / (3600 * SECOND), ns / (60 * SECOND) % 60),
    }
}

fn decimal(ns: Nanos, unit: Nanos, name: &str) -> String {
    let thousandths = ns % unit / (unit / 1_000);
    let text = format!("{}.{thousandths:03}", ns / unit);
    format!("{}{name}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        for (text, ns) in [
            ("0s", 0),
            ("500ms", 500 * MILLISECOND),
            ("1.5s", 1_500 * MILLISECOND),
            ("0.1s", 100 * MILLISECOND),
            ("0.000000001s", 1),
            ("0.0000000019s", 1),
            ("2m", 120 * SECOND),
            ("0.5h", 1_800 * SECOND),
            ("18446744073s", 18_446_744_073 * SECOND),
        ] {
            assert_eq!(parse_duration(text), Ok(ns), "{text}");
        }
        assert_eq!(duration_from_secs(3), Ok(3 * SECOND));
        assert_eq!(duration_from_secs_f64(0.1), Ok(100 * MILLISECOND));
        assert_eq!(duration_from_secs_f64(-0.0), Ok(0));
    }

    #[test]
    fn bad_durations_say_what_is_wrong() {
        for (text, problem) in [
            ("", "it does not begin with a number"),
            ("10", "it has no unit"),
            ("-1s", "it is negative"),
            ("1d", "its unit is not one of ms, s, m, h"),
            ("1 s", "its unit is not one of ms, s, m, h"),
            ("1.s", "its number has no digits on one side of the point"),
            (".5s", "its number has no digits on one side of the point"),
            ("1.2.3s", "its number has two points"),
            ("18446744074s", TOO_LONG),
            ("99999999999999999999999s", TOO_LONG),
            ("nan", "it does not begin with a number"),
        ] {
            let error = parse_duration(text).expect_err(text);
            assert_eq!(error.problem, problem, "{text}");
            assert!(error.to_string().contains(DURATION_FORMS), "{error}");
        }
        assert!(duration_from_secs(-1).is_err());
        assert!(duration_from_secs(i64::MAX).is_err());
        for bad in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
            assert!(duration_from_secs_f64(bad).is_err(), "{bad}");
        }
        assert_eq!(
            parse_duration("soon").expect_err("not a duration").to_string(),
            "invalid duration `soon`: it does not begin with a number; expected a number of seconds, \
             or a string such as \"500ms\", \"1.5s\", \"2m\" or \"1h\""
        );
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        for (text, bytes) in
            [("0", 0), ("512", 512), ("64K", 65_536), ("256M", 256 << 20), ("2G", 2 << 30), ("1T", 1 << 40)]
        {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "K", "-1", "1.5G", "1KB", "1k", "16777216T", "99999999999999999999", " 1"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
        assert_eq!(size_from_integer(7), Ok(7));
        assert!(size_from_integer(-7).is_err());
    }

    #[test]
    fn a_long_or_strange_value_is_shown_on_one_short_line() {
        let text = parse_size(&"é\n".repeat(500)).expect_err("not a size").to_string();
        assert!(!text.contains('\n') && text.contains("\\n") && text.contains('…'), "{text}");
    }

    #[test]
    fn durations_read_well() {
        for (ns, text) in [
            (0, "0s"),
            (850, "850ns"),
            (1_500, "1.5µs"),
            (1_000_000, "1ms"),
            (1_234_567, "1.234ms"),
            (2_250_000_000, "2.25s"),
            (59_999_999_999, "59.999s"),
            (65 * SECOND, "1m 5s"),
            (7_200 * SECOND, "2h 0m"),
        ] {
            assert_eq!(format_duration(ns), text);
        }
    }
}
