//! Beginning anew: whoever spoke to the agent before is gone, and what it left behind goes with it.

use std::rc::Rc;

use provium_protocol::{Nanos, Signal};

use crate::agent::{HANDLES_OF_A_BOOT, Inner};
use crate::os::SignalTarget;
use crate::sync::within;
use crate::{Os, ending, files};

/// How long the processes that were left may take to be gone after SIGKILL, in nanoseconds (1 s); the others go on ending
/// in the background.
const PATIENCE_NS: Nanos = 1_000_000_000;

/// Kills every process that the agent started, closes every file, stream and worker, and hands out handles of a boot that
/// was booted `boot` times before: none that was handed out ever comes again.
pub async fn reset<O: Os>(agent: &Rc<Inner<O>>, boot: u64) {
    agent.streams.close_all();
    agent.workers.end_all();
    let procs = agent.procs.take_all();
    for proc in procs.iter().filter(|proc| !proc.is_finished()) {
        // A group that is gone already has nothing left to kill.
        let _ = agent.os.kill(SignalTarget::Group(proc.pid), Signal::SIGKILL).await;
        ending::abandon(agent, proc);
    }
    let all_finished = async {
        for proc in &procs {
            proc.finished().await;
        }
    };
    within(&*agent.os, Some(PATIENCE_NS), all_finished).await;
    for file in agent.files.all() {
        // An error of close(2) is nothing that a new beginning could mend.
        let _ = files::close(agent, file).await;
    }
    let Some(last_handle) = boot.checked_shl(HANDLES_OF_A_BOOT) else { return };
    agent.procs.skip_to(last_handle);
    agent.files.skip_to(last_handle);
    agent.streams.skip_to(last_handle);
    agent.workers.skip_to(last_handle);
}
