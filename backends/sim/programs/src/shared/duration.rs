//! Durations that people type: `1.5`, `2m`.

const SECOND: f64 = 1e9;

/// The longest that a simulated tool waits, in nanoseconds (about 146 years): above it "for ever" and
/// this are the same.
pub const FOREVER_NS: u64 = i64::MAX as u64 / 2;

/// A plain number of seconds, with fraction, in nanoseconds.
#[must_use]
pub fn seconds(text: &[u8]) -> Option<u64> {
    let value = number(text)?;
    Some(nanos(value))
}

/// A number with `s`, `m`, `h` or `d` after it, as `sleep` and `timeout` take it, in nanoseconds.
#[must_use]
pub fn with_suffix(text: &[u8]) -> Option<u64> {
    let (factor, digits) = match text.split_last()? {
        (b's', digits) => (1.0, digits),
        (b'm', digits) => (60.0, digits),
        (b'h', digits) => (3600.0, digits),
        (b'd', digits) => (86_400.0, digits),
        _ => (1.0, text),
    };
    Some(nanos(number(digits)? * factor))
}

fn number(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?.trim_start();
    let value: f64 = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?.into(),
        None => text.parse().ok()?,
    };
    (value >= 0.0).then_some(value)
}

fn nanos(seconds: f64) -> u64 {
    let ns = (seconds * SECOND).ceil();
    if ns >= FOREVER_NS as f64 { FOREVER_NS } else { ns as u64 }
}

#[cfg(test)]
mod tests {
    use super::{FOREVER_NS, seconds, with_suffix};

    #[test]
    fn typed_durations() {
        assert_eq!(with_suffix(b"1.5"), Some(1_500_000_000));
        assert_eq!(with_suffix(b"2m"), Some(120_000_000_000));
        assert_eq!(with_suffix(b"inf"), Some(FOREVER_NS));
        assert_eq!(with_suffix(b"1d"), Some(86_400_000_000_000));
        assert_eq!(seconds(b"0.1"), Some(100_000_000));
        for text in ["", "x", "-1", "1x", "s", "nan"] {
            assert_eq!(with_suffix(text.as_bytes()), None, "{text}");
        }
    }
}
