//! Operations on files: those that QGA has commands for.

use std::sync::Arc;

use provium_protocol::exec::ExitStatus;
use provium_protocol::fs::{FileHandle, OpenMode, Whence};
use provium_protocol::limits::MAX_READ;
use provium_protocol::{Errno, OpError, Reply};
use qapi::qga::{
    GuestFileWhence, QGASeek, guest_file_close, guest_file_flush, guest_file_open, guest_file_read, guest_file_seek,
    guest_file_write,
};

use super::errors::{errno_in, unsupported};
use super::{Inner, checks, procs};

/// Bytes of one read: other operations get their turn between two.
const READ_CHUNK: u64 = 256 << 10;

/// Bytes of one write: an emulated QGA takes a twentieth of a second to read so many.
const WRITE_CHUNK: usize = 64 << 10;

/// A file that QGA has open. Unless it is kept, it is closed when this is dropped.
pub struct Open {
    inner: Arc<Inner>,
    /// QGA's name for it.
    handle: Option<i64>,
    /// For messages.
    pub path: String,
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            let inner = Arc::clone(&self.inner);
            self.inner.runtime.spawn(async move {
                // Nobody is left to hear of an error.
                let _ = inner.talk.ask(guest_file_close { handle }).await;
            });
        }
    }
}

impl Open {
    async fn new(inner: &Arc<Inner>, path: &str, mode: &str, doing: &str) -> Result<Open, OpError> {
        let (inner, path, doing) = (Arc::clone(inner), path.to_owned(), format!("{doing} {}", shown(path)));
        let command = guest_file_open { path: path.clone(), mode: Some(mode.to_owned()) };
        // A task, because a file of which nobody knows would stay open: one that nobody waits for is closed.
        let opening = inner.runtime.clone().spawn(async move {
            let handle = inner.talk.ask(command).await.map_err(|refused| refused.doing(doing))?;
            Ok(Open { inner, handle: Some(handle), path })
        });
        opening.await.map_err(|error| OpError::agent(format!("opening a file ended: {error}")))?
    }

    fn handle(&self) -> Result<i64, OpError> {
        self.handle.ok_or_else(closed)
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} {}", shown(&self.path))
    }

    /// Reads up to so many bytes, or to the end.
    async fn read(&self, len: u64, what: &str) -> Result<Vec<u8>, OpError> {
        let handle = self.handle()?;
        let mut all = Vec::new();
        while (all.len() as u64) < len {
            let count = (len - all.len() as u64).min(READ_CHUNK) as i64;
            let read = self.inner.talk.ask(guest_file_read { handle, count: Some(count) }).await;
            let read = read.map_err(|refused| refused.doing(self.doing(what)))?;
            all.extend_from_slice(&read.buf_b64);
            if read.eof || read.buf_b64.is_empty() {
                break;
            }
        }
        Ok(all)
    }

    async fn read_all(&self, what: &str) -> Result<Vec<u8>, OpError> {
        let all = self.read(MAX_READ + 1, what).await?;
        if all.len() as u64 > MAX_READ {
            return Err(OpError::limit(format!(
                "{} holds more than {MAX_READ} bytes, the most that one read returns (MAX_READ)",
                shown(&self.path)
            )));
        }
        Ok(all)
    }

    /// Writes all. QGA holds back what it was given, so that it is told to let go of it.
    async fn write(&self, data: &[u8], what: &str) -> Result<(), OpError> {
        let handle = self.handle()?;
        for chunk in data.chunks(WRITE_CHUNK) {
            let command = guest_file_write { handle, buf_b64: chunk.to_vec(), count: None };
            let written = self.inner.talk.ask(command).await.map_err(|refused| refused.doing(self.doing(what)))?;
            if written.count != chunk.len() as i64 {
                return Err(OpError::agent(format!(
                    "{}: qemu-guest-agent took {} of {} bytes",
                    self.doing(what),
                    written.count,
                    chunk.len()
                )));
            }
        }
        self.flush(what).await
    }

    async fn flush(&self, what: &str) -> Result<(), OpError> {
        let flushed = self.inner.talk.ask(guest_file_flush { handle: self.handle()? }).await;
        flushed.map(drop).map_err(|refused| refused.doing(self.doing(what)))
    }

    /// Closes it and tells what the guest says to that.
    async fn close(mut self, what: &str) -> Result<(), OpError> {
        let Some(handle) = self.handle.take() else { return Ok(()) };
        let closed = self.inner.talk.ask(guest_file_close { handle }).await;
        closed.map(drop).map_err(|refused| refused.doing(self.doing(what)))
    }
}

