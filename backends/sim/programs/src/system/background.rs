//! nohup(1), setsid(1), nice(1): programs that become another program.

use provium_kernel::flags::{O_APPEND, O_CREAT, O_RDONLY, O_WRONLY};
use provium_kernel::{SigAction, Signal, WaitFor, WaitOptions, WaitStatus};

use crate::shared::exec::{cannot_run, exec_path};
use crate::shared::tool::{STDERR, STDIN, STDOUT};
use crate::shared::{Exit, Opt, Outcome, Spec, Tool, quote};

const NOHUP: Spec = Spec::new("COMMAND [ARG]...", &[] as &[Opt]).failure(125).stop_at_operand();

pub(super) async fn nohup(tool: Tool) -> Outcome {
    let parsed = tool.parse(&NOHUP).await?;
    if parsed.operands.is_empty() {
        return Err(tool.missing_operand(125, None).await);
    }
    let sys = &tool.sys;
    // Only what is a terminal is redirected.
    if sys.isatty(STDIN).await
        && let Ok(null) = sys.open("/dev/null", O_RDONLY, 0).await
    {
        let _redirected = sys.dup2(null, STDIN).await;
    }
    if sys.isatty(STDOUT).await
        && let Ok(file) = sys.open("nohup.out", O_WRONLY | O_CREAT | O_APPEND, 0o600).await
    {
        tool.error("ignoring input and appending output to 'nohup.out'").await;
        let _redirected = sys.dup2(file, STDOUT).await;
    }
    if sys.isatty(STDERR).await {
        let _redirected = sys.dup2(STDOUT, STDERR).await;
    }
    let _ignored = sys.sigaction(Signal::SIGHUP, SigAction::Ignore).await;
    become_command(&tool, parsed.operands, "failed to run command ").await
}

async fn become_command(tool: &Tool, command: Vec<Vec<u8>>, words: &str) -> Outcome {
    let shown = command.first().map(|name| quote(name.as_slice())).unwrap_or_default();
    let errno = exec_path(&tool.sys, command, tool.env.clone()).await;
    Err(tool.fail_errno(cannot_run(errno), format!("{words}{shown}"), errno).await)
}

const SETSID: Spec = Spec::new(
    "[options] <program> [arguments ...]",
    &[Opt::flag("c", "ctty"), Opt::flag("f", "fork"), Opt::flag("w", "wait")],
)
.stop_at_operand();

pub(super) async fn setsid(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let parsed = tool.parse(&SETSID).await?;
    if parsed.operands.is_empty() {
        return Err(tool.usage_error(1, "no command specified").await);
    }
    let leader = tool.sys.getpgrp().await == Ok(tool.sys.pid());
    if !leader && !parsed.has("fork") {
        return in_new_session(&tool, parsed.operands).await;
    }
    // A group leader cannot make a session: its child can.
    let (operands, env, name) = (parsed.operands.clone(), tool.env.clone(), tool.name().to_vec());
    let forked = tool.sys.fork(move |sys| {
        Box::pin(async move {
            let mut argv = vec![name];
            argv.extend(operands.iter().cloned());
            let child = Tool::new(sys, provium_kernel::Invocation { argv, env });
            let (Ok(code) | Err(Exit(code))) = in_new_session(&child, operands).await;
            code
        })
    });
    let child = match forked.await {
        Ok(child) => child,
        Err(errno) => return Err(tool.fail_errno(1, "fork", errno).await),
    };
    if !parsed.has("wait") {
        return Ok(0);
    }
    match tool.sys.wait(WaitFor::Pid(child), WaitOptions::default()).await {
        Ok(Some((_, WaitStatus::Exited(code)))) => Ok(code),
        _ => Err(tool.fail(1, format!("child {child} did not exit normally")).await),
    }
}

async fn in_new_session(tool: &Tool, command: Vec<Vec<u8>>) -> Outcome {
    if let Err(errno) = tool.sys.setsid().await {
        return Err(tool.fail_errno(1, "setsid failed", errno).await);
    }
    become_command(tool, command, "failed to execute ").await
}

const NICE: Spec =
    Spec::new("[OPTION] [COMMAND [ARG]...]", &[Opt::value("n", "adjustment")]).failure(125).stop_at_operand();

/// Priorities have no effect here: the schedule is the source of choices' alone.
pub(super) async fn nice(tool: Tool) -> Outcome {
    let parsed = tool.parse(&NICE).await?;
    if let Some(value) = parsed.value("adjustment")
        && std::str::from_utf8(value).ok().and_then(|text| text.parse::<i32>().ok()).is_none()
    {
        return Err(tool.fail(125, format!("invalid adjustment {}", quote(value))).await);
    }
    if parsed.operands.is_empty() {
        tool.out.write("0\n").await?;
        return Ok(0);
    }
    become_command(&tool, parsed.operands, "").await
}
