//! Several operations in one exchange.

use std::rc::Rc;

use provium_protocol::limits::MAX_BATCH;
use provium_protocol::{Lane, Op, OpError, Reply};

use crate::Os;
use crate::agent::{self, Inner};

/// Carries operations out in order; one that fails stops none of the others.
pub async fn run<O: Os>(agent: &Rc<Inner<O>>, lane: Lane, ops: Vec<Op>) -> Result<Reply, OpError> {
    if ops.len() > MAX_BATCH {
        return Err(OpError::limit(format!(
            "{} operations in one batch are above the limit of {MAX_BATCH} (MAX_BATCH)",
            ops.len()
        )));
    }
    let mut batch = Unfinished { agent: agent.clone(), outcomes: Vec::with_capacity(ops.len()) };
    for op in ops {
        let outcome = match op {
            Op::Batch(_) => Err(OpError::usage("a batch cannot hold a batch")),
            // Boxed, because a batch is itself an operation. Its answers are one message.
            op => Box::pin(agent::call(agent, lane, op, None)).await,
        };
        batch.outcomes.push(outcome);
    }
    Ok(Reply::Batch(std::mem::take(&mut batch.outcomes)))
}

/// What an abandoned batch has opened so far is taken back: nobody will learn of it.
struct Unfinished<O: Os> {
    agent: Rc<Inner<O>>,
    outcomes: Vec<Result<Reply, OpError>>,
}

impl<O: Os> Drop for Unfinished<O> {
    fn drop(&mut self) {
        for reply in std::mem::take(&mut self.outcomes).into_iter().flatten() {
            crate::discard::discard(&self.agent, reply);
        }
    }
}
