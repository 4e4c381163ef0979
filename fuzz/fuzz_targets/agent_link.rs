//! Any bytes on the link between host and agent are understood or refused by both: `cargo +nightly fuzz run agent_link`.
//!
//! `tests/agent_link.rs` runs the corpus through the same functions with every `cargo test`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    provium_protocol::wire::check::exhaust(bytes);
    provium_qemu::link::check::exhaust(bytes);
    provium_sim::check::exhaust(bytes);
});
