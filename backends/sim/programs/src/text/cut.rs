//! cut: parts of lines.

use provium_kernel::{Errno, Fd};

use super::common::{close, lines, open, or_stdin};
use crate::shared::{Exit, Opt, Outcome, Parsed, Spec, Tool, quote, quotef};

const SPEC: Spec = Spec::new(
    "OPTION... [FILE]...",
    &[
        Opt::value("b", "bytes"),
        Opt::value("c", "characters"),
        Opt::value("d", "delimiter"),
        Opt::value("f", "fields"),
        Opt::flag("n", ""),
        Opt::flag("", "complement"),
        Opt::flag("s", "only-delimited"),
        Opt::value("", "output-delimiter"),
        Opt::flag("z", "zero-terminated"),
    ],
);

struct Job {
    fields: bool,
    /// First and last of each range, in order and not overlapping (they may touch).
    ranges: Vec<(u64, u64)>,
    delimiter: u8,
    only_delimited: bool,
    /// Between fields, and between ranges of bytes.
    output_delimiter: Option<Vec<u8>>,
    line_end: u8,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let job = job(&tool, &parsed).await?;
    let mut code = 0;
    for name in or_stdin(parsed.operands) {
        let fd = match open(&tool, &name).await {
            Ok(fd) => fd,
            Err(errno) => {
                tool.error_errno(quotef(&name), errno).await;
                code = 1;
                continue;
            }
        };
        let outcome = file(&tool, fd, &job).await?;
        close(&tool, fd).await;
        if let Err(errno) = outcome {
            tool.error_errno(quotef(&name), errno).await;
            code = 1;
        }
    }
    Ok(code)
}

async fn job(tool: &Tool, parsed: &Parsed) -> Result<Job, Exit> {
    let lists: Vec<&(&str, Option<Vec<u8>>)> =
        parsed.options.iter().filter(|(key, _)| matches!(*key, "bytes" | "characters" | "fields")).collect();
    let (kind, list) = match lists.as_slice() {
        [] => return Err(tool.usage_error(1, "you must specify a list of bytes, characters, or fields").await),
        [(kind, list)] => (*kind, list.as_deref().unwrap_or_default()),
        _ => return Err(tool.usage_error(1, "only one list may be specified").await),
    };
    let fields = kind == "fields";
    let delimiter = match parsed.value("delimiter") {
        None => b'\t',
        Some([]) => 0,
        Some([one]) => *one,
        Some(_) => return Err(tool.usage_error(1, "the delimiter must be a single character").await),
    };
    if !fields && parsed.has("delimiter") {
        let message = "an input delimiter may be specified only when operating on fields";
        return Err(tool.usage_error(1, message).await);
    }
    if !fields && parsed.has("only-delimited") {
        let message = "suppressing non-delimited lines makes sense\n\tonly when operating on fields";
        return Err(tool.usage_error(1, message).await);
    }
    let mut ranges = match parse_list(list, fields) {
        Ok(ranges) => ranges,
        Err(message) => return Err(tool.usage_error(1, message).await),
    };
    if parsed.has("complement") {
        ranges = complement(&ranges);
    }
    let given = parsed.value("output-delimiter").map(<[u8]>::to_vec);
    Ok(Job {
        fields,
        ranges,
        delimiter,
        only_delimited: parsed.has("only-delimited"),
        output_delimiter: if fields { Some(given.unwrap_or_else(|| vec![delimiter])) } else { given },
        line_end: if parsed.has("zero-terminated") { 0 } else { b'\n' },
    })
}

