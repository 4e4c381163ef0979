//! A walk through directory trees, as fts(3) does it for `rm`, `chmod`, `chown` and `find`.
//!
//! Every directory is opened relative to its parent's descriptor and its entries are looked at through
//! it, so a walk is not led astray when somebody renames or replaces directories meanwhile. The walk
//! keeps its own stack: depth costs memory, not the host's stack.

use std::collections::VecDeque;

use provium_kernel::flags::{AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY};
use provium_kernel::{DirEntry, Errno, Fd, Stat, Sys};

use super::mode::{S_IFDIR, S_IFLNK, S_IFMT};
use super::path::join;

/// Directories of one walk that are open at once: a tool must leave descriptors for what it does.
const MAX_OPEN: usize = 200;

/// Which symbolic links the walk looks behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Follow {
    /// None (`-P`).
    #[default]
    Never,
    /// Those that are arguments (`-H`).
    Arguments,
    /// All (`-L`).
    Always,
}

/// How to walk.
#[derive(Clone, Copy, Debug, Default)]
pub struct WalkOptions {
    /// Links to look behind.
    pub follow: Follow,
    /// Look at every entry with fstatat(2). Else only at directories: the type that getdents(2) gives
    /// is enough for the rest.
    pub stat_all: bool,
    /// Do not enter directories on other devices.
    pub one_file_system: bool,
}

/// A file on the way.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its path as shown in messages: the argument and what was appended.
    pub path: Vec<u8>,
    /// Its name in its directory; for an argument the argument itself.
    pub name: Vec<u8>,
    /// 0 for an argument.
    pub depth: usize,
    /// Its type, `S_IF*`.
    pub kind: u32,
    /// What fstatat(2) said, if it was asked.
    pub stat: Option<Stat>,
}

impl Entry {
    /// Whether it is a directory.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        self.kind == S_IFDIR
    }
}

/// What the walk came to.
#[derive(Debug)]
pub enum Event {
    /// A file, or a directory before what it holds.
    Enter(Entry),
    /// A directory after what it held.
    Leave(Entry),
    /// The file could not be looked at.
    NoStat(Entry, Errno),
    /// The directory, entered before, could not be read.
    NoRead(Entry, Errno),
    /// A link leads back to a directory above itself.
    Cycle(Entry),
}

struct Frame {
    entry: Entry,
    fd: Option<Fd>,
    names: VecDeque<DirEntry>,
    /// Device and inode, to notice cycles.
    id: (u64, u64),
}

/// A walk under way.
pub struct Walk {
    sys: Sys,
    options: WalkOptions,
    roots: VecDeque<Vec<u8>>,
    frames: Vec<Frame>,
    /// The directory that was entered last and is to be read next.
    pending: Option<Entry>,
    root_device: u64,
}

impl Walk {
    /// A walk through `roots`, one after the other.
    #[must_use]
    pub fn new(sys: Sys, roots: Vec<Vec<u8>>, options: WalkOptions) -> Walk {
        Walk { sys, options, roots: roots.into(), frames: Vec::new(), pending: None, root_device: 0 }
    }

    /// Does not go into the directory that was entered last; it will not be left either.
    pub fn skip(&mut self) {
        self.pending = None;
    }

    /// The directory in which the entry of the last event has its `name`.
    #[must_use]
    pub fn directory(&self) -> Fd {
        self.frames.last().and_then(|frame| frame.fd).unwrap_or(AT_FDCWD)
    }

