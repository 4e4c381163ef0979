//! The host's end of the link to the agent in a guest.
//!
//! Two tasks move bytes between a socket and a shared state; whoever wants something of the guest holds a future that looks at the
//! state under its lock. So nothing that came is lost when a caller gives up: a frame is taken by the poll that returns it, and
//! a reply that nobody took is given back to the agent.
//!
//! Rejected: a channel to each caller, because what is in a channel when its receiver goes is lost; and a request for each
//! frame of a stream, because a stream would be as slow as a round trip.

mod call;
pub mod check;
mod flow;
mod pump;
mod state;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use provium_protocol::wire::{Hello, Settings, ToAgent, VERSIONS, Welcome};
use provium_protocol::{Frame, Lane, Nanos, Op, OpError, Reply, StreamId};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;

pub use call::Call;
pub use flow::NextFrame;
use pump::Outlet;
use state::State;

/// What both the tasks and the callers hold.
struct Inner {
    state: Mutex<State>,
    /// Locked before the state, where both are.
    outlet: Mutex<Outlet>,
    /// Something is to be sent.
    sends: Notify,
    /// Something came that is no reply to a call: an answer to the handshake, the end of the connection.
    news: Notify,
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever panics while it holds the lock leaves a state that is whole: each change of it is one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The host's end of a link. Cloning gives another handle on the same one; it ends with [`Link::fail`], or when the
/// last handle is gone.
#[derive(Clone)]
pub struct Link {
    inner: Arc<Inner>,
    _tasks: Arc<Tasks>,
}

/// Ends the tasks of a link, and closes its socket.
struct Tasks {
    tasks: Vec<tokio::task::AbortHandle>,
    inner: Arc<Inner>,
}

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        self.inner.outlet.lock().unwrap_or_else(PoisonError::into_inner).close();
    }
}

impl Link {
    /// Takes up the link on a connected socket. To be called within a runtime.
    pub fn open<S: AsyncRead + AsyncWrite + Send + 'static>(socket: S) -> Link {
        let (reader, writer) = tokio::io::split(socket);
        let outlet = Mutex::new(Outlet::new(writer));
        let inner = Arc::new(Inner { state: Mutex::default(), outlet, sends: Notify::new(), news: Notify::new() });
        let tasks = vec![
            tokio::spawn(pump::read(Arc::clone(&inner), reader)).abort_handle(),
            tokio::spawn(pump::write(Arc::clone(&inner))).abort_handle(),
        ];
        Link { inner: Arc::clone(&inner), _tasks: Arc::new(Tasks { tasks, inner }) }
    }

    /// Has the agent carry an operation out. It begins now, whether or not the future is polled; dropping the future abandons
    /// it.
    pub fn call(&self, lane: Lane, op: Op) -> Call {
        Call::begin(&self.inner, lane, op)
    }

    /// The next piece of a stream.
    pub fn next_frame(&self, stream: StreamId) -> NextFrame {
        NextFrame::new(&self.inner, stream)
    }

    /// Begins a conversation with the agent: waits until it is there, for as long as the caller wants to.
    ///
    /// # Errors
    /// `agent` when the two have no version in common, `lost` when the link ends before.
    pub async fn hello(&self, nonce: u64, boot: u64) -> Result<Welcome, OpError> {
        let hello = ToAgent::Hello(Hello { nonce, versions: VERSIONS, boot });
        watch::answer(&self.inner, Some(&hello), |state| {
            state.welcomes.iter().position(|(of, _)| *of == nonce).map(|at| state.welcomes.swap_remove(at).1)
        })
        .await
    }

    /// Makes the guest its own.
    ///
    /// # Errors
    /// What the guest's system refused.
    pub async fn settle(&self, settings: Settings) -> Result<(), OpError> {
        self.put(&ToAgent::Settle(Box::new(settings)))?;
        watch::answer(&self.inner, None, |state| state.settled.take()).await
    }

    /// Asks the agent to switch the machine off.
    ///
    /// # Errors
    /// When the link is over.
    pub fn power_off(&self, patience: Nanos) -> Result<(), OpError> {
        self.put(&ToAgent::PowerOff { patience_ns: patience })
    }

    fn put(&self, message: &ToAgent) -> Result<(), OpError> {
        let mut state = self.inner.lock();
        state.alive()?;
        state.outbox.put(0, message).map_err(OpError::limit)?;
        drop(state);
        self.inner.sends.notify_one();
        Ok(())
    }

    /// Ends everything that is under way with this error; what comes later ends with it, too.
    pub fn fail(&self, error: OpError) {
        let wakers = self.inner.lock().fail(error);
        self.inner.news.notify_waiters();
        wakers.into_iter().for_each(std::task::Waker::wake);
    }

    /// The guest begins anew: everything that is under way ends with this error, and what comes later is a conversation of
    /// its own.
    pub fn restart(&self, error: OpError) {
        let wakers = self.inner.lock().restart(error);
        wakers.into_iter().for_each(std::task::Waker::wake);
    }

    /// Whether the guest cannot answer because nothing of it runs: silence is no trouble then.
    pub fn set_paused(&self, paused: bool) {
        self.inner.lock().pause(paused);
    }

    /// Ends when the other side has closed the connection.
    pub async fn closed(&self) {
        watch::until(&self.inner, |state| state.closed.then_some(())).await;
    }

    /// Ends when operations are under way and the agent answers nothing at all for
    /// [`UNRESPONSIVE_AFTER`].
    pub async fn unresponsive(&self) {
        watch::unresponsive(&self.inner).await;
    }

    /// Garbage on the link, for tests of what follows: `to_agent` is written between two chunks, `from_agent` is taken as if the
    /// agent had sent it.
    #[doc(hidden)]
    pub fn disturb(&self, to_agent: &[u8], from_agent: &[u8]) {
        let mut state = self.inner.lock();
        state.garbage.extend_from_slice(to_agent);
        let wakers = state.take(from_agent);
        drop(state);
        self.inner.sends.notify_one();
        wakers.into_iter().for_each(std::task::Waker::wake);
    }

    /// How many operations are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.inner.lock().calls.len()
    }
}

pub use watch::UNRESPONSIVE_AFTER;

/// What came of an operation.
type Outcome = Result<Reply, OpError>;

/// What came of a stream.
type Piece = Result<Option<Frame>, OpError>;

#[cfg(test)]
mod tests;
