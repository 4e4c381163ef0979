//! The grammar: rules, functions and statements.

use super::ast::{Expr, ExprKind, Function, Pattern, Redirect, Rule, Stmt, Tree};
use super::lexer::{Keyword, Lexer, SyntaxError, Token};

/// Statements and expressions within each other: parsing and compiling recurse that deep, on a stack that
/// is shared with all of the simulator.
pub(super) const MAX_NESTING: usize = 100;

/// What a statement may contain where it stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    in_function: bool,
    in_loop: bool,
    /// In a rule or a function: `next` makes sense.
    has_record: bool,
}

pub(super) struct Parser {
    pub(super) lexer: Lexer,
    pub(super) token: Token,
    pub(super) tree: Tree,
    /// `>` redirects: the arguments of print are being read.
    pub(super) redirects: bool,
    pub(super) depth: usize,
}

/// Parses a program.
pub(super) fn parse(source: &[u8]) -> Result<Tree, SyntaxError> {
    let mut lexer = Lexer::new(source);
    let token = lexer.next()?;
    let mut parser = Parser { lexer, token, tree: Tree::default(), redirects: false, depth: 0 };
    parser.program()?;
    Ok(parser.tree)
}

impl Parser {
    pub(super) fn advance(&mut self) -> Result<Token, SyntaxError> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    pub(super) fn at(&self, symbol: &str) -> bool {
        matches!(&self.token, Token::Symbol(found) if *found == symbol)
    }

    pub(super) fn at_keyword(&self, keyword: Keyword) -> bool {
        self.token == Token::Keyword(keyword)
    }

