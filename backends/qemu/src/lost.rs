//! How a guest is lost that nobody switched off: who notices it first, and what is said of it.
//!
//! | what happened | noticed by | within |
//! |---|---|---|
//! | the kernel panicked, the guest switched itself off, QEMU exited or was killed | the end of QEMU's process | at once |
//! | the agent ended | the guest's end of its port, or of its vsock, being closed; over a serial port only its silence | [`END_AFTER_LINK`] |
//! | QEMU closed the monitor, or the link | the socket's end | [`END_AFTER_LINK`] |
//! | the agent was stopped, or QEMU was | a ping without an answer, while operations are under way | [`UNRESPONSIVE_AFTER`] and a little |

use std::time::Duration;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::answerer::Answerer;
use crate::link::UNRESPONSIVE_AFTER;
use crate::machine::{AGENT_DEVICE, Machine, MachineEvent, MachineStatus};

/// How long after the end of its link a machine may take to say why: QEMU closes its sockets before it ends, and a guest that
/// is being switched off ends its agent before that.
const END_AFTER_LINK: Duration = Duration::from_secs(5);

/// How long QEMU may take to say what the machine does, when the agent in it is silent: it takes less than a millisecond.
const STATUS_PATIENCE: Duration = Duration::from_secs(2);

/// Waits until the guest is lost; says how, with the last lines of its console.
pub(crate) async fn cause(machine: &Machine, answerer: &Answerer) -> String {
    let events = machine.events();
    tokio::select! {
        biased;
        ended = machine.ended() => ended.to_string(),
        () = answerer.closed() => end_or(machine, closed(machine)).await,
        // `qemu-guest-agent` may be started again, and what is asked of a forgotten handle is refused then.
        () = agent_ended(events), if matches!(answerer, Answerer::Agent(_)) => end_or(machine, "its agent has ended, while the machine runs").await,
        () = answerer.unresponsive() => unresponsive(machine).await,
    }
}

/// What the end of the link means, if it is not the machine's: a socket pair is QEMU's, a vsock the agent's.
fn closed(machine: &Machine) -> &'static str {
    match machine.vsock() {
        Some(_) => "its agent has closed the link, while the machine runs",
        None => "QEMU closed the link to its agent",
    }
}

/// The machine's end if that is what follows, else `what`.
async fn end_or(machine: &Machine, what: &str) -> String {
    match tokio::time::timeout(END_AFTER_LINK, machine.ended()).await {
        Ok(ended) => ended.to_string(),
        Err(_) => format!("{what}{}", console(machine)),
    }
}

/// Ends when the guest closes its end of the agent's port: a new agent behind it would know nothing of the old one's handles.
async fn agent_ended(mut events: broadcast::Receiver<MachineEvent>) {
    loop {
        match events.recv().await {
            Ok(event) if closes_port(&event) => return,
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            // The machine's end is noticed by others.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

fn closes_port(event: &MachineEvent) -> bool {
    event.name == "VSERPORT_CHANGE" && event.data["id"] == AGENT_DEVICE && event.data["open"] == false
}

async fn unresponsive(machine: &Machine) -> String {
    let status = tokio::time::timeout(STATUS_PATIENCE, machine.status()).await;
    if let Some(ended) = machine.has_ended() {
        return ended.to_string();
    }
    let meanwhile = match status {
        Ok(Ok(MachineStatus::Running)) => "while the machine runs".to_owned(),
        Ok(Ok(MachineStatus::Paused)) => "and somebody has paused the machine".to_owned(),
        Ok(Ok(MachineStatus::Other(status))) => format!("while QEMU calls the machine `{status}`"),
        Ok(Err(error)) => format!("and QEMU does not say what the machine does: {error}"),
        Err(_) => "and QEMU does not answer either: it was stopped, or the host is overloaded".to_owned(),
    };
    let seconds = UNRESPONSIVE_AFTER.as_secs();
    format!("unresponsive: its agent has answered nothing for {seconds} s, {meanwhile}{}", console(machine))
}

fn console(machine: &Machine) -> String {
    match machine.console().tail() {
        tail if tail.is_empty() => String::new(),
        tail => format!("\nthe last lines of its console:\n{tail}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_closing_of_the_agents_port_is_the_agents_end() {
        let event = |name: &str, data| MachineEvent { name: name.to_owned(), data };
        assert!(closes_port(&event("VSERPORT_CHANGE", json!({"id": "agentport", "open": false}))));
        assert!(!closes_port(&event("VSERPORT_CHANGE", json!({"id": "agentport", "open": true}))));
        assert!(!closes_port(&event("VSERPORT_CHANGE", json!({"id": "other", "open": false}))));
        assert!(!closes_port(&event("RESUME", json!(null))));
    }
}
