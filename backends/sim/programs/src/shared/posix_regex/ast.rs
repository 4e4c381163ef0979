//! The tree that a POSIX pattern is parsed into.

/// A set of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(super) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(super) fn insert_range(&mut self, low: u8, high: u8) {
        for byte in low..=high {
            self.insert(byte);
        }
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0
    }

    pub(super) fn negate(&mut self) {
        for word in &mut self.0 {
            *word = !*word;
        }
    }

    /// Adds the other case of every ASCII letter in the set.
    pub(super) fn fold_case(&mut self) {
        for lower in b'a'..=b'z' {
            let upper = lower.to_ascii_uppercase();
            if self.contains(lower) {
                self.insert(upper);
            } else if self.contains(upper) {
                self.insert(lower);
            }
        }
    }

    /// The set as ranges in ascending order.
    pub(super) fn ranges(&self) -> Vec<(u8, u8)> {
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for byte in 0..=255_u8 {
            if !self.contains(byte) {
                continue;
            }
            match ranges.last_mut() {
                Some((_, high)) if *high != u8::MAX && *high + 1 == byte => *high = byte,
                _ => ranges.push((byte, byte)),
            }
        }
        ranges
    }
}

/// A place in the text, of no width.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Assertion {
    LineStart,
    LineEnd,
    TextStart,
    TextEnd,
    WordBoundary,
    NotWordBoundary,
    WordStart,
    WordEnd,
    /// No word byte before: half of `grep -w`.
    WordStartHalf,
    /// No word byte after: the other half.
    WordEndHalf,
}

/// One part of a pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Node {
    Empty,
    Byte(u8),
    Any,
    Set(Box<ByteSet>),
    Assert(Assertion),
    /// A group that captures, by number from 1.
    Group(usize, Box<Node>),
    Repeat(Box<Node>, u32, Option<u32>),
    Concat(Vec<Node>),
    Alternate(Vec<Node>),
    BackReference(usize),
}

impl Node {
    /// True if it has a back-reference anywhere.
    pub(super) fn has_back_reference(&self) -> bool {
        match self {
            Node::BackReference(_) => true,
            Node::Group(_, inner) | Node::Repeat(inner, _, _) => inner.has_back_reference(),
            Node::Concat(parts) | Node::Alternate(parts) => parts.iter().any(Node::has_back_reference),
            Node::Empty | Node::Byte(_) | Node::Any | Node::Set(_) | Node::Assert(_) => false,
        }
    }

    /// True if the first match by priority (greedy, left alternative first) may be shorter than the
    /// longest match. It cannot be for a sequence in which only single bytes are repeated: two ways
    /// through such a sequence that start at one place always cross.
    pub(super) fn may_match_short(&self) -> bool {
        match self {
            Node::Alternate(_) => true,
            Node::Repeat(inner, _, _) => !matches!(**inner, Node::Byte(_) | Node::Any | Node::Set(_)),
            Node::Group(_, inner) => inner.may_match_short(),
            Node::Concat(parts) => parts.iter().any(Node::may_match_short),
            Node::Empty | Node::Byte(_) | Node::Any | Node::Set(_) | Node::Assert(_) => false,
            Node::BackReference(_) => true,
        }
    }
}
