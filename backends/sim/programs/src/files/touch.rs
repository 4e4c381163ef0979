//! touch(1).

use provium_kernel::flags::{O_CREAT, O_NOCTTY, O_NONBLOCK, O_WRONLY};
use provium_kernel::{Errno, SetTime, TimeSpec};

use crate::shared::tool::STDOUT;
use crate::shared::{Exit, Opt, Outcome, Parsed, Spec, Tool, date_text, quote, quoteaf};

const SPEC: Spec = Spec::new(
    "[OPTION]... FILE...",
    &[
        Opt::flag("a", ""),
        Opt::flag("c", "no-create"),
        Opt::value("d", "date"),
        Opt::flag("f", ""),
        Opt::flag("h", "no-dereference"),
        Opt::flag("m", ""),
        Opt::value("r", "reference"),
        Opt::value("t", ""),
        Opt::value("", "time"),
    ],
);

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let (mut access, mut modification) = (parsed.has("a"), parsed.has("m"));
    match parsed.value("time") {
        None => {}
        Some(b"atime" | b"access" | b"use") => access = true,
        Some(b"mtime" | b"modify") => modification = true,
        Some(other) => {
            tool.error(format!("invalid argument {} for '--time'", quote(other))).await;
            tool.stderr("Valid arguments are:\n  - 'atime', 'access', 'use'\n  - 'mtime', 'modify'\n").await;
            return Err(tool.usage_hint(1).await);
        }
    }
    if !access && !modification {
        (access, modification) = (true, true);
    }
    let times = source(&tool, &parsed).await?;
    if parsed.operands.is_empty() {
        return Err(tool.usage_error(1, "missing file operand").await);
    }
    let pick = |wanted: bool, time: Option<TimeSpec>| match (wanted, time) {
        (false, _) => SetTime::Omit,
        (true, Some(time)) => SetTime::At(time),
        (true, None) => SetTime::Now,
    };
    let atime = pick(access, times.map(|times| times.0));
    let mtime = pick(modification, times.map(|times| times.1));
    let mut code = 0;
    for path in &parsed.operands {
        if !one(&tool, path, &parsed, atime, mtime).await {
            code = 1;
        }
    }
    Ok(code)
}

/// Access and modification time to set; `None` is now.
async fn source(tool: &Tool, parsed: &Parsed) -> Result<Option<(TimeSpec, TimeSpec)>, Exit> {
    let sources = [parsed.has("t"), parsed.has("reference"), parsed.has("date")];
    if sources[0] && (sources[1] || sources[2]) {
        return Err(tool.usage_error(1, "cannot specify times from more than one source").await);
    }
    let bad = |text: &[u8]| format!("invalid date format {}", quote(text));
    let mut base = None;
    if let Some(path) = parsed.value("reference") {
        let looked = if parsed.has("no-dereference") { tool.sys.lstat(path).await } else { tool.sys.stat(path).await };
        match looked {
            Ok(stat) => base = Some((stat.atime, stat.mtime)),
            Err(errno) => {
                return Err(tool.fail_errno(1, format!("failed to get attributes of {}", quoteaf(path)), errno).await);
            }
        }
    }
    if let Some(text) = parsed.value("t") {
        let now = tool.sys.clock_realtime().await;
        return match date_text::parse_touch(&String::from_utf8_lossy(text), now) {
            Some(time) => Ok(Some((time, time))),
            None => Err(tool.fail(1, bad(text)).await),
        };
    }
    let Some(text) = parsed.value("date") else { return Ok(base) };
    let now = tool.sys.clock_realtime().await;
    let (atime, mtime) = base.unwrap_or((now, now));
    let words = String::from_utf8_lossy(text);
    match (date_text::parse(&words, atime), date_text::parse(&words, mtime)) {
        (Some(atime), Some(mtime)) => Ok(Some((atime, mtime))),
        _ => Err(tool.fail(1, bad(text)).await),
    }
}

async fn one(tool: &Tool, path: &[u8], parsed: &Parsed, atime: SetTime, mtime: SetTime) -> bool {
    let mut opened = Err(Errno::ENOENT);
    let mut open_errno = None;
    if path == b"-" {
        opened = Ok(STDOUT);
    } else if !parsed.has("no-create") && !parsed.has("no-dereference") {
        opened = tool.sys.open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY, 0o666).await;
        open_errno = opened.err();
    }
    let set = match opened {
        Ok(fd) => {
            let set = tool.sys.futimens(fd, atime, mtime).await;
            if fd != STDOUT
                && let Err(errno) = tool.sys.close(fd).await
            {
                tool.error_errno(format!("failed to close {}", quoteaf(path)), errno).await;
                return false;
            }
            set
        }
        Err(_) => tool.sys.utimens(path, atime, mtime, !parsed.has("no-dereference")).await,
    };
    match (set, open_errno) {
        (Ok(()), _) => true,
        (Err(Errno::ENOENT), None) if parsed.has("no-create") => true,
        (Err(_), Some(errno)) => {
            tool.error_errno(format!("cannot touch {}", quoteaf(path)), errno).await;
            false
        }
        (Err(errno), None) => {
            tool.error_errno(format!("setting times of {}", quoteaf(path)), errno).await;
            false
        }
    }
}
