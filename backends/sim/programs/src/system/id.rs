//! id(1), groups(1) and whoami(1).

use crate::shared::names::{NameCache, User, groups, users};
use crate::shared::{Exit, Opt, Outcome, Spec, Tool, quote};

const ID: Spec = Spec::new(
    "[OPTION]... [USER]...",
    &[
        Opt::flag("a", ""),
        Opt::unsupported("Z", "context"),
        Opt::flag("g", "group"),
        Opt::flag("G", "groups"),
        Opt::flag("n", "name"),
        Opt::flag("r", "real"),
        Opt::flag("u", "user"),
        Opt::flag("z", "zero"),
    ],
);
const GROUPS: Spec = Spec::new("[OPTION]... [USERNAME]...", &[]);
const WHOAMI: Spec = Spec::new("[OPTION]...", &[]);

/// Whose ids are shown.
struct Who {
    uid: u32,
    euid: u32,
    gid: u32,
    egid: u32,
    /// All groups, the effective one first.
    groups: Vec<u32>,
}

pub(super) async fn id(tool: Tool) -> Outcome {
    let parsed = tool.parse(&ID).await?;
    let only = ["user", "group", "groups"].iter().filter(|option| parsed.has(option)).count();
    if only > 1 {
        return Err(tool.fail(1, "cannot print \"only\" of more than one choice").await);
    }
    if only == 0 && (parsed.has("real") || parsed.has("name")) {
        return Err(tool.fail(1, "cannot print only names or real IDs in default format").await);
    }
    if only == 0 && parsed.has("zero") {
        return Err(tool.fail(1, "option --zero not permitted in default format").await);
    }
    let mut code = 0;
    let mut people = Vec::new();
    for name in &parsed.operands {
        match named(&tool, name).await {
            Some(who) => people.push(who),
            None => {
                tool.error(format!("{}: no such user", quote(name))).await;
                code = 1;
            }
        }
    }
    if parsed.operands.is_empty() {
        people.push(own(&tool).await?);
    }
    let end = if parsed.has("zero") { "\0" } else { "\n" };
    let (as_names, real) = (parsed.has("name"), parsed.has("real"));
    let mut names = NameCache::default();
    for who in &people {
        let text = if parsed.has("user") {
            let uid = if real { who.uid } else { who.euid };
            one(as_names.then_some(names.user(&tool.sys, uid).await).flatten(), uid)
        } else if parsed.has("group") {
            let gid = if real { who.gid } else { who.egid };
            one(as_names.then_some(names.group(&tool.sys, gid).await).flatten(), gid)
        } else if parsed.has("groups") {
            let mut all = Vec::new();
            for gid in &who.groups {
                all.push(one(as_names.then_some(names.group(&tool.sys, *gid).await).flatten(), *gid));
            }
            all.join(if parsed.has("zero") { "\0" } else { " " })
        } else {
            everything(&tool, who, &mut names).await
        };
        tool.out.write(text + end).await?;
    }
    Ok(code)
}

fn one(name: Option<String>, number: u32) -> String {
    name.unwrap_or_else(|| number.to_string())
}

async fn everything(tool: &Tool, who: &Who, names: &mut NameCache) -> String {
    let sys = &tool.sys;
    let both = |number: u32, name: Option<String>| match name {
        Some(name) => format!("{number}({name})"),
        None => number.to_string(),
    };
    let mut text = format!("uid={}", both(who.uid, names.user(sys, who.uid).await));
    text.push_str(&format!(" gid={}", both(who.gid, names.group(sys, who.gid).await)));
    if who.euid != who.uid {
        text.push_str(&format!(" euid={}", both(who.euid, names.user(sys, who.euid).await)));
    }
    if who.egid != who.gid {
        text.push_str(&format!(" egid={}", both(who.egid, names.group(sys, who.egid).await)));
    }
    let mut all = Vec::new();
    for gid in &who.groups {
        all.push(both(*gid, names.group(sys, *gid).await));
    }
    text.push_str(&format!(" groups={}", all.join(",")));
    text
}

async fn own(tool: &Tool) -> Result<Who, Exit> {
    match tool.sys.credentials().await {
        Ok(own) => {
            let mut all = vec![own.egid];
            all.extend(own.groups.iter().filter(|gid| **gid != own.egid));
            Ok(Who { uid: own.uid, euid: own.euid, gid: own.gid, egid: own.egid, groups: all })
        }
        Err(errno) => Err(tool.fail_errno(1, "failed to get groups for the current process", errno).await),
    }
}

async fn named(tool: &Tool, name: &[u8]) -> Option<Who> {
    let name = String::from_utf8_lossy(name).into_owned();
    let all = users(&tool.sys).await;
    let by_number = |user: &&User| name.parse() == Ok(user.uid);
    let user = all.iter().find(|user| user.name == name).or_else(|| all.iter().find(by_number))?;
    let mut gids = vec![user.gid];
    for group in groups(&tool.sys).await {
        if group.members.contains(&user.name) && group.gid != user.gid {
            gids.push(group.gid);
        }
    }
    Some(Who { uid: user.uid, euid: user.uid, gid: user.gid, egid: user.gid, groups: gids })
}

pub(super) async fn groups_of(tool: Tool) -> Outcome {
    let parsed = tool.parse(&GROUPS).await?;
    let mut people = Vec::new();
    let mut code = 0;
    for name in &parsed.operands {
        match named(&tool, name).await {
            Some(who) => people.push((format!("{} : ", String::from_utf8_lossy(name)), who)),
            None => {
                tool.error(format!("{}: no such user", quote(name))).await;
                code = 1;
            }
        }
    }
    if parsed.operands.is_empty() {
        people.push((String::new(), own(&tool).await?));
    }
    let mut names = NameCache::default();
    for (before, who) in &people {
        let mut all = Vec::new();
        for gid in &who.groups {
            all.push(one(names.group(&tool.sys, *gid).await, *gid));
        }
        tool.out.write(format!("{before}{}\n", all.join(" "))).await?;
    }
    Ok(code)
}

pub(super) async fn whoami(tool: Tool) -> Outcome {
    let parsed = tool.parse(&WHOAMI).await?;
    if let Some(extra) = parsed.operands.first() {
        return Err(tool.extra_operand(1, extra).await);
    }
    let uid = tool.sys.credentials().await.map_or(0, |own| own.euid);
    match NameCache::default().user(&tool.sys, uid).await {
        Some(name) => {
            tool.out.write(name + "\n").await?;
            Ok(0)
        }
        None => Err(tool.fail(1, format!("cannot find name for user ID {uid}")).await),
    }
}
