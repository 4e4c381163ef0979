//! env(1) and printenv(1).

use crate::shared::exec::{cannot_run, exec_path};
use crate::shared::{Opt, Outcome, Spec, Tool, quote, quoteaf};

/// env itself failed.
const CANCELED: i32 = 125;

const ENV: Spec = Spec::new(
    "[OPTION]... [-] [NAME=VALUE]... [COMMAND [ARG]...]",
    &[
        Opt::flag("i", "ignore-environment"),
        Opt::flag("0", "null"),
        Opt::value("u", "unset"),
        Opt::value("C", "chdir"),
        Opt::unsupported("S", "split-string"),
        Opt::unsupported("", "block-signal"),
        Opt::unsupported("", "default-signal"),
        Opt::unsupported("", "ignore-signal"),
        Opt::unsupported("", "list-signal-handling"),
        Opt::flag("v", "debug"),
    ],
)
.failure(CANCELED)
.stop_at_operand();

const PRINTENV: Spec = Spec::new("[OPTION]... [VARIABLE]...", &[Opt::flag("0", "null")]).failure(2).stop_at_operand();

pub(super) async fn env(tool: Tool) -> Outcome {
    tool.out.set_failure(CANCELED);
    let parsed = tool.parse(&ENV).await?;
    let mut operands = parsed.operands.clone();
    let mut clears = parsed.has("ignore-environment");
    if operands.first().is_some_and(|first| first == b"-") {
        operands.remove(0);
        clears = true;
    }
    let mut variables = if clears { Vec::new() } else { tool.env.clone() };
    for (_, name) in parsed.options.iter().filter(|(option, _)| *option == "unset") {
        let name = name.clone().unwrap_or_default();
        if name.is_empty() || name.contains(&b'=') {
            let text = format!("cannot unset {}", quote(&name));
            return Err(tool.fail_errno(CANCELED, text, provium_kernel::Errno::EINVAL).await);
        }
        variables.retain(|entry| !is_named(entry, &name));
    }
    while operands.first().is_some_and(|first| first.contains(&b'=')) {
        let entry = operands.remove(0);
        let name = entry.split(|&byte| byte == b'=').next().unwrap_or_default().to_vec();
        match variables.iter_mut().find(|known| is_named(known, &name)) {
            Some(known) => *known = entry,
            None => variables.push(entry),
        }
    }
    if !operands.is_empty() && parsed.has("null") {
        return Err(tool.usage_error(CANCELED, "cannot specify --null (-0) with command").await);
    }
    if let Some(directory) = parsed.value("chdir") {
        if operands.is_empty() {
            return Err(tool.usage_error(CANCELED, "must specify command with --chdir (-C)").await);
        }
        if let Err(errno) = tool.sys.chdir(directory).await {
            return Err(tool
                .fail_errno(CANCELED, format!("cannot change directory to {}", quoteaf(directory)), errno)
                .await);
        }
    }
    if operands.is_empty() {
        let end: &[u8] = if parsed.has("null") { b"\0" } else { b"\n" };
        for entry in &variables {
            tool.out.write([entry.as_slice(), end].concat()).await?;
        }
        return Ok(0);
    }
    let shown = quoteaf(&operands[0]);
    let errno = exec_path(&tool.sys, operands, variables).await;
    Err(tool.fail_errno(cannot_run(errno), shown, errno).await)
}

fn is_named(entry: &[u8], name: &[u8]) -> bool {
    entry.strip_prefix(name).is_some_and(|rest| rest.first() == Some(&b'='))
}

pub(super) async fn printenv(tool: Tool) -> Outcome {
    tool.out.set_failure(PRINTENV.failure_code());
    let parsed = tool.parse(&PRINTENV).await?;
    let end: &[u8] = if parsed.has("null") { b"\0" } else { b"\n" };
    if parsed.operands.is_empty() {
        for entry in &tool.env {
            tool.out.write([entry.as_slice(), end].concat()).await?;
        }
        return Ok(0);
    }
    let mut code = 0;
    for name in &parsed.operands {
        let value = tool.env.iter().find(|entry| !name.contains(&b'=') && is_named(entry, name));
        match value {
            Some(entry) => tool.out.write([&entry[name.len() + 1..], end].concat()).await?,
            None => code = 1,
        }
    }
    Ok(code)
}
