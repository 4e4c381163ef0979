//! The tokens of a script: operators, reserved words, redirections and words.

use super::ast::{Access, Part, Target, Word};
use super::input::text;
use super::parser::{Failure, Parser};
use super::word::Within;

/// A token.
#[derive(Debug)]
pub(super) enum Token {
    End,
    Newline,
    /// `;`, `;;`, `&`, `&&`, `|`, `||`, `(`, `)`
    Operator(&'static str),
    /// A reserved word where one can stand.
    Reserved(&'static str),
    Word(LexedWord),
    Redirect(LexedRedirect),
}

/// A word, and whether any of it was quoted.
#[derive(Debug)]
pub(super) struct LexedWord {
    pub(super) word: Word,
    pub(super) quoted: bool,
}

/// A redirection operator with its descriptor; its word follows.
#[derive(Debug)]
pub(super) struct LexedRedirect {
    pub(super) fd: i32,
    pub(super) kind: RedirectKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RedirectKind {
    File(Access),
    Copy,
    Here { strip_tabs: bool },
}

/// What may be made of the next token.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Expect {
    /// Newlines before it mean nothing.
    pub(super) newlines: bool,
    /// It may be a reserved word.
    pub(super) reserved: bool,
    /// It may be an alias.
    pub(super) alias: bool,
}

impl Expect {
    pub(super) const NOTHING: Expect = Expect { newlines: false, reserved: false, alias: false };
    /// The start of a command, possibly on a later line.
    pub(super) const COMMAND: Expect = Expect { newlines: true, reserved: true, alias: true };
    /// The start of a command on this line.
    pub(super) const COMMAND_HERE: Expect = Expect { newlines: false, reserved: true, alias: true };
    pub(super) const ALIAS: Expect = Expect { newlines: false, reserved: false, alias: true };
    pub(super) const RESERVED: Expect = Expect { newlines: true, reserved: true, alias: false };
}

const RESERVED: [&str; 16] =
    ["!", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until", "while", "{", "}"];

/// The reserved word that this is, if it is one.
#[must_use]
pub fn reserved_word(name: &[u8]) -> Option<&'static str> {
    RESERVED.iter().copied().find(|word| word.as_bytes() == name)
}

/// Alias replacements in one command: each may hold others twice, so that the text would double and double.
const MAX_ALIAS_REPLACEMENTS: usize = 10_000;

impl LexedWord {
    /// The text of a word that is nothing but unquoted characters.
    pub(super) fn plain(&self) -> Option<&[u8]> {
        match self.word.parts.as_slice() {
            [Part::Text(text)] if !self.quoted => Some(text),
            _ => None,
        }
    }
}

impl Token {
    /// How an error message calls it.
    pub(super) fn described(&self) -> String {
        match self {
            Token::End => "end of file".to_owned(),
            Token::Newline => "newline".to_owned(),
            Token::Operator(text) | Token::Reserved(text) => format!("\"{text}\""),
            Token::Word(_) => "word".to_owned(),
            Token::Redirect(_) => "redirection".to_owned(),
        }
    }

    pub(super) fn is(&self, wanted: &str) -> bool {
        matches!(self, Token::Operator(text) | Token::Reserved(text) if *text == wanted)
    }
}

impl Parser<'_> {
    /// Takes the next token.
    pub(super) fn token(&mut self, expect: Expect) -> Result<Token, Failure> {
        let mut expect = expect;
        let mut was_pushed_back = self.pushed_back.is_some();
        loop {
            let token = match self.pushed_back.take() {
                Some(token) => token,
                None => self.next_token()?,
            };
            if std::mem::take(&mut self.input.after_blank_alias) {
                expect.alias = true;
            }
            match token {
                Token::Newline if expect.newlines => self.read_here_documents()?,
                Token::Word(word) => {
                    let Some(plain) = word.plain() else { return Ok(Token::Word(word)) };
                    if expect.reserved
                        && let Some(reserved) = reserved_word(plain)
                    {
                        return Ok(Token::Reserved(reserved));
                    }
                    let alias =
                        if expect.alias && !was_pushed_back { self.input.alias(self.aliases, plain) } else { None };
                    let Some(alias) = alias else { return Ok(Token::Word(word)) };
                    self.alias_replacements += 1;
                    if self.alias_replacements > MAX_ALIAS_REPLACEMENTS {
                        return Err(self.error(format!("more than {MAX_ALIAS_REPLACEMENTS} aliases in one command")));
                    }
                    self.input.push_alias(plain, alias.clone());
                }
                token => return Ok(token),
            }
            was_pushed_back = false;
        }
    }

    /// Puts a token back: it is the next one again.
    pub(super) fn push_back(&mut self, token: Token) {
        self.pushed_back = Some(token);
    }

    fn next_token(&mut self) -> Result<Token, Failure> {
        loop {
            let Some(byte) = self.input.peek_joined() else { return Ok(Token::End) };
            match byte {
                b' ' | b'\t' => {
                    self.input.take();
                }
                b'#' => {
                    while self.input.peek().is_some_and(|byte| byte != b'\n') {
                        self.input.take();
                    }
                }
                b'\n' => {
                    self.input.take();
                    return Ok(Token::Newline);
                }
                b'&' => return Ok(Token::Operator(self.single_or_double(b'&', "&", "&&"))),
                b'|' => return Ok(Token::Operator(self.single_or_double(b'|', "|", "||"))),
                b';' => return Ok(Token::Operator(self.single_or_double(b';', ";", ";;"))),
                b'(' | b')' => {
                    self.input.take();
                    return Ok(Token::Operator(if byte == b'(' { "(" } else { ")" }));
                }
                b'<' | b'>' => return Ok(Token::Redirect(self.redirect_operator(None))),
                _ => return self.word_or_descriptor(),
            }
        }
    }

    fn single_or_double(&mut self, byte: u8, single: &'static str, double: &'static str) -> &'static str {
        self.input.take();
        if self.input.accept_joined(byte) { double } else { single }
    }

