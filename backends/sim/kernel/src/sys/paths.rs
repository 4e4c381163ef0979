//! Names: making, removing, changing, asking.

use provium_protocol::Errno;

use super::Sys;
use crate::flags::{AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW};
use crate::types::{Fd, SetTime, Stat};

impl Sys {
    /// stat(2).
    pub async fn stat(&self, path: impl AsRef<[u8]>) -> Result<Stat, Errno> {
        self.call_now(|kernel| kernel.stat_at(self.pid(), AT_FDCWD, path.as_ref(), 0)).await
    }

    /// lstat(2).
    pub async fn lstat(&self, path: impl AsRef<[u8]>) -> Result<Stat, Errno> {
        self.call_now(|kernel| kernel.stat_at(self.pid(), AT_FDCWD, path.as_ref(), AT_SYMLINK_NOFOLLOW)).await
    }

    /// fstatat(2); `follow`: follow a symbolic link at the end.
    pub async fn fstatat(&self, dirfd: Fd, path: impl AsRef<[u8]>, follow: bool) -> Result<Stat, Errno> {
        let flags = if follow { 0 } else { AT_SYMLINK_NOFOLLOW };
        self.call_now(|kernel| kernel.stat_at(self.pid(), dirfd, path.as_ref(), flags)).await
    }

    /// access(2).
    pub async fn access(&self, path: impl AsRef<[u8]>, mode: i32) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.access(self.pid(), AT_FDCWD, path.as_ref(), mode, false)).await
    }

    /// mkdir(2).
    pub async fn mkdir(&self, path: impl AsRef<[u8]>, mode: u32) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.mkdir(self.pid(), AT_FDCWD, path.as_ref(), mode)).await
    }

    /// rmdir(2).
    pub async fn rmdir(&self, path: impl AsRef<[u8]>) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.unlink(self.pid(), AT_FDCWD, path.as_ref(), AT_REMOVEDIR)).await
    }

    /// unlinkat(2): a name in a directory that is open; with `AT_REMOVEDIR` an empty directory.
    pub async fn unlinkat(&self, dirfd: Fd, path: impl AsRef<[u8]>, flags: i32) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.unlink(self.pid(), dirfd, path.as_ref(), flags)).await
    }

    /// unlink(2).
    pub async fn unlink(&self, path: impl AsRef<[u8]>) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.unlink(self.pid(), AT_FDCWD, path.as_ref(), 0)).await
    }

    /// rename(2).
    pub async fn rename(&self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Result<(), Errno> {
        self.rename2(from, to, 0).await
    }

    /// renameat2(2) with `RENAME_*` flags.
    pub async fn rename2(&self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>, flags: u32) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.rename(self.pid(), AT_FDCWD, from.as_ref(), AT_FDCWD, to.as_ref(), flags)).await
    }

    /// link(2): a symbolic link is not followed.
    pub async fn link(&self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.link(self.pid(), AT_FDCWD, from.as_ref(), AT_FDCWD, to.as_ref(), 0)).await
    }

    /// linkat(2) with `AT_SYMLINK_FOLLOW`.
    pub async fn link_followed(&self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Result<(), Errno> {
        self.call_now(|kernel| {
            kernel.link(self.pid(), AT_FDCWD, from.as_ref(), AT_FDCWD, to.as_ref(), AT_SYMLINK_FOLLOW)
        })
        .await
    }

    /// symlink(2).
    pub async fn symlink(&self, target: impl AsRef<[u8]>, path: impl AsRef<[u8]>) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.symlink(self.pid(), target.as_ref(), AT_FDCWD, path.as_ref())).await
    }

    /// readlink(2).
    pub async fn readlink(&self, path: impl AsRef<[u8]>) -> Result<Vec<u8>, Errno> {
        self.call_now(|kernel| kernel.readlink(self.pid(), AT_FDCWD, path.as_ref())).await
    }

    /// mknod(2): `S_IF*` and permission bits.
    pub async fn mknod(&self, path: impl AsRef<[u8]>, mode: u32, dev: u64) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.mknod(self.pid(), AT_FDCWD, path.as_ref(), mode, dev)).await
    }

    /// chmod(2).
    pub async fn chmod(&self, path: impl AsRef<[u8]>, mode: u32) -> Result<(), Errno> {
        self.call_now(|kernel| {
            let place = kernel.walk_at(self.pid(), AT_FDCWD, path.as_ref(), 0)?;
            kernel.chmod(self.pid(), &place, mode)
        })
        .await
    }

    /// chown(2); `None` leaves an id as it is.
    pub async fn chown(&self, path: impl AsRef<[u8]>, uid: Option<u32>, gid: Option<u32>) -> Result<(), Errno> {
        self.chown_at(path, uid, gid, 0).await
    }

    /// lchown(2): a symbolic link itself.
    pub async fn lchown(&self, path: impl AsRef<[u8]>, uid: Option<u32>, gid: Option<u32>) -> Result<(), Errno> {
        self.chown_at(path, uid, gid, AT_SYMLINK_NOFOLLOW).await
    }

    async fn chown_at(
        &self,
        path: impl AsRef<[u8]>,
        uid: Option<u32>,
        gid: Option<u32>,
        flags: i32,
    ) -> Result<(), Errno> {
        self.call_now(|kernel| {
            let place = kernel.walk_at(self.pid(), AT_FDCWD, path.as_ref(), flags)?;
            kernel.chown(self.pid(), &place, uid, gid)
        })
        .await
    }

    /// utimensat(2).
    pub async fn utimens(
        &self,
        path: impl AsRef<[u8]>,
        atime: SetTime,
        mtime: SetTime,
        follow: bool,
    ) -> Result<(), Errno> {
        let flags = if follow { 0 } else { AT_SYMLINK_NOFOLLOW };
        self.call_now(|kernel| {
            let place = kernel.walk_at(self.pid(), AT_FDCWD, path.as_ref(), flags)?;
            kernel.utimens(self.pid(), &place, atime, mtime)
        })
        .await
    }

    /// chdir(2).
    pub async fn chdir(&self, path: impl AsRef<[u8]>) -> Result<(), Errno> {
        self.call_now(|kernel| {
            let place = kernel.walk_at(self.pid(), AT_FDCWD, path.as_ref(), 0)?;
            kernel.chdir(self.pid(), &place)
        })
        .await
    }

    /// getcwd(2).
    pub async fn getcwd(&self) -> Result<Vec<u8>, Errno> {
        self.call_now(|kernel| kernel.getcwd(self.pid())).await
    }

    /// umask(2): the old one.
    pub async fn umask(&self, mask: u32) -> Result<u32, Errno> {
        self.call_now(|kernel| Ok(std::mem::replace(&mut kernel.proc_mut(self.pid())?.umask, mask & 0o777))).await
    }

    /// mount(2): `tmpfs`, `proc`, or with `MS_BIND` a part of the tree.
    pub async fn mount(
        &self,
        source: impl AsRef<[u8]>,
        target: impl AsRef<[u8]>,
        fstype: &[u8],
        flags: u64,
        data: &[u8],
    ) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.mount(self.pid(), source.as_ref(), target.as_ref(), fstype, flags, data)).await
    }

    /// umount(2).
    pub async fn umount(&self, target: impl AsRef<[u8]>) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.umount(self.pid(), target.as_ref())).await
    }
}
