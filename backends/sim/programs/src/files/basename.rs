//! basename(1).

use crate::shared::path::base_name;
use crate::shared::{Opt, Outcome, Spec, Tool};

const SPEC: Spec =
    Spec::new("NAME [SUFFIX]", &[Opt::flag("a", "multiple"), Opt::value("s", "suffix"), Opt::flag("z", "zero")])
        .stop_at_operand();

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let mut names = parsed.operands.clone();
    if names.is_empty() {
        return Err(tool.missing_operand(1, None).await);
    }
    let mut suffix = parsed.value("suffix").map(<[u8]>::to_vec);
    if !parsed.has("multiple") && !parsed.has("suffix") {
        if let Some(extra) = names.get(2) {
            return Err(tool.extra_operand(1, extra).await);
        }
        if names.len() == 2 {
            suffix = names.pop();
        }
    }
    for name in &names {
        let base = base_name(name);
        let cut = suffix.as_deref().filter(|suffix| base.len() > suffix.len());
        tool.out.write(cut.and_then(|suffix| base.strip_suffix(suffix)).unwrap_or(base)).await?;
        tool.out.write(if parsed.has("zero") { b"\0" } else { b"\n" }).await?;
    }
    Ok(0)
}
