//! The guest's end of the link: what the host asks for is carried out, each operation by a task of its own.
//!
//! Whatever comes over the link, the agent goes on: what it cannot understand it answers, and a new `Hello` ends all that
//! an earlier conversation left.

mod calls;
mod conversation;
mod link;
mod port;
mod settle;

pub use link::{Endpoint, serve};
pub use settle::{Power, set_clock, set_hostname};
