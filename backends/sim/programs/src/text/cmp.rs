//! cmp: compares two files byte by byte.

use provium_kernel::{Errno, Fd};

use super::common::{close, open, parse_diffutils, usage_diffutils};
use crate::shared::human::parse_size;
use crate::shared::tool::text_of;
use crate::shared::{Exit, Opt, Outcome, Parsed, Spec, Tool, quote};

/// Bytes of one read: the block size of the file system.
const BLOCK: usize = 4096;

const SPEC: Spec = Spec::new(
    "[OPTION]... FILE1 [FILE2 [SKIP1 [SKIP2]]]",
    &[
        Opt::flag("b", "print-bytes"),
        Opt::value("i", "ignore-initial"),
        Opt::flag("l", "verbose"),
        Opt::value("n", "bytes"),
        Opt::flag("s", "quiet"),
        Opt::flag("", "silent"),
    ],
)
.failure(2);

struct Side {
    name: Vec<u8>,
    fd: Fd,
    held: Vec<u8>,
    at: usize,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = parse_diffutils(&tool, &SPEC, tool.args.clone()).await?;
    let quiet = parsed.has("quiet") || parsed.has("silent");
    if parsed.has("verbose") && quiet {
        return Err(usage_diffutils(&tool, "options -l and -s are incompatible").await);
    }
    let Some(first) = parsed.operands.first() else {
        return Err(usage_diffutils(&tool, format!("missing operand after {}", quote(tool.name()))).await);
    };
    let second = parsed.operands.get(1).map_or(&b"-"[..], Vec::as_slice);
    let (skips, limit) = numbers(&tool, &parsed).await?;
    if let Some(extra) = parsed.operands.get(4) {
        return Err(usage_diffutils(&tool, format!("extra operand {}", quote(extra))).await);
    }
    if first == second && skips[0] == skips[1] {
        return Ok(0);
    }
    let mut sides = [side(&tool, first).await?, side(&tool, second).await?];
    for (side, skip) in sides.iter_mut().zip(skips) {
        side.skip(&tool, skip).await?;
    }
    compare(&tool, &parsed, quiet, &mut sides, limit).await
}

/// How much of each file to skip, and how much to compare.
async fn numbers(tool: &Tool, parsed: &Parsed) -> Result<([u64; 2], u64), Exit> {
    let number = |text: &[u8]| if text.first().is_some_and(u8::is_ascii_digit) { parse_size(text).ok() } else { None };
    let bad = async |option: &str, text: &[u8]| {
        Err(usage_diffutils(tool, format!("invalid --{option} value {}", quote(text))).await)
    };
    let mut skips = [0; 2];
    if let Some(text) = parsed.value("ignore-initial") {
        let (one, two) = match text.iter().position(|byte| *byte == b':') {
            Some(colon) => (&text[..colon], &text[colon + 1..]),
            None => (text, text),
        };
        match (number(one), number(two)) {
            (Some(one), Some(two)) => skips = [one, two],
            _ => return bad("ignore-initial", text).await,
        }
    }
    for (index, text) in parsed.operands.iter().skip(2).take(2).enumerate() {
        match number(text) {
            Some(skip) => skips[index] = skips[index].max(skip),
            None => return bad("ignore-initial", text).await,
        }
    }
    let limit = match parsed.value("bytes") {
        None => u64::MAX,
        Some(text) => match number(text) {
            Some(limit) => limit,
            None => return bad("bytes", text).await,
        },
    };
    Ok((skips, limit))
}

async fn side(tool: &Tool, name: &[u8]) -> Result<Side, Exit> {
    match open(tool, name).await {
        Ok(fd) => Ok(Side { name: name.to_vec(), fd, held: Vec::new(), at: 0 }),
        Err(errno) => Err(trouble(tool, name, errno).await),
    }
}

async fn trouble(tool: &Tool, name: &[u8], errno: Errno) -> Exit {
    let name = String::from_utf8_lossy(name).into_owned();
    tool.fail(2, format!("{name}: {}", text_of(errno))).await
}

