//! ps(1) of procps. There are no terminals, so `ps` without a selection shows the caller's session.

use super::proc_list::{self, Entry};
use crate::shared::names::NameCache;
use crate::shared::{Exit, Outcome, Tool};

/// A column: its name for `-o`, its heading, whether it is aligned to the right, its width.
struct Column {
    names: &'static [&'static str],
    heading: &'static str,
    right: bool,
    width: usize,
}

const COLUMNS: &[Column] = &[
    Column { names: &["pid"], heading: "PID", right: true, width: 7 },
    Column { names: &["ppid"], heading: "PPID", right: true, width: 7 },
    Column { names: &["pgid", "pgrp"], heading: "PGID", right: true, width: 7 },
    Column { names: &["sid", "sess", "session"], heading: "SID", right: true, width: 7 },
    Column { names: &["tty", "tt", "tname"], heading: "TTY", right: false, width: 8 },
    Column { names: &["stat", "s", "state"], heading: "STAT", right: false, width: 4 },
    Column { names: &["user", "euser", "uname"], heading: "USER", right: false, width: 8 },
    Column { names: &["group", "egroup"], heading: "GROUP", right: false, width: 8 },
    Column { names: &["uid", "euid"], heading: "UID", right: true, width: 5 },
    Column { names: &["gid", "egid"], heading: "GID", right: true, width: 5 },
    Column { names: &["time", "cputime"], heading: "TIME", right: true, width: 8 },
    Column { names: &["etime"], heading: "ELAPSED", right: true, width: 11 },
    Column { names: &["etimes"], heading: "ELAPSED", right: true, width: 7 },
    Column { names: &["vsz", "vsize"], heading: "VSZ", right: true, width: 6 },
    Column { names: &["rss", "rssize"], heading: "RSS", right: true, width: 5 },
    Column { names: &["pcpu", "%cpu"], heading: "%CPU", right: true, width: 4 },
    Column { names: &["pmem", "%mem"], heading: "%MEM", right: true, width: 4 },
    Column { names: &["nlwp", "thcount"], heading: "NLWP", right: true, width: 4 },
    Column { names: &["ni", "nice"], heading: "NI", right: true, width: 3 },
    Column { names: &["comm", "ucmd", "ucomm"], heading: "COMMAND", right: false, width: 15 },
    Column { names: &["args", "cmd", "command"], heading: "COMMAND", right: false, width: 27 },
];

/// One chosen column: which, and its heading.
type Chosen = (&'static Column, &'static str, String);

#[derive(Default)]
struct Request {
    everything: bool,
    /// Those of the BSD letter `a` and `x`.
    pids: Option<Vec<i32>>,
    parents: Option<Vec<i32>>,
    names: Option<Vec<String>>,
    users: Option<Vec<String>>,
    columns: Vec<Chosen>,
    headings: bool,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let request = read(&tool).await?;
    let own = tool.sys.pid();
    let all = proc_list::all(&tool.sys).await;
    let session = all.iter().find(|entry| entry.pid == own).map_or(0, |entry| entry.sid);
    let mut names = NameCache::default();
    let uptime = uptime_ticks(&tool).await;
    let mut rows = Vec::new();
    for entry in all.iter() {
        let user = names.user(&tool.sys, entry.uid).await.unwrap_or_else(|| entry.uid.to_string());
        if !wanted(&request, entry, &user, session) {
            continue;
        }
        let group = names.group(&tool.sys, entry.gid).await.unwrap_or_else(|| entry.gid.to_string());
        let cells = request.columns.iter().map(|(_, name, _)| cell(name, entry, &user, &group, uptime));
        rows.push(cells.collect::<Vec<String>>());
    }
    let selective =
        request.pids.is_some() || request.names.is_some() || request.parents.is_some() || request.users.is_some();
    let none = rows.is_empty() && selective;
    if request.headings {
        rows.insert(0, request.columns.iter().map(|(_, _, heading)| heading.clone()).collect());
    }
    for row in rows {
        let mut line = String::new();
        for (at, (text, (column, _, heading))) in row.iter().zip(&request.columns).enumerate() {
            if at > 0 {
                line.push(' ');
            }
            let width = column.width.max(heading.chars().count());
            match (column.right, at + 1 == request.columns.len()) {
                (true, _) => line.push_str(&format!("{text:>width$}")),
                (false, true) => line.push_str(text),
                (false, false) => line.push_str(&format!("{text:<width$}")),
            }
        }
        tool.out.write(format!("{line}\n")).await?;
    }
    Ok(i32::from(none))
}

