//! Matching by backtracking, as Lua does it: the same matches, the same captures, the same errors at the same time.
//!
//! A pattern is read while it is matched, and never as a whole: what is wrong with it is an error only when matching gets
//! there. Nothing here has to be dropped, so that an error of Lua's may leave a match by a jump (see [`Meter`]).

use memchr::memchr;

use super::class;

/// The most captures of a pattern, as in Lua.
const MAX_CAPTURES: usize = 32;

/// How deep matching may nest, as in Lua: a pattern of more parts that can match in more than one way is too complex.
const MAX_DEPTH: u32 = 200;

/// Bytes that a search of memory passes in the time of one step.
const BYTES_PER_STEP: usize = 64;

/// Bytes of a set that are looked at in the time of one step.
const SET_PER_STEP: usize = 8;

/// Charges for matching.
pub trait Meter {
    /// So many steps are taken. May not return, when time is up.
    fn spend(&mut self, steps: u32);
}

/// Why there is no match here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// The subject does not match.
    Differs,
    /// Matching nests too deep.
    TooComplex,
    /// A `%` with nothing behind it.
    EndsWithPercent,
    /// A `[` without its `]`.
    NoBracket,
    /// A `%b` without its two characters.
    NoBalance,
    /// A `%f` without its set.
    NoSet,
    /// A `)` without its `(`.
    NoOpening,
    /// A `(` without its `)`.
    Unfinished,
    /// More than [`MAX_CAPTURES`].
    TooManyCaptures,
    /// There is no capture of the index that [`Matcher::bad_index`] tells.
    BadIndex,
}

/// How long a capture is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    /// It is open.
    Open,
    /// It is a position and has no length.
    Position,
    Bytes(usize),
}

#[derive(Clone, Copy)]
struct Capture {
    start: usize,
    length: Length,
}

/// What was captured.
pub enum Captured<'a> {
    /// A part of the subject.
    Bytes(&'a [u8]),
    /// A place in it, counted from 1.
    Position(usize),
}

/// A part of a pattern that matches one byte.
#[derive(Clone, Copy)]
enum Item<'a> {
    Any,
    Byte(u8),
    Class(u8),
    Set(&'a [u8]),
}

impl Item<'_> {
    #[inline]
    fn matches(self, byte: u8) -> bool {
        match self {
            Item::Any => true,
            Item::Byte(this) => this == byte,
            Item::Class(class) => class::contains(class, byte),
            Item::Set(set) => class::set_contains(set, byte),
        }
    }

    /// Steps that looking at one byte takes.
    fn steps(self) -> u32 {
        match self {
            Item::Set(set) => 1 + steps_of(set.len(), SET_PER_STEP),
            _ => 1,
        }
    }
}

fn steps_of(bytes: usize, per_step: usize) -> u32 {
    u32::try_from(bytes / per_step).unwrap_or(u32::MAX)
}

/// One pattern on one subject.
pub struct Matcher<'a, M> {
    subject: &'a [u8],
    /// Without the anchor.
    pattern: &'a [u8],
    /// The byte that every match begins with, if there is one.
    first: Option<u8>,
    meter: M,
    /// How much deeper matching may nest.
    depth: u32,
    /// Captures, open or finished.
    level: usize,
    captures: [Capture; MAX_CAPTURES],
    bad_index: i32,
}

