//! pwd(1).

use crate::shared::{Opt, Outcome, Spec, Tool};

const SPEC: Spec = Spec::new("[OPTION]...", &[Opt::flag("L", "logical"), Opt::flag("P", "physical")]);

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    if !parsed.operands.is_empty() {
        tool.error("ignoring non-option arguments").await;
    }
    let mut path = None;
    if parsed.last_of(&["logical", "physical"]) == Some("logical") {
        path = logical(&tool).await;
    }
    let path = match path {
        Some(path) => path,
        None => match tool.sys.getcwd().await {
            Ok(path) => path,
            Err(errno) => return Err(tool.fail_errno(1, "cannot find current directory", errno).await),
        },
    };
    tool.out.write([path.as_slice(), b"\n"].concat()).await?;
    Ok(0)
}

/// What `PWD` says, if it is an absolute name of the working directory without `.` and `..`.
async fn logical(tool: &Tool) -> Option<Vec<u8>> {
    let path = tool.env_var("PWD")?.to_vec();
    let plain = path.starts_with(b"/") && !path.split(|&byte| byte == b'/').any(|part| matches!(part, b"." | b".."));
    let (named, here) = (tool.sys.stat(&path).await.ok()?, tool.sys.stat(".").await.ok()?);
    (plain && (named.dev, named.ino) == (here.dev, here.ino)).then_some(path)
}
