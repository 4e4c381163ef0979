//! A backtracking matcher for the patterns that automata cannot do: those with back-references.
//!
//! It tries every way, keeps the longest match, and gives up with an error after a fixed number of
//! steps, because such patterns can take exponential time.

use super::ast::{Assertion, ByteSet, Node};
use super::{MatchError, RegexError, Spans};

/// Instructions of one compiled pattern: intervals are unrolled, so this bounds their product.
const MAX_INSTRUCTIONS: usize = 200_000;

/// Steps of one search: a second or so of host time, far above what any sane pattern takes.
const MAX_STEPS: u64 = 20_000_000;

/// Entries of the backtrack stack, which bounds memory.
const MAX_STACK: usize = 4_000_000;

#[derive(Debug)]
enum Instruction {
    Byte(u8),
    Any,
    Set(Box<ByteSet>),
    Assert(Assertion),
    /// Try the first, later the second.
    Split(usize, usize),
    Jump(usize),
    Save(usize),
    /// Remember the position at the start of an iteration in this register.
    Mark(usize),
    /// Fail if the iteration since the mark was empty.
    Progress(usize),
    BackReference(usize),
    Match,
}

/// A pattern compiled for backtracking.
#[derive(Debug)]
pub(super) struct Program {
    code: Vec<Instruction>,
    slots: usize,
    marks: usize,
    icase: bool,
    multiline: bool,
}

enum Undo {
    Branch { pc: usize, at: usize },
    Slot { index: usize, old: Option<usize> },
    Mark { index: usize, old: usize },
}

impl Program {
    pub(super) fn new(node: &Node, groups: usize, icase: bool, multiline: bool) -> Result<Program, RegexError> {
        let mut program = Program { code: Vec::new(), slots: 2 * (groups + 1), marks: 0, icase, multiline };
        program.emit(node)?;
        program.push(Instruction::Match)?;
        Ok(program)
    }

    fn push(&mut self, instruction: Instruction) -> Result<usize, RegexError> {
        if self.code.len() >= MAX_INSTRUCTIONS {
            return Err(RegexError::TooBig);
        }
        self.code.push(instruction);
        Ok(self.code.len() - 1)
    }

