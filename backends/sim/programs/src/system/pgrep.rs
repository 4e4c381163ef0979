//! pgrep(1), pkill(1), pidof(1) and killall(1).

use provium_kernel::{Errno, Pid, Signal};

use crate::shared::names::{gid_of, uid_of};
use crate::shared::posix_regex::{Dialect, Regex, Syntax};
use crate::shared::processes::{Process, processes};
use crate::shared::{Exit, Opt, Outcome, Parsed, Spec, Tool};

/// Nothing matched.
const NONE: i32 = 1;
/// A wrong command line.
const USAGE: i32 = 2;

/// Bytes of a process's name: longer patterns match none.
const NAME_BYTES: usize = 15;

const OPTIONS: &[Opt] = &[
    Opt::value("d", "delimiter"),
    Opt::flag("l", "list-name"),
    Opt::flag("a", "list-full"),
    Opt::flag("v", "inverse"),
    Opt::unsupported("w", "lightweight"),
    Opt::flag("c", "count"),
    Opt::flag("f", "full"),
    Opt::value("g", "pgroup"),
    Opt::value("G", "group"),
    Opt::flag("i", "ignore-case"),
    Opt::flag("n", "newest"),
    Opt::flag("o", "oldest"),
    Opt::value("O", "older"),
    Opt::value("P", "parent"),
    Opt::value("s", "session"),
    Opt::value("", "signal"),
    Opt::unsupported("t", "terminal"),
    Opt::value("u", "euid"),
    Opt::value("U", "uid"),
    Opt::flag("x", "exact"),
    Opt::unsupported("F", "pidfile"),
    Opt::unsupported("L", "logpidfile"),
    Opt::value("r", "runstates"),
    Opt::flag("A", "ignore-ancestors"),
    Opt::unsupported("", "ns"),
    Opt::unsupported("", "nslist"),
    Opt::flag("e", "echo"),
];
const PGREP: Spec = Spec::new("[options] <pattern>", OPTIONS).failure(USAGE);

/// What processes are chosen by.
struct Criteria {
    pattern: Option<Regex>,
    full: bool,
    inverse: bool,
    newest: bool,
    oldest: bool,
    older_seconds: Option<u64>,
    parents: Option<Vec<i64>>,
    groups: Option<Vec<i64>>,
    sessions: Option<Vec<i64>>,
    effective_users: Option<Vec<i64>>,
    real_users: Option<Vec<i64>>,
    real_groups: Option<Vec<i64>>,
    states: Option<Vec<u8>>,
}

pub(super) async fn pgrep(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let parsed = tool.parse(&PGREP).await?;
    let found = find(&tool, &parsed).await?;
    if parsed.has("count") {
        tool.out.write(format!("{}\n", found.len())).await?;
        return Ok(i32::from(found.is_empty()));
    }
    let delimiter = parsed.value("delimiter").unwrap_or(b"\n").to_vec();
    for (at, process) in found.iter().enumerate() {
        if at > 0 {
            tool.out.write(&delimiter).await?;
        }
        let text = if parsed.has("list-full") {
            let line = process.command_line();
            format!("{} {line}", process.pid)
        } else if parsed.has("list-name") {
            format!("{} {}", process.pid, String::from_utf8_lossy(&process.comm))
        } else {
            process.pid.to_string()
        };
        tool.out.write(text).await?;
    }
    if !found.is_empty() {
        tool.out.write("\n").await?;
    }
    Ok(if found.is_empty() { NONE } else { 0 })
}

