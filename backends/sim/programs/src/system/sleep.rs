//! sleep(1).

use provium_kernel::Errno;

use crate::shared::{Opt, Outcome, Spec, Tool, duration, quote};

const SPEC: Spec = Spec::new("NUMBER[SUFFIX]...", &[] as &[Opt]);

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    if parsed.operands.is_empty() {
        return Err(tool.missing_operand(1, None).await);
    }
    let mut total = 0_u64;
    let mut wrong = false;
    for operand in &parsed.operands {
        match duration::with_suffix(operand) {
            Some(ns) => total = total.saturating_add(ns).min(duration::FOREVER_NS),
            None => {
                tool.error(format!("invalid time interval {}", quote(operand))).await;
                wrong = true;
            }
        }
    }
    if wrong {
        return Err(tool.usage_hint(1).await);
    }
    let until = tool.sys.now().saturating_add(total);
    loop {
        // A caught signal cannot come: sleep catches none; it goes on for what is left all the same.
        match tool.sys.nanosleep(until.saturating_sub(tool.sys.now())).await {
            Err(Errno::EINTR) => {}
            _ => return Ok(0),
        }
    }
}
