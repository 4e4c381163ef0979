//! The grammar of expressions, by the precedence of their operators.

use super::ast::{BinOp, Builtin, Expr, ExprKind, Source};
use super::lexer::{Keyword, SyntaxError, Token};
use super::parser::Parser;

/// The height of an expression's tree. Chains such as `a + b + c` make it high without nesting; what
/// recurses along them is only the destructor.
const MAX_HEIGHT: usize = 1000;

/// Operators from those that bind least.
mod level {
    pub(super) const OR: u8 = 1;
    pub(super) const AND: u8 = 2;
    pub(super) const IN: u8 = 3;
    pub(super) const MATCH: u8 = 4;
    pub(super) const COMPARE: u8 = 5;
    pub(super) const GETLINE: u8 = 6;
    pub(super) const CONCAT: u8 = 7;
    pub(super) const ADD: u8 = 8;
    pub(super) const MULTIPLY: u8 = 9;
}

/// Functions of gawk and mawk that POSIX does not know.
const EXTENSIONS: [&str; 19] = [
    "and",
    "asort",
    "asorti",
    "bindtextdomain",
    "compl",
    "dcgettext",
    "gensub",
    "isarray",
    "lshift",
    "mkbool",
    "mktime",
    "or",
    "patsplit",
    "rshift",
    "strftime",
    "strtonum",
    "systime",
    "typeof",
    "xor",
];

impl Parser {
    fn node(&self, kind: ExprKind) -> Result<Expr, SyntaxError> {
        let tallest = |list: &[Expr]| list.iter().map(|expr| expr.height).max().unwrap_or_default();
        let below = match &kind {
            ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Regex(_) | ExprKind::Name(_) => 0,
            ExprKind::Field(one) | ExprKind::Not(one) | ExprKind::Minus(one) | ExprKind::Plus(one) => one.height,
            ExprKind::Step { target, .. } => target.height,
            ExprKind::Assign(left, _, right) => left.height.max(right.height),
            ExprKind::And(two) | ExprKind::Or(two) | ExprKind::Binary(_, two) | ExprKind::Match(_, two) => {
                tallest(two.as_slice())
            }
            ExprKind::Conditional(three) => tallest(three.as_slice()),
            ExprKind::Index(_, list)
            | ExprKind::In(list, _)
            | ExprKind::Call(_, list)
            | ExprKind::Builtin(_, list)
            | ExprKind::List(list) => tallest(list),
            ExprKind::Getline(source, into) => {
                let from = match source {
                    Source::Main => 0,
                    Source::File(one) | Source::Command(one) => one.height,
                };
                from.max(into.as_ref().map_or(0, |target| target.height))
            }
        };
        if below >= MAX_HEIGHT {
            return self.lexer.error(format!("an expression has more than {MAX_HEIGHT} operators in a row"));
        }
        Ok(Expr { kind, height: below + 1 })
    }

    pub(super) fn expression(&mut self) -> Result<Expr, SyntaxError> {
        self.deeper()?;
        let mut expr = self.binary(level::OR)?;
        if self.at("?") {
            expr = self.conditional(expr)?;
        }
        self.depth -= 1;
        Ok(expr)
    }

    fn conditional(&mut self, condition: Expr) -> Result<Expr, SyntaxError> {
        self.advance()?;
        self.skip_newlines()?;
        let then = self.expression()?;
        self.skip_newlines()?;
        self.expect(":")?;
        self.skip_newlines()?;
        let otherwise = self.expression()?;
        self.node(ExprKind::Conditional(Box::new([condition, then, otherwise])))
    }

    /// A chain of operators that bind at least as `least`; all of them are left-associative.
    fn binary(&mut self, least: u8) -> Result<Expr, SyntaxError> {
        let depth = self.depth;
        let mut left = self.unary()?;
        while let Some((level, operator)) = self.operator().filter(|(level, _)| *level >= least) {
            if level == level::GETLINE && !self.reads_command()? {
                break;
            }
            left = self.chain(left, level, operator)?;
        }
        self.depth = depth;
        Ok(left)
    }

    /// Whether `|` is followed by getline; if not, it takes the output of print.
    fn reads_command(&self) -> Result<bool, SyntaxError> {
        Ok(self.lexer.clone().next()? == Token::Keyword(Keyword::Getline))
    }

    fn chain(&mut self, left: Expr, level: u8, operator: Option<BinOp>) -> Result<Expr, SyntaxError> {
        let kind = match (level, operator) {
            (level::IN, _) => {
                // The compiler recurses into the left side of this one and of getline.
                self.deeper()?;
                self.advance()?;
                let array = self.name()?;
                match left {
                    Expr { kind: ExprKind::List(list), .. } => ExprKind::In(list, array),
                    one => ExprKind::In(vec![one], array),
                }
            }
            (level::GETLINE, _) => {
                self.deeper()?;
                self.advance()?;
                self.advance()?;
                let into = self.getline_target()?;
                ExprKind::Getline(Source::Command(Box::new(left)), into)
            }
            _ => {
                let negated = self.at("!~");
                if level != level::CONCAT {
                    self.advance()?;
                }
                if matches!(level, level::OR | level::AND) {
                    self.skip_newlines()?;
                }
                self.deeper()?;
                let both = Box::new([left, self.binary(level + 1)?]);
                self.depth -= 1;
                match level {
                    level::OR => ExprKind::Or(both),
                    level::AND => ExprKind::And(both),
                    level::MATCH => ExprKind::Match(negated, both),
                    _ => ExprKind::Binary(operator.unwrap_or(BinOp::Concat), both),
                }
            }
        };
        self.node(kind)
    }

