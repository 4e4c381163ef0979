//! Waiting until a guest has nothing to do.
//!
//! A guest that answers is not done with its boot: it still inserts modules, and its kernel looks for devices. A machine that
//! is saved meanwhile leaves the rest of it to each of its clones, and under emulation that takes longer than all else that a
//! clone needs. What a guest does is seen from outside, by the time that its QEMU spends, so that it does not matter what
//! runs in it.

use std::fs;
use std::time::{Duration, Instant};

use super::Machine;

/// How long one look at a guest takes. One that is idle is woken by its timers a few times meanwhile.
const LOOK: Duration = Duration::from_millis(50);
/// The share of a look that an idle guest may be busy, in percent: emulated, its timers take about five.
const IDLE_PERCENT: u32 = 25;
/// So many looks one after the other must find a guest idle: it may have waited for a device.
const LOOKS: u32 = 4;
impl Machine {
    /// Waits until the guest has nothing to do, and tells whether that is so; for as long as `patience`, and not at all where the
    /// host does not tell.
    pub async fn at_rest(&self, patience: Duration) -> bool {
        let begun = Instant::now();
        let mut idle_looks = 0;
        while idle_looks < LOOKS && begun.elapsed() < patience {
            let look = Instant::now();
            let Some(before) = self.busy() else { return false };
            tokio::time::sleep(LOOK).await;
            let Some(after) = self.busy() else { return false };
            let idle = after.saturating_sub(before) * 100 < look.elapsed() * IDLE_PERCENT;
            idle_looks = if idle { idle_looks + 1 } else { 0 };
        }
        idle_looks == LOOKS
    }

    /// How long QEMU has had something to do so far: also while the host's processors were others'.
    fn busy(&self) -> Option<Duration> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid()?)).ok()?;
        let stats = threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
        let busy: Duration = stats.filter_map(|stat| busy_of(&stat)).sum();
        // A kernel that does not count says so by zeros.
        (busy > Duration::ZERO).then_some(busy)
    }
}

/// Of a line of `/proc/PID/task/TID/schedstat`: the nanoseconds on a processor, and those of waiting for one.
fn busy_of(stat: &str) -> Option<Duration> {
    let mut fields = stat.split_ascii_whitespace().map(str::parse::<u64>);
    Some(Duration::from_nanos(fields.next()?.ok()?.saturating_add(fields.next()?.ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_a_processor_counts() {
        assert_eq!(busy_of("1500 500 3\n"), Some(Duration::from_nanos(2_000)));
        assert_eq!(busy_of("1500\n"), None);
        assert_eq!(busy_of(""), None);
    }
}
