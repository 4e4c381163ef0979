//! The end of a file, once.

use std::collections::VecDeque;

use provium_kernel::{Errno, Fd};

use super::super::common::MAX_HELD;
use super::super::count::Unit;
use super::{BLOCK, Job};
use crate::shared::{Exit, Tool};

type Shown = Result<Result<u64, Errno>, Exit>;

/// Unwraps a system call's result or returns its error as the inner result.
macro_rules! or_errno {
    ($call:expr) => {
        match $call {
            Ok(value) => value,
            Err(errno) => return Ok(Err(errno)),
        }
    };
}

/// Writes the part that the job asks for; returns the place in the file after it.
pub(super) async fn show(tool: &Tool, fd: Fd, job: &Job, regular: bool) -> Shown {
    if job.from_start {
        return from_start(tool, fd, job).await;
    }
    if regular {
        let start = or_errno!(tool.sys.lseek(fd, 0, 1).await);
        let end = or_errno!(tool.sys.lseek(fd, 0, 2).await);
        let from = match job.unit {
            Unit::Bytes => end.saturating_sub(job.count).max(start),
            Unit::Lines => or_errno!(line_start(tool, fd, job, start, end).await),
        };
        or_errno!(tool.sys.lseek(fd, from.cast_signed(), 0).await);
        return copy(tool, fd, from).await;
    }
    last_of_stream(tool, fd, job).await
}

/// Copies up to the end; returns the place there.
pub(super) async fn copy(tool: &Tool, fd: Fd, mut place: u64) -> Shown {
    loop {
        let data = match tool.sys.read(fd, BLOCK).await {
            Ok(data) => data,
            Err(Errno::EAGAIN) => return Ok(Ok(place)),
            Err(errno) => return Ok(Err(errno)),
        };
        if data.is_empty() {
            return Ok(Ok(place));
        }
        place += data.len() as u64;
        tool.out.write(data).await?;
    }
}

/// Where the last lines begin: reads backwards block by block.
async fn line_start(tool: &Tool, fd: Fd, job: &Job, start: u64, end: u64) -> Result<u64, Errno> {
    if job.count == 0 {
        return Ok(end);
    }
    let mut left = job.count;
    let mut high = end;
    while high > start {
        // Blocks lie at multiples of the block size, as in the real tool.
        let low = ((high - 1) / BLOCK as u64 * BLOCK as u64).max(start);
        tool.sys.lseek(fd, low.cast_signed(), 0).await?;
        let wanted = usize::try_from(high - low).unwrap_or(BLOCK);
        let data = tool.sys.read(fd, wanted).await?;
        if data.is_empty() {
            return Ok(low);
        }
        for (at, byte) in data.iter().enumerate().rev() {
            let place = low + at as u64 + 1;
            if *byte != job.delimiter || place == end {
                continue;
            }
            left -= 1;
            if left == 0 {
                return Ok(place);
            }
        }
        high = low;
    }
    Ok(start)
}

async fn from_start(tool: &Tool, fd: Fd, job: &Job) -> Shown {
    let mut skip = job.count.saturating_sub(1);
    let mut place: u64 = 0;
    while skip > 0 {
        let data = or_errno!(tool.sys.read(fd, BLOCK).await);
        if data.is_empty() {
            return Ok(Ok(place));
        }
        place += data.len() as u64;
        let mut from = data.len();
        match job.unit {
            Unit::Bytes => {
                let step = usize::try_from(skip).unwrap_or(usize::MAX).min(data.len());
                skip -= step as u64;
                from = step;
            }
            Unit::Lines => {
                for (at, byte) in data.iter().enumerate() {
                    if *byte == job.delimiter {
                        skip -= 1;
                        if skip == 0 {
                            from = at + 1;
                            break;
                        }
                    }
                }
            }
        }
        tool.out.write(&data[from..]).await?;
    }
    copy(tool, fd, place).await
}

async fn last_of_stream(tool: &Tool, fd: Fd, job: &Job) -> Shown {
    let mut held: VecDeque<Vec<u8>> = VecDeque::new();
    let mut bytes = 0;
    let mut place = 0;
    loop {
        let data = or_errno!(tool.sys.read(fd, BLOCK).await);
        if data.is_empty() {
            break;
        }
        place += data.len() as u64;
        match job.unit {
            Unit::Bytes => {
                bytes += data.len();
                held.push_back(data);
                while held.front().is_some_and(|first| (bytes - first.len()) as u64 >= job.count) {
                    bytes -= held.pop_front().map_or(0, |first| first.len());
                }
            }
            Unit::Lines => {
                for piece in data.split_inclusive(|byte| *byte == job.delimiter) {
                    bytes += piece.len();
                    match held.back_mut() {
                        Some(last) if last.last() != Some(&job.delimiter) => last.extend_from_slice(piece),
                        _ => held.push_back(piece.to_vec()),
                    }
                    if held.len() as u64 > job.count {
                        bytes -= held.pop_front().map_or(0, |first| first.len());
                    }
                }
            }
        }
        if bytes > MAX_HELD {
            return Err(tool.fail(1, "memory exhausted").await);
        }
    }
    let mut excess = match job.unit {
        Unit::Bytes => bytes.saturating_sub(usize::try_from(job.count).unwrap_or(usize::MAX)),
        Unit::Lines => 0,
    };
    for piece in held {
        let from = excess.min(piece.len());
        excess -= from;
        tool.out.write(&piece[from..]).await?;
    }
    Ok(Ok(place))
}
