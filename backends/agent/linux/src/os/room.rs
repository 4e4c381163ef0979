//! How much memory the guest has to spare.
//!
//! The kernel lets any allocation succeed and kills somebody when the memory is used; process 1 it cannot kill, so it panics.
//! Therefore whatever may be large is asked about here before.

use std::fs;

/// Bytes that are left to everybody else: what a shell and a few of the usual tools need.
const RESERVE: u64 = 8 << 20;

/// Whether so many bytes are to be had. Yes where the kernel does not tell.
pub fn has_room(bytes: u64) -> bool {
    let Ok(text) = fs::read_to_string("/proc/meminfo") else { return true };
    available(&text).is_none_or(|available| bytes.saturating_add(RESERVE) <= available)
}

/// `MemAvailable` of `/proc/meminfo`, in bytes.
fn available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_understood() {
        let text = "MemTotal:         223632 kB\nMemFree:          164000 kB\nMemAvailable:     179364 kB\n";
        assert_eq!(available(text), Some(179_364 << 10));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
        assert_eq!(available("MemAvailable: much\n"), None);
        assert!(has_room(1));
        assert!(!has_room(u64::MAX));
    }
}
