//! Expressions as dash reads them: an operator is what could be one and is not an operand of another.

use crate::shared::strnum;

use super::{MAX_NESTING, Pair, Step};

/// Letters of the operators with one operand.
const UNARY: &[u8] = b"rwxefdcbpugkstznhOGLS";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    End,
    Operand,
    Unary(u8),
    Binary,
    Not,
    And,
    Or,
    Open,
    Close,
}

fn operator(text: &[u8]) -> Option<Token> {
    Some(match text {
        b"=" | b"!=" | b"<" | b">" | b"-eq" | b"-ne" | b"-ge" | b"-gt" | b"-le" | b"-lt" | b"-nt" | b"-ot" | b"-ef" => {
            Token::Binary
        }
        b"!" => Token::Not,
        b"-a" => Token::And,
        b"-o" => Token::Or,
        b"(" => Token::Open,
        b")" => Token::Close,
        [b'-', letter] if UNARY.contains(letter) => Token::Unary(*letter),
        _ => return None,
    })
}

struct Parser<'a> {
    args: &'a [Vec<u8>],
    at: usize,
    depth: usize,
    steps: Vec<Step>,
}

pub(super) fn parse(args: &[Vec<u8>]) -> Result<Vec<Step>, Vec<u8>> {
    let mut args = args;
    let mut negate = false;
    let mut start = None;
    loop {
        match args.len() {
            0 => return Ok(vec![Step::Known(negate)]),
            // POSIX: three arguments around an operator are that comparison, whatever they look like.
            3 if operator(&args[1]) == Some(Token::Binary) => {
                start = Some(Token::Operand);
                break;
            }
            3 | 4 if args[0] == b"(" && args[args.len() - 1] == b")" => {
                args = &args[1..args.len() - 1];
                break;
            }
            3 | 4 if args[0] == b"!" => {
                negate = !negate;
                args = &args[1..];
            }
            _ => break,
        }
    }
    let mut parser = Parser { args, at: 0, depth: 0, steps: Vec::new() };
    let first = start.unwrap_or_else(|| parser.token(0));
    parser.or(first)?;
    if let (Some(last), Some(_)) = (args.get(parser.at), args.get(parser.at + 1)) {
        return Err([last, &b": unexpected operator"[..]].concat());
    }
    if negate {
        parser.steps.push(Step::Not);
    }
    Ok(parser.steps)
}

impl Parser<'_> {
    /// What the argument at `at` is; an operator with one operand in front of an operator with two is an
    /// operand itself.
    fn token(&self, at: usize) -> Token {
        let Some(text) = self.args.get(at) else { return Token::End };
        match operator(text) {
            None => Token::Operand,
            Some(Token::Unary(_)) if self.is_operand(at) => Token::Operand,
            Some(Token::Open) if at + 1 >= self.args.len() => Token::Operand,
            Some(token) => token,
        }
    }

    fn is_operand(&self, at: usize) -> bool {
        match (self.args.get(at + 1), self.args.get(at + 2)) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(next), Some(_)) => operator(next) == Some(Token::Binary),
        }
    }

    fn or(&mut self, first: Token) -> Result<(), Vec<u8>> {
        self.and(first)?;
        while self.token(self.at + 1) == Token::Or {
            self.at += 2;
            self.and(self.token(self.at))?;
            self.steps.push(Step::Or);
        }
        Ok(())
    }

    fn and(&mut self, first: Token) -> Result<(), Vec<u8>> {
        self.not(first)?;
        while self.token(self.at + 1) == Token::And {
            self.at += 2;
            self.not(self.token(self.at))?;
            self.steps.push(Step::And);
        }
        Ok(())
    }

    fn not(&mut self, first: Token) -> Result<(), Vec<u8>> {
        let mut token = first;
        let mut negate = false;
        while token == Token::Not {
            token = self.token(self.at + 1);
            if token != Token::End {
                self.at += 1;
            }
            negate = !negate;
        }
        self.primary(token)?;
        if negate {
            self.steps.push(Step::Not);
        }
        Ok(())
    }

    fn primary(&mut self, token: Token) -> Result<(), Vec<u8>> {
        match token {
            Token::End => self.steps.push(Step::Known(false)),
            Token::Open => {
                self.at += 1;
                self.depth += 1;
                if self.depth > MAX_NESTING {
                    return Err(format!("parentheses nested more than {MAX_NESTING} deep").into_bytes());
                }
                let token = self.token(self.at);
                if token == Token::Close {
                    self.steps.push(Step::Known(false));
                } else {
                    self.or(token)?;
                    self.at += 1;
                    if self.token(self.at) != Token::Close {
                        return Err(b"closing paren expected".to_vec());
                    }
                }
                self.depth -= 1;
            }
            Token::Unary(letter) => {
                self.at += 1;
                let Some(operand) = self.args.get(self.at) else {
                    return Err([b'-', letter].iter().copied().chain(*b": argument expected").collect());
                };
                self.steps.push(match letter {
                    b'z' => Step::Known(operand.is_empty()),
                    b'n' => Step::Known(!operand.is_empty()),
                    b't' => Step::Terminal(i32::try_from(number(operand)?).unwrap_or(-1)),
                    _ => Step::File(letter, operand.clone()),
                });
            }
            _ if self.token(self.at + 1) == Token::Binary => {
                let step = self.comparison()?;
                self.steps.push(step);
            }
            _ => {
                let truth = self.args.get(self.at).is_some_and(|text| !text.is_empty());
                self.steps.push(Step::Known(truth));
            }
        }
        Ok(())
    }

    fn comparison(&mut self) -> Result<Step, Vec<u8>> {
        let (Some(left), Some(operator)) = (self.args.get(self.at), self.args.get(self.at + 1)) else {
            return Ok(Step::Known(false));
        };
        self.at += 2;
        let Some(right) = self.args.get(self.at) else {
            return Err([operator, &b": argument expected"[..]].concat());
        };
        let truth = match operator.as_slice() {
            b"=" => left == right,
            b"!=" => left != right,
            b"<" => left < right,
            b">" => left > right,
            b"-nt" => return Ok(Step::Pair(Pair::Newer, left.clone(), right.clone())),
            b"-ot" => return Ok(Step::Pair(Pair::Older, left.clone(), right.clone())),
            b"-ef" => return Ok(Step::Pair(Pair::Same, left.clone(), right.clone())),
            operator => {
                let (left, right) = (number(left)?, number(right)?);
                match operator {
                    b"-eq" => left == right,
                    b"-ne" => left != right,
                    b"-ge" => left >= right,
                    b"-gt" => left > right,
                    b"-le" => left <= right,
                    _ => left < right,
                }
            }
        };
        Ok(Step::Known(truth))
    }
}

fn number(text: &[u8]) -> Result<i64, Vec<u8>> {
    let read = strnum::signed(text, 10);
    let rest = text.get(read.used..).unwrap_or_default();
    if read.used == 0 || read.overflow || !rest.iter().all(u8::is_ascii_whitespace) {
        return Err([b"Illegal number: ", text].concat());
    }
    Ok(read.value)
}
