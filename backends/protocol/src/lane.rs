//! Who speaks to the guest.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The line on which an operation is said: the VM's main agent, or one of its workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Lane {
    /// The VM's main agent.
    Main,
    /// The worker with this handle.
    Worker(u64),
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lane::Main => f.write_str("main"),
            Lane::Worker(handle) => write!(f, "worker#{handle}"),
        }
    }
}
