//! dmesg(1).

use crate::shared::{Opt, Outcome, Spec, Tool};

const SPEC: Spec = Spec::new(
    "[options]",
    &[
        Opt::unsupported("C", "clear"),
        Opt::unsupported("c", "read-clear"),
        Opt::unsupported("D", "console-off"),
        Opt::unsupported("d", "show-delta"),
        Opt::unsupported("E", "console-on"),
        Opt::unsupported("e", "reltime"),
        Opt::unsupported("F", "file"),
        Opt::unsupported("f", "facility"),
        Opt::unsupported("H", "human"),
        Opt::unsupported("J", "json"),
        Opt::flag("k", "kernel"),
        Opt::optional("L", "color"),
        Opt::unsupported("l", "level"),
        Opt::unsupported("n", "console-level"),
        Opt::flag("P", "nopager"),
        Opt::unsupported("r", "raw"),
        Opt::flag("S", "syslog"),
        Opt::unsupported("s", "buffer-size"),
        Opt::unsupported("T", "ctime"),
        Opt::flag("t", "notime"),
        Opt::unsupported("u", "userspace"),
        Opt::unsupported("W", "follow-new"),
        Opt::unsupported("w", "follow"),
        Opt::unsupported("x", "decode"),
    ],
);

pub(super) async fn run(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let parsed = tool.parse(&SPEC).await?;
    if !parsed.operands.is_empty() {
        return Err(tool.usage_error(1, "bad usage").await);
    }
    let log = tool.sys.syslog().await;
    if !parsed.has("notime") {
        tool.out.write(log).await?;
        return Ok(0);
    }
    for line in log.split_inclusive(|&byte| byte == b'\n') {
        // A line is "[    0.000000] text".
        let text = line.iter().position(|&byte| byte == b']').map_or(line, |end| &line[end + 1..]);
        tool.out.write(text.strip_prefix(b" ").unwrap_or(text)).await?;
    }
    Ok(0)
}
