//! Which nodes there are in `/proc`, and their inode numbers.

use super::super::fs::ROOT_INO;
use super::tree::SYSTEM;
use crate::kernel::Kernel;
use crate::types::Pid;

/// One kind of entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Root,
    /// `self`
    SelfLink,
    /// `thread-self`
    ThreadSelfLink,
    /// `mounts`
    MountsLink,
    /// `net`
    NetLink,
    /// A file or directory that belongs to no process, by its place in [`SYSTEM`].
    System(u32),
    /// `/proc/PID`
    ProcessDir,
    FdDir,
    Fd(u32),
    FdInfoDir,
    FdInfo(u32),
    /// A file of a process, by its place in [`PROCESS_FILES`].
    Process(u32),
    /// A link of a process, by its place in [`PROCESS_LINKS`].
    Link(u32),
    NetDir,
    /// A file about networks, by its place in [`NET_FILES`].
    Net(u32),
    TaskDir,
    /// `/proc/PID/task/TID`: the number of the node is that of the thread.
    ThreadDir,
    /// A file of a thread, by its place in [`THREAD_FILES`].
    Thread(u32),
}

/// Files of a process with their permissions.
pub(super) const PROCESS_FILES: &[(&str, u32)] = &[
    ("cgroup", 0o444),
    ("cmdline", 0o444),
    ("comm", 0o644),
    ("environ", 0o400),
    ("limits", 0o444),
    ("maps", 0o444),
    ("mountinfo", 0o444),
    ("mounts", 0o444),
    ("oom_score", 0o444),
    ("oom_score_adj", 0o644),
    ("stat", 0o444),
    ("statm", 0o444),
    ("status", 0o444),
    ("wchan", 0o444),
];

/// Files of a thread with their permissions.
pub(super) const THREAD_FILES: &[(&str, u32)] = &[
    ("children", 0o444),
    ("cmdline", 0o444),
    ("comm", 0o644),
    ("stat", 0o444),
    ("statm", 0o444),
    ("status", 0o444),
    ("wchan", 0o444),
];

/// Links of a process.
pub(super) const PROCESS_LINKS: &[&str] = &["cwd", "exe", "root"];

/// Files about networks.
pub(super) const NET_FILES: &[&str] = &["dev", "tcp", "udp", "unix"];

/// Where numbers of descriptors and of their descriptions begin.
const FDS: u32 = 0x1_0000;
const FD_INFOS: u32 = 0x100_0000;

impl Entry {
    pub(super) fn is_dir(self) -> bool {
        match self {
            Entry::Root
            | Entry::ProcessDir
            | Entry::FdDir
            | Entry::FdInfoDir
            | Entry::NetDir
            | Entry::TaskDir
            | Entry::ThreadDir => true,
            Entry::System(at) => SYSTEM.get(at as usize).is_some_and(|entry| entry.is_dir()),
            _ => false,
        }
    }

    pub(super) fn is_link(self) -> bool {
        matches!(
            self,
            Entry::SelfLink
                | Entry::ThreadSelfLink
                | Entry::MountsLink
                | Entry::NetLink
                | Entry::Fd(_)
                | Entry::Link(_)
        )
    }

    pub(super) fn perm(self) -> u32 {
        match self {
            Entry::System(at) => SYSTEM.get(at as usize).map_or(0o444, |entry| entry.perm),
            Entry::Process(at) => PROCESS_FILES.get(at as usize).map_or(0o444, |file| file.1),
            Entry::Thread(at) => THREAD_FILES.get(at as usize).map_or(0o444, |file| file.1),
            Entry::FdDir | Entry::FdInfoDir => 0o500,
            Entry::FdInfo(_) => 0o400,
            entry if entry.is_dir() => 0o555,
            entry if entry.is_link() => 0o777,
            _ => 0o444,
        }
    }

    fn number(self) -> u32 {
        match self {
            Entry::Root => ROOT_INO as u32,
            Entry::SelfLink => 2,
            Entry::MountsLink => 3,
            Entry::ProcessDir => 4,
            Entry::FdDir => 5,
            Entry::ThreadSelfLink => 6,
            Entry::NetLink => 7,
            Entry::FdInfoDir => 8,
            Entry::NetDir => 9,
            Entry::TaskDir => 10,
            Entry::ThreadDir => 11,
            Entry::System(at) => 0x1000 + at,
            Entry::Process(at) => 0x2000 + at,
            Entry::Link(at) => 0x3000 + at,
            Entry::Net(at) => 0x4000 + at,
            Entry::Thread(at) => 0x5000 + at,
            Entry::Fd(fd) => FDS + fd,
            Entry::FdInfo(fd) => FD_INFOS + fd,
        }
    }

