//! Files and links below `/proc/PID` and `/proc/PID/task/TID`, see proc_pid(5).

use std::fmt::Write as _;
use std::rc::Rc;

use provium_protocol::Errno;

use super::node::{Entry, Node, PROCESS_FILES, PROCESS_LINKS, THREAD_FILES};
use super::{Magic, check_may_look, mounts};
use crate::flags::AT_FDCWD;
use crate::kernel::Kernel;
use crate::kernel::process::Process;
use crate::kernel::rlimit::{INFINITY, NAMES};
use crate::kernel::wait::{Channel, object};
use crate::types::Pid;
use crate::world::thread::Thread;

/// Nanoseconds in a clock tick, a hundredth of a second.
const TICK: u64 = 10_000_000;

/// What a simulated program takes of memory, in pages: programs have none of their own, and tools
/// expect some number.
const VM_PAGES: u64 = 1_024;
const RSS_PAGES: u64 = 256;

/// Limits of `oom_score_adj`.
const OOM_ADJ: std::ops::RangeInclusive<i32> = -1000..=1000;

/// A process, or one thread of it.
struct Task<'a> {
    process: &'a Process,
    thread: Option<&'a Rc<Thread>>,
    id: Pid,
}

impl<'a> Task<'a> {
    fn of(kernel: &'a Kernel, node: Node) -> Result<Task<'a>, Errno> {
        let id = node.pid.ok_or(Errno::ENOENT)?;
        let process = kernel.find_process(id).map_err(|_| Errno::ENOENT)?;
        let thread = match node.entry {
            Entry::Thread(_) => process.threads.iter().find(|thread| thread.tid() == id),
            _ => None,
        };
        Ok(Task { process, thread, id })
    }

    /// The letter of its state and its word, see proc_pid_status(5).
    fn state(&self) -> (char, &'static str) {
        if self.process.is_zombie() {
            return ('Z', "zombie");
        }
        if self.process.stopped.is_some() {
            return ('T', "stopped");
        }
        let running = match self.thread {
            Some(thread) => thread.is_running(),
            None => self.process.is_running(),
        };
        if running { ('R', "running") } else { ('S', "sleeping") }
    }

    fn comm(&self) -> Vec<u8> {
        match self.thread.and_then(|thread| thread.name().borrow().clone()) {
            Some(name) => name,
            None => self.process.comm.clone(),
        }
    }

    fn blocked(&self) -> u64 {
        self.thread.map_or_else(|| self.process.blocked_mask(), |thread| thread.blocked())
    }
}

pub(super) fn link_target(kernel: &Kernel, node: Node, viewer: Pid) -> Result<Vec<u8>, Errno> {
    let process = Task::of(kernel, node)?.process;
    check_may_look(kernel, viewer, process)?;
    match node.entry {
        Entry::Fd(fd) => {
            let id = kernel.file_id(process.pid, fd as i32).map_err(|_| Errno::ENOENT)?;
            Ok(kernel.file_name(id))
        }
        // An ended process stands nowhere and runs nothing.
        Entry::Link(_) if process.is_zombie() => Err(Errno::ENOENT),
        Entry::Link(at) => match PROCESS_LINKS.get(at as usize) {
            Some(&"cwd") => Ok(kernel.path_of(process.cwd)),
            Some(&"exe") if process.exe.is_empty() => Err(Errno::ENOENT),
            Some(&"exe") => Ok(process.exe.clone()),
            _ => Ok(kernel.path_of(process.root)),
        },
        _ => Err(Errno::EINVAL),
    }
}

pub(super) fn magic_link(kernel: &Kernel, node: Node, viewer: Pid) -> Result<Option<Magic>, Errno> {
    match node.entry {
        Entry::Fd(fd) => {
            let process = Task::of(kernel, node)?.process;
            check_may_look(kernel, viewer, process)?;
            let id = kernel.file_id(process.pid, fd as i32).map_err(|_| Errno::ENOENT)?;
            Ok(Some(match kernel.file(id)?.loc {
                Some(loc) => Magic::Place(loc),
                None => Magic::OpenFile(id),
            }))
        }
        Entry::Link(at) => {
            let process = Task::of(kernel, node)?.process;
            check_may_look(kernel, viewer, process)?;
            let place = match PROCESS_LINKS.get(at as usize) {
                Some(&"cwd") => process.cwd,
                Some(&"root") => process.root,
                _ => return Ok(None),
            };
            if process.is_zombie() { Err(Errno::ENOENT) } else { Ok(Some(Magic::Place(place))) }
        }
        _ => Ok(None),
    }
}

/// Texts one after another, each with a NUL at its end.
fn joined(texts: &[Vec<u8>]) -> Vec<u8> {
    texts.iter().flat_map(|text| text.iter().chain(&[0])).copied().collect()
}

pub(super) fn content(kernel: &Kernel, node: Node, viewer: Pid) -> Result<Vec<u8>, Errno> {
    let task = Task::of(kernel, node)?;
    let process = task.process;
    let name = match node.entry {
        Entry::Process(at) => PROCESS_FILES.get(at as usize),
        Entry::Thread(at) => THREAD_FILES.get(at as usize),
        _ => return Err(Errno::EINVAL),
    };
    let ended = process.is_zombie();
    Ok(match name.ok_or(Errno::ENOENT)?.0 {
        "cgroup" => b"0::/\n".to_vec(),
        "children" => {
            let children: Vec<String> = process.children.iter().map(|child| format!("{child} ")).collect();
            // Children belong to the thread that made them; here all are the first one's.
            if task.id == process.pid { children.concat().into_bytes() } else { Vec::new() }
        }
        "cmdline" => {
            if ended {
                Vec::new()
            } else {
                joined(&process.argv)
            }
        }
        "comm" => [&task.comm()[..], b"\n"].concat(),
        "environ" => {
            check_may_look(kernel, viewer, process)?;
            if ended { Vec::new() } else { joined(&process.env) }
        }
        "limits" => limits(process),
        "maps" => {
            check_may_look(kernel, viewer, process)?;
            if ended { Vec::new() } else { maps(kernel, process) }
        }
        "mountinfo" => mounts::mountinfo(kernel),
        "mounts" => mounts::mounts(kernel),
        "oom_score" => format!("{}\n", (666 + process.oom_score_adj * 2 / 3).max(0)).into_bytes(),
        "oom_score_adj" => format!("{}\n", process.oom_score_adj).into_bytes(),
        "stat" => stat(&task),
        "statm" if ended => b"0 0 0 0 0 0 0\n".to_vec(),
        "statm" => format!("{VM_PAGES} {RSS_PAGES} {RSS_PAGES} 1 0 64 0\n").into_bytes(),
        "status" => status(&task),
        "wchan" => wchan(&task).as_bytes().to_vec(),
        _ => return Err(Errno::EIO),
    })
}

fn stat(task: &Task<'_>) -> Vec<u8> {
    let process = task.process;
    let start = process.started / TICK;
    let memory = if process.is_zombie() { 0 } else { 1 };
    let mut line = format!("{} (", task.id).into_bytes();
    line.extend_from_slice(&task.comm());
    let rest = format!(
        ") {} {} {} {} 0 -1 4194304 0 0 0 0 {} 0 {} 0 20 0 {} 0 {start} {} {} 18446744073709551615 0 0 0 0 0 {} {} {} {} 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 {}\n",
        task.state().0,
        process.ppid,
        process.pgid,
        process.sid,
        process.cpu_ns / TICK,
        process.children_cpu_ns / TICK,
        process.threads.len().max(1),
        memory * VM_PAGES * 4096,
        memory * RSS_PAGES,
        process.pending & 0x7fff_ffff,
        task.blocked() & 0x7fff_ffff,
        process.ignored_mask() & 0x7fff_ffff,
        process.caught_mask() & 0x7fff_ffff,
        process.ended.map_or(0, |status| status.raw()),
    );
    line.extend_from_slice(rest.as_bytes());
    line
}

fn status(task: &Task<'_>) -> Vec<u8> {
    let process = task.process;
    let (letter, word) = task.state();
    // A thread may have credentials of its own.
    let own = task.thread.and_then(|thread| thread.credentials().try_borrow().ok()?.as_deref().cloned());
    let creds = own.as_ref().unwrap_or(&process.creds);
    let groups: Vec<String> = creds.groups.iter().map(|group| format!("{group} ")).collect();
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "\nUmask:\t{:04o}\nState:\t{letter} ({word})\nTgid:\t{}\nNgid:\t0\nPid:\t{}\nPPid:\t{}\nTracerPid:\t0\nUid:\t{}\t{}\t{}\t{}\nGid:\t{}\t{}\t{}\t{}\nFDSize:\t{}\nGroups:\t{}\nNStgid:\t{}\nNSpid:\t{}\nNSpgid:\t{}\nNSsid:\t{}\n",
        process.umask,
        process.pid,
        task.id,
        process.ppid,
        creds.uid,
        creds.euid,
        creds.suid,
        creds.euid,
        creds.gid,
        creds.egid,
        creds.sgid,
        creds.egid,
        process.fds.numbers().last().map_or(64, |last| (*last as usize + 1).next_power_of_two().max(64)),
        groups.concat(),
        process.pid,
        task.id,
        process.pgid,
        process.sid,
    );
    if !process.is_zombie() {
        let (vm, rss) = (VM_PAGES * 4, RSS_PAGES * 4);
        let _ = write!(
            text,
            "VmPeak:\t{vm:8} kB\nVmSize:\t{vm:8} kB\nVmLck:\t{0:8} kB\nVmHWM:\t{rss:8} kB\nVmRSS:\t{rss:8} kB\nVmSwap:\t{0:8} kB\n",
            0
        );
    }
    let own_pending = task.thread.map_or(0, |thread| thread.pending().get());
    let _ = write!(
        text,
        "Threads:\t{}\nSigQ:\t0/2000\nSigPnd:\t{own_pending:016x}\nShdPnd:\t{:016x}\nSigBlk:\t{:016x}\nSigIgn:\t{:016x}\nSigCgt:\t{:016x}\n",
        process.threads.len().max(1),
        process.pending,
        task.blocked(),
        process.ignored_mask(),
        process.caught_mask(),
    );
    [b"Name:\t", &task.comm()[..], text.as_bytes()].concat()
}

