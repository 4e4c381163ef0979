//! The grammar: commands out of tokens, by recursive descent in the order of POSIX's rules.

use std::cell::OnceCell;
use std::rc::Rc;

use super::ast::{
    Arm, Assignment, Case, Connector, For, Function, HereDocument, Node, Part, Redirect, Redirected, Simple, Target,
    Word, is_name,
};
use super::input::{Aliases, Input, text};
use super::token::{Expect, LexedRedirect, LexedWord, RedirectKind, Token};

/// Commands and expansions inside of one another: far more than a script written by hand has.
pub const MAX_NESTING: usize = 500;

/// The stack that a nested command must find free, and the stack it gets if it does not, in bytes.
const STACK_RED_ZONE: usize = 128 << 10;
const STACK_SEGMENT: usize = 2 << 20;

/// Why a script cannot be parsed.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// The line that the parser stood on.
    pub line: usize,
    /// What follows `Syntax error: `.
    pub message: String,
    /// Whether the text may go on and then be right.
    pub incomplete: bool,
}

/// A parser of one script.
pub struct Parser<'a> {
    pub(super) input: Input<'a>,
    pub(super) aliases: &'a Aliases,
    pub(super) pushed_back: Option<Token>,
    pub(super) here_documents: Vec<Rc<HereDocument>>,
    pub(super) alias_replacements: usize,
    pub(super) depth: usize,
    pub(super) incomplete: bool,
}

/// What may end a list of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListEnd {
    /// The end of the line: a command of the script itself.
    Line,
    /// A token that no command starts with; there must be a command.
    Token,
    /// The same; there may be none.
    Optional,
}

/// What one line of a script, and the lines it goes on in, came to.
#[derive(Debug, PartialEq)]
pub struct Line {
    /// The commands, if there are any.
    pub command: Option<Rc<Node>>,
    /// Where the next line starts.
    pub end: usize,
    /// The number of that line.
    pub end_line: usize,
    /// Whether the text ended before the line was known to be complete.
    pub incomplete: bool,
    /// Whether this is the end of the script, with nothing before it.
    pub is_end: bool,
    /// Whether the commands go up to the end of the script.
    pub ends_text: bool,
}

