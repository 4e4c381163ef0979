//! Weighs what became of the tests of one trace in its replay: the exit code that `git bisect run` goes by.

use std::collections::BTreeMap;

use crate::runner::event::{Failure, Verdict};
use crate::trace::record::{Boundary, RecordedVerdict};
use crate::trace::replay::{Item, Plan, Stop};

/// Tests that are named where one is missing: enough to recognise the one that it became.
const MAX_NAMED: usize = 3;

/// What became of the replay of a trace, the weightiest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// Nothing fails.
    Passed,
    /// What fails did not fail when it was recorded.
    Failed,
    /// Something could not be replayed, and what had failed and could be does not fail any more.
    Diverged,
    /// What had failed still does, whatever became of the rest.
    StillFails,
}

/// Sees the verdicts of one replay.
pub(super) struct Judge {
    /// The recorded tests and whether they failed; those that were seen are taken out.
    unseen: BTreeMap<String, bool>,
    file_had_failed: bool,
    had_failed: bool,
    outcome: Outcome,
}

impl Judge {
    /// For the replay of this trace.
    pub fn new(plan: &Plan) -> Judge {
        let verdicts: BTreeMap<&str, bool> = plan
            .verdicts
            .iter()
            .map(|(name, verdict)| (name.as_str(), matches!(verdict, RecordedVerdict::Failed { .. })))
            .collect();
        let began = plan.items.iter().filter_map(|item| match item {
            Item::Boundary { what: Boundary::TestBegins { name }, .. } => Some(name),
            _ => None,
        });
        let unseen: BTreeMap<String, bool> =
            began.map(|name| (name.clone(), verdicts.get(name.as_str()).copied().unwrap_or_default())).collect();
        let file_had_failed = plan
            .items
            .iter()
            .any(|item| matches!(item, Item::Boundary { what: Boundary::FileLoaded { failure: Some(_) }, .. }));
        let had_failed = file_had_failed || unseen.values().any(|failed| *failed);
        Judge { unseen, file_had_failed, had_failed, outcome: Outcome::Passed }
    }

    fn weigh(&mut self, outcome: Outcome) {
        self.outcome = self.outcome.max(outcome);
    }

    /// A test is over.
    pub fn test(&mut self, name: &str, verdict: &Verdict, stop: Option<&Stop>) {
        let had_failed = self.unseen.remove(name).unwrap_or_default();
        self.weigh(match (verdict, stop) {
            (_, Some(Stop::Diverged(_))) => Outcome::Diverged,
            (_, Some(Stop::Reached(_))) if self.had_failed => Outcome::StillFails,
            (Verdict::Skipped(_), None) if had_failed => Outcome::Diverged,
            (_, Some(_)) | (Verdict::Passed | Verdict::Skipped(_), None) => Outcome::Passed,
            (Verdict::Failed(_), None) if had_failed => Outcome::StillFails,
            (Verdict::Failed(_), None) => Outcome::Failed,
        });
    }

    /// The file could not be loaded: nothing can be said of its tests.
    pub fn file_failed(&mut self, stop: Option<&Stop>) {
        self.unseen.clear();
        self.weigh(match stop {
            Some(Stop::TraceEnded) => Outcome::Passed,
            None | Some(Stop::Reached(_)) if self.file_had_failed => Outcome::StillFails,
            _ => Outcome::Diverged,
        });
    }

    /// The file is over: the recorded tests that it does not have any more. `new` are those that were not recorded.
    pub fn missing(&mut self, new: &[String]) -> Vec<(String, Failure)> {
        let unseen = std::mem::take(&mut self.unseen);
        if !unseen.is_empty() {
            self.weigh(Outcome::Diverged);
        }
        let mut named: Vec<String> = new.iter().take(MAX_NAMED).map(|name| format!("`{name}`")).collect();
        if new.len() > MAX_NAMED {
            named.push(format!("{} more", new.len() - MAX_NAMED));
        }
        let hint = match new.is_empty() {
            true => String::new(),
            false => format!("\nin the file, but not in the recording: {}", named.join(", ")),
        };
        let missing = |(name, _)| {
            let message = format!(
                "this test was recorded, and the file does not have it any more: it was renamed or removed{hint}"
            );
            (name, Failure { message, ..Failure::default() })
        };
        unseen.into_iter().map(missing).collect()
    }

    /// What became of it all.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }
}
