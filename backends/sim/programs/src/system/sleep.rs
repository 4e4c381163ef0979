//! sleep(1).

use crate::shared::duration::{FOREVER_NS, with_suffix};
use crate::shared::{Outcome, Spec, Tool, quote};

const SPEC: Spec = Spec::new("NUMBER[SUFFIX]...", &[]);

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    if parsed.operands.is_empty() {
        return Err(tool.missing_operand(1, None).await);
    }
    let (mut total, mut wrong) = (0u64, false);
    for text in &parsed.operands {
        match with_suffix(text) {
            Some(ns) => total = total.saturating_add(ns).min(FOREVER_NS),
            None => {
                tool.error(format!("invalid time interval {}", quote(text))).await;
                wrong = true;
            }
        }
    }
    if wrong {
        return Err(tool.usage_hint(1).await);
    }
    if let Err(errno) = tool.sys.nanosleep(total).await {
        return Err(tool.fail_errno(1, "cannot read realtime clock", errno).await);
    }
    Ok(0)
}