impl<'a> Parser<'a> {
    /// A parser of `script` from `at`, which is on line number `line`.
    #[must_use]
    pub fn new(script: &'a [u8], at: usize, line: usize, aliases: &'a Aliases) -> Parser<'a> {
        Parser {
            input: Input::new(script, at, line),
            aliases,
            pushed_back: None,
            here_documents: Vec::new(),
            alias_replacements: 0,
            depth: 0,
            incomplete: false,
        }
    }

    /// Parses one line.
    pub fn line(&mut self) -> Result<Line, Failure> {
        let mut command = self.list_of_line()?;
        let ends_text = matches!(self.pushed_back, Some(Token::End));
        let is_end = command.is_none() && ends_text;
        // An alias may stand for several lines.
        while self.input.has_alias_text() {
            self.pushed_back = None;
            let more = self.list_of_line()?;
            command = match (command, more) {
                (Some(first), Some(second)) => Some(Rc::new(Node::List(vec![first, second]))),
                (first, second) => first.or(second),
            };
        }
        Ok(Line {
            command,
            end: self.input.position(),
            end_line: self.input.line,
            incomplete: self.incomplete || self.input.ended_in_continuation,
            is_end,
            ends_text,
        })
    }

    fn list_of_line(&mut self) -> Result<Option<Rc<Node>>, Failure> {
        self.list(ListEnd::Line).map_err(|failure| Failure { incomplete: self.incomplete, ..failure })
    }

    pub(super) fn error(&self, message: impl Into<String>) -> Failure {
        Failure { line: self.input.line, message: message.into(), incomplete: self.incomplete }
    }

    /// The complaint about a token that does not fit.
    pub(super) fn unexpected(&mut self, found: &Token, wanted: Option<&str>) -> Failure {
        self.incomplete |= matches!(found, Token::End);
        let wanted = wanted.map(|wanted| format!(" (expecting {wanted})")).unwrap_or_default();
        self.error(format!("{} unexpected{wanted}", found.described()))
    }

    /// Runs a part of the parser that may call itself.
    pub(super) fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        if self.depth >= MAX_NESTING {
            return Err(self.error(format!("commands nested more than {MAX_NESTING} deep")));
        }
        self.depth += 1;
        let parsed = stacker::maybe_grow(STACK_RED_ZONE, STACK_SEGMENT, || parse(self));
        self.depth -= 1;
        parsed
    }

    /// Commands with separators between them.
    pub(super) fn list(&mut self, end: ListEnd) -> Result<Option<Rc<Node>>, Failure> {
        let mut commands = Vec::new();
        let mut may_end = end == ListEnd::Optional;
        loop {
            let first = if end == ListEnd::Line { Expect::COMMAND_HERE } else { Expect::COMMAND };
            let token =
                self.token(if commands.is_empty() || end == ListEnd::Line { first } else { Expect::COMMAND })?;
            match token {
                Token::Newline => {
                    self.read_here_documents()?;
                    break;
                }
                Token::End => {
                    self.read_here_documents()?;
                    self.push_back(token);
                    break;
                }
                token if may_end && ends_list(&token) => {
                    self.push_back(token);
                    break;
                }
                token => self.push_back(token),
            }
            may_end |= end != ListEnd::Line;
            let command = self.and_or()?;
            let separator = self.token(Expect::NOTHING)?;
            let in_background = separator.is("&");
            commands.push(if in_background { Rc::new(Node::Background(command)) } else { command });
            match separator {
                Token::Newline if end == ListEnd::Line => {
                    self.read_here_documents()?;
                    break;
                }
                Token::Newline => self.read_here_documents()?,
                token if in_background || token.is(";") => {}
                token @ Token::End => self.push_back(token),
                token if end == ListEnd::Line => return Err(self.unexpected(&token, None)),
                token => {
                    self.push_back(token);
                    break;
                }
            }
        }
        Ok(match commands.len() {
            0 => None,
            1 => commands.pop(),
            _ => Some(Rc::new(Node::List(commands))),
        })
    }

    /// A list that must hold a command, and then this word.
    fn list_until(&mut self, end: &str) -> Result<Rc<Node>, Failure> {
        let list = self.list(ListEnd::Token)?;
        self.demand(end)?;
        // Only the end of the text makes an empty list, and that is not what was demanded.
        list.ok_or_else(|| self.unexpected(&Token::End, None))
    }

    fn and_or(&mut self) -> Result<Rc<Node>, Failure> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            let token = self.token(Expect::NOTHING)?;
            let connector = if token.is("&&") {
                Connector::And
            } else if token.is("||") {
                Connector::Or
            } else {
                self.push_back(token);
                break;
            };
            let next = self.token(Expect::COMMAND)?;
            self.push_back(next);
            rest.push((connector, self.pipeline()?));
        }
        Ok(if rest.is_empty() { first } else { Rc::new(Node::AndOr(first, rest)) })
    }

    fn pipeline(&mut self) -> Result<Rc<Node>, Failure> {
        let token = self.token(Expect::COMMAND_HERE)?;
        let negated = token.is("!");
        if !negated {
            self.push_back(token);
        }
        let mut commands = vec![self.command()?];
        loop {
            let token = self.token(Expect::NOTHING)?;
            if !token.is("|") {
                self.push_back(token);
                break;
            }
            let next = self.token(Expect::COMMAND)?;
            self.push_back(next);
            commands.push(self.command()?);
        }
        let pipeline = match commands.len() {
            1 => commands.remove(0),
            _ => Rc::new(Node::Pipeline(commands)),
        };
        Ok(if negated { Rc::new(Node::Not(pipeline)) } else { pipeline })
    }

    fn command(&mut self) -> Result<Rc<Node>, Failure> {
        self.nested(Parser::command_here)
    }

    fn command_here(&mut self) -> Result<Rc<Node>, Failure> {
        let token = self.token(Expect::COMMAND_HERE)?;
        let line = self.input.line;
        let node = match &token {
            Token::Word(_) | Token::Redirect(_) => {
                self.push_back(token);
                return self.simple();
            }
            Token::Reserved("if") => self.if_command()?,
            Token::Reserved(word @ ("while" | "until")) => {
                let condition = self.list_until("do")?;
                let body = self.list_until("done")?;
                Node::Loop(*word == "until", condition, body)
            }
            Token::Reserved("for") => self.for_command(line)?,
            Token::Reserved("case") => self.case_command(line)?,
            Token::Reserved("{") => {
                let body = self.list_until("}")?;
                return self.with_redirects(body);
            }
            Token::Operator("(") => {
                let body = self.list_until(")")?;
                Node::Subshell(body, line)
            }
            token => return Err(self.unexpected(token, None)),
        };
        self.with_redirects(Rc::new(node))
    }

    /// Takes this reserved word or operator.
    fn demand(&mut self, wanted: &str) -> Result<(), Failure> {
        let token = self.token(Expect::COMMAND)?;
        if token.is(wanted) { Ok(()) } else { Err(self.unexpected(&token, Some(&format!("\"{wanted}\"")))) }
    }

    fn if_command(&mut self) -> Result<Node, Failure> {
        let mut arms = Vec::new();
        let mut otherwise = None;
        loop {
            let condition = self.list_until("then")?;
            let Some(body) = self.list(ListEnd::Token)? else {
                return Err(self.unexpected(&Token::End, Some("\"fi\"")));
            };
            arms.push((condition, body));
            let token = self.token(Expect::COMMAND)?;
            if token.is("elif") {
                continue;
            }
            if token.is("else") {
                otherwise = Some(self.list_until("fi")?);
            } else if !token.is("fi") {
                return Err(self.unexpected(&token, Some("\"fi\"")));
            }
            return Ok(Node::If(arms, otherwise));
        }
    }

    fn for_command(&mut self, line: usize) -> Result<Node, Failure> {
        let name = match self.token(Expect::NOTHING)? {
            Token::Word(word) if word.plain().is_some_and(is_name) => text(word.plain().unwrap_or_default()),
            token => {
                self.incomplete |= matches!(token, Token::End);
                return Err(self.error("Bad for loop variable"));
            }
        };
        let mut words = None;
        let token = self.token(Expect::COMMAND)?;
        if token.is("in") {
            let mut listed = Vec::new();
            loop {
                match self.token(Expect::NOTHING)? {
                    Token::Word(word) => listed.push(word.word),
                    Token::Newline => {
                        self.read_here_documents()?;
                        break;
                    }
                    token if token.is(";") => break,
                    token => return Err(self.unexpected(&token, None)),
                }
            }
            words = Some(listed);
        } else if !token.is(";") {
            self.push_back(token);
        }
        self.demand("do")?;
        let body = self.list_until("done")?;
        Ok(Node::For(For { name, words, body, line }))
    }

    fn case_command(&mut self, line: usize) -> Result<Node, Failure> {
        let word = match self.token(Expect::NOTHING)? {
            Token::Word(word) => word.word,
            token => return Err(self.unexpected(&token, Some("word"))),
        };
        let token = self.token(Expect::COMMAND)?;
        if !token.is("in") {
            return Err(self.unexpected(&token, Some("\"in\"")));
        }
        let mut arms = Vec::new();
        loop {
            let token = self.token(Expect::RESERVED)?;
            if token.is("esac") {
                break;
            }
            let token = if token.is("(") { self.token(Expect::NOTHING)? } else { token };
            let patterns = self.patterns(token)?;
            arms.push(Arm { patterns, body: self.list(ListEnd::Optional)? });
            let token = self.token(Expect::RESERVED)?;
            if token.is("esac") {
                break;
            }
            if !token.is(";;") {
                return Err(self.unexpected(&token, Some("\";;\"")));
            }
        }
        Ok(Node::Case(Case { word, arms, line }))
    }

    /// Patterns with `|` between them, and the parenthesis after the last.
    fn patterns(&mut self, first: Token) -> Result<Vec<Word>, Failure> {
        let mut patterns = Vec::new();
        let mut token = first;
        loop {
            match token {
                Token::Word(word) => patterns.push(word.word),
                // After the parenthesis of `(esac)` or in the middle of patterns these are plain words.
                Token::Reserved(word) => patterns.push(Word { parts: vec![Part::Text(text(word.as_bytes()))] }),
                token => return Err(self.unexpected(&token, None)),
            }
            token = self.token(Expect::NOTHING)?;
            if token.is(")") {
                return Ok(patterns);
            }
            if !token.is("|") {
                return Err(self.unexpected(&token, Some("\")\"")));
            }
            token = self.token(Expect::NOTHING)?;
        }
    }

    /// The redirections after a compound command.
    fn with_redirects(&mut self, body: Rc<Node>) -> Result<Rc<Node>, Failure> {
        let mut redirects = Vec::new();
        let line = self.input.line;
        loop {
            match self.token(Expect::COMMAND_HERE)? {
                Token::Redirect(redirect) => redirects.push(self.redirect(redirect)?),
                token => {
                    self.push_back(token);
                    break;
                }
            }
        }
        Ok(if redirects.is_empty() { body } else { Rc::new(Node::Redirected(Redirected { body, redirects, line })) })
    }

    fn redirect(&mut self, operator: LexedRedirect) -> Result<Redirect, Failure> {
        let word = match self.token(Expect::NOTHING)? {
            Token::Word(word) => word,
            token => return Err(self.unexpected(&token, None)),
        };
        let target = match operator.kind {
            RedirectKind::File(access) => Target::File(access, word.word),
            RedirectKind::Copy => Parser::copy_target(word),
            RedirectKind::Here { strip_tabs } => {
                let delimiter = delimiter(&word);
                let document = HereDocument { delimiter, quoted: word.quoted, strip_tabs, body: OnceCell::new() };
                let document = Rc::new(document);
                self.here_documents.push(Rc::clone(&document));
                Target::Here(document)
            }
        };
        Ok(Redirect { fd: operator.fd, target })
    }

    fn simple(&mut self) -> Result<Rc<Node>, Failure> {
        let line = self.input.line;
        let mut simple = Simple { assignments: Vec::new(), words: Vec::new(), redirects: Vec::new(), line };
        let mut function = None;
        loop {
            let expect = if simple.words.is_empty() { Expect::ALIAS } else { Expect::NOTHING };
            match self.token(expect)? {
                Token::Word(word) if simple.words.is_empty() => match assignment(word) {
                    Ok(assignment) => simple.assignments.push(assignment),
                    Err(word) => {
                        function = word.plain().map(<[u8]>::to_vec);
                        simple.words.push(word.word);
                    }
                },
                Token::Word(word) => simple.words.push(word.word),
                Token::Redirect(redirect) => simple.redirects.push(self.redirect(redirect)?),
                Token::Operator("(")
                    if simple.words.len() == 1 && simple.assignments.is_empty() && simple.redirects.is_empty() =>
                {
                    return self.function(function, line);
                }
                token => {
                    self.push_back(token);
                    break;
                }
            }
        }
        Ok(Rc::new(Node::Simple(simple)))
    }

    fn function(&mut self, name: Option<Vec<u8>>, line: usize) -> Result<Rc<Node>, Failure> {
        let token = self.token(Expect::NOTHING)?;
        if !token.is(")") {
            return Err(self.unexpected(&token, Some("\")\"")));
        }
        let Some(name) = name.filter(|name| is_name(name) && !is_special_builtin(name)) else {
            return Err(self.error("Bad function name"));
        };
        let next = self.token(Expect::COMMAND)?;
        self.push_back(next);
        let body = self.command()?;
        Ok(Rc::new(Node::Function(Function { name: text(&name), body, line })))
    }
}

