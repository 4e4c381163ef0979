//! Open files.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;

use provium_protocol::fs::{FileHandle, LockKind, OpenMode, Whence};
use provium_protocol::limits::MAX_READ;
use provium_protocol::{Errno, Lane, OpError, Reply};

use crate::agent::Inner;
use crate::checks::{self, text};
use crate::gather::{Gathering, Taker};
use crate::sync::{First, Flag, in_task, race};
use crate::{Os, discard};

/// Permission bits of a new file, less the umask.
pub const DEFAULT_PERM: u32 = 0o644;

/// One open file.
pub struct File {
    lane: Lane,
    pub fd: i32,
    /// For messages.
    pub path: String,
    /// It was closed: what is under way on it ends.
    pub closed: Flag,
}

/// The open files of a guest's agent.
pub struct Files {
    last_handle: Cell<FileHandle>,
    open: RefCell<BTreeMap<FileHandle, Rc<File>>>,
}

impl Files {
    /// None yet; handles go on after this one.
    pub fn new(last_handle: FileHandle) -> Files {
        Files { last_handle: Cell::new(last_handle), open: RefCell::default() }
    }

    fn add(&self, file: File) -> FileHandle {
        self.last_handle.set(self.last_handle.get() + 1);
        let handle = self.last_handle.get();
        self.open.borrow_mut().insert(handle, Rc::new(file));
        handle
    }

    /// Finds an open file.
    pub fn get(&self, handle: FileHandle) -> Result<Rc<File>, OpError> {
        let found = self.open.borrow().get(&handle).cloned();
        found.ok_or_else(|| match self.was_open(handle) {
            true => closed(),
            false => OpError::state(format!("there is no file with handle {handle}")),
        })
    }

    fn was_open(&self, handle: FileHandle) -> bool {
        (1..=self.last_handle.get()).contains(&handle)
    }

    /// Takes a file out and ends what is under way on it. Its descriptor is the caller's to close.
    fn take(&self, handle: FileHandle) -> Option<Rc<File>> {
        let file = self.open.borrow_mut().remove(&handle)?;
        file.closed.set();
        Some(file)
    }

    /// All of them, the youngest first.
    pub fn all(&self) -> Vec<FileHandle> {
        self.open.borrow().keys().rev().copied().collect()
    }

    /// Hands out no handle up to this one any more.
    pub fn skip_to(&self, last_handle: FileHandle) {
        self.last_handle.set(self.last_handle.get().max(last_handle));
    }

    /// The files opened on a lane, the youngest first.
    pub fn of_lane(&self, lane: Lane) -> Vec<FileHandle> {
        let files = self.open.borrow();
        files.iter().rev().filter(|(_, file)| file.lane == lane).map(|(handle, _)| *handle).collect()
    }
}

fn closed() -> OpError {
    OpError::state("file is closed")
}

/// Opens a file.
pub async fn open<O: Os>(agent: &Rc<Inner<O>>, lane: Lane, path: &[u8], mode: OpenMode) -> Result<Reply, OpError> {
    checks::path(path)?;
    if !(mode.read || mode.write || mode.append) {
        return Err(OpError::usage(format!("open {}: at least one of read, write, append is needed", text(path))));
    }
    let opened = agent.os.open(path, &mode, mode.perm.unwrap_or(DEFAULT_PERM)).await;
    let fd = opened.map_err(|errno| OpError::os(errno, format!("open {}", text(path))))?;
    let file = agent.files.add(File { lane, fd, path: text(path).into_owned(), closed: Flag::default() });
    if agent.workers.is_closing(lane) {
        // The worker was closed while the file was being opened.
        discard::discard(agent, Reply::Opened { file, fd });
        return Err(OpError::state("worker is closed"));
    }
    Ok(Reply::Opened { file, fd })
}

/// Carries a system call out on an open file, unless the file is closed before it returns.
async fn on_file<T>(file: &File, doing: &str, call: impl Future<Output = Result<T, Errno>>) -> Result<T, OpError> {
    match race(file.closed.wait(), call).await {
        First::A(()) => Err(closed()),
        First::B(outcome) => outcome.map_err(|errno| OpError::os(errno, format!("{doing} {}", file.path))),
    }
}

