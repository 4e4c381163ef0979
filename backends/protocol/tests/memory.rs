//! Hostile messages cost no more memory than they have bytes. A test binary of its own, because it counts every byte of the
//! process.

#[path = "../../../tests/common/counting.rs"]
mod counting;

use counting::counted;
use provium_protocol::exec::ByteString;
use provium_protocol::wire::{FromAgent, ToAgent, decode_from_agent, decode_to_agent};
use provium_protocol::{Lane, Op, Reply, codec};
use serde::Serialize;

/// The most that a message of a few bytes may take, in bytes: serde makes room for a mebibyte of elements that it was
/// promised, for a list in a list twice.
const MOST: usize = 3 << 20;

/// 2^29 in the encoding.
const LONG: [u8; 5] = [252, 0, 0, 0, 0x20];

/// A message whose last text, of one byte, says that it is [`LONG`].
fn lie<T: Serialize>(message: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    codec::encode(message, &mut bytes).expect("it has an encoding");
    assert_eq!(bytes[bytes.len() - 2..], [1, b'x'], "it ends in a text of one byte");
    bytes.truncate(bytes.len() - 2);
    bytes.extend_from_slice(&LONG);
    bytes
}

fn took(what: &str, decode: impl FnOnce() -> bool) {
    let (refused, took) = counted(decode);
    assert!(refused, "{what} was taken");
    assert!(took < MOST, "{what} took {took} bytes");
}

#[test]
fn a_length_without_its_bytes_takes_no_memory() {
    let call = |op| ToAgent::Call { id: 1, lane: Lane::Main, op };
    let path = || ByteString::from("x");
    for (what, op) in [
        ("a path", Op::ReadFile(path())),
        ("a path in a batch", Op::Batch(vec![Op::Stat(path())])),
        ("a link", Op::Symlink { target: path(), path: path() }),
        ("a name", Op::SpawnWorker { name: "x".to_owned() }),
    ] {
        let bytes = lie(&call(op));
        took(what, || decode_to_agent(&bytes).is_err());
    }
    // The length of a list of them, in place of their number.
    let mut batch = Vec::new();
    codec::encode(&call(Op::Batch(Vec::new())), &mut batch).expect("it has an encoding");
    batch.pop();
    batch.extend_from_slice(&LONG);
    took("a batch", || decode_to_agent(&batch).is_err());
    for (what, message) in [
        ("bytes", FromAgent::Reply { id: 1, result: Ok(Reply::Bytes(b"x".to_vec())) }),
        ("trouble", FromAgent::Garbled { why: "x".to_owned() }),
    ] {
        let bytes = lie(&message);
        took(what, || decode_from_agent(&bytes).is_err());
    }
}