    fn from_number(number: u32) -> Option<Entry> {
        Some(match number {
            1 => Entry::Root,
            2 => Entry::SelfLink,
            3 => Entry::MountsLink,
            4 => Entry::ProcessDir,
            5 => Entry::FdDir,
            6 => Entry::ThreadSelfLink,
            7 => Entry::NetLink,
            8 => Entry::FdInfoDir,
            9 => Entry::NetDir,
            10 => Entry::TaskDir,
            11 => Entry::ThreadDir,
            0x1000..0x2000 => Entry::System(number - 0x1000),
            0x2000..0x3000 => Entry::Process(number - 0x2000),
            0x3000..0x4000 => Entry::Link(number - 0x3000),
            0x4000..0x5000 => Entry::Net(number - 0x4000),
            0x5000..0x6000 => Entry::Thread(number - 0x5000),
            FDS..FD_INFOS => Entry::Fd(number - FDS),
            FD_INFOS.. => Entry::FdInfo(number - FD_INFOS),
            _ => return None,
        })
    }
}

/// One node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// The process, or the thread, that it is about.
    pub(super) pid: Option<Pid>,
    pub(super) entry: Entry,
}

impl Node {
    const ROOT: Node = Node { pid: None, entry: Entry::Root };

    pub(super) fn encode(self) -> u64 {
        (u64::from(self.pid.unwrap_or(0) as u32) << 32) | u64::from(self.entry.number())
    }

    pub(super) fn decode(ino: u64) -> Option<Node> {
        let pid = (ino >> 32) as Pid;
        Some(Node { pid: (pid != 0).then_some(pid), entry: Entry::from_number(ino as u32)? })
    }

    pub(super) fn parent(self, kernel: &Kernel) -> Node {
        let here = |entry| Node { entry, ..self };
        match self.entry {
            Entry::Fd(_) => here(Entry::FdDir),
            Entry::FdInfo(_) => here(Entry::FdInfoDir),
            Entry::Net(_) => here(Entry::NetDir),
            Entry::Thread(_) => here(Entry::ThreadDir),
            Entry::ThreadDir => match self.pid.and_then(|tid| kernel.find_process(tid).ok()) {
                Some(process) => Node { pid: Some(process.pid), entry: Entry::TaskDir },
                None => Node::ROOT,
            },
            Entry::System(at) => match SYSTEM.get(at as usize).and_then(|entry| entry.path.rsplit_once('/')) {
                Some((dir, _)) => match SYSTEM.iter().position(|entry| entry.path == dir) {
                    Some(at) => here(Entry::System(at as u32)),
                    None => Node::ROOT,
                },
                None => Node::ROOT,
            },
            Entry::Root | Entry::ProcessDir => Node::ROOT,
            _ if self.pid.is_some() => here(Entry::ProcessDir),
            _ => Node::ROOT,
        }
    }

    pub(super) fn child(self, kernel: &Kernel, name: &[u8]) -> Option<Node> {
        let text = std::str::from_utf8(name).ok()?;
        let here = |entry| Some(Node { pid: self.pid, entry });
        match self.entry {
            Entry::Root => match text {
                "self" => here(Entry::SelfLink),
                "thread-self" => here(Entry::ThreadSelfLink),
                "mounts" => here(Entry::MountsLink),
                "net" => here(Entry::NetLink),
                _ => match number(text) {
                    Some(pid) => {
                        let pid = Pid::try_from(pid).ok().filter(|pid| kernel.procs.contains_key(pid))?;
                        Some(Node { pid: Some(pid), entry: Entry::ProcessDir })
                    }
                    None => here(Entry::System(SYSTEM.iter().position(|entry| entry.path == text)? as u32)),
                },
            },
            Entry::System(at) => {
                let dir = SYSTEM.get(at as usize)?.path;
                let is = |path: &str| path.strip_prefix(dir).and_then(|rest| rest.strip_prefix('/')) == Some(text);
                here(Entry::System(SYSTEM.iter().position(|entry| is(entry.path))? as u32))
            }
            Entry::ProcessDir => match text {
                "fd" => here(Entry::FdDir),
                "fdinfo" => here(Entry::FdInfoDir),
                "net" => here(Entry::NetDir),
                "task" => here(Entry::TaskDir),
                _ => match PROCESS_LINKS.iter().position(|link| *link == text) {
                    Some(at) => here(Entry::Link(at as u32)),
                    None => here(Entry::Process(position(PROCESS_FILES, text)?)),
                },
            },
            Entry::FdDir | Entry::FdInfoDir => {
                let fd = number(text)?;
                kernel.file_id(self.pid?, fd as i32).ok()?;
                here(if self.entry == Entry::FdDir { Entry::Fd(fd) } else { Entry::FdInfo(fd) })
            }
            Entry::NetDir => here(Entry::Net(NET_FILES.iter().position(|file| *file == text)? as u32)),
            Entry::TaskDir => {
                let tid = Pid::try_from(number(text)?).ok()?;
                let found = kernel.find_process(tid).ok()?.pid == self.pid?;
                found.then_some(Node { pid: Some(tid), entry: Entry::ThreadDir })
            }
            Entry::ThreadDir => here(Entry::Thread(position(THREAD_FILES, text)?)),
            _ => None,
        }
    }

