//! The forms of output.

use super::lines::Change;

/// How changes are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    Normal,
    /// With so many lines of context.
    Unified(usize),
    Context(usize),
    /// A script for ed.
    Ed,
    /// `-n`
    Rcs,
}

/// Two files, their lines and the names in the header.
pub(super) struct Pair<'a> {
    pub(super) old: &'a [&'a [u8]],
    pub(super) new: &'a [&'a [u8]],
    /// Name and date of the headers of unified and context output.
    pub(super) headers: [Vec<u8>; 2],
    /// Changes that are not shown by themselves.
    pub(super) ignorable: &'a dyn Fn(&Change) -> bool,
}

/// The whole text; empty if nothing is to be shown.
pub(super) fn text(pair: &Pair<'_>, changes: &[Change], style: Style) -> Vec<u8> {
    let mut out = Vec::new();
    match style {
        Style::Normal => {
            for change in changes.iter().filter(|change| !(pair.ignorable)(change)) {
                normal(&mut out, pair, change);
            }
        }
        Style::Ed => {
            for change in changes.iter().rev().filter(|change| !(pair.ignorable)(change)) {
                ed(&mut out, pair, change);
            }
        }
        Style::Rcs => {
            for change in changes.iter().filter(|change| !(pair.ignorable)(change)) {
                rcs(&mut out, pair, change);
            }
        }
        Style::Unified(context) | Style::Context(context) => {
            let unified = matches!(style, Style::Unified(_));
            for hunk in hunks(changes, context) {
                if hunk.iter().all(|change| (pair.ignorable)(change)) {
                    continue;
                }
                if out.is_empty() {
                    let marks: [&[u8]; 2] = if unified { [b"--- ", b"+++ "] } else { [b"*** ", b"--- "] };
                    for (mark, header) in marks.iter().zip(&pair.headers) {
                        out.extend_from_slice(mark);
                        out.extend_from_slice(header);
                        out.push(b'\n');
                    }
                }
                if unified {
                    unified_hunk(&mut out, pair, hunk, context);
                } else {
                    context_hunk(&mut out, pair, hunk, context);
                }
            }
        }
    }
    out
}

/// Changes whose context touches stand together.
fn hunks(changes: &[Change], context: usize) -> impl Iterator<Item = &[Change]> {
    changes.chunk_by(move |one, next| next.old.0 - one.old.1 <= 2 * context)
}

fn line(out: &mut Vec<u8>, mark: &[u8], text: &[u8]) {
    out.extend_from_slice(mark);
    out.extend_from_slice(text);
    if !text.ends_with(b"\n") {
        out.extend_from_slice(b"\n\\ No newline at end of file\n");
    }
}

/// `5` or `5,7`, from places that begin with 0; an empty range is the line before it.
fn range((low, high): (usize, usize)) -> String {
    if high <= low + 1 { high.max(low).to_string() } else { format!("{},{high}", low + 1) }
}

fn normal(out: &mut Vec<u8>, pair: &Pair<'_>, change: &Change) {
    let (deleted, inserted) = (&pair.old[change.old.0..change.old.1], &pair.new[change.new.0..change.new.1]);
    let letter = match (deleted.is_empty(), inserted.is_empty()) {
        (false, false) => 'c',
        (false, true) => 'd',
        _ => 'a',
    };
    out.extend_from_slice(format!("{}{letter}{}\n", range(change.old), range(change.new)).as_bytes());
    for text in deleted {
        line(out, b"< ", text);
    }
    if letter == 'c' {
        out.extend_from_slice(b"---\n");
    }
    for text in inserted {
        line(out, b"> ", text);
    }
}

fn ed(out: &mut Vec<u8>, pair: &Pair<'_>, change: &Change) {
    let inserted = &pair.new[change.new.0..change.new.1];
    let letter = match (change.old.0 == change.old.1, inserted.is_empty()) {
        (false, false) => 'c',
        (false, true) => 'd',
        _ => 'a',
    };
    out.extend_from_slice(format!("{}{letter}\n", range(change.old)).as_bytes());
    if inserted.is_empty() {
        return;
    }
    let mut inserting = true;
    for text in inserted {
        if !inserting {
            out.extend_from_slice(b"a\n");
            inserting = true;
        }
        if *text == b".\n" || *text == b"." {
            // A lone dot would end the insertion: it goes in as two, and one is taken away.
            out.extend_from_slice(b"..\n.\ns/.//\n");
            inserting = false;
            continue;
        }
        out.extend_from_slice(text);
        if !text.ends_with(b"\n") {
            out.push(b'\n');
        }
    }
    if inserting {
        out.extend_from_slice(b".\n");
    }
}

fn rcs(out: &mut Vec<u8>, pair: &Pair<'_>, change: &Change) {
    let deleted = change.old.1 - change.old.0;
    let inserted = &pair.new[change.new.0..change.new.1];
    if deleted > 0 {
        out.extend_from_slice(format!("d{} {deleted}\n", change.old.0 + 1).as_bytes());
    }
    if !inserted.is_empty() {
        out.extend_from_slice(format!("a{} {}\n", change.old.1, inserted.len()).as_bytes());
        for text in inserted {
            out.extend_from_slice(text);
        }
    }
}

