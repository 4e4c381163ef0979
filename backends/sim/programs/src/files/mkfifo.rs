//! mkfifo(1).

use crate::shared::mode::{ModeChange, S_IFIFO};
use crate::shared::{Opt, Outcome, Spec, Tool, quoteaf};

const SPEC: Spec = Spec::new("[OPTION]... NAME...", &[Opt::value("m", "mode"), Opt::unsupported("Z", "context")]);

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    if parsed.operands.is_empty() {
        return Err(tool.missing_operand(1, None).await);
    }
    let mut exact = None;
    if let Some(text) = parsed.value("mode") {
        let Some(change) = ModeChange::parse(text) else { return Err(tool.fail(1, "invalid mode").await) };
        let umask = tool.sys.umask(0).await.unwrap_or(0);
        let _restored = tool.sys.umask(umask).await;
        let mode = change.apply(0o666, false, umask);
        if mode & !0o777 != 0 {
            return Err(tool.fail(1, "mode must specify only file permission bits").await);
        }
        exact = Some(mode);
    }
    let mut code = 0;
    for path in &parsed.operands {
        if let Err(errno) = tool.sys.mknod(path, S_IFIFO | exact.unwrap_or(0o666), 0).await {
            tool.error_errno(format!("cannot create fifo {}", quoteaf(path)), errno).await;
            code = 1;
        } else if let Some(mode) = exact
            && let Err(errno) = tool.sys.chmod(path, mode).await
        {
            tool.error_errno(format!("cannot set permissions of {}", quoteaf(path)), errno).await;
            code = 1;
        }
    }
    Ok(code)
}
