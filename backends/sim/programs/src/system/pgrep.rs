//! pgrep(1), pkill(1), pidof(1), killall(1).

use provium_kernel::Signal;

use super::kill::read as read_signal;
use super::proc_list::{self, Entry};
use crate::shared::posix_regex::{Around, Dialect, Regex, Syntax};
use crate::shared::tool::text_of;
use crate::shared::{Exit, Opt, Outcome, Parsed, Spec, Tool};

const SPEC: Spec = Spec::new(
    "[options] <pattern>",
    &[
        Opt::flag("f", "full"),
        Opt::flag("x", "exact"),
        Opt::flag("l", "list-name"),
        Opt::flag("a", "list-full"),
        Opt::flag("v", "inverse"),
        Opt::flag("n", "newest"),
        Opt::flag("o", "oldest"),
        Opt::flag("c", "count"),
        Opt::flag("i", "ignore-case"),
        Opt::flag("e", "echo"),
        Opt::value("P", "parent"),
        Opt::value("g", "pgroup"),
        Opt::value("s", "session"),
        Opt::value("uU", "euid"),
        Opt::value("d", "delimiter"),
        Opt::value("", "signal"),
    ],
)
.failure(2);

pub(super) async fn pgrep(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let parsed = tool.parse(&SPEC).await?;
    let found = select(&tool, &parsed).await?;
    if parsed.has("count") {
        tool.out.write(format!("{}\n", found.len())).await?;
        return Ok(i32::from(found.is_empty()));
    }
    let delimiter = parsed.value("delimiter").unwrap_or(b"\n").to_vec();
    for (at, entry) in found.iter().enumerate() {
        if at > 0 {
            tool.out.write(&delimiter).await?;
        }
        let text = match (parsed.has("list-full"), parsed.has("list-name")) {
            (true, _) => format!("{} {}", entry.pid, entry.args),
            (_, true) => format!("{} {}", entry.pid, entry.comm),
            _ => entry.pid.to_string(),
        };
        tool.out.write(text).await?;
    }
    if !found.is_empty() {
        tool.out.write("\n").await?;
    }
    Ok(i32::from(found.is_empty()))
}

pub(super) async fn pkill(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let mut args = tool.args.clone();
    let mut signal = Some(Signal::SIGTERM);
    // A signal looks like a cluster of options, so it is taken out first.
    let named = args.iter().position(|arg| {
        arg.strip_prefix(b"-").and_then(|name| std::str::from_utf8(name).ok()).is_some_and(|name| {
            name == "0"
                || (Signal::parse(name).is_some() && (name.len() > 1 || name.bytes().all(|byte| byte.is_ascii_digit())))
        })
    });
    if let Some(at) = named {
        let name = args.remove(at);
        signal = read_signal(&tool, &name[1..]).await?;
    }
    let parsed = tool.parse_args(&SPEC, args).await?;
    if let Some(name) = parsed.value("signal") {
        signal = read_signal(&tool, name).await?;
    }
    let found = select(&tool, &parsed).await?;
    let mut code = i32::from(found.is_empty());
    for entry in found {
        if let Err(errno) = tool.sys.kill(entry.pid, signal).await {
            tool.error(format!("killing pid {} failed: {}", entry.pid, text_of(errno))).await;
            code = 1;
        } else if parsed.has("echo") {
            tool.out.write(format!("{} killed (pid {})\n", entry.comm, entry.pid)).await?;
        }
    }
    Ok(code)
}

async fn select(tool: &Tool, parsed: &Parsed) -> Result<Vec<Entry>, Exit> {
    let narrowing = ["parent", "pgroup", "session", "euid"].iter().any(|key| parsed.has(key));
    let pattern = match parsed.operands.as_slice() {
        [] if narrowing => None,
        [] => return Err(tool.usage_error(2, "no matching criteria specified").await),
        [pattern] => Some(pattern),
        [_, ..] => return Err(tool.usage_error(2, "only one pattern can be provided").await),
    };
    let syntax = Syntax { icase: parsed.has("ignore-case"), ..Syntax::extended(Dialect::Sed) };
    let around = if parsed.has("exact") { Around::Line } else { Around::Free };
    let regex = match pattern {
        None => None,
        Some(pattern) => match Regex::any_of(&[pattern], syntax, around) {
            Ok(regex) => Some(regex),
            Err(error) => return Err(tool.fail(2, format!("{error}")).await),
        },
    };
    let own = tool.sys.pid();
    let group = tool.sys.getpgrp().await.unwrap_or(own);
    let users = crate::shared::names::users(&tool.sys).await;
    let list = |key: &str| -> Option<Vec<String>> {
        let text = String::from_utf8_lossy(parsed.value(key)?).into_owned();
        Some(text.split(',').map(str::to_owned).collect())
    };
    let is_one_of = |list: &Option<Vec<String>>, number: i32, own: i32| {
        list.as_ref()
            .is_none_or(|all| all.iter().any(|text| *text == number.to_string() || (text == "0" && number == own)))
    };
    let (parents, groups, sessions, owners) = (list("parent"), list("pgroup"), list("session"), list("euid"));
    let mut found = Vec::new();
    for entry in proc_list::all(&tool.sys).await {
        if entry.pid == own {
            continue;
        }
        let text = if parsed.has("full") { &entry.args } else { &entry.comm };
        let matches = match &regex {
            None => true,
            Some(regex) => regex.is_match(text.as_bytes()).unwrap_or(false),
        };
        let owned = owners.as_ref().is_none_or(|owners| {
            owners.iter().any(|owner| {
                *owner == entry.uid.to_string() || users.iter().any(|user| user.name == *owner && user.uid == entry.uid)
            })
        });
        let fits = matches
            && owned
            && is_one_of(&parents, entry.ppid, 0)
            && is_one_of(&groups, entry.pgid, group)
            && is_one_of(&sessions, entry.sid, 0);
        if fits != parsed.has("inverse") {
            found.push(entry);
        }
    }
    // Of several that started at one time the later number is the newer.
    if parsed.has("newest") {
        found = found.pop().into_iter().collect();
    } else if parsed.has("oldest") {
        found.truncate(1);
    }
    Ok(found)
}

