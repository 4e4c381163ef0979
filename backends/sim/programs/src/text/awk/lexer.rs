//! Words of the language. The parser says where a slash begins a pattern: it is the one to know.

use std::rc::Rc;

use super::ast::Builtin;
use super::number;
use super::value::Text;
use crate::shared::escape::octal;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    End,
    Newline,
    Number(f64),
    Text(Text),
    Name(String),
    /// A name with `(` right behind it.
    Call(String),
    Builtin(Builtin),
    Keyword(Keyword),
    Symbol(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    Begin,
    Break,
    Continue,
    Delete,
    Do,
    Else,
    End,
    Exit,
    For,
    Function,
    Getline,
    If,
    In,
    Next,
    NextFile,
    Print,
    Printf,
    Return,
    While,
}

fn keyword(name: &str) -> Option<Keyword> {
    Some(match name {
        "BEGIN" => Keyword::Begin,
        "END" => Keyword::End,
        "break" => Keyword::Break,
        "continue" => Keyword::Continue,
        "delete" => Keyword::Delete,
        "do" => Keyword::Do,
        "else" => Keyword::Else,
        "exit" => Keyword::Exit,
        "for" => Keyword::For,
        "func" | "function" => Keyword::Function,
        "getline" => Keyword::Getline,
        "if" => Keyword::If,
        "in" => Keyword::In,
        "next" => Keyword::Next,
        "nextfile" => Keyword::NextFile,
        "print" => Keyword::Print,
        "printf" => Keyword::Printf,
        "return" => Keyword::Return,
        "while" => Keyword::While,
        _ => return None,
    })
}

/// Operators, the longer ones before those they begin with.
const SYMBOLS: [&str; 43] = [
    "**=", "|&", "**", "^=", "&&", "||", "==", "!=", "<=", ">=", ">>", "++", "--", "+=", "-=", "*=", "/=", "%=", "!~",
    "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", ">", "<", "|", "?", ":", "~", "$", "=",
    "@",
];

/// What is wrong with a program, and in which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) line: usize,
    pub(super) message: String,
}

/// A place in a program; it is cheap to copy, so that the parser can look ahead and come back.
#[derive(Clone)]
pub(super) struct Lexer {
    source: Rc<[u8]>,
    at: usize,
    pub(super) line: usize,
    /// Where the last token starts.
    start: usize,
}

