//! The link between the host and the agent in a guest.
