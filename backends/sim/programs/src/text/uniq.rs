//! uniq: repeated lines that follow each other.

use provium_kernel::flags::{O_CREAT, O_TRUNC, O_WRONLY};

use super::common::{is_blank, lines, number, open};
use crate::shared::tool::STDOUT;
use crate::shared::{Exit, Opt, Outcome, Parsed, Spec, Tool, quotef};

const SPEC: Spec = Spec::new(
    "[OPTION]... [INPUT [OUTPUT]]",
    &[
        Opt::flag("c", "count"),
        Opt::flag("d", "repeated"),
        Opt::flag("D", ""),
        Opt::unsupported("", "all-repeated"),
        Opt::value("f", "skip-fields"),
        Opt::unsupported("", "group"),
        Opt::flag("i", "ignore-case"),
        Opt::value("s", "skip-chars"),
        Opt::flag("u", "unique"),
        Opt::flag("z", "zero-terminated"),
        Opt::value("w", "check-chars"),
    ],
);

struct Job {
    count: bool,
    /// Lines that occur once.
    single: bool,
    /// The first of repeated lines.
    repeated: bool,
    /// All of repeated lines.
    all: bool,
    skip_fields: u64,
    skip_bytes: u64,
    compare: u64,
    icase: bool,
    line_end: u8,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let job = job(&tool, &parsed).await?;
    if let Some(extra) = parsed.operands.get(2) {
        return Err(tool.extra_operand(1, extra).await);
    }
    if job.all && job.count {
        return Err(tool.usage_error(1, "printing all duplicated lines and repeat counts is meaningless").await);
    }
    let input = parsed.operands.first().map_or(&b"-"[..], Vec::as_slice);
    let fd = match open(&tool, input).await {
        Ok(fd) => fd,
        Err(errno) => return Err(tool.fail_errno(1, quotef(input), errno).await),
    };
    if let Some(output) = parsed.operands.get(1).filter(|name| name.as_slice() != b"-") {
        let opened = match tool.sys.open(output, O_WRONLY | O_CREAT | O_TRUNC, 0o666).await {
            Ok(opened) => tool.sys.dup2(opened, STDOUT).await,
            Err(errno) => Err(errno),
        };
        if let Err(errno) = opened {
            return Err(tool.fail_errno(1, quotef(output), errno).await);
        }
    }
    let mut reader = lines(&tool, fd);
    let mut first: Option<Vec<u8>> = None;
    let mut times: u64 = 0;
    loop {
        let line = match reader.until(job.line_end).await {
            Ok(Some(mut line)) => {
                if line.last() == Some(&job.line_end) {
                    line.pop();
                }
                line
            }
            Ok(None) => break,
            Err(errno) => return Err(tool.fail_errno(1, format!("error reading {}", quotef(input)), errno).await),
        };
        match &first {
            Some(held) if job.same(held, &line) => {
                times += 1;
                if job.all {
                    if times == 2 {
                        emit(&tool, &job, held, 1).await?;
                    }
                    emit(&tool, &job, &line, 1).await?;
                }
            }
            _ => {
                if let Some(held) = first.take() {
                    group(&tool, &job, &held, times).await?;
                }
                first = Some(line);
                times = 1;
            }
        }
    }
    if let Some(held) = first {
        group(&tool, &job, &held, times).await?;
    }
    Ok(0)
}

async fn job(tool: &Tool, parsed: &Parsed) -> Result<Job, Exit> {
    let value = async |key: &str, what: &str, default: u64| match parsed.value(key) {
        None => Ok(default),
        Some(text) => match number(text) {
            Some(value) => Ok(value),
            None => Err(tool.fail(1, format!("{}: invalid number of {what}", String::from_utf8_lossy(text))).await),
        },
    };
    let (only_repeated, only_single) = (parsed.has("repeated"), parsed.has("unique"));
    let all = parsed.has("D");
    Ok(Job {
        count: parsed.has("count"),
        single: !only_repeated && !all,
        repeated: !only_single && !all,
        all: all && !only_single,
        skip_fields: value("skip-fields", "fields to skip", 0).await?,
        skip_bytes: value("skip-chars", "bytes to skip", 0).await?,
        compare: value("check-chars", "bytes to compare", u64::MAX).await?,
        icase: parsed.has("ignore-case"),
        line_end: if parsed.has("zero-terminated") { 0 } else { b'\n' },
    })
}

impl Job {
    fn key<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        let mut at = 0;
        for _ in 0..self.skip_fields {
            if at >= line.len() {
                break;
            }
            at += line[at..].iter().take_while(|byte| is_blank(**byte)).count();
            at += line[at..].iter().take_while(|byte| !is_blank(**byte)).count();
        }
        at = at.saturating_add(usize::try_from(self.skip_bytes).unwrap_or(usize::MAX)).min(line.len());
        let end = at.saturating_add(usize::try_from(self.compare).unwrap_or(usize::MAX)).min(line.len());
        &line[at..end]
    }

    fn same(&self, one: &[u8], other: &[u8]) -> bool {
        let (one, other) = (self.key(one), self.key(other));
        if self.icase { one.eq_ignore_ascii_case(other) } else { one == other }
    }
}

async fn group(tool: &Tool, job: &Job, line: &[u8], times: u64) -> Result<(), Exit> {
    if if times == 1 { job.single } else { job.repeated } { emit(tool, job, line, times).await } else { Ok(()) }
}

async fn emit(tool: &Tool, job: &Job, line: &[u8], times: u64) -> Result<(), Exit> {
    if job.count {
        tool.out.write(format!("{times:>7} ")).await?;
    }
    tool.out.write(line).await?;
    tool.out.write([job.line_end]).await
}