    /// What the next token means after an operand: the level, and the operator where it needs one.
    fn operator(&self) -> Option<(u8, Option<BinOp>)> {
        let plain = |level| Some((level, None));
        let with = |level, operator| Some((level, Some(operator)));
        match &self.token {
            Token::Symbol(symbol) => match *symbol {
                "||" => plain(level::OR),
                "&&" => plain(level::AND),
                "~" | "!~" => plain(level::MATCH),
                "<" => with(level::COMPARE, BinOp::Less),
                "<=" => with(level::COMPARE, BinOp::LessEqual),
                "==" => with(level::COMPARE, BinOp::Equal),
                "!=" => with(level::COMPARE, BinOp::NotEqual),
                ">" if !self.redirects => with(level::COMPARE, BinOp::Greater),
                ">=" => with(level::COMPARE, BinOp::GreaterEqual),
                "|" => plain(level::GETLINE),
                "+" => with(level::ADD, BinOp::Add),
                "-" => with(level::ADD, BinOp::Subtract),
                "*" => with(level::MULTIPLY, BinOp::Multiply),
                "/" => with(level::MULTIPLY, BinOp::Divide),
                "%" => with(level::MULTIPLY, BinOp::Modulo),
                "$" | "(" | "!" | "++" | "--" => plain(level::CONCAT),
                _ => None,
            },
            Token::Keyword(Keyword::In) => plain(level::IN),
            Token::Number(_) | Token::Text(_) | Token::Name(_) | Token::Call(_) | Token::Builtin(_) => {
                plain(level::CONCAT)
            }
            _ => None,
        }
    }

    /// `!x`, `-x`, `+x`, and what binds more.
    fn unary(&mut self) -> Result<Expr, SyntaxError> {
        match &self.token {
            Token::Symbol("!") => self.sign(ExprKind::Not),
            Token::Symbol("-") => self.sign(ExprKind::Minus),
            Token::Symbol("+") => self.sign(ExprKind::Plus),
            _ => self.power(),
        }
    }

    fn sign(&mut self, make: fn(Box<Expr>) -> ExprKind) -> Result<Expr, SyntaxError> {
        self.deeper()?;
        self.advance()?;
        let operand = self.unary()?;
        self.depth -= 1;
        self.node(make(Box::new(operand)))
    }

    /// `x ^ y`: it associates to the right and binds more than a sign before it.
    fn power(&mut self) -> Result<Expr, SyntaxError> {
        let base = self.postfix()?;
        if !self.at("^") {
            return Ok(base);
        }
        self.deeper()?;
        self.advance()?;
        let exponent = self.unary()?;
        self.depth -= 1;
        self.node(ExprKind::Binary(BinOp::Power, Box::new([base, exponent])))
    }

    /// An operand with `++`, `--` or an assignment behind it: these can only mean the operand before them.
    fn postfix(&mut self) -> Result<Expr, SyntaxError> {
        let operand = self.operand()?;
        if !is_target(&operand) {
            return Ok(operand);
        }
        let Token::Symbol(symbol) = self.token else { return Ok(operand) };
        let operator = match symbol {
            "++" | "--" => {
                self.advance()?;
                let by = if symbol == "++" { 1.0 } else { -1.0 };
                return self.node(ExprKind::Step { target: Box::new(operand), by, postfix: true });
            }
            "=" => None,
            "+=" => Some(BinOp::Add),
            "-=" => Some(BinOp::Subtract),
            "*=" => Some(BinOp::Multiply),
            "/=" => Some(BinOp::Divide),
            "%=" => Some(BinOp::Modulo),
            "^=" => Some(BinOp::Power),
            _ => return Ok(operand),
        };
        self.assignment(operand, operator)
    }

    fn assignment(&mut self, target: Expr, operator: Option<BinOp>) -> Result<Expr, SyntaxError> {
        self.advance()?;
        self.skip_newlines()?;
        let value = self.expression()?;
        self.node(ExprKind::Assign(Box::new(target), operator, Box::new(value)))
    }

