//! Files that were made to hurt. They are refused, and cost neither a panic nor more time and memory than a large
//! trace; `tests/trace_memory.rs` measures the memory.

use proptest::prelude::*;
use provium::trace::format::context::DICTIONARY;
use provium::trace::format::{End, TraceError, TraceReader};

use zstd::stream::write::Encoder;

use crate::sample;

/// A block of records with checksums that fit, whatever it holds.
pub fn block(number: u32, raw: u32, payload: &[u8]) -> Vec<u8> {
    let mut block = vec![1];
    block.extend_from_slice(&number.to_le_bytes());
    block.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    block.extend_from_slice(&raw.to_le_bytes());
    block.extend_from_slice(&crc32c::crc32c(payload).to_le_bytes());
    let checksum = crc32c::crc32c(&block);
    block.extend_from_slice(&checksum.to_le_bytes());
    block.extend_from_slice(payload);
    block
}

fn header() -> Vec<u8> {
    let (file, _) = sample::file(&[]);
    file[..sample::header_size(&file)].to_vec()
}

/// Why a file is refused, after how many records.
fn refused(file: &[u8]) -> (u64, String) {
    let mut reader = TraceReader::new(file).expect("the header is good");
    loop {
        match reader.next_record() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("not refused: {:?}", reader.end()),
            Err(TraceError::Damaged(damage)) => return (reader.position().records, damage.why),
            Err(error) => panic!("{error}"),
        }
    }
}

/// One zstd frame, not ended, of `bytes`.
pub fn frame(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::with_dictionary(Vec::new(), 1, DICTIONARY).expect("zstd works");
    encoder.window_log(17).expect("zstd can do so little");
    std::io::Write::write_all(&mut encoder, bytes).expect("memory takes everything");
    std::io::Write::flush(&mut encoder).expect("memory takes everything");
    encoder.get_ref().clone()
}

#[test]
fn a_payload_that_unpacks_to_more_than_it_claims_is_refused() {
    let bomb = frame(&vec![0; 50 << 20]);
    assert!(bomb.len() < 64 << 10, "{} bytes", bomb.len());
    for raw in [1, 1000, 65_536] {
        let (records, why) = refused(&[header(), block(0, raw, &bomb)].concat());
        assert_eq!((records, why), (0, format!("its content unpacks to more than the {raw} bytes that it claims")));
    }
}

#[test]
fn a_payload_that_is_something_else_is_refused() {
    let unended = frame(b"\x00\x00\x01");
    // An empty last block: the frame ends.
    let ended = [&unended[..], &[1, 0, 0]].concat();
    for (payload, raw, says) in [
        (b"hello world".to_vec(), 11, "its content cannot be unpacked"),
        (Vec::new(), 11, "its content unpacks to 0 bytes instead of 11"),
        (unended.clone(), 4, "its content unpacks to 3 bytes instead of 4"),
        (unended.clone(), 2, "its content unpacks to more than the 2 bytes"),
        (ended, 3, "its content ends the compressed stream"),
        (unended[..unended.len() - 1].to_vec(), 3, "its content unpacks to"),
    ] {
        let (_, why) = refused(&[header(), block(0, raw, &payload)].concat());
        assert!(why.starts_with(says), "{why} instead of {says}");
    }
}

#[test]
fn a_frame_that_wants_a_large_window_is_refused() {
    let mut encoder = Encoder::new(Vec::new(), 1).expect("zstd works");
    encoder.window_log(27).expect("zstd can do so much");
    std::io::Write::write_all(&mut encoder, &[0; 100]).expect("memory takes everything");
    std::io::Write::flush(&mut encoder).expect("memory takes everything");
    let (_, why) = refused(&[header(), block(0, 100, encoder.get_ref())].concat());
    assert!(why.contains("too much memory"), "{why}");
}

#[test]
fn heads_with_impossible_lengths_are_refused() {
    for (raw, payload) in [(0, 1), (65_537, 1), (u32::MAX, 1), (1, 70_000)] {
        let (_, why) = refused(&[header(), block(0, raw, &vec![0; payload])].concat());
        assert_eq!(why, format!("its lengths ({payload} bytes for {raw}) cannot be"));
    }
    let (_, why) = refused(&[header(), block(7, 1, b"x")].concat());
    assert_eq!(why, "it is numbered 7, a block is missing or stands twice");
}

#[test]
fn records_that_cannot_be_are_refused() {
    let log = b"\x14";
    for (bytes, says) in [
        (vec![200], "a record cannot be decoded"),
        // A text of 2^63 bytes.
        ([&log[..], &[253, 0, 0, 0, 0, 0, 0, 0, 0x80]].concat(), "a record takes more than"),
        // One of 100 MiB, of which nothing is there.
        ([&log[..], &[252, 0, 0, 0x40, 6]].concat(), "a record takes more than"),
        ([&log[..], b"\x02\xff\xff"].concat(), "a record cannot be decoded: a text is not UTF-8"),
    ] {
        let (_, why) = refused(&[header(), block(0, bytes.len() as u32, &frame(&bytes))].concat());
        assert!(why.starts_with(says), "{why} instead of {says}");
    }
}

