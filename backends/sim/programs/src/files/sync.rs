//! sync(1).

use provium_kernel::flags::{O_NONBLOCK, O_RDONLY, O_WRONLY};

use crate::shared::{Opt, Outcome, Spec, Tool, quoteaf};

const SPEC: Spec = Spec::new("[OPTION] [FILE]...", &[Opt::flag("d", "data"), Opt::flag("f", "file-system")]);

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    if parsed.has("data") && parsed.has("file-system") {
        return Err(tool.fail(1, "cannot specify both --data and --file-system").await);
    }
    if parsed.operands.is_empty() {
        if parsed.has("data") {
            return Err(tool.fail(1, "--data needs at least one argument").await);
        }
        let _never_fails = tool.sys.sync().await;
        return Ok(0);
    }
    let mut code = 0;
    for path in &parsed.operands {
        let mut opened = tool.sys.open(path, O_RDONLY | O_NONBLOCK, 0).await;
        if let Err(errno) = opened {
            opened = tool.sys.open(path, O_WRONLY | O_NONBLOCK, 0).await.map_err(|_| errno);
        }
        match opened {
            Err(errno) => {
                tool.error_errno(format!("error opening {}", quoteaf(path)), errno).await;
                code = 1;
            }
            Ok(fd) => {
                if let Err(errno) = tool.sys.fsync(fd).await {
                    tool.error_errno(format!("error syncing {}", quoteaf(path)), errno).await;
                    code = 1;
                }
                let _closed = tool.sys.close(fd).await;
            }
        }
    }
    Ok(code)
}