fn wanted(request: &Request, entry: &Entry, user: &str, session: i32) -> bool {
    let selections = [
        request.pids.as_ref().map(|pids| pids.contains(&entry.pid)),
        request.parents.as_ref().map(|pids| pids.contains(&entry.ppid)),
        request.names.as_ref().map(|names| names.contains(&entry.comm)),
        request
            .users
            .as_ref()
            .map(|users| users.iter().any(|wanted| wanted == user || *wanted == entry.uid.to_string())),
    ];
    if selections.iter().any(Option::is_some) {
        return selections.into_iter().flatten().any(|selected| selected);
    }
    request.everything || entry.sid == session
}

async fn uptime_ticks(tool: &Tool) -> u64 {
    let text = tool.sys.read_file("/proc/uptime").await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let seconds: f64 = text.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or(0.0);
    (seconds * 100.0) as u64
}

fn cell(name: &str, entry: &Entry, user: &str, group: &str, uptime: u64) -> String {
    let elapsed = uptime.saturating_sub(entry.started) / 100;
    match name {
        "pid" => entry.pid.to_string(),
        "ppid" => entry.ppid.to_string(),
        "pgid" => entry.pgid.to_string(),
        "sid" => entry.sid.to_string(),
        "tty" => "?".to_owned(),
        "stat" => entry.state.clone() + if entry.sid == entry.pid { "s" } else { "" },
        "s" | "state" => entry.state.clone(),
        "user" => user.to_owned(),
        "group" => group.to_owned(),
        "uid" => entry.uid.to_string(),
        "gid" => entry.gid.to_string(),
        "time" => {
            let seconds = entry.ticks / 100;
            format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
        }
        "etime" if elapsed >= 3600 => format!("{:02}:{:02}:{:02}", elapsed / 3600, elapsed / 60 % 60, elapsed % 60),
        "etime" => format!("{:02}:{:02}", elapsed / 60, elapsed % 60),
        "etimes" => elapsed.to_string(),
        "vsz" => (entry.vsize / 1024).to_string(),
        "rss" => (entry.rss_pages * 4).to_string(),
        "pcpu" | "pmem" => "0.0".to_owned(),
        "nlwp" => entry.threads.to_string(),
        "ni" => "0".to_owned(),
        "comm" if entry.state == "Z" => format!("{} <defunct>", entry.comm),
        "comm" => entry.comm.clone(),
        _ => entry.args.clone(),
    }
}

