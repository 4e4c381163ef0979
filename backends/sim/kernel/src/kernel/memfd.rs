//! memfd_create(2): a file without a name, in a file system that nobody sees, and its seals.

use std::collections::BTreeMap;

use provium_protocol::Errno;

use super::Kernel;
use super::file::{FileKind, OpenFile};
use crate::flags::{O_LARGEFILE, O_RDWR};
use crate::types::{Fd, Pid};
use crate::vfs::inode::{Inode, InodeKind, NodeId};
use crate::vfs::mount::{Loc, MountId};

const MFD_CLOEXEC: u32 = 1;
const MFD_ALLOW_SEALING: u32 = 2;
const MFD_NOEXEC_SEAL: u32 = 8;
const MFD_EXEC: u32 = 16;

/// Longest name: 255 bytes with the `memfd:` before it.
pub(crate) const MEMFD_NAME_MAX: usize = 249;

/// No mount bears this number, so nothing is read-only there.
const NOWHERE: MountId = MountId::MAX;

/// fcntl(2): no more seals.
pub(crate) const F_SEAL_SEAL: u32 = 1;
/// fcntl(2): it cannot become shorter.
pub(crate) const F_SEAL_SHRINK: u32 = 2;
/// fcntl(2): it cannot become longer.
pub(crate) const F_SEAL_GROW: u32 = 4;
/// fcntl(2): it cannot be written.
pub(crate) const F_SEAL_WRITE: u32 = 8;
/// fcntl(2): it cannot be written from now on.
pub(crate) const F_SEAL_FUTURE_WRITE: u32 = 16;
/// fcntl(2): its execute bits cannot change.
pub(crate) const F_SEAL_EXEC: u32 = 32;

const ALL_SEALS: u32 = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC;

/// What is known of memfds besides their inodes, by inode number.
#[derive(Default)]
pub(crate) struct Memfds {
    seals: BTreeMap<u64, u32>,
}

impl Kernel {
    /// memfd_create(2).
    pub fn memfd(&mut self, pid: Pid, name: &[u8], flags: u32) -> Result<Fd, Errno> {
        let known = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC;
        if flags & !known != 0 || flags & (MFD_NOEXEC_SEAL | MFD_EXEC) == MFD_NOEXEC_SEAL | MFD_EXEC {
            return Err(Errno::EINVAL);
        }
        if name.len() > MEMFD_NAME_MAX {
            return Err(Errno::EINVAL);
        }
        self.check_fd_free(pid)?;
        let noexec = flags & MFD_NOEXEC_SEAL != 0;
        let now = self.realtime();
        let creds = &self.proc(pid)?.creds;
        let inode = Inode {
            kind: InodeKind::File(Default::default()),
            perm: if noexec { 0o666 } else { 0o777 },
            uid: creds.euid,
            gid: creds.egid,
            nlink: 0,
            holds: 0,
            nameless: false,
            atime: now,
            mtime: now,
            ctime: now,
        };
        let fs = self.memfd_fs;
        let ino = self.memory_fs(fs)?.insert(inode)?;
        let seals = match (noexec, flags & MFD_ALLOW_SEALING != 0) {
            (true, _) => F_SEAL_EXEC,
            (false, true) => 0,
            (false, false) => F_SEAL_SEAL,
        };
        self.memfds.seals.insert(ino, seals);
        let loc = Loc { mount: NOWHERE, node: NodeId { fs, ino } };
        let name = [b"memfd:", name].concat();
        let place = Some((self.root_loc(), name.into()));
        let file = OpenFile::new(FileKind::Regular, O_RDWR | O_LARGEFILE, Some(loc), place);
        self.install(pid, file, flags & MFD_CLOEXEC != 0, 0)
    }

    /// The seals of an inode; `None` if it takes none.
    fn seals(&self, node: NodeId) -> Option<u32> {
        match self.inode(node).map(|inode| &inode.kind) {
            Some(InodeKind::File(_)) if node.fs == self.memfd_fs => self.memfds.seals.get(&node.ino).copied(),
            // Every other file in memory is sealed against sealing.
            Some(InodeKind::File(_)) => Some(F_SEAL_SEAL),
            _ => None,
        }
    }

    /// `F_GET_SEALS`
    pub(crate) fn get_seals(&self, pid: Pid, fd: Fd) -> Result<u32, Errno> {
        let node = self.file(self.file_id(pid, fd)?)?.loc.ok_or(Errno::EINVAL)?.node;
        self.seals(node).ok_or(Errno::EINVAL)
    }

    /// `F_ADD_SEALS`
    pub(crate) fn add_seals(&mut self, pid: Pid, fd: Fd, seals: u32) -> Result<(), Errno> {
        let file = self.file(self.file_id(pid, fd)?)?;
        file.check_writable().map_err(|_| Errno::EPERM)?;
        if seals & !ALL_SEALS != 0 {
            return Err(Errno::EINVAL);
        }
        let node = file.loc.ok_or(Errno::EINVAL)?.node;
        let held = self.seals(node).ok_or(Errno::EINVAL)?;
        if held & F_SEAL_SEAL != 0 {
            return Err(Errno::EPERM);
        }
        self.memfds.seals.insert(node.ino, held | seals);
        Ok(())
    }

    /// `EPERM` if seals forbid to change an inode's content so that its length becomes `len`.
    pub(crate) fn check_seals(&self, node: NodeId, writes: bool, len: u64) -> Result<(), Errno> {
        if node.fs != self.memfd_fs {
            return Ok(());
        }
        let seals = self.seals(node).unwrap_or(0);
        let now = self.file_len(node)?;
        let forbidden = (writes && seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) != 0)
            || (len > now && seals & F_SEAL_GROW != 0)
            || (len < now && seals & F_SEAL_SHRINK != 0);
        if forbidden { Err(Errno::EPERM) } else { Ok(()) }
    }

    /// Forgets the seals of a memfd whose inode is gone.
    pub(crate) fn forget_memfd(&mut self, node: NodeId) {
        if node.fs == self.memfd_fs && self.inode(node).is_none() {
            self.memfds.seals.remove(&node.ino);
        }
    }
}
