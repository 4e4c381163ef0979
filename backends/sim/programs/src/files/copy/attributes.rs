//! Times, owner and permissions of a copy.

use provium_kernel::{Errno, Fd, SetTime, Stat};

use super::{Copier, Preserve};
use crate::shared::quoteaf;

/// A copy that gets its attributes.
#[derive(Clone, Debug)]
pub(super) struct Finish {
    pub(super) target: Vec<u8>,
    /// The source's.
    pub(super) stat: Stat,
    /// The copy was made, not written into.
    pub(super) new: bool,
    /// It is a symbolic link.
    pub(super) link: bool,
    /// The permissions that a directory had before its owner was let in.
    pub(super) restore: Option<u32>,
}

impl Finish {
    pub(super) fn new(target: &[u8], stat: Stat, new: bool) -> Finish {
        Finish { target: target.to_vec(), stat, new, link: false, restore: None }
    }

    /// Permissions that a new file lacks at first, so that nobody nips in before it is ready.
    pub(super) fn omitted(&self, preserve: &Preserve) -> u32 {
        let mask = if preserve.ownership {
            0o077
        } else if self.stat.is_dir() {
            0o022
        } else {
            0
        };
        self.stat.mode & mask
    }
}

impl Copier {
    /// Gives a file its attributes by name.
    pub(super) async fn finish(&mut self, finish: &Finish) -> bool {
        let sys = self.tool.sys.clone();
        let (target, stat) = (&finish.target, &finish.stat);
        let preserve = self.options.preserve;
        let mut well = true;
        if preserve.timestamps {
            let (atime, mtime) = (SetTime::At(stat.atime), SetTime::At(stat.mtime));
            if let Err(errno) = sys.utimens(target, atime, mtime, !finish.link).await {
                well = self.failed(format!("preserving times for {}", quoteaf(target)), errno).await;
            }
        }
        if preserve.ownership {
            let set = sys.lchown(target, Some(stat.uid), Some(stat.gid)).await;
            well &= self.owner_set(target, set).await;
        }
        if finish.link {
            return well;
        }
        let wanted = if preserve.mode {
            Some(stat.mode & 0o7777)
        } else if preserve.no_mode && finish.new {
            Some(if stat.is_dir() { 0o777 } else { 0o666 } & !self.umask().await)
        } else {
            self.forgotten(finish).await
        };
        if let Some(mode) = wanted
            && let Err(errno) = sys.chmod(target, mode).await
        {
            well = self.failed(format!("preserving permissions for {}", quoteaf(target)), errno).await;
        }
        well
    }

    /// Permissions that were kept back when the file was made and are to be given now.
    async fn forgotten(&mut self, finish: &Finish) -> Option<u32> {
        let omitted = if finish.new { finish.omitted(&self.options.preserve) } else { 0 };
        if omitted == 0 {
            return finish.restore;
        }
        let omitted = omitted & !self.umask().await;
        if let Some(restore) = finish.restore {
            return Some(restore | omitted);
        }
        if omitted == 0 {
            return None;
        }
        let has = self.tool.sys.lstat(&finish.target).await.ok()?.mode & 0o7777;
        (omitted & !has != 0).then_some(has | omitted)
    }

    /// Gives an open regular file its attributes.
    pub(super) async fn finish_open(&mut self, finish: &Finish, fd: Fd) -> bool {
        let sys = self.tool.sys.clone();
        let (target, stat) = (&finish.target, &finish.stat);
        let preserve = self.options.preserve;
        let mut well = true;
        if preserve.timestamps
            && let Err(errno) = sys.futimens(fd, SetTime::At(stat.atime), SetTime::At(stat.mtime)).await
        {
            well = self.failed(format!("preserving times for {}", quoteaf(target)), errno).await;
        }
        if preserve.ownership {
            let set = match sys.fstat(fd).await {
                Ok(has) if (has.uid, has.gid) == (stat.uid, stat.gid) => Ok(()),
                Ok(_) => sys.fchown(fd, Some(stat.uid), Some(stat.gid)).await,
                Err(errno) => Err(errno),
            };
            well &= self.owner_set(target, set).await;
        }
        let wanted = if preserve.mode {
            Some(stat.mode & 0o7777)
        } else if preserve.no_mode && finish.new {
            Some(0o666 & !self.umask().await)
        } else {
            let omitted = if finish.new { finish.omitted(&preserve) } else { 0 };
            if omitted != 0 && omitted & !self.umask().await != 0 {
                Some(stat.mode & 0o7777 & !self.umask().await)
            } else {
                None
            }
        };
        if let Some(mode) = wanted
            && let Err(errno) = sys.fchmod(fd, mode).await
        {
            well = self.failed(format!("preserving permissions for {}", quoteaf(target)), errno).await;
        }
        well
    }

    /// Only root is told that an owner could not be kept.
    async fn owner_set(&mut self, target: &[u8], set: Result<(), Errno>) -> bool {
        match set {
            Ok(()) => true,
            Err(Errno::EPERM | Errno::EINVAL) if !self.is_root().await => true,
            Err(errno) => self.failed(format!("failed to preserve ownership for {}", quoteaf(target)), errno).await,
        }
    }

    async fn umask(&mut self) -> u32 {
        if let Some(umask) = self.umask {
            return umask;
        }
        let umask = self.tool.sys.umask(0).await.unwrap_or(0);
        let _restored = self.tool.sys.umask(umask).await;
        self.umask = Some(umask);
        umask
    }

    /// Whether the caller is root, asked once.
    pub(super) async fn is_root(&mut self) -> bool {
        match self.root {
            Some(root) => root,
            None => {
                let root = self.tool.sys.credentials().await.is_ok_and(|credentials| credentials.is_root());
                self.root = Some(root);
                root
            }
        }
    }
}
