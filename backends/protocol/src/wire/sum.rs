//! CRC-32C, as fast as it is to be had at either end of a link.
//!
//! A host has an instruction for it. An emulated guest has it too, but QEMU carries it out bit by bit, and a table costs it as
//! much as the reads of memory that it takes: so it reads eight bytes at a time, and looks each of sixteen up in a table of its
//! own. The sums are the same.
//!
//! Rejected: the crate `crc`, whose tables are as many but which reads byte by byte, which is slower under
//! emulation. Tables for two bytes at once: their 1 MiB saves nothing.

/// CRC-32C of these bytes.
#[cfg(feature = "processor-sums")]
pub(super) fn sum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
}

/// CRC-32C of these bytes.
#[cfg(not(feature = "processor-sums"))]
pub(super) fn sum(bytes: &[u8]) -> u32 {
    by_tables(bytes)
}

#[cfg(any(test, not(feature = "processor-sums")))]
use tables::by_tables;

#[cfg(any(test, not(feature = "processor-sums")))]
mod tables {
    /// The polynomial of Castagnoli, its lowest power in the highest bit.
    const POLYNOMIAL: u32 = 0x82f6_3b78;

    /// Bytes of one step.
    const STEP: usize = 16;

    /// What a byte adds to the sum when so many bytes of its step follow it.
    static TABLES: [[u32; 256]; STEP] = tables();

    const fn tables() -> [[u32; 256]; STEP] {
        let mut tables = [[0; 256]; STEP];
        let mut byte = 0;
        while byte < 256 {
            let mut sum = byte as u32;
            let mut bit = 0;
            while bit < 8 {
                sum = if sum & 1 == 0 { sum >> 1 } else { (sum >> 1) ^ POLYNOMIAL };
                bit += 1;
            }
            tables[0][byte] = sum;
            byte += 1;
        }
        let mut behind = 1;
        while behind < STEP {
            let mut byte = 0;
            while byte < 256 {
                let sum = tables[behind - 1][byte];
                tables[behind][byte] = (sum >> 8) ^ tables[0][(sum & 0xff) as usize];
                byte += 1;
            }
            behind += 1;
        }
        tables
    }

    /// What eight bytes add to the sum when so many bytes of their step follow them.
    #[inline(always)]
    fn added(bytes: u64, behind: usize) -> u32 {
        let mut sum = 0;
        for (at, byte) in bytes.to_le_bytes().into_iter().enumerate() {
            sum ^= TABLES[behind + 7 - at][usize::from(byte)];
        }
        sum
    }

    /// CRC-32C of these bytes.
    pub fn by_tables(bytes: &[u8]) -> u32 {
        let mut sum = !0;
        let (steps, rest) = bytes.as_chunks::<STEP>();
        for step in steps {
            let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *step;
            let first = u64::from_le_bytes([a, b, c, d, e, f, g, h]) ^ u64::from(sum);
            sum = added(first, 8) ^ added(u64::from_le_bytes([i, j, k, l, m, n, o, p]), 0);
        }
        for byte in rest {
            sum = (sum >> 8) ^ TABLES[0][((sum & 0xff) ^ u32::from(*byte)) as usize];
        }
        !sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_crc_32c() {
        for sum in [sum, by_tables] {
            assert_eq!(sum(b"123456789"), 0xe306_9283);
            assert_eq!(sum(b""), 0);
            // RFC 3720, B.4.
            assert_eq!(sum(&[0; 32]), 0x8a91_36aa);
            assert_eq!(sum(&[0xff; 32]), 0x62a8_ab43);
        }
    }

    proptest::proptest! {
        #[test]
        fn both_ends_come_to_the_same_sum(bytes: Vec<u8>) {
            proptest::prop_assert_eq!(by_tables(&bytes), crc32c::crc32c(&bytes));
        }
    }
}