    pub(super) fn children(self, kernel: &Kernel) -> Vec<(Vec<u8>, Node)> {
        let mut all = Vec::new();
        let mut add = |name: &str, pid, entry| all.push((name.as_bytes().to_vec(), Node { pid, entry }));
        let own = self.pid.and_then(|pid| kernel.proc(pid).ok());
        match self.entry {
            Entry::Root => {
                for pid in kernel.procs.keys() {
                    add(&pid.to_string(), Some(*pid), Entry::ProcessDir);
                }
                for (at, entry) in SYSTEM.iter().enumerate().filter(|(_, entry)| !entry.path.contains('/')) {
                    add(entry.path, None, Entry::System(at as u32));
                }
                add("self", None, Entry::SelfLink);
                add("thread-self", None, Entry::ThreadSelfLink);
                add("mounts", None, Entry::MountsLink);
                add("net", None, Entry::NetLink);
            }
            Entry::System(at) => {
                let dir = SYSTEM.get(at as usize).map_or("", |entry| entry.path);
                for (at, entry) in SYSTEM.iter().enumerate() {
                    let name = entry.path.strip_prefix(dir).and_then(|rest| rest.strip_prefix('/'));
                    if let Some(name) = name.filter(|name| !name.contains('/')) {
                        add(name, None, Entry::System(at as u32));
                    }
                }
            }
            Entry::ProcessDir => {
                add("fd", self.pid, Entry::FdDir);
                add("fdinfo", self.pid, Entry::FdInfoDir);
                add("net", self.pid, Entry::NetDir);
                add("task", self.pid, Entry::TaskDir);
                for (at, (name, _)) in PROCESS_FILES.iter().enumerate() {
                    add(name, self.pid, Entry::Process(at as u32));
                }
                for (at, name) in PROCESS_LINKS.iter().enumerate() {
                    add(name, self.pid, Entry::Link(at as u32));
                }
            }
            Entry::FdDir | Entry::FdInfoDir => {
                for fd in own.map(|process| process.fds.numbers()).unwrap_or_default() {
                    let entry =
                        if self.entry == Entry::FdDir { Entry::Fd(fd as u32) } else { Entry::FdInfo(fd as u32) };
                    add(&fd.to_string(), self.pid, entry);
                }
            }
            Entry::NetDir => {
                for (at, name) in NET_FILES.iter().enumerate() {
                    add(name, self.pid, Entry::Net(at as u32));
                }
            }
            Entry::TaskDir => {
                let mut tids: Vec<Pid> =
                    own.map(|process| process.threads.iter().map(|thread| thread.tid()).collect()).unwrap_or_default();
                // An ended process keeps its first task until it is reaped.
                if tids.is_empty() {
                    tids.extend(self.pid);
                }
                tids.sort_unstable();
                for tid in tids {
                    add(&tid.to_string(), Some(tid), Entry::ThreadDir);
                }
            }
            Entry::ThreadDir => {
                for (at, (name, _)) in THREAD_FILES.iter().enumerate() {
                    add(name, self.pid, Entry::Thread(at as u32));
                }
            }
            _ => {}
        }
        all
    }
}

fn position(files: &[(&str, u32)], name: &str) -> Option<u32> {
    files.iter().position(|file| file.0 == name).map(|at| at as u32)
}

/// A decimal number without leading zeros, as names in `/proc` are.
fn number(text: &str) -> Option<u32> {
    let canonical = text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
    if canonical { text.parse().ok() } else { None }
}