impl Side {
    async fn fill(&mut self, tool: &Tool) -> Result<bool, Exit> {
        if self.at < self.held.len() {
            return Ok(true);
        }
        self.at = 0;
        self.held = match tool.sys.read(self.fd, BLOCK).await {
            Ok(held) => held,
            Err(errno) => return Err(trouble(tool, &self.name, errno).await),
        };
        Ok(!self.held.is_empty())
    }

    async fn skip(&mut self, tool: &Tool, mut count: u64) -> Result<(), Exit> {
        while count > 0 && self.fill(tool).await? {
            let step = usize::try_from(count).unwrap_or(usize::MAX).min(self.held.len() - self.at);
            self.at += step;
            count -= step as u64;
        }
        Ok(())
    }
}

async fn compare(tool: &Tool, parsed: &Parsed, quiet: bool, sides: &mut [Side; 2], limit: u64) -> Outcome {
    let mut byte_number: u64 = 0;
    let mut lines: u64 = 0;
    let mut last = b'\n';
    let mut differ = false;
    let all = parsed.has("verbose");
    let bytes = parsed.has("print-bytes");
    let ended = 'compare: loop {
        let [left, right] = &mut *sides;
        if byte_number >= limit {
            break None;
        }
        match (left.fill(tool).await?, right.fill(tool).await?) {
            (false, false) => break None,
            (false, true) => break Some(0),
            (true, false) => break Some(1),
            (true, true) => {}
        }
        let room = usize::try_from(limit - byte_number).unwrap_or(usize::MAX);
        let count = (left.held.len() - left.at).min(right.held.len() - right.at).min(room);
        for index in 0..count {
            let (one, two) = (left.held[left.at + index], right.held[right.at + index]);
            byte_number += 1;
            if one != two {
                differ = true;
                if quiet {
                    break 'compare None;
                }
                if !all {
                    let (one_name, two_name) =
                        (String::from_utf8_lossy(&left.name).into_owned(), String::from_utf8_lossy(&right.name));
                    let line = lines + 1;
                    let place = if bytes { "byte" } else { "char" };
                    let mut text = format!("{one_name} {two_name} differ: {place} {byte_number}, line {line}");
                    if bytes {
                        text.push_str(&format!(" is {one:3o} {} {two:3o} {}", visible(one), visible(two)));
                    }
                    text.push('\n');
                    tool.out.write(text).await?;
                    break 'compare None;
                }
                let text = if bytes {
                    format!("{byte_number} {one:3o} {:<4} {two:3o} {}\n", visible(one), visible(two))
                } else {
                    format!("{byte_number} {one:3o} {two:3o}\n")
                };
                tool.out.write(text).await?;
            }
            lines += u64::from(one == b'\n');
            last = one;
        }
        left.at += count;
        right.at += count;
    };
    for side in sides.iter() {
        close(tool, side.fd).await;
    }
    let Some(short) = ended else { return Ok(i32::from(differ)) };
    if !quiet {
        let name = String::from_utf8_lossy(&sides[short].name).into_owned();
        let message = if byte_number == 0 {
            format!("EOF on {name} which is empty")
        } else if all {
            format!("EOF on {name} after byte {byte_number}")
        } else if last == b'\n' {
            format!("EOF on {name} after byte {byte_number}, line {lines}")
        } else {
            format!("EOF on {name} after byte {byte_number}, in line {}", lines + 1)
        };
        // Not through the buffer of standard output: the real tool leaves that for its end.
        let own = String::from_utf8_lossy(tool.name()).into_owned();
        tool.stderr(format!("{own}: {message}\n")).await;
    }
    Ok(1)
}

/// A byte as `cat -t` shows it.
fn visible(byte: u8) -> String {
    let mut text = String::new();
    let mut byte = byte;
    if byte >= 128 {
        text.push_str("M-");
        byte -= 128;
    }
    match byte {
        0..32 => {
            text.push('^');
            text.push(char::from(byte + 64));
        }
        127 => text.push_str("^?"),
        _ => text.push(char::from(byte)),
    }
    text
}
