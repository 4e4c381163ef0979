//! chown(1) and chgrp(1).

use provium_kernel::Stat;

use crate::shared::mode::S_IFLNK;
use crate::shared::names::{NameCache, gid_of, owner_of};
use crate::shared::walk::{Entry, Event, Follow, Walk, WalkOptions};
use crate::shared::{Exit, Opt, Outcome, Spec, Tool, quote, quoteaf};

const OPTIONS: &[Opt] = &[
    Opt::flag("c", "changes"),
    Opt::flag("f", "silent"),
    Opt::flag("", "quiet"),
    Opt::flag("v", "verbose"),
    Opt::flag("", "dereference"),
    Opt::flag("h", "no-dereference"),
    Opt::value("", "from"),
    Opt::flag("", "no-preserve-root"),
    Opt::flag("", "preserve-root"),
    Opt::value("", "reference"),
    Opt::flag("R", "recursive"),
    Opt::flag("H", ""),
    Opt::flag("L", ""),
    Opt::flag("P", ""),
];
const CHOWN: Spec = Spec::new("[OPTION]... [OWNER][:[GROUP]] FILE...", OPTIONS);
const CHGRP: Spec = Spec::new("[OPTION]... GROUP FILE...", OPTIONS);

type Owner = (Option<u32>, Option<u32>);

struct Change {
    tool: Tool,
    owner: Owner,
    from: Owner,
    group_only: bool,
    dereference: bool,
    silent: bool,
    verbose: bool,
    changes: bool,
    names: NameCache,
}

pub(super) async fn chown(tool: Tool) -> Outcome {
    run(tool, false).await
}

pub(super) async fn chgrp(tool: Tool) -> Outcome {
    run(tool, true).await
}

async fn run(tool: Tool, group_only: bool) -> Outcome {
    let parsed = tool.parse(if group_only { &CHGRP } else { &CHOWN }).await?;
    let mut files = parsed.operands.clone();
    let needed = if parsed.has("reference") { 1 } else { 2 };
    if files.len() < needed {
        return Err(tool.missing_operand(1, files.last().map(Vec::as_slice)).await);
    }
    let owner = if let Some(reference) = parsed.value("reference") {
        match tool.sys.stat(reference).await {
            Ok(stat) => (Some(stat.uid).filter(|_| !group_only), Some(stat.gid)),
            Err(errno) => {
                let text = format!("failed to get attributes of {}", quoteaf(reference));
                return Err(tool.fail_errno(1, text, errno).await);
            }
        }
    } else {
        let text = files.remove(0);
        read_owner(&tool, &text, group_only).await?
    };
    let from = match parsed.value("from") {
        Some(text) => read_owner(&tool, text, false).await?,
        None => (None, None),
    };
    let recursive = parsed.has("recursive");
    let follow = match parsed.last_of(&["H", "L", "P"]).filter(|_| recursive) {
        Some("H") => Follow::Arguments,
        Some("L") => Follow::Always,
        _ => Follow::Never,
    };
    let told = parsed.last_of(&["dereference", "no-dereference"]);
    let dereference = match told {
        Some(last) => last == "dereference",
        None => !recursive || follow != Follow::Never,
    };
    let mut change = Change {
        owner,
        from,
        group_only,
        dereference,
        silent: parsed.has("silent") || parsed.has("quiet"),
        verbose: parsed.has("verbose"),
        changes: parsed.has("changes"),
        names: NameCache::default(),
        tool,
    };
    let mut walk =
        Walk::new(change.tool.sys.clone(), files, WalkOptions { follow, stat_all: true, ..WalkOptions::default() });
    let mut code = 0;
    while let Some(event) = walk.next().await {
        if !recursive {
            walk.skip();
        }
        if !change.event(event).await? {
            code = 1;
        }
    }
    Ok(code)
}

