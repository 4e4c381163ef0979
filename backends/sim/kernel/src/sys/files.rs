//! Opening, reading, writing.

use provium_protocol::Errno;

use super::Sys;
use crate::flags::AT_FDCWD;
use crate::kernel::FifoOpen;
use crate::types::{DirEntry, Fd, Stat, StatFs};
use crate::vfs::tree::Place;

/// Gives up an open that was not finished when its future is dropped.
struct PendingOpen<'a> {
    sys: &'a Sys,
    open: Option<FifoOpen>,
}

impl Drop for PendingOpen<'_> {
    fn drop(&mut self) {
        if let Some(open) = self.open.take()
            && let Ok(mut kernel) = self.sys.machine.kernel().try_borrow_mut()
        {
            kernel.abandon_fifo(open);
        }
    }
}

impl Sys {
    /// open(2) with `O_*` flags and permission bits.
    pub async fn open(&self, path: impl AsRef<[u8]>, flags: i32, mode: u32) -> Result<Fd, Errno> {
        self.openat(AT_FDCWD, path, flags, mode).await
    }

    /// openat(2).
    pub async fn openat(&self, dirfd: Fd, path: impl AsRef<[u8]>, flags: i32, mode: u32) -> Result<Fd, Errno> {
        self.step().await;
        self.open_now(dirfd, path.as_ref(), flags, mode).await
    }

    /// openat(2) without a step before it.
    pub(crate) async fn open_now(&self, dirfd: Fd, path: &[u8], flags: i32, mode: u32) -> Result<Fd, Errno> {
        let mut pending = PendingOpen { sys: self, open: None };
        self.attempt(|kernel| kernel.open(self.pid(), dirfd, path, flags, mode, &mut pending.open)).await
    }

    /// close(2).
    pub async fn close(&self, fd: Fd) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.close(self.pid(), fd)).await
    }

    /// read(2): up to `len` bytes, none at the end. Sleeps; `EINTR` on a caught signal.
    pub async fn read(&self, fd: Fd, len: usize) -> Result<Vec<u8>, Errno> {
        self.call(|kernel| kernel.read(self.pid(), fd, len)).await
    }

    /// write(2): how many bytes were written, maybe fewer. A pipe takes a write that does not fit piece by
    /// piece, so others' bytes may come in between.
    pub async fn write(&self, fd: Fd, data: &[u8]) -> Result<usize, Errno> {
        self.step().await;
        self.write_now(fd, data).await
    }

    /// write(2) without a step before it.
    pub(crate) async fn write_now(&self, fd: Fd, data: &[u8]) -> Result<usize, Errno> {
        let mut done = self.attempt(|kernel| kernel.write(self.pid(), fd, data)).await?;
        if done < data.len() && self.writes_on(fd) {
            while done < data.len() {
                match self.call(|kernel| kernel.write(self.pid(), fd, &data[done..])).await {
                    Ok(more) => done += more,
                    Err(_) => break,
                }
            }
        }
        Ok(done)
    }

    /// Whether a write that moved less than it was given goes on by itself: a blocking pipe's does.
    fn writes_on(&self, fd: Fd) -> bool {
        self.machine.kernel().borrow().is_blocking_pipe(self.pid(), fd)
    }

    /// pread(2).
    pub async fn pread(&self, fd: Fd, len: usize, offset: u64) -> Result<Vec<u8>, Errno> {
        self.call(|kernel| kernel.pread(self.pid(), fd, len, offset)).await
    }

    /// pwrite(2).
    pub async fn pwrite(&self, fd: Fd, data: &[u8], offset: u64) -> Result<usize, Errno> {
        self.call(|kernel| kernel.pwrite(self.pid(), fd, data, offset)).await
    }

    /// lseek(2), `SEEK_DATA` and `SEEK_HOLE` included.
    pub async fn lseek(&self, fd: Fd, offset: i64, whence: i32) -> Result<u64, Errno> {
        self.call_now(|kernel| kernel.seek(self.pid(), fd, offset, whence)).await
    }

    /// ftruncate(2).
    pub async fn ftruncate(&self, fd: Fd, len: u64) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.ftruncate(self.pid(), fd, len)).await
    }

    /// truncate(2).
    pub async fn truncate(&self, path: impl AsRef<[u8]>, len: u64) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.truncate(self.pid(), path.as_ref(), len)).await
    }

    /// fallocate(2).
    pub async fn fallocate(&self, fd: Fd, mode: i32, offset: u64, len: u64) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.fallocate(self.pid(), fd, mode, offset, len)).await
    }

    /// fsync(2): there is nothing to wait for in memory.
    pub async fn fsync(&self, fd: Fd) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.fsync(self.pid(), fd)).await
    }

    /// sync(2).
    pub async fn sync(&self) {
        self.step().await;
    }

    /// fstat(2).
    pub async fn fstat(&self, fd: Fd) -> Result<Stat, Errno> {
        self.call_now(|kernel| kernel.fstat(self.pid(), fd)).await
    }

    /// statfs(2).
    pub async fn statfs(&self, path: impl AsRef<[u8]>) -> Result<StatFs, Errno> {
        self.call_now(|kernel| {
            let place = kernel.walk_at(self.pid(), AT_FDCWD, path.as_ref(), 0)?;
            kernel.statfs(&place)
        })
        .await
    }

    /// getdents64(2): the next entries, dots included; none at the end.
    pub async fn getdents(&self, fd: Fd) -> Result<Vec<DirEntry>, Errno> {
        self.call_now(|kernel| kernel.getdents(self.pid(), fd)).await
    }

    /// fchmod(2).
    pub async fn fchmod(&self, fd: Fd, mode: u32) -> Result<(), Errno> {
        self.call_now(|kernel| {
            let place = kernel.fd_place(self.pid(), fd)?;
            kernel.chmod(self.pid(), &place, mode)
        })
        .await
    }

    /// fchown(2).
    pub async fn fchown(&self, fd: Fd, uid: Option<u32>, gid: Option<u32>) -> Result<(), Errno> {
        self.call_now(|kernel| {
            let place = kernel.fd_place(self.pid(), fd)?;
            kernel.chown(self.pid(), &place, uid, gid)
        })
        .await
    }

    /// fchdir(2).
    pub async fn fchdir(&self, fd: Fd) -> Result<(), Errno> {
        self.call_now(|kernel| {
            let place = kernel.any_place(self.pid(), fd)?;
            kernel.chdir(self.pid(), &place)
        })
        .await
    }

    /// futimens(3).
    pub async fn futimens(&self, fd: Fd, atime: crate::SetTime, mtime: crate::SetTime) -> Result<(), Errno> {
        self.call_now(|kernel| {
            let place = kernel.fd_place(self.pid(), fd)?;
            kernel.utimens(self.pid(), &place, atime, mtime)
        })
        .await
    }
}

