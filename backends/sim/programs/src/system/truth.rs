//! true(1) and false(1).

use crate::shared::{Outcome, Tool};

pub(super) async fn succeed(tool: Tool) -> Outcome {
    run(tool, 0).await
}

pub(super) async fn fail(tool: Tool) -> Outcome {
    run(tool, 1).await
}

/// Only `--help` and `--version`, alone, mean anything.
async fn run(tool: Tool, code: i32) -> Outcome {
    if let [only] = tool.args.as_slice() {
        let name = String::from_utf8_lossy(tool.short_name()).into_owned();
        if only == b"--help" {
            tool.out.write(format!("Usage: {name} [ignored command line arguments]\n")).await?;
        } else if only == b"--version" {
            tool.out.write(format!("{name} (provium simulated guest) {}\n", env!("CARGO_PKG_VERSION"))).await?;
        }
    }
    Ok(code)
}
