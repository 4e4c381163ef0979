//! expr(1).

use crate::shared::posix_regex::{Dialect, Regex, Spans, Syntax};
use crate::shared::{Exit, Outcome, Tool, quote};

/// Parentheses within parentheses: far beyond what people write, far within the stack.
const MAX_DEPTH: usize = 200;

/// Why an expression has no value.
enum Trouble {
    Syntax(String),
    Value(String),
}

type Value = Vec<u8>;

struct Parser<'a> {
    args: &'a [Vec<u8>],
    at: usize,
    depth: usize,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let args = match tool.args.first() {
        Some(first) if first == b"--" => &tool.args[1..],
        _ => &tool.args[..],
    };
    if args.is_empty() {
        return Err(tool.missing_operand(2, None).await);
    }
    let mut parser = Parser { args, at: 0, depth: 0 };
    let result = parser.or().and_then(|value| match parser.peek() {
        None => Ok(value),
        Some(extra) => Err(Trouble::Syntax(format!("syntax error: unexpected argument {}", quote(extra)))),
    });
    match result {
        Ok(value) => {
            tool.out.write([value.as_slice(), b"\n"].concat()).await?;
            Ok(i32::from(is_null(&value)))
        }
        Err(Trouble::Syntax(message) | Trouble::Value(message)) => {
            tool.error(message).await;
            Err(Exit(2))
        }
    }
}

/// Whether a value counts as false: empty or zero.
fn is_null(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    value.is_empty() || (!digits.is_empty() && digits.iter().all(|byte| *byte == b'0'))
}

