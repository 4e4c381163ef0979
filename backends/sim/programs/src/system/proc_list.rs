//! What `/proc` says of processes, as ps, pidof and pgrep read it.

use provium_kernel::Sys;

/// One process.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub pid: i32,
    pub ppid: i32,
    pub pgid: i32,
    pub sid: i32,
    pub state: String,
    pub comm: String,
    /// The arguments with blanks between them, or the name in brackets if there are none.
    pub args: String,
    pub argv: Vec<String>,
    pub uid: u32,
    pub gid: u32,
    /// Clock ticks (hundredths of a second) of CPU.
    pub ticks: u64,
    /// Ticks after boot at which it started.
    pub started: u64,
    pub vsize: u64,
    pub rss_pages: u64,
    pub threads: u32,
}

/// All processes by number; those that end meanwhile are left out.
pub(super) async fn all(sys: &Sys) -> Vec<Entry> {
    let mut pids: Vec<i32> = match sys.read_dir("/proc").await {
        Ok(entries) => entries.iter().filter_map(|entry| std::str::from_utf8(&entry.name).ok()?.parse().ok()).collect(),
        Err(_) => Vec::new(),
    };
    pids.sort_unstable();
    let mut found = Vec::new();
    for pid in pids {
        if let Some(entry) = one(sys, pid).await {
            found.push(entry);
        }
    }
    found
}

async fn one(sys: &Sys, pid: i32) -> Option<Entry> {
    let stat = sys.read_file(format!("/proc/{pid}/stat")).await.ok()?;
    let stat = String::from_utf8_lossy(&stat).into_owned();
    // The name may hold blanks and brackets: it ends at the last one.
    let (open, close) = (stat.find('(')?, stat.rfind(')')?);
    let fields: Vec<&str> = stat.get(close + 1..)?.split_whitespace().collect();
    let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    let owner = sys.stat(format!("/proc/{pid}")).await.ok()?;
    let cmdline = sys.read_file(format!("/proc/{pid}/cmdline")).await.ok()?;
    let argv: Vec<String> = cmdline
        .strip_suffix(b"\0")
        .map(|text| text.split(|byte| *byte == 0).map(|arg| String::from_utf8_lossy(arg).into_owned()).collect())
        .unwrap_or_default();
    let comm = stat.get(open + 1..close)?.to_owned();
    let zombie = fields.first() == Some(&"Z");
    let args = match (argv.is_empty(), zombie) {
        (false, _) => argv.join(" "),
        (true, true) => format!("[{comm}] <defunct>"),
        (true, false) => format!("[{comm}]"),
    };
    Some(Entry {
        pid,
        ppid: number(1) as i32,
        pgid: number(2) as i32,
        sid: number(3) as i32,
        state: fields.first().copied().unwrap_or("?").to_owned(),
        comm,
        args,
        argv,
        uid: owner.uid,
        gid: owner.gid,
        ticks: number(11) + number(12),
        started: number(19),
        vsize: number(20),
        rss_pages: number(21),
        threads: number(17) as u32,
    })
}
