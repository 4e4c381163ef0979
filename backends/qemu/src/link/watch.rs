//! Waiting for what is no reply to a call, and for signs of life.

use std::time::Duration;

use provium_protocol::OpError;
use provium_protocol::wire::ToAgent;

use tokio::time::Instant;

use super::Inner;
use super::state::State;

/// How long an agent may leave a ping unanswered while operations are under way: long enough for an emulated guest on a busy
/// host to give its agent a turn, short enough that whoever waits for one that was stopped is still there.
pub const UNRESPONSIVE_AFTER: Duration = Duration::from_secs(10);

/// How often it is looked whether an agent still answers.
const LOOK: Duration = Duration::from_secs(1);

/// How often a greeting is said again: one that a guest's firmware or an earlier boot swallowed must not be the last.
const GREET_AGAIN: Duration = Duration::from_secs(1);

/// Ends when `ready` finds something; looks again after each piece of news.
pub async fn until<T>(inner: &Inner, mut ready: impl FnMut(&mut State) -> Option<T>) -> T {
    loop {
        let mut news = std::pin::pin!(inner.news.notified());
        // Registered before the look, so that no news is missed.
        news.as_mut().enable();
        if let Some(value) = ready(&mut inner.lock()) {
            return value;
        }
        news.await;
    }
}

/// Waits for an answer that `ready` finds; says `greeting` until then.
pub async fn answer<T>(
    inner: &Inner,
    greeting: Option<&ToAgent>,
    mut ready: impl FnMut(&mut State) -> Option<Result<T, OpError>>,
) -> Result<T, OpError> {
    loop {
        if let Some(greeting) = greeting {
            let mut state = inner.lock();
            state.alive()?;
            // What nobody has read yet is enough.
            if state.outbox.is_empty() {
                state.outbox.put(0, greeting).map_err(OpError::limit)?;
            }
            drop(state);
            inner.sends.notify_one();
        }
        let found = until(inner, |state| ready(state).or_else(|| state.alive().err().map(Err)));
        match greeting {
            None => return found.await,
            Some(_) => {
                if let Ok(answer) = tokio::time::timeout(GREET_AGAIN, found).await {
                    return answer;
                }
            }
        }
    }
}

/// Ends when the agent answers nothing while something is under way.
pub async fn unresponsive(inner: &Inner) {
    loop {
        tokio::time::sleep(LOOK).await;
        let mut state = inner.lock();
        let waiting = state.calls.values().any(|call| call.outcome.is_none());
        if !waiting || state.paused || std::mem::take(&mut state.heard) {
            state.pinged = None;
            continue;
        }
        match state.pinged {
            Some(since) if since.elapsed() >= UNRESPONSIVE_AFTER => return,
            Some(_) => {}
            None => {
                state.pinged = Some(Instant::now());
                state.pings += 1;
                let ping = ToAgent::Ping(state.pings);
                // A ping is small.
                let _ = state.outbox.put(0, &ping);
                drop(state);
                inner.sends.notify_one();
            }
        }
    }
}