impl crate::kernel::Kernel {
    /// The place of an open file; `EBADF` for one that is only a place (`O_PATH`).
    pub(crate) fn fd_place(&self, pid: crate::Pid, fd: Fd) -> Result<Place, Errno> {
        if self.file(self.file_id(pid, fd)?)?.flags & crate::flags::O_PATH != 0 {
            return Err(Errno::EBADF);
        }
        self.any_place(pid, fd)
    }

    /// The place of an open file, `O_PATH` included.
    pub(crate) fn any_place(&self, pid: crate::Pid, fd: Fd) -> Result<Place, Errno> {
        let id = self.file_id(pid, fd)?;
        Ok(match self.file(id)?.loc {
            Some(loc) => Place::Node(loc),
            None => Place::OpenFile(id),
        })
    }

    /// fsync(2): only the descriptor is looked at.
    pub(crate) fn fsync(&self, pid: crate::Pid, fd: Fd) -> Result<(), Errno> {
        use crate::kernel::file::FileKind;
        match self.file(self.file_id(pid, fd)?)?.kind {
            FileKind::Regular | FileKind::Directory { .. } => Ok(()),
            FileKind::Path => Err(Errno::EBADF),
            _ => Err(Errno::EINVAL),
        }
    }

    fn is_blocking_pipe(&self, pid: crate::Pid, fd: Fd) -> bool {
        use crate::kernel::file::FileKind;
        // Only a pipe and a stream socket ever take a part of what they are given.
        self.file_id(pid, fd).and_then(|id| self.file(id)).is_ok_and(|file| {
            matches!(file.kind, FileKind::Pipe { .. } | FileKind::Socket(_))
                && file.flags & crate::flags::O_NONBLOCK == 0
        })
    }
}