pub(super) async fn pkill(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let (args, mut signal) = split_signal(&tool.args);
    let parsed = tool.parse_args(&PGREP, args).await?;
    if let Some(text) = parsed.value("signal") {
        signal = match (text, Signal::parse(&String::from_utf8_lossy(text))) {
            (b"0", _) => Some(None),
            (_, Some(found)) => Some(Some(found)),
            (_, None) => {
                let text = format!("Unknown signal \"{}\".", String::from_utf8_lossy(text));
                return Err(tool.fail(USAGE, text).await);
            }
        };
    }
    let signal = signal.unwrap_or(Some(Signal::SIGTERM));
    let found = find(&tool, &parsed).await?;
    let mut reached = 0;
    for process in &found {
        match tool.sys.kill(process.pid, signal).await {
            Ok(()) => {
                reached += 1;
                if parsed.has("echo") {
                    let name = String::from_utf8_lossy(&process.comm).into_owned();
                    tool.out.write(format!("{name} killed (pid {})\n", process.pid)).await?;
                }
            }
            // It ended by itself.
            Err(Errno::ESRCH) => {}
            Err(errno) => tool.error_errno(format!("killing pid {} failed", process.pid), errno).await,
        }
    }
    if parsed.has("count") {
        tool.out.write(format!("{}\n", found.len())).await?;
    }
    Ok(if reached > 0 { 0 } else { NONE })
}

/// Takes `-SIGNAL` out of the arguments; `Some(None)` is signal 0.
fn split_signal(args: &[Vec<u8>]) -> (Vec<Vec<u8>>, Option<Option<Signal>>) {
    let mut rest = Vec::new();
    let mut signal = None;
    for arg in args {
        let text = arg.strip_prefix(b"-").and_then(|text| std::str::from_utf8(text).ok());
        match text {
            Some("0") if signal.is_none() => signal = Some(None),
            Some(text) if signal.is_none() && Signal::parse(text).is_some() => signal = Some(Signal::parse(text)),
            _ => rest.push(arg.clone()),
        }
    }
    (rest, signal)
}

async fn find(tool: &Tool, parsed: &Parsed) -> Result<Vec<Process>, Exit> {
    let criteria = criteria(tool, parsed).await?;
    let own = tool.sys.pid();
    let uptime_ns = tool.sys.clock_monotonic().await;
    let mut found = Vec::new();
    for process in processes(&tool.sys).await {
        if process.pid == own {
            continue;
        }
        let older = criteria.older_seconds.is_none_or(|seconds| {
            let started_ns = process.start_ticks.saturating_mul(10_000_000);
            uptime_ns.saturating_sub(started_ns) / 1_000_000_000 >= seconds
        });
        if (older && criteria.fit(&process)) != criteria.inverse {
            found.push(process);
        }
    }
    // Of several that started together the one with the higher number is the newer.
    if criteria.newest {
        found = found.into_iter().max_by_key(|process| (process.start_ticks, process.pid)).into_iter().collect();
    } else if criteria.oldest {
        found = found.into_iter().min_by_key(|process| (process.start_ticks, process.pid)).into_iter().collect();
    }
    Ok(found)
}