fn closed() -> OpError {
    OpError::state("file is closed")
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "\"\"" } else { path }
}

/// Whether a file of `/proc` could not be read because its process is gone: before it was opened, or since.
pub fn is_gone(error: &OpError) -> bool {
    matches!(error.errno, Some(Errno::ENOENT | Errno::ESRCH))
}

/// Reads a whole file of the guest.
pub async fn read_path(inner: &Arc<Inner>, path: &str) -> Result<Vec<u8>, OpError> {
    let file = Open::new(inner, path, "r", "read_file").await?;
    let data = file.read_all("read_file").await;
    file.close("read_file").await?;
    data
}

/// Writes a whole file of the guest.
pub async fn write_path(inner: &Arc<Inner>, path: &str, data: &[u8]) -> Result<(), OpError> {
    let file = Open::new(inner, path, "w", "write_file").await?;
    let written = file.write(data, "write_file").await;
    written.and(file.close("write_file").await)
}

/// Reads a whole file.
pub async fn read_file(inner: &Arc<Inner>, path: &[u8]) -> Result<Reply, OpError> {
    read_path(inner, &checks::path(path)?).await.map(Reply::Bytes)
}

/// Makes, replaces or appends to a file.
pub async fn write_file(
    inner: &Arc<Inner>,
    path: &[u8],
    data: &[u8],
    perm: Option<u32>,
    append: bool,
) -> Result<Reply, OpError> {
    let path = checks::path(path)?;
    let file = Open::new(inner, &path, if append { "a" } else { "w" }, "write_file").await?;
    let written = async {
        if let Some(perm) = perm {
            set_perm(inner, &path, perm, "write_file").await?;
        }
        file.write(data, "write_file").await
    };
    let written = written.await;
    written.and(file.close("write_file").await)?;
    Ok(Reply::Count(data.len() as u64))
}

/// chmod(1).
pub async fn chmod(inner: &Arc<Inner>, path: &[u8], mode: u32) -> Result<Reply, OpError> {
    set_perm(inner, &checks::path(path)?, mode, "chmod").await.map(|()| Reply::Unit)
}

async fn set_perm(inner: &Arc<Inner>, path: &str, perm: u32, what: &str) -> Result<(), OpError> {
    let doing = format!("{what} {}", shown(path));
    done(&doing, inner, "chmod -- \"$0\" \"$1\"", &[&format!("{perm:04o}"), path]).await
}

/// Has a shell of the guest do something that has no result but its errors.
async fn done(doing: &str, inner: &Arc<Inner>, script: &str, words: &[&str]) -> Result<(), OpError> {
    let outcome = procs::helper(inner, script, words, doing).await?;
    if outcome.status == ExitStatus::Exited(0) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&outcome.stderr);
    Err(match errno_in(&said) {
        Some(errno) => OpError::os(errno, doing),
        None => OpError::agent(format!("{doing}: {}", said.trim())),
    })
}

/// Opens a file.
pub async fn open(inner: &Arc<Inner>, path: &[u8], mode: OpenMode) -> Result<Reply, OpError> {
    let path = checks::path(path)?;
    let file = Open::new(inner, &path, word(mode)?, "open").await?;
    let handle = inner.next_handle();
    inner.files().insert(handle, Arc::new(file));
    // It has a descriptor in QGA, which does not tell it.
    Ok(Reply::Opened { file: handle, fd: -1 })
}

/// The mode as fopen(3) calls it: QGA knows no other.
fn word(mode: OpenMode) -> Result<&'static str, OpError> {
    let OpenMode { read, write, append, create, truncate, exclusive, perm } = mode;
    if !(read || write || append) {
        return Err(OpError::usage("open_file: at least one of read, write, append is needed"));
    }
    let known = match (read, write || append, append, create, truncate) {
        (true, false, false, false, false) => Some("r"),
        (true, true, false, false, false) => Some("r+"),
        (false, true, false, true, true) => Some("w"),
        (true, true, false, true, true) => Some("w+"),
        (false, true, true, true, false) => Some("a"),
        (true, true, true, true, false) => Some("a+"),
        _ => None,
    };
    known.filter(|_| !exclusive && perm.is_none()).ok_or_else(|| {
        unsupported(
            "open_file",
            "it opens files with read; read and write; write, create and truncate; append and create; and the latter two with \
             read. Use `write_file`, `vm:run`",
        )
    })
}

