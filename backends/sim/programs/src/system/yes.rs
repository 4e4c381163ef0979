//! yes(1).

use crate::shared::tool::STDOUT;
use crate::shared::{Outcome, Spec, Tool};

const SPEC: Spec = Spec::new("[STRING]...", &[]);

/// Bytes of one write(2), as far as whole lines fit.
const BLOCK: usize = 8192;

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let mut line = if parsed.operands.is_empty() { b"y".to_vec() } else { parsed.operands.join(&b" "[..]) };
    line.push(b'\n');
    let block = line.repeat((BLOCK / line.len()).max(1));
    loop {
        if let Err(errno) = tool.sys.write_all(STDOUT, &block).await {
            return Err(tool.fail_errno(1, "standard output", errno).await);
        }
    }
}
