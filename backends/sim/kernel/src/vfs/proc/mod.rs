//! `/proc`, see proc(5): made up from the kernel's state whenever somebody looks.
//!
//! The inode number says what a node is: the process id in the upper bits, the kind of entry in the
//! lower 32 (`node`).

mod fdinfo;
mod mounts;
mod net;
mod node;
mod process;
mod settings;
mod system;
mod tree;

use provium_protocol::Errno;

use super::mount::Loc;
use crate::flags::{S_IFDIR, S_IFLNK, S_IFREG};
use crate::kernel::Kernel;
use crate::types::{DirEntry, Pid, Stat, TimeSpec};
use node::{Entry, Node};

/// What a link leads to that has no path.
pub(crate) enum Magic {
    /// A place in the tree.
    Place(Loc),
    /// An open file without one.
    OpenFile(usize),
}

/// What stat(2) says of a node; device and inode number are filled in by the caller.
pub(crate) fn stat(kernel: &Kernel, ino: u64) -> Result<Stat, Errno> {
    let node = Node::decode(ino).ok_or(Errno::ENOENT)?;
    let (uid, gid, started) = match node.pid {
        None => (0, 0, 0),
        Some(pid) => {
            let process = kernel.find_process(pid).map_err(|_| Errno::ENOENT)?;
            (process.creds.euid, process.creds.egid, process.started)
        }
    };
    let kind = match node.entry {
        entry if entry.is_dir() => S_IFDIR,
        entry if entry.is_link() => S_IFLNK,
        _ => S_IFREG,
    };
    let time = TimeSpec::from_nanos(kernel.boot_time.saturating_add(started as i64));
    let nlink = if kind == S_IFDIR { 2 } else { 1 };
    Ok(Stat {
        mode: kind | node.entry.perm(),
        nlink,
        uid,
        gid,
        blksize: 1024,
        atime: time,
        mtime: time,
        ctime: time,
        ..Stat::default()
    })
}

/// The node of a name in a directory.
pub(crate) fn lookup(kernel: &Kernel, dir: u64, name: &[u8]) -> Result<Option<u64>, Errno> {
    let node = Node::decode(dir).ok_or(Errno::ENOENT)?;
    Ok(node.child(kernel, name).map(Node::encode))
}

/// The directory above one.
pub(crate) fn parent(kernel: &Kernel, ino: u64) -> u64 {
    Node::decode(ino).map_or(super::fs::ROOT_INO, |node| node.parent(kernel).encode())
}

/// The entries of a directory, without the dots.
pub(crate) fn entries(kernel: &Kernel, dir: u64) -> Result<Vec<DirEntry>, Errno> {
    let node = Node::decode(dir).ok_or(Errno::ENOENT)?;
    if !node.entry.is_dir() {
        return Err(Errno::ENOTDIR);
    }
    let all = node.children(kernel);
    Ok(all
        .into_iter()
        .map(|(name, child)| {
            let kind = match child.entry {
                entry if entry.is_dir() => S_IFDIR,
                entry if entry.is_link() => S_IFLNK,
                _ => S_IFREG,
            };
            DirEntry { name, ino: child.encode(), kind }
        })
        .collect())
}

/// `EACCES` unless a process may look into another, see ptrace(2) under "access mode checking".
fn check_may_look(kernel: &Kernel, viewer: Pid, at: &crate::kernel::process::Process) -> Result<(), Errno> {
    let creds = &kernel.proc(viewer)?.creds;
    let target = &at.creds;
    let same = [target.uid, target.euid, target.suid].iter().all(|id| *id == creds.euid)
        && [target.gid, target.egid, target.sgid].iter().all(|id| *id == creds.egid);
    if viewer == at.pid || creds.is_root() || same { Ok(()) } else { Err(Errno::EACCES) }
}

/// What a symbolic link says.
pub(crate) fn link_target(kernel: &Kernel, ino: u64, viewer: Pid) -> Result<Vec<u8>, Errno> {
    let node = Node::decode(ino).ok_or(Errno::ENOENT)?;
    match node.entry {
        Entry::SelfLink => Ok(viewer.to_string().into_bytes()),
        Entry::ThreadSelfLink => Ok(format!("{viewer}/task/{}", kernel.current_tid).into_bytes()),
        Entry::MountsLink => Ok(b"self/mounts".to_vec()),
        Entry::NetLink => Ok(b"self/net".to_vec()),
        entry if entry.is_link() => process::link_target(kernel, node, viewer),
        _ => Err(Errno::EINVAL),
    }
}

/// Where a link leads that is not followed by its text.
pub(crate) fn magic_link(kernel: &Kernel, ino: u64, viewer: Pid) -> Result<Option<Magic>, Errno> {
    let node = Node::decode(ino).ok_or(Errno::ENOENT)?;
    process::magic_link(kernel, node, viewer)
}

/// What reading a file gives.
pub(crate) fn content(kernel: &mut Kernel, ino: u64, viewer: Pid) -> Result<Vec<u8>, Errno> {
    let node = Node::decode(ino).ok_or(Errno::ENOENT)?;
    match node.entry {
        Entry::System(at) => {
            let entry = tree::SYSTEM.get(at as usize).ok_or(Errno::ENOENT)?;
            match entry.setting() {
                Some(setting) => settings::read(kernel, entry.path, setting),
                None => system::content(kernel, entry.path),
            }
        }
        Entry::Net(at) => net::content(kernel, at),
        Entry::FdInfo(fd) => fdinfo::content(kernel, node.pid.ok_or(Errno::ENOENT)?, fd as i32),
        _ => process::content(kernel, node, viewer),
    }
}

/// Writes to a file: `EIO` or `EINVAL` for what it does not take.
pub(crate) fn write(kernel: &mut Kernel, ino: u64, data: &[u8], writer: Pid) -> Result<(), Errno> {
    let node = Node::decode(ino).ok_or(Errno::ENOENT)?;
    match node.entry {
        Entry::System(at) => {
            let entry = tree::SYSTEM.get(at as usize).ok_or(Errno::ENOENT)?;
            match entry.setting() {
                Some(setting) => settings::write(kernel, entry.path, setting, data),
                None => system::write(kernel, entry.path, data),
            }
        }
        _ => process::write(kernel, node, data, writer),
    }
}
