//! Conversions of printf(3): a number or a string into a field.

/// The flags, width and precision of one conversion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// `-`: pad on the right.
    pub left: bool,
    /// `+`: a sign always.
    pub plus: bool,
    /// A blank in place of a plus sign.
    pub space: bool,
    /// `#`: the alternate form.
    pub alternate: bool,
    /// `0`: pad with zeros.
    pub zero: bool,
    /// The least width.
    pub width: usize,
    /// The precision, if there is one.
    pub precision: Option<usize>,
}

/// The largest width or precision, in bytes: more would only serve to exhaust memory.
pub const MAX_WIDTH: usize = 1 << 20;

/// Exponents of this size and above, or below -4, make `%g` use the exponential form.
const GENERAL_LEAST_EXPONENT: i32 = -4;

impl Spec {
    /// `text` padded with blanks to the width.
    #[must_use]
    pub fn pad(&self, text: &[u8]) -> Vec<u8> {
        let blanks = self.width.saturating_sub(text.len());
        let mut field = Vec::with_capacity(text.len() + blanks);
        if !self.left {
            field.resize(blanks, b' ');
        }
        field.extend_from_slice(text);
        if self.left {
            field.resize(text.len() + blanks, b' ');
        }
        field
    }

    /// `%s`: at most precision bytes, padded.
    #[must_use]
    pub fn string(&self, text: &[u8]) -> Vec<u8> {
        let length = self.precision.map_or(text.len(), |most| most.min(text.len()));
        self.pad(text.get(..length).unwrap_or(text))
    }

    /// `%d`.
    #[must_use]
    pub fn signed(&self, value: i64) -> Vec<u8> {
        let digits = self.with_precision(value.unsigned_abs().to_string(), value == 0);
        self.number(self.sign(value < 0), &digits, self.precision.is_none())
    }

    /// `%u`, `%o`, `%x` and `%X`, by the conversion's letter.
    #[must_use]
    pub fn unsigned(&self, value: u64, letter: u8) -> Vec<u8> {
        let digits = match letter {
            b'o' => format!("{value:o}"),
            b'x' => format!("{value:x}"),
            b'X' => format!("{value:X}"),
            _ => value.to_string(),
        };
        let mut digits = self.with_precision(digits, value == 0);
        let prefix = match letter {
            b'x' if self.alternate && value != 0 => "0x",
            b'X' if self.alternate && value != 0 => "0X",
            _ => "",
        };
        if letter == b'o' && self.alternate && !digits.starts_with('0') {
            digits.insert(0, '0');
        }
        self.number(prefix, &digits, self.precision.is_none())
    }

