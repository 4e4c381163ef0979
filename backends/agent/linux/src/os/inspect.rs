//! Who waits for what, from `/proc`.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;

use provium_protocol::inspect::{WaitGraph, Waiting};
use provium_protocol::syscall_names;

use super::proc::{self, Stat};

/// Threads looked at, at most: a person reads the result.
const MAX_THREADS: usize = 4096;

/// Bytes of a path that a call was given, at most (`PATH_MAX`).
const MAX_PATH: usize = 4096;

/// The flag of a thread of the kernel's own (`PF_KTHREAD`).
const KERNEL_THREAD: u64 = 0x0020_0000;

/// `F_SETLKW` of fcntl(2), and `F_OFD_SETLKW`.
const WAITING_LOCKS: [u64; 2] = [7, 38];

/// A snapshot. Processes come and go meanwhile: what is not there any more is left out.
pub fn wait_graph() -> WaitGraph {
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let stats: Vec<(i32, Stat)> =
        numbers("/proc").into_iter().filter_map(|pid| Some((pid, proc::stat(&format!("/proc/{pid}/stat"))?))).collect();
    let mut waiting = Vec::new();
    let mut left = MAX_THREADS;
    for (pid, process) in stats.iter().filter(|(_, process)| process.flags & KERNEL_THREAD == 0) {
        for tid in numbers(&format!("/proc/{pid}/task")) {
            if left == 0 {
                return WaitGraph { waiting };
            }
            left -= 1;
            let look = Look { pid: *pid, tid, locks: &locks, stats: &stats };
            let Some(wait) = look.wait() else { continue };
            // Of the agent's own waits only those that a test asked for tell anything.
            if *pid == own && !wait.asked_for {
                continue;
            }
            let mut holders = wait.holders;
            holders.sort_unstable();
            holders.dedup();
            holders.retain(|holder| holder != pid);
            waiting.push(Waiting { pid: *pid, comm: process.comm.clone(), on: wait.on, holders });
        }
    }
    WaitGraph { waiting }
}

/// The entries of a directory that are numbers, in order.
fn numbers(path: &str) -> Vec<i32> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let number = |entry: std::io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    let mut numbers: Vec<i32> = entries.filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

struct Wait {
    on: String,
    holders: Vec<i32>,
    /// A test of the agent can have asked for it.
    asked_for: bool,
}

impl Wait {
    fn on(on: impl Into<String>) -> Wait {
        Wait { on: on.into(), holders: Vec::new(), asked_for: false }
    }
}

struct Look<'a> {
    pid: i32,
    tid: i32,
    locks: &'a str,
    stats: &'a [(i32, Stat)],
}