async fn criteria(tool: &Tool, parsed: &Parsed) -> Result<Criteria, Exit> {
    if parsed.operands.len() > 1 {
        return Err(hint(tool, "only one pattern can be provided").await);
    }
    let numbers = |option: &str, own: Option<i64>| {
        parsed.value(option).map(|list| {
            let number = |text: &str| match (text.parse::<i64>(), own) {
                (Ok(0), Some(own)) => Some(own),
                (number, _) => number.ok(),
            };
            String::from_utf8_lossy(list).split(',').filter_map(number).collect::<Vec<i64>>()
        })
    };
    let mut people = [None, None, None];
    for (ids, option) in people.iter_mut().zip(["euid", "uid", "group"]) {
        if let Some(list) = parsed.value(option) {
            let mut all = Vec::new();
            for name in String::from_utf8_lossy(list).split(',') {
                let id = if option == "group" { gid_of(&tool.sys, name).await } else { uid_of(&tool.sys, name).await };
                match id {
                    Some(id) => all.push(i64::from(id)),
                    None => {
                        let what = if option == "group" { "group" } else { "user" };
                        return Err(tool.fail(USAGE, format!("invalid {what} name: {name}")).await);
                    }
                }
            }
            *ids = Some(all);
        }
    }
    let [effective_users, real_users, real_groups] = people;
    let own_group = tool.sys.getpgrp().await.ok().map(i64::from);
    let own_session = tool.sys.getsid(0).await.ok().map(i64::from);
    let text = parsed.operands.first();
    let mut pattern = None;
    if let Some(text) = text {
        if !parsed.has("full") && text.len() > NAME_BYTES && !text.iter().any(|byte| b".*+?()[]{}|\\^$".contains(byte))
        {
            let name = String::from_utf8_lossy(tool.name()).into_owned();
            tool.error("pattern that searches for process name longer than 15 characters will result in zero matches")
                .await;
            tool.stderr(format!("Try `{name} -f' option to match against the complete command line.\n")).await;
            return Err(Exit(NONE));
        }
        let whole = if parsed.has("exact") { [b"^(", text.as_slice(), b")$"].concat() } else { text.clone() };
        let syntax = Syntax { icase: parsed.has("ignore-case"), ..Syntax::extended(Dialect::Sed) };
        match Regex::new(&whole, syntax) {
            Ok(regex) => pattern = Some(regex),
            Err(error) => return Err(tool.fail(USAGE, error.to_string()).await),
        }
    }
    let criteria = Criteria {
        pattern,
        full: parsed.has("full"),
        inverse: parsed.has("inverse"),
        newest: parsed.has("newest"),
        oldest: parsed.has("oldest"),
        older_seconds: parsed.value("older").and_then(|text| std::str::from_utf8(text).ok()?.parse().ok()),
        parents: numbers("parent", None),
        groups: numbers("pgroup", own_group),
        sessions: numbers("session", own_session),
        effective_users,
        real_users,
        real_groups,
        states: parsed.value("runstates").map(|letters| letters.iter().copied().filter(|&byte| byte != b',').collect()),
    };
    let chosen = criteria.pattern.is_some()
        || criteria.older_seconds.is_some()
        || criteria.parents.is_some()
        || criteria.groups.is_some()
        || criteria.sessions.is_some()
        || criteria.effective_users.is_some()
        || criteria.real_users.is_some()
        || criteria.real_groups.is_some()
        || criteria.states.is_some()
        || criteria.newest
        || criteria.oldest;
    if !chosen {
        return Err(hint(tool, "no matching criteria specified").await);
    }
    Ok(criteria)
}

async fn hint(tool: &Tool, message: &str) -> Exit {
    tool.error(message).await;
    let name = String::from_utf8_lossy(tool.name()).into_owned();
    tool.stderr(format!("Try `{name} --help' for more information.\n")).await;
    Exit(USAGE)
}

impl Criteria {
    fn fit(&self, process: &Process) -> bool {
        let among = |wanted: &Option<Vec<i64>>, has: i64| wanted.as_ref().is_none_or(|wanted| wanted.contains(&has));
        among(&self.parents, process.ppid.into())
            && among(&self.groups, process.pgid.into())
            && among(&self.sessions, process.sid.into())
            && among(&self.effective_users, process.euid.into())
            && among(&self.real_users, process.ruid.into())
            && among(&self.real_groups, process.rgid.into())
            && self.states.as_ref().is_none_or(|states| states.contains(&process.state))
            && self.pattern.as_ref().is_none_or(|pattern| {
                let line = process.command_line();
                let text = if self.full && !process.argv.is_empty() { line.as_bytes() } else { &process.comm };
                pattern.is_match(text).unwrap_or(false)
            })
    }
}

const PIDOF: Spec = Spec::new(
    "[options] [program...]",
    &[
        Opt::flag("s", "single-shot"),
        Opt::flag("c", "check-root"),
        Opt::flag("q", ""),
        Opt::flag("w", "with-workers"),
        Opt::flag("x", ""),
        Opt::value("o", "omit-pid"),
        Opt::value("S", "separator"),
    ],
);

