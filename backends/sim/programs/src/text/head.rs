//! head: the first part of files.

use std::collections::VecDeque;

use provium_kernel::{Errno, Fd};

use super::common::{MAX_HELD, close, open, or_stdin};
use super::count::{self, Unit};
use crate::shared::{Exit, Opt, Outcome, Spec, Tool, quoteaf};

/// Bytes of one read: glibc's `BUFSIZ`.
const BLOCK: usize = 8192;

const SPEC: Spec = Spec::new(
    "[OPTION]... [FILE]...",
    &[
        Opt::value("c", "bytes"),
        Opt::value("n", "lines"),
        Opt::flag("q", "quiet"),
        Opt::flag("", "silent"),
        Opt::flag("v", "verbose"),
        Opt::flag("z", "zero-terminated"),
    ],
);

struct Job {
    unit: Unit,
    count: u64,
    /// All but the last `count`.
    elide: bool,
    delimiter: u8,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let args = modern(tool.args.clone());
    let parsed = tool.parse_args(&SPEC, args).await?;
    let mut job = Job { unit: Unit::Lines, count: 10, elide: false, delimiter: b'\n' };
    if parsed.has("zero-terminated") {
        job.delimiter = 0;
    }
    for (key, value) in &parsed.options {
        let unit = match *key {
            "bytes" => Unit::Bytes,
            "lines" => Unit::Lines,
            _ => continue,
        };
        let text = value.as_deref().unwrap_or_default();
        let digits = text.strip_prefix(b"-");
        job.elide = digits.is_some();
        job.unit = unit;
        let digits = digits.unwrap_or(text);
        job.count = count::parse(&tool, unit, digits, digits).await?;
    }
    let files = or_stdin(parsed.operands.clone());
    let headers = match parsed.last_of(&["quiet", "silent", "verbose"]) {
        Some(given) => given == "verbose",
        None => files.len() > 1,
    };
    let mut code = 0;
    let mut first = true;
    for name in &files {
        let fd = match open(&tool, name).await {
            Ok(fd) => fd,
            Err(errno) => {
                tool.error_errno(format!("cannot open {} for reading", quoteaf(name)), errno).await;
                code = 1;
                continue;
            }
        };
        let shown: &[u8] = if name == b"-" { b"standard input" } else { name };
        if headers {
            tool.out.write([if first { b"" } else { &b"\n"[..] }, b"==> ", shown, b" <==\n"].concat()).await?;
            first = false;
        }
        let done = if job.elide { elide(&tool, fd, &job).await } else { copy(&tool, fd, &job).await };
        close(&tool, fd).await;
        match done {
            Ok(Ok(())) => {}
            Ok(Err(errno)) => {
                tool.error_errno(format!("error reading {}", quoteaf(shown)), errno).await;
                code = 1;
            }
            Err(exit) => return Err(exit),
        }
    }
    Ok(code)
}

/// Rewrites the obsolete `-5`, `-5c`, `-5q` to options of today.
fn modern(mut args: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let Some(first) = args.first().and_then(|arg| arg.strip_prefix(b"-")) else { return args };
    let digits = first.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return args;
    }
    let (count, letters) = first.split_at(digits);
    let mut count = count.to_vec();
    let mut option = b'n';
    let mut others: Vec<Vec<u8>> = Vec::new();
    for &letter in letters {
        match letter {
            b'c' => option = b'c',
            b'b' | b'k' | b'm' => {
                option = b'c';
                count.push(letter.to_ascii_uppercase());
            }
            b'l' => option = b'n',
            other => others.push(vec![b'-', other]),
        }
    }
    let count = if count.ends_with(b"B") { [&count[..count.len() - 1], b"b"].concat() } else { count };
    let head = [&[b'-', option][..], &count].concat();
    args.splice(0..1, std::iter::once(head).chain(others));
    args
}

type Copied = Result<Result<(), Errno>, Exit>;

async fn copy(tool: &Tool, fd: Fd, job: &Job) -> Copied {
    let mut left = job.count;
    while left > 0 {
        let wanted = match job.unit {
            Unit::Bytes => usize::try_from(left).unwrap_or(BLOCK).min(BLOCK),
            Unit::Lines => BLOCK,
        };
        let data = match tool.sys.read(fd, wanted).await {
            Ok(data) => data,
            Err(errno) => return Ok(Err(errno)),
        };
        if data.is_empty() {
            break;
        }
        let mut end = data.len();
        match job.unit {
            Unit::Bytes => left -= data.len() as u64,
            Unit::Lines => {
                for (at, byte) in data.iter().enumerate() {
                    if *byte == job.delimiter {
                        left -= 1;
                        if left == 0 {
                            end = at + 1;
                            break;
                        }
                    }
                }
            }
        }
        if end < data.len() {
            // What was read too much is given back, so that the next reader of a file goes on there.
            let back = i64::try_from(data.len() - end).unwrap_or(0);
            let _no_matter_for_pipes = tool.sys.lseek(fd, -back, 1).await;
        }
        tool.out.write(&data[..end]).await?;
    }
    Ok(Ok(()))
}

async fn elide(tool: &Tool, fd: Fd, job: &Job) -> Copied {
    let mut held: VecDeque<Vec<u8>> = VecDeque::new();
    let mut held_bytes = 0;
    let mut partial = Vec::new();
    loop {
        let data = match tool.sys.read(fd, BLOCK).await {
            Ok(data) => data,
            Err(errno) => return Ok(Err(errno)),
        };
        if data.is_empty() {
            break;
        }
        held_bytes += data.len();
        if held_bytes > MAX_HELD {
            return Err(tool.fail(1, "memory exhausted").await);
        }
        match job.unit {
            Unit::Bytes => held.push_back(data),
            Unit::Lines => {
                for piece in data.split_inclusive(|byte| *byte == job.delimiter) {
                    partial.extend_from_slice(piece);
                    if piece.last() == Some(&job.delimiter) {
                        held.push_back(std::mem::take(&mut partial));
                    }
                }
            }
        }
        // A part of a line is a line too if the input ends in it, so one line more is kept back.
        let keep = |held: &VecDeque<Vec<u8>>, held_bytes: usize| match job.unit {
            Unit::Bytes => held.front().is_some_and(|first| (held_bytes - first.len()) as u64 >= job.count),
            Unit::Lines => held.len() as u64 > job.count,
        };
        while keep(&held, held_bytes) {
            let Some(first) = held.pop_front() else { break };
            held_bytes -= first.len();
            tool.out.write(first).await?;
        }
    }
    match job.unit {
        Unit::Lines => {
            if !partial.is_empty() {
                held.push_back(partial);
            }
            while held.len() as u64 > job.count {
                let Some(first) = held.pop_front() else { break };
                tool.out.write(first).await?;
            }
        }
        Unit::Bytes => {
            let mut excess = (held_bytes as u64).saturating_sub(job.count);
            while let Some(first) = held.pop_front() {
                let take = usize::try_from(excess).unwrap_or(usize::MAX).min(first.len());
                tool.out.write(&first[..take]).await?;
                excess -= take as u64;
                if excess == 0 {
                    break;
                }
            }
        }
    }
    Ok(Ok(()))
}
