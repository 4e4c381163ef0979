//! The columns of ps.

use std::cmp::Ordering;

use provium_kernel::{Sys, TimeSpec};

use crate::shared::clock;
use crate::shared::names::NameCache;
use crate::shared::processes::{Process, TICKS};

/// Bytes of a page.
const PAGE: u64 = 4096;

/// What a column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Pid,
    Ppid,
    Pgid,
    Sid,
    Uid,
    Ruid,
    Gid,
    User,
    RealUser,
    Group,
    /// User by name, in the column that `-f` calls UID.
    UserAsUid,
    Comm,
    Args,
    State,
    Stat,
    Tty,
    Time,
    BsdTime,
    Elapsed,
    ElapsedSeconds,
    StartTime,
    BsdStart,
    LongStart,
    Cpu,
    CpuWhole,
    Memory,
    Rss,
    Size,
    Address,
    Nice,
    Priority,
    LongPriority,
    Threads,
    Flags,
    Wait,
    Processor,
}

/// A column with its header and width.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) key: Key,
    pub(super) header: String,
    pub(super) width: usize,
    pub(super) right: bool,
}

/// Names of columns, with their headers, widths, and whether they stand to the right.
const KNOWN: &[(&str, Key, &str, usize, bool)] = &[
    ("pid", Key::Pid, "PID", 7, true),
    ("tgid", Key::Pid, "TGID", 7, true),
    ("ppid", Key::Ppid, "PPID", 7, true),
    ("pgid", Key::Pgid, "PGID", 7, true),
    ("pgrp", Key::Pgid, "PGRP", 7, true),
    ("sid", Key::Sid, "SID", 7, true),
    ("sess", Key::Sid, "SESS", 7, true),
    ("uid", Key::Uid, "UID", 5, true),
    ("euid", Key::Uid, "EUID", 5, true),
    ("ruid", Key::Ruid, "RUID", 5, true),
    ("gid", Key::Gid, "GID", 5, true),
    ("egid", Key::Gid, "EGID", 5, true),
    ("user", Key::User, "USER", 8, false),
    ("euser", Key::User, "EUSER", 8, false),
    ("uname", Key::User, "USER", 8, false),
    ("ruser", Key::RealUser, "RUSER", 8, false),
    ("group", Key::Group, "GROUP", 8, false),
    ("egroup", Key::Group, "EGROUP", 8, false),
    ("comm", Key::Comm, "COMMAND", 15, false),
    ("ucmd", Key::Comm, "CMD", 15, false),
    ("ucomm", Key::Comm, "COMMAND", 15, false),
    ("args", Key::Args, "COMMAND", 27, false),
    ("cmd", Key::Args, "CMD", 27, false),
    ("command", Key::Args, "COMMAND", 27, false),
    ("s", Key::State, "S", 1, false),
    ("state", Key::State, "S", 1, false),
    ("stat", Key::Stat, "STAT", 4, false),
    ("tty", Key::Tty, "TT", 8, false),
    ("tt", Key::Tty, "TT", 8, false),
    ("tname", Key::Tty, "TTY", 8, false),
    ("time", Key::Time, "TIME", 8, true),
    ("cputime", Key::Time, "TIME", 8, true),
    ("bsdtime", Key::BsdTime, "TIME", 6, true),
    ("etime", Key::Elapsed, "ELAPSED", 11, true),
    ("etimes", Key::ElapsedSeconds, "ELAPSED", 7, true),
    ("stime", Key::StartTime, "STIME", 5, true),
    ("start_time", Key::StartTime, "START", 5, true),
    ("start", Key::BsdStart, "STARTED", 8, true),
    ("bsdstart", Key::BsdStart, "START", 6, true),
    ("lstart", Key::LongStart, "STARTED", 24, true),
    ("pcpu", Key::Cpu, "%CPU", 4, true),
    ("%cpu", Key::Cpu, "%CPU", 4, true),
    ("c", Key::CpuWhole, "C", 2, true),
    ("pmem", Key::Memory, "%MEM", 4, true),
    ("%mem", Key::Memory, "%MEM", 4, true),
    ("rss", Key::Rss, "RSS", 5, true),
    ("rssize", Key::Rss, "RSS", 5, true),
    ("vsz", Key::Size, "VSZ", 6, true),
    ("vsize", Key::Size, "VSZ", 6, true),
    ("sz", Key::Address, "SZ", 5, true),
    ("ni", Key::Nice, "NI", 3, true),
    ("nice", Key::Nice, "NI", 3, true),
    ("pri", Key::Priority, "PRI", 3, true),
    ("nlwp", Key::Threads, "NLWP", 4, true),
    ("thcount", Key::Threads, "THCNT", 5, true),
    ("f", Key::Flags, "F", 1, true),
    ("flag", Key::Flags, "F", 1, true),
    ("flags", Key::Flags, "F", 1, true),
    ("psr", Key::Processor, "PSR", 3, true),
    ("wchan", Key::Wait, "WCHAN", 6, false),
];

