//! paste: lines of several files side by side.

use provium_kernel::Fd;

use super::common::{close, open, or_stdin};
use crate::shared::{Exit, LineReader, Opt, Outcome, Spec, Tool, quotef};

const SPEC: Spec = Spec::new(
    "[OPTION]... [FILE]...",
    &[Opt::value("d", "delimiters"), Opt::flag("s", "serial"), Opt::flag("z", "zero-terminated")],
);

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let list = parsed.value("delimiters").unwrap_or(b"\t");
    let Some(delimiters) = delimiters(list) else {
        let message = format!("delimiter list ends with an unescaped backslash: {}", String::from_utf8_lossy(list));
        return Err(tool.fail(1, message).await);
    };
    let end = if parsed.has("zero-terminated") { 0 } else { b'\n' };
    let files = or_stdin(parsed.operands.clone());
    if parsed.has("serial") {
        serial(&tool, &files, &delimiters, end).await
    } else {
        parallel(&tool, &files, &delimiters, end).await
    }
}

/// The delimiters in turn; `\0` is none. `None` if the list ends in a backslash.
fn delimiters(list: &[u8]) -> Option<Vec<Option<u8>>> {
    let mut delimiters = Vec::new();
    let mut bytes = list.iter();
    while let Some(&byte) = bytes.next() {
        delimiters.push(if byte == b'\\' {
            match bytes.next()? {
                b'0' => None,
                b'b' => Some(8),
                b'f' => Some(12),
                b'n' => Some(b'\n'),
                b'r' => Some(b'\r'),
                b't' => Some(b'\t'),
                b'v' => Some(11),
                other => Some(*other),
            }
        } else {
            Some(byte)
        });
    }
    if delimiters.is_empty() {
        delimiters.push(None);
    }
    Some(delimiters)
}

async fn next(tool: &Tool, name: &[u8], reader: &mut LineReader, end: u8) -> Result<Option<Vec<u8>>, Exit> {
    match reader.until(end).await {
        Ok(Some(mut line)) => {
            if line.last() == Some(&end) {
                line.pop();
            }
            Ok(Some(line))
        }
        Ok(None) => Ok(None),
        Err(errno) => Err(tool.fail_errno(1, quotef(name), errno).await),
    }
}

async fn serial(tool: &Tool, files: &[Vec<u8>], delimiters: &[Option<u8>], end: u8) -> Outcome {
    let mut code = 0;
    for name in files {
        let fd = match open(tool, name).await {
            Ok(fd) => fd,
            Err(errno) => {
                tool.error_errno(quotef(name), errno).await;
                code = 1;
                continue;
            }
        };
        let mut reader = LineReader::new(tool.sys.clone(), fd);
        let mut turn = delimiters.iter().cycle();
        let mut first = true;
        while let Some(line) = next(tool, name, &mut reader, end).await? {
            if !first && let Some(Some(delimiter)) = turn.next() {
                tool.out.write([*delimiter]).await?;
            }
            first = false;
            tool.out.write(line).await?;
        }
        tool.out.write([end]).await?;
        close(tool, fd).await;
    }
    Ok(code)
}

async fn parallel(tool: &Tool, files: &[Vec<u8>], delimiters: &[Option<u8>], end: u8) -> Outcome {
    // Every `-` takes the next line of the one standard input.
    let mut readers: Vec<(Fd, LineReader)> = Vec::new();
    let mut columns: Vec<(usize, &[u8], bool)> = Vec::new();
    for name in files {
        let fd = match open(tool, name).await {
            Ok(fd) => fd,
            Err(errno) => return Err(tool.fail_errno(1, quotef(name), errno).await),
        };
        let index = match readers.iter().position(|(held, _)| *held == fd) {
            Some(index) => index,
            None => {
                readers.push((fd, LineReader::new(tool.sys.clone(), fd)));
                readers.len() - 1
            }
        };
        columns.push((index, name, true));
    }
    loop {
        let mut row = Vec::new();
        let mut any = false;
        let mut turn = delimiters.iter().cycle();
        let last = columns.len().saturating_sub(1);
        for (place, (index, name, open)) in columns.iter_mut().enumerate() {
            if *open && let Some((_, reader)) = readers.get_mut(*index) {
                match next(tool, name, reader, end).await? {
                    Some(line) => {
                        any = true;
                        row.extend_from_slice(&line);
                    }
                    None => *open = false,
                }
            }
            if place < last
                && let Some(Some(delimiter)) = turn.next()
            {
                row.push(*delimiter);
            }
        }
        if !any {
            return Ok(0);
        }
        row.push(end);
        tool.out.write(row).await?;
    }
}