#[test]
fn pieces_that_cannot_be_are_refused() {
    let piece = |number: u8, data: &[u8]| [&[21, number, data.len() as u8][..], data].concat();
    let log = b"\x14\x02ab".to_vec();
    let empty = b"\x14\x00".to_vec();
    for (parts, says) in [
        (vec![piece(0, b"")], "a piece of a text is empty"),
        (vec![piece(0, b"x"), log], "there are pieces of text 0, which the record has whole"),
        (vec![piece(3, b"x"), empty.clone()], "there are pieces of text 3, which the record does not have"),
        (vec![piece(1, b"x"), piece(0, b"x"), empty], "a piece of text 0 follows one of text 1"),
        (vec![piece(0, b"x"), vec![0, 0, 0]], "there are pieces of text 0, which the record does not have"),
        // One of 100 MiB, of which nothing is there.
        (vec![vec![21, 0, 252, 0, 0, 0x40, 6]], "a piece of a text takes more than 262144 bytes (MAX_PIECE)"),
    ] {
        let bytes = parts.concat();
        let (records, why) = refused(&[header(), block(0, bytes.len() as u32, &frame(&bytes))].concat());
        assert_eq!((records, why), (0, says.to_owned()));
    }
    // Before there were any.
    let old = header_saying(1, "{}");
    let mut encoder = Encoder::new(Vec::new(), 1).expect("zstd works");
    encoder.window_log(17).expect("zstd can do so little");
    std::io::Write::write_all(&mut encoder, &piece(0, b"x")).expect("memory takes everything");
    std::io::Write::flush(&mut encoder).expect("memory takes everything");
    let (_, why) = refused(&[old, block(0, 4, encoder.get_ref())].concat());
    assert!(why.starts_with("a record cannot be decoded"), "{why}");
}

#[test]
fn batches_in_batches_end_at_once() {
    // Begun, guest 0, the main line, no worker, no place, and then batches without end.
    let mut bytes = vec![1, 0, 0, 0, 0];
    let number = batch_number();
    for _ in 0..30_000 {
        bytes.extend_from_slice(&[number, 1]);
    }
    let (_, why) = refused(&[header(), block(0, bytes.len() as u32, &frame(&bytes))].concat());
    assert_eq!(why, "a record cannot be decoded: a batch holds a batch");
}

/// The number of [`provium_protocol::Op::Batch`] in the encoding.
fn batch_number() -> u8 {
    let record = provium::trace::record::Record::Begun {
        guest: 0,
        lane: provium_protocol::Lane::Main,
        worker: None,
        at: None,
        op: provium_protocol::Op::Batch(Vec::new()),
    };
    let mut bytes = Vec::new();
    provium::trace::format::codec::encode(&record, &mut bytes).expect("it is small");
    bytes[5]
}

#[test]
fn a_header_that_claims_much_is_refused_before_it_is_read() {
    let mut file = header();
    file[10..14].copy_from_slice(&u32::MAX.to_le_bytes());
    let error = TraceReader::new(&file[..]).err().expect("it is refused").to_string();
    assert!(error.contains("the limit is 1048576 (MAX_HEADER)"), "{error}");
}

/// A header whose JSON says this, with a checksum that fits.
fn header_saying(version: u16, json: &str) -> Vec<u8> {
    let mut file = b"\x89PVT\r\n\x1a\n".to_vec();
    file.extend_from_slice(&version.to_le_bytes());
    file.extend_from_slice(&(json.len() as u32).to_le_bytes());
    file.extend_from_slice(json.as_bytes());
    let checksum = crc32c::crc32c(&file);
    file.extend_from_slice(&checksum.to_le_bytes());
    file
}

#[test]
fn headers_that_cannot_be_understood_say_by_whom_they_were_written() {
    let says = |version, json| TraceReader::new(&header_saying(version, json)[..]).err().expect("refused").to_string();
    assert_eq!(
        says(900, r#"{"writer":"provium 9.0.0","novelty":[1]}"#),
        "the trace has format version 900, this provium reads up to 3: it was written by provium 9.0.0; use that version \
         or a later one"
    );
    assert!(says(900, "not even JSON").contains("it was written by somebody it does not name"));
    assert_eq!(
        says(1, r#"{"writer":"provium 2.0.0","required":["time travel\u001b[31m"]}"#),
        "the trace needs the feature `time travel\\u{1b}[31m`, which this provium does not know: it was written by \
         provium 2.0.0; use that version or a later one"
    );
    assert!(says(1, "{").starts_with("the trace's header is damaged: its text cannot be understood"));
    assert!(says(1, &"[".repeat(100_000)).starts_with("the trace's header is damaged: its text cannot be understood"));
}

#[test]
fn a_header_with_unknown_keys_or_without_known_ones_opens() {
    let file = header_saying(1, r#"{"writer":"someone","remark":"a later version may say more"}"#);
    let mut reader = TraceReader::new(&file[..]).expect("it is understood");
    assert_eq!(reader.header().writer, "someone");
    assert!(reader.next_record().expect("nothing is damaged").is_none());
    assert!(matches!(reader.end(), Some(End::Torn { lost: 0, .. })));
}

/// Reads whatever it is to its end.
fn exhaust(file: &[u8]) {
    if let Ok(mut reader) = TraceReader::new(file) {
        while let Ok(Some(_)) = reader.next_record() {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        exhaust(&bytes);
        exhaust(&[&header()[..], &bytes].concat());
        let raw = bytes.len() as u32;
        exhaust(&[header(), block(0, raw, &bytes)].concat());
        exhaust(&[header(), block(0, raw, &frame(&bytes))].concat());
    }

    #[test]
    fn any_heads_are_read_or_refused(heads in prop::collection::vec((any::<u32>(), any::<u32>(), any::<u8>()), 1..5)) {
        let mut file = header();
        for (number, (raw, length, fill)) in heads.into_iter().enumerate() {
            file.extend(block(number as u32, raw % 70_000, &vec![fill; length as usize % 70_000]));
        }
        exhaust(&file);
    }
}
