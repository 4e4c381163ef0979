//! Between the words of the waist and those of the simulated kernel.

use provium_agent::os::Ending;
use provium_kernel::flags::{
    LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, O_APPEND, O_CLOEXEC, O_CREAT, O_EXCL, O_NOCTTY, O_RDONLY, O_RDWR, O_TRUNC,
    O_WRONLY, SEEK_CUR, SEEK_END, SEEK_SET,
};
use provium_kernel::{Stat, WaitStatus};
use provium_protocol::exec::ByteString;
use provium_protocol::fs::{DirEntry, EntryType, FileStat, LockKind, OpenMode, Whence};

/// What a test sees of stat(2).
pub fn file_stat(stat: Stat) -> FileStat {
    FileStat {
        size: stat.size,
        mtime_s: stat.mtime.sec,
        mtime_ns: stat.mtime.nsec,
        mode: stat.mode,
        uid: stat.uid,
        gid: stat.gid,
        nlink: stat.nlink,
        ino: stat.ino,
    }
}

/// What a test sees of a directory's entry.
pub fn dir_entry(entry: provium_kernel::DirEntry) -> DirEntry {
    DirEntry { name: ByteString(entry.name), entry_type: EntryType::from_mode(entry.kind) }
}

/// The flags of open(2).
pub fn open_flags(mode: &OpenMode) -> i32 {
    let access = match (mode.read, mode.write || mode.append) {
        (true, true) => O_RDWR,
        (false, true) => O_WRONLY,
        (_, false) => O_RDONLY,
    };
    let flag = |set, flag| if set { flag } else { 0 };
    access
        | O_CLOEXEC
        | O_NOCTTY
        | flag(mode.append, O_APPEND)
        | flag(mode.create, O_CREAT)
        | flag(mode.truncate, O_TRUNC)
        | flag(mode.exclusive, O_EXCL)
}

/// The number of lseek(2).
pub fn whence(whence: Whence) -> i32 {
    match whence {
        Whence::Set => SEEK_SET,
        Whence::Current => SEEK_CUR,
        Whence::End => SEEK_END,
    }
}

/// The operation of flock(2).
pub fn flock(kind: Option<LockKind>, block: bool) -> i32 {
    let operation = match kind {
        Some(LockKind::Shared) => LOCK_SH,
        Some(LockKind::Exclusive) => LOCK_EX,
        None => LOCK_UN,
    };
    if block { operation } else { operation | LOCK_NB }
}

/// How a reaped process ended; `None` if it was only stopped or continued.
pub fn ending(status: WaitStatus) -> Option<Ending> {
    match status {
        WaitStatus::Exited(code) => Some(Ending::Exited(code)),
        WaitStatus::Signalled(signal, _) => Some(Ending::Signalled(signal)),
        WaitStatus::Stopped(_) | WaitStatus::Continued => None,
    }
}
