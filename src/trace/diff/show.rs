//! The report of a difference between two traces for people.

use std::fmt;

use super::{TraceDifference, What};
use crate::trace::diverge::show::{Lines, show_difference, show_side};
use crate::trace::diverge::{Labels, Side};
use crate::trace::record::RecordedVerdict;
use crate::trace::timeline::Timeline;

/// What came of a test, in a line.
pub(super) fn verdict(timeline: &Timeline, verdict: &RecordedVerdict) -> String {
    match verdict {
        RecordedVerdict::Passed => "passed".to_owned(),
        RecordedVerdict::Skipped { reason } => format!("skipped: {reason}"),
        RecordedVerdict::Failed { message, at } => {
            let site = at.and_then(|at| timeline.site(at));
            let site = site.map(|site| format!("{}:{}: ", site.file, site.line)).unwrap_or_default();
            format!("failed: {site}{message}")
        }
    }
}

impl fmt::Display for TraceDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Lines::default();
        let none = || "nothing more".to_owned();
        match &self.what {
            What::Asks(divergence) => return divergence.fmt(f),
            What::Answer { a, b, outcomes, differences } => {
                out.push("", "answer: the same was asked, and answered differently".to_owned());
                self.place(&mut out);
                for (label, side, outcome) in [("A", a, &outcomes[0]), ("B", b, &outcomes[1])] {
                    let side = Side { operation: format!("{} → {outcome}", side.operation), ..(**side).clone() };
                    out.push_all(label, show_side(&side));
                }
                for difference in differences {
                    show_difference(&mut out, difference, Labels::AAndB);
                }
            }
            What::Sees { a, b } => {
                out.push("", "seen: a task sees something else between its exchanges".to_owned());
                self.place(&mut out);
                out.push("A", a.clone().unwrap_or_else(none));
                out.push("B", b.clone().unwrap_or_else(none));
            }
            What::Order { a, b } => {
                out.push("", "order: each task does the same, but another one goes first".to_owned());
                self.place(&mut out);
                out.push("A", a.clone().unwrap_or_else(none));
                out.push("B", b.clone().unwrap_or_else(none));
            }
            What::Verdict { a, b } => {
                out.push("", "verdict: everything is the same, but what came of it".to_owned());
                self.place(&mut out);
                out.push("A", a.clone());
                out.push("B", b.clone());
            }
        }
        out.push_all("agreed", self.agreed.clone());
        out.push_all("next", self.next.clone());
        f.write_str(&out.lines.join("\n"))
    }
}

impl TraceDifference {
    fn place(&self, out: &mut Lines) {
        let task = self.task.as_ref().map(|task| format!("task {task} of ")).unwrap_or_default();
        let test = self.test.as_ref().map_or_else(|| "the top level".to_owned(), |test| format!("test `{test}`"));
        out.push("", format!("in {task}{test}"));
    }
}
