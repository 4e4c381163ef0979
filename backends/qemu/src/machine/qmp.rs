//! QMP: commands through `qapi`, events by ourselves.
//!
//! `qapi` knows the events of one version of QEMU and ends the connection at one that it does not know, so they are taken
//! out of the stream before it. For the same reason the commands with answers are our own ([`command`]): they name only
//! the fields that are needed.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use qapi::ExecuteError;
use qapi::futures::{QapiService, QmpStreamTokio};
use qapi::qmp::QmpCommand;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Mutex, mpsc};

use super::error::MachineError;

/// QEMU answers in less than a millisecond; a host that is loaded to its limits may take seconds.
pub(crate) const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// Room for answers on their way to `qapi`.
const PIPE: usize = 64 << 10;

/// Something that QEMU tells by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineEvent {
    /// QEMU's name of it: `RESET`, `SHUTDOWN`, `STOP`, `RESUME`, `GUEST_PANICKED`.
    pub name: String,
    /// Its data, as QEMU gives them.
    pub data: Value,
}

/// The commands whose answers are needed.
pub(crate) mod command {
    use qapi::qmp::QmpCommand;
    use qapi::{Command, Empty};
    use serde::{Deserialize, Serialize};

    macro_rules! command {
        ($type:ident, $name:literal, $ok:ty) => {
            impl QmpCommand for $type {}
            impl Command for $type {
                type Ok = $ok;
                const NAME: &'static str = $name;
                const ALLOW_OOB: bool = false;
            }
        };
    }

    #[derive(Debug, Serialize)]
    pub(crate) struct QueryStatus {}
    #[derive(Debug, Deserialize)]
    pub(crate) struct Status {
        pub(crate) status: String,
    }
    command!(QueryStatus, "query-status", Status);

    #[derive(Debug, Serialize)]
    pub(crate) struct QueryMigrate {}
    #[derive(Debug, Deserialize)]
    pub(crate) struct Migration {
        pub(crate) status: Option<String>,
        #[serde(rename = "error-desc")]
        pub(crate) error: Option<String>,
    }
    command!(QueryMigrate, "query-migrate", Migration);

    #[derive(Debug, Serialize)]
    pub(crate) struct SetCapabilities {
        pub(crate) capabilities: Vec<Capability>,
    }
    #[derive(Debug, Serialize)]
    pub(crate) struct Capability {
        pub(crate) capability: &'static str,
        pub(crate) state: bool,
    }
    command!(SetCapabilities, "migrate-set-capabilities", Empty);

    #[derive(Debug, Serialize)]
    #[serde(rename_all = "kebab-case")]
    pub(crate) struct SetParameters {
        pub(crate) max_bandwidth: u64,
    }
    command!(SetParameters, "migrate-set-parameters", Empty);

    #[derive(Debug, Serialize)]
    pub(crate) struct Migrate {
        pub(crate) uri: &'static str,
    }
    command!(Migrate, "migrate", Empty);

    #[derive(Debug, Serialize)]
    pub(crate) struct MigrateIncoming {
        pub(crate) uri: &'static str,
    }
    command!(MigrateIncoming, "migrate-incoming", Empty);
}

/// A connection to QEMU's monitor. Copies share it.
#[derive(Clone)]
pub(crate) struct Qmp {
    shared: Arc<Shared>,
}

struct Shared {
    machine: String,
    service: QapiService<QmpStreamTokio<OwnedWriteHalf>>,
    /// The same socket, for descriptors: `qapi` sends none.
    socket: OwnedFd,
    /// One command at a time, so that a descriptor never lands within another command.
    turn: Mutex<()>,
}

/// The read side of a connection that is not negotiated yet.
pub(crate) struct Incoming {
    answers: DuplexStream,
    write: OwnedWriteHalf,
    socket: OwnedFd,
}

/// Splits the socket, and a future that must be polled until it ends: when QEMU closes the connection.
pub(crate) fn open(
    stream: UnixStream,
    events: mpsc::UnboundedSender<MachineEvent>,
) -> io::Result<(Incoming, impl Future<Output = ()>)> {
    let socket = stream.as_fd().try_clone_to_owned()?;
    let (read, write) = stream.into_split();
    let (answers, to_qapi) = tokio::io::duplex(PIPE);
    Ok((Incoming { answers, write, socket }, pump(read, to_qapi, events)))
}

async fn pump(read: OwnedReadHalf, mut to_qapi: DuplexStream, events: mpsc::UnboundedSender<MachineEvent>) {
    let mut read = BufReader::new(read);
    let mut line = Vec::new();
    loop {
        line.clear();
        match read.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        match event(&line) {
            Some(event) => {
                // Nobody listens any more when the machine's supervisor is gone.
                let _ = events.send(event);
            }
            // When qapi has given up, events go on being read.
            None => {
                let _ = to_qapi.write_all(&line).await;
            }
        }
    }
}

