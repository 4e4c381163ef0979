//! The tree of mounts.

use provium_protocol::Errno;

use super::NodeId;
use super::fs::{FileSystem, FsKind, MemoryFs, ROOT_INO};
use crate::flags::{MS_BIND, MS_RDONLY, MS_REMOUNT};
use crate::kernel::Kernel;
use crate::limits::PAGE;
use crate::types::Pid;

/// Names a mount.
pub type MountId = u32;

/// A place in the tree: a node as seen through a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loc {
    /// Through which mount.
    pub mount: MountId,
    /// Which node.
    pub node: NodeId,
}

/// One mount.
#[derive(Clone)]
pub struct Mount {
    /// The node that stands at the mount point.
    pub root: NodeId,
    /// Where it is mounted; `None` for the root of the tree.
    pub at: Option<Loc>,
    /// What `/proc/mounts` calls its source.
    pub source: Vec<u8>,
    /// Where, as a path.
    pub target: Vec<u8>,
    /// Nothing can be changed through it.
    pub read_only: bool,
}

impl Kernel {
    /// The top of what is mounted at a place: itself when nothing is.
    pub(crate) fn cross_mounts(&self, mut loc: Loc) -> Loc {
        while let Some(mount) = self.mounted_at.get(&loc) {
            loc = Loc { mount: *mount, node: self.mounts[mount].root };
        }
        loc
    }

    /// The directory above a place, the mount crossed where it is the root of one.
    pub(crate) fn parent_of(&self, mut loc: Loc) -> Loc {
        while let Some(mount) = self.mounts.get(&loc.mount) {
            if mount.root != loc.node {
                break;
            }
            match mount.at {
                Some(at) => loc = at,
                None => return loc,
            }
        }
        self.cross_mounts(Loc { mount: loc.mount, node: self.parent_node(loc.node) })
    }

    pub(crate) fn root_loc(&self) -> Loc {
        let root = Loc { mount: 0, node: NodeId { fs: 0, ino: ROOT_INO } };
        self.cross_mounts(root)
    }

    /// `EROFS` if nothing may be changed through this mount.
    pub(crate) fn check_writable(&self, mount: MountId) -> Result<(), Errno> {
        match self.mounts.get(&mount) {
            Some(mount) if mount.read_only => Err(Errno::EROFS),
            _ => Ok(()),
        }
    }

    pub(crate) fn add_filesystem(&mut self, kind: FsKind, type_name: &'static str) -> u32 {
        let number = self.filesystems.len() as u32;
        self.filesystems.push(FileSystem { kind, dev: super::device::makedev(0, number + 20), type_name });
        number
    }

    pub(crate) fn attach(&mut self, mount: Mount) -> MountId {
        let id = self.next_mount;
        self.next_mount += 1;
        self.hold(mount.root);
        if let Some(at) = mount.at {
            self.hold(at.node);
            self.mounted_at.insert(at, id);
        }
        self.mounts.insert(id, mount);
        id
    }