    /// Whether the directory that was entered last will be gone into.
    #[must_use]
    pub fn will_enter(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether a directory of the last event holds nothing now.
    pub async fn is_empty_directory(&self, entry: &Entry) -> bool {
        let Ok(fd) = self.open(self.directory(), &entry.name, self.options.follow != Follow::Never).await else {
            return false;
        };
        let mut empty = true;
        while let Ok(batch) = self.sys.getdents(fd).await {
            if batch.is_empty() {
                break;
            }
            empty &= batch.iter().all(|entry| super::path::is_dot_or_dotdot(&entry.name));
        }
        let _closed = self.sys.close(fd).await;
        empty
    }

    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Event> {
        if let Some(directory) = self.pending.take()
            && let Some(event) = self.descend(directory).await
        {
            return Some(event);
        }
        let Some(frame) = self.frames.last_mut() else {
            let root = self.roots.pop_front()?;
            return Some(self.visit_root(root).await);
        };
        if let Some(found) = frame.names.pop_front() {
            return Some(self.visit(found).await);
        }
        let frame = self.frames.pop()?;
        if let Some(fd) = frame.fd {
            let _closed = self.sys.close(fd).await;
        }
        self.reopen().await;
        Some(Event::Leave(frame.entry))
    }

    async fn visit_root(&mut self, path: Vec<u8>) -> Event {
        let follow = self.options.follow != Follow::Never;
        let mut entry = Entry { name: path.clone(), path, depth: 0, kind: 0, stat: None };
        match self.look(&mut entry, follow).await {
            Ok(stat) => {
                self.root_device = stat.dev;
                self.enter(entry)
            }
            Err(errno) => Event::NoStat(entry, errno),
        }
    }

    async fn visit(&mut self, found: DirEntry) -> Event {
        let (parent, depth) = match self.frames.last() {
            Some(frame) => (frame.entry.path.as_slice(), self.frames.len()),
            None => (&b""[..], 0),
        };
        let kind = found.kind & S_IFMT;
        let path = join(parent, &found.name);
        let mut entry = Entry { path, name: found.name, depth, kind, stat: None };
        let follow = self.options.follow == Follow::Always;
        if (self.options.stat_all || matches!(kind, 0 | S_IFDIR) || follow && kind == S_IFLNK)
            && let Err(errno) = self.look(&mut entry, follow).await
        {
            return Event::NoStat(entry, errno);
        }
        self.enter(entry)
    }

    /// fstatat(2) of an entry of the current directory; a link that leads nowhere is itself.
    async fn look(&self, entry: &mut Entry, follow: bool) -> Result<Stat, Errno> {
        let directory = self.directory();
        let stat = match self.sys.fstatat(directory, &entry.name, follow).await {
            Err(Errno::ENOENT | Errno::ELOOP) if follow => self.sys.fstatat(directory, &entry.name, false).await?,
            other => other?,
        };
        entry.kind = stat.mode & S_IFMT;
        entry.stat = Some(stat);
        Ok(stat)
    }

    fn enter(&mut self, entry: Entry) -> Event {
        if let Some(stat) = entry.stat.filter(|_| entry.is_dir()) {
            if self.frames.iter().any(|frame| frame.id == (stat.dev, stat.ino)) {
                return Event::Cycle(entry);
            }
            if !(self.options.one_file_system && stat.dev != self.root_device) {
                self.pending = Some(entry.clone());
            }
        }
        Event::Enter(entry)
    }

    async fn descend(&mut self, directory: Entry) -> Option<Event> {
        let follow = match self.options.follow {
            Follow::Always => true,
            Follow::Arguments => directory.depth == 0,
            Follow::Never => false,
        };
        let read = match self.open(self.directory(), &directory.name, follow).await {
            Ok(fd) => match self.read(fd).await {
                Ok(names) => Ok((fd, names)),
                Err(errno) => {
                    let _closed = self.sys.close(fd).await;
                    Err(errno)
                }
            },
            Err(errno) => Err(errno),
        };
        let (fd, names) = match read {
            Ok(read) => read,
            Err(errno) => return Some(Event::NoRead(directory, errno)),
        };
        if let Some(far) = self.frames.len().checked_sub(MAX_OPEN)
            && let Some(fd) = self.frames.get_mut(far).and_then(|frame| frame.fd.take())
        {
            let _closed = self.sys.close(fd).await;
        }
        let id = directory.stat.map_or((0, 0), |stat| (stat.dev, stat.ino));
        self.frames.push(Frame { entry: directory, fd: Some(fd), names, id });
        None
    }

    async fn open(&self, directory: Fd, name: &[u8], follow: bool) -> Result<Fd, Errno> {
        let base = O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
        let flags = if follow { base } else { base | O_NOFOLLOW };
        self.sys.openat(directory, name, flags, 0).await
    }

    async fn read(&self, fd: Fd) -> Result<VecDeque<DirEntry>, Errno> {
        let mut names = VecDeque::new();
        loop {
            let batch = self.sys.getdents(fd).await?;
            if batch.is_empty() {
                return Ok(names);
            }
            names.extend(batch.into_iter().filter(|entry| !super::path::is_dot_or_dotdot(&entry.name)));
        }
    }

    /// Opens the current directory again if it was closed for want of descriptors.
    async fn reopen(&mut self) {
        let Some(frame) = self.frames.last().filter(|frame| frame.fd.is_none()) else { return };
        let fd = self.open(AT_FDCWD, &frame.entry.path, true).await.ok();
        if let Some(frame) = self.frames.last_mut() {
            frame.fd = fd;
        }
    }
}
