//! Sizes for people: `1.5K`, and the sizes that people type.

const UNITS: &[u8] = b"KMGTPEZY";

/// A number of bytes as `ls -h` and `df -h` show it: at most three digits (four with `K` of 1024), one
/// decimal below ten, always rounded up.
#[must_use]
pub fn human_size(bytes: u64, base: u64) -> String {
    let bytes = u128::from(bytes);
    let base = u128::from(base.max(2));
    if bytes < base {
        return bytes.to_string();
    }
    let mut unit = 0;
    let mut scale = base;
    while bytes / scale >= base && unit + 1 < UNITS.len() {
        scale *= base;
        unit += 1;
    }
    let mut tenths = (bytes * 10).div_ceil(scale);
    if tenths >= 100 {
        let mut whole = bytes.div_ceil(scale);
        if whole < base || unit + 1 == UNITS.len() {
            return format!("{whole}{}", unit_name(unit, base));
        }
        unit += 1;
        whole = 1;
        tenths = whole * 10;
    }
    format!("{}.{}{}", tenths / 10, tenths % 10, unit_name(unit, base))
}

fn unit_name(unit: usize, base: u128) -> char {
    let name = UNITS.get(unit).copied().map_or('?', char::from);
    if base == 1000 && name == 'K' { 'k' } else { name }
}

/// Why a typed size is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSize {
    /// No number, or a suffix that means nothing.
    Invalid,
    /// More than 64 bits hold.
    Overflow,
}

/// A size with a suffix as most GNU tools read it: `K`, `M` … and `KiB` are powers of 1024, `kB`, `MB` …
/// powers of 1000, `b` is 512, `c` is 1, `w` is 2.
pub fn parse_size(text: &[u8]) -> Result<u64, BadSize> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, suffix) = text.split_at(digits);
    let factor = size_factor(suffix).ok_or(BadSize::Invalid)?;
    if number.is_empty() {
        // A bare suffix counts one, as in xstrtoumax.
        return if suffix.is_empty() { Err(BadSize::Invalid) } else { narrow(factor) };
    }
    let mut value: u128 = 0;
    for digit in number {
        value = value * 10 + u128::from(digit - b'0');
        if value > u128::from(u64::MAX) {
            return Err(BadSize::Overflow);
        }
    }
    narrow(value.checked_mul(factor).ok_or(BadSize::Overflow)?)
}

fn narrow(value: u128) -> Result<u64, BadSize> {
    u64::try_from(value).map_err(|_| BadSize::Overflow)
}

fn size_factor(suffix: &[u8]) -> Option<u128> {
    let (unit, base) = match suffix {
        b"" | b"c" => return Some(1),
        b"w" => return Some(2),
        b"b" => return Some(512),
        [unit] | [unit, b'i', b'B'] => (unit, 1024u128),
        [unit, b'B'] => (unit, 1000u128),
        _ => return None,
    };
    let power = UNITS.iter().position(|known| known == unit || (known == &b'K' && unit == &b'k'))?;
    base.checked_pow(u32::try_from(power).ok()? + 1)
}

#[cfg(test)]
mod tests {
    use super::{BadSize, human_size, parse_size};

    #[test]
    fn sizes_round_up_and_stay_short() {
        for (bytes, text) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1.0K"),
            (1025, "1.1K"),
            (1536, "1.5K"),
            (10189, "10K"),
            (10240, "10K"),
            (10241, "11K"),
            (1047553, "1.0M"),
            (1048576, "1.0M"),
            (8 << 20, "8.0M"),
            (u64::MAX, "16E"),
        ] {
            assert_eq!(human_size(bytes, 1024), text, "{bytes}");
        }
        assert_eq!(human_size(1500, 1000), "1.5k");
    }

    #[test]
    fn typed_sizes() {
        assert_eq!(parse_size(b"10"), Ok(10));
        assert_eq!(parse_size(b"1K"), Ok(1024));
        assert_eq!(parse_size(b"1kB"), Ok(1000));
        assert_eq!(parse_size(b"2MiB"), Ok(2 << 20));
        assert_eq!(parse_size(b"3b"), Ok(1536));
        assert_eq!(parse_size(b"1Q"), Err(BadSize::Invalid));
        assert_eq!(parse_size(b""), Err(BadSize::Invalid));
        assert_eq!(parse_size(b"99999999999999999999"), Err(BadSize::Overflow));
        assert_eq!(parse_size(b"16E"), Err(BadSize::Overflow));
    }
}
