//! which(1) of Debian: `PATH` is searched, nothing is said about what is not found.

use provium_kernel::flags::X_OK;

use crate::shared::path::join;
use crate::shared::{Exit, Outcome, Tool};

pub(super) async fn run(tool: Tool) -> Outcome {
    let (mut all, mut first) = (false, 0);
    while let Some(arg) = tool.args.get(first).filter(|arg| arg.len() > 1 && arg[0] == b'-') {
        first += 1;
        if arg == b"--" {
            break;
        }
        for letter in &arg[1..] {
            if *letter != b'a' {
                tool.stderr(format!("Illegal option -{}\n", char::from(*letter))).await;
                tool.out.write("Usage: /usr/bin/which [-a] args\n").await?;
                return Ok(2);
            }
            all = true;
        }
    }
    let names = tool.args.get(first..).unwrap_or_default();
    let mut code = i32::from(names.is_empty());
    for name in names {
        if !one(&tool, name, all).await? {
            code = 1;
        }
    }
    Ok(code)
}

async fn one(tool: &Tool, name: &[u8], all: bool) -> Result<bool, Exit> {
    let mut found = false;
    let path = tool.env_var("PATH").unwrap_or_default().to_vec();
    let candidates: Vec<Vec<u8>> = if name.contains(&b'/') {
        vec![name.to_vec()]
    } else {
        path.split(|&byte| byte == b':').map(|dir| join(if dir.is_empty() { b"." } else { dir }, name)).collect()
    };
    for candidate in candidates {
        let is_file = tool.sys.stat(&candidate).await.is_ok_and(|stat| stat.is_file());
        if is_file && tool.sys.access(&candidate, X_OK).await.is_ok() {
            tool.out.write([candidate.as_slice(), b"\n"].concat()).await?;
            found = true;
            if !all {
                break;
            }
        }
    }
    Ok(found)
}
