//! Which lines differ.

use std::collections::BTreeMap;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::super::common::is_space;

/// What makes two lines equal although they are not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Ignore {
    /// `-i`
    pub(super) case: bool,
    /// `-b`
    pub(super) space_change: bool,
    /// `-w`
    pub(super) all_space: bool,
    /// `-Z`
    pub(super) trailing_space: bool,
}

/// A run of lines that differ: places in the old and in the new file, ends exclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Change {
    pub(super) old: (usize, usize),
    pub(super) new: (usize, usize),
}

/// The lines of a text with their ends.
pub(super) fn split(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

impl Ignore {
    fn is_exact(self) -> bool {
        self == Ignore::default()
    }

    /// What of a line counts.
    fn key(self, line: &[u8]) -> Vec<u8> {
        if self.is_exact() {
            return line.to_vec();
        }
        let mut key: Vec<u8> = Vec::with_capacity(line.len());
        let spaces = self.space_change || self.all_space || self.trailing_space;
        let ended = line.ends_with(b"\n");
        let body = line.strip_suffix(b"\n").unwrap_or(line);
        for &byte in body {
            if is_space(byte) && self.all_space {
                continue;
            }
            if is_space(byte) && self.space_change {
                if key.last() != Some(&b' ') {
                    key.push(b' ');
                }
                continue;
            }
            key.push(if self.case { byte.to_ascii_lowercase() } else { byte });
        }
        if spaces {
            while key.last().is_some_and(|byte| is_space(*byte)) {
                key.pop();
            }
        } else if ended {
            key.push(b'\n');
        }
        key
    }
}

/// The changes that make the new file of the old one.
pub(super) fn changes(old: &[&[u8]], new: &[&[u8]], ignore: Ignore) -> Vec<Change> {
    // Equal lines get equal numbers: comparing them is then cheap.
    let mut numbers: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    let mut number = |line: &&[u8]| {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        *numbers.entry(ignore.key(line)).or_insert(next)
    };
    let old: Vec<u32> = old.iter().map(&mut number).collect();
    let new: Vec<u32> = new.iter().map(&mut number).collect();
    let mut sides = [Side::new(&old), Side::new(&new)];
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        if let DiffOp::Equal { .. } = op {
            continue;
        }
        let (old, new) = (op.old_range(), op.new_range());
        sides[0].changed[old].fill(true);
        sides[1].changed[new].fill(true);
    }
    let [left, right] = &mut sides;
    left.shift(right);
    right.shift(left);
    collect(left, right)
}

/// One file: its lines as numbers, and which of them changed.
struct Side<'a> {
    lines: &'a [u32],
    changed: Vec<bool>,
}

impl Side<'_> {
    fn new(lines: &[u32]) -> Side<'_> {
        Side { lines, changed: vec![false; lines.len()] }
    }

    fn is_changed(&self, at: usize) -> bool {
        self.changed.get(at).copied().unwrap_or(false)
    }

    /// Where a run of changes could stand in several places because lines repeat, GNU diff joins it
    /// with its neighbours and moves it as far down as it goes, then back to where the other file has
    /// a change too.
    fn shift(&mut self, other: &Side<'_>) {
        let count = self.lines.len();
        let (mut at, mut there) = (0, 0);
        loop {
            // Unchanged lines of both files correspond one to one.
            while at < count && !self.changed[at] {
                while other.is_changed(there) {
                    there += 1;
                }
                there += 1;
                at += 1;
            }
            if at == count {
                return;
            }
            let mut start = at;
            while self.is_changed(at) {
                at += 1;
            }
            while other.is_changed(there) {
                there += 1;
            }
            let mut corresponding;
            loop {
                let length = at - start;
                // Up, over lines that repeat the end of the run; this joins runs above it.
                while start > 0 && self.lines[start - 1] == self.lines[at - 1] {
                    start -= 1;
                    at -= 1;
                    self.changed[start] = true;
                    self.changed[at] = false;
                    while start > 0 && self.changed[start - 1] {
                        start -= 1;
                    }
                    there = previous(other, there);
                }
                corresponding = if there > 0 && other.is_changed(there - 1) { at } else { count };
                // Down, over lines that repeat its beginning.
                while at < count && self.lines[start] == self.lines[at] {
                    self.changed[start] = false;
                    self.changed[at] = true;
                    start += 1;
                    at += 1;
                    while self.is_changed(at) {
                        at += 1;
                    }
                    there += 1;
                    while other.is_changed(there) {
                        corresponding = at;
                        there += 1;
                    }
                }
                if length == at - start {
                    break;
                }
            }
            while corresponding < at {
                start -= 1;
                at -= 1;
                self.changed[start] = true;
                self.changed[at] = false;
                there = previous(other, there);
            }
        }
    }
}

/// The place before the unchanged line above `there`, changed lines in between skipped.
fn previous(other: &Side<'_>, mut there: usize) -> usize {
    while there > 0 {
        there -= 1;
        if !other.is_changed(there) {
            break;
        }
    }
    there
}

fn collect(left: &Side<'_>, right: &Side<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    let (mut old, mut new) = (0, 0);
    while old < left.changed.len() || new < right.changed.len() {
        let start = (old, new);
        while left.is_changed(old) {
            old += 1;
        }
        while right.is_changed(new) {
            new += 1;
        }
        if start == (old, new) {
            old += 1;
            new += 1;
        } else {
            changes.push(Change { old: (start.0, old), new: (start.1, new) });
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Change, Ignore, changes, split};

    fn between(old: &str, new: &str) -> Vec<Change> {
        changes(&split(old.as_bytes()), &split(new.as_bytes()), Ignore::default())
    }

    #[test]
    fn runs_move_down_over_repeated_lines() {
        // Of the three places for the new line, the last is taken.
        assert_eq!(between("a\na\n", "a\na\na\n"), [Change { old: (2, 2), new: (2, 3) }]);
        assert_eq!(between("x\n", "x"), [Change { old: (0, 1), new: (0, 1) }]);
        assert_eq!(between("", ""), []);
    }

    #[test]
    fn spaces_and_case_may_not_count() {
        let lines = |ignore| changes(&split(b"A  b \n"), &split(b"a b\n"), ignore).len();
        assert_eq!(lines(Ignore::default()), 1);
        assert_eq!(lines(Ignore { space_change: true, ..Ignore::default() }), 1);
        assert_eq!(lines(Ignore { space_change: true, case: true, ..Ignore::default() }), 0);
        assert_eq!(lines(Ignore { all_space: true, case: true, ..Ignore::default() }), 0);
    }

    proptest! {
        #[test]
        fn what_is_outside_of_changes_is_equal(
            old in prop::collection::vec("[abc]", 0..30),
            new in prop::collection::vec("[abc]", 0..30),
        ) {
            let text = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
            let (old, new) = (text(&old), text(&new));
            let (old, new) = (split(old.as_bytes()), split(new.as_bytes()));
            let mut rebuilt: Vec<&[u8]> = Vec::new();
            let mut at = 0;
            for change in changes(&old, &new, Ignore::default()) {
                rebuilt.extend(&old[at..change.old.0]);
                prop_assert_eq!(rebuilt.len(), change.new.0);
                rebuilt.extend(&new[change.new.0..change.new.1]);
                at = change.old.1;
            }
            rebuilt.extend(&old[at..]);
            prop_assert_eq!(rebuilt, new);
        }
    }
}
