//! From options to a running QEMU.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream as StdStream;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::sync::{broadcast, mpsc, watch};

use super::args::{self, Ends, Memory, Start};
use super::console::Console;
use super::error::MachineError;
use super::process;
use super::qemu::Qemu;
use super::qmp;
use super::spec::{AgentChannel, LaunchSpec};
use super::supervise::{EVENTS_KEPT, Supervisor};
use super::tsc;
use super::vsock::{self, VsockAddress};
use super::{Machine, MachineStatus};

/// QEMU greets within a tenth of a second; a host that is loaded to its limits may take much longer.
const GREETING_LIMIT: Duration = Duration::from_secs(60);
/// QEMU's errors are a few lines; what a broken one says in a loop is of no use.
const SAID_KEPT: usize = 16 << 10;

/// Bytes for a serial port that the system is asked to hold; it holds a few times as many.
const SERIAL_BUFFER: usize = 4 << 10;

/// Where a machine's memory comes from.
pub(crate) enum Source {
    /// The machine boots.
    Boot,
    /// The machine goes on from a saved one.
    Restore {
        /// The saved memory. What the machine writes to it is its own.
        memory: OwnedFd,
        /// What the saved machine had printed.
        console: Vec<u8>,
    },
}

fn pair() -> io::Result<(UnixStream, OwnedFd)> {
    let (ours, theirs) = StdStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, theirs.into()))
}

/// A pair of which little is on its way at a time: a serial port takes 25 kB a second, and what was written first is taken first,
/// a ping or the end of an operation included.
fn slow_pair() -> io::Result<(UnixStream, OwnedFd)> {
    let (ours, theirs) = pair()?;
    rustix::net::sockopt::set_socket_send_buffer_size(&ours, SERIAL_BUFFER)?;
    Ok((ours, theirs))
}

/// Memory that QEMU shares with whoever saves the machine: it has no name, so it ends with its users.
fn shared_memory(spec: &LaunchSpec) -> Result<OwnedFd, MachineError> {
    let failed = || MachineError::host(format!("the memory of the machine {:?}", spec.name));
    let fd = rustix::fs::memfd_create("provium-ram", rustix::fs::MemfdFlags::CLOEXEC)
        .map_err(|error| failed()(error.into()))?;
    rustix::fs::ftruncate(&fd, spec.memory_mib << 20).map_err(|error| failed()(error.into()))?;
    Ok(fd)
}

fn readable(spec: &LaunchSpec, what: &'static str, path: &Path) -> Result<(), MachineError> {
    let failed = |source| MachineError::BootFile { name: spec.name.clone(), what, path: path.to_owned(), source };
    let metadata = File::open(path).and_then(|file| file.metadata()).map_err(failed)?;
    if metadata.is_file() { Ok(()) } else { Err(failed(io::Error::other("it is not a file"))) }
}

