//! One QEMU process, from its start to its end.
//!
//! [`Machine::launch`] starts one and gives it back when QEMU can be driven; the guest boots meanwhile. What the guest
//! prints is in [`Machine::console`], the agent in it is reached through [`Machine::take_agent_link`], and
//! [`Machine::ended`] tells when and why it is over. A machine that is dropped is killed, and so is one whose runner dies,
//! in whichever way: nothing is left, because nothing of a machine has a name on disk (see `process`).
//!
//! What this module does not do: it makes no images, and knows nothing of what is said on the agent link.

mod accel;
mod args;
mod cmdline;
mod console;
mod date;
mod ended;
mod error;
mod launch;
mod process;
mod qemu;
mod qmp;
mod rest;
mod spec;
mod supervise;
mod template;
mod tsc;
mod vsock;

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::{broadcast, mpsc, watch};

pub use accel::{AccelProbe, probe_accel};
pub(crate) use args::AGENT_DEVICE;
pub use console::{Console, ConsoleReader, TAIL_LINES};
pub use ended::{EndCause, Ended, ExitedBy};
pub use error::MachineError;
pub use qemu::{PROGRAM, PROGRAM_VARIABLE, Qemu};
pub use qmp::MachineEvent;
pub use spec::{
    AGENT_PORT, Accel, AgentChannel, Board, CPUS_MAX, ICOUNT_SHIFT_MAX, LaunchSpec, MEMORY_MAX_MIB, MEMORY_MIN_MIB,
    QGA_PORT, VIRTUAL_TIME_START, VirtualTime,
};
pub use template::{TEMPLATES_LIMIT, Template, TemplateKey, TemplateLock, TemplateStore};
pub use vsock::{AGENT_VSOCK_PORT, VsockAddress, connect as connect_vsock};
pub(crate) use vsock::{
    DEVICE as VSOCK_DEVICE, check as check_vsock, open_device as open_vsock_device, remedy as vsock_remedy,
};

use qmp::{Qmp, command};

/// QEMU exits within milliseconds of being told to; then it is killed.
const QUIT_LIMIT: Duration = Duration::from_secs(10);

/// How long a command that failed waits for the machine's end, for its error.
const END_AFTER_QMP: Duration = Duration::from_secs(10);

/// What a machine does at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MachineStatus {
    /// The guest runs.
    Running,
    /// It stands still, and goes on with [`Machine::resume`].
    Paused,
    /// Anything else, by QEMU's name: `inmigrate`, `guest-panicked`, `shutdown`.
    Other(String),
}

/// A QEMU process and all that leads into it.
pub struct Machine {
    spec: LaunchSpec,
    qmp: Qmp,
    console: Console,
    end: watch::Receiver<Option<Arc<Ended>>>,
    kill: mpsc::UnboundedSender<()>,
    agent_link: Mutex<Option<UnixStream>>,
    vsock: Option<VsockAddress>,
    public_events: broadcast::Sender<MachineEvent>,
    command_line: String,
    pid: Option<u32>,
    /// The guest's memory, when it may be saved.
    memory: Option<OwnedFd>,
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").field("name", &self.spec.name).field("pid", &self.pid).finish_non_exhaustive()
    }
}

impl Machine {
    /// Starts QEMU. Comes back when it can be driven; the guest has just begun to boot then. Must be called within a
    /// tokio runtime, which then runs the machine's tasks.
    pub async fn launch(qemu: &Qemu, spec: LaunchSpec) -> Result<Self, MachineError> {
        launch::launch(qemu, spec, launch::Source::Boot).await
    }

    /// Whose machine it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// What it was made of.
    #[must_use]
    pub fn spec(&self) -> &LaunchSpec {
        &self.spec
    }

    /// How QEMU was started, as one would type it.
    #[must_use]
    pub fn command_line(&self) -> &str {
        &self.command_line
    }

    /// QEMU's process. It is a zombie's at most until the end is reported, and may be another's afterwards.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// The connection to the agent's port, once. It is open from the start on: what is written before the guest listens
    /// waits in the host.
    #[must_use]
    pub fn take_agent_link(&self) -> Option<UnixStream> {
        self.agent_link.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Where the agent listens, of a machine that is reached over vsock.
    #[must_use]
    pub fn vsock(&self) -> Option<VsockAddress> {
        self.vsock
    }

    /// The serial console.
    #[must_use]
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// What QEMU tells from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<MachineEvent> {
        self.public_events.subscribe()
    }

