//! seq: numbers in sequence.

use crate::shared::numfmt::{MAX_WIDTH, Spec as Field};
use crate::shared::strnum;
use crate::shared::{Exit, Opt, Outcome, Spec, Tool, quote};

const SPEC: Spec = Spec::new(
    "[OPTION]... LAST or FIRST LAST or FIRST INCREMENT LAST",
    &[Opt::value("f", "format"), Opt::value("s", "separator"), Opt::flag("w", "equal-width")],
)
.stop_at_operand();

/// Digits after the point that are calculated exactly; longer numbers are taken as binary fractions.
const MAX_PRECISION: usize = 18;

/// A number as typed: exact if it is a short decimal.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Number {
    value: f64,
    /// Digits after the point, `None` if that is not decimal (hexadecimal or infinite).
    precision: Option<usize>,
    /// The length of the text with a plain sign and no exponent, for `-w`.
    width: usize,
    /// The value times ten to the precision.
    scaled: Option<i128>,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let mut args = tool.args.clone();
    // A negative number is an operand, not an option.
    let mut first = 0;
    while let Some(arg) = args.get(first) {
        match arg.as_slice() {
            [b'-', b'0'..=b'9' | b'.', ..] => {
                args.insert(first, b"--".to_vec());
                break;
            }
            b"-f" | b"-s" | b"--format" | b"--separator" => first += 2,
            b"--" => break,
            [b'-', _, ..] => first += 1,
            _ => break,
        }
    }
    let parsed = tool.parse_args(&SPEC, args).await?;
    let operands = &parsed.operands;
    if operands.is_empty() {
        return Err(tool.missing_operand(1, None).await);
    }
    if let Some(extra) = operands.get(3) {
        return Err(tool.extra_operand(1, extra).await);
    }
    let format = match parsed.value("format") {
        None => None,
        Some(text) => match Format::parse(text) {
            Ok(format) => Some(format),
            Err(message) => return Err(tool.fail(1, format!("format {} {message}", quote(text))).await),
        },
    };
    let equal_width = parsed.has("equal-width");
    if equal_width && format.is_some() {
        let message = "format string may not be specified when printing equal width strings";
        return Err(tool.usage_error(1, message).await);
    }
    let mut numbers = Vec::new();
    for operand in operands {
        numbers.push(number(&tool, operand).await?);
    }
    let one = Number { value: 1.0, precision: Some(0), width: 1, scaled: Some(1) };
    let (first, step, last) = match numbers.as_slice() {
        [first, step, last] => (*first, *step, *last),
        [first, last] => (*first, one, *last),
        [last] => (one, one, *last),
        _ => (one, one, one),
    };
    if step.value == 0.0 {
        let typed = operands.get(1).map(Vec::as_slice).unwrap_or_default();
        return Err(tool.usage_error(1, format!("invalid Zero increment value: {}", quote(typed))).await);
    }
    let separator = parsed.value("separator").unwrap_or(b"\n").to_vec();
    let printer = Printer::new(format, equal_width, first, step, last);
    print(&tool, &separator, &printer, first, step, last).await
}

async fn number(tool: &Tool, text: &[u8]) -> Result<Number, Exit> {
    let read = strnum::float(text);
    if read.used != text.len() || text.is_empty() {
        return Err(tool.usage_error(1, format!("invalid floating point argument: {}", quote(text))).await);
    }
    if read.value.is_nan() {
        return Err(tool.usage_error(1, format!("invalid 'not-a-number' argument: {}", quote(text))).await);
    }
    Ok(parse_number(text, read.value))
}

