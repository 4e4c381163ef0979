//! nice(1). The niceness of every process is 0 here: who goes next is for the source of choices alone to
//! say. The command runs, its adjustment is checked and has no effect.

use crate::shared::exec::{cannot_run, exec_path};
use crate::shared::{Opt, Outcome, Spec, Tool, quote, quoteaf};

/// nice itself failed.
const CANCELED: i32 = 125;

const SPEC: Spec =
    Spec::new("[OPTION] [COMMAND [ARG]...]", &[Opt::value("n", "adjustment")]).failure(CANCELED).stop_at_operand();

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    if let Some(text) = parsed.value("adjustment")
        && std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok()).is_none()
    {
        return Err(tool.fail(CANCELED, format!("invalid adjustment {}", quote(text))).await);
    }
    if parsed.operands.is_empty() {
        if parsed.has("adjustment") {
            return Err(tool.usage_error(CANCELED, "a command must be given with an adjustment").await);
        }
        tool.out.write("0\n").await?;
        return Ok(0);
    }
    let shown = quoteaf(&parsed.operands[0]);
    let errno = exec_path(&tool.sys, parsed.operands, tool.env.clone()).await;
    Err(tool.fail_errno(cannot_run(errno), shown, errno).await)
}
