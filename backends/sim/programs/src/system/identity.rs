//! id(1), whoami(1), groups(1), hostname(1), uname(1).

use provium_kernel::Credentials;

use crate::shared::names::{NameCache, groups as all_groups, users as all_users};
use crate::shared::{Exit, Opt, Outcome, Spec, Tool, quote};

const ID: Spec = Spec::new(
    "[OPTION]... [USER]...",
    &[
        Opt::flag("a", ""),
        Opt::flag("u", "user"),
        Opt::flag("g", "group"),
        Opt::flag("G", "groups"),
        Opt::flag("n", "name"),
        Opt::flag("r", "real"),
        Opt::unsupported("Z", "context"),
        Opt::flag("z", "zero"),
    ],
);

async fn credentials(tool: &Tool) -> Result<Credentials, Exit> {
    match tool.sys.credentials().await {
        Ok(creds) => Ok(creds),
        Err(errno) => Err(tool.fail_errno(1, "cannot get real UID", errno).await),
    }
}

/// Who a user of `/etc/passwd` would be.
async fn credentials_of(tool: &Tool, name: &[u8]) -> Result<Credentials, Exit> {
    let users = all_users(&tool.sys).await;
    let text = String::from_utf8_lossy(name);
    let Some(user) = users.iter().find(|user| user.name == text || user.uid.to_string() == text) else {
        return Err(tool.fail(1, format!("{}: no such user", quote(name))).await);
    };
    let mut groups = vec![user.gid];
    for group in all_groups(&tool.sys).await {
        if group.gid != user.gid && group.members.contains(&user.name) {
            groups.push(group.gid);
        }
    }
    let (uid, gid) = (user.uid, user.gid);
    Ok(Credentials { uid, euid: uid, suid: uid, gid, egid: gid, sgid: gid, groups })
}

pub(super) async fn id(tool: Tool) -> Outcome {
    let parsed = tool.parse(&ID).await?;
    let what = ["user", "group", "groups"].into_iter().filter(|key| parsed.has(key)).collect::<Vec<_>>();
    if what.len() > 1 {
        return Err(tool.fail(1, "cannot print \"only\" of more than one choice").await);
    }
    let (by_name, real) = (parsed.has("name"), parsed.has("real"));
    if what.is_empty() && (by_name || real) {
        return Err(tool.fail(1, "cannot print only names or real IDs in default format").await);
    }
    let all = if parsed.operands.is_empty() {
        vec![credentials(&tool).await?]
    } else {
        let mut all = Vec::new();
        for name in &parsed.operands {
            all.push(credentials_of(&tool, name).await?);
        }
        all
    };
    let end = if parsed.has("zero") { "\0" } else { "\n" };
    let mut names = NameCache::default();
    for creds in all {
        let groups = group_list(&creds);
        let text = match what.first() {
            Some(&"user") => {
                let uid = if real { creds.uid } else { creds.euid };
                if by_name { user_name(&tool, &mut names, uid).await } else { uid.to_string() }
            }
            Some(&"group") => {
                let gid = if real { creds.gid } else { creds.egid };
                if by_name { group_name(&tool, &mut names, gid).await } else { gid.to_string() }
            }
            Some(_) => {
                let mut shown = Vec::new();
                for gid in groups {
                    shown.push(if by_name { group_name(&tool, &mut names, gid).await } else { gid.to_string() });
                }
                shown.join(" ")
            }
            None => full(&tool, &mut names, &creds, &groups).await,
        };
        tool.out.write(format!("{text}{end}")).await?;
    }
    Ok(0)
}

fn group_list(creds: &Credentials) -> Vec<u32> {
    let mut groups = vec![creds.gid];
    for gid in std::iter::once(creds.egid).chain(creds.groups.iter().copied()) {
        if !groups.contains(&gid) {
            groups.push(gid);
        }
    }
    groups
}

async fn user_name(tool: &Tool, names: &mut NameCache, uid: u32) -> String {
    names.user(&tool.sys, uid).await.unwrap_or_else(|| uid.to_string())
}

async fn group_name(tool: &Tool, names: &mut NameCache, gid: u32) -> String {
    names.group(&tool.sys, gid).await.unwrap_or_else(|| gid.to_string())
}

