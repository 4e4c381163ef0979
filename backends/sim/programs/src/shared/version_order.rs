//! The order of version numbers in names, as gnulib's filevercmp: `sort -V`, `ls -v`.

use std::cmp::Ordering;

/// Compares two names: runs of digits by value, the rest byte by byte with letters first.
#[must_use]
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    if a.is_empty() || b.is_empty() {
        return a.len().cmp(&b.len());
    }
    let dotted = a[0] == b'.' || b[0] == b'.';
    if dotted {
        // `.` and `..` come first, then other names that begin with a dot.
        let rank = |name: &[u8]| match name {
            b"." => 0,
            b".." => 1,
            [b'.', ..] => 2,
            _ => 3,
        };
        let (ra, rb) = (rank(a), rank(b));
        if ra != rb || ra < 2 {
            return ra.cmp(&rb);
        }
    }
    let (pa, pb) = (&a[..prefix_length(a)], &b[..prefix_length(b)]);
    let first = runs(pa, pb);
    if first != Ordering::Equal || (pa.len() == a.len() && pb.len() == b.len()) { first } else { runs(a, b) }
}

/// The length without suffixes such as `.tar.gz`: `(\.[A-Za-z~][A-Za-z0-9~]*)*` at the end.
fn prefix_length(name: &[u8]) -> usize {
    let mut prefix = name.len();
    let mut end = name.len();
    while let Some(dot) = name[..end].iter().rposition(|byte| *byte == b'.') {
        let part = &name[dot + 1..end];
        let starts = part.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'~');
        if dot == 0 || !starts || !part.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'~') {
            break;
        }
        prefix = dot;
        end = dot;
    }
    prefix
}

fn order(name: &[u8], at: usize) -> i32 {
    match name.get(at) {
        None => -1,
        Some(byte) if byte.is_ascii_digit() => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(b'~') => -2,
        Some(byte) => i32::from(*byte) + 256,
    }
}

fn runs(a: &[u8], b: &[u8]) -> Ordering {
    let digit = |name: &[u8], at: usize| name.get(at).is_some_and(u8::is_ascii_digit);
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        while (i < a.len() && !digit(a, i)) || (j < b.len() && !digit(b, j)) {
            let (left, right) = (order(a, i), order(b, j));
            if left != right {
                return left.cmp(&right);
            }
            i += 1;
            j += 1;
        }
        while a.get(i) == Some(&b'0') {
            i += 1;
        }
        while b.get(j) == Some(&b'0') {
            j += 1;
        }
        let mut first = Ordering::Equal;
        while digit(a, i) && digit(b, j) {
            first = first.then(a[i].cmp(&b[j]));
            i += 1;
            j += 1;
        }
        let longer = digit(a, i).cmp(&digit(b, j));
        if longer.then(first) != Ordering::Equal {
            return longer.then(first);
        }
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::compare;

    #[test]
    fn numbers_count_by_value_and_suffixes_come_last() {
        for pair in [
            ["", "a"],
            [".", ".."],
            ["..", ".a"],
            [".a", "a"],
            ["a1", "a2"],
            ["a2", "a10"],
            ["a1.2", "a1.10"],
            ["a~", "a"],
            ["a.tar.gz", "a1.tar.gz"],
            ["1.0rc1", "1.01"],
        ] {
            assert_eq!(compare(pair[0].as_bytes(), pair[1].as_bytes()), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair[1].as_bytes(), pair[0].as_bytes()), Ordering::Greater, "{pair:?}");
        }
        assert_eq!(compare(b"a01", b"a1"), Ordering::Equal);
    }
}
