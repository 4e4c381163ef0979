//! Files and directories by path.

use std::rc::Rc;

use provium_protocol::fs::{EntryType, OpenMode};
use provium_protocol::{Errno, OpError, Reply};

use crate::Os;
use crate::agent::Inner;
use crate::checks::{self, text};
use crate::files::DEFAULT_PERM;
use crate::gather::{Gathering, Taker};

/// Permission bits of a new directory, less the umask.
const DEFAULT_DIR_PERM: u32 = 0o755;

/// A descriptor that is closed whatever becomes of the operation.
pub struct OwnedFd<O: Os> {
    os: Rc<O>,
    fd: Option<i32>,
}

impl<O: Os> OwnedFd<O> {
    /// Opens a path.
    pub async fn open(os: &Rc<O>, path: &[u8], mode: &OpenMode, perm: u32) -> Result<OwnedFd<O>, Errno> {
        let fd = os.open(path, mode, perm).await?;
        Ok(OwnedFd { os: os.clone(), fd: Some(fd) })
    }

    /// Its number.
    pub fn number(&self) -> i32 {
        self.fd.unwrap_or(-1)
    }

    /// Closes it and tells what the kernel says to that.
    pub async fn close(mut self) -> Result<(), Errno> {
        match self.fd.take() {
            Some(fd) => self.os.close(fd).await,
            None => Ok(()),
        }
    }
}

impl<O: Os> Drop for OwnedFd<O> {
    fn drop(&mut self) {
        if let Some(fd) = self.fd.take() {
            let os = self.os.clone();
            self.os.spawn_task(Box::pin(async move {
                let _ = os.close(fd).await;
            }));
        }
    }
}

fn failed(doing: &str, path: &[u8]) -> impl FnOnce(Errno) -> OpError {
    let doing = format!("{doing} {}", text(path));
    move |errno| OpError::os(errno, doing)
}

/// Reads a whole file.
pub async fn read_file<O: Os>(agent: &Rc<Inner<O>>, path: &[u8], taker: Taker) -> Result<Reply, OpError> {
    checks::path(path)?;
    let mode = OpenMode { read: true, ..OpenMode::default() };
    let fd = OwnedFd::open(&agent.os, path, &mode, 0).await.map_err(failed("read_file", path))?;
    let reply = read_fd(&*agent.os, fd.number(), path, taker).await;
    let closed = fd.close().await;
    let reply = reply?;
    closed.map_err(failed("read_file", path))?;
    Ok(reply)
}

/// Reads a descriptor to its end.
async fn read_fd<O: Os>(os: &O, fd: i32, path: &[u8], taker: Taker) -> Result<Reply, OpError> {
    let name = text(path);
    let mut gathering = Gathering::new(os, fd, "read_file", &name, taker);
    loop {
        let data = os.read(fd, gathering.at_once()?).await.map_err(failed("read_file", path))?;
        if !gathering.take(data).await? {
            return Ok(gathering.reply());
        }
    }
}

/// Makes, replaces or appends to a file.
pub async fn write_file<O: Os>(
    agent: &Rc<Inner<O>>,
    path: &[u8],
    data: &[u8],
    perm: Option<u32>,
    append: bool,
) -> Result<Reply, OpError> {
    checks::path(path)?;
    let mode = OpenMode { write: true, append, create: true, truncate: !append, ..OpenMode::default() };
    let opened = OwnedFd::open(&agent.os, path, &mode, perm.unwrap_or(DEFAULT_PERM)).await;
    let fd = opened.map_err(failed("write_file", path))?;
    let written = async {
        if let Some(perm) = perm {
            // The umask does not apply to what was asked for, nor does what an old file had.
            agent.os.fchmod(fd.number(), perm).await?;
        }
        let mut rest = data;
        while !rest.is_empty() {
            let moved = agent.os.write(fd.number(), rest).await?;
            rest = rest.get(moved..).unwrap_or_default();
        }
        Ok(())
    };
    let written = written.await;
    let closed = fd.close().await;
    written.and(closed).map_err(failed("write_file", path))?;
    Ok(Reply::Count(data.len() as u64))
}

