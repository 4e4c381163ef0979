//! Any bytes are a trace that is read to its end, or refused: `cargo +nightly fuzz run trace_reader`.
//!
//! `tests/trace_format/corpus.rs` runs the corpus through the same function with every `cargo test`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| provium::trace::check::exhaust(bytes));
