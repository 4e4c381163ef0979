//! Files and directories of a guest.

use serde::{Deserialize, Serialize};

/// The agent's name for an open file; never reused in a guest.
pub type FileHandle = u64;

/// How `vm:open_file` opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenMode {
    /// For reading.
    pub read: bool,
    /// For writing.
    pub write: bool,
    /// Every write goes to the end (`O_APPEND`); implies writing.
    pub append: bool,
    /// Made if absent (`O_CREAT`).
    pub create: bool,
    /// Emptied (`O_TRUNC`).
    pub truncate: bool,
    /// Must not exist (`O_EXCL`).
    pub exclusive: bool,
    /// Permission bits of a file it makes, before the umask; 0o644 by default.
    pub perm: Option<u32>,
}

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryType {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A unix socket.
    Socket,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
    /// What the guest's kernel does not tell.
    Unknown,
}

impl EntryType {
    /// The word in `stat(p).entry_type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            EntryType::File => "file",
            EntryType::Directory => "directory",
            EntryType::Symlink => "symlink",
            EntryType::Fifo => "fifo",
            EntryType::Socket => "socket",
            EntryType::CharDevice => "char_device",
            EntryType::BlockDevice => "block_device",
            EntryType::Unknown => "unknown",
        }
    }

    /// The type in the `S_IFMT` bits of a mode, see inode(7).
    #[must_use]
    pub fn from_mode(mode: u32) -> EntryType {
        match mode & 0o170_000 {
            0o100_000 => EntryType::File,
            0o040_000 => EntryType::Directory,
            0o120_000 => EntryType::Symlink,
            0o010_000 => EntryType::Fifo,
            0o140_000 => EntryType::Socket,
            0o020_000 => EntryType::CharDevice,
            0o060_000 => EntryType::BlockDevice,
            _ => EntryType::Unknown,
        }
    }
}

/// What stat(2) says that a test asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStat {
    /// In bytes.
    pub size: u64,
    /// Modified: whole seconds since 1970.
    pub mtime_s: i64,
    /// Modified: the rest in nanoseconds, 0 to 999,999,999.
    pub mtime_ns: u32,
    /// Type and permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Names that it has.
    pub nlink: u64,
    /// Inode number.
    pub ino: u64,
}

/// One entry of `vm:listdir`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirEntry {
    /// Its name.
    pub name: crate::exec::ByteString,
    /// What it is.
    pub entry_type: EntryType,
}

/// Where a seek counts from, see lseek(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whence {
    /// From the start.
    Set,
    /// From where it stands.
    Current,
    /// From the end.
    End,
}

/// How `f:lock` locks, see flock(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockKind {
    /// Many may hold it.
    Shared,
    /// One alone.
    Exclusive,
}

/// Where a tail starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TailStart {
    /// At what is appended from now on.
    End,
    /// At the first byte.
    Beginning,
    /// At this offset; negative: so many bytes before the end.
    Offset(i64),
}
