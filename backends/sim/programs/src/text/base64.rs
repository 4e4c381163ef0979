//! base64: bytes as text and back.

use super::common::{number, open};
use crate::shared::{Opt, Outcome, Spec, Tool, quote, quotef};

const SPEC: Spec = Spec::new(
    "[OPTION]... [FILE]",
    &[Opt::flag("d", "decode"), Opt::flag("i", "ignore-garbage"), Opt::value("w", "wrap")],
);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes of one read, as in the real tool: a multiple of three, so that only the last block is padded.
const ENCODE_BLOCK: usize = 30 << 10;

/// Bytes of one read while decoding.
const DECODE_BLOCK: usize = 4096;

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let wrap = match parsed.value("wrap") {
        None => 76,
        Some(text) => match number(text) {
            Some(columns) => usize::try_from(columns).unwrap_or(usize::MAX),
            None => return Err(tool.fail(1, format!("invalid wrap size: {}", quote(text))).await),
        },
    };
    if let Some(extra) = parsed.operands.get(1) {
        return Err(tool.extra_operand(1, extra).await);
    }
    let name = parsed.operands.first().map_or(&b"-"[..], Vec::as_slice);
    let fd = match open(&tool, name).await {
        Ok(fd) => fd,
        Err(errno) => return Err(tool.fail_errno(1, quotef(name), errno).await),
    };
    let decode = parsed.has("decode");
    let block = if decode { DECODE_BLOCK } else { ENCODE_BLOCK };
    let mut decoder = Decoder { ignore: parsed.has("ignore-garbage"), held: Vec::new() };
    let mut encoder = Encoder { wrap, column: 0, held: Vec::new() };
    loop {
        let data = match tool.sys.read(fd, block).await {
            Ok(data) => data,
            Err(errno) => return Err(tool.fail_errno(1, "read error", errno).await),
        };
        let last = data.is_empty();
        if decode {
            let mut bytes = Vec::new();
            let valid = decoder.feed(&data, last, &mut bytes);
            tool.out.write(bytes).await?;
            if !valid {
                return Err(tool.fail(1, "invalid input").await);
            }
        } else {
            tool.out.write(encoder.feed(&data, last)).await?;
        }
        if last {
            return Ok(0);
        }
    }
}

struct Encoder {
    /// Columns of a line; 0 for one line without end.
    wrap: usize,
    column: usize,
    held: Vec<u8>,
}

impl Encoder {
    fn feed(&mut self, data: &[u8], last: bool) -> Vec<u8> {
        self.held.extend_from_slice(data);
        let whole = if last { self.held.len() } else { self.held.len() - self.held.len() % 3 };
        let bytes: Vec<u8> = self.held.drain(..whole).collect();
        let mut out = Vec::with_capacity(bytes.len() * 4 / 3 + bytes.len() / 57 + 8);
        for chunk in bytes.chunks(3) {
            let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for index in 0..4 {
                let digit =
                    if index <= chunk.len() { ALPHABET[(bits >> (18 - 6 * index)) as usize & 63] } else { b'=' };
                out.push(digit);
                self.column += 1;
                if self.column == self.wrap {
                    out.push(b'\n');
                    self.column = 0;
                }
            }
        }
        if last && self.wrap > 0 && self.column > 0 {
            out.push(b'\n');
        }
        out
    }
}

struct Decoder {
    ignore: bool,
    /// Digits of a group that is not complete.
    held: Vec<u8>,
}

impl Decoder {
    /// Appends what the data decodes to; false at the first thing that is no base64.
    fn feed(&mut self, data: &[u8], last: bool, out: &mut Vec<u8>) -> bool {
        for &byte in data {
            if byte == b'\n' {
                continue;
            }
            let known = byte == b'=' || ALPHABET.contains(&byte);
            if !known {
                if self.ignore {
                    continue;
                }
                self.partial(out);
                return false;
            }
            self.held.push(byte);
            if self.held.len() == 4 && !self.group(out) {
                return false;
            }
        }
        if last && !self.held.is_empty() {
            self.partial(out);
            return false;
        }
        true
    }

    fn group(&mut self, out: &mut Vec<u8>) -> bool {
        let digits: Vec<u8> = self.held.drain(..).collect();
        let padding = digits.iter().rev().take_while(|byte| **byte == b'=').count();
        let values: Option<Vec<u32>> = digits[..4 - padding].iter().map(|digit| value(*digit)).collect();
        match values {
            Some(values) if padding <= 2 => {
                out.extend_from_slice(&bytes(&values));
                true
            }
            _ => {
                // What stands before the fault counts, as in the real tool.
                let good: Vec<u32> = digits.iter().map_while(|digit| value(*digit)).collect();
                out.extend_from_slice(&bytes(&good));
                false
            }
        }
    }

    fn partial(&mut self, out: &mut Vec<u8>) {
        let good: Vec<u32> = self.held.drain(..).collect::<Vec<u8>>().iter().map_while(|digit| value(*digit)).collect();
        out.extend_from_slice(&bytes(&good));
    }
}

fn value(digit: u8) -> Option<u32> {
    ALPHABET.iter().position(|known| *known == digit).and_then(|at| u32::try_from(at).ok())
}

/// The whole bytes in up to four digits.
fn bytes(values: &[u32]) -> Vec<u8> {
    let mut bits = 0;
    for index in 0..4 {
        bits = bits << 6 | values.get(index).copied().unwrap_or(0);
    }
    let [_, one, two, three] = bits.to_be_bytes();
    [one, two, three][..values.len().saturating_sub(1)].to_vec()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Decoder, Encoder};

    fn decode(text: &[u8]) -> (Vec<u8>, bool) {
        let mut decoder = Decoder { ignore: false, held: Vec::new() };
        let mut out = Vec::new();
        let valid = decoder.feed(text, false, &mut out) && decoder.feed(b"", true, &mut out);
        (out, valid)
    }

    #[test]
    fn faults_end_the_output() {
        assert_eq!(decode(b"YWJj\nZA==\n"), (b"abcd".to_vec(), true));
        assert_eq!(decode(b"YQ"), (b"a".to_vec(), false));
        assert_eq!(decode(b"a*"), (b"".to_vec(), false));
        assert_eq!(decode(b"YWJj*"), (b"abc".to_vec(), false));
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(data in prop::collection::vec(any::<u8>(), 0..300), wrap in 0_usize..100, cut in 0_usize..300) {
            let mut encoder = Encoder { wrap, column: 0, held: Vec::new() };
            let (head, tail) = data.split_at(cut.min(data.len()));
            let mut text = encoder.feed(head, false);
            text.extend(encoder.feed(tail, false));
            text.extend(encoder.feed(b"", true));
            prop_assert_eq!(decode(&text), (data, true));
        }
    }
}