/// The lines of a hunk with its context, in both files.
fn extent(pair: &Pair<'_>, hunk: &[Change], context: usize) -> Option<[(usize, usize); 2]> {
    let (first, last) = (hunk.first()?, hunk.last()?);
    let before = context.min(first.old.0).min(first.new.0);
    let after = context.min(pair.old.len() - last.old.1).min(pair.new.len() - last.new.1);
    Some([(first.old.0 - before, last.old.1 + after), (first.new.0 - before, last.new.1 + after)])
}

fn unified_range((low, high): (usize, usize)) -> String {
    match high - low {
        0 => format!("{low},0"),
        1 => high.to_string(),
        count => format!("{},{count}", low + 1),
    }
}

fn unified_hunk(out: &mut Vec<u8>, pair: &Pair<'_>, hunk: &[Change], context: usize) {
    let Some([old, new]) = extent(pair, hunk, context) else { return };
    out.extend_from_slice(format!("@@ -{} +{} @@\n", unified_range(old), unified_range(new)).as_bytes());
    let mut at = old.0;
    for change in hunk {
        for text in &pair.old[at..change.old.0] {
            line(out, b" ", text);
        }
        for text in &pair.old[change.old.0..change.old.1] {
            line(out, b"-", text);
        }
        for text in &pair.new[change.new.0..change.new.1] {
            line(out, b"+", text);
        }
        at = change.old.1;
    }
    for text in &pair.old[at..old.1] {
        line(out, b" ", text);
    }
}

fn context_hunk(out: &mut Vec<u8>, pair: &Pair<'_>, hunk: &[Change], context: usize) {
    let Some([old, new]) = extent(pair, hunk, context) else { return };
    out.extend_from_slice(b"***************\n");
    type Part = fn(&Change) -> (usize, usize);
    type Side<'a> = (&'a [&'a [u8]], (usize, usize), Part, Part, &'a [u8], [&'a str; 2]);
    let sides: [Side<'_>; 2] = [
        (pair.old, old, |change| change.old, |change| change.new, b"- ", ["*** ", " ****"]),
        (pair.new, new, |change| change.new, |change| change.old, b"+ ", ["--- ", " ----"]),
    ];
    for (lines, extent, own, other, mark, [left, right]) in sides {
        out.extend_from_slice(format!("{left}{}{right}\n", range(extent)).as_bytes());
        // A side without changes of its own is not shown.
        if hunk.iter().all(|change| own(change).0 == own(change).1) {
            continue;
        }
        let mut at = extent.0;
        for change in hunk {
            let (low, high) = own(change);
            let (other_low, other_high) = other(change);
            for text in &lines[at..low] {
                line(out, b"  ", text);
            }
            for text in &lines[low..high] {
                line(out, if other_low == other_high { mark } else { b"! " }, text);
            }
            at = high;
        }
        for text in &lines[at..extent.1] {
            line(out, b"  ", text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::{Ignore, changes, split};
    use super::{Pair, Style, text};

    fn diff(old: &str, new: &str, style: Style) -> String {
        let (old, new) = (split(old.as_bytes()), split(new.as_bytes()));
        let changes = changes(&old, &new, Ignore::default());
        let headers = [b"a".to_vec(), b"b".to_vec()];
        let pair = Pair { old: &old, new: &new, headers, ignorable: &|_| false };
        String::from_utf8(text(&pair, &changes, style)).expect("ascii")
    }

    #[test]
    fn normal_output() {
        assert_eq!(diff("1\n2\n3\n", "1\n3\n4\n", Style::Normal), "2d1\n< 2\n3a3\n> 4\n");
        assert_eq!(diff("a\n", "b", Style::Normal), "1c1\n< a\n---\n> b\n\\ No newline at end of file\n");
    }

    #[test]
    fn unified_and_context_output() {
        assert_eq!(
            diff("1\n2\n3\n4\n5\n", "1\n2\nx\n4\n5\n", Style::Unified(1)),
            "--- a\n+++ b\n@@ -2,3 +2,3 @@\n 2\n-3\n+x\n 4\n"
        );
        assert_eq!(diff("", "x\n", Style::Unified(3)), "--- a\n+++ b\n@@ -0,0 +1 @@\n+x\n");
        assert_eq!(
            diff("1\n2\n", "1\n", Style::Context(3)),
            "*** a\n--- b\n***************\n*** 1,2 ****\n  1\n- 2\n--- 1 ----\n"
        );
    }

    #[test]
    fn scripts() {
        assert_eq!(diff("1\n2\n3\n", "0\n1\n.\n", Style::Ed), "2,3c\n..\n.\ns/.//\n0a\n0\n.\n");
        assert_eq!(diff("1\n2\n", "2\n3\n", Style::Rcs), "d1 1\na2 1\n3\n");
    }
}
