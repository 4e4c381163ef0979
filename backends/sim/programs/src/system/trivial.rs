//! true(1), false(1), yes(1), sync-like programs of a line or two.

use crate::shared::{Outcome, Tool};

pub(super) async fn yes(tool: Tool) -> Outcome {
    let args = match tool.args.first() {
        Some(first) if first == b"--" => &tool.args[1..],
        _ => &tool.args[..],
    };
    let mut line = if args.is_empty() { b"y".to_vec() } else { args.join(&b' ') };
    line.push(b'\n');
    loop {
        tool.out.write(&line).await?;
    }
}

pub(super) async fn success(_tool: Tool) -> Outcome {
    Ok(0)
}

pub(super) async fn failure(_tool: Tool) -> Outcome {
    Ok(1)
}

pub(super) async fn nproc(tool: Tool) -> Outcome {
    tool.out.write(format!("{}\n", tool.sys.cpus().await)).await?;
    Ok(0)
}

pub(super) async fn dmesg(tool: Tool) -> Outcome {
    tool.out.write(tool.sys.syslog().await).await?;
    Ok(0)
}