/// Up to so many bytes.
pub async fn read(inner: &Arc<Inner>, file: FileHandle, len: u64) -> Result<Reply, OpError> {
    let file = inner.file(file)?;
    if len > MAX_READ {
        return Err(OpError::limit(format!(
            "read {}: {len} bytes at once are above the limit of {MAX_READ} bytes (MAX_READ)",
            file.path
        )));
    }
    file.read(len, "read").await.map(Reply::Bytes)
}

/// Reads to the end.
pub async fn read_all(inner: &Arc<Inner>, file: FileHandle) -> Result<Reply, OpError> {
    inner.file(file)?.read_all("read").await.map(Reply::Bytes)
}

/// Writes all.
pub async fn write(inner: &Arc<Inner>, file: FileHandle, data: &[u8]) -> Result<Reply, OpError> {
    inner.file(file)?.write(data, "write").await?;
    Ok(Reply::Count(data.len() as u64))
}

/// Moves the offset.
pub async fn seek(inner: &Arc<Inner>, file: FileHandle, offset: i64, whence: Whence) -> Result<Reply, OpError> {
    let file = inner.file(file)?;
    let whence = GuestFileWhence::name(match whence {
        Whence::Set => QGASeek::set,
        Whence::Current => QGASeek::cur,
        Whence::End => QGASeek::end,
    });
    let sought = inner.talk.ask(guest_file_seek { handle: file.handle()?, offset, whence }).await;
    let position = sought.map_err(|refused| refused.doing(file.doing("seek")))?.position;
    let position = u64::try_from(position).map_err(|_| {
        OpError::agent(format!("{}: qemu-guest-agent gives {position} as its offset", file.doing("seek")))
    })?;
    Ok(Reply::Count(position))
}

/// QGA cannot sync one file, so that the guest syncs all.
pub async fn sync(inner: &Arc<Inner>, file: FileHandle) -> Result<Reply, OpError> {
    let file = inner.file(file)?;
    file.flush("sync").await?;
    done(&file.doing("sync"), inner, "sync", &[]).await.map(|()| Reply::Unit)
}

/// Closes a file; twice is fine.
pub async fn close(inner: &Arc<Inner>, handle: FileHandle) -> Result<Reply, OpError> {
    let file = inner.files().remove(&handle);
    let Some(file) = file else {
        return if inner.was_handed_out(handle) { Ok(Reply::Unit) } else { inner.file(handle).map(|_| Reply::Unit) };
    };
    // What somebody still works on is closed after that.
    if let Some(file) = Arc::into_inner(file) {
        // A task, because the file must be closed even if nobody waits for it.
        let closing = inner.runtime.spawn(async move { file.close("close").await });
        closing.await.map_err(|error| OpError::agent(format!("closing a file ended: {error}")))??;
    }
    Ok(Reply::Unit)
}

impl Inner {
    fn file(&self, handle: FileHandle) -> Result<Arc<Open>, OpError> {
        let found = self.files().get(&handle).cloned();
        found.ok_or_else(|| match self.was_handed_out(handle) {
            true => closed(),
            false => OpError::state(format!("there is no file with handle {handle}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use provium_protocol::ErrorKind;

    use super::*;

    #[test]
    fn modes_are_those_of_fopen_and_no_others() {
        let none = OpenMode::default();
        let read = OpenMode { read: true, ..none };
        let write = OpenMode { write: true, create: true, truncate: true, ..none };
        let append = OpenMode { append: true, create: true, ..none };
        for (mode, known) in [
            (read, "r"),
            (OpenMode { write: true, ..read }, "r+"),
            (write, "w"),
            (OpenMode { read: true, ..write }, "w+"),
            (append, "a"),
            (OpenMode { read: true, write: true, ..append }, "a+"),
        ] {
            assert_eq!(word(mode), Ok(known));
        }
        for mode in [
            OpenMode { write: true, ..none },
            OpenMode { append: true, ..none },
            OpenMode { exclusive: true, ..write },
            OpenMode { perm: Some(0o600), ..write },
            OpenMode { create: true, ..read },
            OpenMode { truncate: true, ..append },
        ] {
            let error = word(mode).expect_err("it has no such mode");
            assert_eq!(error.kind, ErrorKind::Unsupported);
            assert!(error.message.contains("`open_file`"), "{error}");
        }
        assert_eq!(word(none).map_err(|error| error.kind), Err(ErrorKind::Usage));
    }
}
