//! The guest agent that this build carries.

/// The agent's program, a static executable for x86-64 Linux; `None` when this provium was built for a system on which none can
/// be built.
#[must_use]
pub fn program() -> Option<&'static [u8]> {
    #[cfg(agent)]
    return Some(include_bytes!(concat!(env!("OUT_DIR"), "/provium-agent")));
    #[cfg(not(agent))]
    None
}
