//! Basic and extended regular expressions of POSIX, with the GNU extensions, into the tree.

use super::ast::{Assertion, ByteSet, Node};
use super::{Dialect, MAX_NESTING, MAX_REPEAT, RegexError, Syntax, bracket};

/// A parsed pattern.
pub(super) struct Parsed {
    pub(super) node: Node,
    pub(super) groups: usize,
    pub(super) warnings: Vec<&'static str>,
}

/// Parses one pattern; the numbers of its groups begin after `groups_before`, its back-references
/// count from there too.
pub(super) fn parse(pattern: &[u8], syntax: Syntax, groups_before: usize) -> Result<Parsed, RegexError> {
    let mut parser = Parser {
        pattern,
        at: 0,
        syntax,
        base: groups_before,
        groups: groups_before,
        closed: Vec::new(),
        stacked: 0,
        warnings: Vec::new(),
    };
    let node = parser.alternatives(0)?;
    if parser.at < pattern.len() {
        return Err(RegexError::CloseParenthesis);
    }
    Ok(Parsed { node, groups: parser.groups, warnings: parser.warnings })
}

/// Reads the escape after a backslash as awk does; returns the byte and the position after it.
pub(super) fn unescape(pattern: &[u8], at: usize) -> (u8, usize) {
    let byte = pattern.get(at).copied().unwrap_or(b'\\');
    let simple = match byte {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'0'..=b'7' => {
            let digits = pattern[at..].iter().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
            let value = pattern[at..at + digits].iter().fold(0_u32, |sum, b| sum * 8 + u32::from(b - b'0'));
            return ((value & 0xff) as u8, at + digits);
        }
        other => other,
    };
    (simple, at + 1)
}