/// A column by name.
pub(super) fn column(name: &str) -> Option<Column> {
    let (_, key, header, width, right) = KNOWN.iter().find(|(known, ..)| *known == name)?;
    Some(Column { key: *key, header: (*header).to_owned(), width: *width, right: *right })
}

/// The columns of a fixed layout: names, each with the header that it has there.
pub(super) fn layout(columns: &[(&str, &str)]) -> Vec<Column> {
    let column = |(name, header): &(&str, &str)| {
        let mut column = match *name {
            "uid_name" => Column { key: Key::UserAsUid, header: "UID".into(), width: 8, right: false },
            "opri" => Column { key: Key::LongPriority, header: "PRI".into(), width: 3, right: true },
            "addr_1" => Column { key: Key::Wait, header: "ADDR".into(), width: 1, right: false },
            name => column(name)?,
        };
        if !header.is_empty() {
            column.header = (*header).to_owned();
        }
        Some(column)
    };
    columns.iter().filter_map(column).collect()
}

/// What the values of columns are reckoned from.
pub(super) struct World {
    now: TimeSpec,
    uptime_ticks: u64,
    memory: u64,
}

impl World {
    pub(super) async fn look(sys: &Sys) -> World {
        let uptime = String::from_utf8_lossy(&sys.read_file("/proc/uptime").await.unwrap_or_default()).into_owned();
        let seconds: f64 = uptime.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or(0.0);
        World {
            now: sys.clock_realtime().await,
            uptime_ticks: (seconds * TICKS as f64) as u64,
            memory: sys.sysinfo().await.total_ram.max(1),
        }
    }

    fn age_ticks(&self, process: &Process) -> u64 {
        self.uptime_ticks.saturating_sub(process.start_ticks)
    }

    fn started(&self, process: &Process) -> TimeSpec {
        let ago = i64::try_from(self.age_ticks(process) / TICKS).unwrap_or(0);
        TimeSpec { sec: self.now.sec.saturating_sub(ago), nsec: 0 }
    }

    /// Tenths of a percent of its life that a process has used a processor.
    fn cpu_permille(&self, process: &Process) -> u64 {
        process.cpu_ticks * 1000 / self.age_ticks(process).max(1)
    }
}

impl Column {
    pub(super) async fn value(&self, sys: &Sys, process: &Process, world: &World, names: &mut NameCache) -> String {
        let name = |name: Option<String>, id: u32| match name {
            // A name that does not fit is cut, with a mark at its end.
            Some(name) if name.len() > self.width.max(8) => name.chars().take(7).chain(['+']).collect(),
            Some(name) => name,
            None => id.to_string(),
        };
        match self.key {
            Key::Pid => process.pid.to_string(),
            Key::Ppid => process.ppid.to_string(),
            Key::Pgid => process.pgid.to_string(),
            Key::Sid => process.sid.to_string(),
            Key::Uid => process.euid.to_string(),
            Key::Ruid => process.ruid.to_string(),
            Key::Gid => process.egid.to_string(),
            Key::User | Key::UserAsUid => name(names.user(sys, process.euid).await, process.euid),
            Key::RealUser => name(names.user(sys, process.ruid).await, process.ruid),
            Key::Group => name(names.group(sys, process.egid).await, process.egid),
            Key::Comm => {
                let comm = String::from_utf8_lossy(&process.comm).into_owned();
                if process.state == b'Z' { comm + " <defunct>" } else { comm }
            }
            Key::Args => process.command_line(),
            Key::State => char::from(process.state).to_string(),
            Key::Stat => stat_letters(process),
            Key::Tty => tty_name(process.tty),
            Key::Time => clock_of(process.cpu_ticks / TICKS),
            Key::BsdTime => {
                let seconds = process.cpu_ticks / TICKS;
                format!("{}:{:02}", seconds / 60, seconds % 60)
            }
            Key::Elapsed => {
                let text = clock_of(world.age_ticks(process) / TICKS);
                text.strip_prefix("00:").map(str::to_owned).unwrap_or(text)
            }
            Key::ElapsedSeconds => (world.age_ticks(process) / TICKS).to_string(),
            Key::StartTime => format_time(world, process, b"%H:%M", b"%b%d", b"%Y"),
            Key::BsdStart if self.width == 8 => format_time(world, process, b"%H:%M:%S", b"%b %d", b"%b %d"),
            Key::BsdStart => format_time(world, process, b" %H:%M", b"%b %d", b"%b %d"),
            Key::LongStart => text(b"%a %b %e %H:%M:%S %Y", world.started(process)),
            Key::Cpu => {
                let permille = world.cpu_permille(process);
                if permille > 999 {
                    (permille / 10).to_string()
                } else {
                    format!("{}.{}", permille / 10, permille % 10)
                }
            }
            Key::CpuWhole => (world.cpu_permille(process) / 10).min(99).to_string(),
            Key::Memory => {
                let permille = (process.rss_pages * PAGE * 1000 / world.memory).min(999);
                format!("{}.{}", permille / 10, permille % 10)
            }
            Key::Rss => (process.rss_pages * PAGE / 1024).to_string(),
            Key::Size => (process.vsize / 1024).to_string(),
            Key::Address => (process.vsize / PAGE).to_string(),
            Key::Nice => process.nice.to_string(),
            Key::Priority => (39 - process.priority).to_string(),
            Key::LongPriority => (60 + process.priority).to_string(),
            Key::Threads => process.threads.to_string(),
            Key::Flags => format!("{:o}", process.flags >> 6 & 7),
            Key::Wait => "-".into(),
            Key::Processor => process.processor.to_string(),
        }
    }
}

