//! The operands of cp(1) and mv(1): what is copied or moved, and where to.

use crate::shared::path::without_trailing_slashes;
use crate::shared::{Exit, Parsed, Tool, quoteaf};

/// All operands, and the directory that `-t` names. Without one the target is among the operands, which are two at least.
pub(super) async fn sources(tool: &Tool, parsed: &Parsed) -> Result<(Vec<Vec<u8>>, Option<Vec<u8>>), Exit> {
    let mut files = parsed.operands.clone();
    if parsed.has("strip-trailing-slashes") {
        for file in &mut files {
            *file = without_trailing_slashes(file).to_vec();
        }
    }
    let directory = parsed.value("target-directory").map(<[u8]>::to_vec);
    let enough = if directory.is_some() { 1 } else { 2 };
    if files.len() >= enough {
        return Ok((files, directory));
    }
    Err(match files.first() {
        None => tool.usage_error(1, "missing file operand").await,
        Some(only) => tool.usage_error(1, format!("missing destination file operand after {}", quoteaf(only))).await,
    })
}
