//! Expansion of words: tildes, parameters, commands, arithmetic; then fields and file names.

mod fields;
mod glob;
mod parameter;

use std::rc::Rc;

use super::arithmetic::{self, Failure};
use super::flow::Flow;
use super::options::Opt;
use super::pattern::{Pattern, QUOTED, SPLITS, Symbol};
use super::state::{Shell, refusal};
use super::syntax::ast::{Parameter, Part, Text, Word};
use super::variables::Refused;
use crate::shared::strnum;

use fields::{EMPTY, split, text_of};

/// Symbols of one expanded word: a value that doubles in a loop must come to an end before the memory does.
pub const MAX_SYMBOLS: usize = 16 << 20;

/// Fields of one word, for the same reason: an empty field takes more memory than its symbols.
pub const MAX_FIELDS: usize = 1 << 20;

/// Free stack that arithmetic needs at its deepest nesting, in bytes.
const ARITHMETIC_STACK: usize = 1 << 20;

/// Where a tilde is special.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tilde {
    Nowhere,
    /// At the start of the word.
    Start,
    /// At the start and after colons, as in the value of a variable.
    Value,
}

/// What a word is expanded for.
#[derive(Clone, Copy, Debug)]
struct Purpose {
    /// Expansions may make several fields.
    splits: bool,
    tilde: Tilde,
    /// The word stands in a parameter expansion, whose result it is: its text may be split, too.
    is_result: bool,
}

impl Purpose {
    const FIELDS: Purpose = Purpose { splits: true, tilde: Tilde::Start, is_result: false };
    const TEXT: Purpose = Purpose { splits: false, tilde: Tilde::Start, is_result: false };
    const VALUE: Purpose = Purpose { splits: false, tilde: Tilde::Value, is_result: false };
    const DOCUMENT: Purpose = Purpose { splits: false, tilde: Tilde::Nowhere, is_result: false };
}

impl Shell {
    /// Expands words to fields.
    pub(super) async fn expand_fields(&mut self, words: &[Word]) -> Result<Vec<Vec<u8>>, Flow> {
        let mut fields = Vec::with_capacity(words.len());
        for word in words {
            if let Some(text) = plain(word) {
                fields.push(text.to_vec());
                continue;
            }
            let mut symbols = Vec::new();
            self.expand_into(word, Purpose::FIELDS, &mut symbols).await?;
            let separators = self.separators();
            let Some(split) = split(&symbols, &separators, MAX_FIELDS) else {
                return Err(self.error("Out of space").await);
            };
            for field in split {
                if self.has(Opt::NoGlob) || !Pattern::is_pattern(&field) {
                    fields.push(text_of(&field));
                } else {
                    fields.extend(self.glob(&field).await);
                }
            }
        }
        Ok(fields)
    }

    /// Expands a word to one text: what `case` compares, the file of a redirection.
    pub(super) async fn expand_text(&mut self, word: &Word) -> Result<Vec<u8>, Flow> {
        self.expand_whole(word, Purpose::TEXT).await
    }

    /// Expands the value of an assignment.
    pub(super) async fn expand_assignment(&mut self, word: &Word) -> Result<Vec<u8>, Flow> {
        self.expand_whole(word, Purpose::VALUE).await
    }

    /// Expands `name=value` where it is an operand of `export` and its like.
    pub(super) async fn expand_assignment_word(&mut self, word: &Word) -> Result<Vec<u8>, Flow> {
        let mut symbols = Vec::new();
        let mut parts = word.parts.iter();
        if let Some(Part::Text(text)) = parts.next() {
            let value = text.iter().position(|&byte| byte == b'=').map_or(0, |equals| equals + 1);
            symbols.extend(text[..value].iter().map(|&byte| Symbol::from(byte)));
            self.expand_literal(&text[value..], word.parts.len() == 1, Purpose::VALUE, true, &mut symbols).await;
        }
        for part in parts {
            self.expand_part(part, Purpose::VALUE, false, true, &mut symbols).await?;
        }
        Ok(text_of(&symbols))
    }