/// Builtins that no function can have the name of.
fn is_special_builtin(name: &[u8]) -> bool {
    crate::shell::builtins::is_special(name)
}

/// Whether no command can start with the token, so that it ends the list before it.
fn ends_list(token: &Token) -> bool {
    match token {
        Token::End => true,
        Token::Operator(text) => matches!(*text, ")" | ";;"),
        Token::Reserved(text) => matches!(*text, "do" | "done" | "elif" | "else" | "esac" | "fi" | "then" | "}"),
        _ => false,
    }
}

/// Splits `name=value`; gives the word back if it is none.
fn assignment(word: LexedWord) -> Result<Assignment, LexedWord> {
    let Some(Part::Text(first)) = word.word.parts.first() else { return Err(word) };
    let Some(equals) = first.iter().position(|&byte| byte == b'=') else { return Err(word) };
    let (name, value) = (&first[..equals], &first[equals + 1..]);
    if !is_name(name) {
        return Err(word);
    }
    let (name, value) = (text(name), text(value));
    let mut parts = Vec::with_capacity(word.word.parts.len());
    if !value.is_empty() {
        parts.push(Part::Text(value));
    }
    parts.extend(word.word.parts.into_iter().skip(1));
    Ok(Assignment { name, value: Word { parts } })
}

/// The line that ends a here-document: the word without its quotes. Expansions in it, which POSIX does not
/// allow for, are nothing.
fn delimiter(word: &LexedWord) -> Vec<u8> {
    let literal = |part: &Part| match part {
        Part::Text(text) | Part::Quoted(text) => text.to_vec(),
        _ => Vec::new(),
    };
    word.word.parts.iter().flat_map(literal).collect()
}