    /// A word; one digit in front of a redirection is its descriptor.
    fn word_or_descriptor(&mut self) -> Result<Token, Failure> {
        let word = self.lex_word(Within::Word)?;
        if let Some([digit @ b'0'..=b'9']) = word.plain()
            && matches!(self.input.peek(), Some(b'<' | b'>'))
        {
            let fd = i32::from(digit - b'0');
            return Ok(Token::Redirect(self.redirect_operator(Some(fd))));
        }
        Ok(Token::Word(word))
    }

    fn redirect_operator(&mut self, fd: Option<i32>) -> LexedRedirect {
        let input = &mut self.input;
        let (fallback, kind) = if input.accept(b'<') {
            let kind = if input.accept_joined(b'<') {
                RedirectKind::Here { strip_tabs: input.accept_joined(b'-') }
            } else if input.accept_joined(b'&') {
                RedirectKind::Copy
            } else if input.accept_joined(b'>') {
                RedirectKind::File(Access::ReadWrite)
            } else {
                RedirectKind::File(Access::Read)
            };
            (0, kind)
        } else {
            input.take();
            let kind = if input.accept_joined(b'>') {
                RedirectKind::File(Access::Append)
            } else if input.accept_joined(b'&') {
                RedirectKind::Copy
            } else if input.accept_joined(b'|') {
                RedirectKind::File(Access::Clobber)
            } else {
                RedirectKind::File(Access::Write)
            };
            (1, kind)
        };
        LexedRedirect { fd: fd.unwrap_or(fallback), kind }
    }

    /// The bodies of the here-documents whose operators stand on the line that just ended.
    pub(super) fn read_here_documents(&mut self) -> Result<(), Failure> {
        for document in std::mem::take(&mut self.here_documents) {
            let body = if document.quoted {
                self.verbatim_body(&document.delimiter, document.strip_tabs)
            } else {
                self.lex_word(Within::HereDocument(&document))?.word
            };
            // Filled at most once: the document leaves the list here.
            let _first = document.body.set(body);
        }
        Ok(())
    }

    fn verbatim_body(&mut self, delimiter: &[u8], strip_tabs: bool) -> Word {
        let mut body = Vec::new();
        loop {
            while strip_tabs && self.input.accept(b'\t') {}
            if self.input.accept_line(delimiter) {
                break;
            }
            if self.input.peek().is_none() {
                self.incomplete = true;
                break;
            }
            while let Some(byte) = self.input.take() {
                body.push(byte);
                if byte == b'\n' {
                    break;
                }
            }
        }
        Word { parts: vec![Part::Quoted(text(&body))] }
    }

    /// The operand of `>&` and `<&`: known now, or when it is expanded.
    pub(super) fn copy_target(word: LexedWord) -> Target {
        match word.plain() {
            Some(b"-") => Target::Close,
            Some([digit @ b'0'..=b'9']) => Target::Copy(i32::from(digit - b'0')),
            _ => Target::CopyWord(word.word),
        }
    }
}
