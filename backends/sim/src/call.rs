//! A call on a guest: the work is a task of the guest's agent, the caller holds its end.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use provium_agent::Agent;
use provium_protocol::{OpError, Reply};

use crate::executor::{GuestId, TaskKey};
use crate::os::SimOs;
use crate::world::Lab;

type Outcome = Result<Reply, OpError>;

#[derive(Default)]
struct Line {
    outcome: Option<Outcome>,
    caller: Option<Waker>,
}

impl Line {
    fn answer(line: &RefCell<Line>, outcome: Outcome) {
        let caller = {
            let mut line = line.borrow_mut();
            line.outcome = Some(outcome);
            line.caller.take()
        };
        if let Some(caller) = caller {
            caller.wake();
        }
    }
}

/// The agent's end: whatever becomes of the task, the caller gets an answer.
struct Answer(Option<Rc<RefCell<Line>>>);

impl Answer {
    fn give(mut self, outcome: Outcome) {
        if let Some(line) = self.0.take() {
            Line::answer(&line, outcome);
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(line) = self.0.take() {
            Line::answer(&line, Err(OpError::lost("the guest went away while the operation was under way")));
        }
    }
}

/// The caller's end. Dropping it abandons the work.
pub struct Call {
    line: Rc<RefCell<Line>>,
    task: TaskKey,
    lab: Rc<Lab>,
    agent: Agent<SimOs>,
}

impl Call {
    /// Has the work begin now.
    pub fn begin(
        lab: &Rc<Lab>,
        guest: GuestId,
        agent: &Agent<SimOs>,
        work: impl Future<Output = Outcome> + 'static,
    ) -> Call {
        let line = Rc::new(RefCell::new(Line::default()));
        let answer = Answer(Some(line.clone()));
        // Boxed before it is awaited: a future that has yet to be awaited and one that is being awaited have each a place
        // of their own in the block around them.
        let work = Box::pin(work);
        let task = lab.executor.spawn(guest, Box::pin(async move { answer.give(work.await) }));
        lab.think();
        Call { line, task, lab: lab.clone(), agent: agent.clone() }
    }
}

impl Future for Call {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let mut line = self.line.borrow_mut();
        match line.outcome.take() {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                line.caller = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.lab.executor.cancel(self.task);
        let unseen = self.line.borrow_mut().outcome.take();
        if let Some(Ok(reply)) = unseen {
            self.agent.discard(reply);
        }
    }
}