/// One read.
pub async fn read<O: Os>(agent: &Rc<Inner<O>>, handle: FileHandle, len: u64) -> Result<Reply, OpError> {
    let file = agent.files.get(handle)?;
    if len > MAX_READ {
        return Err(OpError::limit(format!(
            "read {}: {len} bytes at once are above the limit of {MAX_READ} bytes (MAX_READ)",
            file.path
        )));
    }
    on_file(&file, "read", agent.os.read(file.fd, len as usize)).await.map(Reply::Bytes)
}

/// Reads to the end.
pub async fn read_all<O: Os>(agent: &Rc<Inner<O>>, handle: FileHandle, taker: Taker) -> Result<Reply, OpError> {
    let file = agent.files.get(handle)?;
    let mut gathering = Gathering::new(&*agent.os, file.fd, "read", &file.path, taker);
    loop {
        let at_once = gathering.at_once()?;
        let data = on_file(&file, "read", agent.os.read(file.fd, at_once)).await?;
        if !gathering.take(data).await? {
            return Ok(gathering.reply());
        }
    }
}

/// One write, or as many as it takes.
pub async fn write<O: Os>(agent: &Rc<Inner<O>>, handle: FileHandle, data: &[u8], all: bool) -> Result<Reply, OpError> {
    let file = agent.files.get(handle)?;
    let mut written = 0;
    loop {
        let rest = data.get(written..).unwrap_or_default();
        let moved = on_file(&file, "write", agent.os.write(file.fd, rest)).await?;
        written += moved;
        if !all || written >= data.len() {
            return Ok(Reply::Count(written as u64));
        }
        if moved == 0 {
            return Err(OpError::agent(format!(
                "write {}: it takes no more after {written} of {} bytes",
                file.path,
                data.len()
            )));
        }
    }
}

/// Moves the offset.
pub async fn seek<O: Os>(
    agent: &Rc<Inner<O>>,
    handle: FileHandle,
    offset: i64,
    whence: Whence,
) -> Result<Reply, OpError> {
    let file = agent.files.get(handle)?;
    on_file(&file, "seek", agent.os.seek(file.fd, offset, whence)).await.map(Reply::Count)
}

/// fsync(2).
pub async fn sync<O: Os>(agent: &Rc<Inner<O>>, handle: FileHandle) -> Result<Reply, OpError> {
    let file = agent.files.get(handle)?;
    on_file(&file, "sync", agent.os.sync(file.fd)).await.map(|()| Reply::Unit)
}

/// ftruncate(2).
pub async fn truncate<O: Os>(agent: &Rc<Inner<O>>, handle: FileHandle, len: u64) -> Result<Reply, OpError> {
    let file = agent.files.get(handle)?;
    on_file(&file, "truncate", agent.os.truncate(file.fd, len)).await.map(|()| Reply::Unit)
}

/// flock(2).
pub async fn lock<O: Os>(
    agent: &Rc<Inner<O>>,
    handle: FileHandle,
    kind: LockKind,
    block: bool,
) -> Result<Reply, OpError> {
    let file = agent.files.get(handle)?;
    on_file(&file, "lock", agent.os.flock(file.fd, Some(kind), block)).await.map(|()| Reply::Unit)
}

/// flock(2) with `LOCK_UN`.
pub async fn unlock<O: Os>(agent: &Rc<Inner<O>>, handle: FileHandle) -> Result<Reply, OpError> {
    let file = agent.files.get(handle)?;
    on_file(&file, "unlock", agent.os.flock(file.fd, None, false)).await.map(|()| Reply::Unit)
}

/// Closes a file; twice is fine.
pub async fn close<O: Os>(agent: &Rc<Inner<O>>, handle: FileHandle) -> Result<Reply, OpError> {
    let Some(file) = agent.files.take(handle) else {
        return if agent.files.was_open(handle) {
            Ok(Reply::Unit)
        } else {
            agent.files.get(handle).map(|_| Reply::Unit)
        };
    };
    // A task, because the descriptor must be closed even if nobody waits for it.
    let (os, fd) = (agent.os.clone(), file.fd);
    match in_task(&*agent.os, async move { os.close(fd).await }).await {
        Some(Err(errno)) => Err(OpError::os(errno, format!("close {}", file.path))),
        Some(Ok(())) | None => Ok(Reply::Unit),
    }
}
