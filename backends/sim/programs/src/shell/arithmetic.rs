//! Arithmetic expansion: the operators of C on 64-bit integers, read and evaluated in one go.
//!
//! As in dash there is no `++`, no `--`, no comma and no `**`; numbers that do not fit are the largest, and
//! results wrap around.

use crate::shared::strnum;

/// Operators inside of one another in one expression: each level costs stack.
pub const MAX_NESTING: usize = 200;

/// The variables of the shell, as an expression sees them.
pub trait Variables {
    /// Why a variable cannot be read or set.
    type Error;

    /// A variable's value; an unset one is 0.
    fn get(&self, name: &[u8]) -> Result<i64, Self::Error>;
    /// Sets a variable.
    fn set(&mut self, name: &[u8], value: i64) -> Result<(), Self::Error>;
}

/// Why an expression has no value.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure<E> {
    /// What is wrong with the expression: `division by zero`.
    Expression(String),
    /// What is wrong with a variable.
    Variable(E),
}

/// Evaluates an expression.
pub fn evaluate<V: Variables>(text: &[u8], variables: &mut V) -> Result<i64, Failure<V::Error>> {
    let mut evaluator = Evaluator { text, at: 0, next: Token::End, variables, skipping: false, depth: 0 };
    evaluator.advance();
    let value = evaluator.assignment()?;
    match evaluator.next {
        Token::End => Ok(value),
        _ => Err(Failure::Expression("expecting EOF".to_owned())),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    End,
    Number(i64),
    Name(&'a [u8]),
    Operator(&'static str),
    Unknown,
}

/// Longer ones first.
const OPERATORS: [&str; 35] = [
    "<<=", ">>=", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "*=", "/=", "%=", "+=", "-=", "&=", "^=", "|=", "<",
    ">", "=", "!", "&", "|", "^", "~", "+", "-", "*", "/", "%", "?", ":", "(", ")",
];

/// Operators with two operands, weakest first.
const LEVELS: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<", "<=", ">", ">="],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

struct Evaluator<'a, V> {
    text: &'a [u8],
    at: usize,
    next: Token<'a>,
    variables: &'a mut V,
    /// In an operand whose value is not asked for: `1 || here`.
    skipping: bool,
    depth: usize,
}

type Value<E> = Result<i64, Failure<E>>;

impl<'a, V: Variables> Evaluator<'a, V> {
    fn advance(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let rest = &rest[blanks..];
        let (token, length) = match rest.first() {
            None => (Token::End, 0),
            Some(byte) if byte.is_ascii_digit() => {
                let read = strnum::signed(rest, 0);
                (Token::Number(read.value), read.used)
            }
            Some(byte) if *byte == b'_' || byte.is_ascii_alphabetic() => {
                let length = rest.iter().take_while(|byte| **byte == b'_' || byte.is_ascii_alphanumeric()).count();
                (Token::Name(&rest[..length]), length)
            }
            Some(_) => match OPERATORS.iter().find(|operator| rest.starts_with(operator.as_bytes())) {
                Some(operator) => (Token::Operator(operator), operator.len()),
                None => (Token::Unknown, 0),
            },
        };
        self.next = token;
        self.at += blanks + length;
    }

    fn accept(&mut self, operator: &str) -> bool {
        let matches = matches!(self.next, Token::Operator(next) if next == operator);
        if matches {
            self.advance();
        }
        matches
    }

    fn error<T>(message: &str) -> Result<T, Failure<V::Error>> {
        Err(Failure::Expression(message.to_owned()))
    }

    fn nested(&mut self, parse: impl FnOnce(&mut Self) -> Value<V::Error>) -> Value<V::Error> {
        if self.depth >= MAX_NESTING {
            return Self::error(&format!("nested more than {MAX_NESTING} deep"));
        }
        self.depth += 1;
        let value = parse(self);
        self.depth -= 1;
        value
    }

    fn assignment(&mut self) -> Value<V::Error> {
        self.nested(Self::assignment_here)
    }

    fn assignment_here(&mut self) -> Value<V::Error> {
        let Token::Name(name) = self.next else { return self.conditional() };
        let (before, token) = (self.at, self.next);
        self.advance();
        let operator = match self.next {
            Token::Operator("=") => None,
            Token::Operator(operator @ ("*=" | "/=" | "%=" | "+=" | "-=" | "<<=" | ">>=" | "&=" | "^=" | "|=")) => {
                operator.strip_suffix('=')
            }
            _ => {
                (self.at, self.next) = (before, token);
                return self.conditional();
            }
        };
        self.advance();
        let operand = self.assignment()?;
        if self.skipping {
            return Ok(operand);
        }
        let value = match operator {
            None => operand,
            Some(operator) => {
                let old = self.variables.get(name).map_err(Failure::Variable)?;
                binary(operator, old, operand).map_err(Failure::Expression)?
            }
        };
        self.variables.set(name, value).map_err(Failure::Variable)?;
        Ok(value)
    }

    fn conditional(&mut self) -> Value<V::Error> {
        let condition = self.binary_level(0)?;
        if !self.accept("?") {
            return Ok(condition);
        }
        let outer = self.skipping;
        self.skipping = outer || condition == 0;
        let first = self.assignment()?;
        if !self.accept(":") {
            return Self::error("expecting ':'");
        }
        self.skipping = outer || condition != 0;
        let second = self.nested(Self::conditional)?;
        self.skipping = outer;
        Ok(if condition != 0 { first } else { second })
    }

    fn binary_level(&mut self, level: usize) -> Value<V::Error> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary_level(level + 1)?;
        loop {
            let operator = match self.next {
                Token::Operator(operator) if operators.contains(&operator) => operator,
                _ => return Ok(left),
            };
            self.advance();
            let outer = self.skipping;
            self.skipping = outer || (operator == "||" && left != 0) || (operator == "&&" && left == 0);
            let right = self.binary_level(level + 1)?;
            let skipped = std::mem::replace(&mut self.skipping, outer);
            left = match operator {
                "||" => i64::from(left != 0 || right != 0),
                "&&" => i64::from(left != 0 && right != 0),
                // The value of a skipped operand is not asked for.
                _ if skipped => 0,
                operator => binary(operator, left, right).map_err(Failure::Expression)?,
            };
        }
    }

    fn unary(&mut self) -> Value<V::Error> {
        let Token::Operator(operator @ ("!" | "~" | "+" | "-")) = self.next else { return self.primary() };
        self.advance();
        let operand = self.nested(Self::unary)?;
        Ok(match operator {
            "!" => i64::from(operand == 0),
            "~" => !operand,
            "-" => operand.wrapping_neg(),
            _ => operand,
        })
    }

    fn primary(&mut self) -> Value<V::Error> {
        match self.next {
            Token::Number(value) => {
                self.advance();
                Ok(value)
            }
            Token::Name(name) => {
                self.advance();
                if self.skipping { Ok(0) } else { self.variables.get(name).map_err(Failure::Variable) }
            }
            Token::Operator("(") => {
                self.advance();
                let value = self.assignment()?;
                if self.accept(")") { Ok(value) } else { Self::error("expecting ')'") }
            }
            _ => Self::error("expecting primary"),
        }
    }
}

/// Two operands in C, with wrapping results; shifts use the low six bits of their count, as x86 does.
fn binary(operator: &str, left: i64, right: i64) -> Result<i64, String> {
    let count = u32::try_from(right & 63).unwrap_or_default();
    Ok(match operator {
        "/" | "%" if right == 0 => return Err("division by zero".to_owned()),
        "/" => left.wrapping_div(right),
        "%" => left.wrapping_rem(right),
        "*" => left.wrapping_mul(right),
        "+" => left.wrapping_add(right),
        "-" => left.wrapping_sub(right),
        "<<" => left.wrapping_shl(count),
        ">>" => left.wrapping_shr(count),
        "<" => i64::from(left < right),
        "<=" => i64::from(left <= right),
        ">" => i64::from(left > right),
        ">=" => i64::from(left >= right),
        "==" => i64::from(left == right),
        "!=" => i64::from(left != right),
        "&" => left & right,
        "^" => left ^ right,
        _ => left | right,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{Failure, Variables, evaluate};

    #[derive(Default)]
    struct Table(BTreeMap<Vec<u8>, i64>);

    impl Variables for Table {
        type Error = &'static str;

        fn get(&self, name: &[u8]) -> Result<i64, Self::Error> {
            if name == b"bad" { Err("bad") } else { Ok(self.0.get(name).copied().unwrap_or_default()) }
        }

        fn set(&mut self, name: &[u8], value: i64) -> Result<(), Self::Error> {
            self.0.insert(name.to_vec(), value);
            Ok(())
        }
    }

    fn value(text: &str) -> Result<i64, String> {
        evaluate(text.as_bytes(), &mut Table::default()).map_err(|failure| match failure {
            Failure::Expression(message) => message,
            Failure::Variable(name) => name.to_owned(),
        })
    }

    #[test]
    fn operators_are_those_of_c() {
        for (text, expected) in [
            ("1 + 2 * 3", 7),
            ("(1+2)*3", 9),
            ("-5/2", -2),
            ("-5%3", -2),
            ("1<<63", i64::MIN),
            ("1<<64", 1),
            ("-1>>1", -1),
            ("9223372036854775807+1", i64::MIN),
            ("99999999999999999999", i64::MAX),
            ("!5", 0),
            ("~5", -6),
            ("5&3|8^1", 9),
            ("1<2 == 2>1", 1),
            ("1 ? 2 : 0 ? 3 : 4", 2),
            ("0 && 1/0", 0),
            ("1 || 1/0", 1),
            ("0 && bad", 0),
            ("a = b = 3, 0".split(',').next().unwrap(), 3),
            ("a += 2", 2),
            ("- - 3", 3),
            ("++a", 0),
            ("0x1f + 010", 39),
            ("1 ? a = 5 : 0", 5),
        ] {
            assert_eq!(value(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn refusals_read_as_those_of_dash() {
        for (text, message) in [
            ("", "expecting primary"),
            ("1 +", "expecting primary"),
            ("1 2", "expecting EOF"),
            ("08", "expecting EOF"),
            ("1.5", "expecting EOF"),
            ("1,2", "expecting EOF"),
            ("a++", "expecting primary"),
            ("2**3", "expecting primary"),
            ("1?2", "expecting ':'"),
            ("(1", "expecting ')'"),
            ("1/0", "division by zero"),
            ("1=2", "expecting EOF"),
            ("bad", "bad"),
        ] {
            assert_eq!(value(text), Err(message.to_owned()), "{text}");
        }
        assert!(value(&"(".repeat(100_000)).unwrap_err().contains("nested"));
        assert!(value(&"-".repeat(100_000)).unwrap_err().contains("nested"));
        assert!(value(&"1?".repeat(100_000)).unwrap_err().contains("nested"));
        assert!(value(&"a=".repeat(100_000)).unwrap_err().contains("nested"));
    }

    #[derive(Clone, Debug)]
    enum Tree {
        Number(i64),
        Unary(&'static str, Box<Tree>),
        Binary(&'static str, Box<Tree>, Box<Tree>),
        Conditional(Box<Tree>, Box<Tree>, Box<Tree>),
    }

    impl Tree {
        fn text(&self) -> String {
            match self {
                Tree::Number(value) => value.to_string(),
                Tree::Unary(operator, operand) => format!("{operator}({})", operand.text()),
                Tree::Binary(operator, left, right) => format!("({}) {operator} ({})", left.text(), right.text()),
                Tree::Conditional(condition, first, second) => {
                    format!("({})?({}):({})", condition.text(), first.text(), second.text())
                }
            }
        }

        /// The value in Rust's own arithmetic; `None` after a division by zero.
        fn value(&self) -> Option<i64> {
            Some(match self {
                Tree::Number(value) => *value,
                Tree::Unary("-", operand) => 0i64.wrapping_sub(operand.value()?),
                Tree::Unary("~", operand) => operand.value()? ^ -1,
                Tree::Unary("!", operand) => i64::from(operand.value()? == 0),
                Tree::Unary(_, operand) => operand.value()?,
                Tree::Binary("&&", left, right) => i64::from(left.value()? != 0 && right.value()? != 0),
                Tree::Binary("||", left, right) => i64::from(left.value()? != 0 || right.value()? != 0),
                Tree::Binary(operator, left, right) => {
                    let (left, right) = (left.value()?, right.value()?);
                    let wide = (i128::from(left), i128::from(right));
                    let low = |value: i128| value as i64;
                    match *operator {
                        "+" => low(wide.0 + wide.1),
                        "-" => low(wide.0 - wide.1),
                        "*" => low(wide.0 * wide.1),
                        "/" => low(wide.0.checked_div(wide.1)?),
                        "%" => low(wide.0.checked_rem(wide.1)?),
                        "<" => i64::from(left < right),
                        ">=" => i64::from(left >= right),
                        "==" => i64::from(left == right),
                        "&" => left & right,
                        "|" => left | right,
                        "^" => left ^ right,
                        "<<" => ((left as u64) << (right as u64 % 64)) as i64,
                        _ => left >> (right as u64 % 64),
                    }
                }
                Tree::Conditional(condition, first, second) => {
                    if condition.value()? != 0 {
                        first.value()?
                    } else {
                        second.value()?
                    }
                }
            })
        }
    }

    fn tree() -> impl Strategy<Value = Tree> {
        let number = prop_oneof![0..10i64, Just(i64::MAX), 0..=i64::MAX].prop_map(Tree::Number);
        number.prop_recursive(6, 64, 3, |inner| {
            let boxed = inner.prop_map(Box::new);
            prop_oneof![
                (prop::sample::select(vec!["-", "~", "!", "+"]), boxed.clone()).prop_map(|(op, a)| Tree::Unary(op, a)),
                (
                    prop::sample::select(vec![
                        "+", "-", "*", "/", "%", "<", ">=", "==", "&", "|", "^", "<<", ">>", "&&", "||"
                    ]),
                    boxed.clone(),
                    boxed.clone()
                )
                    .prop_map(|(op, a, b)| Tree::Binary(op, a, b)),
                (boxed.clone(), boxed.clone(), boxed).prop_map(|(a, b, c)| Tree::Conditional(a, b, c)),
            ]
        })
    }

    proptest! {
        #[test]
        fn expressions_have_the_value_that_rust_gives_them(tree in tree()) {
            prop_assert_eq!(value(&tree.text()).ok(), tree.value());
        }
    }
}