async fn full(tool: &Tool, names: &mut NameCache, creds: &Credentials, groups: &[u32]) -> String {
    let with = |id: u32, name: Option<String>| match name {
        Some(name) => format!("{id}({name})"),
        None => id.to_string(),
    };
    let mut text = format!("uid={}", with(creds.uid, names.user(&tool.sys, creds.uid).await));
    text.push_str(&format!(" gid={}", with(creds.gid, names.group(&tool.sys, creds.gid).await)));
    if creds.euid != creds.uid {
        text.push_str(&format!(" euid={}", with(creds.euid, names.user(&tool.sys, creds.euid).await)));
    }
    if creds.egid != creds.gid {
        text.push_str(&format!(" egid={}", with(creds.egid, names.group(&tool.sys, creds.egid).await)));
    }
    let mut shown = Vec::new();
    for gid in groups {
        shown.push(with(*gid, names.group(&tool.sys, *gid).await));
    }
    text.push_str(&format!(" groups={}", shown.join(",")));
    text
}

const PLAIN: Spec = Spec::new("[OPTION]...", &[] as &[Opt]);

pub(super) async fn whoami(tool: Tool) -> Outcome {
    let parsed = tool.parse(&PLAIN).await?;
    if let Some(extra) = parsed.operands.first() {
        return Err(tool.extra_operand(1, extra).await);
    }
    let uid = credentials(&tool).await?.euid;
    match NameCache::default().user(&tool.sys, uid).await {
        Some(name) => tool.out.write(format!("{name}\n")).await?,
        None => return Err(tool.fail(1, format!("cannot find name for user ID {uid}")).await),
    }
    Ok(0)
}

pub(super) async fn groups(tool: Tool) -> Outcome {
    let parsed = tool.parse(&PLAIN).await?;
    let mut names = NameCache::default();
    let users = if parsed.operands.is_empty() { vec![None] } else { parsed.operands.into_iter().map(Some).collect() };
    for user in users {
        let (before, creds) = match &user {
            None => (String::new(), credentials(&tool).await?),
            Some(name) => (format!("{} : ", String::from_utf8_lossy(name)), credentials_of(&tool, name).await?),
        };
        let mut shown = Vec::new();
        for gid in group_list(&creds) {
            shown.push(group_name(&tool, &mut names, gid).await);
        }
        tool.out.write(format!("{before}{}\n", shown.join(" "))).await?;
    }
    Ok(0)
}

const HOSTNAME: Spec = Spec::new("[-s|-f] [NAME]", &[Opt::flag("s", "short"), Opt::flag("f", "fqdn")]);

pub(super) async fn hostname(tool: Tool) -> Outcome {
    let parsed = tool.parse(&HOSTNAME).await?;
    if let Some(name) = parsed.operands.first() {
        return match tool.sys.sethostname(name).await {
            Ok(()) => Ok(0),
            Err(provium_kernel::Errno::EPERM) => Err(tool.fail(1, "you must be root to change the host name").await),
            Err(errno) => Err(tool.fail_errno(1, "sethostname", errno).await),
        };
    }
    let name = tool.sys.uname().await.nodename;
    let shown = if parsed.has("short") { name.split('.').next().unwrap_or_default() } else { &name };
    tool.out.write(format!("{shown}\n")).await?;
    Ok(0)
}

const UNAME: Spec = Spec::new(
    "[OPTION]...",
    &[
        Opt::flag("a", "all"),
        Opt::flag("s", "kernel-name"),
        Opt::flag("n", "nodename"),
        Opt::flag("r", "kernel-release"),
        Opt::flag("v", "kernel-version"),
        Opt::flag("m", "machine"),
        Opt::flag("p", "processor"),
        Opt::flag("i", "hardware-platform"),
        Opt::flag("o", "operating-system"),
    ],
);

pub(super) async fn uname(tool: Tool) -> Outcome {
    let parsed = tool.parse(&UNAME).await?;
    if let Some(extra) = parsed.operands.first() {
        return Err(tool.extra_operand(1, extra).await);
    }
    let name = tool.sys.uname().await;
    let all = parsed.has("all");
    let parts = [
        ("kernel-name", name.sysname.as_str(), true),
        ("nodename", &name.nodename, true),
        ("kernel-release", &name.release, true),
        ("kernel-version", &name.version, true),
        ("machine", &name.machine, true),
        // With -a what is unknown is left out, and so is its field.
        ("processor", "unknown", false),
        ("hardware-platform", "unknown", false),
        ("operating-system", "GNU/Linux", true),
    ];
    let shown: Vec<&str> = parts
        .iter()
        .filter(|(key, _, known)| {
            parsed.has(key) || (all && *known) || (parsed.options.is_empty() && *key == "kernel-name")
        })
        .map(|(_, text, _)| *text)
        .collect();
    tool.out.write(format!("{}\n", shown.join(" "))).await?;
    Ok(0)
}
