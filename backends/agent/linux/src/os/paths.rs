//! Calls on paths. A path may lead anywhere, to a file system that does not answer too: each call is a thread's.

use std::ffi::{CStr, CString};

use provium_protocol::Errno;
use provium_protocol::exec::ByteString;
use provium_protocol::fs::{DirEntry, EntryType, FileStat};

use super::blocking::Pool;
use super::files::{file_stat, on_thread, with_gate};
use super::interrupt::Gate;
use super::sys::{self, Fd, check};

/// Bytes for what a link says, at first: longer targets are rare.
const FIRST_TARGET: usize = 512;

/// Bytes of one piece of a directory.
const DIR_PIECE: usize = 32 << 10;

/// Makes a call that takes one path.
pub async fn one(pool: &Pool, path: &[u8], call: impl Fn(&CStr) -> libc::c_int + Send + 'static) -> Result<(), Errno> {
    let path = sys::c_string(path)?;
    on_thread(pool, move || check(call(&path)).map(drop)).await
}

/// Makes a call that takes two.
pub async fn two(
    pool: &Pool,
    first: &[u8],
    second: &[u8],
    call: impl Fn(&CStr, &CStr) -> libc::c_int + Send + 'static,
) -> Result<(), Errno> {
    let (first, second) = (sys::c_string(first)?, sys::c_string(second)?);
    on_thread(pool, move || check(call(&first, &second)).map(drop)).await
}

/// stat(2), or lstat(2).
pub async fn stat(pool: &Pool, path: &[u8], follow: bool) -> Result<FileStat, Errno> {
    let path = sys::c_string(path)?;
    let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    on_thread(pool, move || stat_at(libc::AT_FDCWD, &path, flags).map(|stat| file_stat(&stat))).await
}

fn stat_at(dir: i32, path: &CStr, flags: libc::c_int) -> Result<libc::stat, Errno> {
    // SAFETY: all zeros are a valid `stat`.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `path` ends in a NUL, and `stat` is there to be written to.
    check(unsafe { libc::fstatat(dir, path.as_ptr(), &raw mut stat, flags) })?;
    Ok(stat)
}

/// readlink(2), never cut short.
pub async fn readlink(pool: &Pool, path: &[u8]) -> Result<Vec<u8>, Errno> {
    let path = sys::c_string(path)?;
    on_thread(pool, move || {
        let mut room = FIRST_TARGET;
        loop {
            let mut target = vec![0; room];
            // SAFETY: `path` ends in a NUL, and `target` has room for so many bytes.
            let len = check(unsafe { libc::readlink(path.as_ptr(), target.as_mut_ptr().cast(), room) })?;
            let len = usize::try_from(len).unwrap_or(0);
            if len < room {
                target.truncate(len);
                return Ok(target);
            }
            // It may have been cut.
            room *= 2;
        }
    })
    .await
}

/// The entries of a directory.
pub async fn list_dir(pool: &Pool, path: &[u8]) -> Result<Vec<DirEntry>, Errno> {
    let path = sys::c_string(path)?;
    with_gate(pool, move |gate| list(gate, &path)).await
}

fn list(gate: &Gate, path: &CString) -> Result<Vec<DirEntry>, Errno> {
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC | libc::O_NONBLOCK;
    // SAFETY: `path` ends in a NUL.
    let dir = gate.call(|| Fd::from_call(unsafe { libc::open(path.as_ptr(), flags) }))?;
    let mut entries = Vec::new();
    let mut piece = vec![0u8; DIR_PIECE];
    loop {
        let len = gate.call(|| {
            // SAFETY: `piece` has room for so many bytes.
            check(unsafe { libc::syscall(libc::SYS_getdents64, dir.raw(), piece.as_mut_ptr(), piece.len()) })
        })?;
        let len = usize::try_from(len).unwrap_or(0);
        if len == 0 {
            return Ok(entries);
        }
        let mut rest = piece.get(..len).unwrap_or_default();
        while let Some((name, kind, after)) = entry(rest) {
            if !matches!(name.to_bytes(), b"." | b"..") {
                let entry_type = match kind {
                    libc::DT_UNKNOWN => look(&dir, name),
                    // `d_type` is the type in a mode, shifted.
                    kind => EntryType::from_mode(u32::from(kind) << 12),
                };
                entries.push(DirEntry { name: ByteString(name.to_bytes().to_vec()), entry_type });
            }
            rest = after;
        }
    }
}

/// The first entry of a piece of a directory (`struct linux_dirent64`), and what follows it.
fn entry(piece: &[u8]) -> Option<(&CStr, u8, &[u8])> {
    let len = usize::from(u16::from_ne_bytes(piece.get(16..18)?.try_into().ok()?));
    let kind = *piece.get(18)?;
    let name = CStr::from_bytes_until_nul(piece.get(19..len)?).ok()?;
    Some((name, kind, piece.get(len..)?))
}

/// What an entry is, where the file system does not tell with its name.
fn look(dir: &Fd, name: &CStr) -> EntryType {
    stat_at(dir.raw(), name, libc::AT_SYMLINK_NOFOLLOW)
        .map_or(EntryType::Unknown, |stat| EntryType::from_mode(stat.st_mode))
}