/// Reads `1,3-5,7-`.
fn parse_list(list: &[u8], fields: bool) -> Result<Vec<(u64, u64)>, String> {
    let from_one = if fields { "fields are numbered from 1" } else { "byte/character positions are numbered from 1" };
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for part in list.split(|byte| matches!(byte, b',' | b' ' | b'\t')) {
        let mut pieces = part.split(|byte| *byte == b'-');
        let first = pieces.next().unwrap_or_default();
        let second = pieces.next();
        if pieces.next().is_some() {
            return Err(if fields { "invalid field range" } else { "invalid byte or character range" }.into());
        }
        for piece in [Some(first), second].into_iter().flatten() {
            if let Some(from) = piece.iter().position(|byte| !byte.is_ascii_digit()) {
                return Err(format!(
                    "invalid {} {}",
                    if fields { "field value" } else { "byte/character position" },
                    quote(&piece[from..])
                ));
            }
        }
        for piece in [Some(first), second].into_iter().flatten() {
            if super::common::number(piece) == Some(u64::MAX) {
                let what = if fields { "field number" } else { "byte/character offset" };
                return Err(format!("{what} {} is too large", quote(piece)));
            }
        }
        let low = super::common::number(first);
        match second {
            None => {
                let Some(only @ 1..) = low else { return Err(from_one.into()) };
                ranges.push((only, only));
            }
            Some(second) => {
                if low == Some(0) {
                    return Err(from_one.into());
                }
                let high = super::common::number(second);
                if low.is_none() && high.is_none() {
                    return Err("invalid range with no endpoint: -".into());
                }
                let (low, high) = (low.unwrap_or(1), high.unwrap_or(u64::MAX));
                if high < low {
                    return Err("invalid decreasing range".into());
                }
                ranges.push((low, high));
            }
        }
    }
    ranges.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (low, high) in ranges {
        match merged.last_mut() {
            Some(last) if low <= last.1 => last.1 = last.1.max(high),
            _ => merged.push((low, high)),
        }
    }
    Ok(merged)
}

fn complement(ranges: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut gaps = Vec::new();
    let mut next = 1;
    for &(low, high) in ranges {
        if low > next {
            gaps.push((next, low - 1));
        }
        if high == u64::MAX {
            return gaps;
        }
        next = high + 1;
    }
    gaps.push((next, u64::MAX));
    gaps
}

async fn file(tool: &Tool, fd: Fd, job: &Job) -> Result<Result<(), Errno>, Exit> {
    let mut reader = lines(tool, fd);
    loop {
        let line = match reader.until(job.line_end).await {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(Ok(())),
            Err(errno) => return Ok(Err(errno)),
        };
        let line = line.strip_suffix(&[job.line_end]).unwrap_or(&line);
        let cut = if job.fields { cut_fields(line, job) } else { Some(cut_bytes(line, job)) };
        if let Some(mut cut) = cut {
            cut.push(job.line_end);
            tool.out.write(cut).await?;
        }
    }
}

fn cut_bytes(line: &[u8], job: &Job) -> Vec<u8> {
    let mut cut = Vec::with_capacity(line.len() + 1);
    for (index, &(low, high)) in job.ranges.iter().enumerate() {
        let low = usize::try_from(low - 1).unwrap_or(usize::MAX);
        if low >= line.len() {
            break;
        }
        if let Some(between) = job.output_delimiter.as_ref().filter(|_| index > 0) {
            cut.extend_from_slice(between);
        }
        let high = usize::try_from(high).unwrap_or(usize::MAX).min(line.len());
        cut.extend_from_slice(&line[low..high]);
    }
    cut
}

fn cut_fields(line: &[u8], job: &Job) -> Option<Vec<u8>> {
    if !line.contains(&job.delimiter) {
        return (!job.only_delimited).then(|| line.to_vec());
    }
    let between = job.output_delimiter.as_deref().unwrap_or_default();
    let mut cut = Vec::with_capacity(line.len() + 1);
    let mut ranges = job.ranges.iter().copied().peekable();
    let mut any = false;
    for (number, field) in (1_u64..).zip(line.split(|byte| *byte == job.delimiter)) {
        while ranges.next_if(|(_, high)| *high < number).is_some() {}
        match ranges.peek() {
            None => break,
            Some((low, _)) if *low > number => continue,
            Some(_) => {}
        }
        if any {
            cut.extend_from_slice(between);
        }
        any = true;
        cut.extend_from_slice(field);
    }
    Some(cut)
}

#[cfg(test)]
mod tests {
    use super::{complement, parse_list};

    #[test]
    fn lists_are_sorted_and_merged() {
        assert_eq!(parse_list(b"5-,1,2-3,3-4", true), Ok(vec![(1, 1), (2, 4), (5, u64::MAX)]));
        assert_eq!(complement(&[(2, 4), (7, 8)]), [(1, 1), (5, 6), (9, u64::MAX)]);
        assert_eq!(complement(&[(1, u64::MAX)]), []);
    }

    #[test]
    fn wrong_lists_are_named() {
        for (list, message) in [
            (&b"0"[..], "fields are numbered from 1"),
            (b"", "fields are numbered from 1"),
            (b"-", "invalid range with no endpoint: -"),
            (b"3-1", "invalid decreasing range"),
            (b"1-2-3", "invalid field range"),
            (b"a", "invalid field value 'a'"),
        ] {
            assert_eq!(parse_list(list, true), Err(message.to_owned()));
        }
    }
}
