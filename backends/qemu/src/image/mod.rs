//! What a guest boots from.
