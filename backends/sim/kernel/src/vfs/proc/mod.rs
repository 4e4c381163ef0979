//! `/proc`, see proc(5): made up from the kernel's state whenever somebody looks.
//!
//! The inode number says what a node is: the process id in the upper bits, the kind of entry in the
//! lower 32 ([`node`]).

mod node;
mod process;
mod system;

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
pub(crate) fn stat(kernel: &Kernel, ino: u64, _viewer: Pid) -> Result<Stat, Errno> {
    let node = Node::decode(ino).ok_or(Errno::ENOENT)?;
    let (uid, gid, started) = match node.pid {
        None => (0, 0, 0),
        Some(pid) => {
            let process = kernel.proc(pid).map_err(|_| Errno::ENOENT)?;
            (process.creds.euid, process.creds.egid, process.started)
        }
    };
    let (kind, perm) = match node.entry {
        entry if entry.is_dir() => (S_IFDIR, if entry == Entry::FdDir { 0o500 } else { 0o555 }),
        entry if entry.is_link() => (S_IFLNK, 0o777),
        entry => (S_IFREG, entry.perm()),
    };
    let time = TimeSpec::from_nanos(kernel.boot_time.saturating_add(started as i64));
    let nlink = if kind == S_IFDIR { 2 } else { 1 };
    Ok(Stat {
        mode: kind | perm,
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
pub(crate) fn lookup(kernel: &Kernel, dir: u64, name: &[u8], viewer: Pid) -> Result<Option<u64>, Errno> {
    let node = Node::decode(dir).ok_or(Errno::ENOENT)?;
    Ok(node.child(kernel, name, viewer).map(Node::encode))
}

/// The directory above one.
pub(crate) fn parent(ino: u64) -> u64 {
    Node::decode(ino).map_or(super::fs::ROOT_INO, |node| node.parent().encode())
}

/// The entries of a directory, without the dots.
pub(crate) fn entries(kernel: &Kernel, dir: u64, viewer: Pid) -> Result<Vec<DirEntry>, Errno> {
    let node = Node::decode(dir).ok_or(Errno::ENOENT)?;
    if !node.entry.is_dir() {
        return Err(Errno::ENOTDIR);
    }
    let all = node.children(kernel, viewer);
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

/// What a symbolic link says.
pub(crate) fn link_target(kernel: &Kernel, ino: u64, viewer: Pid) -> Result<Vec<u8>, Errno> {
    let node = Node::decode(ino).ok_or(Errno::ENOENT)?;
    match node.entry {
        Entry::SelfLink => Ok(viewer.to_string().into_bytes()),
        Entry::MountsLink => Ok(b"self/mounts".to_vec()),
        entry if entry.is_link() => process::link_target(kernel, node),
        _ => Err(Errno::EINVAL),
    }
}

/// Where a link leads that is not followed by its text.
pub(crate) fn magic_link(kernel: &Kernel, ino: u64, _viewer: Pid) -> Result<Option<Magic>, Errno> {
    let node = Node::decode(ino).ok_or(Errno::ENOENT)?;
    process::magic_link(kernel, node)
}

/// What reading a file gives.
pub(crate) fn content(kernel: &Kernel, ino: u64, viewer: Pid) -> Result<Vec<u8>, Errno> {
    let node = Node::decode(ino).ok_or(Errno::ENOENT)?;
    match node.pid {
        Some(_) => process::content(kernel, node),
        None => system::content(kernel, node.entry, viewer),
    }
}

/// Writes to a file: `EIO` or `EINVAL` for what it does not take.
pub(crate) fn write(kernel: &mut Kernel, ino: u64, data: &[u8]) -> Result<(), Errno> {
    let node = Node::decode(ino).ok_or(Errno::ENOENT)?;
    match node.pid {
        Some(_) => process::write(kernel, node, data),
        None => system::write(kernel, node.entry, data),
    }
}
