//! cat(1): blocks of 128 KiB go through as they are, unless lines are to be changed.

use provium_kernel::flags::{O_APPEND, O_RDONLY, SEEK_CUR};
use provium_kernel::{Fd, Stat};

use crate::shared::tool::{STDIN, STDOUT};
use crate::shared::{Exit, Opt, Outcome, Spec, Tool, quotef};

const SPEC: Spec = Spec::new(
    "[OPTION]... [FILE]...",
    &[
        Opt::flag("A", "show-all"),
        Opt::flag("b", "number-nonblank"),
        Opt::flag("e", ""),
        Opt::flag("E", "show-ends"),
        Opt::flag("n", "number"),
        Opt::flag("s", "squeeze-blank"),
        Opt::flag("t", ""),
        Opt::flag("T", "show-tabs"),
        Opt::flag("u", ""),
        Opt::flag("v", "show-nonprinting"),
    ],
);

/// Bytes that cat asks for in one read.
const BLOCK: usize = 128 << 10;

#[derive(Default)]
struct Format {
    number: bool,
    number_nonblank: bool,
    ends: bool,
    squeeze: bool,
    tabs: bool,
    nonprinting: bool,
    line: u64,
    blank_lines: u32,
    at_line_start: bool,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let mut format = Format { at_line_start: true, ..Format::default() };
    for (option, _) in &parsed.options {
        match *option {
            "show-all" => (format.nonprinting, format.ends, format.tabs) = (true, true, true),
            "number-nonblank" => (format.number, format.number_nonblank) = (true, true),
            "e" => (format.nonprinting, format.ends) = (true, true),
            "show-ends" => format.ends = true,
            "number" => format.number = true,
            "squeeze-blank" => format.squeeze = true,
            "t" => (format.nonprinting, format.tabs) = (true, true),
            "show-tabs" => format.tabs = true,
            "show-nonprinting" => format.nonprinting = true,
            _ => {}
        }
    }
    let plain = !(format.number || format.ends || format.squeeze || format.tabs || format.nonprinting);
    let output = match tool.sys.fstat(STDOUT).await {
        Ok(stat) => stat,
        Err(errno) => return Err(tool.fail_errno(1, "standard output", errno).await),
    };
    let files = if parsed.operands.is_empty() { vec![b"-".to_vec()] } else { parsed.operands };
    let mut code = 0;
    for file in &files {
        let opened = if file == b"-" { Ok(STDIN) } else { tool.sys.open(file, O_RDONLY, 0).await };
        let fd = match opened {
            Ok(fd) => fd,
            Err(errno) => {
                tool.error_errno(quotef(file), errno).await;
                code = 1;
                continue;
            }
        };
        let format = if plain { None } else { Some(&mut format) };
        code |= one(&tool, file, fd, &output, format).await?;
        if fd != STDIN {
            let _closed = tool.sys.close(fd).await;
        }
    }
    if files.iter().any(|file| file == b"-")
        && let Err(errno) = tool.sys.close(STDIN).await
    {
        return Err(tool.fail_errno(1, "closing standard input", errno).await);
    }
    Ok(code)
}

/// Copies one file; the result is the exit code so far.
async fn one(tool: &Tool, file: &[u8], fd: Fd, output: &Stat, mut format: Option<&mut Format>) -> Outcome {
    let stat = match tool.sys.fstat(fd).await {
        Ok(stat) => stat,
        Err(errno) => {
            tool.error_errno(quotef(file), errno).await;
            return Ok(1);
        }
    };
    if output.is_file() && (stat.dev, stat.ino) == (output.dev, output.ino) && would_feed_itself(tool, fd, &stat).await
    {
        tool.error(format!("{}: input file is output file", quotef(file))).await;
        return Ok(1);
    }
    loop {
        let data = match tool.sys.read(fd, BLOCK).await {
            Ok(data) => data,
            Err(errno) => {
                tool.error_errno(quotef(file), errno).await;
                return Ok(1);
            }
        };
        if data.is_empty() {
            return Ok(0);
        }
        match &mut format {
            None => write(tool, &data).await?,
            Some(format) => {
                let shown = format.apply(&data);
                write(tool, &shown).await?;
            }
        }
    }
}

async fn would_feed_itself(tool: &Tool, fd: Fd, stat: &Stat) -> bool {
    let appends = tool.sys.getfl(STDOUT).await.is_ok_and(|flags| flags & O_APPEND != 0);
    let end = if appends { i128::from(stat.size) } else { offset(tool, STDOUT).await };
    let start = offset(tool, fd).await;
    start >= 0 && start < i128::from(stat.size).max(end) && stat.size > 0
}

async fn offset(tool: &Tool, fd: Fd) -> i128 {
    tool.sys.lseek(fd, 0, SEEK_CUR).await.map_or(-1, i128::from)
}

async fn write(tool: &Tool, data: &[u8]) -> Result<(), Exit> {
    match tool.sys.write_all(STDOUT, data).await {
        Ok(()) => Ok(()),
        Err(errno) => Err(tool.fail_errno(1, "write error", errno).await),
    }
}

impl Format {
    fn apply(&mut self, data: &[u8]) -> Vec<u8> {
        let mut shown = Vec::with_capacity(data.len() + data.len() / 8);
        for &byte in data {
            if self.at_line_start {
                let blank = byte == b'\n';
                self.blank_lines = if blank { self.blank_lines + 1 } else { 0 };
                if self.squeeze && self.blank_lines > 1 {
                    continue;
                }
                if self.number && !(blank && self.number_nonblank) {
                    self.line += 1;
                    shown.extend_from_slice(format!("{:6}\t", self.line).as_bytes());
                }
            }
            self.at_line_start = byte == b'\n';
            match byte {
                b'\n' if self.ends => shown.extend_from_slice(b"$\n"),
                b'\n' => shown.push(b'\n'),
                b'\t' if self.tabs => shown.extend_from_slice(b"^I"),
                b'\t' => shown.push(b'\t'),
                byte if self.nonprinting => push_visible(&mut shown, byte),
                byte => shown.push(byte),
            }
        }
        shown
    }
}

fn push_visible(shown: &mut Vec<u8>, byte: u8) {
    let low = byte & 0x7f;
    if byte >= 0x80 {
        shown.extend_from_slice(b"M-");
    }
    match low {
        0x7f => shown.extend_from_slice(b"^?"),
        0..=0x1f => shown.extend_from_slice(&[b'^', low + 64]),
        _ => shown.push(low),
    }
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn lines_are_numbered_and_made_visible_across_blocks() {
        let mut format = Format { number: true, ends: true, at_line_start: true, ..Format::default() };
        assert_eq!(format.apply(b"a\nb"), b"     1\ta$\n     2\tb");
        assert_eq!(format.apply(b"c\n"), b"c$\n");
        let mut format = Format { nonprinting: true, squeeze: true, at_line_start: true, ..Format::default() };
        assert_eq!(format.apply(b"\x01\x80\xff\n\n\n\nx\n"), b"^AM-^@M-^?\n\nx\n");
    }
}