impl<'a, M: Meter> Matcher<'a, M> {
    /// This pattern, its anchor left out, on this subject.
    pub fn new(subject: &'a [u8], pattern: &'a [u8], meter: M) -> Matcher<'a, M> {
        let captures = [Capture { start: 0, length: Length::Open }; MAX_CAPTURES];
        let first = first_byte(pattern);
        Matcher { subject, pattern, first, meter, depth: MAX_DEPTH, level: 0, captures, bad_index: 0 }
    }

    /// Where a match that begins here ends.
    pub fn match_at(&mut self, start: usize) -> Result<usize, Miss> {
        self.depth = MAX_DEPTH;
        self.level = 0;
        self.run(start, 0)
    }

    /// The first place from here on where a match could begin.
    pub fn next_start(&mut self, from: usize) -> Option<usize> {
        let Some(first) = self.first else { return Some(from) };
        let rest = self.subject.get(from..)?;
        let found = memchr(first, rest);
        self.meter.spend(steps_of(found.unwrap_or(rest.len()), BYTES_PER_STEP));
        found.map(|distance| from + distance)
    }

    /// The first match from here on: where it begins and ends.
    pub fn search(&mut self, from: usize, anchored: bool) -> Result<Option<(usize, usize)>, Miss> {
        let mut from = from;
        loop {
            if !anchored {
                let Some(start) = self.next_start(from) else { return Ok(None) };
                from = start;
            }
            match self.match_at(from) {
                Ok(end) => return Ok(Some((from, end))),
                Err(Miss::Differs) if anchored || from >= self.subject.len() => return Ok(None),
                Err(Miss::Differs) => from += 1,
                Err(miss) => return Err(miss),
            }
        }
    }

    /// How many captures the last match has.
    pub fn captures(&self) -> usize {
        self.level
    }

    /// A capture of the last match, counted from 0. Without any, the whole match is the first.
    pub fn capture(&mut self, index: usize, whole: (usize, usize)) -> Result<Captured<'a>, Miss> {
        if index >= self.level {
            return match index {
                0 => Ok(Captured::Bytes(&self.subject[whole.0..whole.1])),
                _ => Err(self.no_capture(index)),
            };
        }
        let Capture { start, length } = self.captures[index];
        match length {
            Length::Open => Err(Miss::Unfinished),
            Length::Position => Ok(Captured::Position(start + 1)),
            Length::Bytes(length) => Ok(Captured::Bytes(&self.subject[start..start + length])),
        }
    }

    /// What [`Miss::BadIndex`] is about.
    pub fn bad_index(&self) -> i32 {
        self.bad_index
    }

    fn no_capture(&mut self, index: usize) -> Miss {
        self.bad_index = i32::try_from(index + 1).unwrap_or(i32::MAX);
        Miss::BadIndex
    }

    /// The byte of the pattern, or 0 behind its end.
    #[inline]
    fn byte(&self, at: usize) -> u8 {
        self.pattern.get(at).copied().unwrap_or(0)
    }

    /// Matches the pattern from here on; `depth` is taken while it does.
    fn run(&mut self, start: usize, at: usize) -> Result<usize, Miss> {
        if self.depth == 0 {
            return Err(Miss::TooComplex);
        }
        self.depth -= 1;
        let matched = self.parts(start, at);
        self.depth += 1;
        matched
    }

    fn parts(&mut self, mut start: usize, mut at: usize) -> Result<usize, Miss> {
        loop {
            self.meter.spend(1);
            let Some(&byte) = self.pattern.get(at) else { return Ok(start) };
            match (byte, self.byte(at + 1)) {
                (b'(', b')') => return self.open(start, at + 2, Length::Position),
                (b'(', _) => return self.open(start, at + 1, Length::Open),
                (b')', _) => return self.close(start, at + 1),
                (b'$', _) if at + 1 == self.pattern.len() => {
                    return if start == self.subject.len() { Ok(start) } else { Err(Miss::Differs) };
                }
                (b'%', b'b') => {
                    start = self.balanced(start, at + 2)?;
                    at += 4;
                    continue;
                }
                (b'%', b'f') => {
                    at = self.frontier(start, at + 2)?;
                    continue;
                }
                (b'%', digit @ b'0'..=b'9') => {
                    start = self.same_again(start, digit)?;
                    at += 2;
                    continue;
                }
                _ => {}
            }
            let end = self.item_end(at)?;
            let item = self.item(at, end);
            if let Item::Set(_) = item {
                // A long one takes long to get past, too.
                self.meter.spend(item.steps());
            }
            let suffix = self.byte(end);
            if !self.matches(item, start) {
                if !matches!(suffix, b'*' | b'?' | b'-') {
                    return Err(Miss::Differs);
                }
                at = end + 1;
                continue;
            }
            match suffix {
                b'?' => match self.run(start + 1, end + 1) {
                    Err(Miss::Differs) => at = end + 1,
                    matched => return matched,
                },
                b'+' => return self.longest(start + 1, item, end + 1),
                b'*' => return self.longest(start, item, end + 1),
                b'-' => return self.shortest(start, item, end + 1),
                _ => (start, at) = (start + 1, end),
            }
        }
    }

    #[inline]
    fn matches(&self, item: Item, at: usize) -> bool {
        self.subject.get(at).is_some_and(|byte| item.matches(*byte))
    }

    /// Where the item that begins here ends.
    fn item_end(&self, at: usize) -> Result<usize, Miss> {
        let length = self.pattern.len();
        match self.byte(at) {
            b'%' if at + 1 == length => Err(Miss::EndsWithPercent),
            b'%' => Ok(at + 2),
            b'[' => {
                let mut at = at + 1;
                if self.byte(at) == b'^' {
                    at += 1;
                }
                // The first byte is in the set, even if it is a bracket.
                loop {
                    if at == length {
                        return Err(Miss::NoBracket);
                    }
                    at += if self.byte(at) == b'%' && at + 1 < length { 2 } else { 1 };
                    if self.byte(at) == b']' {
                        return Ok(at + 1);
                    }
                }
            }
            _ => Ok(at + 1),
        }
    }

    #[inline]
    fn item(&self, at: usize, end: usize) -> Item<'a> {
        let pattern: &'a [u8] = self.pattern;
        match pattern[at] {
            b'.' => Item::Any,
            b'%' => Item::Class(pattern[at + 1]),
            b'[' => Item::Set(&pattern[at + 1..end - 1]),
            byte => Item::Byte(byte),
        }
    }

    /// As many as there are, then one less each time.
    fn longest(&mut self, start: usize, item: Item, rest: usize) -> Result<usize, Miss> {
        let mut count = 0;
        match item {
            Item::Any => {
                count = self.subject.len() - start;
                self.meter.spend(steps_of(count, BYTES_PER_STEP));
            }
            item => {
                let steps = item.steps();
                while self.matches(item, start + count) {
                    self.meter.spend(steps);
                    count += 1;
                }
            }
        }
        loop {
            match self.run(start + count, rest) {
                Err(Miss::Differs) if count > 0 => count -= 1,
                matched => return matched,
            }
        }
    }

    /// None, then one more each time.
    fn shortest(&mut self, start: usize, item: Item, rest: usize) -> Result<usize, Miss> {
        let steps = item.steps();
        let mut start = start;
        loop {
            match self.run(start, rest) {
                Err(Miss::Differs) => {}
                matched => return matched,
            }
            if !self.matches(item, start) {
                return Err(Miss::Differs);
            }
            self.meter.spend(steps);
            start += 1;
        }
    }

    fn open(&mut self, start: usize, rest: usize, length: Length) -> Result<usize, Miss> {
        let Some(capture) = self.captures.get_mut(self.level) else { return Err(Miss::TooManyCaptures) };
        *capture = Capture { start, length };
        self.level += 1;
        let matched = self.run(start, rest);
        if matched == Err(Miss::Differs) {
            self.level -= 1;
        }
        matched
    }

    fn close(&mut self, start: usize, rest: usize) -> Result<usize, Miss> {
        let open = self.captures[..self.level].iter().rposition(|capture| capture.length == Length::Open);
        let Some(open) = open else { return Err(Miss::NoOpening) };
        self.captures[open].length = Length::Bytes(start - self.captures[open].start);
        let matched = self.run(start, rest);
        if matched == Err(Miss::Differs) {
            self.captures[open].length = Length::Open;
        }
        matched
    }

    /// `%1`: what was captured, once more.
    fn same_again(&mut self, start: usize, digit: u8) -> Result<usize, Miss> {
        let index = usize::from(digit - b'0');
        if index == 0 {
            self.bad_index = 0;
            return Err(Miss::BadIndex);
        }
        let capture = self.captures[..self.level].get(index - 1).copied();
        match capture {
            None | Some(Capture { length: Length::Open, .. }) => Err(self.no_capture(index - 1)),
            Some(Capture { length: Length::Position, .. }) => Err(Miss::Differs),
            Some(Capture { start: from, length: Length::Bytes(length) }) => {
                self.meter.spend(steps_of(length, BYTES_PER_STEP));
                let captured = &self.subject[from..from + length];
                let same = self.subject.get(start..).is_some_and(|rest| rest.starts_with(captured));
                if same { Ok(start + length) } else { Err(Miss::Differs) }
            }
        }
    }

    /// `%bxy`: from an x to its y.
    fn balanced(&mut self, start: usize, at: usize) -> Result<usize, Miss> {
        let Some(&[opening, closing]) = self.pattern.get(at..at + 2) else { return Err(Miss::NoBalance) };
        if self.subject.get(start) != Some(&opening) {
            return Err(Miss::Differs);
        }
        let mut deep = 1_usize;
        for at in start + 1..self.subject.len() {
            self.meter.spend(1);
            let byte = self.subject[at];
            if byte == closing {
                deep -= 1;
                if deep == 0 {
                    return Ok(at + 1);
                }
            } else if byte == opening {
                deep += 1;
            }
        }
        Err(Miss::Differs)
    }

    /// `%f[set]`: between a byte that is not in the set and one that is; both ends of the subject count as a byte of 0.
    /// Where the pattern goes on.
    fn frontier(&mut self, start: usize, at: usize) -> Result<usize, Miss> {
        if self.byte(at) != b'[' {
            return Err(Miss::NoSet);
        }
        let end = self.item_end(at)?;
        let item = self.item(at, end);
        self.meter.spend(2 * item.steps());
        let before = if start == 0 { 0 } else { self.subject[start - 1] };
        let behind = self.subject.get(start).copied().unwrap_or(0);
        if !item.matches(before) && item.matches(behind) { Ok(end) } else { Err(Miss::Differs) }
    }
}

/// The byte that every match of a pattern begins with, if its first item says so. No such item is an error anywhere.
fn first_byte(pattern: &[u8]) -> Option<u8> {
    let (byte, suffix) = match *pattern {
        [b'%', byte, ref rest @ ..] if !byte.is_ascii_alphanumeric() => (byte, rest.first()),
        [b'%' | b'.' | b'[' | b'(' | b')', ..] | [b'$'] | [] => return None,
        [byte, ref rest @ ..] => (byte, rest.first()),
    };
    if matches!(suffix, Some(b'*' | b'?' | b'-')) { None } else { Some(byte) }
}

/// Whether a pattern is no more than a text.
pub fn is_plain(pattern: &[u8]) -> bool {
    !pattern.iter().any(|byte| b"^$*+?.([%-".contains(byte))
}
