//! In which state a VM is.

/// The state of a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmState {
    /// Never booted.
    Created,
    /// Between the call of `boot` and its answer.
    Booting,
    /// It answers.
    Booted,
    /// No guest instruction runs.
    Paused,
    /// Off.
    Shutdown,
    /// The guest was lost.
    Dead,
}

impl VmState {
    /// The word in `vm:state()`.
    pub fn name(self) -> &'static str {
        match self {
            VmState::Created => "created",
            VmState::Booting => "booting",
            VmState::Booted => "booted",
            VmState::Paused => "paused",
            VmState::Shutdown => "shutdown",
            VmState::Dead => "dead",
        }
    }
}