async fn read_owner(tool: &Tool, text: &[u8], group_only: bool) -> Result<Owner, Exit> {
    if !group_only {
        return match owner_of(tool, text).await {
            Ok(owner) => Ok(owner),
            Err(message) => Err(tool.fail(1, message).await),
        };
    }
    match gid_of(&tool.sys, &String::from_utf8_lossy(text)).await {
        _ if text.is_empty() => Ok((None, None)),
        Some(gid) => Ok((None, Some(gid))),
        None => Err(tool.fail(1, format!("invalid group: {}", quote(text))).await),
    }
}

impl Change {
    async fn event(&mut self, event: Event) -> Result<bool, Exit> {
        let (entry, what, errno) = match event {
            Event::Enter(entry) => return self.one(&entry).await,
            Event::Leave(_) => return Ok(true),
            Event::NoStat(entry, errno) => (entry, "cannot access", errno),
            Event::NoRead(entry, errno) => (entry, "cannot read directory", errno),
            Event::Cycle(entry) => (entry, "cannot enter a loop at", provium_kernel::Errno::ELOOP),
        };
        if !self.silent {
            self.tool.error_errno(format!("{what} {}", quoteaf(&entry.path)), errno).await;
        }
        Ok(false)
    }

    async fn one(&mut self, entry: &Entry) -> Result<bool, Exit> {
        let Some(mut stat) = entry.stat else { return Ok(false) };
        let path = quoteaf(&entry.path);
        if entry.kind == S_IFLNK && self.dereference {
            match self.tool.sys.stat(&entry.path).await {
                Ok(behind) => stat = behind,
                Err(errno) => {
                    if !self.silent {
                        self.tool.error_errno(format!("cannot dereference {path}"), errno).await;
                    }
                    return Ok(false);
                }
            }
        }
        let matches = |wanted: Option<u32>, has: u32| wanted.is_none_or(|wanted| wanted == has);
        if !matches(self.from.0, stat.uid) || !matches(self.from.1, stat.gid) {
            if self.verbose {
                let wanted = self.owner;
                self.owner = (wanted.0.map(|_| stat.uid), wanted.1.map(|_| stat.gid));
                let text = self.told(&path, &stat, false).await;
                self.owner = wanted;
                self.tool.out.write(text).await?;
            }
            return Ok(true);
        }
        let (uid, gid) = self.owner;
        let set = if self.dereference {
            self.tool.sys.chown(&entry.path, uid, gid).await
        } else {
            self.tool.sys.lchown(&entry.path, uid, gid).await
        };
        if let Err(errno) = set {
            if !self.silent {
                let what = if self.group_only { "group" } else { "ownership" };
                self.tool.error_errno(format!("changing {what} of {path}"), errno).await;
            }
            return Ok(false);
        }
        let changed = uid.is_some_and(|uid| uid != stat.uid) || gid.is_some_and(|gid| gid != stat.gid);
        if self.verbose || self.changes && changed {
            let text = self.told(&path, &stat, changed).await;
            self.tool.out.write(text).await?;
        }
        Ok(true)
    }

    async fn told(&mut self, path: &str, stat: &Stat, changed: bool) -> String {
        let sys = self.tool.sys.clone();
        let (uid, gid) = self.owner;
        let mut shown = Vec::new();
        for (uid, gid) in [(stat.uid, stat.gid), (uid.unwrap_or(stat.uid), gid.unwrap_or(stat.gid))] {
            let user = self.names.user(&sys, uid).await.unwrap_or_else(|| uid.to_string());
            let group = self.names.group(&sys, gid).await.unwrap_or_else(|| gid.to_string());
            shown.push(match self.owner {
                (Some(_), Some(_)) => format!("{user}:{group}"),
                (Some(_), None) => user,
                _ => group,
            });
        }
        let what = if self.owner.0.is_none() && self.owner.1.is_some() { "group" } else { "ownership" };
        let (old, new) = (shown.first().cloned().unwrap_or_default(), shown.pop().unwrap_or_default());
        if changed {
            format!("changed {what} of {path} from {old} to {new}\n")
        } else {
            format!("{what} of {path} retained as {new}\n")
        }
    }
}
