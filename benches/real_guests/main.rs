//! What real guests cost: round trips, commands, throughput, boots, recording.
//!
//! `cargo bench --bench real_guests`, or `cargo bench --bench real_guests -- NAME...` for some of: `round_trip`, `run_true`,
//! `read_file`, `boots`, `recording`. Where there is no QEMU it says so and ends.
//!
//! Not made with criterion: what is compared here are pairs, measured in turns (A B A B), because a host that is shared
//! drifts by more than what is looked for; and a boot takes seconds, so that its rounds must be few.

mod boots;
mod drive;
#[expect(dead_code, reason = "what it does in a guest is compiled by itself")]
mod echo;
mod qga;
mod raw;
mod read_file;
#[path = "../../tests/common/real_host.rs"]
mod real_host;
mod recording;
mod round_trip;
mod run_true;
mod stats;

use std::sync::Arc;

use provium_qemu::backend::Host;
use real_host::host;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let Some(host) = host() else { return };
    type Bench = fn(&Arc<Host>);
    let all: [(&str, Bench); 5] = [
        ("round_trip", round_trip::bench),
        ("run_true", run_true::bench),
        ("read_file", read_file::bench),
        ("boots", boots::bench),
        ("recording", recording::bench),
    ];
    for (name, bench) in all {
        if wanted.is_empty() || wanted.iter().any(|one| one == name) {
            println!("{name}");
            bench(&host);
        }
    }
}