fn limits(process: &Process) -> Vec<u8> {
    let shown = |limit: u64| if limit == INFINITY { "unlimited".to_owned() } else { limit.to_string() };
    let mut text = format!("{:<25} {:<20} {:<20} {:<10}\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for ((name, unit, ..), (soft, hard)) in NAMES.iter().zip(process.rlimits) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:<25} {:<20} {:<20} {unit:<10}", shown(soft), shown(hard));
    }
    text.into_bytes()
}

/// The program and its stack, at addresses where Linux would put them.
fn maps(kernel: &Kernel, process: &Process) -> Vec<u8> {
    let mut text = Vec::new();
    let mut line = |range: &str, perms: &str, file: &str, name: &[u8]| {
        // The name begins in column 74.
        text.extend_from_slice(format!("{:<73}", format!("{range} {perms} 00000000 {file}")).as_bytes());
        text.extend_from_slice(name);
        text.push(b'\n');
    };
    if let Ok(Some(loc)) = kernel.walk(1, AT_FDCWD, &process.exe, true).map(|walk| walk.found().ok())
        && let Ok(stat) = kernel.stat_node(loc.node)
    {
        let file = format!("00:{:02x} {}", stat.dev & 0xff, stat.ino);
        line("555555554000-555555555000", "r-xp", &file, &process.exe);
    }
    line("7ffffffde000-7ffffffff000", "rw-p", "00:00 0", b"[stack]");
    text
}