pub(super) async fn pidof(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let parsed = tool.parse(&PIDOF).await?;
    let mut omitted: Vec<Pid> = vec![tool.sys.pid()];
    for (_, list) in parsed.options.iter().filter(|(option, _)| *option == "omit-pid") {
        for text in String::from_utf8_lossy(list.as_deref().unwrap_or_default()).split([',', ';', ':', ' ']) {
            match text {
                "%PPID" => omitted.extend(tool.sys.getppid().await.ok()),
                text => omitted.extend(text.parse::<Pid>().ok()),
            }
        }
    }
    let separator = parsed.value("separator").unwrap_or(b" ").to_vec();
    let all = processes(&tool.sys).await;
    let mut pids: Vec<String> = Vec::new();
    for name in &parsed.operands {
        let mut found: Vec<Pid> = all
            .iter()
            .filter(|process| !omitted.contains(&process.pid) && !process.argv.is_empty())
            .filter(|process| {
                process.is_called(name)
                    || parsed.has("x")
                        && process.argv.get(1).is_some_and(|script| crate::shared::path::base_name(script) == name)
            })
            .map(|process| process.pid)
            .collect();
        // The newest comes first.
        found.reverse();
        if parsed.has("single-shot") {
            found.truncate(1);
        }
        pids.extend(found.iter().map(Pid::to_string));
    }
    if pids.is_empty() {
        return Ok(NONE);
    }
    if !parsed.has("q") {
        tool.out.write(pids.join(&String::from_utf8_lossy(&separator)) + "\n").await?;
    }
    Ok(0)
}

const KILLALL: Spec = Spec::new(
    "[OPTION]... [--] NAME...",
    &[
        Opt::flag("e", "exact"),
        Opt::unsupported("g", "process-group"),
        Opt::unsupported("i", "interactive"),
        Opt::flag("I", "ignore-case"),
        Opt::flag("q", "quiet"),
        Opt::unsupported("r", "regexp"),
        Opt::value("s", "signal"),
        Opt::value("u", "user"),
        Opt::flag("v", "verbose"),
        Opt::unsupported("w", "wait"),
        Opt::unsupported("o", "older-than"),
        Opt::unsupported("y", "younger-than"),
    ],
);

pub(super) async fn killall(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let (args, mut signal) = split_signal(&tool.args);
    let parsed = tool.parse_args(&KILLALL, args).await?;
    if let Some(text) = parsed.value("signal") {
        signal = match Signal::parse(&String::from_utf8_lossy(text)) {
            Some(found) => Some(Some(found)),
            None if text == b"0" => Some(None),
            None => {
                let text = format!("{}: unknown signal; killall -l lists signals.\n", String::from_utf8_lossy(text));
                tool.stderr(text).await;
                return Ok(1);
            }
        };
    }
    let signal = signal.unwrap_or(Some(Signal::SIGTERM));
    if parsed.operands.is_empty() {
        tool.stderr("Usage: killall [OPTION]... [--] NAME...\n").await;
        return Ok(1);
    }
    let mut user = None;
    if let Some(name) = parsed.value("user") {
        user = uid_of(&tool.sys, &String::from_utf8_lossy(name)).await;
        if user.is_none() {
            tool.stderr(format!("Cannot find user {}\n", String::from_utf8_lossy(name))).await;
            return Ok(1);
        }
    }
    let (own, all) = (tool.sys.pid(), processes(&tool.sys).await);
    let mut code = 0;
    for name in &parsed.operands {
        let fold = |text: &[u8]| if parsed.has("ignore-case") { text.to_ascii_lowercase() } else { text.to_vec() };
        let (wanted, mut reached) = (fold(name), false);
        for process in all.iter().filter(|process| process.pid != own && process.state != b'Z') {
            let called = Process { comm: fold(&process.comm), ..process.clone() }.is_called(&wanted);
            if !called || user.is_some_and(|user| user != process.ruid) {
                continue;
            }
            let shown = String::from_utf8_lossy(&process.comm).into_owned();
            match tool.sys.kill(process.pid, signal).await {
                Ok(()) => {
                    reached = true;
                    if parsed.has("verbose") {
                        let number = signal.map_or(0, |signal| signal.0);
                        tool.stderr(format!("Killed {shown}({}) with signal {number}\n", process.pid)).await;
                    }
                }
                Err(errno) => {
                    tool.stderr(format!("{shown}({}): {}\n", process.pid, errno.text())).await;
                }
            }
        }
        if !reached {
            code = 1;
            if !parsed.has("quiet") {
                tool.stderr([name.as_slice(), b": no process found\n"].concat()).await;
            }
        }
    }
    Ok(code)
}
