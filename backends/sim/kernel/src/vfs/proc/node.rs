//! Which nodes there are in `/proc`, and their inode numbers.

use super::super::fs::ROOT_INO;
use crate::kernel::Kernel;
use crate::types::Pid;

/// One kind of entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Root,
    SelfLink,
    MountsLink,
    /// A file at the top, by its place in [`SYSTEM_FILES`].
    System(u32),
    ProcessDir,
    FdDir,
    Fd(u32),
    /// A file of a process, by its place in [`PROCESS_FILES`].
    Process(u32),
    /// A link of a process, by its place in [`PROCESS_LINKS`].
    Link(u32),
}

/// Files at the top with their permissions.
pub(super) const SYSTEM_FILES: &[(&str, u32)] = &[
    ("cmdline", 0o444),
    ("filesystems", 0o444),
    ("loadavg", 0o444),
    ("locks", 0o444),
    ("meminfo", 0o444),
    ("stat", 0o444),
    ("uptime", 0o444),
    ("version", 0o444),
];

/// Files of a process with their permissions.
pub(super) const PROCESS_FILES: &[(&str, u32)] =
    &[("cmdline", 0o444), ("comm", 0o644), ("environ", 0o400), ("mounts", 0o444), ("stat", 0o444), ("status", 0o444)];

/// Links of a process.
pub(super) const PROCESS_LINKS: &[&str] = &["cwd", "exe", "root"];

impl Entry {
    pub(super) fn is_dir(self) -> bool {
        matches!(self, Entry::Root | Entry::ProcessDir | Entry::FdDir)
    }

    pub(super) fn is_link(self) -> bool {
        matches!(self, Entry::SelfLink | Entry::MountsLink | Entry::Fd(_) | Entry::Link(_))
    }

    pub(super) fn perm(self) -> u32 {
        match self {
            Entry::System(at) => SYSTEM_FILES.get(at as usize).map_or(0o444, |file| file.1),
            Entry::Process(at) => PROCESS_FILES.get(at as usize).map_or(0o444, |file| file.1),
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
            Entry::System(at) => 0x1000 + at,
            Entry::Process(at) => 0x2000 + at,
            Entry::Link(at) => 0x3000 + at,
            Entry::Fd(fd) => 0x1_0000 + fd,
        }
    }

    fn from_number(number: u32) -> Option<Entry> {
        Some(match number {
            1 => Entry::Root,
            2 => Entry::SelfLink,
            3 => Entry::MountsLink,
            4 => Entry::ProcessDir,
            5 => Entry::FdDir,
            0x1000..0x2000 => Entry::System(number - 0x1000),
            0x2000..0x3000 => Entry::Process(number - 0x2000),
            0x3000..0x1_0000 => Entry::Link(number - 0x3000),
            0x1_0000.. => Entry::Fd(number - 0x1_0000),
            _ => return None,
        })
    }
}

/// One node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Node {
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

    pub(super) fn parent(self) -> Node {
        match self.entry {
            Entry::Fd(_) => Node { entry: Entry::FdDir, ..self },
            Entry::Root | Entry::ProcessDir => Node::ROOT,
            _ if self.pid.is_some() => Node { entry: Entry::ProcessDir, ..self },
            _ => Node::ROOT,
        }
    }

    pub(super) fn child(self, kernel: &Kernel, name: &[u8], _viewer: Pid) -> Option<Node> {
        let text = std::str::from_utf8(name).ok()?;
        let here = |entry| Some(Node { pid: self.pid, entry });
        match self.entry {
            Entry::Root => match text {
                "self" => here(Entry::SelfLink),
                "mounts" => here(Entry::MountsLink),
                _ => match number(text) {
                    Some(pid) => {
                        let pid = Pid::try_from(pid).ok().filter(|pid| kernel.procs.contains_key(pid))?;
                        Some(Node { pid: Some(pid), entry: Entry::ProcessDir })
                    }
                    None => here(Entry::System(position(SYSTEM_FILES, text)?)),
                },
            },
            Entry::ProcessDir => match text {
                "fd" => here(Entry::FdDir),
                _ => match PROCESS_LINKS.iter().position(|link| *link == text) {
                    Some(at) => here(Entry::Link(at as u32)),
                    None => here(Entry::Process(position(PROCESS_FILES, text)?)),
                },
            },
            Entry::FdDir => {
                let fd = number(text)?;
                kernel.file_id(self.pid?, fd as i32).ok()?;
                here(Entry::Fd(fd))
            }
            _ => None,
        }
    }

    pub(super) fn children(self, kernel: &Kernel, _viewer: Pid) -> Vec<(Vec<u8>, Node)> {
        let mut all = Vec::new();
        let mut add = |name: &str, pid, entry| all.push((name.as_bytes().to_vec(), Node { pid, entry }));
        match self.entry {
            Entry::Root => {
                for pid in kernel.procs.keys() {
                    add(&pid.to_string(), Some(*pid), Entry::ProcessDir);
                }
                for (at, (name, _)) in SYSTEM_FILES.iter().enumerate() {
                    add(name, None, Entry::System(at as u32));
                }
                add("self", None, Entry::SelfLink);
                add("mounts", None, Entry::MountsLink);
            }
            Entry::ProcessDir => {
                add("fd", self.pid, Entry::FdDir);
                for (at, (name, _)) in PROCESS_FILES.iter().enumerate() {
                    add(name, self.pid, Entry::Process(at as u32));
                }
                for (at, name) in PROCESS_LINKS.iter().enumerate() {
                    add(name, self.pid, Entry::Link(at as u32));
                }
            }
            Entry::FdDir => {
                let fds = self.pid.and_then(|pid| kernel.proc(pid).ok()).map(|process| process.fds.numbers());
                for fd in fds.unwrap_or_default() {
                    add(&fd.to_string(), self.pid, Entry::Fd(fd as u32));
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
