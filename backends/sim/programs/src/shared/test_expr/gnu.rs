//! Expressions as GNU coreutils reads them: by the number of arguments, and by precedence beyond four.

use std::cmp::Ordering;

use crate::shared::quote;

use super::{MAX_NESTING, Pair, Step};

/// Letters of the operators with one operand.
const UNARY: &[u8] = b"bcdefghknprstuwxzGLNOS";

fn is_binary(text: &[u8]) -> bool {
    matches!(
        text,
        b"=" | b"==" | b"!=" | b"-nt" | b"-ot" | b"-ef" | b"-eq" | b"-ne" | b"-lt" | b"-le" | b"-gt" | b"-ge"
    )
}

struct Parser<'a> {
    args: &'a [Vec<u8>],
    at: usize,
    depth: usize,
    steps: Vec<Step>,
}

pub(super) fn parse(args: &[Vec<u8>]) -> Result<Vec<Step>, Vec<u8>> {
    let mut parser = Parser { args, at: 0, depth: 0, steps: Vec::new() };
    if args.is_empty() {
        return Ok(vec![Step::Known(false)]);
    }
    parser.by_count(args.len())?;
    match args.get(parser.at) {
        Some(extra) => Err(format!("extra argument {}", quote(extra)).into_bytes()),
        None => Ok(parser.steps),
    }
}