    fn emit(&mut self, node: &Node) -> Result<(), RegexError> {
        match node {
            Node::Empty => {}
            Node::Byte(byte) => drop(self.push(Instruction::Byte(*byte))?),
            Node::Any => drop(self.push(Instruction::Any)?),
            Node::Set(set) => drop(self.push(Instruction::Set(set.clone()))?),
            Node::Assert(assertion) => drop(self.push(Instruction::Assert(*assertion))?),
            Node::BackReference(group) => drop(self.push(Instruction::BackReference(*group))?),
            Node::Group(number, inner) => {
                self.push(Instruction::Save(2 * number))?;
                self.emit(inner)?;
                self.push(Instruction::Save(2 * number + 1))?;
            }
            Node::Concat(parts) => {
                for part in parts {
                    self.emit(part)?;
                }
            }
            Node::Alternate(parts) => self.emit_alternatives(parts)?,
            Node::Repeat(inner, low, high) => {
                for _ in 0..*low {
                    self.emit(inner)?;
                }
                match high {
                    None => self.emit_star(inner)?,
                    Some(high) => {
                        let mut splits = Vec::new();
                        for _ in *low..*high {
                            splits.push(self.push(Instruction::Split(0, 0))?);
                            self.emit(inner)?;
                        }
                        let end = self.code.len();
                        for split in splits {
                            self.code[split] = Instruction::Split(split + 1, end);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn emit_alternatives(&mut self, parts: &[Node]) -> Result<(), RegexError> {
        let mut ends = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            if index + 1 == parts.len() {
                self.emit(part)?;
                break;
            }
            let split = self.push(Instruction::Split(0, 0))?;
            self.emit(part)?;
            ends.push(self.push(Instruction::Jump(0))?);
            self.code[split] = Instruction::Split(split + 1, self.code.len());
        }
        let end = self.code.len();
        for jump in ends {
            self.code[jump] = Instruction::Jump(end);
        }
        Ok(())
    }

    fn emit_star(&mut self, inner: &Node) -> Result<(), RegexError> {
        let mark = self.marks;
        self.marks += 1;
        let split = self.push(Instruction::Split(0, 0))?;
        self.push(Instruction::Mark(mark))?;
        self.emit(inner)?;
        self.push(Instruction::Progress(mark))?;
        self.push(Instruction::Jump(split))?;
        self.code[split] = Instruction::Split(split + 1, self.code.len());
        Ok(())
    }

    /// The leftmost longest match at or after `start`.
    pub(super) fn find(&self, text: &[u8], start: usize, spans: &mut Spans) -> Result<bool, MatchError> {
        let mut steps = 0;
        for from in start..=text.len() {
            if let Some(slots) = self.longest_at(text, from, &mut steps)? {
                spans.set(&slots);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn longest_at(&self, text: &[u8], from: usize, steps: &mut u64) -> Result<Option<Vec<Option<usize>>>, MatchError> {
        let mut slots: Vec<Option<usize>> = vec![None; self.slots];
        let mut marks = vec![usize::MAX; self.marks];
        let mut stack: Vec<Undo> = Vec::new();
        let mut best: Option<Vec<Option<usize>>> = None;
        let mut pc = 0;
        let mut at = from;
        loop {
            *steps += 1;
            if *steps > MAX_STEPS || stack.len() > MAX_STACK {
                return Err(MatchError);
            }
            let mut alive = true;
            match &self.code[pc] {
                Instruction::Byte(byte) if text.get(at) == Some(byte) => at += 1,
                Instruction::Any if at < text.len() => at += 1,
                Instruction::Set(set) if text.get(at).is_some_and(|byte| set.contains(*byte)) => at += 1,
                Instruction::Byte(_) | Instruction::Any | Instruction::Set(_) => alive = false,
                Instruction::Assert(assertion) => alive = holds(*assertion, text, at, self.multiline),
                Instruction::Split(first, second) => {
                    stack.push(Undo::Branch { pc: *second, at });
                    pc = *first;
                    continue;
                }
                Instruction::Jump(target) => {
                    pc = *target;
                    continue;
                }
                Instruction::Save(index) => {
                    stack.push(Undo::Slot { index: *index, old: slots[*index] });
                    slots[*index] = Some(at);
                }
                Instruction::Mark(index) => {
                    stack.push(Undo::Mark { index: *index, old: marks[*index] });
                    marks[*index] = at;
                }
                Instruction::Progress(index) => alive = marks[*index] != at,
                Instruction::BackReference(group) => match (slots[2 * group], slots[2 * group + 1]) {
                    (Some(low), Some(high)) if low <= high && self.same(text, low..high, at) => at += high - low,
                    _ => alive = false,
                },
                Instruction::Match => {
                    let longest = best.as_ref().and_then(|slots| slots[1]);
                    if longest.is_none_or(|end| at > end) {
                        let mut found = slots.clone();
                        found[0] = Some(from);
                        found[1] = Some(at);
                        best = Some(found);
                    }
                    if at == text.len() {
                        return Ok(best);
                    }
                    alive = false;
                }
            }
            if alive {
                pc += 1;
                continue;
            }
            loop {
                match stack.pop() {
                    None => return Ok(best),
                    Some(Undo::Slot { index, old }) => slots[index] = old,
                    Some(Undo::Mark { index, old }) => marks[index] = old,
                    Some(Undo::Branch { pc: next, at: place }) => {
                        pc = next;
                        at = place;
                        break;
                    }
                }
            }
        }
    }

    fn same(&self, text: &[u8], group: std::ops::Range<usize>, at: usize) -> bool {
        let Some(there) = text.get(at..at + group.len()) else { return false };
        let group = &text[group];
        if self.icase { group.eq_ignore_ascii_case(there) } else { group == there }
    }
}

fn holds(assertion: Assertion, text: &[u8], at: usize, multiline: bool) -> bool {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let before = at > 0 && is_word(text.get(at - 1));
    let after = is_word(text.get(at));
    match assertion {
        Assertion::LineStart => at == 0 || (multiline && text[at - 1] == b'\n'),
        Assertion::LineEnd => at == text.len() || (multiline && text[at] == b'\n'),
        Assertion::TextStart => at == 0,
        Assertion::TextEnd => at == text.len(),
        Assertion::WordBoundary => before != after,
        Assertion::NotWordBoundary => before == after,
        Assertion::WordStart => !before && after,
        Assertion::WordEnd => before && !after,
        Assertion::WordStartHalf => !before,
        Assertion::WordEndHalf => !after,
    }
}