/// Starts QEMU and waits until it can be driven. A machine to be restored is not restored yet.
pub(crate) async fn launch(qemu: &Qemu, spec: LaunchSpec, source: Source) -> Result<Machine, MachineError> {
    spec.check()?;
    readable(&spec, "kernel", &spec.kernel)?;
    if let Some(initrd) = &spec.initrd {
        readable(&spec, "initrd", initrd)?;
    }
    let log = match &spec.console_log {
        None => None,
        Some(path) => Some(
            File::create(path).map_err(MachineError::host(format!("the file {} for the console", path.display())))?,
        ),
    };
    let sockets = || MachineError::host(format!("the sockets of the machine {:?}", spec.name));
    let (qmp_stream, qmp_end) = pair().map_err(sockets())?;
    let (console_stream, console_end) = pair().map_err(sockets())?;
    let agent = match spec.agent {
        AgentChannel::None | AgentChannel::Vsock(_) => None,
        AgentChannel::VirtioSerial(_) => Some(pair().map_err(sockets())?),
        AgentChannel::IsaSerial => Some(slow_pair().map_err(sockets())?),
    };
    let (guest_cid, vsock) = match spec.agent {
        AgentChannel::Vsock(port) => {
            let claimed = vsock::claim(&spec.name)?;
            let address = VsockAddress { cid: claimed.cid, port };
            (Some(claimed), Some(address))
        }
        _ => (None, None),
    };
    let ends = Ends {
        qmp: qmp_end.as_raw_fd(),
        console: console_end.as_raw_fd(),
        agent: agent.as_ref().map(|(_, end)| end.as_raw_fd()),
        vsock: guest_cid.as_ref().map(|claimed| (claimed.cid, claimed.device.as_raw_fd())),
    };
    let (agent_link, agent_end) = agent.unzip();
    let mut inherited = vec![qmp_end, console_end];
    inherited.extend(agent_end);
    inherited.extend(guest_cid.map(|claimed| claimed.device));
    let mut saved_console = Vec::new();
    let mut own_memory = None;
    let start = match source {
        Source::Boot => Start::Boot { tsc_khz: tsc::khz(&spec).await },
        Source::Restore { .. } => Start::Restore,
    };
    let memory = match source {
        Source::Boot if spec.savable => {
            let fd = shared_memory(&spec)?;
            let copy = fd.try_clone().map_err(MachineError::host("a copy of a descriptor"))?;
            own_memory = Some(fd);
            let memory = Memory::Shared(copy.as_raw_fd());
            inherited.push(copy);
            memory
        }
        Source::Boot => Memory::Own,
        Source::Restore { memory: saved, console } => {
            saved_console = console;
            let memory = Memory::Private(saved.as_raw_fd());
            inherited.push(saved);
            memory
        }
    };
    let arguments = args::arguments(&spec, ends, memory, start);
    let command_line = args::shown(qemu, &arguments);
    let mut command = Command::new(qemu.program());
    command.args(&arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let launch_failed = |how: String, said: String| MachineError::Launch {
        name: spec.name.clone(),
        how,
        said,
        command_line: command_line.clone(),
    };
    let mut child = process::spawn(command, inherited)
        .await
        .map_err(|error| launch_failed(format!("it could not be started: {error}"), String::new()))?;
    let pid = child.id();

    let console = Console::new(&spec.name, &saved_console);
    let said = Arc::new(Mutex::new(Vec::new()));
    let (event_sender, events) = mpsc::unbounded_channel();
    let (incoming, pump) = qmp::open(qmp_stream, event_sender).map_err(sockets())?;
    let (kill, kills) = mpsc::unbounded_channel();
    let (end_sender, end) = watch::channel(None);
    let (public_events, _) = broadcast::channel(EVENTS_KEPT);
    let console_task = tokio::spawn({
        let console = console.clone();
        async move { console.pump(console_stream, log).await }
    });
    let stderr = child.stderr.take();
    let supervisor = Supervisor {
        child,
        kills,
        events,
        public_events: public_events.clone(),
        console: console.clone(),
        console_task,
        said: said.clone(),
        said_task: tokio::spawn(keep_said(stderr, said.clone())),
        qmp_task: tokio::spawn(pump),
        end: end_sender,
    };
    tokio::spawn(supervisor.run());

    let greeted = tokio::time::timeout(GREETING_LIMIT, incoming.negotiate(&spec.name)).await;
    let machine = match greeted {
        Ok(Ok(qmp)) => {
            let agent_link = Mutex::new(agent_link);
            let memory = own_memory;
            Machine { spec, qmp, console, end, kill, agent_link, vsock, public_events, command_line, pid, memory }
        }
        Ok(Err(_)) => {
            // Its end says more than the broken connection does; dropping the sender makes sure that there is one.
            drop(kill);
            let how = wait_end(end).await;
            return Err(launch_failed(how, text(&said)));
        }
        Err(_) => {
            drop(kill);
            wait_end(end).await;
            return Err(launch_failed(format!("no greeting within {} s", GREETING_LIMIT.as_secs()), text(&said)));
        }
    };
    // QEMU greets before it has made the machine: the first answer tells that it is there.
    match machine.status().await {
        Ok(MachineStatus::Other(_)) if start != Start::Restore => {
            Err(machine.failed_launch("it did not begin to run").await)
        }
        Ok(_) => Ok(machine),
        Err(_) => Err(machine.failed_launch("it ended while it made the machine").await),
    }
}

impl Machine {
    async fn failed_launch(self, what: &str) -> MachineError {
        let ended = self.kill().await;
        MachineError::Launch {
            name: self.spec.name.clone(),
            how: format!("{what}; {}", ended.cause),
            said: ended.qemu_said.clone(),
            command_line: self.command_line.clone(),
        }
    }
}

async fn wait_end(mut end: watch::Receiver<Option<Arc<super::Ended>>>) -> String {
    let ended = end.wait_for(Option::is_some).await.ok().and_then(|ended| ended.clone());
    ended.map_or_else(|| "it ended".to_owned(), |ended| ended.cause.to_string())
}

pub(crate) fn text(said: &Mutex<Vec<u8>>) -> String {
    let bytes = said.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

async fn keep_said(stream: Option<impl AsyncRead + Unpin>, said: Arc<Mutex<Vec<u8>>>) {
    let Some(mut stream) = stream else { return };
    let mut buffer = [0; 4096];
    while let Ok(read) = stream.read(&mut buffer).await {
        if read == 0 {
            return;
        }
        let mut kept = said.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let room = SAID_KEPT.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..read.min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn little_is_on_its_way_to_a_serial_port() {
        let held = |(ours, _theirs): (UnixStream, OwnedFd)| {
            let (mut ours, piece, mut held) = (ours.into_std().unwrap(), vec![0; 64 << 10], 0);
            while let Ok(written) = ours.write(&piece) {
                held += written;
            }
            held
        };
        let (slow, usual) = (held(slow_pair().unwrap()), held(pair().unwrap()));
        assert!((1..=16 << 10).contains(&slow), "{slow} bytes");
        assert!(usual > 64 << 10, "{usual} bytes");
    }
}
