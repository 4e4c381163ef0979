//! The processes that `/proc` shows: for `ps`, `pgrep`, `pkill`, `pidof`, `killall`.

use provium_kernel::{Pid, Sys};

/// Clock ticks of `/proc/PID/stat` in a second.
pub const TICKS: u64 = 100;

/// What `/proc` says of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Process id.
    pub pid: Pid,
    /// Its parent.
    pub ppid: Pid,
    /// Process group.
    pub pgid: Pid,
    /// Session.
    pub sid: Pid,
    /// Name, at most 15 bytes.
    pub comm: Vec<u8>,
    /// The arguments it was started with; none for a zombie.
    pub argv: Vec<Vec<u8>>,
    /// Letter of its state: `R`, `S`, `T`, `Z` …
    pub state: u8,
    /// Foreground process group of its terminal.
    pub tpgid: Pid,
    /// Device of its terminal, 0 if it has none.
    pub tty: u64,
    /// Ticks of processor time.
    pub cpu_ticks: u64,
    /// Ticks from boot to its start.
    pub start_ticks: u64,
    /// Priority as the kernel shows it.
    pub priority: i64,
    /// Niceness.
    pub nice: i64,
    /// Threads.
    pub threads: u64,
    /// Virtual memory in bytes.
    pub vsize: u64,
    /// Resident pages.
    pub rss_pages: u64,
    /// The processor it ran on last.
    pub processor: u64,
    /// Kernel flags.
    pub flags: u64,
    /// Real user.
    pub ruid: u32,
    /// Effective user.
    pub euid: u32,
    /// Real group.
    pub rgid: u32,
    /// Effective group.
    pub egid: u32,
}

/// All processes, by pid. One that ends while it is looked at is left out.
pub async fn processes(sys: &Sys) -> Vec<Process> {
    let mut pids: Vec<Pid> = match sys.read_dir("/proc").await {
        Ok(entries) => entries.iter().filter_map(|entry| std::str::from_utf8(&entry.name).ok()?.parse().ok()).collect(),
        Err(_) => Vec::new(),
    };
    pids.sort_unstable();
    let mut all = Vec::with_capacity(pids.len());
    for pid in pids {
        if let Some(process) = process(sys, pid).await {
            all.push(process);
        }
    }
    all
}

/// One process; `None` if it is not there (any more).
pub async fn process(sys: &Sys, pid: Pid) -> Option<Process> {
    let stat = sys.read_file(format!("/proc/{pid}/stat")).await.ok()?;
    let status = sys.read_file(format!("/proc/{pid}/status")).await.ok()?;
    let cmdline = sys.read_file(format!("/proc/{pid}/cmdline")).await.ok()?;
    let mut process = parse_stat(&stat)?;
    let ids = |name: &str| -> Vec<u32> {
        let text = String::from_utf8_lossy(&status);
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().filter_map(|id| id.parse().ok()).collect()
    };
    let (uids, gids) = (ids("Uid:"), ids("Gid:"));
    (process.ruid, process.euid) = (uids.first().copied()?, uids.get(1).copied()?);
    (process.rgid, process.egid) = (gids.first().copied()?, gids.get(1).copied()?);
    let words = cmdline.strip_suffix(b"\0").unwrap_or(&cmdline);
    if !words.is_empty() {
        process.argv = words.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
    }
    Some(process)
}

fn parse_stat(line: &[u8]) -> Option<Process> {
    // The name may hold blanks and parentheses: it ends at the last one.
    let (open, close) = (line.iter().position(|&byte| byte == b'(')?, line.iter().rposition(|&byte| byte == b')')?);
    let pid = std::str::from_utf8(line.get(..open)?).ok()?.trim().parse().ok()?;
    let rest = std::str::from_utf8(line.get(close + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    // Fields are counted as in proc(5): the state is the third.
    let field = |number: usize| fields.get(number - 3).copied();
    let number = |at: usize| field(at)?.parse::<i64>().ok();
    let pid_at = |at: usize| number(at).and_then(|value| Pid::try_from(value).ok());
    let count = |at: usize| number(at).map(|value| u64::try_from(value).unwrap_or(0));
    Some(Process {
        pid,
        comm: line.get(open + 1..close)?.to_vec(),
        state: *field(3)?.as_bytes().first()?,
        ppid: pid_at(4)?,
        pgid: pid_at(5)?,
        sid: pid_at(6)?,
        tty: count(7)?,
        tpgid: pid_at(8)?,
        flags: count(9)?,
        cpu_ticks: count(14)? + count(15)?,
        priority: number(18)?,
        nice: number(19)?,
        threads: count(20)?,
        start_ticks: count(22)?,
        vsize: count(23)?,
        rss_pages: count(24)?,
        processor: count(39).unwrap_or(0),
        ..Process::default()
    })
}

impl Process {
    /// The command line with blanks between the words; the name in brackets if there is none.
    #[must_use]
    pub fn command_line(&self) -> String {
        if self.argv.is_empty() {
            let name = String::from_utf8_lossy(&self.comm);
            return if self.state == b'Z' { format!("[{name}] <defunct>") } else { format!("[{name}]") };
        }
        let words: Vec<String> = self.argv.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        words.join(" ")
    }

    /// Whether it goes by this name: its own, or the last component of its first argument.
    #[must_use]
    pub fn is_called(&self, name: &[u8]) -> bool {
        let short = &name[..name.len().min(15)];
        let first = self.argv.first().map(Vec::as_slice).unwrap_or_default();
        if name.contains(&b'/') {
            return first == name;
        }
        self.comm == short || super::path::base_name(first) == name
    }
}

#[cfg(test)]
mod tests {
    use super::parse_stat;

    #[test]
    fn a_name_may_hold_anything() {
        let line = b"42 (a) (b) S 1 42 42 0 -1 0 0 0 0 0 7 3 0 0 20 0 1 0 500 4194304 256 0\n";
        let process = parse_stat(line).expect("a process");
        assert_eq!((process.pid, process.comm.as_slice(), process.ppid), (42, &b"a) (b"[..], 1));
        assert_eq!((process.cpu_ticks, process.start_ticks, process.threads), (10, 500, 1));
        assert_eq!(parse_stat(b"junk"), None);
    }
}
