//! Traces in which bits changed: no change may go unnoticed.

use provium::trace::format::{End, TraceError, TraceReader};
use provium::trace::record::Record;

use crate::sample;

/// What a reader makes of a file: the records it gives, and how it ends.
fn read(file: &[u8]) -> (Vec<Record>, Result<Option<End>, TraceError>) {
    let mut reader = match TraceReader::new(file) {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let mut records = Vec::new();
    loop {
        match reader.next_record() {
            Ok(Some(record)) => records.push(record),
            Ok(None) => return (records, Ok(reader.end().cloned())),
            Err(error) => {
                assert!(matches!(reader.next_record(), Ok(None)), "damage is told once");
                assert!(matches!(reader.end(), Some(End::Damaged(_))));
                return (records, Err(error));
            }
        }
    }
}

fn flip(file: &mut [u8], bit: usize) {
    file[bit / 8] ^= 1 << (bit % 8);
}

#[test]
fn every_flipped_bit_of_the_header_is_detected() {
    let (mut file, _) = sample::file(&sample::run());
    for bit in 0..sample::header_size(&file) * 8 {
        flip(&mut file, bit);
        let (records, result) = read(&file);
        assert_eq!(records, [], "bit {bit}");
        match result {
            Err(TraceError::NotATrace { .. } | TraceError::Mangled { .. }) if bit < 64 => {}
            Err(TraceError::HeaderDamaged { .. }) if bit >= 64 => {}
            // A length that became larger than the file.
            Err(TraceError::HeaderTorn { .. }) if (80..112).contains(&bit) => {}
            other => panic!("bit {bit}: {other:?}"),
        }
        flip(&mut file, bit);
    }
}

#[test]
fn every_flipped_bit_of_the_blocks_is_detected_and_named() {
    let records = sample::run();
    let (mut file, _) = sample::file(&records);
    let blocks = sample::blocks(&file);
    for bit in sample::header_size(&file) * 8..file.len() * 8 {
        flip(&mut file, bit);
        let (read, result) = read(&file);
        assert_eq!(read, records[..read.len()], "bit {bit}");
        let block = blocks.iter().rposition(|start| *start <= bit / 8).expect("the bit is in a block");
        match result {
            Err(TraceError::Damaged(damage)) => {
                assert_eq!((damage.block as usize, damage.at as usize), (block, blocks[block]), "bit {bit}: {damage}");
                assert_eq!(damage.records, read.len() as u64);
            }
            other => panic!("bit {bit}: {other:?}"),
        }
        flip(&mut file, bit);
    }
}

#[test]
fn blocks_that_are_missing_swapped_or_doubled_are_detected() {
    let (file, _) = sample::file(&sample::run());
    let starts = sample::blocks(&file);
    let block = |n: usize| &file[starts[n]..starts[n + 1]];
    let header = &file[..starts[0]];
    let last = starts.len() - 2;
    let whole: Vec<&[u8]> = (0..=last).map(block).collect();
    let mut without = whole.clone();
    without.remove(1);
    let mut swapped = whole.clone();
    swapped.swap(0, 1);
    let mut doubled = whole.clone();
    doubled.insert(1, whole[1]);
    let mut closing_only = vec![whole[last]];
    let mut goes_on = whole.clone();
    goes_on.push(b"x");
    for (what, blocks) in [
        ("without one", &mut without),
        ("two swapped", &mut swapped),
        ("one doubled", &mut doubled),
        ("only the closing block", &mut closing_only),
        ("with a byte too many", &mut goes_on),
    ] {
        blocks.insert(0, header);
        let (_, result) = read(&blocks.concat());
        assert!(matches!(result, Err(TraceError::Damaged(_))), "{what}: {result:?}");
    }
}

#[test]
fn a_file_that_was_treated_as_text_says_so() {
    let (file, _) = sample::file(&sample::run());
    let replaced = |from: &[u8], to: &[u8]| {
        let mut out = Vec::new();
        let mut rest = &file[..];
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix(from) {
                out.extend_from_slice(to);
                rest = after;
            } else {
                out.push(rest[0]);
                rest = &rest[1..];
            }
        }
        out
    };
    let latin: String = file.iter().map(|byte| char::from(*byte)).collect();
    for (what, mangled) in [
        ("CR LF to LF", replaced(b"\r\n", b"\n")),
        ("LF to CR LF", replaced(b"\n", b"\r\n")),
        ("seven bits", file.iter().map(|byte| byte & 0x7f).collect()),
        ("Latin-1 to UTF-8", latin.into_bytes()),
        ("lossy UTF-8", String::from_utf8_lossy(&file).into_owned().into_bytes()),
    ] {
        let (_, result) = read(&mangled);
        assert!(matches!(result, Err(TraceError::Mangled { .. })), "{what}: {result:?}");
    }
}
