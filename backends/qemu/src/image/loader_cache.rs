//! `/etc/ld.so.cache`: where the loader of programs finds libraries, without looking into a dozen directories for each.
//!
//! Every Debian has one, made by ldconfig(8), which writes it for another root only as root. The format is that of glibc 2.2
//! and later (`sysdeps/generic/dl-cache.h`): a header, an entry for each library, names; all numbers little-endian.

use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Where it is.
pub const PATH: &str = "/etc/ld.so.cache";

/// What it begins with: the name of the format and its version.
const MAGIC: &[u8; 20] = b"glibc-ld.so.cache1.1";

/// Bytes of the header.
const HEADER: usize = 48;
/// Bytes of an entry.
const ENTRY: usize = 24;

/// The header's mark for little-endian numbers.
const LITTLE_ENDIAN: u8 = 2;

/// A library for x86-64, of programs that use glibc 2 (`FLAG_X8664_LIB64 | FLAG_ELF_LIBC6`).
const X86_64: u32 = 0x0303;

/// The cache of these libraries, by their paths in the guest.
pub fn cache(libraries: &BTreeSet<String>) -> Vec<u8> {
    let mut sorted: Vec<(&str, &str)> =
        libraries.iter().map(|path| (path.rsplit('/').next().unwrap_or(path), path.as_str())).collect();
    // The loader searches by halves, from the greatest to the least.
    sorted.sort_by(|(one, _), (other, _)| compare(other.as_bytes(), one.as_bytes()));
    let names_at = HEADER + ENTRY * sorted.len();
    let (mut entries, mut names) = (Vec::new(), Vec::new());
    let mut place = |name: &str| {
        let at = number(names_at + names.len());
        names.extend_from_slice(name.as_bytes());
        names.push(0);
        at
    };
    for (name, path) in &sorted {
        entries.extend_from_slice(&X86_64.to_le_bytes());
        entries.extend_from_slice(&place(name));
        entries.extend_from_slice(&place(path));
        // The oldest kernel, and what the processor must have: any will do.
        entries.resize(entries.len() + 4 + 8, 0);
    }
    let mut cache = MAGIC.to_vec();
    cache.extend_from_slice(&number(sorted.len()));
    cache.extend_from_slice(&number(names.len()));
    cache.push(LITTLE_ENDIAN);
    cache.resize(HEADER, 0);
    [cache, entries, names].concat()
}

fn number(number: usize) -> [u8; 4] {
    // A few dozen paths are nowhere near 4 GiB.
    u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes()
}

/// How the loader compares names: digits by the number that they are, and a digit above everything else.
fn compare(mut one: &[u8], mut other: &[u8]) -> Ordering {
    loop {
        let order = match (one, other) {
            ([], _) | (_, []) => return one.len().cmp(&other.len()),
            ([a, ..], [b, ..]) if a.is_ascii_digit() && b.is_ascii_digit() => {
                take_number(&mut one).cmp(&take_number(&mut other))
            }
            ([a, ..], [b, ..]) if a.is_ascii_digit() != b.is_ascii_digit() => {
                a.is_ascii_digit().cmp(&b.is_ascii_digit())
            }
            ([a, one_rest @ ..], [b, other_rest @ ..]) => {
                let order = a.cmp(b);
                (one, other) = (one_rest, other_rest);
                order
            }
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Takes a number off the beginning.
fn take_number(text: &mut &[u8]) -> u64 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    *text = rest;
    number.iter().fold(0_u64, |value, digit| value.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;
    use crate::testing;

    #[test]
    fn names_are_in_the_order_of_the_loader() {
        let ascending =
            ["lib.so", "liba.so.1", "libc.so.6", "libc.so.10", "libcap.so.2", "libm.so", "libm.so.6", "lib2"];
        for pair in ascending.windows(2) {
            assert_eq!(compare(pair[0].as_bytes(), pair[1].as_bytes()), Ordering::Less, "{pair:?}");
        }
    }

    #[test]
    fn the_systems_own_tool_reads_it() {
        let paths =
            ["/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libm.so.6", "/lib64/ld-linux-x86-64.so.2"];
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("cache");
        std::fs::write(&file, cache(&paths.map(str::to_owned).into())).expect("written");
        let output = Command::new("/sbin/ldconfig").arg("-C").arg(&file).arg("-p").output();
        let Some(output) = testing::available("ldconfig", output) else { return };
        let text = String::from_utf8_lossy(&output.stdout);
        let lines: Vec<&str> = text.lines().skip(1).take(3).map(str::trim).collect();
        let expected = [
            "libm.so.6 (libc6,x86-64) => /lib/x86_64-linux-gnu/libm.so.6",
            "libc.so.6 (libc6,x86-64) => /lib/x86_64-linux-gnu/libc.so.6",
            "ld-linux-x86-64.so.2 (libc6,x86-64) => /lib64/ld-linux-x86-64.so.2",
        ];
        assert_eq!(lines, expected, "{text}");
    }

    proptest! {
        #[test]
        fn the_order_is_one(names in prop::collection::vec("[a-c0-2.]{0,6}", 3)) {
            let order = |a: usize, b: usize| compare(names[a].as_bytes(), names[b].as_bytes());
            prop_assert_eq!(order(0, 1), order(1, 0).reverse());
            if order(0, 1).is_le() && order(1, 2).is_le() {
                prop_assert!(order(0, 2).is_le());
            }
        }
    }
}
