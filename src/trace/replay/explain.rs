//! From a question that the trace has no answer to, to a report that a person can act on.

use std::path::Path;

use super::load::timeline;
use super::{Asked, Plan, Question};
use crate::trace::diverge::{self, Divergence, Now, Position};
use crate::trace::timeline::AskRef;

/// Explains why the replay of this trace file stopped. `current` has the scripts that were run.
#[must_use]
pub fn explain(
    trace: &Path,
    shown: &str,
    plan: &Plan,
    question: &Question,
    current: &dyn Fn(&str) -> Option<String>,
) -> Option<Divergence> {
    let timeline = timeline(trace)?;
    let index_of = |seq: u64| plan.exchanges.get(usize::try_from(seq).ok()?).map(|exchange| exchange.index as usize);
    let after = question.agreed.and_then(index_of).map_or(0, |agreed| agreed + 1);
    let index = question.expected.and_then(index_of).unwrap_or(after);
    let at = Position { test: question.test.as_deref(), task: &question.task, index };
    let now = question.now.as_ref().map(|asked| Now {
        ask: match asked {
            Asked::Op(op) => AskRef::Op(op),
            Asked::Boot(spec) => AskRef::Boot(spec),
        },
        vm: &question.vm,
        worker: question.worker.as_deref(),
        at: question.at.as_ref().map(crate::runner::place::Place::to_site),
    });
    Some(diverge::explain(&timeline, at, now.as_ref(), current).of_trace(shown))
}
