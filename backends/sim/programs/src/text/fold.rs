//! fold: wraps long lines.

use super::common::{close, is_blank, lines, number, open, or_stdin};
use crate::shared::{Opt, Outcome, Spec, Tool, quote, quotef};

const SPEC: Spec =
    Spec::new("[OPTION]... [FILE]...", &[Opt::flag("b", "bytes"), Opt::flag("s", "spaces"), Opt::value("w", "width")]);

pub(super) async fn run(tool: Tool) -> Outcome {
    // `-20` is the obsolete form of `-w20`.
    let args = tool.args.iter().map(|arg| match arg.strip_prefix(b"-") {
        Some(digits) if number(digits).is_some() => [b"-w", digits].concat(),
        _ => arg.clone(),
    });
    let parsed = tool.parse_args(&SPEC, args.collect()).await?;
    let width = match parsed.value("width") {
        None => 80,
        Some(text) => match number(text) {
            Some(width @ 1..) => usize::try_from(width).unwrap_or(usize::MAX),
            Some(_) => {
                let message = format!("invalid number of columns: {}: Numerical result out of range", quote(text));
                return Err(tool.fail(1, message).await);
            }
            None => return Err(tool.fail(1, format!("invalid number of columns: {}", quote(text))).await),
        },
    };
    let mut code = 0;
    for name in or_stdin(parsed.operands.clone()) {
        let fd = match open(&tool, &name).await {
            Ok(fd) => fd,
            Err(errno) => {
                tool.error_errno(quotef(&name), errno).await;
                code = 1;
                continue;
            }
        };
        let mut reader = lines(&tool, fd);
        loop {
            match reader.line().await {
                Ok(Some(line)) => {
                    tool.out.write(folded(&line, width, parsed.has("bytes"), parsed.has("spaces"))).await?;
                }
                Ok(None) => break,
                Err(errno) => {
                    tool.error_errno(quotef(&name), errno).await;
                    code = 1;
                    break;
                }
            }
        }
        close(&tool, fd).await;
    }
    Ok(code)
}

fn next_column(column: usize, byte: u8, bytes: bool) -> usize {
    match byte {
        _ if bytes => column + 1,
        8 => column.saturating_sub(1),
        b'\r' => 0,
        b'\t' => column + 8 - column % 8,
        _ => column + 1,
    }
}

fn folded(line: &[u8], width: usize, bytes: bool, spaces: bool) -> Vec<u8> {
    let mut all = Vec::with_capacity(line.len() + line.len() / width + 1);
    let mut row: Vec<u8> = Vec::new();
    let mut column = 0;
    for &byte in line {
        if byte == b'\n' {
            row.push(byte);
            break;
        }
        let mut next = next_column(column, byte, bytes);
        if next > width && !row.is_empty() {
            let keep = if spaces {
                row.iter().rposition(|byte| is_blank(*byte)).map_or(row.len(), |at| at + 1)
            } else {
                row.len()
            };
            let rest = row.split_off(keep);
            all.append(&mut row);
            all.push(b'\n');
            row = rest;
            column = row.iter().fold(0, |column, byte| next_column(column, *byte, bytes));
            next = next_column(column, byte, bytes);
        }
        row.push(byte);
        column = next;
    }
    all.append(&mut row);
    all
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn lines_break_at_the_width_or_after_blanks() {
        assert_eq!(folded(b"abcdefg\n", 3, false, false), b"abc\ndef\ng\n");
        assert_eq!(folded(b"one two three", 7, false, true), b"one \ntwo \nthree");
        assert_eq!(folded(b"a\tb", 4, false, false), b"a\n\t\nb");
        assert_eq!(folded(b"abc\n", 3, false, false), b"abc\n");
    }
}
