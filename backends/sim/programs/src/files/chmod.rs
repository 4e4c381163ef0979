//! chmod(1).

use crate::shared::mode::{ALL_BITS, ModeChange, S_IFLNK, mode_string};
use crate::shared::walk::{Entry, Event, Walk, WalkOptions};
use crate::shared::{Exit, Opt, Outcome, Spec, Tool, quote, quoteaf};

const SPEC: Spec = Spec::new(
    "[OPTION]... MODE[,MODE]... FILE...",
    &[
        Opt::flag("c", "changes"),
        Opt::flag("f", "silent"),
        Opt::flag("", "quiet"),
        Opt::flag("v", "verbose"),
        Opt::flag("", "no-preserve-root"),
        Opt::flag("", "preserve-root"),
        Opt::value("", "reference"),
        Opt::flag("R", "recursive"),
    ],
);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tell {
    Nothing,
    Changes,
    All,
}

struct Change {
    tool: Tool,
    mode: ModeChange,
    umask: u32,
    /// The mode was written as an option (`-w`): what the umask keeps back is worth a warning.
    as_option: bool,
    silent: bool,
    tell: Tell,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let (args, option_mode) = split_mode(&tool.args);
    let parsed = tool.parse_args(&SPEC, args).await?;
    let mut files = parsed.operands.clone();
    let mut text = option_mode.clone();
    if text.is_none() && !parsed.has("reference") && !files.is_empty() {
        text = Some(files.remove(0));
    }
    if files.is_empty() {
        let after = if option_mode.is_none() { text.as_deref() } else { None };
        return Err(tool.missing_operand(1, after).await);
    }
    let mode = match (parsed.value("reference"), &text) {
        (Some(reference), _) => match tool.sys.stat(reference).await {
            Ok(stat) => ModeChange::parse(format!("{:05o}", stat.mode & ALL_BITS).as_bytes()),
            Err(errno) => {
                return Err(tool
                    .fail_errno(1, format!("failed to get attributes of {}", quoteaf(reference)), errno)
                    .await);
            }
        },
        (None, Some(text)) => ModeChange::parse(text),
        (None, None) => None,
    };
    let Some(mode) = mode else {
        let shown = quote(text.unwrap_or_default());
        return Err(tool.usage_error(1, format!("invalid mode: {shown}")).await);
    };
    let umask = tool.sys.umask(0).await.unwrap_or(0);
    if !parsed.has("reference") {
        let _restored = tool.sys.umask(umask).await;
    }
    let change = Change {
        mode,
        umask,
        as_option: option_mode.is_some(),
        silent: parsed.has("silent") || parsed.has("quiet"),
        tell: match parsed.last_of(&["changes", "verbose"]) {
            Some("changes") => Tell::Changes,
            Some(_) => Tell::All,
            None => Tell::Nothing,
        },
        tool,
    };
    let options =
        WalkOptions { stat_all: true, follow: crate::shared::walk::Follow::Arguments, ..WalkOptions::default() };
    let mut walk = Walk::new(change.tool.sys.clone(), files, options);
    let mut code = 0;
    while let Some(event) = walk.next().await {
        if !change.event(event).await? {
            code = 1;
        }
        if !parsed.has("recursive") {
            walk.skip();
        }
    }
    Ok(code)
}

/// Takes a mode that looks like an option (`-x`, `-rw`) out of the arguments.
fn split_mode(args: &[Vec<u8>]) -> (Vec<Vec<u8>>, Option<Vec<u8>>) {
    let (mut rest, mut mode) = (Vec::new(), None::<Vec<u8>>);
    let mut options = true;
    for arg in args {
        options &= arg != b"--";
        let looks = arg.len() > 1 && arg[0] == b'-' && b"rwxXstugoa,+=01234567".contains(&arg[1]);
        if options && looks {
            mode = Some(match mode {
                None => arg.clone(),
                Some(before) => [&before, &b","[..], arg].concat(),
            });
        } else {
            rest.push(arg.clone());
        }
    }
    (rest, mode)
}

impl Change {
    async fn event(&self, event: Event) -> Result<bool, Exit> {
        let (entry, problem) = match event {
            Event::Enter(entry) => return self.one(&entry).await,
            Event::Leave(_) => return Ok(true),
            Event::NoStat(entry, errno) => {
                let what = if entry.depth == 0 && self.tool.sys.lstat(&entry.path).await.is_ok() {
                    "cannot operate on dangling symlink"
                } else {
                    "cannot access"
                };
                (entry, (what, Some(errno)))
            }
            Event::NoRead(entry, errno) => (entry, ("cannot read directory", Some(errno))),
            Event::Cycle(entry) => (entry, ("cannot enter a loop at", None)),
        };
        if !self.silent {
            let text = format!("{} {}", problem.0, quoteaf(&entry.path));
            match problem.1.filter(|_| !problem.0.ends_with("symlink")) {
                Some(errno) => self.tool.error_errno(text, errno).await,
                None => self.tool.error(text).await,
            }
        }
        Ok(false)
    }

    async fn one(&self, entry: &Entry) -> Result<bool, Exit> {
        let Some(stat) = entry.stat else { return Ok(false) };
        if entry.kind == S_IFLNK {
            // On the way links are left alone; as an argument a link is followed unless it leads nowhere.
            if entry.depth == 0 {
                if !self.silent {
                    let text = format!("cannot operate on dangling symlink {}", quoteaf(&entry.path));
                    self.tool.error(text).await;
                }
                return Ok(false);
            }
            if self.tell == Tell::All {
                let path = quoteaf(&entry.path);
                self.tool.out.write(format!("neither symbolic link {path} nor referent has been changed\n")).await?;
            }
            return Ok(true);
        }
        let old = stat.mode & ALL_BITS;
        let new = self.mode.apply(old, entry.is_dir(), self.umask);
        let path = quoteaf(&entry.path);
        if let Err(errno) = self.tool.sys.chmod(&entry.path, new).await {
            if !self.silent {
                self.tool.error_errno(format!("changing permissions of {path}"), errno).await;
            }
            if self.tell == Tell::All {
                let text = format!("failed to change mode of {path} from {} to {}\n", both(old), both(new));
                self.tool.out.write(text).await?;
            }
            return Ok(false);
        }
        if self.tell == Tell::All || self.tell == Tell::Changes && old != new {
            let text = if old == new {
                format!("mode of {path} retained as {}\n", both(old))
            } else {
                format!("mode of {path} changed from {} to {}\n", both(old), both(new))
            };
            self.tool.out.write(text).await?;
        }
        if self.as_option {
            let naive = self.mode.apply(old, entry.is_dir(), 0);
            if new & !naive != 0 {
                let (new, naive) = (mode_string(new), mode_string(naive));
                let (new, naive) = (new.get(1..).unwrap_or(""), naive.get(1..).unwrap_or(""));
                let shown = crate::shared::quotef(&entry.path);
                self.tool.error(format!("{shown}: new permissions are {new}, not {naive}")).await;
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn both(mode: u32) -> String {
    let letters = mode_string(mode);
    format!("{mode:04o} ({})", letters.get(1..).unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::split_mode;

    #[test]
    fn a_mode_may_look_like_an_option() {
        let args = ["-R", "-w", "f", "--", "-x"].map(|arg| arg.as_bytes().to_vec());
        let (rest, mode) = split_mode(&args);
        assert_eq!(mode.as_deref(), Some(&b"-w"[..]));
        assert_eq!(rest, [&b"-R"[..], b"f", b"--", b"-x"]);
    }
}
