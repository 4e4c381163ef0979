//! sysctl(8): reads and writes the files below `/proc/sys`.

use provium_kernel::Errno;
use provium_kernel::flags::O_WRONLY;

use crate::shared::path::join;
use crate::shared::tool::text_of;
use crate::shared::{Exit, Opt, Outcome, Spec, Tool};

const SPEC: Spec = Spec::new(
    "[options] [variable[=value] ...]",
    &[
        Opt::flag("aAX", "all"),
        Opt::flag("b", "binary"),
        Opt::flag("e", "ignore"),
        Opt::flag("n", "values"),
        Opt::flag("N", "names"),
        Opt::unsupported("p", "load"),
        Opt::flag("q", "quiet"),
        Opt::unsupported("r", "pattern"),
        Opt::unsupported("", "system"),
        Opt::flag("w", "write"),
    ],
);

const ROOT: &[u8] = b"/proc/sys";

struct Show {
    values_only: bool,
    names_only: bool,
    quiet: bool,
    ignore_unknown: bool,
}

pub(super) async fn run(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let parsed = tool.parse(&SPEC).await?;
    let show = Show {
        values_only: parsed.has("values") || parsed.has("binary"),
        names_only: parsed.has("names"),
        quiet: parsed.has("quiet"),
        ignore_unknown: parsed.has("ignore"),
    };
    if parsed.has("all") {
        return all(&tool, &show).await;
    }
    if parsed.operands.is_empty() {
        tool.stderr([b"\nUsage:\n ".as_slice(), tool.name(), b" [options] [variable[=value] ...]\n\n"].concat()).await;
        return Ok(1);
    }
    let mut code = 0;
    for operand in &parsed.operands {
        let done = match operand.iter().position(|&byte| byte == b'=') {
            Some(at) => write(&tool, operand[..at].trim_ascii(), operand[at + 1..].trim_ascii(), &show).await?,
            None if parsed.has("write") => {
                let shown = String::from_utf8_lossy(operand);
                tool.error(format!("\"{shown}\" must be of the form name=value")).await;
                false
            }
            None => read(&tool, operand, &show).await?,
        };
        if !done {
            code = 1;
        }
    }
    Ok(code)
}

/// `a.b/c` is the file `a/b.c`: the first separator says which of the two is the slash.
fn file_of(name: &[u8]) -> Vec<u8> {
    let dots = name.iter().find(|byte| matches!(byte, b'.' | b'/')) != Some(&b'/');
    let swapped = |byte: &u8| match byte {
        b'.' if dots => b'/',
        b'/' if dots => b'.',
        other => *other,
    };
    join(ROOT, &name.iter().map(swapped).collect::<Vec<u8>>())
}

fn name_of(path: &[u8]) -> Vec<u8> {
    let below = path.strip_prefix(ROOT).and_then(|rest| rest.strip_prefix(b"/")).unwrap_or(path);
    below
        .iter()
        .map(|byte| match byte {
            b'/' => b'.',
            b'.' => b'/',
            other => *other,
        })
        .collect()
}

async fn unknown(tool: &Tool, path: &[u8], errno: Errno, show: &Show) -> bool {
    if show.ignore_unknown && errno == Errno::ENOENT {
        return true;
    }
    let path = String::from_utf8_lossy(path);
    tool.error(format!("cannot stat {path}: {}", text_of(errno))).await;
    false
}

async fn read(tool: &Tool, name: &[u8], show: &Show) -> Result<bool, Exit> {
    let path = file_of(name);
    if let Err(errno) = tool.sys.stat(&path).await {
        return Ok(unknown(tool, &path, errno, show).await);
    }
    one(tool, &path, show).await
}

async fn one(tool: &Tool, path: &[u8], show: &Show) -> Result<bool, Exit> {
    let name = name_of(path);
    let value = match tool.sys.read_file(path).await {
        Ok(value) => value,
        Err(errno) => {
            let shown = String::from_utf8_lossy(&name).into_owned();
            let text = match errno {
                Errno::EACCES | Errno::EPERM => format!("permission denied on key '{shown}'"),
                other => format!("reading key \"{shown}\": {}", text_of(other)),
            };
            tool.error(text).await;
            return Ok(false);
        }
    };
    for line in value.split_inclusive(|&byte| byte == b'\n') {
        let text: Vec<u8> = if show.names_only {
            [name.as_slice(), b"\n"].concat()
        } else if show.values_only {
            line.to_vec()
        } else {
            [name.as_slice(), b" = ", line].concat()
        };
        tool.out.write(text).await?;
        if show.names_only {
            break;
        }
    }
    Ok(true)
}

async fn write(tool: &Tool, name: &[u8], value: &[u8], show: &Show) -> Result<bool, Exit> {
    let path = file_of(name);
    if let Err(errno) = tool.sys.stat(&path).await {
        return Ok(unknown(tool, &path, errno, show).await);
    }
    let shown = String::from_utf8_lossy(&name_of(&path)).into_owned();
    let written = match tool.sys.open(&path, O_WRONLY, 0).await {
        Ok(fd) => {
            let written = tool.sys.write_all(fd, &[value, b"\n"].concat()).await;
            let _closed = tool.sys.close(fd).await;
            written
        }
        Err(errno) => Err(errno),
    };
    match written {
        Ok(()) => {
            if !show.quiet {
                let line = [shown.as_bytes(), b" = ", value, b"\n"].concat();
                tool.out.write(line).await?;
            }
            Ok(true)
        }
        Err(Errno::EACCES | Errno::EPERM) => {
            tool.error(format!("permission denied on key \"{shown}\"")).await;
            Ok(false)
        }
        Err(errno) => {
            tool.error(format!("setting key \"{shown}\": {}", text_of(errno))).await;
            Ok(false)
        }
    }
}

async fn all(tool: &Tool, show: &Show) -> Outcome {
    let mut todo = vec![ROOT.to_vec()];
    while let Some(path) = todo.pop() {
        match tool.sys.read_dir(&path).await {
            Ok(mut entries) => {
                entries.sort_by(|a, b| b.name.cmp(&a.name));
                todo.extend(entries.iter().map(|entry| join(&path, &entry.name)));
            }
            Err(Errno::ENOTDIR) => {
                one(tool, &path, show).await?;
            }
            Err(errno) => {
                let path = String::from_utf8_lossy(&path).into_owned();
                tool.error_errno(format!("unable to open directory \"{path}\""), errno).await;
            }
        }
    }
    Ok(0)
}
