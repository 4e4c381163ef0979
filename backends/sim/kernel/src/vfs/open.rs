//! openat(2).

use std::rc::Rc;

use provium_protocol::Errno;

use super::device::Device;
use super::inode::InodeKind;
use super::mount::Loc;
use super::path::{Last, Walk};
use super::perm::{MAY_READ, MAY_WRITE};
use crate::flags::{
    O_ACCMODE, O_APPEND, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_LARGEFILE, O_NOATIME, O_NOFOLLOW, O_NONBLOCK,
    O_PATH, O_RDONLY, O_RDWR, O_SYNC, O_TMPFILE, O_TRUNC, O_WRONLY,
};
use crate::kernel::file::{FileKind, OpenFile};
use crate::kernel::wait::{Channel, Stop};
use crate::kernel::{FifoOpen, Kernel};
use crate::types::{Fd, Pid};

/// Flags that stay with an open file and that fcntl(2) shows.
const STATUS_FLAGS: i32 = O_ACCMODE | O_APPEND | O_NONBLOCK | O_SYNC | O_NOATIME | O_DIRECTORY | O_NOFOLLOW;

/// Flags that stay with a mere place in the tree.
const PATH_FLAGS: i32 = O_PATH | O_DIRECTORY | O_NOFOLLOW;

/// What fcntl(2) shows of the flags of open(2). Offsets are always 64 bits, and Linux says so.
fn status_flags(flags: i32) -> i32 {
    if flags & O_PATH != 0 { flags & PATH_FLAGS } else { flags & STATUS_FLAGS | O_LARGEFILE }
}

impl Kernel {
    /// openat(2). A FIFO whose other end is not open yet blocks; `fifo` carries what was done so far
    /// from one try to the next.
    pub fn open(
        &mut self,
        pid: Pid,
        dirfd: Fd,
        path: &[u8],
        flags: i32,
        mode: u32,
        fifo: &mut Option<FifoOpen>,
    ) -> Result<Fd, Stop> {
        if let Some(pending) = fifo.take() {
            return self.finish_fifo(pid, pending, flags & O_CLOEXEC != 0, fifo);
        }
        // With O_PATH all but a few flags are as if they were not there.
        let flags = if flags & O_PATH != 0 { flags & (PATH_FLAGS | O_CLOEXEC) } else { flags };
        if flags & O_TMPFILE == O_TMPFILE {
            return self.open_tmpfile(pid, dirfd, path, flags, mode);
        }
        let create = flags & O_CREAT != 0;
        if create && flags & O_DIRECTORY != 0 {
            return Err(Errno::EINVAL.into());
        }
        let exclusive = create && flags & O_EXCL != 0;
        let follow = flags & O_NOFOLLOW == 0 && !exclusive;
        self.check_fd_free(pid)?;
        if create {
            // A slash at the end is told before it is looked whether the name is there.
            let parent = self.walk_parent(pid, dirfd, path)?;
            if matches!(parent.last, Last::Name(_)) && parent.slash {
                return Err(Errno::EISDIR.into());
            }
        }
        let (loc, place, created) = match self.walk(pid, dirfd, path, follow)? {
            Walk::OpenFile(id) => return self.reopen(pid, id, flags),
            Walk::Found { loc, entry, slash } => {
                if exclusive {
                    return Err(Errno::EEXIST.into());
                }
                let is_dir = self.is_dir(loc.node);
                if create && is_dir {
                    return Err(Errno::EISDIR.into());
                }
                if slash && !is_dir {
                    return Err(Errno::ENOTDIR.into());
                }
                (loc, entry, false)
            }
            Walk::Missing { dir, name, slash } => {
                if !create {
                    return Err(Errno::ENOENT.into());
                }
                // The target of a link may end in a slash too.
                if slash {
                    return Err(Errno::EISDIR.into());
                }
                self.check_new(pid, dir)?;
                let node = self.create(pid, dir, name.clone(), InodeKind::File(Default::default()), mode)?;
                (Loc { mount: dir.mount, node }, Some((dir, name)), true)
            }
        };
        self.open_node(pid, loc, place, flags, created, fifo)
    }

