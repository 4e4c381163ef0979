//! The sums by which damage on a link is seen.
//!
//! It is XXH64 (<https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>), cut to 32 bits, because an emulated
//! guest has to make it: additions, rotations and products are cheap there. Rejected: CRC-32C, whose instruction QEMU carries
//! out bit by bit, and whose tables cost a guest ten times as long; XXH3, which is made of vectors.

use twox_hash::XxHash64;

/// The sum of these bytes. Damage of whatever kind goes unseen once in 2³² times.
pub(super) fn sum(bytes: &[u8]) -> u32 {
    XxHash64::oneshot(0, bytes) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_specification() {
        assert_eq!(sum(b""), 0x51d8_e999);
        assert_eq!(sum(b"abc"), 0xad77_0999);
    }
}