    /// Takes the symbol if it is next.
    pub(super) fn take(&mut self, symbol: &str) -> Result<bool, SyntaxError> {
        let there = self.at(symbol);
        if there {
            self.advance()?;
        }
        Ok(there)
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Result<(), SyntaxError> {
        if self.take(symbol)? {
            return Ok(());
        }
        if self.token == Token::End {
            return self.lexer.error(format!("missing {symbol} near end of file"));
        }
        self.unexpected()
    }

    pub(super) fn unexpected<T>(&self) -> Result<T, SyntaxError> {
        let mut lexer = self.lexer.clone();
        if self.token == Token::Newline {
            lexer.line -= 1;
        }
        lexer.error(format!("syntax error at or near {}", lexer.shown()))
    }

    pub(super) fn name(&mut self) -> Result<String, SyntaxError> {
        let Token::Name(name) = self.token.clone() else { return self.unexpected() };
        self.advance()?;
        Ok(name)
    }

    pub(super) fn skip_newlines(&mut self) -> Result<(), SyntaxError> {
        while self.token == Token::Newline {
            self.advance()?;
        }
        Ok(())
    }

    fn skip_separators(&mut self) -> Result<(), SyntaxError> {
        while self.token == Token::Newline || self.at(";") {
            self.advance()?;
        }
        Ok(())
    }

    /// Goes one level deeper; the caller goes up again when it succeeds.
    pub(super) fn deeper(&mut self) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return self.lexer.error(format!("the program is nested deeper than {MAX_NESTING} levels"));
        }
        Ok(())
    }

    fn program(&mut self) -> Result<(), SyntaxError> {
        self.skip_separators()?;
        while self.token != Token::End {
            match &self.token {
                Token::Keyword(Keyword::Begin) => {
                    self.advance()?;
                    let action = self.action(Place::default())?;
                    self.tree.begin.push(action);
                }
                Token::Keyword(Keyword::End) => {
                    self.advance()?;
                    let action = self.action(Place::default())?;
                    self.tree.end.push(action);
                }
                Token::Keyword(Keyword::Function) => self.function()?,
                _ => self.rule()?,
            }
            self.skip_separators()?;
        }
        Ok(())
    }

    fn function(&mut self) -> Result<(), SyntaxError> {
        self.advance()?;
        let line = self.lexer.line;
        let (Token::Name(name) | Token::Call(name)) = self.token.clone() else { return self.unexpected() };
        self.advance()?;
        if self.tree.functions.iter().any(|function| function.name == name) {
            return self.lexer.error(format!("redefinition of function {name}"));
        }
        self.expect("(")?;
        let mut parameters: Vec<String> = Vec::new();
        while !self.at(")") {
            if !parameters.is_empty() {
                self.expect(",")?;
                self.skip_newlines()?;
            }
            let parameter = self.name()?;
            if parameters.contains(&parameter) {
                return self.lexer.error(format!("{parameter} is duplicated in argument list"));
            }
            if parameter == name {
                return self.lexer.error(format!("{parameter} is the function's own name, not a parameter"));
            }
            parameters.push(parameter);
        }
        self.advance()?;
        self.skip_newlines()?;
        let body = self.action(Place { in_function: true, has_record: true, in_loop: false })?;
        self.tree.functions.push(Function { name, parameters, body, line });
        Ok(())
    }

    fn rule(&mut self) -> Result<(), SyntaxError> {
        let pattern = if self.at("{") {
            Pattern::Always
        } else {
            let first = self.expression()?;
            if self.take(",")? {
                self.skip_newlines()?;
                Pattern::Range(first, self.expression()?)
            } else {
                Pattern::When(first)
            }
        };
        let action = if self.at("{") {
            Some(self.action(Place { has_record: true, ..Place::default() })?)
        } else if self.token == Token::End || self.token == Token::Newline || self.at(";") {
            None
        } else {
            return self.unexpected();
        };
        self.tree.rules.push(Rule { pattern, action });
        Ok(())
    }

    /// `{ … }`.
    fn action(&mut self, place: Place) -> Result<Vec<Stmt>, SyntaxError> {
        self.expect("{")?;
        let mut statements = Vec::new();
        loop {
            self.skip_separators()?;
            if self.take("}")? {
                return Ok(statements);
            }
            if self.token == Token::End {
                return self.lexer.error("missing } near end of file");
            }
            statements.push(self.statement(place)?);
        }
    }

    fn statement(&mut self, place: Place) -> Result<Stmt, SyntaxError> {
        self.deeper()?;
        let statement = match &self.token {
            Token::Symbol("{") => Stmt::Block(self.action(place)?),
            Token::Symbol(";") => {
                self.advance()?;
                Stmt::Block(Vec::new())
            }
            Token::Keyword(Keyword::If) => self.if_statement(place)?,
            Token::Keyword(Keyword::While) => self.while_statement(place)?,
            Token::Keyword(Keyword::Do) => self.do_statement(place)?,
            Token::Keyword(Keyword::For) => self.for_statement(place)?,
            _ => {
                let statement = self.simple(place)?;
                match &self.token {
                    Token::Symbol(";") | Token::Newline => {
                        self.advance()?;
                    }
                    Token::Symbol("}") | Token::End => {}
                    _ => return self.unexpected(),
                }
                statement
            }
        };
        self.depth -= 1;
        Ok(statement)
    }

    /// A statement that is part of another one, which may start in the next line.
    fn body(&mut self, place: Place) -> Result<Box<Stmt>, SyntaxError> {
        self.skip_newlines()?;
        Ok(Box::new(self.statement(place)?))
    }

    fn condition(&mut self) -> Result<Expr, SyntaxError> {
        self.advance()?;
        self.expect("(")?;
        let condition = self.expression()?;
        self.expect(")")?;
        Ok(condition)
    }

    fn if_statement(&mut self, place: Place) -> Result<Stmt, SyntaxError> {
        let condition = self.condition()?;
        let then = self.body(place)?;
        // Only if an `else` follows do the separators before it belong to this statement.
        let before = (self.lexer.clone(), self.token.clone());
        self.skip_separators()?;
        if !self.at_keyword(Keyword::Else) {
            (self.lexer, self.token) = before;
            return Ok(Stmt::If(condition, then, None));
        }
        self.advance()?;
        let otherwise = self.body(place)?;
        Ok(Stmt::If(condition, then, Some(otherwise)))
    }

    fn while_statement(&mut self, place: Place) -> Result<Stmt, SyntaxError> {
        let condition = self.condition()?;
        if self.take(";")? {
            return Ok(Stmt::While(condition, Box::new(Stmt::Block(Vec::new()))));
        }
        let body = self.body(Place { in_loop: true, ..place })?;
        Ok(Stmt::While(condition, body))
    }

    fn do_statement(&mut self, place: Place) -> Result<Stmt, SyntaxError> {
        self.advance()?;
        let body = self.body(Place { in_loop: true, ..place })?;
        self.skip_separators()?;
        if !self.at_keyword(Keyword::While) {
            return self.unexpected();
        }
        Ok(Stmt::DoWhile(body, self.condition()?))
    }

    fn for_statement(&mut self, place: Place) -> Result<Stmt, SyntaxError> {
        self.advance()?;
        self.expect("(")?;
        let inside = Place { in_loop: true, ..place };
        if let Some((variable, array)) = self.for_in_head()? {
            return Ok(Stmt::ForIn(variable, array, self.body(inside)?));
        }
        let first = if self.at(";") { None } else { Some(Box::new(self.simple(place)?)) };
        self.expect(";")?;
        self.skip_newlines()?;
        let condition = if self.at(";") { None } else { Some(self.expression()?) };
        self.expect(";")?;
        self.skip_newlines()?;
        let step = if self.at(")") { None } else { Some(Box::new(self.simple(place)?)) };
        self.expect(")")?;
        let body = if self.take(";")? { Box::new(Stmt::Block(Vec::new())) } else { self.body(inside)? };
        Ok(Stmt::For { first, condition, step, body })
    }

    /// `x in a)`, if that is what follows `for (`.
    fn for_in_head(&mut self) -> Result<Option<(String, String)>, SyntaxError> {
        let before = (self.lexer.clone(), self.token.clone());
        if let Token::Name(variable) = self.token.clone() {
            self.advance()?;
            if self.at_keyword(Keyword::In) {
                self.advance()?;
                if let Token::Name(array) = self.token.clone() {
                    self.advance()?;
                    if self.take(")")? {
                        return Ok(Some((variable, array)));
                    }
                }
            }
        }
        (self.lexer, self.token) = before;
        Ok(None)
    }

    fn ends_statement(&self) -> bool {
        matches!(self.token, Token::Newline | Token::End | Token::Symbol(";" | "}"))
    }

    fn optional(&mut self) -> Result<Option<Expr>, SyntaxError> {
        if self.ends_statement() { Ok(None) } else { Ok(Some(self.expression()?)) }
    }

    fn simple(&mut self, place: Place) -> Result<Stmt, SyntaxError> {
        let Token::Keyword(keyword) = self.token else { return Ok(Stmt::Expr(self.expression()?)) };
        match keyword {
            Keyword::Print | Keyword::Printf => self.print(keyword == Keyword::Printf),
            Keyword::Getline => Ok(Stmt::Expr(self.expression()?)),
            Keyword::Break | Keyword::Continue => {
                let (word, statement) = match keyword {
                    Keyword::Break => ("break", Stmt::Break),
                    _ => ("continue", Stmt::Continue),
                };
                if !place.in_loop {
                    return self.lexer.error(format!("{word} statement outside of loop"));
                }
                self.advance()?;
                Ok(statement)
            }
            Keyword::Next | Keyword::NextFile => {
                if !place.has_record {
                    let word = if keyword == Keyword::Next { "next" } else { "nextfile" };
                    return self.lexer.error(format!("improper use of {word}"));
                }
                self.advance()?;
                Ok(if keyword == Keyword::Next { Stmt::Next } else { Stmt::NextFile })
            }
            Keyword::Exit => {
                self.advance()?;
                Ok(Stmt::Exit(self.optional()?))
            }
            Keyword::Return => {
                if !place.in_function {
                    return self.lexer.error("return outside function body");
                }
                self.advance()?;
                Ok(Stmt::Return(self.optional()?))
            }
            Keyword::Delete => {
                self.advance()?;
                let array = self.name()?;
                let index = if self.take("[")? { Some(self.subscripts()?) } else { None };
                Ok(Stmt::Delete(array, index))
            }
            _ => self.unexpected(),
        }
    }

    fn print(&mut self, format: bool) -> Result<Stmt, SyntaxError> {
        self.advance()?;
        self.redirects = true;
        let mut args = Vec::new();
        while !self.ends_statement() && !matches!(self.token, Token::Symbol(">" | ">>" | "|")) {
            if !args.is_empty() {
                self.expect(",")?;
                self.skip_newlines()?;
            }
            args.push(self.expression()?);
        }
        if let [Expr { kind: ExprKind::List(list), .. }] = args.as_mut_slice() {
            args = std::mem::take(list);
        }
        if format && args.is_empty() {
            return self.unexpected();
        }
        let kind = match self.token {
            Token::Symbol(">") => Some(Redirect::Truncate),
            Token::Symbol(">>") => Some(Redirect::Append),
            Token::Symbol("|") => Some(Redirect::Pipe),
            _ => None,
        };
        let to = match kind {
            None => None,
            Some(kind) => {
                self.advance()?;
                Some((kind, self.expression()?))
            }
        };
        self.redirects = false;
        Ok(Stmt::Print { format, args, to })
    }
}