    /// Expands the body of a here-document.
    pub(super) async fn expand_document(&mut self, word: &Word) -> Result<Vec<u8>, Flow> {
        self.expand_whole(word, Purpose::DOCUMENT).await
    }

    /// Expands a pattern: what was quoted stands for itself.
    pub(super) async fn expand_pattern(&mut self, word: &Word) -> Result<Vec<Symbol>, Flow> {
        let mut symbols = Vec::new();
        self.expand_into(word, Purpose::TEXT, &mut symbols).await?;
        symbols.retain(|symbol| symbol & EMPTY == 0);
        Ok(symbols)
    }

    /// The value of a variable as a prompt: parameters and commands in it are expanded.
    pub(super) async fn expand_prompt(&mut self, name: &[u8]) -> Result<Vec<u8>, Flow> {
        let value = self.variables.get(name).map(|value| value.to_vec()).unwrap_or_default();
        if !value.iter().any(|byte| matches!(byte, b'$' | b'`' | b'\\')) {
            return Ok(value);
        }
        let aliases = Rc::clone(&self.aliases);
        match super::syntax::Parser::new(&value, 0, self.line, &aliases).document() {
            Ok(word) => self.expand_document(&word).await,
            Err(_) => Ok(value),
        }
    }

    async fn expand_whole(&mut self, word: &Word, purpose: Purpose) -> Result<Vec<u8>, Flow> {
        if let Some(text) = plain(word) {
            return Ok(text.to_vec());
        }
        let mut symbols = Vec::new();
        self.expand_into(word, purpose, &mut symbols).await?;
        Ok(text_of(&symbols))
    }

    /// The bytes at which fields are split: `IFS`.
    fn separators(&self) -> Text {
        match self.variables.get(b"IFS") {
            Some(separators) => Rc::clone(separators),
            None => Text::from(*b" \t\n"),
        }
    }

    async fn expand_into(&mut self, word: &Word, purpose: Purpose, symbols: &mut Vec<Symbol>) -> Result<(), Flow> {
        let last = word.parts.len().saturating_sub(1);
        for (index, part) in word.parts.iter().enumerate() {
            self.expand_part(part, purpose, index == 0, index == last, symbols).await?;
            if symbols.len() > MAX_SYMBOLS {
                return Err(self.error("Out of space").await);
            }
        }
        Ok(())
    }

    /// Expands the word in a parameter expansion.
    async fn expand_inner(
        &mut self,
        parameter: &Rc<Parameter>,
        purpose: Purpose,
        symbols: &mut Vec<Symbol>,
    ) -> Result<(), Flow> {
        let parameter = Rc::clone(parameter);
        let mut inner = std::mem::take(symbols);
        let expanded = self.apart(async move |shell: &mut Shell| {
            let expanded = shell.expand_into(&parameter.word, purpose, &mut inner).await;
            expanded.map(|()| inner)
        });
        *symbols = expanded.await?;
        Ok(())
    }

    async fn expand_part(
        &mut self,
        part: &Part,
        purpose: Purpose,
        is_first: bool,
        is_last: bool,
        symbols: &mut Vec<Symbol>,
    ) -> Result<(), Flow> {
        match part {
            Part::Text(text) => self.expand_literal(text, is_last, purpose, is_first, symbols).await,
            Part::Quoted(text) if text.is_empty() => symbols.push(EMPTY),
            Part::Quoted(text) => symbols.extend(text.iter().map(|&byte| Symbol::from(byte) | QUOTED)),
            Part::Parameter(parameter) => self.expand_parameter(parameter, purpose, symbols).await?,
            Part::Command(body, quoted) => {
                let output = match body {
                    Some(body) => self.substitute(body).await?,
                    None => Vec::new(),
                };
                push_value(symbols, &output, *quoted, purpose);
            }
            Part::Arithmetic(expression, quoted) => {
                let expression = Rc::clone(expression);
                let expanded =
                    self.apart(async move |shell: &mut Shell| shell.expand_whole(&expression, Purpose::DOCUMENT).await);
                let expression = expanded.await?;
                let value = self.calculate(&expression).await?.to_string();
                push_value(symbols, value.as_bytes(), *quoted, purpose);
            }
        }
        Ok(())
    }