/// The function of the kernel that a task sleeps in, as Linux calls it.
fn wchan(task: &Task<'_>) -> &'static str {
    let Some(thread) = task.thread.or(task.process.threads.first()) else { return "0" };
    let waiting = thread.waiting().borrow();
    match waiting.as_slice() {
        [] => "0",
        [Channel::PipeData(_)] => "pipe_read",
        [Channel::PipeRoom(_)] => "pipe_write",
        [Channel::FifoPeer(_)] => "wait_for_partner",
        [Channel::Child(_)] => "do_wait",
        [Channel::Flock(_) | Channel::PosixLock(_)] => "locks_lock_inode_wait",
        [Channel::Signal(_)] => "do_pause",
        [Channel::Pending(_), ..] => "do_sigtimedwait",
        [Channel::Timer] => "hrtimer_nanosleep",
        [Channel::Object(object::SOCKET, _)] => "unix_stream_read_generic",
        [Channel::Object(object::SOCKET_ROOM, _), ..] => "sock_alloc_send_pskb",
        [Channel::Object(object::EVENT, _)] => "eventfd_read",
        [Channel::Object(object::EPOLL, _), ..] => "ep_poll",
        _ => "do_poll",
    }
}

pub(super) fn write(kernel: &mut Kernel, node: Node, data: &[u8], writer: Pid) -> Result<(), Errno> {
    let line = data.split(|byte| *byte == b'\n' || *byte == 0).next().unwrap_or_default();
    let name = match node.entry {
        Entry::Process(at) => PROCESS_FILES.get(at as usize),
        Entry::Thread(at) => THREAD_FILES.get(at as usize),
        _ => None,
    };
    match name.map(|file| file.0) {
        Some("comm") => {
            let task = Task::of(kernel, node)?;
            if task.process.pid != writer {
                return Err(Errno::EINVAL);
            }
            // Names of tasks are 15 bytes at most (TASK_COMM_LEN).
            let name = &line[..line.len().min(15)];
            match task.thread.cloned() {
                Some(thread) => kernel.set_thread_name(&thread, name),
                None => {
                    kernel.proc_mut(writer)?.comm = name.to_vec();
                    Ok(())
                }
            }
        }
        Some("oom_score_adj") => {
            let text = std::str::from_utf8(line.trim_ascii()).map_err(|_| Errno::EINVAL)?;
            let value: i32 = text.parse().map_err(|_| Errno::EINVAL)?;
            if !OOM_ADJ.contains(&value) {
                return Err(Errno::EINVAL);
            }
            let root = kernel.proc(writer)?.creds.is_root();
            let process = kernel.find_process_mut(node.pid.ok_or(Errno::ENOENT)?)?;
            // Only root may make a process less likely to be chosen.
            if value < process.oom_score_adj && !root {
                return Err(Errno::EACCES);
            }
            process.oom_score_adj = value;
            Ok(())
        }
        _ => Err(Errno::EIO),
    }
}
