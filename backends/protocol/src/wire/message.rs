//! What host and agent say to each other.

use serde::{Deserialize, Serialize};

use crate::codec::{self, Decoded};
use crate::exec::ByteString;
use crate::profile::BootFile;
use crate::{Frame, Lane, Nanos, Op, OpError, Reply, StreamId};

/// Versions of this protocol that this build speaks, the first and the last. A change that adds variants at the end raises the
/// last; one that breaks what was there raises both.
pub const VERSIONS: (u16, u16) = (2, 2);

/// The most memory that one message may take when it is read, in bytes: [`super::MAX_MESSAGE`], and what many small values take
/// beside their bytes.
pub const LIMIT: usize = 1 << 30;

/// What an agent may or may not be able to do, by name. A name that is not known is ignored.
pub mod capability {
    /// Follows files by inotify (since version 1); without it they are looked at now and then.
    pub const INOTIFY: &str = "inotify";
    /// Holds raw system calls on threads of their own (since version 1).
    pub const RAW_SYSCALLS: &str = "raw-syscalls";
    /// Can switch the machine off (since version 1): it is its process 1.
    pub const POWER: &str = "power";
    /// Takes [`super::Settings`] (since version 1).
    pub const SETTINGS: &str = "settings";
    /// All of this build.
    pub const ALL: &[&str] = &[INOTIFY, RAW_SYSCALLS, POWER, SETTINGS];
}

/// How a host introduces itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Comes back in the answer, so that an answer to an earlier host is not taken for it.
    pub nonce: u64,
    /// The first and the last version that it speaks.
    pub versions: (u16, u16),
    /// How often the guest was booted before: no handle of an earlier boot is ever handed out again.
    pub boot: u64,
}

/// How an agent answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The host's.
    pub nonce: u64,
    /// The version that both speak from now on.
    pub version: u16,
    /// See [`capability`].
    pub capabilities: Vec<String>,
    /// `uname -r` of the guest.
    pub kernel: String,
    /// The agent's own version.
    pub agent: String,
}

/// What makes one guest differ from the others that were cloned from the same template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Its host name.
    pub hostname: Option<String>,
    /// Stirred into the kernel's entropy pool, which is seeded anew from it.
    #[serde(with = "serde_bytes")]
    pub entropy: Vec<u8>,
    /// The real-time clock, in nanoseconds since 1970.
    pub realtime_ns: Option<i128>,
    /// Files to write, as at boot.
    pub files: Vec<BootFile>,
    /// Modules to insert, in order, by path; one that is there already is fine.
    pub modules: Vec<ByteString>,
}

/// Host to agent. Variants are added at the end only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToAgent {
    /// Begins a conversation; ends all that was under way → `Welcome` or `Refused`.
    Hello(Hello),
    /// Carry this out → `Reply` with the same number.
    Call {
        /// Counts up from 1 in a conversation.
        id: u64,
        /// Who speaks.
        lane: Lane,
        /// What to do.
        op: Op,
    },
    /// Nobody waits for this call any more. No reply is sent after it was read.
    Cancel {
        /// Which.
        id: u64,
    },
    /// The reader of a stream has taken so many frames; as many more may be sent. A stream begins with
    /// [`crate::limits::FRAMES_IN_FLIGHT`].
    Credit {
        /// Which.
        stream: StreamId,
        /// How many.
        frames: u32,
    },
    /// A reply that nobody was left to receive: what it handed out (a process, a file, a stream, a worker) is taken back.
    Discard(Box<Reply>),
    /// Are you there → `Pong` with the same number.
    Ping(u64),
    /// Make the guest its own → `Settled`.
    Settle(Box<Settings>),
    /// End all processes, sync, and switch the machine off. No answer: the machine ends.
    PowerOff {
        /// Between SIGTERM and SIGKILL.
        patience_ns: Nanos,
    },
}

/// Agent to host. Variants are added at the end only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromAgent {
    /// The conversation has begun.
    Welcome(Welcome),
    /// There is no common version.
    Refused {
        /// The host's.
        nonce: u64,
        /// Those that the agent speaks.
        versions: (u16, u16),
    },
    /// What came of a call.
    Reply {
        /// Which.
        id: u64,
        /// What.
        result: Result<Reply, OpError>,
    },
    /// The next piece of a stream; nothing follows `None` or an error.
    Frame {
        /// Which.
        stream: StreamId,
        /// The piece.
        frame: Result<Option<Frame>, OpError>,
    },
    /// Something came that could not be understood; all calls that were under way are ended, and the streams.
    Garbled {
        /// What, in words.
        why: String,
    },
    /// Here.
    Pong(u64),
    /// What came of `Settle`.
    Settled(Result<(), OpError>),
    /// The next bytes of a call's answer. Those of its reply, which is `Bytes`, are the last ones; a reply that is an error is all
    /// of the answer.
    Piece {
        /// Which.
        id: u64,
        /// No fewer than one.
        #[serde(with = "serde_bytes")]
        data: Vec<u8>,
    },
}

/// The version that two sides speak, if there is one: the latest that both know.
#[must_use]
pub fn agree(one: (u16, u16), other: (u16, u16)) -> Option<u16> {
    let latest = one.1.min(other.1);
    (latest >= one.0.max(other.0)).then_some(latest)
}

/// Reads a message to the agent.
///
/// # Errors
/// Why it is none, in words for people.
pub fn decode_to_agent(bytes: &[u8]) -> Result<ToAgent, String> {
    whole(codec::decode::<ToAgent, LIMIT>(bytes), bytes.len())
}

/// Reads a message from the agent.
///
/// # Errors
/// Why it is none, in words for people.
pub fn decode_from_agent(bytes: &[u8]) -> Result<FromAgent, String> {
    whole(codec::decode::<FromAgent, LIMIT>(bytes), bytes.len())
}

/// The number of the call whose message begins with these bytes.
#[must_use]
pub fn call_of(beginning: &[u8]) -> Option<u64> {
    /// [`ToAgent`] up to the number of a call.
    #[derive(Deserialize)]
    enum Beginning {
        Hello,
        Call { id: u64 },
    }
    match codec::decode::<Beginning, LIMIT>(beginning) {
        Decoded::Whole { value: Beginning::Call { id }, .. } => Some(id),
        Decoded::Whole { value: Beginning::Hello, .. }
        | Decoded::Incomplete { .. }
        | Decoded::TooLarge
        | Decoded::Invalid { .. } => None,
    }
}

fn whole<T>(decoded: Decoded<T>, len: usize) -> Result<T, String> {
    match decoded {
        Decoded::Whole { value, size } if size == len => Ok(value),
        Decoded::Whole { size, .. } => Err(format!("{} bytes follow a message", len - size)),
        Decoded::Incomplete { .. } => Err("a message ends too early".to_owned()),
        Decoded::TooLarge => Err(format!("a message takes more than {LIMIT} bytes (LIMIT)")),
        Decoded::Invalid { why } => Err(format!("a message cannot be decoded: {why}")),
    }
}
