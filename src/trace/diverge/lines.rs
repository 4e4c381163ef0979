//! What became of each line of a script between the recording and now.

use std::collections::BTreeMap;
use std::ops::Range;

use similar::{Algorithm, DiffOp, TextDiff, capture_diff_slices};

/// The most lines that are compared one by one, on both sides together: a script of that size is no longer written by
/// hand, and the time that comparing takes grows with its square. Beyond it the middle counts as replaced.
const MAX_LINES: usize = 20_000;

/// The most lines of one hunk, on both sides together, that are paired by likeness.
const MAX_PAIRED: usize = 120;

/// How alike two lines must be to be one line that was edited, when their number leaves it open.
const ALIKE: f32 = 0.5;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is the other side's line with this index.
    Same(usize),
    /// It is an edit of that line.
    Edited(usize),
    /// It stands elsewhere on the other side, at this index.
    Moved(usize),
    /// The other side does not have it.
    Alone,
}

impl Fate {
    /// The other side's line.
    pub(super) fn other(self) -> Option<usize> {
        match self {
            Fate::Same(at) | Fate::Edited(at) | Fate::Moved(at) => Some(at),
            Fate::Alone => None,
        }
    }
}

/// Lines in a row that differ; either range may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hunk {
    pub old: Range<usize>,
    pub new: Range<usize>,
}

/// A script then and now. Indices count from 0; lines are compared without the space around them.
pub(super) struct Lines<'a> {
    pub old: Vec<&'a str>,
    pub new: Vec<&'a str>,
    pub hunks: Vec<Hunk>,
    old_fate: Vec<Fate>,
    new_fate: Vec<Fate>,
}

/// Whether a line says anything.
pub(super) fn is_code(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with("--")
}

