//! sysctl(8): values below `/proc/sys`.

use provium_kernel::Errno;
use provium_kernel::flags::{O_TRUNC, O_WRONLY, S_IFDIR};

use crate::shared::{Exit, Opt, Outcome, Parsed, Spec, Tool};

const SPEC: Spec = Spec::new(
    "[options] [variable[=value] ...]",
    &[
        Opt::flag("aAX", "all"),
        Opt::flag("n", "values"),
        Opt::flag("N", "names"),
        Opt::flag("e", "ignore"),
        Opt::flag("q", "quiet"),
        Opt::flag("w", "write"),
        Opt::unsupported("p", "load"),
        Opt::unsupported("", "system"),
    ],
);

const ROOT: &[u8] = b"/proc/sys";

pub(super) async fn run(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let parsed = tool.parse(&SPEC).await?;
    if parsed.has("all") {
        return all(&tool, &parsed).await;
    }
    if parsed.operands.is_empty() {
        return Err(tool.usage_error(1, "no variables specified").await);
    }
    let mut code = 0;
    for operand in &parsed.operands {
        let result = match operand.iter().position(|byte| *byte == b'=') {
            Some(at) => set(&tool, &parsed, &operand[..at], &operand[at + 1..]).await,
            None => show(&tool, &parsed, operand).await,
        };
        match result {
            Ok(()) => {}
            Err(Trouble::Exit(exit)) => return Err(exit),
            Err(Trouble::Key(name, Errno::ENOENT)) => {
                if !parsed.has("ignore") {
                    let path = [b"/proc/sys/", name.as_slice()].concat();
                    tool.error(format!("cannot stat {}: No such file or directory", String::from_utf8_lossy(&path)))
                        .await;
                    code = 1;
                }
            }
            Err(Trouble::Key(name, errno)) => {
                let text = String::from_utf8_lossy(&dotted(&name)).into_owned();
                tool.error_errno(format!("permission denied on key '{text}'"), errno).await;
                code = 1;
            }
        }
    }
    Ok(code)
}

enum Trouble {
    Exit(Exit),
    /// A key as a path below `/proc/sys`, and what the kernel said.
    Key(Vec<u8>, Errno),
}

impl From<Exit> for Trouble {
    fn from(exit: Exit) -> Trouble {
        Trouble::Exit(exit)
    }
}

/// `kernel.hostname` as a path. With a slash in it a name is a path already.
fn path(name: &[u8]) -> Vec<u8> {
    if name.contains(&b'/') {
        return name.to_vec();
    }
    name.iter().map(|byte| if *byte == b'.' { b'/' } else { *byte }).collect()
}

fn dotted(path: &[u8]) -> Vec<u8> {
    path.iter().map(|byte| if *byte == b'/' { b'.' } else { *byte }).collect()
}

async fn show(tool: &Tool, parsed: &Parsed, name: &[u8]) -> Result<(), Trouble> {
    let key = path(name);
    let file = [ROOT, b"/", &key].concat();
    let content = match tool.sys.read_file(&file).await {
        Ok(content) => content,
        Err(errno) => return Err(Trouble::Key(key, errno)),
    };
    print(tool, parsed, &key, &content).await?;
    Ok(())
}

async fn print(tool: &Tool, parsed: &Parsed, key: &[u8], content: &[u8]) -> Result<(), Exit> {
    let name = dotted(key);
    if parsed.has("names") {
        return tool.out.write([name.as_slice(), b"\n"].concat()).await;
    }
    for line in content.strip_suffix(b"\n").unwrap_or(content).split(|byte| *byte == b'\n') {
        let text = if parsed.has("values") { line.to_vec() } else { [name.as_slice(), b" = ", line].concat() };
        tool.out.write([text.as_slice(), b"\n"].concat()).await?;
    }
    Ok(())
}

async fn set(tool: &Tool, parsed: &Parsed, name: &[u8], value: &[u8]) -> Result<(), Trouble> {
    let key = path(name.trim_ascii());
    let value = value.trim_ascii();
    let file = [ROOT, b"/", &key].concat();
    let fail = |errno| Trouble::Key(key.clone(), errno);
    let fd = tool.sys.open(&file, O_WRONLY | O_TRUNC, 0).await.map_err(fail)?;
    let written = tool.sys.write_all(fd, &[value, b"\n"].concat()).await;
    tool.sys.close(fd).await.map_err(fail)?;
    written.map_err(fail)?;
    if !parsed.has("quiet") {
        print(tool, parsed, &key, value).await?;
    }
    Ok(())
}

async fn all(tool: &Tool, parsed: &Parsed) -> Outcome {
    let mut folders = vec![Vec::new()];
    let mut keys = Vec::new();
    while let Some(folder) = folders.pop() {
        let path = [ROOT, b"/", &folder].concat();
        let Ok(entries) = tool.sys.read_dir(&path).await else { continue };
        for entry in entries {
            let key = if folder.is_empty() { entry.name } else { [&folder[..], b"/", &entry.name].concat() };
            if entry.kind == S_IFDIR { folders.push(key) } else { keys.push(key) }
        }
    }
    keys.sort();
    for key in keys {
        let file = [ROOT, b"/", &key].concat();
        if let Ok(content) = tool.sys.read_file(&file).await {
            print(tool, parsed, &key, &content).await?;
        }
    }
    Ok(0)
}
