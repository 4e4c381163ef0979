//! rmdir(1).

use provium_kernel::Errno;

use crate::shared::path::without_trailing_slashes;
use crate::shared::{Opt, Outcome, Spec, Tool, quoteaf};

const SPEC: Spec = Spec::new(
    "[OPTION]... DIRECTORY...",
    &[Opt::flag("", "ignore-fail-on-non-empty"), Opt::flag("p", "parents"), Opt::flag("v", "verbose")],
);

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    if parsed.operands.is_empty() {
        return Err(tool.missing_operand(1, None).await);
    }
    let ignore = |errno| parsed.has("ignore-fail-on-non-empty") && matches!(errno, Errno::ENOTEMPTY | Errno::EEXIST);
    let mut code = 0;
    for operand in &parsed.operands {
        let mut path = operand.as_slice();
        let mut what = "";
        loop {
            if parsed.has("verbose") {
                tool.out
                    .write(format!("{}: removing directory, {}\n", String::from_utf8_lossy(tool.name()), quoteaf(path)))
                    .await?;
            }
            if let Err(errno) = tool.sys.rmdir(path).await {
                if !ignore(errno) {
                    tool.error_errno(format!("failed to remove {what}{}", quoteaf(path)), errno).await;
                    code = 1;
                }
                break;
            }
            let Some(slash) = without_trailing_slashes(path).iter().rposition(|&byte| byte == b'/') else { break };
            path = without_trailing_slashes(&path[..slash]);
            if !parsed.has("parents") || path.is_empty() {
                break;
            }
            what = "directory ";
        }
    }
    Ok(code)
}
