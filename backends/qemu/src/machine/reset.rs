//! The reset button, and what the firmware makes of it.
//!
//! QEMU is told to exit when the guest resets itself, so that a panic is not hidden by the boot that follows. But SeaBIOS
//! answers a reset from outside with one or two of its own, because QEMU leaves its memory as it was ("attempting a hard
//! reboot"), and these look like the guest's. So QEMU may reset itself until the guest shows itself. Waiting for a while
//! without resets instead was tried, and is too short on a host that is loaded to its limits.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::broadcast::{self, error::RecvError};

use super::args::AGENT_DEVICE;
use super::console::ConsoleReader;
use super::ended::Ended;
use super::error::MachineError;
use super::qmp::{ANSWER_LIMIT, MachineEvent, Qmp, command};
use super::{EndWatch, Resets};

/// Firmware is done after a tenth of a second. This is for guests that print nothing and have no port that tells.
const FIRMWARE_LIMIT: Duration = Duration::from_secs(10);
/// More resets than any firmware does: a kernel that gives up at once, again and again.
const FIRMWARE_RESETS: u32 = 4;

/// What QEMU has sent is here sooner.
const CONSOLE_QUIET: Duration = Duration::from_millis(50);

/// One press of the button.
pub(crate) struct Reset {
    pub(crate) name: String,
    pub(crate) qmp: Qmp,
    pub(crate) console: ConsoleReader,
    pub(crate) events: broadcast::Receiver<MachineEvent>,
    pub(crate) end: EndWatch,
    pub(crate) resets: Resets,
}

/// What was waited for.
enum Seen {
    Reset,
    Guest,
    Nothing,
}

impl Reset {
    pub(crate) async fn run(mut self) -> Result<(), MachineError> {
        let resets = self.resets.clone();
        let _one_at_a_time = resets.lock().await;
        self.qmp.execute(command::SetReboot { reboot: "reset" }).await?;
        self.qmp.execute(qapi::qmp::stop {}).await?;
        self.qmp.execute(qapi::qmp::system_reset {}).await?;
        loop {
            match self.next(ANSWER_LIMIT).await? {
                Seen::Reset => break,
                Seen::Guest => {}
                Seen::Nothing => {
                    let (command, seconds) = ("system_reset", ANSWER_LIMIT.as_secs());
                    return Err(MachineError::Silent { name: self.name, command, seconds });
                }
            }
        }
        // What the guest printed before is not what is waited for. It stands still: what is left is on its way to us.
        while tokio::time::timeout(CONSOLE_QUIET, self.console.next()).await.is_ok_and(|chunk| chunk.is_some()) {}
        self.qmp.execute(qapi::qmp::cont {}).await?;
        for _ in 0..FIRMWARE_RESETS {
            match self.next(FIRMWARE_LIMIT).await? {
                Seen::Reset => {}
                Seen::Guest | Seen::Nothing => break,
            }
        }
        self.qmp.execute(command::SetReboot { reboot: "shutdown" }).await.map(drop)
    }

    /// The next sign of life.
    async fn next(&mut self, limit: Duration) -> Result<Seen, MachineError> {
        let (console, events, end) = (&mut self.console, &mut self.events, &mut self.end);
        let printed = async {
            match console.next().await {
                Some(_) => Seen::Guest,
                // The console ends with the machine: the other branch says how.
                None => std::future::pending().await,
            }
        };
        let told = async {
            loop {
                match events.recv().await {
                    Ok(event) if event.name == "RESET" => return Seen::Reset,
                    Ok(event) if opens_port(&event) => return Seen::Guest,
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        tokio::select! {
            biased;
            seen = told => Ok(seen),
            seen = printed => Ok(seen),
            ended = end.wait() => Err(gone(&self.name, &ended)),
            () = tokio::time::sleep(limit) => Ok(Seen::Nothing),
        }
    }
}

fn opens_port(event: &MachineEvent) -> bool {
    event.name == "VSERPORT_CHANGE"
        && event.data.get("id").and_then(Value::as_str) == Some(AGENT_DEVICE)
        && event.data.get("open").and_then(Value::as_bool) == Some(true)
}

fn gone(name: &str, ended: &Ended) -> MachineError {
    MachineError::Gone { name: name.to_owned(), how: ended.to_string() }
}
