//! Hostile traces cost bounded memory. A test binary of its own, because it counts every byte of the process.

#[path = "common/counting.rs"]
mod counting;

use counting::counted;
use provium::trace::format::codec::MAX_RECORD;
use provium::trace::format::context::DICTIONARY;
use provium::trace::format::{TraceReader, TraceWriter};
use provium::trace::record::Header;

/// The most memory that a reader may take, in bytes: the record's bytes, its parts, and both again while they grow.
const MOST: usize = 6 * MAX_RECORD;

/// The most that a reader of small records may take, in bytes.
const MOST_OF_SMALL: usize = 2 << 20;

/// A header and blocks whose stream is `bytes`, repeated as often as fits into `total`.
fn file(start: &[u8], repeated: &[u8], total: usize) -> Vec<u8> {
    let mut file = Vec::new();
    drop(TraceWriter::new(&mut file, &Header::default()).expect("a header"));
    let mut encoder = zstd::stream::write::Encoder::with_dictionary(Vec::new(), 1, DICTIONARY).expect("zstd works");
    encoder.window_log(17).expect("zstd can do so little");
    let block: Vec<u8> = repeated.iter().copied().cycle().take((60_000 / repeated.len()) * repeated.len()).collect();
    let mut written = 0;
    for number in 0_u32.. {
        let raw = if number == 0 { start } else { &block[..] };
        std::io::Write::write_all(&mut encoder, raw).expect("memory takes everything");
        std::io::Write::flush(&mut encoder).expect("memory takes everything");
        let payload = &encoder.get_ref()[written..];
        let mut head = vec![1];
        for word in [number, payload.len() as u32, raw.len() as u32, crc32c::crc32c(payload)] {
            head.extend_from_slice(&word.to_le_bytes());
        }
        let checksum = crc32c::crc32c(&head);
        head.extend_from_slice(&checksum.to_le_bytes());
        file.extend_from_slice(&head);
        file.extend_from_slice(payload);
        written = encoder.get_ref().len();
        if number as usize * block.len() > total {
            break;
        }
    }
    file
}

/// Reads to the end; says how much memory that took.
fn read(file: &[u8]) -> usize {
    let ((), took) = counted(|| {
        let mut reader = TraceReader::new(file).expect("the header is good");
        while let Ok(Some(_)) = reader.next_record() {}
    });
    took
}

#[test]
fn a_reader_needs_memory_for_one_record_whatever_the_file_says() {
    let many = [253, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    // A program's start: name, process, no arguments, and variables without end, each of two bytes.
    let env = [&[12, 0, 0, 0][..], &many].concat();
    let args = [&[12, 0, 0][..], &many].concat();
    let choices = [&[10][..], &many].concat();
    // A log of 70 MiB, whole, and one that never comes.
    let log = [20, 252, 0, 0, 0x60, 4];
    let never = [20, 252, 0, 0, 0xf0, 4];
    for (what, start, repeated) in [
        ("variables", &env[..], &[0, 0][..]),
        ("arguments", &args[..], &[0][..]),
        ("choices", &choices[..], &[0, 2, 1][..]),
        ("a text", &log[..], &b"x"[..]),
        ("a text that never comes", &never[..], &b"x"[..]),
    ] {
        let file = file(start, repeated, MAX_RECORD + (8 << 20));
        let took = read(&file);
        println!("{what}: {} KiB for a file of {} KiB", took >> 10, file.len() >> 10);
        assert!(took < MOST, "{what}: {took} bytes");
    }
    // Pieces of a text that grows, and of texts without end.
    let piece = [&[21, 0, 251, 0xf0, 0x3f][..], &[b'x'; 0x3ff0]].concat();
    for total in [8 << 20, 64 << 20] {
        let file = file(&piece, &piece, total);
        let took = read(&file);
        println!("pieces: {} KiB for a file of {} KiB", took >> 10, file.len() >> 10);
        // What was read, and the same again while it grows.
        assert!(took < 3 * total + MOST_OF_SMALL, "pieces: {took} bytes of {total}");
    }
    let polls = file(&[0, 0, 0], &[0, 0, 0], 8 << 20);
    let took = read(&polls);
    assert!(took < MOST_OF_SMALL, "small records: {took} bytes");
}