struct Parser<'a> {
    pattern: &'a [u8],
    at: usize,
    syntax: Syntax,
    base: usize,
    groups: usize,
    /// Groups that are complete: only these may be referred to.
    closed: Vec<usize>,
    /// Repetitions of repetitions so far: each makes the tree deeper.
    stacked: usize,
    warnings: Vec<&'static str>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    fn looking_at(&self, text: &[u8]) -> bool {
        self.pattern[self.at..].starts_with(text)
    }

    fn at_bar(&self) -> bool {
        if self.syntax.extended { self.looking_at(b"|") } else { self.looking_at(br"\|") }
    }

    fn at_close(&self) -> bool {
        if self.syntax.extended { self.looking_at(b")") } else { self.looking_at(br"\)") }
    }

    fn alternatives(&mut self, depth: usize) -> Result<Node, RegexError> {
        if depth > MAX_NESTING {
            return Err(RegexError::TooBig);
        }
        let mut branches = vec![self.branch(depth)?];
        while self.at_bar() {
            self.at += if self.syntax.extended { 1 } else { 2 };
            branches.push(self.branch(depth)?);
        }
        Ok(if branches.len() == 1 { branches.remove(0) } else { Node::Alternate(branches) })
    }

    fn branch(&mut self, depth: usize) -> Result<Node, RegexError> {
        let mut parts: Vec<Node> = Vec::new();
        let mut only_anchors = true;
        while self.at < self.pattern.len() && !self.at_bar() {
            if self.at_close() {
                // A lone `)` is an ordinary byte for grep -E, an error for sed -E.
                if depth > 0 {
                    break;
                }
                if !(self.syntax.extended && self.syntax.dialect == Dialect::Grep) {
                    return Err(RegexError::CloseParenthesis);
                }
                self.at += 1;
                parts.push(Node::Byte(b')'));
                only_anchors = false;
                continue;
            }
            if only_anchors && self.leading_operator()? {
                continue;
            }
            let atom = self.atom(depth, only_anchors)?;
            let is_anchor = matches!(atom, Node::Assert(Assertion::LineStart));
            let atom = if is_anchor && !self.syntax.extended { atom } else { self.repeats(atom)? };
            if !is_anchor {
                only_anchors = false;
            }
            parts.push(atom);
        }
        Ok(match parts.len() {
            0 => Node::Empty,
            1 => parts.remove(0),
            _ => Node::Concat(parts),
        })
    }

    /// A repetition with nothing before it: skipped by grep -E, an error for sed -E. In a basic
    /// expression and for awk it is an ordinary byte (that is the atom's work: false).
    fn leading_operator(&mut self) -> Result<bool, RegexError> {
        if !self.syntax.extended {
            // GNU grep reads a leading `\{` as an ordinary `{`, GNU sed refuses it.
            return if self.looking_at(br"\{") && self.syntax.dialect == Dialect::Sed {
                Err(RegexError::Preceding)
            } else {
                Ok(false)
            };
        }
        let operator = matches!(self.peek(), Some(b'*' | b'+' | b'?'));
        let interval = self.peek() == Some(b'{') && self.interval_is_valid();
        match self.syntax.dialect {
            Dialect::Awk => Ok(false),
            Dialect::Sed if operator || self.peek() == Some(b'{') => Err(RegexError::Preceding),
            Dialect::Grep if operator => {
                self.warnings.push(match self.peek() {
                    Some(b'*') => "* at start of expression",
                    Some(b'+') => "+ at start of expression",
                    _ => "? at start of expression",
                });
                self.at += 1;
                Ok(true)
            }
            Dialect::Grep if interval => {
                self.warnings.push("{...} at start of expression");
                self.at += 1;
                self.interval()?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn atom(&mut self, depth: usize, leading: bool) -> Result<Node, RegexError> {
        let byte = self.pattern[self.at];
        self.at += 1;
        match byte {
            b'\\' => self.escape(depth),
            b'[' => {
                let escapes = self.syntax.dialect == Dialect::Awk;
                let (set, next) = bracket::parse(self.pattern, self.at, self.syntax.icase, escapes)?;
                self.at = next;
                Ok(Node::Set(Box::new(set)))
            }
            b'.' => Ok(Node::Any),
            b'^' if self.syntax.extended || leading => Ok(Node::Assert(Assertion::LineStart)),
            b'$' if self.syntax.extended || self.dollar_is_anchor() => Ok(Node::Assert(Assertion::LineEnd)),
            b'(' if self.syntax.extended => self.group(depth),
            _ => Ok(self.literal(byte)),
        }
    }

    fn dollar_is_anchor(&self) -> bool {
        self.at == self.pattern.len() || self.looking_at(br"\)") || self.looking_at(br"\|")
    }

    fn literal(&self, byte: u8) -> Node {
        if self.syntax.icase && byte.is_ascii_alphabetic() {
            let mut set = ByteSet::default();
            set.insert(byte.to_ascii_lowercase());
            set.insert(byte.to_ascii_uppercase());
            return Node::Set(Box::new(set));
        }
        Node::Byte(byte)
    }

    fn group(&mut self, depth: usize) -> Result<Node, RegexError> {
        self.groups += 1;
        let number = self.groups;
        let inner = self.alternatives(depth + 1)?;
        if !self.at_close() {
            return Err(RegexError::OpenParenthesis);
        }
        self.at += if self.syntax.extended { 1 } else { 2 };
        self.closed.push(number);
        Ok(Node::Group(number, Box::new(inner)))
    }

    fn escape(&mut self, depth: usize) -> Result<Node, RegexError> {
        let Some(byte) = self.peek() else {
            return if self.syntax.dialect == Dialect::Awk {
                Ok(Node::Byte(b'\\'))
            } else {
                Err(RegexError::TrailingBackslash)
            };
        };
        if self.syntax.dialect == Dialect::Awk {
            return Ok(self.awk_escape(byte));
        }
        self.at += 1;
        Ok(match byte {
            b'(' if !self.syntax.extended => return self.group(depth),
            b'1'..=b'9' => {
                let number = self.base + usize::from(byte - b'0');
                if !self.closed.contains(&number) {
                    return Err(RegexError::BackReference);
                }
                Node::BackReference(number)
            }
            b'w' | b'W' => word_set(byte == b'W'),
            b's' | b'S' => {
                let mut set = ByteSet::default();
                bracket::insert_class(&mut set, b"space")?;
                if byte == b'S' {
                    set.negate();
                }
                Node::Set(Box::new(set))
            }
            b'b' => Node::Assert(Assertion::WordBoundary),
            b'B' => Node::Assert(Assertion::NotWordBoundary),
            b'<' => Node::Assert(Assertion::WordStart),
            b'>' => Node::Assert(Assertion::WordEnd),
            b'`' => Node::Assert(Assertion::TextStart),
            b'\'' => Node::Assert(Assertion::TextEnd),
            // POSIX leaves it open; sed needs it, as the newline in its pattern space.
            b'n' if self.syntax.dialect == Dialect::Sed => Node::Byte(b'\n'),
            other => self.literal(other),
        })
    }

    fn awk_escape(&mut self, byte: u8) -> Node {
        match byte {
            b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'0'..=b'7' => {
                let (value, next) = unescape(self.pattern, self.at);
                self.at = next;
                self.literal(value)
            }
            other => {
                self.at += 1;
                self.literal(other)
            }
        }
    }

    fn repeats(&mut self, mut atom: Node) -> Result<Node, RegexError> {
        loop {
            let extended = self.syntax.extended;
            let (length, bounds) = match self.peek() {
                Some(b'*') => (1, Some((0, None))),
                Some(b'+') if extended => (1, Some((1, None))),
                Some(b'?') if extended => (1, Some((0, Some(1)))),
                Some(b'{') if extended => {
                    if !self.interval_is_valid() && self.syntax.dialect != Dialect::Sed {
                        // An interval that is none is ordinary text for grep -E and awk.
                        return Ok(atom);
                    }
                    (1, None)
                }
                Some(b'\\') if !extended => match self.pattern.get(self.at + 1) {
                    Some(b'+') => (2, Some((1, None))),
                    Some(b'?') => (2, Some((0, Some(1)))),
                    Some(b'{') => (2, None),
                    _ => return Ok(atom),
                },
                _ => return Ok(atom),
            };
            self.at += length;
            let (low, high) = match bounds {
                Some(bounds) => bounds,
                None => self.interval()?,
            };
            atom = match atom {
                // `a**` is `a*`: without this a long row of stars would nest without end.
                Node::Repeat(inner, 0, None) if high.is_none() => Node::Repeat(inner, 0, None),
                Node::Repeat(inner, 1, None) if (low, high) == (1, None) => Node::Repeat(inner, 1, None),
                other => {
                    self.stacked += usize::from(matches!(other, Node::Repeat(..)));
                    if self.stacked > MAX_NESTING {
                        return Err(RegexError::TooBig);
                    }
                    Node::Repeat(Box::new(other), low, high)
                }
            };
        }
    }

    /// Whether what follows `{` reads as an interval (its numbers may still be out of bounds).
    fn interval_is_valid(&self) -> bool {
        let rest = &self.pattern[self.at + 1..];
        let Some(end) = rest.iter().position(|b| *b == b'}') else { return false };
        let body = &rest[..end];
        let commas = body.iter().filter(|b| **b == b',').count();
        body.iter().all(|b| b.is_ascii_digit() || *b == b',') && commas <= 1 && !body.is_empty() && body != b","
    }

    /// Reads the interval after `{` or `\{`, its close included.
    fn interval(&mut self) -> Result<(u32, Option<u32>), RegexError> {
        let low = self.number()?;
        let bounds = if self.peek() == Some(b',') {
            self.at += 1;
            let high = self.number()?;
            (low.unwrap_or(0), high)
        } else {
            match low {
                Some(count) => (count, Some(count)),
                None if self.peek().is_none() => return Err(RegexError::Brace),
                None => return Err(RegexError::BraceContent),
            }
        };
        let close: &[u8] = if self.syntax.extended { b"}" } else { br"\}" };
        if !self.looking_at(close) {
            return Err(if self.peek().is_none() { RegexError::Brace } else { RegexError::BraceContent });
        }
        self.at += close.len();
        if bounds.1.is_some_and(|high| high < bounds.0) {
            return Err(RegexError::BraceContent);
        }
        if bounds.0.max(bounds.1.unwrap_or(0)) > MAX_REPEAT {
            return Err(RegexError::TooBig);
        }
        Ok(bounds)
    }

    fn number(&mut self) -> Result<Option<u32>, RegexError> {
        let mut value = None;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            self.at += 1;
            value = Some(value.unwrap_or(0_u32).saturating_mul(10).saturating_add(u32::from(digit - b'0')));
        }
        Ok(value)
    }
}

fn word_set(negated: bool) -> Node {
    let mut set = ByteSet::default();
    for byte in 0..=255_u8 {
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            set.insert(byte);
        }
    }
    if negated {
        set.negate();
    }
    Node::Set(Box::new(set))
}