impl Look<'_> {
    fn wait(&self) -> Option<Wait> {
        let task = format!("/proc/{}/task/{}", self.pid, self.tid);
        let state = proc::stat(&format!("{task}/stat"))?.state;
        if !matches!(state, b'S' | b'D') {
            return None;
        }
        let line = fs::read_to_string(format!("{task}/syscall")).ok()?;
        let mut words = line.split_ascii_whitespace();
        // "running" when it has gone on meanwhile, -1 when it sleeps outside of a call.
        let nr: i64 = words.next()?.parse().ok()?;
        let Ok(nr) = u64::try_from(nr) else { return Some(Wait::on("something outside of a system call")) };
        let args: Vec<u64> =
            words.take(6).map(|word| u64::from_str_radix(word.trim_start_matches("0x"), 16).unwrap_or(0)).collect();
        let arg = |at: usize| args.get(at).copied().unwrap_or(0);
        let file = |at: usize| self.file(arg(at));
        let name = syscall_names::name(nr).unwrap_or("an unknown system call");
        Some(match name {
            "read" | "readv" | "pread64" | "preadv" | "recvfrom" | "recvmsg" => {
                Wait::on(format!("data from {}", file(0)))
            }
            "write" | "writev" | "pwrite64" | "pwritev" | "sendto" | "sendmsg" => {
                Wait::on(format!("room in {}", file(0)))
            }
            "flock" => self.lock("flock", "FLOCK", arg(0)),
            "fcntl" if WAITING_LOCKS.contains(&arg(1)) => self.lock("record lock", "POSIX", arg(0)),
            "wait4" | "waitid" => {
                let child = |(pid, stat): &(i32, Stat)| (stat.parent == self.pid).then_some(*pid);
                Wait { holders: self.stats.iter().filter_map(child).collect(), ..Wait::on("a child to end") }
            }
            "open" => self.opening(arg(0)),
            "openat" => self.opening(arg(1)),
            "nanosleep" | "clock_nanosleep" => Wait::on("a timer"),
            "pause" | "rt_sigsuspend" | "rt_sigtimedwait" => Wait::on("a signal"),
            "accept" | "accept4" | "connect" => Wait::on(format!("a peer of {}", file(0))),
            "poll" | "ppoll" | "select" | "pselect6" | "epoll_wait" | "epoll_pwait" | "epoll_pwait2" => {
                Wait::on("an object to become ready")
            }
            "futex" => Wait::on("a futex"),
            "restart_syscall" => Wait::on("a timer"),
            "fsync" | "fdatasync" | "sync" | "syncfs" => Wait::on("a disk"),
            other => Wait::on(format!("something in {other}")),
        })
    }

    /// What a descriptor of the process is.
    fn file(&self, fd: u64) -> String {
        match fs::read_link(format!("/proc/{}/fd/{fd}", self.pid)) {
            Ok(target) => String::from_utf8_lossy(target.as_os_str().as_bytes()).into_owned(),
            Err(_) => format!("descriptor {}", fd.cast_signed()),
        }
    }

    /// A wait for a lock on a file, with those who hold one on it.
    fn lock(&self, what: &str, class: &str, fd: u64) -> Wait {
        let inode = fs::metadata(format!("/proc/{}/fd/{fd}", self.pid)).ok().map(|file| inode(&file));
        let holders = inode.map_or_else(Vec::new, |inode| holders(self.locks, class, &inode));
        Wait { on: format!("{what} on {}", self.file(fd)), holders, asked_for: true }
    }

    /// A wait in open(2): for the other end of a FIFO, as a rule.
    fn opening(&self, path: u64) -> Wait {
        let path = self.string(path).unwrap_or_else(|| "a file".to_owned());
        Wait { asked_for: true, ..Wait::on(format!("the other end of {path} to be opened")) }
    }

    /// A string in the memory of the process.
    fn string(&self, address: u64) -> Option<String> {
        let memory = fs::File::open(format!("/proc/{}/mem", self.pid)).ok()?;
        let mut bytes = vec![0; MAX_PATH];
        let len = memory.read_at(&mut bytes, address).ok()?;
        let text = bytes.get(..len)?.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(text).into_owned())
    }
}

/// How `/proc/locks` names a file: `08:01:1234`.
fn inode(file: &fs::Metadata) -> String {
    use std::os::unix::fs::MetadataExt;
    format!("{:02x}:{:02x}:{}", libc::major(file.dev()), libc::minor(file.dev()), file.ino())
}

/// Who holds locks of a class on a file. A waiting line has an arrow behind its number.
fn holders(locks: &str, class: &str, inode: &str) -> Vec<i32> {
    let holder = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, kind, _, _, pid, file, ..] = words[..] else { return None };
        (kind == class && file == inode).then(|| pid.parse().ok()).flatten()
    };
    locks.lines().filter_map(holder).filter(|pid| *pid > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_are_told_from_those_who_wait() {
        let locks = "1: FLOCK  ADVISORY  WRITE 12 08:01:99 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 13 08:01:99 0 EOF\n\
                     2: POSIX  ADVISORY  READ 14 08:01:99 0 EOF\n3: FLOCK  ADVISORY  WRITE 15 08:01:98 0 EOF\n";
        assert_eq!(holders(locks, "FLOCK", "08:01:99"), [12]);
        assert_eq!(holders(locks, "POSIX", "08:01:99"), [14]);
        assert_eq!(holders("", "POSIX", "08:01:99"), Vec::<i32>::new());
    }

    #[test]
    fn a_wait_of_this_process_for_a_lock_would_be_seen() {
        // Whatever runs on this machine, a snapshot of it can be made.
        let graph = wait_graph();
        assert!(graph.waiting.iter().all(|waiting| !waiting.on.is_empty()));
    }
}