    /// `%e`, `%f`, `%g`, `%a` and their capitals; `long` lays `%a` out for the x87 long double.
    #[must_use]
    pub fn float(&self, value: f64, letter: u8, long: bool) -> Vec<u8> {
        let sign = self.sign(value.is_sign_negative());
        let magnitude = value.abs();
        if !magnitude.is_finite() {
            let word = match (magnitude.is_nan(), letter.is_ascii_uppercase()) {
                (true, false) => "nan",
                (true, true) => "NAN",
                (false, false) => "inf",
                (false, true) => "INF",
            };
            return self.number(sign, word, false);
        }
        let mut text = match letter.to_ascii_lowercase() {
            b'f' => self.fixed(magnitude, self.precision.unwrap_or(6)),
            b'e' => self.exponential(magnitude, self.precision.unwrap_or(6)),
            b'g' => self.general(magnitude),
            _ => self.hexadecimal(magnitude, long),
        };
        if letter.is_ascii_uppercase() {
            text.make_ascii_uppercase();
        }
        match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => self.number(&format!("{sign}{}", &text[..2]), digits, true),
            None => self.number(sign, &text, true),
        }
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, _, _) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        }
    }

    /// Integer digits: at least as many as the precision, none for zero with precision zero.
    fn with_precision(&self, digits: String, is_zero: bool) -> String {
        match self.precision {
            Some(0) if is_zero => String::new(),
            Some(least) => format!("{digits:0>least$}"),
            None => digits,
        }
    }

    fn number(&self, prefix: &str, digits: &str, may_zero: bool) -> Vec<u8> {
        let mut text = prefix.to_owned();
        if self.zero && !self.left && may_zero {
            let zeros = self.width.saturating_sub(prefix.len() + digits.len());
            text.extend(std::iter::repeat_n('0', zeros));
        }
        text.push_str(digits);
        self.pad(text.as_bytes())
    }

    fn fixed(&self, magnitude: f64, precision: usize) -> String {
        let point = if self.alternate && precision == 0 { "." } else { "" };
        format!("{magnitude:.precision$}{point}")
    }

    fn exponential(&self, magnitude: f64, precision: usize) -> String {
        let text = format!("{magnitude:.precision$e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or_default();
        let point = if self.alternate && precision == 0 { "." } else { "" };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}{point}e{sign}{:02}", exponent.unsigned_abs())
    }

    fn general(&self, magnitude: f64) -> String {
        let digits = self.precision.unwrap_or(6).max(1);
        let rounded = format!("{magnitude:.*e}", digits - 1);
        let exponent: i32 = rounded.split_once('e').and_then(|(_, text)| text.parse().ok()).unwrap_or_default();
        let most = i32::try_from(digits).unwrap_or(i32::MAX);
        let text = if exponent < GENERAL_LEAST_EXPONENT || exponent >= most {
            self.exponential(magnitude, digits - 1)
        } else {
            self.fixed(magnitude, usize::try_from(most - 1 - exponent).unwrap_or_default())
        };
        if self.alternate {
            return text;
        }
        let (mantissa, exponent) = match text.find('e') {
            Some(at) => text.split_at(at),
            None => (text.as_str(), ""),
        };
        if !mantissa.contains('.') {
            return text;
        }
        format!("{}{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
    }

    fn hexadecimal(&self, magnitude: f64, long: bool) -> String {
        if magnitude == 0.0 {
            return "0x0p+0".to_owned();
        }
        let bits = magnitude.to_bits();
        let biased = i32::try_from((bits >> 52) & 0x7ff).unwrap_or_default();
        // The mantissa as 64 bits with its highest bit set, and the exponent of that bit.
        let (fraction, exponent) = match biased {
            0 => ((bits << 12) >> 1, -1022),
            biased => ((bits & ((1 << 52) - 1)) << 11 | 1 << 63, biased - 1023),
        };
        let shift = fraction.leading_zeros();
        let (fraction, exponent) = (fraction << shift, exponent - shift.cast_signed());
        // A double shows one bit before the point, the long double of the x87 four.
        let (lead, rest, exponent) = if long {
            (fraction >> 60, fraction << 4, exponent - 3)
        } else {
            (fraction >> 63, fraction << 1, exponent)
        };
        let (lead, digits) = match self.precision {
            None => (lead, format!("{rest:016x}").trim_end_matches('0').to_owned()),
            Some(precision) => round_hexadecimal(lead, rest, precision),
        };
        let point = if digits.is_empty() && !self.alternate { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("0x{lead:x}{point}{digits}p{sign}{}", exponent.unsigned_abs())
    }
}

/// The digit before the point and `precision` digits after it, rounded to even.
fn round_hexadecimal(lead: u64, rest: u64, precision: usize) -> (u64, String) {
    if precision >= 16 {
        return (lead, format!("{:0<precision$}", format!("{rest:016x}")));
    }
    let all = (u128::from(lead) << 64) | u128::from(rest);
    let dropped = 64 - 4 * precision;
    let (kept, lost) = (all >> dropped, all & ((1 << dropped) - 1));
    let half = 1u128 << (dropped - 1);
    let kept = if lost > half || (lost == half && kept & 1 == 1) { kept + 1 } else { kept };
    let digits = u64::try_from(kept & ((1u128 << (4 * precision)) - 1)).unwrap_or_default();
    let lead = u64::try_from(kept >> (4 * precision)).unwrap_or_default();
    (lead, if precision == 0 { String::new() } else { format!("{digits:0precision$x}") })
}

#[cfg(test)]
mod tests {
    use super::Spec;

    fn float(spec: Spec, value: f64, letter: u8) -> String {
        String::from_utf8(spec.float(value, letter, false)).unwrap()
    }

    #[test]
    fn integers_are_padded_and_signed() {
        let text = |field: Vec<u8>| String::from_utf8(field).unwrap();
        assert_eq!(text(Spec { zero: true, width: 5, ..Spec::default() }.signed(-42)), "-0042");
        assert_eq!(text(Spec { plus: true, ..Spec::default() }.signed(42)), "+42");
        assert_eq!(text(Spec { width: 5, precision: Some(3), ..Spec::default() }.signed(42)), "  042");
        assert_eq!(text(Spec { precision: Some(0), ..Spec::default() }.signed(0)), "");
        assert_eq!(text(Spec { alternate: true, ..Spec::default() }.unsigned(8, b'o')), "010");
        assert_eq!(
            text(Spec { alternate: true, zero: true, width: 6, ..Spec::default() }.unsigned(255, b'x')),
            "0x00ff"
        );
        assert_eq!(text(Spec { left: true, width: 4, ..Spec::default() }.unsigned(7, b'u')), "7   ");
    }

    #[test]
    fn floats_are_laid_out_as_the_c_library_does() {
        let plain = Spec::default();
        assert_eq!(float(plain, 1.5, b'f'), "1.500000");
        assert_eq!(float(plain, 1.5, b'e'), "1.500000e+00");
        assert_eq!(float(plain, 1e10, b'G'), "1E+10");
        assert_eq!(float(plain, 0.0001, b'g'), "0.0001");
        assert_eq!(float(plain, 100_000.0, b'g'), "100000");
        assert_eq!(float(plain, 1_000_000.0, b'g'), "1e+06");
        assert_eq!(float(plain, 1.0, b'a'), "0x1p+0");
        assert_eq!(float(plain, 3.5, b'a'), "0x1.cp+1");
        assert_eq!(float(Spec { precision: Some(0), ..plain }, 1.5, b'a'), "0x2p+0");
        assert_eq!(float(Spec { precision: Some(2), ..plain }, 2.345, b'f'), "2.35");
        assert_eq!(float(Spec { zero: true, width: 8, ..plain }, f64::NEG_INFINITY, b'f'), "    -inf");
        assert_eq!(String::from_utf8(plain.float(1.0, b'a', true)).unwrap(), "0x8p-3");
    }
}