    /// Waits for the end. Any number may wait, before and after it.
    pub async fn ended(&self) -> Arc<Ended> {
        self.end_watch().wait().await
    }

    /// How it ended, when it has.
    #[must_use]
    pub fn has_ended(&self) -> Option<Arc<Ended>> {
        self.end.borrow().clone()
    }

    /// Waits for the end without holding the machine.
    #[must_use]
    pub fn end_watch(&self) -> EndWatch {
        EndWatch { end: self.end.clone() }
    }

    /// What it does at the moment.
    pub async fn status(&self) -> Result<MachineStatus, MachineError> {
        let status = self.execute(command::QueryStatus {}).await?.status;
        Ok(match status.as_str() {
            "running" => MachineStatus::Running,
            // A machine that was saved or restored stands still like any other.
            "paused" | "postmigrate" | "prelaunch" => MachineStatus::Paused,
            _ => MachineStatus::Other(status),
        })
    }

    /// Stops the guest's processors and its clock.
    pub async fn pause(&self) -> Result<(), MachineError> {
        self.execute(qapi::qmp::stop {}).await.map(drop)
    }

    /// Lets it go on.
    pub async fn resume(&self) -> Result<(), MachineError> {
        self.execute(qapi::qmp::cont {}).await.map(drop)
    }

    /// Presses the power button. What comes of it is the guest's business: without someone who listens to ACPI, nothing.
    pub async fn power_button(&self) -> Result<(), MachineError> {
        self.execute(qapi::qmp::system_powerdown {}).await.map(drop)
    }

    /// Ends QEMU in order, without asking the guest; kills it when it doesn't obey.
    pub async fn quit(&self) -> Arc<Ended> {
        if self.has_ended().is_none() {
            // Refused or not answered: the end is what counts, and the next lines see to it.
            let _ = self.execute(qapi::qmp::quit {}).await;
            if let Ok(ended) = tokio::time::timeout(QUIT_LIMIT, self.ended()).await {
                return ended;
            }
        }
        self.kill().await
    }

    /// Kills QEMU.
    pub async fn kill(&self) -> Arc<Ended> {
        // Without a supervisor there is nothing left to kill.
        let _ = self.kill.send(());
        self.ended().await
    }

    /// Breaks the connection to QEMU's monitor, as a QEMU that is beside itself would: for tests of what follows.
    #[doc(hidden)]
    pub fn disconnect(&self) -> Result<(), MachineError> {
        self.qmp.disconnect().map_err(MachineError::host("the monitor's socket"))
    }

    /// A command, with the machine's end as the error when that is why it failed.
    async fn execute<C>(&self, command: C) -> Result<C::Ok, MachineError>
    where
        C: qapi::qmp::QmpCommand + 'static,
        C::Ok: Send + 'static,
    {
        if let Some(ended) = self.has_ended() {
            return Err(MachineError::Gone { name: self.spec.name.clone(), how: ended.to_string() });
        }
        match self.qmp.execute(command).await {
            // The connection ends a moment before the process: its end is the better reason.
            Err(MachineError::Gone { name, how }) => {
                let how =
                    tokio::time::timeout(END_AFTER_QMP, self.ended()).await.map_or(how, |ended| ended.to_string());
                Err(MachineError::Gone { name, how })
            }
            other => other,
        }
    }
}

/// Waits for a machine's end.
#[derive(Debug, Clone)]
pub struct EndWatch {
    end: watch::Receiver<Option<Arc<Ended>>>,
}

impl EndWatch {
    /// Waits until the machine has ended.
    pub async fn wait(&mut self) -> Arc<Ended> {
        if let Ok(ended) = self.end.wait_for(Option::is_some).await
            && let Some(ended) = ended.clone()
        {
            return ended;
        }
        // The supervisor always sends before it ends, so the runtime is being shut down, and the machine with it.
        Arc::new(Ended {
            cause: EndCause::Killed { signal: libc::SIGKILL, by_us: true },
            console_tail: String::new(),
            qemu_said: String::new(),
        })
    }
}
