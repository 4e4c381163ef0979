//! expr(1).

use crate::shared::posix_regex::{Dialect, Regex, Spans, Syntax};
use crate::shared::{Outcome, Tool, quote};

/// A wrong expression.
const WRONG: i32 = 2;
/// An error in what the expression means.
const FAILED: i32 = 3;

/// Parentheses inside each other: bounds the depth of recursion.
const MAX_NESTING: usize = 200;

/// A value: text, or a number that was reckoned.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(Vec<u8>),
    Number(i128),
}

/// Why there is no value.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trouble {
    code: i32,
    message: String,
}

fn wrong(message: impl Into<String>) -> Trouble {
    Trouble { code: WRONG, message: message.into() }
}

pub(super) async fn run(tool: Tool) -> Outcome {
    tool.out.set_failure(FAILED);
    let mut words = tool.args.as_slice();
    if let [only] = words {
        if only == b"--help" {
            tool.out.write("Usage: expr EXPRESSION\n").await?;
            return Ok(0);
        }
        if only == b"--version" {
            tool.out.write(concat!("expr (provium simulated guest) ", env!("CARGO_PKG_VERSION"), "\n")).await?;
            return Ok(0);
        }
    }
    if let Some((first, rest)) = words.split_first()
        && first == b"--"
    {
        words = rest;
    }
    if words.is_empty() {
        return Err(tool.missing_operand(WRONG, None).await);
    }
    match evaluate(words) {
        Ok(value) => {
            let mut line = value.text();
            line.push(b'\n');
            tool.out.write(line).await?;
            Ok(i32::from(value.is_null()))
        }
        Err(Trouble { code, message }) => Err(tool.fail(code, message).await),
    }
}

fn evaluate(words: &[Vec<u8>]) -> Result<Value, Trouble> {
    let mut parser = Parser { words, at: 0, depth: 0 };
    let value = parser.or(true)?;
    match parser.words.get(parser.at) {
        Some(extra) => Err(wrong(format!("syntax error: unexpected argument {}", quote(extra)))),
        None => Ok(value),
    }
}

