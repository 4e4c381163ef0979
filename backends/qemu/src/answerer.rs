//! Who answers the operations of a guest: provium's agent, or the one that the guest comes with.

use std::future::ready;

use provium_protocol::wire::Settings;
use provium_protocol::{Frame, Lane, LocalFuture, Nanos, Op, OpError, Reply, StreamId};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::link::Link;
use crate::profile::AgentKind;
use crate::qga::Qga;

/// The host's end of the conversation with whoever carries operations out. Cloning gives another handle on the same one.
#[derive(Clone)]
pub enum Answerer {
    /// provium's agent.
    Agent(Link),
    /// `qemu-guest-agent`.
    Qga(Qga),
}

impl Answerer {
    /// Takes the conversation up, in a guest that was booted `boots` times before. To be called within a runtime.
    pub fn open<S: AsyncRead + AsyncWrite + Send + 'static>(kind: AgentKind, socket: S, boots: u64) -> Answerer {
        match kind {
            AgentKind::Provium => Answerer::Agent(Link::open(socket)),
            AgentKind::Qga => Answerer::Qga(Qga::open(socket, boots)),
        }
    }

    /// Waits until it answers, for as long as the caller wants to, and makes the guest its own. `nonce` is of no earlier
    /// conversation.
    ///
    /// # Errors
    /// Why it does not, or what the guest's system refused.
    pub async fn greet(&self, nonce: u64, boots: u64, settings: Option<Settings>) -> Result<(), OpError> {
        match self {
            Answerer::Agent(link) => {
                link.hello(nonce, boots).await?;
                match settings {
                    Some(settings) => link.settle(settings).await,
                    None => Ok(()),
                }
            }
            // Its machine is always new: clock, entropy and files are those that it was switched on with.
            Answerer::Qga(qga) => qga.greet(settings.and_then(|settings| settings.hostname).as_deref()).await,
        }
    }

    /// Carries an operation out. It begins now; dropping the future abandons it.
    pub fn call(&self, lane: Lane, op: Op) -> LocalFuture<Result<Reply, OpError>> {
        match self {
            Answerer::Agent(link) => Box::pin(link.call(lane, op)),
            Answerer::Qga(qga) => Box::pin(qga.call(lane, op)),
        }
    }

    /// The next piece of a stream.
    pub fn next_frame(&self, stream: StreamId) -> LocalFuture<Result<Option<Frame>, OpError>> {
        match self {
            Answerer::Agent(link) => Box::pin(link.next_frame(stream)),
            Answerer::Qga(_) => Box::pin(ready(Err(OpError::state("there is no such stream")))),
        }
    }

    /// Asks the guest to switch itself off; its processes have `patience` between SIGTERM and SIGKILL where the guest does not
    /// decide that itself.
    ///
    /// # Errors
    /// Why the guest does not.
    pub async fn power_off(&self, patience: Nanos) -> Result<(), OpError> {
        match self {
            Answerer::Agent(link) => link.power_off(patience),
            Answerer::Qga(qga) => qga.power_off().await,
        }
    }

    /// Ends everything that is under way with this error; what comes later ends with it, too.
    pub fn fail(&self, error: OpError) {
        match self {
            Answerer::Agent(link) => link.fail(error),
            Answerer::Qga(qga) => qga.fail(error),
        }
    }

    /// Whether the guest cannot answer because nothing of it runs: silence is no trouble then.
    pub fn set_paused(&self, paused: bool) {
        match self {
            Answerer::Agent(link) => link.set_paused(paused),
            Answerer::Qga(qga) => qga.set_paused(paused),
        }
    }

    /// Ends when the other side has closed the connection.
    pub async fn closed(&self) {
        match self {
            Answerer::Agent(link) => link.closed().await,
            Answerer::Qga(qga) => qga.closed().await,
        }
    }

    /// Ends when operations are under way and nothing at all is answered for [`crate::link::UNRESPONSIVE_AFTER`].
    pub async fn unresponsive(&self) {
        match self {
            Answerer::Agent(link) => link.unresponsive().await,
            Answerer::Qga(qga) => qga.unresponsive().await,
        }
    }
}
