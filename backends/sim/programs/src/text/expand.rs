//! expand and unexpand: tabs to blanks and back.

use super::common::{close, is_blank, lines, open, or_stdin};
use crate::shared::{Exit, Opt, Outcome, Parsed, Spec, Tool, quote, quotef};

const EXPAND: Spec = Spec::new("[OPTION]... [FILE]...", &[Opt::flag("i", "initial"), Opt::value("t", "tabs")]);

const UNEXPAND: Spec =
    Spec::new("[OPTION]... [FILE]...", &[Opt::flag("a", "all"), Opt::flag("", "first-only"), Opt::value("t", "tabs")]);

/// Where tabs end.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stops {
    Every(usize),
    At(Vec<usize>),
}

/// The largest column of a tab stop: more would only serve to exhaust memory.
const MAX_STOP: usize = 1 << 20;

impl Stops {
    fn parse(text: &[u8]) -> Result<Stops, String> {
        let mut stops = Vec::new();
        for part in text.split(|byte| *byte == b',' || is_blank(*byte)).filter(|part| !part.is_empty()) {
            let digits = part.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits < part.len() {
                return Err(format!("tab size contains invalid character(s): {}", quote(&part[digits..])));
            }
            let stop = super::common::number(part).and_then(|stop| usize::try_from(stop).ok());
            match stop {
                Some(0) => return Err("tab size cannot be 0".into()),
                Some(stop) if stop <= MAX_STOP => stops.push(stop),
                _ => return Err(format!("tab stop is too large {}", quote(part))),
            }
        }
        if stops.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err("tab sizes must be ascending".into());
        }
        Ok(match stops.as_slice() {
            [] => Stops::Every(8),
            [every] => Stops::Every(*every),
            _ => Stops::At(stops),
        })
    }

    /// The first stop beyond the column, if there is one.
    fn after(&self, column: usize) -> Option<usize> {
        match self {
            Stops::Every(size) => Some(column - column % size + size),
            Stops::At(stops) => stops.iter().copied().find(|stop| *stop > column),
        }
    }
}

pub(super) async fn run_expand(tool: Tool) -> Outcome {
    let args = tool.args.iter().map(|arg| match arg.strip_prefix(b"-") {
        Some(list) if list.first().is_some_and(u8::is_ascii_digit) => [b"-t", list].concat(),
        _ => arg.clone(),
    });
    let parsed = tool.parse_args(&EXPAND, args.collect()).await?;
    let stops = stops(&tool, &parsed).await?;
    let initial = parsed.has("initial");
    each_line(&tool, parsed.operands, |line| expanded(line, &stops, initial)).await
}

pub(super) async fn run_unexpand(tool: Tool) -> Outcome {
    let parsed = tool.parse(&UNEXPAND).await?;
    let stops = stops(&tool, &parsed).await?;
    let all = (parsed.has("all") || parsed.value("tabs").is_some()) && !parsed.has("first-only");
    each_line(&tool, parsed.operands, |line| unexpanded(line, &stops, all)).await
}

async fn stops(tool: &Tool, parsed: &Parsed) -> Result<Stops, Exit> {
    match Stops::parse(parsed.value("tabs").unwrap_or_default()) {
        Ok(stops) => Ok(stops),
        Err(message) => Err(tool.fail(1, message).await),
    }
}

async fn each_line(tool: &Tool, operands: Vec<Vec<u8>>, change: impl Fn(&[u8]) -> Vec<u8>) -> Outcome {
    let mut code = 0;
    for name in or_stdin(operands) {
        let fd = match open(tool, &name).await {
            Ok(fd) => fd,
            Err(errno) => {
                tool.error_errno(quotef(&name), errno).await;
                code = 1;
                continue;
            }
        };
        let mut reader = lines(tool, fd);
        loop {
            match reader.line().await {
                Ok(Some(line)) => tool.out.write(change(&line)).await?,
                Ok(None) => break,
                Err(errno) => {
                    tool.error_errno(quotef(&name), errno).await;
                    code = 1;
                    break;
                }
            }
        }
        close(tool, fd).await;
    }
    Ok(code)
}

fn expanded(line: &[u8], stops: &Stops, initial: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    let mut column: usize = 0;
    let mut convert = true;
    for &byte in line {
        match byte {
            b'\t' if convert => {
                let next = stops.after(column).unwrap_or(column + 1);
                out.resize(out.len() + next - column, b' ');
                column = next;
                continue;
            }
            8 => column = column.saturating_sub(1),
            _ => column += 1,
        }
        convert &= !initial || is_blank(byte);
        out.push(byte);
    }
    out
}

fn unexpanded(line: &[u8], stops: &Stops, all: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    let mut column: usize = 0;
    // Where the run of blanks that is held back began.
    let mut blanks: Option<usize> = None;
    let mut held: Vec<u8> = Vec::new();
    let mut convert = true;
    for &byte in line {
        if convert && is_blank(byte) {
            let Some(stop) = stops.after(column) else {
                out.append(&mut held);
                blanks = None;
                convert = false;
                out.push(byte);
                continue;
            };
            let start = *blanks.get_or_insert(column);
            column = if byte == b'\t' { stop } else { column + 1 };
            held.push(byte);
            if column == stop {
                // One blank before a stop is not worth a tab unless the line began with it.
                let worth = byte == b'\t' || column - start > 1;
                if worth {
                    held.clear();
                    out.push(b'\t');
                    blanks = None;
                }
            }
            continue;
        }
        out.append(&mut held);
        blanks = None;
        match byte {
            8 => column = column.saturating_sub(1),
            _ => column += 1,
        }
        convert &= all;
        out.push(byte);
    }
    out.append(&mut held);
    out
}

#[cfg(test)]
mod tests {
    use super::{Stops, expanded, unexpanded};

    #[test]
    fn tabs_reach_to_their_stop() {
        assert_eq!(expanded(b"a\tb\n", &Stops::Every(4), false), b"a   b\n");
        assert_eq!(expanded(b"\ta\tb", &Stops::Every(2), true), b"  a\tb");
        assert_eq!(expanded(b"\t\t\tx", &Stops::At(vec![2, 5]), false), b"      x");
    }

    #[test]
    fn blanks_become_tabs() {
        assert_eq!(unexpanded(b"        a       b\n", &Stops::Every(8), false), b"\ta       b\n");
        assert_eq!(unexpanded(b"        a       b\n", &Stops::Every(8), true), b"\ta\tb\n");
        assert_eq!(unexpanded(b"   a", &Stops::Every(8), false), b"   a");
    }

    #[test]
    fn wrong_stops_are_named() {
        assert_eq!(Stops::parse(b"4,2"), Err("tab sizes must be ascending".into()));
        assert_eq!(Stops::parse(b"0"), Err("tab size cannot be 0".into()));
        assert_eq!(Stops::parse(b"x"), Err("tab size contains invalid character(s): 'x'".into()));
    }
}
