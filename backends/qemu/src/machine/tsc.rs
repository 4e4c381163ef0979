//! How fast the clock runs that guests count processor cycles by.
//!
//! Under TCG a guest's time-stamp counter is the host's. A kernel that is told its rate need not take the long way of finding it
//! out against a timer that is emulated, which takes up to a tenth of a second, fails on a host that is busy, and is wrong by a
//! thousandth.

use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

use super::spec::{Accel, LaunchSpec};

/// With instructions counted, QEMU's counter is its virtual clock: one for each nanosecond.
const VIRTUAL_KHZ: u32 = 1_000_000;

/// Between two looks at the counter. Each is off by tens of nanoseconds at most, so the rate by some millionths.
const BETWEEN: Duration = Duration::from_millis(10);

/// Looks at both clocks, of which the quickest counts: the others were interrupted.
#[cfg(target_arch = "x86_64")]
const LOOKS: usize = 8;

/// The rate of a machine's counter in kHz, if it is known.
pub(crate) async fn khz(spec: &LaunchSpec) -> Option<u32> {
    match (spec.accel, spec.virtual_time) {
        // The kernel asks the processor, or KVM.
        (Accel::Kvm, _) => None,
        (Accel::Tcg, Some(_)) => Some(VIRTUAL_KHZ),
        (Accel::Tcg, None) => host_khz().await,
    }
}

async fn host_khz() -> Option<u32> {
    static MEASURED: OnceCell<Option<u32>> = OnceCell::const_new();
    let measure = async {
        if !is_constant() {
            return None;
        }
        let (cycles, time) = look()?;
        tokio::time::sleep(BETWEEN).await;
        let (later, now) = look()?;
        rate(later.checked_sub(cycles)?, now.duration_since(time))
    };
    *MEASURED.get_or_init(|| measure).await
}

fn rate(cycles: u64, time: Duration) -> Option<u32> {
    let khz = u128::from(cycles) * 1_000_000 / time.as_nanos().max(1);
    u32::try_from(khz).ok().filter(|khz| *khz > 0)
}

/// Whether the host's counter runs at one rate, whatever the processor does.
fn is_constant() -> bool {
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flags = processors.lines().find(|line| line.starts_with("flags"));
    flags.is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "constant_tsc"))
}

/// The counter, and when it was read.
#[cfg(target_arch = "x86_64")]
fn look() -> Option<(u64, Instant)> {
    let looks = (0..LOOKS).map(|_| {
        let before = Instant::now();
        // SAFETY: every such processor has the instruction, and Linux lets programs use it.
        let cycles = unsafe { std::arch::x86_64::_rdtsc() };
        (before.elapsed(), cycles, before)
    });
    let (took, cycles, before) = looks.min_by_key(|(took, ..)| *took)?;
    Some((cycles, before + took / 2))
}

/// Guests of a processor of another kind have another counter.
#[cfg(not(target_arch = "x86_64"))]
fn look() -> Option<(u64, Instant)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_in_kilohertz() {
        assert_eq!(rate(23_000_000, Duration::from_millis(10)), Some(2_300_000));
        assert_eq!(rate(0, Duration::from_millis(10)), None);
        assert_eq!(rate(u64::MAX, Duration::ZERO), None);
    }

    #[tokio::test]
    async fn the_rate_is_known_where_the_kernel_has_to_find_it_out() {
        let spec = LaunchSpec::new("a", "/kernel", None);
        assert_eq!(khz(&LaunchSpec { accel: Accel::Kvm, ..spec.clone() }).await, None);
        let virtual_time = Some(super::super::VirtualTime::default());
        assert_eq!(khz(&LaunchSpec { virtual_time, ..spec.clone() }).await, Some(VIRTUAL_KHZ));
        // No processor of these decades is slower, or has a counter that is faster.
        if let Some(khz) = khz(&spec).await {
            assert!((100_000..10_000_000).contains(&khz), "{khz} kHz");
        }
    }
}