    /// Text outside of quotes: tildes are looked for.
    async fn expand_literal(
        &mut self,
        text: &[u8],
        is_last: bool,
        purpose: Purpose,
        is_first: bool,
        symbols: &mut Vec<Symbol>,
    ) {
        let flags = if purpose.is_result && purpose.splits { SPLITS } else { 0 };
        if purpose.tilde == Tilde::Nowhere || !text.contains(&b'~') {
            symbols.extend(text.iter().map(|&byte| Symbol::from(byte) | flags));
            return;
        }
        let mut may_begin = is_first;
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            if byte == b'~' && may_begin {
                let name = &text[at + 1..];
                let ends = |byte: &u8| *byte == b'/' || (*byte == b':' && purpose.tilde == Tilde::Value);
                let length = name.iter().position(ends);
                // A name that goes on in quotes or in an expansion is none.
                if length.is_some() || is_last {
                    let name = &name[..length.unwrap_or(name.len())];
                    if let Some(home) = self.tilde(name).await {
                        push_value(symbols, &home, true, purpose);
                        at += 1 + name.len();
                        may_begin = false;
                        continue;
                    }
                }
            }
            symbols.push(Symbol::from(byte) | flags);
            may_begin = byte == b':' && purpose.tilde == Tilde::Value;
            at += 1;
        }
    }

    async fn tilde(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        if name.is_empty() {
            return self.variables.get(b"HOME").map(|home| home.to_vec());
        }
        self.home_of(name).await
    }

    /// The value of an arithmetic expression.
    pub(super) async fn calculate(&mut self, expression: &[u8]) -> Result<i64, Flow> {
        let mut names = Names { shell: self };
        let value =
            stacker::maybe_grow(ARITHMETIC_STACK, ARITHMETIC_STACK, || arithmetic::evaluate(expression, &mut names));
        match value {
            Ok(value) => Ok(value),
            Err(Failure::Expression(message)) => {
                let message = format!("arithmetic expression: {message}: \"");
                Err(self.error([message.as_bytes(), expression, b"\""].concat()).await)
            }
            Err(Failure::Variable(message)) => Err(self.error(message).await),
        }
    }
}

/// The variables of a shell as an arithmetic expression sees them; an error is its message.
struct Names<'s> {
    shell: &'s mut Shell,
}

impl arithmetic::Variables for Names<'_> {
    type Error = Vec<u8>;

    fn get(&self, name: &[u8]) -> Result<i64, Vec<u8>> {
        if name == b"LINENO" {
            return Ok(i64::try_from(self.shell.line).unwrap_or_default());
        }
        let Some(value) = self.shell.variables.get(name) else { return Ok(0) };
        let read = strnum::signed(value, 0);
        let rest = &value[read.used..];
        if rest.iter().all(u8::is_ascii_whitespace) {
            Ok(read.value)
        } else {
            Err([b"Illegal number: ", &value[..]].concat())
        }
    }

    fn set(&mut self, name: &[u8], value: i64) -> Result<(), Vec<u8>> {
        self.shell
            .try_assign(name, value.to_string().as_bytes(), false)
            .map_err(|refused: Refused| refusal(name, refused))
    }
}

/// The text of a word in which nothing is to be expanded.
fn plain(word: &Word) -> Option<&[u8]> {
    match word.parts.as_slice() {
        [Part::Quoted(text)] => Some(text),
        [Part::Text(text)] if !text.iter().any(|byte| matches!(byte, b'~' | b'*' | b'?' | b'[')) => Some(text),
        [] => None,
        _ => None,
    }
}

/// Adds the value of an expansion.
fn push_value(symbols: &mut Vec<Symbol>, value: &[u8], quoted: bool, purpose: Purpose) {
    let flags = match (quoted, purpose.splits) {
        (true, _) => QUOTED,
        (false, true) => SPLITS,
        (false, false) => 0,
    };
    if quoted && value.is_empty() {
        symbols.push(EMPTY);
    }
    symbols.extend(value.iter().map(|&byte| Symbol::from(byte) | flags));
}