/// Follows symbolic links.
pub async fn stat<O: Os>(agent: &Rc<Inner<O>>, path: &[u8]) -> Result<Reply, OpError> {
    checks::path(path)?;
    agent.os.stat(path).await.map(Reply::Stat).map_err(failed("stat", path))
}

/// Does not follow.
pub async fn lstat<O: Os>(agent: &Rc<Inner<O>>, path: &[u8]) -> Result<Reply, OpError> {
    checks::path(path)?;
    agent.os.lstat(path).await.map(Reply::Stat).map_err(failed("lstat", path))
}

/// The entries by name.
pub async fn list_dir<O: Os>(agent: &Rc<Inner<O>>, path: &[u8]) -> Result<Reply, OpError> {
    checks::path(path)?;
    let mut entries = agent.os.list_dir(path).await.map_err(failed("listdir", path))?;
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Reply::Entries(entries))
}

/// Makes a directory, with its parents if asked to.
pub async fn mkdir<O: Os>(
    agent: &Rc<Inner<O>>,
    path: &[u8],
    parents: bool,
    perm: Option<u32>,
) -> Result<Reply, OpError> {
    checks::path(path)?;
    if parents {
        for (at, _) in path.iter().enumerate().filter(|(at, byte)| **byte == b'/' && *at > 0) {
            let parent = &path[..at];
            match agent.os.mkdir(parent, DEFAULT_DIR_PERM).await {
                Ok(()) | Err(Errno::EEXIST) => {}
                Err(errno) => return Err(failed("mkdir", parent)(errno)),
            }
        }
    }
    let made = agent.os.mkdir(path, perm.unwrap_or(DEFAULT_DIR_PERM)).await;
    match (made, perm) {
        (Ok(()), None) => Ok(Reply::Unit),
        // As for files, the umask does not apply to what was asked for.
        (Ok(()), Some(perm)) => agent.os.chmod(path, perm).await.map(|()| Reply::Unit).map_err(failed("mkdir", path)),
        (Err(Errno::EEXIST), _) if parents && is_dir(agent, path).await => Ok(Reply::Unit),
        (Err(errno), _) => Err(failed("mkdir", path)(errno)),
    }
}

async fn is_dir<O: Os>(agent: &Rc<Inner<O>>, path: &[u8]) -> bool {
    let stat = agent.os.stat(path).await;
    stat.is_ok_and(|stat| EntryType::from_mode(stat.mode) == EntryType::Directory)
}

/// Removes a file or an empty directory.
pub async fn unlink<O: Os>(agent: &Rc<Inner<O>>, path: &[u8]) -> Result<Reply, OpError> {
    checks::path(path)?;
    let removed = match agent.os.unlink(path).await {
        // What Linux says of a directory.
        Err(Errno::EISDIR) => agent.os.rmdir(path).await,
        other => other,
    };
    removed.map(|()| Reply::Unit).map_err(failed("unlink", path))
}

/// Renames.
pub async fn rename<O: Os>(agent: &Rc<Inner<O>>, from: &[u8], to: &[u8]) -> Result<Reply, OpError> {
    checks::path(from)?;
    checks::path(to)?;
    let renamed = agent.os.rename(from, to).await;
    renamed.map(|()| Reply::Unit).map_err(|errno| OpError::os(errno, format!("rename {} to {}", text(from), text(to))))
}

/// Makes a symbolic link.
pub async fn symlink<O: Os>(agent: &Rc<Inner<O>>, target: &[u8], path: &[u8]) -> Result<Reply, OpError> {
    checks::no_nul("the target", target)?;
    checks::path(path)?;
    agent.os.symlink(target, path).await.map(|()| Reply::Unit).map_err(failed("symlink", path))
}

/// What a symbolic link says.
pub async fn readlink<O: Os>(agent: &Rc<Inner<O>>, path: &[u8]) -> Result<Reply, OpError> {
    checks::path(path)?;
    agent.os.readlink(path).await.map(Reply::Bytes).map_err(failed("readlink", path))
}

/// Sets permission bits.
pub async fn chmod<O: Os>(agent: &Rc<Inner<O>>, path: &[u8], mode: u32) -> Result<Reply, OpError> {
    checks::path(path)?;
    agent.os.chmod(path, mode).await.map(|()| Reply::Unit).map_err(failed("chmod", path))
}
