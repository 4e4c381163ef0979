//! env(1) and printenv(1).

use crate::shared::exec::{cannot_run, exec_path};
use crate::shared::{Opt, Outcome, Spec, Tool, quote};

const ENV: Spec = Spec::new(
    "[OPTION]... [-] [NAME=VALUE]... [COMMAND [ARG]...]",
    &[
        Opt::flag("i", "ignore-environment"),
        Opt::flag("0", "null"),
        Opt::value("u", "unset"),
        Opt::value("C", "chdir"),
        Opt::unsupported("S", "split-string"),
        Opt::unsupported("v", "debug"),
    ],
)
.failure(125)
.stop_at_operand();

pub(super) async fn env(tool: Tool) -> Outcome {
    let parsed = tool.parse(&ENV).await?;
    let mut operands = parsed.operands.clone();
    let mut clear = parsed.has("ignore-environment");
    if operands.first().is_some_and(|first| first == b"-") {
        operands.remove(0);
        clear = true;
    }
    let mut variables = if clear { Vec::new() } else { tool.env.clone() };
    let named = |variable: &[u8], name: &[u8]| variable.strip_prefix(name).is_some_and(|rest| rest.starts_with(b"="));
    for (option, value) in &parsed.options {
        let (true, Some(name)) = (*option == "unset", value) else { continue };
        if name.is_empty() || name.contains(&b'=') {
            return Err(tool.fail(125, format!("cannot unset {}: Invalid argument", quote(name))).await);
        }
        variables.retain(|variable| !named(variable, name));
    }
    let count = operands.iter().position(|operand| !operand.contains(&b'=')).unwrap_or(operands.len());
    for setting in operands.drain(..count) {
        let name: Vec<u8> = setting.split(|byte| *byte == b'=').next().unwrap_or_default().to_vec();
        match variables.iter_mut().find(|variable| named(variable, &name)) {
            Some(variable) => *variable = setting,
            None => variables.push(setting),
        }
    }
    let end = if parsed.has("null") { b'\0' } else { b'\n' };
    if operands.is_empty() {
        if parsed.has("chdir") {
            return Err(tool.usage_error(125, "must specify command with --chdir (-C)").await);
        }
        for mut variable in variables {
            variable.push(end);
            tool.out.write(variable).await?;
        }
        return Ok(0);
    }
    if parsed.has("null") {
        return Err(tool.usage_error(125, "cannot specify --null (-0) with command").await);
    }
    if let Some(directory) = parsed.value("chdir")
        && let Err(errno) = tool.sys.chdir(directory).await
    {
        return Err(tool.fail_errno(125, format!("cannot change directory to {}", quote(directory)), errno).await);
    }
    let shown = quote(&operands[0]);
    // The search uses the new environment's PATH, as execvp in the changed environment does.
    let errno = exec_path(&tool.sys, operands, variables).await;
    Err(tool.fail_errno(cannot_run(errno), shown, errno).await)
}

const PRINTENV: Spec = Spec::new("[OPTION]... [VARIABLE]...", &[Opt::flag("0", "null")]).failure(2);

pub(super) async fn printenv(tool: Tool) -> Outcome {
    let parsed = tool.parse(&PRINTENV).await?;
    let end = if parsed.has("null") { b'\0' } else { b'\n' };
    if parsed.operands.is_empty() {
        for variable in &tool.env {
            tool.out.write([variable.as_slice(), &[end]].concat()).await?;
        }
        return Ok(0);
    }
    let mut missing = false;
    for name in &parsed.operands {
        let found = tool.env.iter().find_map(|variable| variable.strip_prefix(name.as_slice())?.strip_prefix(b"="));
        match found {
            Some(value) => tool.out.write([value, &[end]].concat()).await?,
            None => missing = true,
        }
    }
    Ok(i32::from(missing))
}