const PIDOF: Spec = Spec::new(
    "[-s] [-x] [-o PID] NAME...",
    &[
        Opt::flag("s", "single-shot"),
        Opt::flag("x", ""),
        Opt::value("o", "omit-pid"),
        Opt::flag("q", "quiet"),
        Opt::value("S", "separator"),
    ],
);

pub(super) async fn pidof(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let parsed = tool.parse(&PIDOF).await?;
    let own = tool.sys.pid();
    let omitted: Vec<String> = parsed
        .options
        .iter()
        .filter(|(key, _)| *key == "omit-pid")
        .flat_map(|(_, value)| {
            String::from_utf8_lossy(value.as_deref().unwrap_or_default())
                .into_owned()
                .split(',')
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    let mut found: Vec<i32> = proc_list::all(&tool.sys)
        .await
        .into_iter()
        .filter(|entry| entry.pid != own && entry.state != "Z" && !omitted.contains(&entry.pid.to_string()))
        .filter(|entry| parsed.operands.iter().any(|name| is_named(entry, name, parsed.has("x"))))
        .map(|entry| entry.pid)
        .collect();
    // The newest comes first.
    found.reverse();
    if parsed.has("single-shot") {
        found.truncate(1);
    }
    if found.is_empty() {
        return Ok(1);
    }
    if !parsed.has("quiet") {
        let separator = String::from_utf8_lossy(parsed.value("separator").unwrap_or(b" ")).into_owned();
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        tool.out.write(format!("{}\n", shown.join(&separator))).await?;
    }
    Ok(0)
}

/// Whether a process runs the program of this name; `scripts`: also as the script of an interpreter.
fn is_named(entry: &Entry, name: &[u8], scripts: bool) -> bool {
    let name = String::from_utf8_lossy(name).into_owned();
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let is = |arg: Option<&String>| arg.is_some_and(|arg| *arg == name || last(arg) == last(&name));
    is(entry.argv.first()) || entry.comm == last(&name) || (scripts && is(entry.argv.get(1)))
}

const KILLALL: Spec = Spec::new(
    "[OPTION]... NAME...",
    &[Opt::value("s", "signal"), Opt::flag("q", "quiet"), Opt::flag("v", "verbose"), Opt::flag("e", "exact")],
);

pub(super) async fn killall(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let mut args = tool.args.clone();
    let mut signal = Some(Signal::SIGTERM);
    let named = args.first().and_then(|first| first.strip_prefix(b"-")).and_then(|name| std::str::from_utf8(name).ok());
    if named.is_some_and(|name| {
        name == "0" || (name.len() > 1 && Signal::parse(name).is_some()) || name.parse::<i32>().is_ok()
    }) {
        let name = args.remove(0);
        signal = read_signal(&tool, &name[1..]).await?;
    }
    let parsed = tool.parse_args(&KILLALL, args).await?;
    if let Some(name) = parsed.value("signal") {
        signal = read_signal(&tool, name).await?;
    }
    let mut code = 0;
    for name in &parsed.operands {
        let own = tool.sys.pid();
        let all = proc_list::all(&tool.sys).await;
        let mut killed = false;
        for entry in all.iter().filter(|entry| entry.pid != own && is_named(entry, name, false)) {
            match tool.sys.kill(entry.pid, signal).await {
                Ok(()) => killed = true,
                Err(errno) => tool.error(format!("{}({}): {}", entry.comm, entry.pid, text_of(errno))).await,
            }
        }
        if !killed {
            if !parsed.has("quiet") {
                tool.stderr(format!("{}: no process found\n", String::from_utf8_lossy(name))).await;
            }
            code = 1;
        }
    }
    Ok(code)
}
