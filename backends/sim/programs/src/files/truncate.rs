//! truncate(1).

use provium_kernel::flags::{O_CREAT, O_NONBLOCK, O_WRONLY};
use provium_kernel::{Errno, Fd};

use crate::shared::human::{BadSize, parse_size};
use crate::shared::{Exit, Opt, Outcome, Spec, Tool, quote, quoteaf};

const SPEC: Spec = Spec::new(
    "OPTION... FILE...",
    &[Opt::flag("c", "no-create"), Opt::flag("o", "io-blocks"), Opt::value("r", "reference"), Opt::value("s", "size")],
);

/// How the new size follows from the number given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Exactly,
    Extend,
    Shrink,
    AtMost,
    AtLeast,
    DownToMultiple,
    UpToMultiple,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let (mut change, mut amount) = (Change::Exactly, None);
    if let Some(text) = parsed.value("size") {
        let (how, number) = read_size(&tool, text).await?;
        (change, amount) = (how, Some(number));
    }
    if amount.is_none() && !parsed.has("reference") {
        return Err(tool
            .usage_error(1, format!("you must specify either {} or {}", quote("--size"), quote("--reference")))
            .await);
    }
    if change == Change::Exactly && amount.is_some() && parsed.has("reference") {
        return Err(tool
            .usage_error(1, format!("you must specify a relative {} with {}", quote("--size"), quote("--reference")))
            .await);
    }
    if parsed.has("io-blocks") && amount.is_none() {
        return Err(tool
            .usage_error(1, format!("{} was specified but {} was not", quote("--io-blocks"), quote("--size")))
            .await);
    }
    if parsed.operands.is_empty() {
        return Err(tool.usage_error(1, "missing file operand").await);
    }
    let mut reference = None;
    if let Some(path) = parsed.value("reference") {
        match tool.sys.stat(path).await {
            Ok(stat) => reference = Some(stat.size),
            Err(errno) => return Err(tool.fail_errno(1, format!("cannot stat {}", quoteaf(path)), errno).await),
        }
    }
    let flags = O_WRONLY | O_NONBLOCK | if parsed.has("no-create") { 0 } else { O_CREAT };
    let mut code = 0;
    for path in &parsed.operands {
        let fd = match tool.sys.open(path, flags, 0o666).await {
            Ok(fd) => fd,
            Err(Errno::ENOENT) if parsed.has("no-create") => continue,
            Err(errno) => {
                tool.error_errno(format!("cannot open {} for writing", quoteaf(path)), errno).await;
                code = 1;
                continue;
            }
        };
        if !one(&tool, path, fd, change, amount, reference, parsed.has("io-blocks")).await {
            code = 1;
        }
        if let Err(errno) = tool.sys.close(fd).await {
            tool.error_errno(format!("failed to close {}", quoteaf(path)), errno).await;
            code = 1;
        }
    }
    Ok(code)
}

async fn read_size(tool: &Tool, text: &[u8]) -> Result<(Change, u64), Exit> {
    let trimmed = text.trim_ascii_start();
    let (change, number) = match trimmed.split_first() {
        Some((b'+', rest)) => (Change::Extend, rest),
        Some((b'-', rest)) => (Change::Shrink, rest),
        Some((b'<', rest)) => (Change::AtMost, rest),
        Some((b'>', rest)) => (Change::AtLeast, rest),
        Some((b'/', rest)) => (Change::DownToMultiple, rest),
        Some((b'%', rest)) => (Change::UpToMultiple, rest),
        _ => (Change::Exactly, trimmed),
    };
    let known_suffix = !matches!(number.last(), Some(b'b' | b'c' | b'w'));
    let size = if known_suffix { parse_size(number.trim_ascii_start()) } else { Err(BadSize::Invalid) };
    let amount = match size {
        Ok(amount) => amount,
        Err(BadSize::Overflow) => {
            let message = format!("Invalid number: {}", quote(number));
            return Err(tool.fail_errno(1, message, Errno::EOVERFLOW).await);
        }
        Err(BadSize::Invalid) => return Err(tool.fail(1, format!("Invalid number: {}", quote(number))).await),
    };
    if amount == 0 && matches!(change, Change::DownToMultiple | Change::UpToMultiple) {
        return Err(tool.fail(1, "division by zero").await);
    }
    Ok((change, amount))
}

async fn one(
    tool: &Tool,
    path: &[u8],
    fd: Fd,
    change: Change,
    amount: Option<u64>,
    reference: Option<u64>,
    blocks: bool,
) -> bool {
    let mut amount = amount.unwrap_or(reference.unwrap_or(0));
    let mut current = reference.unwrap_or(0);
    if blocks || change != Change::Exactly && reference.is_none() {
        let stat = match tool.sys.fstat(fd).await {
            Ok(stat) => stat,
            Err(errno) => {
                tool.error_errno(format!("cannot fstat {}", quoteaf(path)), errno).await;
                return false;
            }
        };
        if reference.is_none() {
            current = stat.size;
        }
        if blocks {
            amount = amount.saturating_mul(stat.blksize.max(1));
        }
    }
    let size = match change {
        Change::Exactly => Some(amount),
        Change::Extend => current.checked_add(amount),
        Change::Shrink => Some(current.saturating_sub(amount)),
        Change::AtMost => Some(current.min(amount)),
        Change::AtLeast => Some(current.max(amount)),
        Change::DownToMultiple => Some(current - current % amount.max(1)),
        Change::UpToMultiple => current.checked_next_multiple_of(amount.max(1)),
    };
    let Some(size) = size.filter(|size| i64::try_from(*size).is_ok()) else {
        tool.error(format!("overflow rounding up size of file {}", quoteaf(path))).await;
        return false;
    };
    if let Err(errno) = tool.sys.ftruncate(fd, size).await {
        tool.error_errno(format!("failed to truncate {} at {size} bytes", quoteaf(path)), errno).await;
        return false;
    }
    true
}
