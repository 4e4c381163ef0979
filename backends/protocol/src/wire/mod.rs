//! How host and agent talk over a byte stream: a virtio port, a socket, a serial line. No I/O here: bytes in, messages out,
//! and the other way round.
//!
//! A message is cut into *chunks*, each with length and checksum, so that a reply of many megabytes and a small one share the
//! link fairly ([`Outbox`]). The reader ([`Inbox`]) puts messages together again; what it cannot understand it skips until
//! the next chunk begins, and says so: a link that was flooded with garbage, or that begins in the middle of a chunk because
//! the host has reconnected, goes on.
//!
//! The host speaks first: [`ToAgent::Hello`] with the versions and capabilities that it knows; nothing of what was under way
//! before survives it. Damage that either side sees ends all operations that are under way, with an error that says so: which
//! of them it hit cannot be known.

pub mod check;
mod chunk;
mod inbox;
mod message;
mod outbox;
mod sending;
mod sum;

pub use chunk::{HEADER, MAGIC, MAX_CHUNK};
pub use inbox::{Inbox, Received};
pub use message::{
    FromAgent, Hello, LIMIT, Settings, ToAgent, VERSIONS, Welcome, agree, call_of, capability, decode_from_agent,
    decode_to_agent,
};
pub use outbox::Outbox;
pub use sending::Sending;

/// The largest message, in bytes: the reply to a command whose two outputs are as large as they may be
/// ([`crate::limits::MAX_OUTPUT_CEILING`]), and a little for the rest.
pub const MAX_MESSAGE: usize = 2 * crate::limits::MAX_OUTPUT_CEILING as usize + (1 << 20);

#[cfg(test)]
mod tests;
