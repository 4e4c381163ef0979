//! What can go wrong with an operation.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Errno;

/// The kind of an error, as a test sees it in `e.kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ErrorKind {
    /// The guest's operating system refused, with an errno.
    Os,
    /// The agent could not carry the operation out.
    Agent,
    /// The thing is not in a state that allows the operation.
    State,
    /// It took too long.
    Timeout,
    /// The call was wrong: an argument, an option.
    Usage,
    /// This backend cannot do it.
    Unsupported,
    /// A limit of provium was reached.
    Limit,
    /// A replay differs from its recording.
    Divergence,
    /// The guest is gone.
    Lost,
}

impl ErrorKind {
    /// The word in `e.kind`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::Os => "os",
            ErrorKind::Agent => "agent",
            ErrorKind::State => "state",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Usage => "usage",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Limit => "limit",
            ErrorKind::Divergence => "divergence",
            ErrorKind::Lost => "lost",
        }
    }
}

/// Why an operation has no reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub struct OpError {
    /// What kind of trouble.
    pub kind: ErrorKind,
    /// What happened, without the errno's text.
    pub message: String,
    /// The error number, for [`ErrorKind::Os`].
    pub errno: Option<Errno>,
}

impl OpError {
    /// An error of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> OpError {
        OpError { kind, message: message.into(), errno: None }
    }

    /// The guest's operating system refused what `doing` describes (`"open /tmp/x"`).
    pub fn os(errno: Errno, doing: impl Into<String>) -> OpError {
        OpError { kind: ErrorKind::Os, message: doing.into(), errno: Some(errno) }
    }

    /// The thing is in the wrong state.
    pub fn state(message: impl Into<String>) -> OpError {
        OpError::new(ErrorKind::State, message)
    }

    /// It took too long.
    pub fn timeout(message: impl Into<String>) -> OpError {
        OpError::new(ErrorKind::Timeout, message)
    }

    /// The call was wrong.
    pub fn usage(message: impl Into<String>) -> OpError {
        OpError::new(ErrorKind::Usage, message)
    }

    /// The agent could not carry it out.
    pub fn agent(message: impl Into<String>) -> OpError {
        OpError::new(ErrorKind::Agent, message)
    }

    /// A limit was reached; the message names it.
    pub fn limit(message: impl Into<String>) -> OpError {
        OpError::new(ErrorKind::Limit, message)
    }

    /// `backend` cannot do `operation`.
    #[must_use]
    pub fn unsupported(backend: &str, operation: &str) -> OpError {
        OpError::new(ErrorKind::Unsupported, format!("the backend `{backend}` cannot do {operation}"))
    }

    /// The guest is gone.
    pub fn lost(message: impl Into<String>) -> OpError {
        OpError::new(ErrorKind::Lost, message)
    }
}

impl fmt::Display for OpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errno {
            Some(errno) => write!(f, "{}: {errno}", self.message),
            None => f.write_str(&self.message),
        }
    }
}
