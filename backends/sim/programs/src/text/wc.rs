//! wc: lines, words and bytes.

use provium_kernel::{Errno, Fd};

use super::common::{close, is_space, open};
use crate::shared::{Opt, Outcome, Parsed, Spec, Tool, quotef};

/// Bytes of one read, as in the real tool.
const BLOCK: usize = 16 << 10;

const SPEC: Spec = Spec::new(
    "[OPTION]... [FILE]...",
    &[
        Opt::flag("c", "bytes"),
        Opt::flag("m", "chars"),
        Opt::flag("l", "lines"),
        Opt::flag("w", "words"),
        Opt::flag("L", "max-line-length"),
        Opt::unsupported("", "files0-from"),
    ],
);

#[derive(Clone, Copy, Default)]
struct Counts {
    lines: u64,
    words: u64,
    bytes: u64,
    longest: u64,
}

struct Shown {
    lines: bool,
    words: bool,
    chars: bool,
    bytes: bool,
    longest: bool,
}

impl Shown {
    fn new(parsed: &Parsed) -> Shown {
        if parsed.options.is_empty() {
            return Shown { lines: true, words: true, chars: false, bytes: true, longest: false };
        }
        Shown {
            lines: parsed.has("lines"),
            words: parsed.has("words"),
            chars: parsed.has("chars"),
            bytes: parsed.has("bytes"),
            longest: parsed.has("max-line-length"),
        }
    }

    fn columns(&self) -> usize {
        [self.lines, self.words, self.chars, self.bytes, self.longest].into_iter().filter(|shown| *shown).count()
    }

    fn only_bytes(&self) -> bool {
        self.bytes && self.columns() == 1
    }

    fn line(&self, counts: &Counts, width: usize, name: Option<&str>) -> String {
        let columns = [
            (self.lines, counts.lines),
            (self.words, counts.words),
            (self.chars, counts.bytes),
            (self.bytes, counts.bytes),
            (self.longest, counts.longest),
        ];
        let columns: Vec<String> =
            columns.iter().filter(|(shown, _)| *shown).map(|(_, count)| format!("{count:>width$}")).collect();
        let mut line = columns.join(" ");
        if let Some(name) = name {
            line.push(' ');
            line.push_str(name);
        }
        line.push('\n');
        line
    }
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let shown = Shown::new(&parsed);
    let from_stdin = parsed.operands.is_empty();
    let files = super::common::or_stdin(parsed.operands);
    let width = width(&tool, &shown, &files).await;
    let mut total = Counts::default();
    let mut code = 0;
    for name in &files {
        let fd = match open(&tool, name).await {
            Ok(fd) => fd,
            Err(errno) => {
                tool.error_errno(quotef(name), errno).await;
                code = 1;
                continue;
            }
        };
        let mut counts = Counts::default();
        let outcome = count(&tool, fd, &shown, &mut counts).await;
        close(&tool, fd).await;
        if let Err(errno) = outcome {
            tool.error_errno(quotef(name), errno).await;
            code = 1;
        }
        total.lines += counts.lines;
        total.words += counts.words;
        total.bytes += counts.bytes;
        total.longest = total.longest.max(counts.longest);
        let label = quotef(name);
        tool.out.write(shown.line(&counts, width, (!from_stdin).then_some(&label))).await?;
    }
    if files.len() > 1 {
        tool.out.write(shown.line(&total, width, Some("total"))).await?;
    }
    Ok(code)
}

/// The width of the columns: that of the sum of the files' sizes, and at least 7 if one is no file.
async fn width(tool: &Tool, shown: &Shown, files: &[Vec<u8>]) -> usize {
    if files.len() == 1 && shown.columns() == 1 {
        return 1;
    }
    let mut least = 1;
    let mut sum: u64 = 0;
    for name in files {
        let stat = if name == b"-" { tool.sys.fstat(0).await } else { tool.sys.stat(name).await };
        match stat {
            Ok(stat) if stat.is_file() => sum = sum.saturating_add(stat.size),
            Ok(_) => least = 7,
            Err(_) => {}
        }
    }
    sum.to_string().len().max(least)
}

async fn count(tool: &Tool, fd: Fd, shown: &Shown, counts: &mut Counts) -> Result<(), Errno> {
    if shown.only_bytes() {
        // The size of a regular file is known without reading it.
        let stat = tool.sys.fstat(fd).await?;
        if stat.is_file() && stat.size > 0 {
            let here = tool.sys.lseek(fd, 0, 1).await?;
            if here < stat.size {
                counts.bytes = stat.size - here;
                tool.sys.lseek(fd, 0, 2).await?;
                return Ok(());
            }
        }
    }
    let mut in_word = false;
    let mut column: u64 = 0;
    loop {
        let data = tool.sys.read(fd, BLOCK).await?;
        if data.is_empty() {
            break;
        }
        counts.bytes += data.len() as u64;
        for &byte in &data {
            match byte {
                b'\n' | b'\r' | 12 => {
                    counts.longest = counts.longest.max(column);
                    column = 0;
                    counts.lines += u64::from(byte == b'\n');
                }
                b'\t' => column += 8 - column % 8,
                b' '..=b'~' => column += 1,
                _ => {}
            }
            if is_space(byte) {
                in_word = false;
            } else if !in_word && (b'!'..=b'~').contains(&byte) {
                in_word = true;
                counts.words += 1;
            }
        }
    }
    counts.longest = counts.longest.max(column);
    Ok(())
}