fn stat_letters(process: &Process) -> String {
    let mut letters = char::from(process.state).to_string();
    if process.nice < 0 {
        letters.push('<');
    } else if process.nice > 0 {
        letters.push('N');
    }
    if process.sid == process.pid {
        letters.push('s');
    }
    if process.threads > 1 {
        letters.push('l');
    }
    if process.tty != 0 && process.pgid == process.tpgid {
        letters.push('+');
    }
    letters
}

fn tty_name(tty: u64) -> String {
    let (major, minor) = (tty >> 8 & 0xfff, tty & 0xff);
    match (major, minor) {
        (0, 0) => "?".into(),
        (4, 64..) => format!("ttyS{}", minor - 64),
        (4, _) => format!("tty{minor}"),
        (136..=143, _) => format!("pts/{minor}"),
        _ => "?".into(),
    }
}

/// `[DD-]HH:MM:SS`.
fn clock_of(seconds: u64) -> String {
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    match seconds / 86_400 {
        0 => clock,
        days => format!("{days}-{clock}"),
    }
}

fn text(format: &[u8], time: TimeSpec) -> String {
    String::from_utf8_lossy(&clock::format(format, time)).into_owned()
}

/// A start today, this year, or before.
fn format_time(world: &World, process: &Process, today: &[u8], this_year: &[u8], before: &[u8]) -> String {
    let started = world.started(process);
    let (now, then) = (text(b"%Y %j", world.now), text(b"%Y %j", started));
    if now == then {
        text(today, started)
    } else if now.get(..4) == then.get(..4) {
        text(this_year, started)
    } else {
        text(before, started)
    }
}

/// The order of two processes by a column.
pub(super) fn compare(key: Key, a: &Process, b: &Process) -> Ordering {
    match key {
        Key::Ppid => a.ppid.cmp(&b.ppid),
        Key::Pgid => a.pgid.cmp(&b.pgid),
        Key::Sid => a.sid.cmp(&b.sid),
        Key::Uid | Key::User | Key::UserAsUid => a.euid.cmp(&b.euid),
        Key::Ruid | Key::RealUser => a.ruid.cmp(&b.ruid),
        Key::Gid | Key::Group => a.egid.cmp(&b.egid),
        Key::Comm => a.comm.cmp(&b.comm),
        Key::Args => a.command_line().cmp(&b.command_line()),
        Key::State | Key::Stat => a.state.cmp(&b.state),
        Key::Time | Key::BsdTime | Key::Cpu | Key::CpuWhole => a.cpu_ticks.cmp(&b.cpu_ticks),
        Key::StartTime | Key::BsdStart | Key::LongStart => a.start_ticks.cmp(&b.start_ticks),
        Key::Elapsed | Key::ElapsedSeconds => b.start_ticks.cmp(&a.start_ticks),
        Key::Rss | Key::Memory => a.rss_pages.cmp(&b.rss_pages),
        Key::Size | Key::Address => a.vsize.cmp(&b.vsize),
        Key::Nice | Key::Priority | Key::LongPriority => a.nice.cmp(&b.nice),
        Key::Threads => a.threads.cmp(&b.threads),
        Key::Pid | Key::Tty | Key::Flags | Key::Wait | Key::Processor => a.pid.cmp(&b.pid),
    }
}

#[cfg(test)]
mod tests {
    use super::{clock_of, tty_name};

    #[test]
    fn times_and_terminals() {
        assert_eq!(clock_of(59), "00:00:59");
        assert_eq!(clock_of(90_061), "1-01:01:01");
        assert_eq!(tty_name(0), "?");
        assert_eq!(tty_name(136 << 8 | 3), "pts/3");
    }
}
