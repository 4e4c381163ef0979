//! mkdir(1).

use provium_kernel::Errno;

use crate::shared::mode::ModeChange;
use crate::shared::{Opt, Outcome, Spec, Tool, quote, quoteaf};

const SPEC: Spec = Spec::new(
    "[OPTION]... DIRECTORY...",
    &[Opt::value("m", "mode"), Opt::flag("p", "parents"), Opt::flag("v", "verbose"), Opt::unsupported("Z", "context")],
);

/// What a directory's permissions are set to.
struct Wanted {
    /// Given to mkdir(2), the umask applies.
    mode: u32,
    /// Set by chmod(2) afterwards, if `-m` was given.
    exact: Option<u32>,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    if parsed.operands.is_empty() {
        return Err(tool.missing_operand(1, None).await);
    }
    let wanted = match parsed.value("mode") {
        None => Wanted { mode: 0o777, exact: None },
        Some(text) => {
            let Some(change) = ModeChange::parse(text) else {
                return Err(tool.fail(1, format!("invalid mode {}", quote(text))).await);
            };
            let umask = tool.sys.umask(0).await.unwrap_or(0);
            let _restored = tool.sys.umask(umask).await;
            let exact = change.apply(0o777, true, umask);
            Wanted { mode: exact, exact: Some(exact) }
        }
    };
    let mut code = 0;
    for path in &parsed.operands {
        let made = if parsed.has("parents") {
            with_parents(&tool, path, &wanted, parsed.has("verbose")).await?
        } else {
            one(&tool, path, &wanted, parsed.has("verbose")).await?
        };
        if let Err((failed, errno)) = made {
            tool.error_errno(format!("cannot create directory {}", quote(failed)), errno).await;
            code = 1;
        }
    }
    Ok(code)
}

type Made = Result<(), (Vec<u8>, Errno)>;

async fn one(tool: &Tool, path: &[u8], wanted: &Wanted, verbose: bool) -> Result<Made, crate::shared::Exit> {
    if let Err(errno) = tool.sys.mkdir(path, wanted.mode).await {
        return Ok(Err((path.to_vec(), errno)));
    }
    if verbose {
        let mut line = tool.name().to_vec();
        line.extend_from_slice(format!(": created directory {}\n", quoteaf(path)).as_bytes());
        tool.out.write(line).await?;
    }
    if let Some(exact) = wanted.exact
        && let Err(errno) = tool.sys.chmod(path, exact).await
    {
        tool.error_errno(format!("cannot change permissions of {}", quoteaf(path)), errno).await;
        return Err(crate::shared::Exit(1));
    }
    Ok(Ok(()))
}

async fn with_parents(tool: &Tool, path: &[u8], wanted: &Wanted, verbose: bool) -> Result<Made, crate::shared::Exit> {
    // Parents are made with the umask, but so that their maker can go on in them.
    let umask = tool.sys.umask(0).await.unwrap_or(0);
    let _restored = tool.sys.umask(umask).await;
    let parent = Wanted { mode: 0o777, exact: (umask & 0o300 != 0).then_some(0o777 & !umask | 0o300) };
    let ends: Vec<usize> = (1..=path.len())
        .filter(|&end| path[end - 1] != b'/' && path.get(end).is_none_or(|&next| next == b'/'))
        .collect();
    for (index, &end) in ends.iter().enumerate() {
        let prefix = &path[..end];
        let last = index + 1 == ends.len();
        match one(tool, prefix, if last { wanted } else { &parent }, verbose).await? {
            Ok(()) => {}
            // Somebody else may have made it meanwhile: only what is there counts.
            Err((_, errno)) => match tool.sys.stat(prefix).await {
                Ok(stat) if stat.is_dir() => {}
                Ok(_) if last => return Ok(Err((prefix.to_vec(), Errno::EEXIST))),
                Ok(_) => return Ok(Err((prefix.to_vec(), Errno::ENOTDIR))),
                Err(_) => return Ok(Err((prefix.to_vec(), errno))),
            },
        }
    }
    if ends.is_empty() && path.is_empty() {
        return Ok(Err((path.to_vec(), Errno::ENOENT)));
    }
    Ok(Ok(()))
}
