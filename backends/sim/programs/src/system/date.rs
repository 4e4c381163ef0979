//! date(1), in UTC.

use provium_kernel::flags::O_RDONLY;
use provium_kernel::{Errno, TimeSpec};

use crate::shared::tool::STDIN;
use crate::shared::{Exit, LineReader, Opt, Outcome, Parsed, Spec, Tool, clock, date_text, quote, quoteaf, quotef};

const SPEC: Spec = Spec::new(
    "[OPTION]... [+FORMAT]",
    &[
        Opt::value("d", "date"),
        Opt::unsupported("", "debug"),
        Opt::value("f", "file"),
        Opt::optional("I", "iso-8601"),
        Opt::flag("R", "rfc-email"),
        Opt::value("", "rfc-3339"),
        Opt::value("r", "reference"),
        Opt::unsupported("", "resolution"),
        Opt::value("s", "set"),
        Opt::flag("u", "utc"),
        Opt::flag("", "universal"),
    ],
);

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let mut format = option_format(&tool, &parsed).await?;
    let sources = ["date", "file", "reference"].iter().filter(|option| parsed.has(option)).count();
    if sources > 1 {
        return Err(tool.usage_error(1, "the options to specify dates for printing are mutually exclusive").await);
    }
    if sources > 0 && parsed.has("set") {
        return Err(tool.usage_error(1, "the options to print and set the time may not be used together").await);
    }
    let mut operands = parsed.operands.iter();
    if let Some(operand) = operands.next() {
        match operand.split_first() {
            Some((b'+', own)) if format.is_none() => format = Some(own.to_vec()),
            Some((b'+', _)) => return Err(tool.fail(1, "multiple output formats specified").await),
            _ if sources > 0 || parsed.has("set") => {
                let text = format!(
                    "the argument {} lacks a leading '+';\nwhen using an option to specify date(s), any non-option\nargument must be a format string beginning with '+'",
                    quote(operand)
                );
                return Err(tool.usage_error(1, text).await);
            }
            _ if operand.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') && operand.len() >= 8 => {
                let text = "setting the date by digits is not supported by the simulated guest; use -s";
                return Err(tool.fail(1, text).await);
            }
            _ => return Err(tool.fail(1, format!("invalid date {}", quote(operand))).await),
        }
    }
    if let Some(extra) = operands.next() {
        return Err(tool.extra_operand(1, extra).await);
    }
    let format = format.unwrap_or_else(|| b"%a %b %e %H:%M:%S %Z %Y".to_vec());
    let now = tool.sys.clock_realtime().await;
    if let Some(path) = parsed.value("file") {
        return from_file(&tool, path, &format, now).await;
    }
    let mut code = 0;
    let time = if let Some(path) = parsed.value("reference") {
        match tool.sys.stat(path).await {
            Ok(stat) => stat.mtime,
            Err(errno) => return Err(tool.fail_errno(1, quotef(path), errno).await),
        }
    } else if let Some(text) = parsed.value("date").or(parsed.value("set")) {
        match date_text::parse(&String::from_utf8_lossy(text), now) {
            Some(time) => time,
            None => return Err(tool.fail(1, format!("invalid date {}", quote(text))).await),
        }
    } else {
        now
    };
    if parsed.has("set")
        && let Err(errno) = tool.sys.clock_settime(time).await
    {
        // The date is shown all the same, as by the real tool.
        tool.error_errno("cannot set date", errno).await;
        code = 1;
    }
    show(&tool, &format, time).await?;
    Ok(code)
}

async fn show(tool: &Tool, format: &[u8], time: TimeSpec) -> Result<(), Exit> {
    let mut text = clock::format(format, time);
    text.push(b'\n');
    tool.out.write(text).await
}

async fn option_format(tool: &Tool, parsed: &Parsed) -> Result<Option<Vec<u8>>, Exit> {
    let mut format: Option<&[u8]> = None;
    for (option, value) in &parsed.options {
        let chosen: &[u8] = match (*option, value.as_deref()) {
            ("rfc-email", _) => b"%a, %d %b %Y %H:%M:%S %z",
            ("iso-8601", None | Some(b"date")) => b"%Y-%m-%d",
            ("iso-8601", Some(b"hours")) => b"%Y-%m-%dT%H%:z",
            ("iso-8601", Some(b"minutes")) => b"%Y-%m-%dT%H:%M%:z",
            ("iso-8601", Some(b"seconds")) => b"%Y-%m-%dT%H:%M:%S%:z",
            ("iso-8601", Some(b"ns")) => b"%Y-%m-%dT%H:%M:%S,%N%:z",
            ("rfc-3339", Some(b"date")) => b"%Y-%m-%d",
            ("rfc-3339", Some(b"seconds")) => b"%Y-%m-%d %H:%M:%S%:z",
            ("rfc-3339", Some(b"ns")) => b"%Y-%m-%d %H:%M:%S.%N%:z",
            ("iso-8601" | "rfc-3339", Some(other)) => {
                let name = if *option == "iso-8601" { "--iso-8601" } else { "--rfc-3339" };
                tool.error(format!("invalid argument {} for '{name}'", quote(other))).await;
                let valid = if *option == "iso-8601" {
                    "  - 'hours'\n  - 'minutes'\n  - 'date'\n  - 'seconds'\n  - 'ns'\n"
                } else {
                    "  - 'date'\n  - 'seconds'\n  - 'ns'\n"
                };
                tool.stderr(format!("Valid arguments are:\n{valid}")).await;
                return Err(tool.usage_hint(1).await);
            }
            _ => continue,
        };
        if format.is_some() {
            return Err(tool.fail(1, "multiple output formats specified").await);
        }
        format = Some(chosen);
    }
    Ok(format.map(<[u8]>::to_vec))
}

async fn from_file(tool: &Tool, path: &[u8], format: &[u8], now: TimeSpec) -> Outcome {
    let fd = match path {
        b"-" => STDIN,
        path => match tool.sys.open(path, O_RDONLY, 0).await {
            Ok(fd) => fd,
            Err(errno) => return Err(tool.fail_errno(1, quotef(path), errno).await),
        },
    };
    let mut lines = LineReader::new(tool.sys.clone(), fd);
    let mut code = 0;
    loop {
        let line: Result<Option<Vec<u8>>, Errno> = lines.line().await;
        match line {
            Ok(Some(line)) => {
                let line = line.strip_suffix(b"\n").unwrap_or(&line).to_vec();
                match date_text::parse(&String::from_utf8_lossy(&line), now) {
                    Some(time) => show(tool, format, time).await?,
                    None => {
                        tool.error(format!("invalid date {}", quote(&line))).await;
                        code = 1;
                    }
                }
            }
            Ok(None) => return Ok(code),
            Err(errno) => return Err(tool.fail_errno(1, quoteaf(path), errno).await),
        }
    }
}
