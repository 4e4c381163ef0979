//! Words: quotes, and the expansions in them.

use std::cell::OnceCell;
use std::rc::Rc;

use super::ast::{HereDocument, Name, Node, Operation, Parameter, Part, Side, Text, Word, is_name_byte};
use super::input::text;
use super::parser::{Failure, ListEnd, Parser};
use super::token::{Expect, LexedWord, Token};

/// What the text of a word stands in, which decides what ends it and what is special in it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Within<'d> {
    /// A word of a command.
    Word,
    /// `"..."`
    Quotes,
    /// The body of a here-document.
    HereDocument(&'d HereDocument),
    /// `${x-...}`, with quotes as in a word.
    Braces,
    /// `"${x-...}"`, or the same in a here-document.
    QuotedBraces,
    /// `$((...))`
    Arithmetic,
}

/// Collects the parts of a word.
#[derive(Debug, Default)]
struct Parts {
    done: Vec<Part>,
    literal: Vec<u8>,
    literal_is_quoted: bool,
    /// Whether any part was quoted.
    quoted: bool,
}

impl Parts {
    fn push(&mut self, byte: u8, quoted: bool) {
        if self.literal_is_quoted != quoted {
            self.flush();
            self.literal_is_quoted = quoted;
        }
        self.literal.push(byte);
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            let literal = text(&std::mem::take(&mut self.literal));
            self.done.push(if self.literal_is_quoted { Part::Quoted(literal) } else { Part::Text(literal) });
        }
    }

    fn part(&mut self, part: Part) {
        self.flush();
        self.done.push(part);
    }

    /// How much there is; quotes that add nothing leave an empty part behind.
    fn size(&self) -> (usize, usize) {
        (self.done.len(), self.literal.len())
    }

    fn close_quotes(&mut self, before: (usize, usize)) {
        self.quoted = true;
        if self.size() == before {
            self.part(Part::Quoted(Text::from([])));
        }
    }
}