async fn read(tool: &Tool) -> Result<Request, Exit> {
    let mut request = Request { headings: true, ..Request::default() };
    let mut preset = vec!["pid", "tty", "time", "comm"];
    let mut args = tool.args.iter();
    while let Some(arg) = args.next() {
        let arg = String::from_utf8_lossy(arg).into_owned();
        if let Some(long) = arg.strip_prefix("--") {
            match long.split_once('=').unwrap_or((long, "")) {
                ("no-headers" | "no-heading", _) => request.headings = false,
                ("pid", list) => request.pids = Some(numbers(tool, list).await?),
                ("ppid", list) => request.parents = Some(numbers(tool, list).await?),
                ("format", list) => columns(tool, &mut request, list).await?,
                _ => return Err(unknown(tool, &arg).await),
            }
            continue;
        }
        let (unix, letters) = match arg.strip_prefix('-') {
            Some(letters) => (true, letters.to_owned()),
            None => (false, arg.clone()),
        };
        if !unix && letters.bytes().all(|byte| byte.is_ascii_digit() || byte == b',') {
            request.pids = Some(numbers(tool, &letters).await?);
            continue;
        }
        for (at, letter) in letters.char_indices() {
            let takes = matches!(letter, 'o' | 'p' | 'C' | 'U') || (unix && matches!(letter, 'u' | 'O'));
            if takes {
                let rest = &letters[at + letter.len_utf8()..];
                let value = match rest.is_empty() {
                    false => rest.to_owned(),
                    true => match args.next() {
                        Some(next) => String::from_utf8_lossy(next).into_owned(),
                        None => return Err(tool.fail(1, "error: list of process IDs must follow -p").await),
                    },
                };
                match letter {
                    'o' => columns(tool, &mut request, &value).await?,
                    'p' => request.pids = Some(numbers(tool, &value).await?),
                    'C' => request.names = Some(value.split(',').map(str::to_owned).collect()),
                    'u' | 'U' => request.users = Some(value.split(',').map(str::to_owned).collect()),
                    _ => return Err(unknown(tool, "-O").await),
                }
                break;
            }
            match (unix, letter) {
                (true, 'e' | 'A' | 'a' | 'd') | (false, 'a' | 'x' | 'g') => request.everything = true,
                (true, 'f') => preset = vec!["user", "pid", "ppid", "tty", "time", "args"],
                (false, 'u') => {
                    preset = vec!["user", "pid", "pcpu", "pmem", "vsz", "rss", "tty", "stat", "time", "args"]
                }
                (true, 'l') | (false, 'l') => preset = vec!["s", "uid", "pid", "ppid", "ni", "tty", "time", "comm"],
                (true, 'j') => preset = vec!["pid", "pgid", "sid", "tty", "time", "comm"],
                (_, 'w') => {}
                (false, 'h') => request.headings = false,
                _ => return Err(unknown(tool, &format!("{}{letter}", if unix { "-" } else { "" })).await),
            }
            if !unix && letter == 'x' && preset == ["pid", "tty", "time", "comm"] {
                preset = vec!["pid", "tty", "stat", "time", "args"];
            }
        }
    }
    if request.columns.is_empty() {
        columns(tool, &mut request, &preset.join(",")).await?;
    }
    // All headings empty: no heading line, as procps does.
    if request.columns.iter().all(|(_, _, heading)| heading.is_empty()) {
        request.headings = false;
    }
    Ok(request)
}

async fn unknown(tool: &Tool, option: &str) -> Exit {
    tool.fail(1, format!("option '{option}' is not supported by the simulated guest")).await
}

async fn numbers(tool: &Tool, list: &str) -> Result<Vec<i32>, Exit> {
    let mut all = Vec::new();
    for part in list.split([',', ' ']).filter(|part| !part.is_empty()) {
        match part.parse() {
            Ok(pid) => all.push(pid),
            Err(_) => {
                tool.stderr("error: process ID list syntax error\n").await;
                return Err(Exit(1));
            }
        }
    }
    Ok(all)
}

async fn columns(tool: &Tool, request: &mut Request, list: &str) -> Result<(), Exit> {
    let mut rest = list;
    while !rest.is_empty() {
        // A heading of one's own reaches to the end of the argument.
        let (name, heading, next) = match (rest.find([',', ' ']), rest.find('=')) {
            (comma, Some(equal)) if comma.is_none_or(|comma| equal < comma) => match &rest[equal + 1..] {
                heading if heading.contains(',') && heading.starts_with(',') => {
                    (&rest[..equal], Some(""), &heading[1..])
                }
                heading => (&rest[..equal], Some(heading), ""),
            },
            (Some(comma), _) => (&rest[..comma], None, &rest[comma + 1..]),
            (None, _) => (rest, None, ""),
        };
        rest = next;
        let found = COLUMNS.iter().find(|column| column.names.contains(&name));
        let Some(column) = found else {
            tool.stderr(format!("error: unknown user-defined format specifier \"{name}\"\n")).await;
            return Err(Exit(1));
        };
        // One-letter states have a column of their own width.
        let own = if matches!(name, "s" | "state") { "s" } else { column.names[0] };
        let default = if own == "s" { "S" } else { column.heading };
        request.columns.push((column, own, heading.unwrap_or(default).to_owned()));
    }
    Ok(())
}