impl Lexer {
    pub(super) fn new(source: &[u8]) -> Lexer {
        Lexer { source: source.into(), at: 0, line: 1, start: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    pub(super) fn error<T>(&self, message: impl Into<String>) -> Result<T, SyntaxError> {
        Err(SyntaxError { line: self.line, message: message.into() })
    }

    /// The text of the last token, for messages.
    pub(super) fn shown(&self) -> String {
        match self.source.get(self.start..self.at) {
            None | Some([]) => "end of file".to_owned(),
            Some(b"\n") => "end of line".to_owned(),
            Some(text) => String::from_utf8_lossy(text).into_owned(),
        }
    }

    fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | 11 | 12) => self.at += 1,
                Some(b'\\') if self.source.get(self.at + 1) == Some(&b'\n') => {
                    self.at += 2;
                    self.line += 1;
                }
                Some(b'\\') if self.source.get(self.at + 1..self.at + 3) == Some(b"\r\n") => {
                    self.at += 3;
                    self.line += 1;
                }
                Some(b'#') => {
                    while self.peek().is_some_and(|byte| byte != b'\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Result<Token, SyntaxError> {
        self.skip_blanks();
        self.start = self.at;
        let Some(byte) = self.peek() else { return Ok(Token::End) };
        if byte == b'\n' {
            self.at += 1;
            self.line += 1;
            return Ok(Token::Newline);
        }
        if byte.is_ascii_alphabetic() || byte == b'_' {
            return self.word();
        }
        if byte.is_ascii_digit() || (byte == b'.' && self.source.get(self.at + 1).is_some_and(u8::is_ascii_digit)) {
            let (value, used) = number::prefix(&self.source[self.at..]);
            self.at += used.max(1);
            return Ok(Token::Number(value));
        }
        if byte == b'"' {
            return self.string();
        }
        for symbol in SYMBOLS {
            if self.source[self.at..].starts_with(symbol.as_bytes()) {
                self.at += symbol.len();
                return Ok(Token::Symbol(match symbol {
                    "**=" => "^=",
                    "**" => "^",
                    symbol => symbol,
                }));
            }
        }
        self.at += 1;
        let shown = if byte.is_ascii_graphic() { char::from(byte).to_string() } else { format!("\\{byte:03o}") };
        self.error(format!("unexpected character '{shown}'"))
    }

    fn word(&mut self) -> Result<Token, SyntaxError> {
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.at += 1;
        }
        let name = String::from_utf8_lossy(&self.source[self.start..self.at]).into_owned();
        if let Some(keyword) = keyword(&name) {
            return Ok(Token::Keyword(keyword));
        }
        if let Some(builtin) = Builtin::by_name(&name) {
            return Ok(Token::Builtin(builtin));
        }
        Ok(if self.peek() == Some(b'(') { Token::Call(name) } else { Token::Name(name) })
    }

    fn string(&mut self) -> Result<Token, SyntaxError> {
        let begin = self.at + 1;
        let mut end = begin;
        loop {
            match self.source.get(end) {
                None | Some(b'\n') => {
                    let shown =
                        String::from_utf8_lossy(&self.source[self.at..end.min(self.at + 20).min(self.source.len())])
                            .into_owned();
                    return self.error(format!("runaway string constant {shown} ..."));
                }
                Some(b'"') => break,
                Some(b'\\') => {
                    if self.source.get(end + 1) == Some(&b'\n') {
                        self.line += 1;
                    }
                    end += 2;
                }
                Some(_) => end += 1,
            }
        }
        self.at = end + 1;
        Ok(Token::Text(unescape(&self.source[begin..end]).into()))
    }

    /// Reads the last token, which began with a slash, again as a pattern.
    pub(super) fn pattern(&mut self) -> Result<Text, SyntaxError> {
        let begin = self.start + 1;
        let mut at = begin;
        let mut bracket = None;
        let mut text = Vec::new();
        loop {
            match self.source.get(at).copied() {
                None | Some(b'\n') => {
                    let shown = String::from_utf8_lossy(
                        &self.source[self.start..at.min(self.start + 20).min(self.source.len())],
                    )
                    .into_owned();
                    return self.error(format!("runaway regular expression {shown} ..."));
                }
                Some(b'/') if bracket.is_none() => break,
                Some(b'\\') => {
                    match self.source.get(at + 1).copied() {
                        Some(b'/') => text.push(b'/'),
                        Some(b'\n') => self.line += 1,
                        Some(other) => text.extend_from_slice(&[b'\\', other]),
                        None => {}
                    }
                    at += 2;
                    continue;
                }
                // In brackets a slash is ordinary, if the brackets end before the line does.
                Some(b'[') => match bracket {
                    None if self.closes(at) => {
                        bracket = Some(at);
                        text.push(b'[');
                        at += 1;
                        if self.source.get(at) == Some(&b'^') {
                            text.push(b'^');
                            at += 1;
                        }
                        if self.source.get(at) == Some(&b']') {
                            text.push(b']');
                            at += 1;
                        }
                        continue;
                    }
                    None => text.push(b'['),
                    Some(_) => {
                        text.push(b'[');
                        if let Some(kind @ (b':' | b'.' | b'=')) = self.source.get(at + 1).copied() {
                            let rest = &self.source[at + 2..];
                            let class = rest.windows(2).position(|pair| pair == [kind, b']']);
                            if let Some(length) = class.filter(|length| !rest[..*length].contains(&b'\n')) {
                                text.extend_from_slice(&self.source[at + 1..at + 4 + length]);
                                at += 4 + length;
                                continue;
                            }
                        }
                    }
                },
                Some(b']') => {
                    bracket = None;
                    text.push(b']');
                }
                Some(byte) => text.push(byte),
            }
            at += 1;
        }
        self.at = at + 1;
        Ok(text.into())
    }

    /// Whether a bracket expression that starts at `at` ends in the same line.
    fn closes(&self, at: usize) -> bool {
        let line = self.source[at + 1..].split(|&byte| byte == b'\n').next().unwrap_or_default();
        let line = line.strip_prefix(b"^").unwrap_or(line);
        line.get(1..).is_some_and(|rest| rest.contains(&b']'))
    }
}

/// A string's text without its escapes. An unknown escape keeps its backslash, which makes `"\."` a
/// useful pattern.
pub(super) fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            plain.push(byte);
            continue;
        }
        let Some(&escaped) = rest.first() else {
            plain.push(b'\\');
            break;
        };
        let mut used = 1;
        match escaped {
            b'"' | b'\\' | b'/' => plain.push(escaped),
            b'a' => plain.push(7),
            b'b' => plain.push(8),
            b'f' => plain.push(12),
            b'n' => plain.push(b'\n'),
            b'r' => plain.push(b'\r'),
            b't' => plain.push(b'\t'),
            b'v' => plain.push(11),
            b'\n' => {}
            b'0'..=b'7' => {
                let (value, digits) = octal(rest, 3);
                plain.push(value);
                used = digits;
            }
            other => plain.extend_from_slice(&[b'\\', other]),
        }
        rest = &rest[used..];
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{Keyword, Lexer, Token, unescape};

    fn tokens(source: &str) -> Vec<Token> {
        let mut lexer = Lexer::new(source.as_bytes());
        let mut all = Vec::new();
        loop {
            match lexer.next() {
                Ok(Token::End) => return all,
                Ok(token) => all.push(token),
                Err(error) => panic!("{error:?}"),
            }
        }
    }

    #[test]
    fn words_numbers_and_symbols() {
        let source = "x+=1.5e1 # comment\nf(y) \\\n in **";
        let expected = [
            Token::Name("x".into()),
            Token::Symbol("+="),
            Token::Number(15.0),
            Token::Newline,
            Token::Call("f".into()),
            Token::Symbol("("),
            Token::Name("y".into()),
            Token::Symbol(")"),
            Token::Keyword(Keyword::In),
            Token::Symbol("^"),
        ];
        assert_eq!(tokens(source), expected);
    }

    #[test]
    fn strings_lose_their_escapes() {
        assert_eq!(unescape(br#"a\t\"\\\101\/"#), b"a\t\"\\A/");
        assert_eq!(unescape(br"\.\q\"), br"\.\q\");
        assert!(Lexer::new(b"\"abc").next().is_err());
        assert!(Lexer::new(b"\"abc\\").next().is_err());
    }

    #[test]
    fn patterns_end_at_a_slash_outside_of_brackets() {
        let pattern = |source: &[u8]| {
            let mut lexer = Lexer::new(source);
            lexer.next().unwrap();
            lexer.pattern().map(|text| text.to_vec())
        };
        assert_eq!(pattern(br"/a\/b/"), Ok(b"a/b".to_vec()));
        assert_eq!(pattern(b"/=[/]x/"), Ok(b"=[/]x".to_vec()));
        assert_eq!(pattern(b"/[[:alpha:]/]/"), Ok(b"[[:alpha:]/]".to_vec()));
        assert_eq!(pattern(b"/[]/]/"), Ok(b"[]/]".to_vec()));
        assert_eq!(pattern(br"/\[/"), Ok(br"\[".to_vec()));
        assert!(pattern(b"/abc\n/").is_err());
        assert!(pattern(b"/abc\\").is_err());
    }
}
