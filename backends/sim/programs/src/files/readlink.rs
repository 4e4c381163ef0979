//! readlink(1).

use crate::shared::canon::{MustExist, canonicalize};
use crate::shared::{Opt, Outcome, Spec, Tool, quotef};

const SPEC: Spec = Spec::new(
    "[OPTION]... FILE...",
    &[
        Opt::flag("f", "canonicalize"),
        Opt::flag("e", "canonicalize-existing"),
        Opt::flag("m", "canonicalize-missing"),
        Opt::flag("n", "no-newline"),
        Opt::flag("qs", "quiet"),
        Opt::flag("", "silent"),
        Opt::flag("v", "verbose"),
        Opt::flag("z", "zero"),
    ],
);

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    if parsed.operands.is_empty() {
        return Err(tool.missing_operand(1, None).await);
    }
    let must = match parsed.last_of(&["canonicalize", "canonicalize-existing", "canonicalize-missing"]) {
        Some("canonicalize") => Some(MustExist::AllButLast),
        Some("canonicalize-existing") => Some(MustExist::All),
        Some(_) => Some(MustExist::None),
        None => None,
    };
    let mut newline = !parsed.has("no-newline");
    if !newline && parsed.operands.len() > 1 {
        tool.error("ignoring --no-newline with multiple arguments").await;
        newline = true;
    }
    let mut code = 0;
    for path in &parsed.operands {
        let found = match must {
            Some(must) => canonicalize(&tool.sys, path, must, true).await,
            None => tool.sys.readlink(path).await,
        };
        match found {
            Ok(target) => {
                tool.out.write(target).await?;
                if newline {
                    tool.out.write(if parsed.has("zero") { b"\0" } else { b"\n" }).await?;
                }
            }
            Err(errno) => {
                code = 1;
                if parsed.last_of(&["verbose", "quiet", "silent"]) == Some("verbose") {
                    tool.error_errno(quotef(path), errno).await;
                }
            }
        }
    }
    Ok(code)
}
