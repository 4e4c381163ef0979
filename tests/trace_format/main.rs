//! The trace file: what it promises to whoever reads it, whatever was done to it.

mod by_hand;
mod bytes;
mod corpus;
mod flips;
mod hostile;
mod make;
mod roundtrip;
mod sample;
mod torn;
