//! Taking back what a reply handed out when nobody is left to receive it.

use std::rc::Rc;

use provium_protocol::Reply;

use crate::agent::Inner;
use crate::{Os, ending, files, worker};

/// Kills, closes and forgets what `reply` names.
pub fn discard<O: Os>(agent: &Rc<Inner<O>>, reply: Reply) {
    match reply {
        Reply::Spawned { proc, .. } => {
            if let Ok(proc) = agent.procs.get(proc) {
                ending::abandon(agent, &proc);
            }
        }
        Reply::Opened { file, .. } => {
            let task_agent = agent.clone();
            agent.os.spawn_task(Box::pin(async move {
                let _ = files::close(&task_agent, file).await;
            }));
        }
        Reply::Stream(stream) => agent.streams.close(stream),
        Reply::Worker(handle) => worker::discard(agent, handle),
        Reply::Batch(outcomes) => {
            for reply in outcomes.into_iter().flatten() {
                discard(agent, reply);
            }
        }
        _ => {}
    }
}