fn parse_number(text: &[u8], value: f64) -> Number {
    let text: Vec<u8> =
        text.iter().copied().skip_while(|byte| super::common::is_space(*byte) || *byte == b'+').collect();
    let negative = text.first() == Some(&b'-');
    let body = if negative { &text[1..] } else { &text[..] };
    let inexact = Number { value, precision: None, width: text.len(), scaled: None };
    if !value.is_finite() || body.iter().any(|byte| matches!(byte, b'x' | b'X')) {
        // A hexadecimal integer is exact too.
        let exact = value.is_finite() && value.fract() == 0.0 && value.abs() < 9e15;
        return if exact { Number { precision: Some(0), scaled: Some(value as i128), ..inexact } } else { inexact };
    }
    let (mantissa, exponent) = match body.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&body[..at], strnum::signed(&body[at + 1..], 10).value),
        None => (body, 0),
    };
    let point = mantissa.iter().position(|byte| *byte == b'.').unwrap_or(mantissa.len());
    let whole = &mantissa[..point];
    let fraction = mantissa.get(point + 1..).unwrap_or_default();
    let precision = i64::try_from(fraction.len()).unwrap_or(i64::MAX).saturating_sub(exponent).max(0);
    let Some(precision) = usize::try_from(precision).ok().filter(|precision| *precision <= MAX_PRECISION) else {
        return inexact;
    };
    let mut scaled: Option<i128> = Some(0);
    for digit in whole.iter().chain(fraction) {
        scaled = scaled.and_then(|sum| sum.checked_mul(10)?.checked_add(i128::from(digit - b'0')));
    }
    // The digits stand for value times ten to (fraction - exponent); raise that to the precision.
    let raise = i64::try_from(precision).unwrap_or(0) - (fraction.len() as i64 - exponent);
    let power = u32::try_from(raise).ok().and_then(|raise| 10_i128.checked_pow(raise));
    let scaled = scaled.and_then(|sum| sum.checked_mul(power?)).map(|sum| if negative { -sum } else { sum });
    let digits = scaled.map_or(1, |sum| (sum.unsigned_abs() / 10_u128.pow(precision as u32)).to_string().len());
    let plain_whole = if exponent == 0 { whole.len().max(1) } else { digits };
    let width = usize::from(negative) + plain_whole + if precision > 0 { precision + 1 } else { 0 };
    Number { value, precision: Some(precision), width, scaled }
}

/// One directive of printf(3) for a long double, and the text around it.
#[derive(Clone, Debug, PartialEq)]
struct Format {
    before: Vec<u8>,
    field: Field,
    letter: u8,
    after: Vec<u8>,
}

impl Format {
    fn parse(text: &[u8]) -> Result<Format, String> {
        let mut before = Vec::new();
        let mut at = 0;
        loop {
            match text.get(at) {
                None => return Err("has no % directive".into()),
                Some(b'%') if text.get(at + 1) == Some(&b'%') => {
                    before.push(b'%');
                    at += 2;
                }
                Some(b'%') => break,
                Some(byte) => {
                    before.push(*byte);
                    at += 1;
                }
            }
        }
        at += 1;
        let mut field = Field::default();
        while let Some(flag) = text.get(at) {
            match flag {
                b'-' => field.left = true,
                b'+' => field.plus = true,
                b' ' => field.space = true,
                b'#' => field.alternate = true,
                b'0' => field.zero = true,
                b'\'' => {}
                _ => break,
            }
            at += 1;
        }
        let digits = |at: &mut usize| {
            let start = *at;
            while text.get(*at).is_some_and(u8::is_ascii_digit) {
                *at += 1;
            }
            let value = super::common::number(&text[start..*at]).unwrap_or(0);
            usize::try_from(value).unwrap_or(MAX_WIDTH).min(MAX_WIDTH)
        };
        field.width = digits(&mut at);
        if text.get(at) == Some(&b'.') {
            at += 1;
            field.precision = Some(digits(&mut at));
        }
        if text.get(at) == Some(&b'L') {
            at += 1;
        }
        let Some(&letter) = text.get(at) else { return Err("ends in %".into()) };
        if !b"efgaEFGA".contains(&letter) {
            return Err(format!("has unknown %{} directive", char::from(letter)));
        }
        at += 1;
        let mut after = Vec::new();
        while let Some(byte) = text.get(at) {
            if *byte == b'%' {
                if text.get(at + 1) != Some(&b'%') {
                    return Err("has too many % directives".into());
                }
                at += 1;
            }
            after.push(*byte);
            at += 1;
        }
        Ok(Format { before, field, letter, after })
    }

    fn text(&self, value: f64) -> Vec<u8> {
        [&self.before[..], &self.field.float(value, self.letter, true), &self.after].concat()
    }
}

enum Printer {
    Format(Format),
    /// Digits after the point, and the width to fill with zeros.
    Plain {
        precision: usize,
        width: usize,
    },
    General,
}

impl Printer {
    fn new(format: Option<Format>, equal_width: bool, first: Number, step: Number, last: Number) -> Printer {
        if let Some(format) = format {
            return Printer::Format(format);
        }
        let (Some(from), Some(by)) = (first.precision, step.precision) else { return Printer::General };
        let precision = from.max(by);
        if !equal_width {
            return Printer::Plain { precision, width: 0 };
        }
        let (Some(last_precision), true) = (last.precision, last.scaled.is_some()) else { return Printer::General };
        let extra = |own: usize| match (own, precision) {
            (0, 0) => 0,
            (0, more) => more + 1,
            (own, more) => more - own.min(more),
        };
        let shrink =
            if last_precision > precision { last_precision - precision + usize::from(precision == 0) } else { 0 };
        let last_width = (last.width + extra(last_precision)).saturating_sub(shrink);
        Printer::Plain { precision, width: (first.width + extra(from)).max(last_width) }
    }

