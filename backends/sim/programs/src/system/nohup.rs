//! nohup(1).

use provium_kernel::flags::{O_APPEND, O_CREAT, O_WRONLY};
use provium_kernel::{Fd, SigAction, Signal};

use crate::shared::exec::{cannot_run, exec_path};
use crate::shared::path::join;
use crate::shared::tool::{STDERR, STDIN, STDOUT};
use crate::shared::{Exit, Outcome, Spec, Tool, quoteaf};

/// nohup itself failed.
const CANCELED: i32 = 125;

const SPEC: Spec = Spec::new("COMMAND [ARG]...", &[]).failure(CANCELED).stop_at_operand();

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    if parsed.operands.is_empty() {
        return Err(tool.missing_operand(CANCELED, None).await);
    }
    let sys = tool.sys.clone();
    let ignores_input = sys.isatty(STDIN).await;
    let redirects_output = sys.isatty(STDOUT).await;
    let redirects_errors = sys.isatty(STDERR).await;
    if ignores_input {
        let opened = sys.open("/dev/null", O_WRONLY, 0).await;
        put(&tool, opened, STDIN, "failed to render standard input unusable").await?;
        if !redirects_output && !redirects_errors {
            tool.error("ignoring input").await;
        }
    }
    if redirects_output {
        let flags = O_CREAT | O_WRONLY | O_APPEND;
        let mut name = b"nohup.out".to_vec();
        let mut opened = sys.open(&name, flags, 0o600).await;
        if opened.is_err()
            && let Some(home) = tool.env_var("HOME")
        {
            name = join(home, b"nohup.out");
            opened = sys.open(&name, flags, 0o600).await;
        }
        let shown = quoteaf(&name);
        put(&tool, opened, STDOUT, &format!("failed to open {shown}")).await?;
        let start = if ignores_input { "ignoring input and " } else { "" };
        tool.error(format!("{start}appending output to {shown}")).await;
    }
    if redirects_errors {
        if !redirects_output {
            let start = if ignores_input { "ignoring input and " } else { "" };
            tool.error(format!("{start}redirecting stderr to stdout")).await;
        }
        let _moved = sys.dup2(STDOUT, STDERR).await;
    }
    let _set = sys.sigaction(Signal::SIGHUP, SigAction::Ignore).await;
    let shown = quoteaf(&parsed.operands[0]);
    let errno = exec_path(&sys, parsed.operands, tool.env.clone()).await;
    Err(tool.fail_errno(cannot_run(errno), format!("failed to run command {shown}"), errno).await)
}

async fn put(tool: &Tool, opened: Result<Fd, provium_kernel::Errno>, place: Fd, what: &str) -> Result<(), Exit> {
    let moved = match opened {
        Ok(fd) if fd == place => return Ok(()),
        Ok(fd) => match tool.sys.dup2(fd, place).await {
            Ok(_) => tool.sys.close(fd).await,
            Err(errno) => Err(errno),
        },
        Err(errno) => Err(errno),
    };
    match moved {
        Ok(()) => Ok(()),
        Err(errno) => Err(tool.fail_errno(CANCELED, what, errno).await),
    }
}
