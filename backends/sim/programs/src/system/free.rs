//! free(1), from `/proc/meminfo`.

use std::collections::BTreeMap;

use crate::shared::human::human_size;
use crate::shared::{Opt, Outcome, Spec, Tool};

const SPEC: Spec = Spec::new(
    "[options]",
    &[
        Opt::flag("b", "bytes"),
        Opt::flag("k", "kibi"),
        Opt::flag("m", "mebi"),
        Opt::flag("g", "gibi"),
        Opt::flag("h", "human"),
        Opt::flag("t", "total"),
        Opt::flag("w", "wide"),
        Opt::unsupported("s", "seconds"),
        Opt::unsupported("c", "count"),
    ],
);

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let text = match tool.sys.read_file("/proc/meminfo").await {
        Ok(text) => text,
        Err(errno) => return Err(tool.fail_errno(1, "/proc/meminfo", errno).await),
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    let fields: BTreeMap<&str, u64> = text
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.split_once(':')?;
            Some((name, rest.split_whitespace().next()?.parse().ok()?))
        })
        .collect();
    let kib = |name: &str| fields.get(name).copied().unwrap_or(0);
    let unit = parsed.last_of(&["bytes", "kibi", "mebi", "gibi", "human"]).unwrap_or("kibi");
    let show = |kib: u64| match unit {
        "bytes" => (kib * 1024).to_string(),
        "mebi" => (kib / 1024).to_string(),
        "gibi" => (kib / (1024 * 1024)).to_string(),
        "human" => format!("{}i", human_size(kib * 1024, 1024)),
        _ => kib.to_string(),
    };
    let cached = kib("Cached") + kib("SReclaimable");
    let used = kib("MemTotal").saturating_sub(kib("MemAvailable"));
    let row = |name: &str, values: &[u64]| {
        let cells: Vec<String> = values.iter().map(|value| format!("{:>11}", show(*value))).collect();
        format!("{name:<8}{}\n", cells.join(" "))
    };
    let mut out = format!("{:8}", "");
    let headings: Vec<String> = ["total", "used", "free", "shared", "buff/cache", "available"]
        .iter()
        .map(|heading| format!("{heading:>11}"))
        .collect();
    out.push_str(&headings.join(" "));
    out.push('\n');
    let buffers = kib("Buffers") + cached;
    out.push_str(&row("Mem:", &[kib("MemTotal"), used, kib("MemFree"), kib("Shmem"), buffers, kib("MemAvailable")]));
    let swap_used = kib("SwapTotal").saturating_sub(kib("SwapFree"));
    out.push_str(&row("Swap:", &[kib("SwapTotal"), swap_used, kib("SwapFree")]));
    if parsed.has("total") {
        let total = kib("MemTotal") + kib("SwapTotal");
        out.push_str(&row("Total:", &[total, used + swap_used, kib("MemFree") + kib("SwapFree")]));
    }
    tool.out.write(out).await?;
    Ok(0)
}
