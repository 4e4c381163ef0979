//! free(1) and uptime(1).

use std::collections::BTreeMap;

use crate::shared::clock;
use crate::shared::{Opt, Outcome, Spec, Tool};

const FREE: Spec = Spec::new(
    "[options]",
    &[
        Opt::flag("b", "bytes"),
        Opt::flag("k", "kibi"),
        Opt::flag("m", "mebi"),
        Opt::flag("g", "gibi"),
        Opt::flag("h", "human"),
        Opt::flag("", "kilo"),
        Opt::flag("", "mega"),
        Opt::flag("", "giga"),
        Opt::unsupported("", "si"),
        Opt::unsupported("l", "lohi"),
        Opt::flag("t", "total"),
        Opt::unsupported("s", "seconds"),
        Opt::unsupported("c", "count"),
        Opt::unsupported("v", "committed"),
        Opt::flag("w", "wide"),
    ],
);
const UPTIME: Spec = Spec::new("[options]", &[Opt::flag("p", "pretty"), Opt::flag("s", "since")]);

pub(super) async fn free(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let parsed = tool.parse(&FREE).await?;
    let text = match tool.sys.read_file("/proc/meminfo").await {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(errno) => return Err(tool.fail_errno(1, "Error: /proc must be mounted", errno).await),
    };
    let mut memory: BTreeMap<&str, u64> = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, rest)) = line.split_once(':') {
            let number = rest.split_whitespace().next().and_then(|number| number.parse().ok());
            memory.insert(name, number.unwrap_or(0));
        }
    }
    let has = |name: &str| memory.get(name).copied().unwrap_or(0);
    let unit = parsed.last_of(&["bytes", "kibi", "mebi", "gibi", "human", "kilo", "mega", "giga"]);
    let show = |kib: u64| {
        let bytes = kib.saturating_mul(1024);
        match unit {
            Some("bytes") => bytes.to_string(),
            Some("mebi") => (bytes >> 20).to_string(),
            Some("gibi") => (bytes >> 30).to_string(),
            Some("kilo") => (bytes / 1000).to_string(),
            Some("mega") => (bytes / 1_000_000).to_string(),
            Some("giga") => (bytes / 1_000_000_000).to_string(),
            Some("human") => human(bytes),
            _ => kib.to_string(),
        }
    };
    let (total, free, available) = (has("MemTotal"), has("MemFree"), has("MemAvailable"));
    let (buffers, cache) = (has("Buffers"), has("Cached") + has("SReclaimable"));
    let used = total.saturating_sub(available);
    let wide = parsed.has("wide");
    let mut lines = vec![if wide {
        row("", &["total", "used", "free", "shared", "buffers", "cache", "available"].map(String::from))
    } else {
        row("", &["total", "used", "free", "shared", "buff/cache", "available"].map(String::from))
    }];
    let mut cells = vec![show(total), show(used), show(free), show(has("Shmem"))];
    if wide {
        cells.extend([show(buffers), show(cache)]);
    } else {
        cells.push(show(buffers + cache));
    }
    cells.push(show(available));
    lines.push(row("Mem:", &cells));
    let (swap, swap_free) = (has("SwapTotal"), has("SwapFree"));
    let swap_used = swap.saturating_sub(swap_free);
    lines.push(row("Swap:", &[show(swap), show(swap_used), show(swap_free)]));
    if parsed.has("total") {
        lines.push(row("Total:", &[show(total + swap), show(used + swap_used), show(free + swap_free)]));
    }
    tool.out.write(lines.concat()).await?;
    Ok(0)
}

fn row(name: &str, cells: &[String]) -> String {
    let mut line = format!("{name:<8}");
    for cell in cells {
        line.push_str(&format!("{cell:>12}"));
    }
    line.push('\n');
    line
}

/// A size as `free -h` shows it: `1.2Gi`, `23Gi`.
fn human(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, 0);
    let units = ["B", "Ki", "Mi", "Gi", "Ti", "Pi"];
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or("");
    if unit > 0 && value < 10.0 { format!("{value:.1}{name}") } else { format!("{}{name}", value as u64) }
}

pub(super) async fn uptime(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let parsed = tool.parse(&UPTIME).await?;
    let up = tool.sys.sysinfo().await.uptime;
    let now = tool.sys.clock_realtime().await;
    let text = |format: &[u8], ago: u64| {
        let sec = now.sec.saturating_sub(i64::try_from(ago).unwrap_or(0));
        let time = provium_kernel::TimeSpec { sec, nsec: 0 };
        String::from_utf8_lossy(&clock::format(format, time)).into_owned()
    };
    if parsed.has("since") {
        tool.out.write(text(b"%Y-%m-%d %H:%M:%S\n", up)).await?;
        return Ok(0);
    }
    let (days, hours, minutes) = (up / 86_400, up / 3600 % 24, up / 60 % 60);
    if parsed.has("pretty") {
        let plural = |count: u64, name: &str| format!("{count} {name}{}", if count == 1 { "" } else { "s" });
        let mut parts = Vec::new();
        if days > 0 {
            parts.push(plural(days, "day"));
        }
        if hours > 0 {
            parts.push(plural(hours, "hour"));
        }
        if minutes > 0 || parts.is_empty() {
            parts.push(plural(minutes, "minute"));
        }
        tool.out.write(format!("up {}\n", parts.join(", "))).await?;
        return Ok(0);
    }
    let load = tool.sys.read_file("/proc/loadavg").await.unwrap_or_default();
    let load: Vec<String> = String::from_utf8_lossy(&load).split_whitespace().take(3).map(str::to_owned).collect();
    let days = match days {
        0 => String::new(),
        1 => "1 day, ".into(),
        days => format!("{days} days, "),
    };
    let clock = if hours > 0 { format!("{hours:2}:{minutes:02}") } else { format!("{minutes} min") };
    let now = text(b"%H:%M:%S", 0);
    tool.out.write(format!(" {now} up {days}{clock},  0 user,  load average: {}\n", load.join(", "))).await?;
    Ok(0)
}
