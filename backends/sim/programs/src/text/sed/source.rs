//! The text of a script: pieces from `-e` and `-f`, and where in them one is.

/// Where a piece came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// `-e`, by number from 1.
    Expression(usize),
    /// `-f`
    File(Vec<u8>),
}

/// All pieces, joined by newlines.
#[derive(Debug, Default)]
pub(super) struct Source {
    text: Vec<u8>,
    /// Where each piece starts.
    pieces: Vec<(usize, Origin)>,
    at: usize,
}

impl Source {
    /// Adds a piece.
    pub(super) fn push(&mut self, text: &[u8], origin: Origin) {
        if !self.pieces.is_empty() {
            self.text.push(b'\n');
        }
        self.pieces.push((self.text.len(), origin));
        self.text.extend_from_slice(text);
    }

    /// Whether there is no script at all.
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The first piece's beginning.
    pub(super) fn begins_with(&self, text: &[u8]) -> bool {
        self.text.starts_with(text)
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn back(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn advance(&mut self, count: usize) {
        self.at = (self.at + count).min(self.text.len());
    }

    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | 11 | 12)) {
            self.at += 1;
        }
    }

    /// Blanks, newlines and semicolons between commands.
    pub(super) fn skip_separators(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | 11 | 12)) {
            self.at += 1;
        }
    }

    /// Where an error is reported that was found here: the prefix of its message.
    pub(super) fn place(&self) -> String {
        let index = self.pieces.iter().rposition(|(start, _)| *start <= self.at).unwrap_or(0);
        let Some((start, origin)) = self.pieces.get(index) else { return String::new() };
        match origin {
            Origin::Expression(number) => format!("-e expression #{number}, char {}: ", self.at - start),
            Origin::File(name) => {
                // The newline that was just read belongs to the line that it ends.
                let end = self.at.saturating_sub(1).max(*start);
                let line = 1 + self.text[*start..end.min(self.text.len())].iter().filter(|b| **b == b'\n').count();
                format!("file {} line {line}: ", String::from_utf8_lossy(name))
            }
        }
    }

    /// The same for errors about the script as a whole.
    pub(super) fn place_of_all(&self) -> String {
        match self.pieces.last() {
            Some((_, Origin::Expression(number))) => format!("-e expression #{number}, char 0: "),
            Some((_, Origin::File(name))) => format!("file {} line 0: ", String::from_utf8_lossy(name)),
            None => String::new(),
        }
    }
}
