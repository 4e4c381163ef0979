//! `vm:run("true")`, next to the same command by way of `qemu-guest-agent` on the same kind of guest.

use std::sync::Arc;
use std::time::Duration;

use provium_qemu::backend::Host;

use super::drive::{self, run};
use super::qga::Qga;
use super::raw::Raw;
use super::stats::{Times, timed};

/// Turns, and commands of each turn.
const TURNS: usize = 10;
const COMMANDS: usize = 20;
/// Those with a pause take long, and do not differ by much.
const SLOW_COMMANDS: usize = 3;

/// How long most who poll pause.
const PAUSE: Duration = Duration::from_millis(100);

pub fn bench(host: &Arc<Host>) {
    let backend = drive::backend(host);
    let guest = drive::boot(&backend, "bench");
    let raw = Raw::qga();
    let mut qga = Qga::greet(&raw.port);
    assert!(qga.is_quiet(), "an answer was left over");
    let (mut runs, mut busy, mut slow) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..=TURNS {
        // The first warms everything up.
        let keep = turn > 0;
        for _ in 0..COMMANDS {
            let (time, ()) = timed(|| run(&backend, &*guest, "true"));
            runs.extend(keep.then_some(time));
        }
        for _ in 0..COMMANDS {
            let (time, ()) = timed(|| qga.run("true", None));
            busy.extend(keep.then_some(time));
        }
        for _ in 0..SLOW_COMMANDS {
            let (time, ()) = timed(|| qga.run("true", Some(PAUSE)));
            slow.extend(keep.then_some(time));
        }
    }
    let runs = Times::new("run(\"true\")", runs);
    let busy = Times::new("guest-exec, polled all the time", busy);
    let slow = Times::new("guest-exec, polled every 100 ms", slow);
    for times in [&runs, &busy, &slow] {
        times.print();
    }
    busy.print_ratio(&runs, "at least 3");
    slow.print_ratio(&runs, "at least 10");
}
