//! sort: lines in order.

mod compare;
mod key;
mod options;

use std::cmp::Ordering;

use provium_kernel::flags::{O_CREAT, O_TRUNC, O_WRONLY};

use super::common::{MAX_HELD, close, open};
use crate::shared::tool::STDOUT;
use crate::shared::{Exit, LineReader, Outcome, Tool, quotef};
use options::{Check, Job};

/// Bytes of one read.
const BLOCK: usize = 64 << 10;

/// Virtual time that one comparison costs, in nanoseconds: as measured on small lines.
const COMPARISON_NS: u64 = 100;

pub(super) async fn run(tool: Tool) -> Outcome {
    tool.out.set_failure(2);
    let (job, files) = options::read(&tool).await?;
    if let Some(check) = job.check {
        let name = files.first().map_or(&b"-"[..], Vec::as_slice);
        return check_order(&tool, &job, check, name).await;
    }
    if job.merge {
        return merge(&tool, &job, &files).await;
    }
    let mut all: Vec<Vec<u8>> = Vec::new();
    let mut held = 0;
    for name in &files {
        let mut input = reader(&tool, name).await?;
        while let Some(line) = input.next(&tool, &job).await? {
            held += line.len() + std::mem::size_of::<Vec<u8>>();
            if held > MAX_HELD {
                return Err(tool.fail(2, "memory exhausted").await);
            }
            all.push(line);
        }
        close(&tool, input.fd).await;
    }
    // The work of sorting is interruptible by its cost in time, paid at once.
    let count = all.len() as u64;
    tool.sys.compute(count * u64::from(count.max(1).ilog2() + 1) * COMPARISON_NS).await;
    all.sort_by(|a, b| job.compare(a, b));
    if job.unique {
        all.dedup_by(|b, a| job.compare_keys(a, b) == Ordering::Equal);
    }
    redirect(&tool, &job).await?;
    for line in all {
        write(&tool, &job, line).await?;
    }
    Ok(0)
}

/// One input that is read line by line.
struct Input {
    reader: LineReader,
    fd: provium_kernel::Fd,
    name: Vec<u8>,
}

async fn reader(tool: &Tool, name: &[u8]) -> Result<Input, Exit> {
    match open(tool, name).await {
        Ok(fd) => {
            let reader = LineReader::with_block(tool.sys.clone(), fd, BLOCK);
            Ok(Input { reader, fd, name: name.to_vec() })
        }
        Err(errno) => Err(tool.fail_errno(2, format!("cannot read: {}", quotef(name)), errno).await),
    }
}

impl Input {
    /// The next line without its end.
    async fn next(&mut self, tool: &Tool, job: &Job) -> Result<Option<Vec<u8>>, Exit> {
        match self.reader.until(job.line_end).await {
            Ok(Some(mut line)) => {
                if line.last() == Some(&job.line_end) {
                    line.pop();
                }
                Ok(Some(line))
            }
            Ok(None) => Ok(None),
            Err(errno) => Err(tool.fail_errno(2, format!("read failed: {}", quotef(&self.name)), errno).await),
        }
    }
}

async fn write(tool: &Tool, job: &Job, mut line: Vec<u8>) -> Result<(), Exit> {
    line.push(job.line_end);
    tool.out.write(line).await
}

/// Puts the file of `-o` in the place of standard output: after the input is read, since it may be one
/// of the inputs.
async fn redirect(tool: &Tool, job: &Job) -> Result<(), Exit> {
    let Some(output) = job.output.as_ref().filter(|name| name.as_slice() != b"-") else { return Ok(()) };
    let opened = match tool.sys.open(output, O_WRONLY | O_CREAT | O_TRUNC, 0o666).await {
        Ok(fd) => match tool.sys.dup2(fd, STDOUT).await {
            Ok(_) => tool.sys.close(fd).await,
            Err(errno) => Err(errno),
        },
        Err(errno) => Err(errno),
    };
    match opened {
        Ok(()) => Ok(()),
        Err(errno) => Err(tool.fail_errno(2, format!("open failed: {}", quotef(output)), errno).await),
    }
}

async fn check_order(tool: &Tool, job: &Job, check: Check, name: &[u8]) -> Outcome {
    let mut input = reader(tool, name).await?;
    let Some(mut last) = input.next(tool, job).await? else { return Ok(0) };
    let mut number: u64 = 1;
    while let Some(line) = input.next(tool, job).await? {
        number += 1;
        let order = if job.unique { job.compare_keys(&last, &line) } else { job.compare(&last, &line) };
        if order == Ordering::Greater || (job.unique && order == Ordering::Equal) {
            if check == Check::Diagnose {
                let mut message = format!("{}: {}:{number}: disorder: ", tool_name(tool), quotef(name)).into_bytes();
                message.extend_from_slice(&line);
                message.push(b'\n');
                tool.stderr(message).await;
            }
            return Ok(1);
        }
        last = line;
    }
    Ok(0)
}

fn tool_name(tool: &Tool) -> String {
    String::from_utf8_lossy(tool.name()).into_owned()
}

/// Merges sorted inputs as they come.
async fn merge(tool: &Tool, job: &Job, files: &[Vec<u8>]) -> Outcome {
    // Every input must be there before anything is written.
    let mut inputs: Vec<(Input, Option<Vec<u8>>)> = Vec::new();
    for name in files {
        let mut input = reader(tool, name).await?;
        let first = input.next(tool, job).await?;
        inputs.push((input, first));
    }
    redirect(tool, job).await?;
    let mut last: Option<Vec<u8>> = None;
    loop {
        let mut least: Option<usize> = None;
        for (index, (_, line)) in inputs.iter().enumerate() {
            let Some(line) = line else { continue };
            let better = match least.and_then(|least| inputs[least].1.as_ref()) {
                Some(held) => job.compare(line, held) == Ordering::Less,
                None => true,
            };
            if better {
                least = Some(index);
            }
        }
        let Some((input, slot)) = least.and_then(|least| inputs.get_mut(least)) else { return Ok(0) };
        let next = input.next(tool, job).await?;
        let Some(line) = std::mem::replace(slot, next) else { return Ok(0) };
        let repeated = last.as_ref().is_some_and(|last| job.compare_keys(last, &line) == Ordering::Equal);
        if job.unique && repeated {
            continue;
        }
        if job.unique {
            last = Some(line.clone());
        }
        write(tool, job, line).await?;
    }
}

#[cfg(test)]
mod tests;
