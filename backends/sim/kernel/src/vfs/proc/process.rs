//! Files and links below `/proc/PID`, see proc_pid(5).

use std::fmt::Write as _;

use provium_protocol::Errno;

use super::Magic;
use super::node::{Entry, Node, PROCESS_FILES, PROCESS_LINKS};
use crate::kernel::Kernel;
use crate::kernel::process::Process;
use crate::world::thread::ThreadActivity;

fn process(kernel: &Kernel, node: Node) -> Result<&Process, Errno> {
    kernel.proc(node.pid.ok_or(Errno::ENOENT)?).map_err(|_| Errno::ENOENT)
}

pub(super) fn link_target(kernel: &Kernel, node: Node) -> Result<Vec<u8>, Errno> {
    let process = process(kernel, node)?;
    match node.entry {
        Entry::Fd(fd) => {
            let id = kernel.file_id(process.pid, fd as i32).map_err(|_| Errno::ENOENT)?;
            Ok(kernel.file_name(id))
        }
        Entry::Link(at) => match PROCESS_LINKS.get(at as usize) {
            Some(&"cwd") => Ok(kernel.path_of(process.cwd)),
            Some(&"exe") if process.exe.is_empty() => Err(Errno::ENOENT),
            Some(&"exe") => Ok(process.exe.clone()),
            _ => Ok(b"/".to_vec()),
        },
        _ => Err(Errno::EINVAL),
    }
}

pub(super) fn magic_link(kernel: &Kernel, node: Node) -> Result<Option<Magic>, Errno> {
    match node.entry {
        Entry::Fd(fd) => {
            let id = kernel.file_id(process(kernel, node)?.pid, fd as i32).map_err(|_| Errno::ENOENT)?;
            Ok(Some(match kernel.file(id)?.loc {
                Some(loc) => Magic::Place(loc),
                None => Magic::OpenFile(id),
            }))
        }
        Entry::Link(at) if PROCESS_LINKS.get(at as usize) == Some(&"cwd") => {
            Ok(Some(Magic::Place(process(kernel, node)?.cwd)))
        }
        _ => Ok(None),
    }
}

/// The letter of a process's state and its word, see proc_pid_status(5).
fn state(process: &Process) -> (char, &'static str) {
    if process.is_zombie() {
        return ('Z', "zombie");
    }
    if process.stopped.is_some() {
        return ('T', "stopped");
    }
    match process.threads.iter().any(|thread| thread.activity() == ThreadActivity::Running) {
        true => ('R', "running"),
        false => ('S', "sleeping"),
    }
}

pub(super) fn content(kernel: &Kernel, node: Node) -> Result<Vec<u8>, Errno> {
    let process = process(kernel, node)?;
    let Entry::Process(at) = node.entry else { return Err(Errno::EINVAL) };
    let name = PROCESS_FILES.get(at as usize).ok_or(Errno::ENOENT)?.0;
    Ok(match name {
        "cmdline" => {
            let mut all = Vec::new();
            for arg in if process.is_zombie() { &[][..] } else { &process.argv } {
                all.extend_from_slice(arg);
                all.push(0);
            }
            all
        }
        "comm" => [&process.comm[..], b"\n"].concat(),
        "environ" => {
            let mut all = Vec::new();
            for variable in &process.env {
                all.extend_from_slice(variable);
                all.push(0);
            }
            all
        }
        "mounts" => super::system::mounts(kernel),
        "stat" => stat(process),
        _ => status(process),
    })
}

fn stat(process: &Process) -> Vec<u8> {
    // Clock ticks are hundredths of a second.
    let start = process.started / 10_000_000;
    let mut line = format!("{} (", process.pid).into_bytes();
    line.extend_from_slice(&process.comm);
    let rest = format!(
        ") {} {} {} {} 0 -1 4194304 0 0 0 0 {} 0 0 0 20 0 {} 0 {start} {} {} 18446744073709551615 0 0 0 0 0 {} {} {} 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
        state(process).0,
        process.ppid,
        process.pgid,
        process.sid,
        process.cpu_ns / 10_000_000,
        process.threads.len().max(1),
        4 << 20,
        256,
        process.blocked_mask() & 0x7fff_ffff,
        process.ignored_mask() & 0x7fff_ffff,
        process.caught_mask() & 0x7fff_ffff,
    );
    line.extend_from_slice(rest.as_bytes());
    line
}

fn status(process: &Process) -> Vec<u8> {
    let (letter, word) = state(process);
    let creds = &process.creds;
    let mut text = String::new();
    let groups: Vec<String> = creds.groups.iter().map(ToString::to_string).collect();
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "\nUmask:\t{:04o}\nState:\t{letter} ({word})\nTgid:\t{}\nNgid:\t0\nPid:\t{}\nPPid:\t{}\nTracerPid:\t0\nUid:\t{}\t{}\t{}\t{}\nGid:\t{}\t{}\t{}\t{}\nFDSize:\t{}\nGroups:\t{}\nNStgid:\t{}\nNSpid:\t{}\nNSpgid:\t{}\nNSsid:\t{}\nVmSize:\t4096 kB\nVmRSS:\t1024 kB\nThreads:\t{}\nSigQ:\t0/2000\nSigPnd:\t0000000000000000\nShdPnd:\t{:016x}\nSigBlk:\t{:016x}\nSigIgn:\t{:016x}\nSigCgt:\t{:016x}\n",
        process.umask,
        process.pid,
        process.pid,
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
        groups.join(" "),
        process.pid,
        process.pid,
        process.pgid,
        process.sid,
        process.threads.len().max(1),
        process.pending,
        process.blocked_mask(),
        process.ignored_mask(),
        process.caught_mask(),
    );
    [b"Name:\t", &process.comm[..], text.as_bytes()].concat()
}

pub(super) fn write(kernel: &mut Kernel, node: Node, data: &[u8]) -> Result<(), Errno> {
    let Entry::Process(at) = node.entry else { return Err(Errno::EINVAL) };
    match PROCESS_FILES.get(at as usize).map(|file| file.0) {
        Some("comm") => {
            let name = data.strip_suffix(b"\n").unwrap_or(data);
            let pid = node.pid.ok_or(Errno::ENOENT)?;
            // Names of tasks are 15 bytes at most (TASK_COMM_LEN).
            kernel.proc_mut(pid)?.comm = name[..name.len().min(15)].to_vec();
            Ok(())
        }
        _ => Err(Errno::EIO),
    }
}
