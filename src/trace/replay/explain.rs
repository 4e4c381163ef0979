//! From a question that the trace has no answer to, to a report that a person can act on.

use std::path::Path;

use super::load::timeline;
use super::{Asked, Plan, Question};
use crate::report::repeat::shell_quote;
use crate::trace::diverge::{self, Divergence, Now, Position};
use crate::trace::timeline::AskRef;

/// Says where the recorded order of tasks was left, in a few lines.
#[must_use]
pub fn explain_order(shown: &str, plan: &Plan, question: &Question) -> String {
    let describe = |asked: &Asked| match asked {
        Asked::Op(op) => AskRef::Op(op).describe(),
        Asked::Boot(spec) => AskRef::Boot(spec).describe(),
    };
    let recorded = question.expected.and_then(|seq| Some((seq, plan.exchanges.get(usize::try_from(seq).ok()?)?)));
    let recorded = match recorded {
        Some((seq, exchange)) => {
            let vm = plan.guests.get(exchange.guest as usize).map_or("?", |vm| vm);
            let at = exchange.at.and_then(|at| Some((plan.sources.get(at.source as usize)?, at.line)));
            let at = at.map(|(source, line)| format!("{}:{line}: ", source.name)).unwrap_or_default();
            format!("{at}task {} asks {vm}  #{seq} {}", plan.task_of(seq), describe(&exchange.asked))
        }
        None => "no task asks anything more".to_owned(),
    };
    let now = match &question.now {
        Some(asked) => {
            let at = question.at.as_ref().map(|at| format!("{at}: ")).unwrap_or_default();
            format!("{at}task {} asks {}  {}", question.task, question.vm, describe(asked))
        }
        None => format!("task {} does not ask this yet", question.task),
    };
    let trace = shell_quote(shown);
    format!(
        "the replay left the recorded order of tasks, and mode strict allows no other; each task asks what it asked\n\
         recorded  {recorded}\nnow       {now}\nnext      provium replay {trace}"
    )
}

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
