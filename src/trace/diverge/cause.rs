//! Finds the likely cause of a difference.

use std::ops::Range;

use super::kind::Case;
use super::lines::{self, Lines};
use super::{Cause, Hunk};
use crate::runner::event::Site;
use crate::trace::timeline::Exchange;

/// The most edits that are shown: what was moved is gone here and come there.
const MAX_HUNKS: usize = 2;

/// The most lines of each side of an edit that are shown.
const MAX_LINES: usize = 2;

pub(super) fn cause(case: &Case<'_>, expected: Option<&Exchange>) -> Cause {
    if expected.is_none() && !case.timeline.complete {
        return Cause::TraceEnded;
    }
    let then = expected.and_then(|expected| case.timeline.site(expected.at?));
    let now = case.now.and_then(|now| now.at.clone());
    let hunks = nearest(case, then.as_ref(), now.as_ref());
    if hunks.is_empty() { Cause::UnrecordedInput } else { Cause::ScriptChanged { hunks } }
}

/// The edits that lie nearest to where the two sides stand, in the order of the script.
fn nearest(case: &Case<'_>, then: Option<&Site>, now: Option<&Site>) -> Vec<Hunk> {
    let mut all: Vec<(u32, usize, &str, &Lines<'_>, &lines::Hunk)> = Vec::new();
    for (file, lines) in case.scripts {
        for hunk in &lines.hunks {
            let says =
                |side: &[&str], range: &Range<usize>| side[range.clone()].iter().any(|line| lines::is_code(line));
            let distance = |site: Option<&Site>, range: &Range<usize>| {
                let site = site.filter(|site| site.file == *file)?;
                let line = usize::try_from(site.line).ok()?.saturating_sub(1);
                // An edit below a line cannot be why the script came there, unless it is a loop.
                Some(if range.contains(&line) {
                    0
                } else if range.start <= line {
                    1 + u32::try_from(line - range.start).unwrap_or(u32::MAX / 4)
                } else {
                    1_000 + u32::try_from(range.start - line).unwrap_or(u32::MAX / 4)
                })
            };
            let near = distance(then, &hunk.old).into_iter().chain(distance(now, &hunk.new)).min();
            // An edit of another script weighs less; one of comments and empty lines alone least.
            let mut weight = near.unwrap_or(u32::MAX / 2);
            if !says(&lines.old, &hunk.old) && !says(&lines.new, &hunk.new) {
                weight = u32::MAX;
            }
            all.push((weight, hunk.old.start, file, lines, hunk));
        }
    }
    all.sort_by_key(|(weight, ..)| *weight);
    if let Some((first, ..)) = all.first().copied() {
        // A second edit is shown where both sides stand in one, not for company.
        let most = if first == 0 { all.iter().take(MAX_HUNKS).filter(|(weight, ..)| *weight == 0).count() } else { 1 };
        all.truncate(most.max(1));
    }
    if let [(.., lines, hunk)] = all.as_slice()
        && let Some(other) = counterpart(lines, hunk)
    {
        let (weight, _, file, lines, _) = all[0];
        all.push((weight, other.old.start, file, lines, other));
    }
    all.sort_by_key(|(_, start, file, ..)| (*file, *start));
    all.into_iter().map(|(_, _, file, lines, hunk)| show(file, lines, hunk)).collect()
}

/// The edit from which, or to which, a line of this one was moved.
fn counterpart<'a>(lines: &'a Lines<'_>, hunk: &lines::Hunk) -> Option<&'a lines::Hunk> {
    let to = hunk.old.clone().find_map(|at| match lines.old_fate(at) {
        lines::Fate::Moved(to) => lines.hunks.iter().find(|other| other.new.contains(&to)),
        _ => None,
    });
    let from = || {
        hunk.new.clone().find_map(|at| match lines.new_fate(at) {
            lines::Fate::Moved(from) => lines.hunks.iter().find(|other| other.old.contains(&from)),
            _ => None,
        })
    };
    to.or_else(from).filter(|other| *other != hunk)
}

fn show(file: &str, lines: &Lines<'_>, hunk: &lines::Hunk) -> Hunk {
    let mut shown = Vec::new();
    let before = hunk.old.start.checked_sub(1).and_then(|at| lines.old.get(at));
    shown.extend(before.map(|line| (' ', (*line).to_owned())));
    for (mark, side, range) in [('-', &lines.old, &hunk.old), ('+', &lines.new, &hunk.new)] {
        shown.extend(side[range.clone()].iter().take(MAX_LINES).map(|line| (mark, (*line).to_owned())));
        if range.len() > MAX_LINES {
            shown.push((mark, format!("… {} more", range.len() - MAX_LINES)));
        }
    }
    Hunk {
        file: file.to_owned(),
        recorded_line: hunk.old.start + usize::from(!hunk.old.is_empty()),
        now_line: hunk.new.start + usize::from(!hunk.new.is_empty()),
        lines: shown,
    }
}
