//! An operation that does nothing, next to an echo of 16 bytes over the same kind of port.

use std::sync::Arc;

use provium_qemu::backend::Host;

use super::drive::{self, ask, nothing};
use super::raw::Raw;
use super::stats::{Times, timed};

/// Turns, and messages of each turn: as many as one looks at as one.
const TURNS: usize = 20;
const MESSAGES: usize = 200;

pub fn bench(host: &Arc<Host>) {
    let backend = drive::backend(host);
    let guest = drive::boot(&backend, "bench");
    let mut raw = Raw::echo();
    let (mut echoes, mut operations) = (Vec::new(), Vec::new());
    for turn in 0..=TURNS {
        // The first warms everything up.
        let keep = turn > 0;
        for _ in 0..MESSAGES {
            let (time, ()) = timed(|| raw.round_trip());
            echoes.extend(keep.then_some(time));
        }
        for _ in 0..MESSAGES {
            let (time, _) = timed(|| ask(&backend, &*guest, nothing()));
            operations.extend(keep.then_some(time));
        }
    }
    let echoes = Times::new("raw echo of 16 bytes", echoes);
    let operations = Times::new("empty operation", operations);
    echoes.print();
    operations.print();
    operations.print_ratio(&echoes, "at most 1.5");
}
