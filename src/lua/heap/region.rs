//! Memory whose addresses have the same lower halves in every process.

use std::cell::RefCell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A region begins at a multiple of this (4 GiB), so that the lower half of an address is its offset in the region.
const ALIGNMENT: usize = 1 << 32;

/// Where regions are looked for (16 TiB to 64 TiB): far from where Linux puts programs, heaps, libraries and stacks on a
/// 64-bit machine.
const FIRST: usize = 1 << 44;
const LAST: usize = 1 << 46;

/// The memory that is asked of the host at a time, in bytes (1 MiB): a small test needs no more.
pub const STEP: usize = 1 << 20;

/// The longest a region grows, in bytes (1 GiB): twice what Lua may hold, for what lies between its blocks.
pub const MAX_LENGTH: usize = 1 << 30;

/// What a region keeps of its memory for the next state, in bytes (4 MiB).
const KEPT: usize = 4 << 20;

/// Regions that a thread keeps for its next states: it hardly ever has more than one at a time.
const SPARE: usize = 2;

/// Places tried before there is said to be none: each may be taken by another state.
const TRIES: usize = 4_096;

thread_local! {
    static SPARES: RefCell<Vec<Region>> = const { RefCell::new(Vec::new()) };
}

/// A stretch of memory that grows at its end and never moves.
pub struct Region {
    base: usize,
    length: usize,
}

impl Region {
    /// A fresh region, or one that another state has left; `None` if the host has no memory or no place for one.
    pub fn take() -> Option<Region> {
        let spare = SPARES.try_with(|spares| spares.borrow_mut().pop()).ok().flatten();
        spare.or_else(Region::map_somewhere)
    }

    /// Lets the next state have it.
    pub fn give_back(mut self) {
        if self.length > KEPT {
            unmap(self.base + KEPT, self.length - KEPT);
            self.length = KEPT;
        }
        // While the thread ends there is no next state: it is dropped.
        let _ = SPARES.try_with(move |spares| {
            let mut spares = spares.borrow_mut();
            if spares.len() < SPARE {
                spares.push(self);
            }
        });
    }

    fn map_somewhere() -> Option<Region> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let places = (LAST - FIRST) / ALIGNMENT;
        (0..TRIES).find_map(|_| {
            let base = FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % places * ALIGNMENT;
            map(base, STEP).then_some(Region { base, length: STEP })
        })
    }

    /// Where it begins.
    pub fn base(&self) -> usize {
        self.base
    }

    /// Makes it at least this long; whether that was possible.
    pub fn reach(&mut self, length: usize) -> bool {
        if length <= self.length {
            return true;
        }
        if length > MAX_LENGTH {
            return false;
        }
        // In larger and larger steps, so that a state that grows asks seldom; in the smallest if the host is short.
        let generous = length.max(self.length + self.length / 2).next_multiple_of(STEP).min(MAX_LENGTH);
        for wanted in [generous, length.next_multiple_of(STEP)] {
            if map(self.base + self.length, wanted - self.length) {
                self.length = wanted;
                return true;
            }
        }
        false
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        unmap(self.base, self.length);
    }
}

/// Maps fresh memory exactly here, unless something is there already.
fn map(address: usize, length: usize) -> bool {
    let hint = address as *mut libc::c_void;
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: without MAP_FIXED the address is a wish, and no mapping that exists is touched.
    let got = unsafe { libc::mmap(hint, length, protection, flags, -1, 0) };
    if got == libc::MAP_FAILED {
        return false;
    }
    if got != hint {
        unmap(got as usize, length);
        return false;
    }
    true
}

fn unmap(address: usize, length: usize) {
    if length > 0 {
        // SAFETY: only called with what `map` mapped, whole pages, when nothing in it is used any more.
        unsafe { libc::munmap(if address == 0 { null_mut() } else { address as *mut libc::c_void }, length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_differ_only_in_the_upper_half() {
        let mut regions: Vec<Region> = (0..8).filter_map(|_| Region::map_somewhere()).collect();
        assert_eq!(regions.len(), 8);
        for region in &mut regions {
            assert_eq!(region.base() % ALIGNMENT, 0);
            assert!(region.reach(10 * STEP + 1));
            assert!(!region.reach(MAX_LENGTH + 1));
            // SAFETY: the region reaches that far, and nothing else uses it.
            unsafe { ((region.base() + 10 * STEP) as *mut u8).write(1) };
        }
    }
}