    fn operand(&mut self) -> Result<Expr, SyntaxError> {
        match self.token.clone() {
            Token::Number(value) => {
                self.advance()?;
                self.node(ExprKind::Number(value))
            }
            Token::Text(text) => {
                self.advance()?;
                self.node(ExprKind::Text(text))
            }
            Token::Symbol("/" | "/=") => {
                let pattern = self.lexer.pattern()?;
                self.advance()?;
                self.node(ExprKind::Regex(pattern))
            }
            Token::Symbol("(") => self.grouping(),
            Token::Symbol("$") => {
                self.advance()?;
                self.field()
            }
            Token::Symbol(sign @ ("++" | "--")) => self.prefix_step(if sign == "++" { 1.0 } else { -1.0 }),
            Token::Symbol("!" | "-" | "+") => self.unary(),
            Token::Name(name) => self.variable(name),
            Token::Call(name) => self.call(name),
            Token::Builtin(builtin) => self.builtin(builtin),
            Token::Keyword(Keyword::Getline) => self.getline(),
            _ => self.unexpected(),
        }
    }

    fn prefix_step(&mut self, by: f64) -> Result<Expr, SyntaxError> {
        self.advance()?;
        self.deeper()?;
        let target = self.operand()?;
        self.depth -= 1;
        if !is_target(&target) {
            return self.unexpected();
        }
        self.node(ExprKind::Step { target: Box::new(target), by, postfix: false })
    }

    fn variable(&mut self, name: String) -> Result<Expr, SyntaxError> {
        self.advance()?;
        if !self.at("[") {
            return self.node(ExprKind::Name(name));
        }
        self.advance()?;
        let index = self.subscripts()?;
        self.node(ExprKind::Index(name, index))
    }

    fn getline(&mut self) -> Result<Expr, SyntaxError> {
        self.advance()?;
        let into = self.getline_target()?;
        if !self.take("<")? {
            return self.node(ExprKind::Getline(Source::Main, into));
        }
        self.deeper()?;
        let name = self.operand()?;
        self.depth -= 1;
        self.node(ExprKind::Getline(Source::File(Box::new(name)), into))
    }

    /// What follows `$`.
    fn field(&mut self) -> Result<Expr, SyntaxError> {
        self.deeper()?;
        let number = self.operand()?;
        self.depth -= 1;
        self.node(ExprKind::Field(Box::new(number)))
    }

    /// `(x)`, or the list `(x, y)`.
    fn grouping(&mut self) -> Result<Expr, SyntaxError> {
        self.advance()?;
        let mut list = self.list(")")?;
        match list.len() {
            0 => self.unexpected(),
            // A list that means nothing where it stands is found by the compiler; parentheses around
            // a variable make it a value.
            1 => Ok(list.remove(0)),
            _ => self.node(ExprKind::List(list)),
        }
    }

    /// Expressions up to a closing symbol, in which `>` compares.
    fn list(&mut self, close: &str) -> Result<Vec<Expr>, SyntaxError> {
        let redirects = std::mem::replace(&mut self.redirects, false);
        let mut list = Vec::new();
        self.skip_newlines()?;
        while !self.at(close) {
            if !list.is_empty() {
                self.expect(",")?;
                self.skip_newlines()?;
            }
            list.push(self.expression()?);
            self.skip_newlines()?;
            if self.token == Token::End {
                return self.lexer.error(format!("missing {close} near end of file"));
            }
        }
        self.redirects = redirects;
        self.advance()?;
        Ok(list)
    }

    /// What follows `a[`.
    pub(super) fn subscripts(&mut self) -> Result<Vec<Expr>, SyntaxError> {
        let list = self.list("]")?;
        if list.is_empty() { self.unexpected() } else { Ok(list) }
    }

    fn call(&mut self, name: String) -> Result<Expr, SyntaxError> {
        let line = self.lexer.line;
        if !self.tree.calls.iter().any(|(called, _)| *called == name) {
            self.tree.calls.push((name.clone(), line));
        }
        self.advance()?;
        self.expect("(")?;
        let args = self.list(")")?;
        self.node(ExprKind::Call(name, args))
    }

    fn builtin(&mut self, builtin: Builtin) -> Result<Expr, SyntaxError> {
        self.advance()?;
        let args = if self.take("(")? {
            self.list(")")?
        } else if builtin == Builtin::Length {
            Vec::new()
        } else {
            return self.unexpected();
        };
        let (least, most) = builtin.arity();
        if args.len() < least || args.len() > most {
            let name = format!("{builtin:?}").to_ascii_lowercase();
            return self.lexer.error(format!("wrong number of arguments in call to {name}"));
        }
        self.node(ExprKind::Builtin(builtin, args))
    }

    /// The variable that getline reads into, if there is one.
    fn getline_target(&mut self) -> Result<Option<Box<Expr>>, SyntaxError> {
        if !matches!(self.token, Token::Name(_) | Token::Symbol("$")) {
            return Ok(None);
        }
        self.deeper()?;
        let target = self.operand()?;
        self.depth -= 1;
        Ok(Some(Box::new(target)))
    }
}

/// What can be assigned to.
fn is_target(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Name(_) | ExprKind::Field(_) | ExprKind::Index(..))
}

/// What to say of a function that is called but not defined.
pub(super) fn undefined_function(name: &str) -> String {
    if EXTENSIONS.contains(&name) {
        format!("function {name} is an extension that the awk of the simulated guest does not have")
    } else {
        format!("function {name} never defined")
    }
}