impl Parser<'_> {
    fn arg(&self, offset: usize) -> &[u8] {
        self.args.get(self.at + offset).map_or(&[], Vec::as_slice)
    }

    fn left(&self) -> usize {
        self.args.len().saturating_sub(self.at)
    }

    /// The complaint that the arguments end too soon.
    fn beyond(&self) -> Vec<u8> {
        let last = self.args.last().map_or(&[][..], Vec::as_slice);
        format!("missing argument after {}", quote(last)).into_bytes()
    }

    fn expected(&self, at: usize, what: &str) -> Vec<u8> {
        let found = self.args.get(at).map_or(&[][..], Vec::as_slice);
        format!("{}: {what} operator expected", quote(found)).into_bytes()
    }

    fn by_count(&mut self, count: usize) -> Result<(), Vec<u8>> {
        match count {
            1 => self.one(),
            2 => self.two(),
            3 => self.three(),
            4 if self.arg(0) == b"!" => {
                self.at += 1;
                self.three()?;
                self.steps.push(Step::Not);
                Ok(())
            }
            4 if self.arg(0) == b"(" && self.arg(3) == b")" => {
                self.at += 1;
                self.two()?;
                self.at += 1;
                Ok(())
            }
            _ => self.or(),
        }
    }

    fn one(&mut self) -> Result<(), Vec<u8>> {
        let truth = !self.arg(0).is_empty();
        self.steps.push(Step::Known(truth));
        self.at += 1;
        Ok(())
    }

    fn two(&mut self) -> Result<(), Vec<u8>> {
        if self.arg(0) == b"!" {
            self.at += 1;
            self.one()?;
            self.steps.push(Step::Not);
            Ok(())
        } else if matches!(self.arg(0), [b'-', _]) {
            self.unary()
        } else {
            Err(self.beyond())
        }
    }

    fn three(&mut self) -> Result<(), Vec<u8>> {
        if is_binary(self.arg(1)) {
            self.comparison()
        } else if self.arg(0) == b"!" {
            self.at += 1;
            self.two()?;
            self.steps.push(Step::Not);
            Ok(())
        } else if self.arg(0) == b"(" && self.arg(2) == b")" {
            self.at += 1;
            self.one()?;
            self.at += 1;
            Ok(())
        } else if matches!(self.arg(1), b"-a" | b"-o") {
            self.or()
        } else {
            Err(self.expected(self.at + 1, "binary"))
        }
    }

    fn or(&mut self) -> Result<(), Vec<u8>> {
        self.and()?;
        while self.left() > 0 && self.arg(0) == b"-o" {
            self.at += 1;
            self.and()?;
            self.steps.push(Step::Or);
        }
        Ok(())
    }

    fn and(&mut self) -> Result<(), Vec<u8>> {
        self.term()?;
        while self.left() > 0 && self.arg(0) == b"-a" {
            self.at += 1;
            self.term()?;
            self.steps.push(Step::And);
        }
        Ok(())
    }

    fn term(&mut self) -> Result<(), Vec<u8>> {
        let mut negate = false;
        while self.left() > 0 && self.arg(0) == b"!" {
            self.at += 1;
            negate = !negate;
        }
        if self.left() == 0 {
            return Err(self.beyond());
        }
        if self.arg(0) == b"(" {
            self.parenthesised()?;
        } else if self.left() >= 3 && is_binary(self.arg(1)) {
            self.comparison()?;
        } else if matches!(self.arg(0), [b'-', _]) {
            self.unary()?;
        } else {
            self.one()?;
        }
        if negate {
            self.steps.push(Step::Not);
        }
        Ok(())
    }

    fn parenthesised(&mut self) -> Result<(), Vec<u8>> {
        self.at += 1;
        if self.left() == 0 {
            return Err(self.beyond());
        }
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(format!("parentheses nested more than {MAX_NESTING} deep").into_bytes());
        }
        let mut count = 1;
        while count < self.left() && self.arg(count) != b")" {
            count += 1;
            if count > 4 {
                count = self.left();
                break;
            }
        }
        self.by_count(count)?;
        if self.left() == 0 {
            return Err(b"')' expected".to_vec());
        }
        if self.arg(0) != b")" {
            return Err(format!("')' expected, found {}", quote(self.arg(0))).into_bytes());
        }
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }

    fn unary(&mut self) -> Result<(), Vec<u8>> {
        let letter = self.arg(0).get(1).copied().unwrap_or_default();
        if !UNARY.contains(&letter) {
            return Err(self.expected(self.at, "unary"));
        }
        self.at += 1;
        if self.left() == 0 {
            return Err(self.beyond());
        }
        let operand = self.arg(0);
        let step = match letter {
            b'z' => Step::Known(operand.is_empty()),
            b'n' => Step::Known(!operand.is_empty()),
            b't' => {
                let (negative, digits) = integer(operand)?;
                let fd = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
                Step::Terminal(if negative { -1 } else { fd.unwrap_or(if digits.is_empty() { 0 } else { -1 }) })
            }
            _ => Step::File(letter, operand.to_vec()),
        };
        self.steps.push(step);
        self.at += 1;
        Ok(())
    }

    fn comparison(&mut self) -> Result<(), Vec<u8>> {
        let (left, operator, right) = (self.arg(0), self.arg(1), self.arg(2));
        let step = match operator {
            b"=" | b"==" => Step::Known(left == right),
            b"!=" => Step::Known(left != right),
            b"-nt" => Step::Pair(Pair::Newer, left.to_vec(), right.to_vec()),
            b"-ot" => Step::Pair(Pair::Older, left.to_vec(), right.to_vec()),
            b"-ef" => Step::Pair(Pair::Same, left.to_vec(), right.to_vec()),
            operator => {
                let order = compare(integer(left)?, integer(right)?);
                Step::Known(match operator {
                    b"-eq" => order.is_eq(),
                    b"-ne" => order.is_ne(),
                    b"-lt" => order.is_lt(),
                    b"-le" => order.is_le(),
                    b"-gt" => order.is_gt(),
                    _ => order.is_ge(),
                })
            }
        };
        self.steps.push(step);
        self.at += 3;
        Ok(())
    }
}

/// An integer of any size: whether it is negative, and its digits without leading zeros.
fn integer(text: &[u8]) -> Result<(bool, &[u8]), Vec<u8>> {
    let trimmed = text.trim_ascii();
    let (negative, digits) = match trimmed.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, trimmed),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(format!("invalid integer {}", quote(text)).into_bytes());
    }
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let digits = digits.get(zeros..).unwrap_or_default();
    Ok((negative && !digits.is_empty(), digits))
}

fn compare(left: (bool, &[u8]), right: (bool, &[u8])) -> Ordering {
    let size = |digits: &[u8], other: &[u8]| digits.len().cmp(&other.len()).then_with(|| digits.cmp(other));
    match (left, right) {
        ((false, left), (false, right)) => size(left, right),
        ((true, left), (true, right)) => size(right, left),
        ((negative, _), _) => {
            if negative {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
    }
}