fn event(line: &[u8]) -> Option<MachineEvent> {
    let Ok(Value::Object(mut message)) = serde_json::from_slice(line) else { return None };
    let Some(Value::String(name)) = message.remove("event") else { return None };
    Some(MachineEvent { name, data: message.remove("data").unwrap_or(Value::Null) })
}

impl Incoming {
    /// Greets QEMU.
    pub(crate) async fn negotiate(self, machine: &str) -> io::Result<Qmp> {
        let greeting = QmpStreamTokio::open_split(self.answers, self.write).await?;
        let (service, _answers) = greeting.negotiate().await?.spawn_tokio();
        let shared = Shared { machine: machine.to_owned(), service, socket: self.socket, turn: Mutex::new(()) };
        Ok(Qmp { shared: Arc::new(shared) })
    }
}

impl Qmp {
    /// Has a command carried out. It is carried out even when the future is dropped: an answer that nobody waits for would
    /// end `qapi`'s side of the connection.
    pub(crate) async fn execute<C>(&self, command: C) -> Result<C::Ok, MachineError>
    where
        C: QmpCommand + 'static,
        C::Ok: Send + 'static,
    {
        self.in_turn(C::NAME, async move |shared: Arc<Shared>| shared.service.execute(command).await).await
    }

    /// Closes the connection for both sides.
    pub(crate) fn disconnect(&self) -> io::Result<()> {
        Ok(rustix::net::shutdown(&self.shared.socket, rustix::net::Shutdown::Both)?)
    }

    /// Hands QEMU a descriptor under a name. It travels with a blank, which QEMU skips.
    pub(crate) async fn send_descriptor(&self, fd: OwnedFd, name: &str) -> Result<(), MachineError> {
        let getfd = qapi::qmp::getfd { fdname: name.to_owned() };
        self.in_turn("getfd", async move |shared: Arc<Shared>| {
            send_with(&shared.socket, fd.as_fd()).await?;
            shared.service.execute(getfd).await
        })
        .await?;
        Ok(())
    }

    async fn in_turn<T, F>(
        &self,
        command: &'static str,
        work: impl FnOnce(Arc<Shared>) -> F + Send + 'static,
    ) -> Result<T, MachineError>
    where
        F: Future<Output = Result<T, ExecuteError>> + Send + 'static,
        T: Send + 'static,
    {
        let name = || self.shared.machine.clone();
        let shared = self.shared.clone();
        let working = tokio::spawn(async move {
            let _turn = shared.turn.lock().await;
            work(shared.clone()).await
        });
        let answer = tokio::time::timeout(ANSWER_LIMIT, working).await.map_err(|_| MachineError::Silent {
            name: name(),
            command,
            seconds: ANSWER_LIMIT.as_secs(),
        })?;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(ExecuteError::Qapi(error))) => Err(MachineError::Refused { name: name(), command, why: error.desc }),
            Ok(Err(ExecuteError::Io(error))) if error.kind() == io::ErrorKind::InvalidData => {
                Err(MachineError::Refused {
                    name: name(),
                    command,
                    why: format!("an answer unlike any known: {error}"),
                })
            }
            Ok(Err(ExecuteError::Io(error))) => {
                Err(MachineError::Gone { name: name(), how: format!("QMP ended at {command}: {error}") })
            }
            Err(_) => Err(MachineError::Gone { name: name(), how: format!("the runtime ended at {command}") }),
        }
    }
}

async fn send_with(socket: &OwnedFd, fd: BorrowedFd<'_>) -> io::Result<()> {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    loop {
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let fds = [fd];
        if !ancillary.push(SendAncillaryMessage::ScmRights(&fds)) {
            return Err(io::Error::other("no room for a descriptor"));
        }
        match sendmsg(socket, &[io::IoSlice::new(b" ")], &mut ancillary, SendFlags::NOSIGNAL) {
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        // The socket is full only while QEMU reads the commands before: rare, and short.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::event;

    #[test]
    fn events_are_told_from_answers() {
        let found = event(br#"{"timestamp":{},"event":"FROM_THE_FUTURE","data":{"a":1}}"#).unwrap();
        assert_eq!((found.name.as_str(), found.data["a"].as_i64()), ("FROM_THE_FUTURE", Some(1)));
        assert!(event(br#"{"return":{"event":"no"},"id":1}"#).is_none());
        assert!(event(b"garbage\n").is_none());
    }
}
