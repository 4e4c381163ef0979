//! The order in which ls lists files.

use std::cmp::Ordering;

use provium_kernel::TimeSpec;

use super::File;
use super::options::{Options, SortBy, TimeOf};

/// Sorts as the options say; what is equal goes by name.
pub(super) fn sort(files: &mut [File], options: &Options) {
    if options.sort == SortBy::Nothing {
        return;
    }
    files.sort_by(|a, b| {
        if options.directories_first && a.is_dir() != b.is_dir() {
            return b.is_dir().cmp(&a.is_dir());
        }
        let order = by(options, a, b).then_with(|| a.name.cmp(&b.name));
        if options.reverse { order.reverse() } else { order }
    });
}

fn by(options: &Options, a: &File, b: &File) -> Ordering {
    match options.sort {
        SortBy::Nothing | SortBy::Name => Ordering::Equal,
        SortBy::Extension => extension(&a.name).cmp(extension(&b.name)),
        SortBy::Version => version(&a.name, &b.name),
        SortBy::Width => a.name.len().cmp(&b.name.len()),
        SortBy::Size => size(b).cmp(&size(a)),
        SortBy::Time => time(b, options.time).cmp(&time(a, options.time)),
    }
}

fn size(file: &File) -> u64 {
    file.stat.map_or(0, |stat| stat.size)
}

/// The time of a file that counts.
pub(super) fn time(file: &File, which: TimeOf) -> TimeSpec {
    let Some(stat) = file.stat else { return TimeSpec::default() };
    match which {
        TimeOf::Modification => stat.mtime,
        TimeOf::Access => stat.atime,
        TimeOf::Change => stat.ctime,
    }
}

fn extension(name: &[u8]) -> &[u8] {
    name.iter().rposition(|&byte| byte == b'.').map_or(&[][..], |dot| &name[dot..])
}

/// Names with numbers in them, the numbers by value: `a2` before `a10`.
fn version(a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (text_a, text_b) = (text(a), text(b));
        let order = a[..text_a].cmp(&b[..text_b]);
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (&a[text_a..], &b[text_b..]);
        let (digits_a, digits_b) = (digits(a), digits(b));
        let (number_a, number_b) = (without_zeros(&a[..digits_a]), without_zeros(&b[..digits_b]));
        let order = number_a.len().cmp(&number_b.len()).then_with(|| number_a.cmp(number_b));
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (&a[digits_a..], &b[digits_b..]);
        if a.is_empty() || b.is_empty() {
            return a.len().cmp(&b.len());
        }
    }
}

fn text(name: &[u8]) -> usize {
    name.iter().take_while(|byte| !byte.is_ascii_digit()).count()
}

fn digits(name: &[u8]) -> usize {
    name.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn numbers_in_names_go_by_value() {
        let mut names = ["a10", "a2", "b1", "a2b", "a"];
        names.sort_by(|a, b| version(a.as_bytes(), b.as_bytes()));
        assert_eq!(names, ["a", "a2", "a2b", "a10", "b1"]);
    }
}