fn integer(value: &[u8]) -> Option<i128> {
    let text = std::str::from_utf8(value).ok()?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

impl Parser<'_> {
    fn peek(&self) -> Option<&[u8]> {
        self.args.get(self.at).map(Vec::as_slice)
    }

    fn accept(&mut self, operators: &[&str]) -> Option<String> {
        let next = self.peek()?;
        let found = operators.iter().find(|operator| operator.as_bytes() == next)?.to_string();
        self.at += 1;
        Some(found)
    }

    fn or(&mut self) -> Result<Value, Trouble> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Trouble::Syntax(format!("syntax error: more than {MAX_DEPTH} parentheses within each other")));
        }
        let mut left = self.and()?;
        while self.accept(&["|"]).is_some() {
            let right = self.and()?;
            if is_null(&left) {
                left = if is_null(&right) { b"0".to_vec() } else { right };
            }
        }
        self.depth -= 1;
        Ok(left)
    }

    fn and(&mut self) -> Result<Value, Trouble> {
        let mut left = self.compare()?;
        while self.accept(&["&"]).is_some() {
            let right = self.compare()?;
            if is_null(&left) || is_null(&right) {
                left = b"0".to_vec();
            }
        }
        Ok(left)
    }

    fn compare(&mut self) -> Result<Value, Trouble> {
        let mut left = self.sum()?;
        while let Some(operator) = self.accept(&["<", "<=", "=", "==", "!=", ">=", ">"]) {
            let right = self.sum()?;
            let order = match (integer(&left), integer(&right)) {
                (Some(left), Some(right)) => left.cmp(&right),
                _ => left.cmp(&right),
            };
            let holds = match operator.as_str() {
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                "!=" => order.is_ne(),
                ">=" => order.is_ge(),
                ">" => order.is_gt(),
                _ => order.is_eq(),
            };
            left = if holds { b"1".to_vec() } else { b"0".to_vec() };
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Value, Trouble> {
        let mut left = self.product()?;
        while let Some(operator) = self.accept(&["+", "-"]) {
            let right = self.product()?;
            left = arithmetic(&operator, &left, &right)?;
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Value, Trouble> {
        let mut left = self.matching()?;
        while let Some(operator) = self.accept(&["*", "/", "%"]) {
            let right = self.matching()?;
            left = arithmetic(&operator, &left, &right)?;
        }
        Ok(left)
    }

    fn matching(&mut self) -> Result<Value, Trouble> {
        let mut left = self.primary()?;
        while self.accept(&[":"]).is_some() {
            let pattern = self.primary()?;
            left = matched(&left, &pattern)?;
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Value, Trouble> {
        let after = self.at.checked_sub(1).and_then(|before| self.args.get(before));
        match self.args.get(self.at) {
            Some(value) => {
                self.at += 1;
                Ok(value.clone())
            }
            None => Err(Trouble::Syntax(format!(
                "syntax error: missing argument after {}",
                quote(after.map_or(&[][..], Vec::as_slice))
            ))),
        }
    }

    fn primary(&mut self) -> Result<Value, Trouble> {
        let word = self.operand()?;
        match word.as_slice() {
            b"(" => {
                let value = self.or()?;
                match self.accept(&[")"]) {
                    Some(_) => Ok(value),
                    None => match self.peek() {
                        Some(found) => {
                            Err(Trouble::Syntax(format!("syntax error: expecting ')' instead of {}", quote(found))))
                        }
                        None => Err(Trouble::Syntax(format!(
                            "syntax error: expecting ')' after {}",
                            quote(&self.args[self.at - 1])
                        ))),
                    },
                }
            }
            b")" => Err(Trouble::Syntax("syntax error: unexpected ')'".to_owned())),
            b"+" => self.operand(),
            b"length" if self.peek().is_some() => Ok(self.primary()?.len().to_string().into_bytes()),
            b"match" if self.args.len() > self.at + 1 => {
                let text = self.primary()?;
                let pattern = self.primary()?;
                matched(&text, &pattern)
            }
            b"index" if self.args.len() > self.at + 1 => {
                let text = self.primary()?;
                let set = self.primary()?;
                let found = text.iter().position(|byte| set.contains(byte)).map_or(0, |at| at + 1);
                Ok(found.to_string().into_bytes())
            }
            b"substr" if self.args.len() > self.at + 2 => {
                let text = self.primary()?;
                let (start, len) = (self.primary()?, self.primary()?);
                match (integer(&start), integer(&len)) {
                    (Some(start @ 1..), Some(len @ 1..)) => {
                        let from = usize::try_from(start - 1).unwrap_or(usize::MAX).min(text.len());
                        let to = usize::try_from(len).unwrap_or(usize::MAX).saturating_add(from).min(text.len());
                        Ok(text[from..to].to_vec())
                    }
                    _ => Ok(Vec::new()),
                }
            }
            _ => Ok(word),
        }
    }
}

fn arithmetic(operator: &str, left: &[u8], right: &[u8]) -> Result<Value, Trouble> {
    let (Some(left), Some(right)) = (integer(left), integer(right)) else {
        return Err(Trouble::Value("non-integer argument".to_owned()));
    };
    if right == 0 && matches!(operator, "/" | "%") {
        return Err(Trouble::Value("division by zero".to_owned()));
    }
    let result = match operator {
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "/" => left.checked_div(right),
        _ => left.checked_rem(right),
    };
    match result {
        Some(value) => Ok(value.to_string().into_bytes()),
        None => Err(Trouble::Value("integer result too large".to_owned())),
    }
}

/// `TEXT : PATTERN`: what the first group matched, else how many bytes matched.
fn matched(text: &[u8], pattern: &[u8]) -> Result<Value, Trouble> {
    let anchored = [b"^", pattern.strip_prefix(b"^").unwrap_or(pattern)].concat();
    let regex = match Regex::new(&anchored, Syntax::basic(Dialect::Grep)) {
        Ok(regex) => regex,
        Err(error) => return Err(Trouble::Value(error.to_string())),
    };
    let mut spans = Spans::default();
    let found = regex.captures_at(text, 0, &mut spans).unwrap_or(false);
    let value = match (found, regex.groups() > 0) {
        (true, true) => spans.group(1).map(|(from, to)| text[from..to].to_vec()).unwrap_or_default(),
        (true, false) => {
            let (from, to) = spans.whole();
            (to - from).to_string().into_bytes()
        }
        (false, true) => Vec::new(),
        (false, false) => b"0".to_vec(),
    };
    Ok(value)
}