impl<'a> Lines<'a> {
    pub(super) fn new(old: &'a str, new: &'a str) -> Lines<'a> {
        let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
        let (old_fate, new_fate) = (vec![Fate::Alone; old.len()], vec![Fate::Alone; new.len()]);
        let mut lines = Lines { old, new, hunks: Vec::new(), old_fate, new_fate };
        lines.compare();
        lines.find_moved();
        for hunk in lines.hunks.clone() {
            lines.pair(&hunk);
        }
        lines
    }

    /// What became of a recorded line.
    pub(super) fn old_fate(&self, at: usize) -> Fate {
        self.old_fate.get(at).copied().unwrap_or(Fate::Alone)
    }

    /// Where a line of now comes from.
    pub(super) fn new_fate(&self, at: usize) -> Fate {
        self.new_fate.get(at).copied().unwrap_or(Fate::Alone)
    }

    /// Recorded lines of all hunks that say anything.
    pub(super) fn gone(&self) -> Vec<&'a str> {
        let lines = self.hunks.iter().flat_map(|hunk| self.old[hunk.old.clone()].iter());
        lines.copied().filter(|line| is_code(line)).map(str::trim).collect()
    }

    /// Lines of now of all hunks that say anything.
    pub(super) fn come(&self) -> Vec<&'a str> {
        let lines = self.hunks.iter().flat_map(|hunk| self.new[hunk.new.clone()].iter());
        lines.copied().filter(|line| is_code(line)).map(str::trim).collect()
    }

    /// Whether a line with this text was moved.
    pub(super) fn moved(&self, text: &str) -> bool {
        let text = text.trim();
        let moved = |(at, fate): (usize, &Fate)| matches!(fate, Fate::Moved(_)) && self.old[at].trim() == text;
        self.old_fate.iter().enumerate().any(moved)
    }

    fn compare(&mut self) {
        let (old, new): (Vec<&str>, Vec<&str>) =
            (self.old.iter().map(|line| line.trim()).collect(), self.new.iter().map(|line| line.trim()).collect());
        let differ = |(a, b): &(&&str, &&str)| a != b;
        if old.len() == new.len() && old.iter().zip(&new).filter(differ).count() == 1 {
            // One line in its place was edited. Where it now equals a neighbour, a shortest list of edits may call it
            // one line less here and one more there.
            let at = old.iter().zip(&new).position(|pair| differ(&pair)).unwrap_or_default();
            self.keep(0..at, 0);
            self.keep(at + 1..old.len(), at + 1);
            self.hunks.push(Hunk { old: at..at + 1, new: at..at + 1 });
            return;
        }
        let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
        let (old_end, new_end) = (old.len() - tail, new.len() - tail);
        self.keep(0..head, 0);
        self.keep(old_end..old.len(), new_end);
        let (old, new) = (&old[head..old_end], &new[head..new_end]);
        if old.len() + new.len() > MAX_LINES {
            self.hunks.push(Hunk { old: head..old_end, new: head..new_end });
            return;
        }
        for op in capture_diff_slices(Algorithm::Myers, old, new) {
            let shift = |range: Range<usize>| range.start + head..range.end + head;
            let (old, new) = (shift(op.old_range()), shift(op.new_range()));
            match (op, self.hunks.last_mut()) {
                (DiffOp::Equal { .. }, _) => self.keep(old, new.start),
                (_, Some(last)) if last.old.end == old.start && last.new.end == new.start => {
                    (last.old.end, last.new.end) = (old.end, new.end);
                }
                _ => self.hunks.push(Hunk { old, new }),
            }
        }
    }

    fn keep(&mut self, old: Range<usize>, new: usize) {
        for (offset, at) in old.enumerate() {
            self.old_fate[at] = Fate::Same(new + offset);
            self.new_fate[new + offset] = Fate::Same(at);
        }
    }

    /// A line that went here and came there with the same text was moved. Lines without a call are not looked at: an
    /// `end` is like any other.
    fn find_moved(&mut self) {
        let mut come: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for at in self.hunks.iter().rev().flat_map(|hunk| hunk.new.clone().rev()) {
            come.entry(self.new[at].trim()).or_default().push(at);
        }
        for gone in self.hunks.iter().flat_map(|hunk| hunk.old.clone()) {
            let text = self.old[gone].trim();
            if !is_code(text) || !text.contains('(') {
                continue;
            }
            if let Some(at) = come.get_mut(text).and_then(Vec::pop) {
                self.old_fate[gone] = Fate::Moved(at);
                self.new_fate[at] = Fate::Moved(gone);
            }
        }
    }

    /// Finds the lines of a hunk that were edited, as opposed to those that went or came.
    fn pair(&mut self, hunk: &Hunk) {
        let old: Vec<usize> = hunk.old.clone().filter(|&at| self.is_open(&self.old_fate, &self.old, at)).collect();
        let new: Vec<usize> = hunk.new.clone().filter(|&at| self.is_open(&self.new_fate, &self.new, at)).collect();
        if old.len() == new.len() {
            for (&old, &new) in old.iter().zip(&new) {
                self.edited(old, new);
            }
            return;
        }
        if old.is_empty() || new.is_empty() || old.len() + new.len() > MAX_PAIRED {
            return;
        }
        for (old, new) in self.best_pairs(&old, &new) {
            self.edited(old, new);
        }
    }

    fn is_open(&self, fates: &[Fate], lines: &[&str], at: usize) -> bool {
        fates[at] == Fate::Alone && is_code(lines[at])
    }

    fn edited(&mut self, old: usize, new: usize) {
        self.old_fate[old] = Fate::Edited(new);
        self.new_fate[new] = Fate::Edited(old);
    }

    /// The pairs, in order, that are most alike in sum.
    fn best_pairs(&self, old: &[usize], new: &[usize]) -> Vec<(usize, usize)> {
        let likeness = |i: usize, j: usize| {
            let ratio = TextDiff::from_chars(self.old[old[i]].trim(), self.new[new[j]].trim()).ratio();
            if ratio < ALIKE { 0.0 } else { ratio }
        };
        let columns = new.len() + 1;
        let mut best = vec![0.0_f32; (old.len() + 1) * columns];
        let mut alike = vec![0.0_f32; old.len() * new.len()];
        for i in (0..old.len()).rev() {
            for j in (0..new.len()).rev() {
                let here = likeness(i, j);
                alike[i * new.len() + j] = here;
                let paired = if here > 0.0 { here + best[(i + 1) * columns + j + 1] } else { 0.0 };
                best[i * columns + j] = paired.max(best[(i + 1) * columns + j]).max(best[i * columns + j + 1]);
            }
        }
        let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
        while i < old.len() && j < new.len() {
            let here = alike[i * new.len() + j];
            let value = best[i * columns + j];
            if here > 0.0 && value <= here + best[(i + 1) * columns + j + 1] {
                pairs.push((old[i], new[j]));
                (i, j) = (i + 1, j + 1);
            } else if value <= best[(i + 1) * columns + j] {
                i += 1;
            } else {
                j += 1;
            }
        }
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_meet_their_fate() {
        let lines = Lines::new("a(1)\nb(2)\nc(3)\nx\nd(4)\n", "  a(1)\nc(3)\nx\nd(5)\nb(2)\n");
        assert_eq!(lines.old_fate(0), Fate::Same(0), "indentation does not count");
        assert_eq!((lines.old_fate(1), lines.new_fate(4)), (Fate::Moved(4), Fate::Moved(1)));
        assert_eq!(lines.old_fate(4), Fate::Edited(3));
        assert_eq!(lines.old_fate(99), Fate::Alone);
        assert!(lines.moved("b(2)") && !lines.moved("c(3)"));
    }

    #[test]
    fn the_line_that_is_most_alike_was_edited() {
        let lines = Lines::new("x\nvm:run('echo one')\ny", "x\nvm:stat('/tmp')\nvm:run('echo two')\ny");
        assert_eq!((lines.new_fate(1), lines.new_fate(2)), (Fate::Alone, Fate::Edited(1)));
        let lines = Lines::new("x\nvm:stat('/tmp')\nvm:run('echo one')\ny", "x\nvm:run('echo two')\ny");
        assert_eq!((lines.old_fate(1), lines.old_fate(2)), (Fate::Alone, Fate::Edited(1)));
    }

    #[test]
    fn a_line_that_becomes_like_its_neighbour_was_edited_in_its_place() {
        let lines = Lines::new("a(1)\nb(2)\nc(3)", "a(1)\nc(3)\nc(3)");
        assert_eq!((lines.old_fate(1), lines.new_fate(2)), (Fate::Edited(1), Fate::Same(2)));
    }

    #[test]
    fn large_scripts_cost_little() {
        let text = |salt: usize| (0..30_000).map(|at| format!("x({})\n", at * salt)).collect::<String>();
        let (old, new) = (text(1), text(3));
        let lines = Lines::new(&old, &new);
        assert_eq!(lines.hunks.len(), 1);
    }
}
