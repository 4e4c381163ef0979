//! setsid(1).

use provium_kernel::{Errno, Sys, WaitFor, WaitOptions, WaitStatus};

use crate::shared::exec::{cannot_run, exec_path};
use crate::shared::tool::{STDERR, text_of};
use crate::shared::{Opt, Outcome, Spec, Tool};

const SPEC: Spec = Spec::new(
    "[options] <program> [arguments ...]",
    &[Opt::unsupported("c", "ctty"), Opt::flag("f", "fork"), Opt::flag("w", "wait")],
)
.stop_at_operand();

pub(super) async fn run(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let parsed = tool.parse(&SPEC).await?;
    if parsed.operands.is_empty() {
        return Err(tool.usage_error(1, "no command specified").await);
    }
    let words = parsed.operands.clone();
    // A leader of a process group cannot start a session: its child can.
    let leads = tool.sys.getpgrp().await == Ok(tool.sys.pid());
    if !leads && !parsed.has("fork") {
        return Ok(become_leader(tool.sys.clone(), tool.name().to_vec(), words, tool.env.clone()).await);
    }
    let (name, env) = (tool.name().to_vec(), tool.env.clone());
    let child = match tool.sys.fork(move |sys| Box::pin(become_leader(sys, name, words, env))).await {
        Ok(child) => child,
        Err(errno) => return Err(tool.fail_errno(1, "fork", errno).await),
    };
    if !parsed.has("wait") {
        return Ok(0);
    }
    loop {
        match tool.sys.wait(WaitFor::Pid(child), WaitOptions::default()).await {
            Ok(Some((_, WaitStatus::Exited(code)))) => return Ok(code),
            Ok(Some((_, WaitStatus::Signalled(signal, _)))) => {
                let text = format!("child {child} did not exit normally");
                tool.error(text).await;
                return Ok(128 + signal.0);
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(tool.fail_errno(1, "wait", errno).await),
        }
    }
}

async fn become_leader(sys: Sys, name: Vec<u8>, words: Vec<Vec<u8>>, env: Vec<Vec<u8>>) -> i32 {
    let name = String::from_utf8_lossy(&name).into_owned();
    if let Err(errno) = sys.setsid().await {
        let text = format!("{name}: setsid failed: {}\n", text_of(errno));
        let _lost = sys.write_all(STDERR, text.as_bytes()).await;
        return 1;
    }
    let shown = String::from_utf8_lossy(words.first().map_or(&[][..], Vec::as_slice)).into_owned();
    let errno = exec_path(&sys, words, env).await;
    let text = format!("{name}: failed to execute {shown}: {}\n", text_of(errno));
    let _lost = sys.write_all(STDERR, text.as_bytes()).await;
    cannot_run(errno)
}
