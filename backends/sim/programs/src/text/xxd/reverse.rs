//! From text back to bytes.

use provium_kernel::Fd;

use super::Job;
use crate::shared::tool::text_of;
use crate::shared::{LineReader, Outcome, Tool};

/// The furthest that addresses may go beyond what is written, in bytes: the gap is filled with zeros.
const MAX_GAP: u64 = 64 << 20;

pub(super) async fn run(tool: &Tool, fd: Fd, job: &Job, plain: bool) -> Outcome {
    let mut reader = LineReader::new(tool.sys.clone(), fd);
    let mut half: Option<u8> = None;
    let mut place: u64 = 0;
    loop {
        let line = match reader.line().await {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(0),
            Err(errno) => return Err(tool.fail(2, text_of(errno)).await),
        };
        if plain {
            tool.out.write(plain_bytes(&line, &mut half)).await?;
            continue;
        }
        let Some((address, bytes)) = row(&line, job.columns.filter(|columns| *columns > 0).unwrap_or(16)) else {
            continue;
        };
        let target = address.wrapping_add_signed(job.seek);
        if target != place {
            tool.out.flush().await?;
            let seekable = i64::try_from(target).ok();
            let moved = match seekable {
                Some(target) => tool.sys.lseek(1, target, 0).await.is_ok(),
                None => false,
            };
            if !moved {
                if target < place {
                    return Err(tool.fail(5, "Sorry, cannot seek backwards.").await);
                }
                if target - place > MAX_GAP {
                    return Err(tool
                        .fail(5, format!("a gap of more than {MAX_GAP} bytes is not supported by the simulated guest"))
                        .await);
                }
                for _ in place..target {
                    tool.out.write([0]).await?;
                }
            }
            place = target;
        }
        place += bytes.len() as u64;
        tool.out.write(bytes).await?;
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Hexadecimal digits in pairs; what is none separates them.
fn plain_bytes(line: &[u8], half: &mut Option<u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for &byte in line {
        match (digit(byte), half.take()) {
            (Some(low), Some(high)) => bytes.push(high << 4 | low),
            (Some(high), None) => *half = Some(high),
            // A digit before white space waits for its partner, anything else takes it away.
            (None, held) if byte.is_ascii_whitespace() => *half = held,
            (None, _) => {}
        }
    }
    bytes
}

/// A row: its address, and up to `columns` bytes.
fn row(line: &[u8], columns: usize) -> Option<(u64, Vec<u8>)> {
    let line: &[u8] = line.trim_ascii_start();
    let colon = line.iter().position(|byte| digit(*byte).is_none())?;
    let address = u64::from_str_radix(std::str::from_utf8(&line[..colon]).ok()?, 16).ok()?;
    let rest = line[colon..].strip_prefix(b":").unwrap_or(&line[colon..]);
    let mut bytes = Vec::new();
    let mut high = None;
    let mut blanks = 0;
    for &byte in rest {
        if bytes.len() == columns {
            break;
        }
        match (digit(byte), high.take()) {
            (Some(low), Some(high)) => bytes.push(high << 4 | low),
            (Some(value), None) => high = Some(value),
            (None, held) if byte == b' ' || byte == b'\t' => {
                high = held;
                blanks += 1;
                // Two blanks in a row end the bytes: the text follows.
                if blanks > 1 && !bytes.is_empty() {
                    break;
                }
                continue;
            }
            (None, _) => break,
        }
        blanks = 0;
    }
    Some((address, bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{plain_bytes, row};

    #[test]
    fn rows_are_read_back() {
        assert_eq!(row(b"00000010: 6865 6c6c  he\n", 16), Some((16, b"hell".to_vec())));
        assert_eq!(row(b"0: 68 65 6c", 2), Some((0, b"he".to_vec())));
        assert_eq!(row(b"no address", 16), None);
    }

    proptest! {
        #[test]
        fn plain_digits_come_back(data in prop::collection::vec(any::<u8>(), 0..100)) {
            let text: String = data.iter().map(|byte| format!("{byte:02x}\n")).collect();
            let mut half = None;
            prop_assert_eq!(plain_bytes(text.as_bytes(), &mut half), data);
        }
    }
}
