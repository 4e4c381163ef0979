//! date(1), in UTC: the guest has no other time zone.

use crate::shared::{Opt, Outcome, Spec, Tool, clock, date_text, quote, quotef};

const SPEC: Spec = Spec::new(
    "[OPTION]... [+FORMAT]",
    &[
        Opt::value("d", "date"),
        Opt::value("f", "file"),
        Opt::optional("I", "iso-8601"),
        Opt::flag("R", "rfc-email"),
        Opt::value("", "rfc-3339"),
        Opt::value("r", "reference"),
        Opt::value("s", "set"),
        Opt::flag("u", "utc"),
        Opt::flag("", "universal"),
    ],
);

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    if parsed.has("file") {
        return Err(tool.fail(1, "option '--file' is not supported by the simulated guest").await);
    }
    let format = match (parsed.operands.first(), parsed.last_of(&["iso-8601", "rfc-email", "rfc-3339"])) {
        (Some(operand), _) => match operand.strip_prefix(b"+") {
            Some(format) => format.to_vec(),
            None => return Err(tool.fail(1, format!("invalid date {}", quote(operand))).await),
        },
        (None, Some(kind @ ("iso-8601" | "rfc-3339"))) => match (kind, parsed.value(kind).unwrap_or(b"date")) {
            (_, b"date") => b"%Y-%m-%d".to_vec(),
            ("iso-8601", b"hours") => b"%Y-%m-%dT%H%:z".to_vec(),
            ("iso-8601", b"minutes") => b"%Y-%m-%dT%H:%M%:z".to_vec(),
            ("iso-8601", b"seconds") => b"%Y-%m-%dT%H:%M:%S%:z".to_vec(),
            ("iso-8601", b"ns") => b"%Y-%m-%dT%H:%M:%S,%N%:z".to_vec(),
            ("rfc-3339", b"seconds") => b"%Y-%m-%d %H:%M:%S%:z".to_vec(),
            ("rfc-3339", b"ns") => b"%Y-%m-%d %H:%M:%S.%N%:z".to_vec(),
            (_, other) => {
                return Err(tool.usage_error(1, format!("invalid argument {} for '--{kind}'", quote(other))).await);
            }
        },
        (None, Some(_)) => b"%a, %d %b %Y %H:%M:%S %z".to_vec(),
        (None, None) => b"%a %b %e %H:%M:%S %Z %Y".to_vec(),
    };
    if let Some(extra) = parsed.operands.get(1) {
        return Err(tool.extra_operand(1, extra).await);
    }
    let now = tool.sys.clock_realtime().await;
    let text = parsed.last_of(&["date", "set"]).and_then(|key| parsed.value(key));
    let time = match (text, parsed.value("reference")) {
        (Some(text), _) => match std::str::from_utf8(text).ok().and_then(|text| date_text::parse(text, now)) {
            Some(time) => time,
            None => return Err(tool.fail(1, format!("invalid date {}", quote(text))).await),
        },
        (None, Some(file)) => match tool.sys.stat(file).await {
            Ok(stat) => stat.mtime,
            Err(errno) => return Err(tool.fail_errno(1, quotef(file), errno).await),
        },
        (None, None) => now,
    };
    if parsed.has("set")
        && let Err(errno) = tool.sys.clock_settime(time).await
    {
        return Err(tool.fail_errno(1, "cannot set date", errno).await);
    }
    let mut line = clock::format(&format, time);
    line.push(b'\n');
    tool.out.write(line).await?;
    Ok(0)
}