    /// mount(2): `tmpfs` (of what `data` says, only its size counts), `proc`, or with `MS_BIND` a part of the tree.
    pub(crate) fn mount(
        &mut self,
        pid: Pid,
        source: &[u8],
        target: &[u8],
        fstype: &[u8],
        flags: u64,
        data: &[u8],
    ) -> Result<(), Errno> {
        if !self.proc(pid)?.creds.is_root() {
            return Err(Errno::EPERM);
        }
        let at = self.walk(pid, crate::flags::AT_FDCWD, target, true)?.found()?;
        let path = self.path_of(at);
        if flags & MS_REMOUNT != 0 {
            let mount = self.mounts.get_mut(&at.mount).filter(|mount| mount.root == at.node).ok_or(Errno::EINVAL)?;
            mount.read_only = flags & MS_RDONLY != 0;
            return Ok(());
        }
        let root = if flags & MS_BIND != 0 {
            let from = self.walk(pid, crate::flags::AT_FDCWD, source, true)?.found()?;
            if self.is_dir(from.node) != self.is_dir(at.node) {
                return Err(Errno::ENOTDIR);
            }
            from.node
        } else {
            if !self.is_dir(at.node) {
                return Err(Errno::ENOTDIR);
            }
            let fs = match fstype {
                b"tmpfs" | b"ramfs" => {
                    let memory = MemoryFs::new(tmpfs_size(data, self.memory)?, 0o1777, self.realtime());
                    self.add_filesystem(FsKind::Memory(memory), "tmpfs")
                }
                b"proc" => self.proc_fs,
                _ => return Err(Errno::ENODEV),
            };
            NodeId { fs, ino: ROOT_INO }
        };
        let read_only = flags & MS_RDONLY != 0;
        self.attach(Mount { root, at: Some(at), source: source.to_vec(), target: path, read_only });
        Ok(())
    }

    /// umount(2): `EBUSY` while something under it is in use.
    pub(crate) fn umount(&mut self, pid: Pid, target: &[u8]) -> Result<(), Errno> {
        if !self.proc(pid)?.creds.is_root() {
            return Err(Errno::EPERM);
        }
        let loc = self.walk(pid, crate::flags::AT_FDCWD, target, true)?.found()?;
        let mount = self.mounts.get(&loc.mount).ok_or(Errno::EINVAL)?;
        if mount.root != loc.node || loc.mount == 0 {
            return Err(Errno::EINVAL);
        }
        let used = self.mounts.values().any(|other| other.at.is_some_and(|at| at.mount == loc.mount))
            || self.procs.values().any(|process| process.cwd.mount == loc.mount || process.root.mount == loc.mount)
            || self.files.iter().any(|(_, file)| file.loc.is_some_and(|at| at.mount == loc.mount));
        if used {
            return Err(Errno::EBUSY);
        }
        if let Some(mount) = self.mounts.remove(&loc.mount) {
            if let Some(at) = mount.at {
                self.mounted_at.remove(&at);
                self.unhold(at.node);
            }
            self.unhold(mount.root);
        }
        Ok(())
    }
}

/// How large a tmpfs may grow in bytes, by `size=` of its options as tmpfs(5) has it: half of the memory if they do not say.
fn tmpfs_size(data: &[u8], memory: u64) -> Result<u64, Errno> {
    let mut size = memory / 2;
    for word in data.split(|byte| *byte == b',') {
        let Some(value) = word.strip_prefix(b"size=") else { continue };
        let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, unit) = value.split_at(digits);
        let number: u64 = std::str::from_utf8(number).ok().and_then(|text| text.parse().ok()).ok_or(Errno::EINVAL)?;
        let bytes = match unit {
            b"" => Some(number),
            b"k" | b"K" => number.checked_mul(1 << 10),
            b"m" | b"M" => number.checked_mul(1 << 20),
            b"g" | b"G" => number.checked_mul(1 << 30),
            b"%" => memory.checked_mul(number).map(|share| share / 100),
            _ => None,
        };
        let whole_pages = bytes.and_then(|bytes| bytes.checked_next_multiple_of(PAGE as u64));
        size = whole_pages.ok_or(Errno::EINVAL)?;
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_tmpfs_is_what_its_options_say() {
        let size = |data: &str| tmpfs_size(data.as_bytes(), 512 << 20);
        assert_eq!(size(""), Ok(256 << 20));
        assert_eq!(size("mode=755,size=1M"), Ok(1 << 20));
        assert_eq!(size("size=1,size=5k"), Ok(8 << 10));
        assert_eq!(size("size=50%"), Ok(256 << 20));
        for wrong in ["size=", "size=x", "size=1T", "size=99999999999G", "size=18446744073709551615"] {
            assert_eq!(size(wrong), Err(Errno::EINVAL), "{wrong}");
        }
    }
}