impl Parser<'_> {
    /// Reads all of the text as the body of a here-document: expansions are special, quotes are not.
    pub fn document(&mut self) -> Result<Word, Failure> {
        // No line of text matches a delimiter with a newline in it.
        let endless =
            HereDocument { delimiter: b"\n\n".to_vec(), quoted: false, strip_tabs: false, body: OnceCell::new() };
        Ok(self.lex_word(Within::HereDocument(&endless))?.word)
    }

    /// Reads the text of a word up to its end, which is taken except for that of a command's word.
    pub(super) fn lex_word(&mut self, within: Within<'_>) -> Result<LexedWord, Failure> {
        let mut parts = Parts::default();
        self.lex_into(&mut parts, within)?;
        parts.flush();
        Ok(LexedWord { word: Word { parts: parts.done }, quoted: parts.quoted })
    }

    fn lex_into(&mut self, parts: &mut Parts, within: Within<'_>) -> Result<(), Failure> {
        let is_quoted = !matches!(within, Within::Word | Within::Braces);
        let mut at_line_start = true;
        let mut parentheses = 0usize;
        // In quoted braces, quotes may be nested once more: `"${x-"a}b"}"`.
        let mut inner_quotes = false;
        loop {
            if let (Within::HereDocument(document), true) = (within, at_line_start) {
                while document.strip_tabs && self.input.accept(b'\t') {}
                if self.input.accept_line(&document.delimiter) {
                    return Ok(());
                }
            }
            at_line_start = false;
            let Some(byte) = self.input.peek_joined() else { return self.end_of_text(within) };
            match (byte, within) {
                (b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')', Within::Word) => return Ok(()),
                (b'"', Within::Quotes) => {
                    self.input.take();
                    return Ok(());
                }
                (b'}', Within::Braces | Within::QuotedBraces) if !inner_quotes => {
                    self.input.take();
                    return Ok(());
                }
                (b')', Within::Arithmetic) if parentheses == 0 && self.input.peek_at(1) == Some(b')') => {
                    self.input.take();
                    self.input.take();
                    return Ok(());
                }
                _ => {}
            }
            self.input.take();
            match (byte, within) {
                (b'\\', _) => self.backslash(parts, within, inner_quotes),
                (b'\'', Within::Word | Within::Braces) => self.single_quotes(parts)?,
                (b'"', Within::Word | Within::Braces) => {
                    let before = parts.size();
                    self.lex_into(parts, Within::Quotes)?;
                    parts.close_quotes(before);
                }
                (b'"', Within::QuotedBraces) => inner_quotes = !inner_quotes,
                (b'$', _) => self.dollar(parts, is_quoted)?,
                (b'`', _) => {
                    let command = self.backquotes(is_quoted)?;
                    parts.part(command);
                }
                _ => {
                    match byte {
                        b'(' => parentheses += 1,
                        b')' => parentheses = parentheses.saturating_sub(1),
                        b'\n' => at_line_start = true,
                        _ => {}
                    }
                    parts.push(byte, is_quoted);
                }
            }
        }
    }

    fn end_of_text(&mut self, within: Within<'_>) -> Result<(), Failure> {
        match within {
            Within::Word => return Ok(()),
            Within::HereDocument(_) => {
                self.incomplete = true;
                return Ok(());
            }
            _ => self.incomplete = true,
        }
        Err(self.error(match within {
            Within::Quotes => "Unterminated quoted string",
            Within::Arithmetic => "Missing '))'",
            _ => "Missing '}'",
        }))
    }

    /// What follows a backslash; a continued line was joined before.
    fn backslash(&mut self, parts: &mut Parts, within: Within<'_>, inner_quotes: bool) {
        let Some(next) = self.input.peek() else {
            // As in dash, a backslash at the very end stands for itself.
            parts.push(b'\\', true);
            return;
        };
        let special = match within {
            Within::Word | Within::Braces => true,
            Within::Quotes => matches!(next, b'\\' | b'`' | b'$' | b'"'),
            Within::HereDocument(_) | Within::Arithmetic => matches!(next, b'\\' | b'`' | b'$'),
            Within::QuotedBraces => matches!(next, b'\\' | b'`' | b'$' | b'"') || (next == b'}' && !inner_quotes),
        };
        if special {
            self.input.take();
            parts.push(next, true);
            parts.quoted |= matches!(within, Within::Word | Within::Braces);
        } else {
            parts.push(b'\\', true);
        }
    }

    fn single_quotes(&mut self, parts: &mut Parts) -> Result<(), Failure> {
        let before = parts.size();
        loop {
            match self.input.take() {
                Some(b'\'') => break,
                Some(byte) => parts.push(byte, true),
                None => {
                    self.incomplete = true;
                    return Err(self.error("Unterminated quoted string"));
                }
            }
        }
        parts.close_quotes(before);
        Ok(())
    }

    /// What follows a dollar sign.
    fn dollar(&mut self, parts: &mut Parts, quoted: bool) -> Result<(), Failure> {
        let part = match self.input.peek_joined() {
            Some(b'(') => {
                self.input.take();
                if self.input.accept_joined(b'(') {
                    let inner = self.nested(|parser| parser.lex_word(Within::Arithmetic))?.word;
                    Part::Arithmetic(Rc::new(inner), quoted)
                } else {
                    Part::Command(self.nested(Parser::command_substitution)?, quoted)
                }
            }
            Some(b'{') => {
                self.input.take();
                self.nested(|parser| parser.braces(quoted))?
            }
            Some(first) if first == b'_' || first.is_ascii_alphabetic() => {
                let name = Name::Variable(text(&self.name()));
                Part::Parameter(Rc::new(Parameter::value(name, quoted)))
            }
            Some(digit @ b'0'..=b'9') => {
                self.input.take();
                Part::Parameter(Rc::new(Parameter::value(positional(&[digit]), quoted)))
            }
            Some(special) if is_special(special) => {
                self.input.take();
                Part::Parameter(Rc::new(Parameter::value(Name::Special(special), quoted)))
            }
            _ => {
                parts.push(b'$', quoted);
                return Ok(());
            }
        };
        parts.part(part);
        Ok(())
    }

    fn name(&mut self) -> Vec<u8> {
        let mut name = Vec::new();
        while let Some(byte) = self.input.peek_joined().filter(|byte| is_name_byte(*byte)) {
            self.input.take();
            name.push(byte);
        }
        name
    }

    fn digits(&mut self) -> Vec<u8> {
        let mut digits = Vec::new();
        while let Some(byte) = self.input.peek_joined().filter(u8::is_ascii_digit) {
            self.input.take();
            digits.push(byte);
        }
        digits
    }

    /// `${...}`, from after its brace to after its end.
    fn braces(&mut self, quoted: bool) -> Result<Part, Failure> {
        let mut operation = Operation::Value;
        let mut name = self.parameter_name();
        if name == Some(Name::Special(b'#')) {
            // `${#x}` is a length, `${#}` the number of parameters, `${#-x}` a default of that number.
            let next = self.input.peek_joined();
            let is_alone = self.input.peek_at(1) == Some(b'}');
            if next.is_some_and(|byte| is_name_byte(byte) || (is_special(byte) && is_alone)) {
                name = self.parameter_name();
                operation = Operation::Length;
            }
        }
        let (Some(name), false) = (name, operation == Operation::Length && self.input.peek_joined() != Some(b'}'))
        else {
            return self.bad_substitution(quoted);
        };
        if operation == Operation::Length {
            self.input.take();
            return Ok(Part::Parameter(Rc::new(Parameter { name, operation, word: Word::default(), quoted })));
        }
        let colon = self.input.accept_joined(b':');
        let operator = self.input.peek_joined();
        operation = match operator {
            None => {
                self.incomplete = true;
                return Err(self.error("Missing '}'"));
            }
            Some(b'}') if !colon => {
                self.input.take();
                return Ok(Part::Parameter(Rc::new(Parameter::value(name, quoted))));
            }
            Some(b'-') => Operation::Default(colon),
            Some(b'=') => Operation::Assign(colon),
            Some(b'?') => Operation::Demand(colon),
            Some(b'+') => Operation::Alternative(colon),
            Some(b'#') if !colon => Operation::Trim(Side::Left, false),
            Some(b'%') if !colon => Operation::Trim(Side::Right, false),
            Some(_) => return self.bad_substitution(quoted),
        };
        self.input.take();
        if let (Operation::Trim(side, _), Some(again)) = (operation, operator)
            && self.input.accept_joined(again)
        {
            operation = Operation::Trim(side, true);
        }
        let inner = self.braces_within(quoted, matches!(operation, Operation::Trim(..)));
        let word = self.lex_word(inner)?.word;
        Ok(Part::Parameter(Rc::new(Parameter { name, operation, word, quoted })))
    }

    /// A pattern has quotes of its own; other words in double quotes have not.
    fn braces_within(&self, quoted: bool, is_pattern: bool) -> Within<'static> {
        if quoted && !is_pattern { Within::QuotedBraces } else { Within::Braces }
    }

    fn parameter_name(&mut self) -> Option<Name> {
        match self.input.peek_joined()? {
            byte if byte.is_ascii_digit() => Some(positional(&self.digits())),
            byte if is_name_byte(byte) => Some(Name::Variable(text(&self.name()))),
            byte if is_special(byte) => {
                self.input.take();
                Some(Name::Special(byte))
            }
            _ => None,
        }
    }

    /// dash finds out that an expansion means nothing only when it expands it.
    fn bad_substitution(&mut self, quoted: bool) -> Result<Part, Failure> {
        if self.input.accept(b'\n') {
            // dash does not count this newline.
            self.input.line -= 1;
        }
        let word = self.lex_word(self.braces_within(quoted, false))?.word;
        let name = Name::Special(b'?');
        Ok(Part::Parameter(Rc::new(Parameter { name, operation: Operation::Bad, word, quoted })))
    }

    /// `$(...)`, from after its parenthesis to after its end.
    fn command_substitution(&mut self) -> Result<Option<Rc<Node>>, Failure> {
        let outer = std::mem::take(&mut self.here_documents);
        let body = self.list(ListEnd::Optional)?;
        let end = self.token(Expect::RESERVED)?;
        if !end.is(")") {
            return Err(self.unexpected(&end, Some("\")\"")));
        }
        self.read_here_documents()?;
        self.here_documents = outer;
        Ok(body)
    }

    /// A command in backquotes, from after the first to after the second.
    fn backquotes(&mut self, quoted: bool) -> Result<Part, Failure> {
        let line = self.input.line;
        let mut script = Vec::new();
        loop {
            match self.input.peek_joined() {
                None => {
                    self.incomplete = true;
                    return Err(self.error("EOF in backquote substitution"));
                }
                Some(b'`') => {
                    self.input.take();
                    break;
                }
                Some(b'\\') => {
                    self.input.take();
                    match self.input.peek() {
                        Some(b'\\' | b'`' | b'$') => {}
                        Some(b'"') if quoted => {}
                        _ => script.push(b'\\'),
                    }
                    script.extend(self.input.take());
                }
                Some(byte) => {
                    self.input.take();
                    script.push(byte);
                }
            }
        }
        let body = self.nested(|parser| {
            let mut inner = Parser::new(&script, 0, line, parser.aliases);
            inner.depth = parser.depth;
            let body = inner.list(ListEnd::Optional)?;
            let end = inner.token(Expect::NOTHING)?;
            inner.read_here_documents()?;
            match end {
                Token::End => Ok(body),
                end => Err(Failure { incomplete: false, ..inner.unexpected(&end, None) }),
            }
        })?;
        Ok(Part::Command(body, quoted))
    }
}

impl Parameter {
    fn value(name: Name, quoted: bool) -> Parameter {
        Parameter { name, operation: Operation::Value, word: Word::default(), quoted }
    }
}

/// Whether the character names a special parameter.
fn is_special(byte: u8) -> bool {
    matches!(byte, b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!')
}

/// `$0` is the name of the shell, the others are parameters.
fn positional(digits: &[u8]) -> Name {
    let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(usize::MAX);
    if number == 0 { Name::Special(b'0') } else { Name::Positional(number) }
}
