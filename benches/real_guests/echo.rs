//! The other end of the raw link: a program of a few lines that reads from a port and writes to it, as directly as can be.
//!
//! It is this very file, which the benchmark also has `rustc` compile by itself, static, as a guest's program. A `cat` on the
//! port would do for an echo, but not as the partner of `read_file`, and busybox's copies by 4 KiB.

/// Bytes of a message to be echoed.
pub const MESSAGE: usize = 16;

/// What a message begins with that asks for bytes; how many follows, as eight bytes, little-endian.
pub const SEND: &[u8; 4] = b"send";

/// Bytes of one write: on virtio-serial these are the fastest.
const PIECE: usize = 64 << 10;

/// Serves a port for ever.
pub fn main() {
    use std::io::{Read, Write};
    let path = std::env::args().nth(1).expect("a port");
    let mut port = std::fs::File::options().read(true).write(true).open(path).expect("the port can be opened");
    let piece = vec![b'x'; PIECE];
    let mut message = [0; MESSAGE];
    loop {
        port.read_exact(&mut message).expect("the host is there");
        if message.starts_with(SEND) {
            let mut left = u64::from_le_bytes(message[4..12].try_into().expect("eight bytes")) as usize;
            while left > 0 {
                let now = left.min(PIECE);
                port.write_all(&piece[..now]).expect("the host is there");
                left -= now;
            }
        } else {
            port.write_all(&message).expect("the host is there");
        }
    }
}
