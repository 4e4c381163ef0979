//! uname(1), nproc(1) and hostname(1).

use crate::shared::{Opt, Outcome, Spec, Tool, quote};

const UNAME: Spec = Spec::new(
    "[OPTION]...",
    &[
        Opt::flag("a", "all"),
        Opt::flag("s", "kernel-name"),
        Opt::flag("n", "nodename"),
        Opt::flag("r", "kernel-release"),
        Opt::flag("v", "kernel-version"),
        Opt::flag("m", "machine"),
        Opt::flag("p", "processor"),
        Opt::flag("i", "hardware-platform"),
        Opt::flag("o", "operating-system"),
    ],
);
const NPROC: Spec = Spec::new("[OPTION]...", &[Opt::flag("", "all"), Opt::value("", "ignore")]);
const HOSTNAME: Spec = Spec::new(
    "[NAME]",
    &[
        Opt::unsupported("a", "alias"),
        Opt::unsupported("A", "all-fqdns"),
        Opt::unsupported("b", "boot"),
        Opt::unsupported("d", "domain"),
        Opt::flag("f", "fqdn"),
        Opt::flag("", "long"),
        Opt::value("F", "file"),
        Opt::unsupported("i", "ip-address"),
        Opt::unsupported("I", "all-ip-addresses"),
        Opt::flag("s", "short"),
        Opt::unsupported("y", "yp"),
    ],
);

pub(super) async fn uname(tool: Tool) -> Outcome {
    let parsed = tool.parse(&UNAME).await?;
    if let Some(extra) = parsed.operands.first() {
        return Err(tool.extra_operand(1, extra).await);
    }
    let name = tool.sys.uname().await;
    let all = parsed.has("all");
    let parts = [
        ("kernel-name", name.sysname.as_str()),
        ("nodename", &name.nodename),
        ("kernel-release", &name.release),
        ("kernel-version", &name.version),
        ("machine", &name.machine),
        ("processor", "unknown"),
        ("hardware-platform", "unknown"),
        ("operating-system", "GNU/Linux"),
    ];
    let mut shown: Vec<&str> = Vec::new();
    for (option, text) in parts {
        // With -a what nobody knows is left out.
        if parsed.has(option) || all && text != "unknown" {
            shown.push(text);
        }
    }
    if shown.is_empty() {
        shown.push(&name.sysname);
    }
    tool.out.write(shown.join(" ") + "\n").await?;
    Ok(0)
}

pub(super) async fn nproc(tool: Tool) -> Outcome {
    let parsed = tool.parse(&NPROC).await?;
    if let Some(extra) = parsed.operands.first() {
        return Err(tool.extra_operand(1, extra).await);
    }
    let mut ignore = 0u32;
    if let Some(text) = parsed.value("ignore") {
        match std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()) {
            Some(count) => ignore = count,
            None => return Err(tool.fail(1, format!("invalid number: {}", quote(text))).await),
        }
    }
    let cpus = tool.sys.cpus().await;
    tool.out.write(format!("{}\n", cpus.saturating_sub(ignore).max(1))).await?;
    Ok(0)
}

pub(super) async fn hostname(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let parsed = tool.parse(&HOSTNAME).await?;
    let mut wanted = parsed.operands.first().cloned();
    if let Some(path) = parsed.value("file") {
        match tool.sys.read_file(path).await {
            Ok(text) => {
                let mut lines = text.split(|&byte| byte == b'\n');
                wanted = lines.find(|line| !line.is_empty() && !line.starts_with(b"#")).map(<[u8]>::to_vec);
            }
            Err(errno) => {
                return Err(tool
                    .fail_errno(1, "can't open `".to_owned() + &String::from_utf8_lossy(path) + "'", errno)
                    .await);
            }
        }
    }
    if let Some(name) = wanted {
        return match tool.sys.sethostname(name.trim_ascii()).await {
            Ok(()) => Ok(0),
            Err(provium_kernel::Errno::EPERM) => Err(tool.fail(1, "you must be root to change the host name").await),
            Err(provium_kernel::Errno::EINVAL) => Err(tool.fail(1, "name too long").await),
            Err(errno) => Err(tool.fail_errno(1, "sethostname", errno).await),
        };
    }
    let name = tool.sys.uname().await.nodename;
    let short = name.split('.').next().unwrap_or_default().to_owned();
    tool.out.write(if parsed.has("short") { short } else { name } + "\n").await?;
    Ok(0)
}