struct Parser<'a> {
    words: &'a [Vec<u8>],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    /// Takes the next word if it is this one.
    fn next_is(&mut self, word: &[u8]) -> bool {
        let is = self.words.get(self.at).is_some_and(|next| next == word);
        self.at += usize::from(is);
        is
    }

    fn any_of(&mut self, words: &[&'static [u8]]) -> Option<&'static [u8]> {
        words.iter().copied().find(|word| self.next_is(word))
    }

    /// `a | b`. What need not be evaluated is only read: `counts` is false there.
    fn or(&mut self, counts: bool) -> Result<Value, Trouble> {
        let mut left = self.and(counts)?;
        while self.next_is(b"|") {
            let right = self.and(counts && left.is_null())?;
            if left.is_null() {
                left = if right.is_null() { Value::Number(0) } else { right };
            }
        }
        Ok(left)
    }

    fn and(&mut self, counts: bool) -> Result<Value, Trouble> {
        let mut left = self.comparison(counts)?;
        while self.next_is(b"&") {
            let right = self.comparison(counts && !left.is_null())?;
            if left.is_null() || right.is_null() {
                left = Value::Number(0);
            }
        }
        Ok(left)
    }

    fn comparison(&mut self, counts: bool) -> Result<Value, Trouble> {
        let mut left = self.sum(counts)?;
        while let Some(operator) = self.any_of(&[b"<=", b"<", b">=", b">", b"==", b"=", b"!="]) {
            let right = self.sum(counts)?;
            let order = match (left.number(), right.number()) {
                (Some(left), Some(right)) => left.cmp(&right),
                _ => left.text().cmp(&right.text()),
            };
            let holds = match operator {
                b"<" => order.is_lt(),
                b"<=" => order.is_le(),
                b">" => order.is_gt(),
                b">=" => order.is_ge(),
                b"!=" => order.is_ne(),
                _ => order.is_eq(),
            };
            left = Value::Number(i128::from(holds));
        }
        Ok(left)
    }

    fn sum(&mut self, counts: bool) -> Result<Value, Trouble> {
        let mut left = self.product(counts)?;
        while let Some(operator) = self.any_of(&[b"+", b"-"]) {
            let right = self.product(counts)?;
            if counts {
                let (a, b) = numbers(&left, &right)?;
                let result = if operator == b"+" { a.checked_add(b) } else { a.checked_sub(b) };
                left = Value::Number(result.ok_or_else(too_big)?);
            }
        }
        Ok(left)
    }

    fn product(&mut self, counts: bool) -> Result<Value, Trouble> {
        let mut left = self.matching(counts)?;
        while let Some(operator) = self.any_of(&[b"*", b"/", b"%"]) {
            let right = self.matching(counts)?;
            if counts {
                let (a, b) = numbers(&left, &right)?;
                if operator != b"*" && b == 0 {
                    return Err(wrong("division by zero"));
                }
                let result = match operator {
                    b"*" => a.checked_mul(b),
                    b"/" => a.checked_div(b),
                    _ => a.checked_rem(b),
                };
                left = Value::Number(result.ok_or_else(too_big)?);
            }
        }
        Ok(left)
    }

    fn matching(&mut self, counts: bool) -> Result<Value, Trouble> {
        let mut left = self.function(counts)?;
        while self.next_is(b":") {
            let right = self.function(counts)?;
            if counts {
                left = match_prefix(&left.text(), &right.text())?;
            }
        }
        Ok(left)
    }

    fn function(&mut self, counts: bool) -> Result<Value, Trouble> {
        if self.next_is(b"+") {
            return self.word("+");
        }
        if self.next_is(b"length") {
            let text = self.function(counts)?.text();
            return Ok(Value::Number(text.len() as i128));
        }
        if self.next_is(b"match") {
            let (text, pattern) = (self.function(counts)?, self.function(counts)?);
            return if counts { match_prefix(&text.text(), &pattern.text()) } else { Ok(text) };
        }
        if self.next_is(b"index") {
            let (text, any) = (self.function(counts)?.text(), self.function(counts)?.text());
            let found = text.iter().position(|byte| any.contains(byte));
            return Ok(Value::Number(found.map_or(0, |at| at as i128 + 1)));
        }
        if self.next_is(b"substr") {
            let text = self.function(counts)?.text();
            let (from, length) = (self.function(counts)?, self.function(counts)?);
            let part = match (from.number(), length.number()) {
                (Some(from @ 1..), Some(length @ 1..)) => {
                    let skip = usize::try_from(from - 1).unwrap_or(usize::MAX);
                    let take = usize::try_from(length).unwrap_or(usize::MAX);
                    text.into_iter().skip(skip).take(take).collect()
                }
                _ => Vec::new(),
            };
            return Ok(Value::Text(part));
        }
        self.primary(counts)
    }

    fn primary(&mut self, counts: bool) -> Result<Value, Trouble> {
        if self.next_is(b"(") {
            self.depth += 1;
            if self.depth > MAX_NESTING {
                return Err(wrong(format!(
                    "parentheses nest deeper than {MAX_NESTING}, the limit of the simulated guest"
                )));
            }
            let value = self.or(counts)?;
            if !self.next_is(b")") {
                return Err(match self.words.get(self.at) {
                    Some(found) => wrong(format!("syntax error: expecting ')' instead of {}", quote(found))),
                    None => {
                        let last = self.words.last().cloned().unwrap_or_default();
                        wrong(format!("syntax error: expecting ')' after {}", quote(last)))
                    }
                });
            }
            self.depth -= 1;
            return Ok(value);
        }
        if self.words.get(self.at).is_some_and(|word| word == b")") {
            return Err(wrong("syntax error: unexpected ')'"));
        }
        self.word("")
    }

    fn word(&mut self, after: &str) -> Result<Value, Trouble> {
        let Some(word) = self.words.get(self.at) else {
            let last = match after {
                "" => self.words.last().cloned().unwrap_or_default(),
                after => after.as_bytes().to_vec(),
            };
            return Err(wrong(format!("syntax error: missing argument after {}", quote(last))));
        };
        self.at += 1;
        Ok(Value::Text(word.clone()))
    }
}

fn too_big() -> Trouble {
    Trouble { code: FAILED, message: "number is too big for the simulated guest".into() }
}

fn numbers(left: &Value, right: &Value) -> Result<(i128, i128), Trouble> {
    match (left.number(), right.number()) {
        (Some(left), Some(right)) => Ok((left, right)),
        _ => Err(wrong("non-integer argument")),
    }
}

/// Matches a basic regular expression at the beginning of a text: the first group, or the length.
fn match_prefix(text: &[u8], pattern: &[u8]) -> Result<Value, Trouble> {
    let regex = Regex::new(pattern, Syntax::basic(Dialect::Sed)).map_err(|error| wrong(error.to_string()))?;
    let mut spans = Spans::default();
    // The leftmost match is at the beginning if there is one there.
    let found = regex.captures_at(text, 0, &mut spans).map_err(|error| wrong(error.to_string()))?;
    let found = found && spans.whole().0 == 0;
    if regex.groups() > 0 {
        let group = if found { spans.group(1) } else { None };
        return Ok(Value::Text(group.map_or(Vec::new(), |(from, to)| text[from..to].to_vec())));
    }
    Ok(Value::Number(if found { spans.whole().1 as i128 } else { 0 }))
}

impl Value {
    fn text(&self) -> Vec<u8> {
        match self {
            Value::Text(text) => text.clone(),
            Value::Number(number) => number.to_string().into_bytes(),
        }
    }

    /// The number it is, if it is one.
    fn number(&self) -> Option<i128> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Text(text) => {
                let digits = text.strip_prefix(b"-").unwrap_or(text);
                if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                    return None;
                }
                std::str::from_utf8(text).ok()?.parse().ok()
            }
        }
    }

    /// Whether it is empty or zero.
    fn is_null(&self) -> bool {
        match self {
            Value::Number(number) => *number == 0,
            Value::Text(text) => {
                let digits = text.strip_prefix(b"-").unwrap_or(text);
                text.is_empty() || !digits.is_empty() && digits.iter().all(|&byte| byte == b'0')
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::evaluate;

    fn value(line: &str) -> Result<String, String> {
        let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        match evaluate(&words) {
            Ok(value) => Ok(String::from_utf8_lossy(&value.text()).into_owned()),
            Err(trouble) => Err(trouble.message),
        }
    }

    #[test]
    fn expressions() {
        for (line, result) in [
            ("1 + 2 * 3", "7"),
            ("( 1 + 2 ) * 3", "9"),
            ("7 / 2", "3"),
            ("-7 % 3", "-1"),
            ("abc : a\\(.\\)c", "b"),
            ("abc : ab", "2"),
            ("xabc : ab", "0"),
            ("length abcd", "4"),
            ("substr abcdef 2 3", "bcd"),
            ("index abcdef dc", "3"),
            ("a < b", "1"),
            ("10 < 9", "0"),
            ("0 | x", "x"),
            ("1 & 0", "0"),
            ("1 | 1 / 0", "1"),
            ("+ length", "length"),
        ] {
            assert_eq!(value(line).as_deref(), Ok(result), "{line}");
        }
        assert_eq!(value("1 +"), Err("syntax error: missing argument after '+'".into()));
        assert_eq!(value("1 2"), Err("syntax error: unexpected argument '2'".into()));
        assert_eq!(value("a + 1"), Err("non-integer argument".into()));
        assert_eq!(value("1 / 0"), Err("division by zero".into()));
    }
}
