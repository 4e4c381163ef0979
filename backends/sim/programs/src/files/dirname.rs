//! dirname(1).

use crate::shared::path::dir_name;
use crate::shared::{Opt, Outcome, Spec, Tool};

const SPEC: Spec = Spec::new("[OPTION] NAME...", &[Opt::flag("z", "zero")]);

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    if parsed.operands.is_empty() {
        return Err(tool.missing_operand(1, None).await);
    }
    for name in &parsed.operands {
        tool.out.write(dir_name(name)).await?;
        tool.out.write(if parsed.has("zero") { b"\0" } else { b"\n" }).await?;
    }
    Ok(0)
}
