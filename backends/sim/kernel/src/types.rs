//! Plain data that system calls take and return.

use provium_protocol::Signal;

use crate::flags::{S_IFDIR, S_IFLNK, S_IFMT, S_IFREG};

/// A process, thread, group or session id.
pub type Pid = i32;
/// A file descriptor.
pub type Fd = i32;

/// A point in time since 1970, see timespec(3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSpec {
    /// Whole seconds.
    pub sec: i64,
    /// The rest, 0 to 999,999,999 ns.
    pub nsec: u32,
}

impl TimeSpec {
    /// From nanoseconds since 1970.
    #[must_use]
    pub fn from_nanos(ns: i64) -> TimeSpec {
        TimeSpec { sec: ns.div_euclid(1_000_000_000), nsec: ns.rem_euclid(1_000_000_000) as u32 }
    }

    /// Nanoseconds since 1970, at the ends of what 64 bits hold if it is beyond them.
    #[must_use]
    pub fn as_nanos(self) -> i64 {
        self.sec.saturating_mul(1_000_000_000).saturating_add(i64::from(self.nsec))
    }
}

/// What stat(2) says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// Device of the file system.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
    /// Type and permissions.
    pub mode: u32,
    /// Names.
    pub nlink: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Device it stands for, if it is one.
    pub rdev: u64,
    /// In bytes.
    pub size: u64,
    /// Preferred block in bytes.
    pub blksize: u64,
    /// Allocated blocks of 512 bytes.
    pub blocks: u64,
    /// Last access.
    pub atime: TimeSpec,
    /// Last change of the content.
    pub mtime: TimeSpec,
    /// Last change of the inode.
    pub ctime: TimeSpec,
}

impl Stat {
    /// Whether it is a directory.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        self.mode & S_IFMT == S_IFDIR
    }

    /// Whether it is a regular file.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.mode & S_IFMT == S_IFREG
    }

    /// Whether it is a symbolic link.
    #[must_use]
    pub fn is_symlink(&self) -> bool {
        self.mode & S_IFMT == S_IFLNK
    }
}

/// What statfs(2) says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatFs {
    /// Magic number of the file system.
    pub kind: u64,
    /// Block size in bytes.
    pub block_size: u64,
    /// Blocks in all.
    pub blocks: u64,
    /// Free blocks.
    pub blocks_free: u64,
    /// Inodes in all.
    pub files: u64,
    /// Free inodes.
    pub files_free: u64,
    /// Longest name.
    pub name_max: u64,
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// Its name.
    pub name: Vec<u8>,
    /// Its inode number.
    pub ino: u64,
    /// Its type, `S_IF*`.
    pub kind: u32,
}

/// What utimensat(2) does with one of the two times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetTime {
    /// Set it to the current time.
    Now,
    /// Leave it.
    Omit,
    /// Set it to this.
    At(TimeSpec),
}

/// Which children wait(2) waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitFor {
    /// Any child.
    Any,
    /// This child.
    Pid(Pid),
    /// Any child in this process group.
    Group(Pid),
    /// Any child in the caller's process group.
    OwnGroup,
}

/// Options of wait(2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitOptions {
    /// Do not wait.
    pub nohang: bool,
    /// Report stopped children too.
    pub untraced: bool,
    /// Report continued children too.
    pub continued: bool,
    /// Leave the child in a waitable state.
    pub nowait: bool,
    /// Do not report children that ended: waitid(2) without `WEXITED`.
    pub not_exited: bool,
}

/// What became of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitStatus {
    /// It exited with this code.
    Exited(i32),
    /// A signal ended it; whether a core would have been dumped.
    Signalled(Signal, bool),
    /// A signal stopped it.
    Stopped(Signal),
    /// It goes on.
    Continued,
}

impl WaitStatus {
    /// The status word of wait(2).
    #[must_use]
    pub fn raw(self) -> i32 {
        match self {
            WaitStatus::Exited(code) => (code & 0xff) << 8,
            WaitStatus::Signalled(signal, core) => signal.0 | if core { 0x80 } else { 0 },
            WaitStatus::Stopped(signal) => (signal.0 << 8) | 0x7f,
            WaitStatus::Continued => 0xffff,
        }
    }
}

/// Who a process is, see credentials(7).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Real user.
    pub uid: u32,
    /// Effective user.
    pub euid: u32,
    /// Saved user.
    pub suid: u32,
    /// Real group.
    pub gid: u32,
    /// Effective group.
    pub egid: u32,
    /// Saved group.
    pub sgid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

impl Credentials {
    /// Whether the process may do what only root may.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.euid == 0
    }

    /// Whether the process is in this group.
    #[must_use]
    pub fn in_group(&self, gid: u32) -> bool {
        self.egid == gid || self.groups.contains(&gid)
    }
}

/// What a process does with a signal, see sigaction(2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SigAction {
    /// What signal(7) lists as the default.
    #[default]
    Default,
    /// Nothing.
    Ignore,
    /// A handler: the signal shows up in [`crate::Sys::take_caught`].
    Catch,
}

/// One descriptor of poll(2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PollFd {
    /// The descriptor; negative ones are passed over.
    pub fd: Fd,
    /// What is asked for.
    pub events: i16,
    /// What is there.
    pub revents: i16,
}

/// What uname(2) says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uname {
    /// `"Linux"`.
    pub sysname: String,
    /// Host name.
    pub nodename: String,
    /// Kernel release.
    pub release: String,
    /// Kernel version.
    pub version: String,
    /// `"x86_64"`.
    pub machine: String,
}

/// What sysinfo(2) says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SysInfo {
    /// Seconds since boot.
    pub uptime: u64,
    /// Memory in bytes.
    pub total_ram: u64,
    /// Free memory in bytes.
    pub free_ram: u64,
    /// Processes.
    pub procs: u16,
}