    fn exact(&self, scaled: i128, scale: usize) -> Vec<u8> {
        match self {
            Printer::Plain { precision, width } => decimal(scaled, scale, *precision, *width),
            Printer::Format(format) => format.text(scaled as f64 / 10_f64.powi(scale as i32)),
            Printer::General => Field::default().float(scaled as f64 / 10_f64.powi(scale as i32), b'g', true),
        }
    }

    fn inexact(&self, value: f64) -> Vec<u8> {
        match self {
            Printer::Plain { precision, width } => {
                Field { precision: Some(*precision), width: *width, zero: true, ..Field::default() }
                    .float(value, b'f', true)
            }
            Printer::Format(format) => format.text(value),
            Printer::General => Field::default().float(value, b'g', true),
        }
    }
}

/// A number that is `scaled` times ten to minus `scale`, with `precision` of these digits shown.
fn decimal(scaled: i128, scale: usize, precision: usize, width: usize) -> Vec<u8> {
    let mut digits = scaled.unsigned_abs().to_string();
    if digits.len() <= scale {
        digits = format!("{}{digits}", "0".repeat(scale + 1 - digits.len()));
    }
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let mut text = whole.to_owned();
    if precision > 0 {
        text.push('.');
        text.push_str(&fraction[..precision.min(fraction.len())]);
    }
    let sign = if scaled < 0 { "-" } else { "" };
    let zeros = width.saturating_sub(text.len() + sign.len());
    format!("{sign}{}{text}", "0".repeat(zeros)).into_bytes()
}

async fn print(tool: &Tool, separator: &[u8], printer: &Printer, first: Number, step: Number, last: Number) -> Outcome {
    let scale = [first, step, last].iter().filter_map(|number| number.precision).max().unwrap_or(0);
    let rescale = |number: Number| {
        let precision = number.precision?;
        number.scaled?.checked_mul(10_i128.pow((scale - precision) as u32))
    };
    let end = if last.value.is_infinite() && first.scaled.is_some() {
        Some(if last.value > 0.0 { i128::MAX } else { i128::MIN })
    } else {
        rescale(last)
    };
    let mut any = false;
    if let (Some(mut at), Some(by), Some(end)) = (rescale(first), rescale(step), end) {
        while if by > 0 { at <= end } else { at >= end } {
            if any {
                tool.out.write(separator).await?;
            }
            any = true;
            tool.out.write(printer.exact(at, scale)).await?;
            let Some(next) = at.checked_add(by) else { break };
            at = next;
        }
    } else {
        let mut count = 0_u64;
        loop {
            let at = first.value + count as f64 * step.value;
            if !(if step.value > 0.0 { at <= last.value } else { at >= last.value }) {
                break;
            }
            if any {
                tool.out.write(separator).await?;
            }
            any = true;
            tool.out.write(printer.inexact(at)).await?;
            count += 1;
        }
    }
    if any {
        tool.out.write("\n").await?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::{Format, decimal, parse_number};

    #[test]
    fn decimals_are_exact() {
        let number = |text: &str| parse_number(text.as_bytes(), text.parse().expect("a number"));
        assert_eq!(number("1.50").scaled, Some(150));
        assert_eq!(number("-.5").scaled, Some(-5));
        assert_eq!(number("1.5e2").scaled, Some(150));
        assert_eq!(number("1.5e2").precision, Some(0));
        assert_eq!(number("1e-2").precision, Some(2));
        assert_eq!(number("99999999999999999999").scaled, Some(99_999_999_999_999_999_999));
        assert_eq!(decimal(-5, 1, 1, 6), b"-000.5");
        assert_eq!(decimal(150, 2, 1, 0), b"1.5");
    }

    #[test]
    fn formats_need_exactly_one_directive() {
        for (text, message) in [
            ("x", "has no % directive"),
            ("%d", "has unknown %d directive"),
            ("%g%g", "has too many % directives"),
            ("%5", "ends in %"),
        ] {
            assert_eq!(Format::parse(text.as_bytes()).err().as_deref(), Some(message));
        }
        let format = Format::parse(b"x%05.1fy%%").expect("valid");
        assert_eq!(format.text(1.25), b"x001.2y%");
    }
}
