//! Any bytes whatever as what comes over a link: for fuzzers, and for tests that run what they found.

use serde::Serialize;

use super::chunk::{HEADER, Header, MAX_CHUNK};
use super::{FromAgent, Inbox, Received, ToAgent, decode_from_agent, decode_to_agent};
use crate::codec;

/// Bytes at the beginning of an input that say how the others are cut.
const CUTS: usize = 4;

/// Byte streams as they come out of a link, one read after the other: an input's own, and the same with chunks that fit.
#[must_use]
pub fn streams(input: &[u8]) -> [Vec<Vec<u8>>; 2] {
    let (cuts, bytes) = input.split_at(input.len().min(CUTS));
    [cut(cuts, bytes), cut(cuts, &repaired(bytes))]
}

/// Cuts into pieces of a few bytes or of many.
fn cut(cuts: &[u8], mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let sizes = cuts.iter().map(|cut| match usize::from(*cut) {
        few @ 0..=127 => few + 1,
        many => (many - 127) << 11,
    });
    let mut sizes = sizes.cycle();
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(sizes.next().unwrap_or(bytes.len()).min(bytes.len()));
        pieces.push(piece.to_vec());
        bytes = rest;
    }
    pieces
}

/// The same bytes as chunks one after the other: what is no header is made one.
fn repaired(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((head, behind)) = rest.split_first_chunk::<HEADER>() {
        let len = u32::from_le_bytes([head[9], head[10], head[11], 0]) as usize;
        let (piece, behind) = behind.split_at(len.min(behind.len()).min(MAX_CHUNK));
        let number = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        let header = Header::of(number, head[8] & 1 != 0, head[8] & 2 != 0, piece);
        out.extend_from_slice(&header.to_bytes());
        out.extend_from_slice(piece);
        rest = behind;
    }
    out.extend_from_slice(rest);
    out
}

/// Reads an input as both sides of a link would.
///
/// # Panics
/// When the messages depend on how the bytes were cut, or when a message is read again as another.
pub fn exhaust(input: &[u8]) {
    decode(input);
    for stream in streams(input) {
        let (mut cut, mut whole) = (Inbox::default(), Inbox::default());
        let mut messages = Vec::new();
        for piece in &stream {
            cut.feed(piece);
            take(&mut cut, &mut messages);
        }
        whole.feed(&stream.concat());
        let mut again = Vec::new();
        take(&mut whole, &mut again);
        assert!(messages == again, "other messages when cut otherwise");
        for message in &messages {
            decode(message);
        }
    }
}

fn take(inbox: &mut Inbox, messages: &mut Vec<Vec<u8>>) {
    while let Some(received) = inbox.receive() {
        if let Received::Message(bytes) = received {
            messages.push(bytes);
        }
    }
}

/// Whatever can be read is read again as the same.
fn decode(bytes: &[u8]) {
    if let Ok(message) = decode_to_agent(bytes) {
        let again: Result<ToAgent, String> = decode_to_agent(&encoded(&message));
        assert_eq!(again, Ok(message));
    }
    if let Ok(message) = decode_from_agent(bytes) {
        let again: Result<FromAgent, String> = decode_from_agent(&encoded(&message));
        assert_eq!(again, Ok(message));
    }
}

fn encoded<T: Serialize>(message: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoded = codec::encode(message, &mut bytes);
    assert_eq!(encoded, Ok(()));
    bytes
}

/// An input of these bytes, uncut: for corpora.
#[must_use]
pub fn input(bytes: &[u8]) -> Vec<u8> {
    [&[255; CUTS][..], bytes].concat()
}