    fn open_node(
        &mut self,
        pid: Pid,
        loc: Loc,
        place: Option<(Loc, Vec<u8>)>,
        flags: i32,
        created: bool,
        fifo: &mut Option<FifoOpen>,
    ) -> Result<Fd, Stop> {
        let cloexec = flags & O_CLOEXEC != 0;
        let place = place.map(|(dir, name)| (dir, Rc::from(name)));
        if flags & O_PATH != 0 {
            let stat = self.stat_node(loc.node)?;
            if flags & O_DIRECTORY != 0 && !stat.is_dir() {
                return Err(Errno::ENOTDIR.into());
            }
            let file = OpenFile::new(FileKind::Path, status_flags(flags), Some(loc), place);
            return Ok(self.install(pid, file, cloexec, 0)?);
        }
        let (read, write) = access_mode(flags);
        let truncate = flags & O_TRUNC != 0;
        let stat = self.stat_node(loc.node)?;
        if stat.is_symlink() {
            return Err(Errno::ELOOP.into());
        }
        if flags & O_DIRECTORY != 0 && !stat.is_dir() {
            return Err(Errno::ENOTDIR.into());
        }
        if stat.is_dir() && (write || truncate) {
            return Err(Errno::EISDIR.into());
        }
        if !created {
            let want = if read { MAY_READ } else { 0 } | if write || truncate { MAY_WRITE } else { 0 };
            if (write || truncate) && stat.is_file() {
                self.check_writable(loc.mount)?;
            }
            self.check(pid, loc.node, want)?;
            if flags & O_NOATIME != 0 {
                self.check_owner(pid, loc.node)?;
            }
        }
        if self.is_proc(loc.node) {
            let kind =
                if stat.is_dir() { FileKind::Directory { entries: None } } else { FileKind::Proc { content: None } };
            let file = OpenFile::new(kind, status_flags(flags), Some(loc), place);
            return Ok(self.install(pid, file, cloexec, 0)?);
        }
        let kind = match &self.inode(loc.node).ok_or(Errno::ENOENT)?.kind {
            InodeKind::File(_) => FileKind::Regular,
            InodeKind::Directory { .. } => FileKind::Directory { entries: None },
            InodeKind::Symlink(_) => return Err(Errno::ELOOP.into()),
            InodeKind::Socket(_) => return Err(Errno::ENXIO.into()),
            InodeKind::CharDevice(major, minor) => match Device::from_numbers(*major, *minor) {
                // There is no controlling terminal to open.
                Some(Device::Tty) | None => return Err(Errno::ENXIO.into()),
                Some(device) => FileKind::Device(device),
            },
            InodeKind::Fifo(pipe) => {
                let pipe = *pipe;
                let file = OpenFile::new(FileKind::Path, status_flags(flags), Some(loc), place);
                return self.open_fifo(pid, file, pipe, flags, fifo);
            }
        };
        if truncate && !created && stat.is_file() {
            self.set_len(loc.node, 0)?;
            self.take_privileges(pid, loc.node)?;
        }
        let file = OpenFile::new(kind, status_flags(flags), Some(loc), place);
        Ok(self.install(pid, file, cloexec, 0)?)
    }

    /// Opens what `/proc/PID/fd/N` stands for: a pipe gets another end of it.
    fn reopen(&mut self, pid: Pid, id: usize, flags: i32) -> Result<Fd, Stop> {
        let (read, write) = access_mode(flags);
        let pipe = match &self.file(id)?.kind {
            FileKind::Pipe { pipe, .. } => *pipe,
            _ => return Err(Errno::ENXIO.into()),
        };
        self.pipe_add(pipe, read, write);
        let file = OpenFile::new(FileKind::Pipe { pipe, read, write, quiet_at: None }, status_flags(flags), None, None);
        Ok(self.install(pid, file, flags & O_CLOEXEC != 0, 0)?)
    }

    fn open_tmpfile(&mut self, pid: Pid, dirfd: Fd, path: &[u8], flags: i32, mode: u32) -> Result<Fd, Stop> {
        let writes = access_mode(flags).1 || flags & O_TRUNC != 0;
        if !writes || flags & O_CREAT != 0 {
            return Err(Errno::EINVAL.into());
        }
        self.check_fd_free(pid)?;
        let dir = self.walk(pid, dirfd, path, flags & O_NOFOLLOW == 0)?.found()?;
        if !self.is_dir(dir.node) {
            return Err(Errno::ENOTDIR.into());
        }
        self.check_new(pid, dir)?;
        let node = self.make_inode(pid, dir, InodeKind::File(Default::default()), mode)?;
        self.inode_mut(node)?.nameless = flags & O_EXCL == 0;
        let loc = Loc { mount: dir.mount, node };
        let file = OpenFile::new(FileKind::Regular, status_flags(flags) | O_TMPFILE, Some(loc), None);
        Ok(self.install(pid, file, flags & O_CLOEXEC != 0, 0)?)
    }

    pub(crate) fn set_len(&mut self, node: super::NodeId, len: u64) -> Result<(), Errno> {
        self.check_seals(node, false, len)?;
        let now = self.realtime();
        let inode = self.inode_mut(node)?;
        let InodeKind::File(data) = &mut inode.kind else { return Err(Errno::EINVAL) };
        let before = data.pages();
        data.set_len(len);
        let freed = before - data.pages();
        inode.mtime = now;
        inode.ctime = now;
        self.memory_fs(node.fs)?.uncharge(freed);
        self.wake(Channel::File(node));
        Ok(())
    }
}

/// Whether flags of open(2) ask for reading and for writing.
#[must_use]
pub fn access_mode(flags: i32) -> (bool, bool) {
    match flags & O_ACCMODE {
        O_RDONLY => (true, false),
        O_WRONLY => (false, true),
        O_RDWR => (true, true),
        _ => (true, true),
    }
}
