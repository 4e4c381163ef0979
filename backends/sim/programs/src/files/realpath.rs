//! realpath(1).

use provium_kernel::Errno;

use crate::shared::canon::{MustExist, canonicalize};
use crate::shared::{Opt, Outcome, Parsed, Spec, Tool, quotef};

const SPEC: Spec = Spec::new(
    "[OPTION]... FILE...",
    &[
        Opt::flag("e", "canonicalize-existing"),
        Opt::flag("m", "canonicalize-missing"),
        Opt::flag("L", "logical"),
        Opt::flag("P", "physical"),
        Opt::flag("q", "quiet"),
        Opt::value("", "relative-to"),
        Opt::value("", "relative-base"),
        Opt::flag("s", "strip"),
        Opt::flag("", "no-symlinks"),
        Opt::flag("z", "zero"),
    ],
);

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    if parsed.operands.is_empty() {
        return Err(tool.missing_operand(1, None).await);
    }
    let mut bases = [None, None];
    for (base, option) in bases.iter_mut().zip(["relative-to", "relative-base"]) {
        if let Some(path) = parsed.value(option) {
            match resolve(&tool, &parsed, path).await {
                Ok(path) => *base = Some(path),
                Err(errno) => return Err(tool.fail_errno(1, quotef(path), errno).await),
            }
        }
    }
    let [mut to, base] = bases;
    if let (Some(given), Some(base)) = (&to, &base)
        && !is_below(given, base)
    {
        to = None;
    } else if to.is_none() {
        to = base.clone();
    }
    let mut code = 0;
    for path in &parsed.operands {
        match resolve(&tool, &parsed, path).await {
            Ok(found) => {
                let relative = to.as_ref().filter(|_| base.as_ref().is_none_or(|base| is_below(&found, base)));
                let shown = relative.map_or_else(|| found.clone(), |to| relative_to(&found, to));
                tool.out.write(shown).await?;
                tool.out.write(if parsed.has("zero") { b"\0" } else { b"\n" }).await?;
            }
            Err(errno) => {
                code = 1;
                if !parsed.has("quiet") {
                    tool.error_errno(quotef(path), errno).await;
                }
            }
        }
    }
    Ok(code)
}

async fn resolve(tool: &Tool, parsed: &Parsed, path: &[u8]) -> Result<Vec<u8>, Errno> {
    let must = match parsed.last_of(&["canonicalize-existing", "canonicalize-missing"]) {
        Some("canonicalize-existing") => MustExist::All,
        Some(_) => MustExist::None,
        None => MustExist::AllButLast,
    };
    let links = parsed.last_of(&["strip", "no-symlinks"]).is_none();
    if parsed.last_of(&["logical", "physical"]) == Some("logical") && links {
        // `..` goes back in the name before links are looked at.
        let plain = canonicalize(&tool.sys, path, must, false).await?;
        return canonicalize(&tool.sys, &plain, must, true).await;
    }
    canonicalize(&tool.sys, path, must, links).await
}

fn is_below(path: &[u8], base: &[u8]) -> bool {
    base == b"/" || path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

/// The way from one canonical name to another.
fn relative_to(path: &[u8], from: &[u8]) -> Vec<u8> {
    let parts = |path: &[u8]| -> Vec<Vec<u8>> {
        path.split(|&byte| byte == b'/').filter(|part| !part.is_empty()).map(<[u8]>::to_vec).collect()
    };
    let (path, from) = (parts(path), parts(from));
    let common = path.iter().zip(&from).take_while(|(one, other)| one == other).count();
    let up = std::iter::repeat_n(b"..".to_vec(), from.len() - common);
    let way: Vec<Vec<u8>> = up.chain(path[common..].iter().cloned()).collect();
    if way.is_empty() { b".".to_vec() } else { way.join(&b"/"[..]) }
}

#[cfg(test)]
mod tests {
    use super::{is_below, relative_to};

    #[test]
    fn ways_between_names() {
        assert_eq!(relative_to(b"/a/b/c", b"/a"), b"b/c");
        assert_eq!(relative_to(b"/a", b"/a/b/c"), b"../..");
        assert_eq!(relative_to(b"/a/x", b"/a/y"), b"../x");
        assert_eq!(relative_to(b"/a", b"/a"), b".");
        assert!(is_below(b"/a/b", b"/a") && !is_below(b"/ab", b"/a"));
    }
}
