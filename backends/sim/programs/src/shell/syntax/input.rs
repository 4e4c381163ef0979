//! The characters of a script, with the text of aliases read in between.

use std::rc::Rc;

use super::ast::Text;

/// The aliases of a shell: name and text.
pub type Aliases = std::collections::BTreeMap<Vec<u8>, Text>;

/// Where a parser stands in its script.
#[derive(Debug)]
pub(super) struct Input<'a> {
    text: &'a [u8],
    at: usize,
    /// The number of the line it stands on.
    pub(super) line: usize,
    aliases: Vec<Alias>,
    /// Set when the text of an alias that ends in a blank is left: the next word may be an alias too.
    pub(super) after_blank_alias: bool,
    /// Whether the text ended right after a continued line.
    pub(super) ended_in_continuation: bool,
}

#[derive(Debug)]
struct Alias {
    name: Vec<u8>,
    text: Text,
    at: usize,
}

impl<'a> Input<'a> {
    pub(super) fn new(text: &'a [u8], at: usize, line: usize) -> Input<'a> {
        Input { text, at, line, aliases: Vec::new(), after_blank_alias: false, ended_in_continuation: false }
    }

    /// Where it stands in the script itself.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Puts the text of an alias in front of what follows.
    pub(super) fn push_alias(&mut self, name: &[u8], text: Text) {
        self.aliases.push(Alias { name: name.to_vec(), text, at: 0 });
    }

    /// Whether there is text of an alias that was not read yet.
    pub(super) fn has_alias_text(&self) -> bool {
        self.aliases.iter().any(|alias| alias.at < alias.text.len())
    }

    /// Whether the text of this alias is being read: it is not replaced again then.
    pub(super) fn is_in_alias(&self, name: &[u8]) -> bool {
        self.aliases.iter().any(|alias| alias.name == name)
    }

    /// The character after the next `skip` ones, without taking it.
    pub(super) fn peek_at(&self, skip: usize) -> Option<u8> {
        let mut skip = skip;
        for alias in self.aliases.iter().rev() {
            let left = alias.text.len() - alias.at;
            if skip < left {
                return alias.text.get(alias.at + skip).copied();
            }
            skip -= left;
        }
        self.text.get(self.at + skip).copied()
    }

    /// The next character, without taking it.
    pub(super) fn peek(&self) -> Option<u8> {
        self.peek_at(0)
    }

    /// Takes the next character.
    pub(super) fn take(&mut self) -> Option<u8> {
        while let Some(alias) = self.aliases.last_mut() {
            if let Some(&byte) = alias.text.get(alias.at) {
                alias.at += 1;
                return Some(byte);
            }
            self.after_blank_alias |= matches!(alias.text.last(), Some(b' ' | b'\t'));
            self.aliases.pop();
        }
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        if byte == b'\n' {
            self.line += 1;
        }
        Some(byte)
    }

    /// Takes the next character if it is this one.
    pub(super) fn accept(&mut self, byte: u8) -> bool {
        let matches = self.peek() == Some(byte);
        if matches {
            self.take();
        }
        matches
    }

    /// The next character with continued lines joined before it.
    pub(super) fn peek_joined(&mut self) -> Option<u8> {
        while self.peek() == Some(b'\\') && self.peek_at(1) == Some(b'\n') {
            self.take();
            self.take();
            self.ended_in_continuation = self.peek().is_none();
        }
        self.peek()
    }

    /// [`Input::accept`] with continued lines joined before it.
    pub(super) fn accept_joined(&mut self, byte: u8) -> bool {
        self.peek_joined() == Some(byte) && self.accept(byte)
    }

    /// Whether the line that starts here is this one; takes it, and its end, if so.
    pub(super) fn accept_line(&mut self, line: &[u8]) -> bool {
        let matches = (0..line.len()).all(|index| self.peek_at(index) == Some(line[index]));
        let ends = matches!(self.peek_at(line.len()), None | Some(b'\n'));
        if matches && ends {
            for _ in 0..=line.len() {
                self.take();
            }
        }
        matches && ends
    }

    /// The text of an alias that may be replaced here.
    pub(super) fn alias<'t>(&self, aliases: &'t Aliases, name: &[u8]) -> Option<&'t Text> {
        aliases.get(name).filter(|_| !self.is_in_alias(name))
    }
}

/// Text of the script as a part of the tree.
pub(super) fn text(bytes: &[u8]) -> Text {
    Rc::from(bytes)
}
