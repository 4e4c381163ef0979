//! Reading and writing.

use provium_protocol::Errno;

use super::call::{Call, done};
use super::table::nr;
use crate::limits::MAX_RW;
use crate::types::{DirEntry, Fd};

/// Parts of one vector, as on Linux (`UIO_MAXIOV`).
const IOV_MAX: usize = 1_024;

/// Bytes of a `struct linux_dirent64` before its name.
const DIRENT_HEAD: usize = 19;

pub(super) async fn call(c: &mut Call<'_>) -> Result<i64, Errno> {
    match c.nr {
        nr::READ => read(c, None).await,
        nr::PREAD64 => read(c, Some(position(c, 3)?)).await,
        nr::WRITE => write(c, None).await,
        nr::PWRITE64 => write(c, Some(position(c, 3)?)).await,
        nr::READV | nr::PREADV | nr::PREADV2 => {
            let offset = vector_position(c)?;
            readv(c, offset).await
        }
        nr::WRITEV | nr::PWRITEV | nr::PWRITEV2 => {
            let offset = vector_position(c)?;
            writev(c, offset).await
        }
        nr::LSEEK => {
            let (pid, fd, offset, whence) = (c.pid(), c.fd(0), c.args[1], c.int(2));
            c.kernel(|kernel| kernel.seek(pid, fd, offset, whence)).map(|at| at as i64)
        }
        nr::TRUNCATE => {
            let len = position(c, 1)?;
            let path = c.path(0)?;
            done(c.kernel(|kernel| kernel.truncate(c.pid(), path, len)))
        }
        nr::FTRUNCATE => {
            let len = position(c, 1)?;
            done(c.kernel(|kernel| kernel.ftruncate(c.pid(), c.fd(0), len)))
        }
        nr::FALLOCATE => {
            c.kernel(|kernel| kernel.fd_place(c.pid(), c.fd(0)))?;
            let (offset, len) = (position(c, 2)?, position(c, 3)?);
            done(c.kernel(|kernel| kernel.fallocate(c.pid(), c.fd(0), c.int(1), offset, len)))
        }
        nr::FADVISE64 => {
            let (pid, fd, advice) = (c.pid(), c.fd(0), c.int(3));
            c.kernel(|kernel| kernel.file_id(pid, fd))?;
            if (0..=5).contains(&advice) { Ok(0) } else { Err(Errno::EINVAL) }
        }
        nr::GETDENTS64 => getdents(c),
        _ => Err(Errno::ENOSYS),
    }
}

/// An argument that is an offset or a length: never negative.
fn position(c: &Call<'_>, at: usize) -> Result<u64, Errno> {
    u64::try_from(c.args[at]).map_err(|_| Errno::EINVAL)
}

/// The offset of a vectored call; -1 in the newest ones is the file's own.
fn vector_position(c: &Call<'_>) -> Result<Option<u64>, Errno> {
    match c.nr {
        nr::READV | nr::WRITEV => Ok(None),
        nr::PREADV | nr::PWRITEV => Ok(Some(position(c, 3)?)),
        _ if c.int(5) != 0 => Err(Errno::EOPNOTSUPP),
        _ if c.args[3] == -1 => Ok(None),
        _ => Ok(Some(position(c, 3)?)),
    }
}

async fn read_once(c: &Call<'_>, fd: Fd, len: usize, offset: Option<u64>) -> Result<Vec<u8>, Errno> {
    let pid = c.pid();
    c.wait(|kernel| match offset {
        None => kernel.read(pid, fd, len),
        Some(offset) => kernel.pread(pid, fd, len, offset),
    })
    .await
}

async fn write_once(c: &Call<'_>, fd: Fd, data: &[u8], offset: Option<u64>) -> Result<i64, Errno> {
    let pid = c.pid();
    let written = match offset {
        None => c.sys.write_now(fd, data).await?,
        Some(offset) => c.wait(|kernel| kernel.pwrite(pid, fd, data, offset)).await?,
    };
    Ok(written as i64)
}

async fn read(c: &mut Call<'_>, offset: Option<u64>) -> Result<i64, Errno> {
    let (fd, addr) = (c.fd(0), c.addr(1));
    // A descriptor that is not open is told before an address that is wrong.
    c.kernel(|kernel| kernel.file_id(c.pid(), fd))?;
    let len = c.len(2).min(MAX_RW);
    c.mem.bytes(addr, len)?;
    let data = read_once(c, fd, len, offset).await?;
    c.mem.put(addr, &data)?;
    Ok(data.len() as i64)
}

async fn write(c: &mut Call<'_>, offset: Option<u64>) -> Result<i64, Errno> {
    let fd = c.fd(0);
    c.kernel(|kernel| kernel.file_id(c.pid(), fd))?;
    let data = c.mem.bytes(c.addr(1), c.len(2).min(MAX_RW))?;
    write_once(c, fd, data, offset).await
}

/// The parts of a vector of `struct iovec`, all of them inside of buffers.
pub(super) fn iovec(c: &Call<'_>, addr: u64, count: usize) -> Result<Vec<(u64, usize)>, Errno> {
    if count > IOV_MAX {
        return Err(Errno::EINVAL);
    }
    let mut parts = Vec::with_capacity(count);
    let mut total = 0;
    for at in 0..count as u64 {
        let (base, len) = (c.mem.u64(addr + at * 16)?, c.mem.i64(addr + at * 16 + 8)?);
        let len = usize::try_from(len).map_err(|_| Errno::EINVAL)?.min(MAX_RW - total);
        c.mem.bytes(base, len)?;
        total += len;
        parts.push((base, len));
    }
    Ok(parts)
}

/// What a vector's parts hold, joined.
pub(super) fn gather(c: &Call<'_>, parts: &[(u64, usize)]) -> Result<Vec<u8>, Errno> {
    let mut data = Vec::new();
    for (base, len) in parts {
        data.extend_from_slice(c.mem.bytes(*base, *len)?);
    }
    Ok(data)
}

/// Fills a vector's parts one after another.
pub(super) fn scatter(c: &mut Call<'_>, parts: &[(u64, usize)], data: &[u8]) -> Result<(), Errno> {
    let mut rest = data;
    for (base, len) in parts {
        let (part, tail) = rest.split_at((*len).min(rest.len()));
        c.mem.put(*base, part)?;
        rest = tail;
    }
    Ok(())
}

async fn readv(c: &mut Call<'_>, offset: Option<u64>) -> Result<i64, Errno> {
    let fd = c.fd(0);
    c.kernel(|kernel| kernel.file_id(c.pid(), fd))?;
    let parts = iovec(c, c.addr(1), c.len(2))?;
    let total = parts.iter().map(|part| part.1).sum();
    let data = read_once(c, fd, total, offset).await?;
    scatter(c, &parts, &data)?;
    Ok(data.len() as i64)
}

async fn writev(c: &mut Call<'_>, offset: Option<u64>) -> Result<i64, Errno> {
    let fd = c.fd(0);
    c.kernel(|kernel| kernel.file_id(c.pid(), fd))?;
    let parts = iovec(c, c.addr(1), c.len(2))?;
    let data = gather(c, &parts)?;
    write_once(c, fd, &data, offset).await
}

fn dirent_len(entry: &DirEntry) -> usize {
    (DIRENT_HEAD + entry.name.len() + 1).next_multiple_of(8)
}

fn getdents(c: &mut Call<'_>) -> Result<i64, Errno> {
    let (pid, fd, addr, room) = (c.pid(), c.fd(0), c.addr(1), c.uint(2) as usize);
    let mut used = 0;
    let (first, entries) = c.kernel(|kernel| {
        let first = kernel.directory_position(pid, fd)?;
        let entries = kernel.getdents_while(pid, fd, |entry| {
            used += dirent_len(entry);
            used <= room
        })?;
        // No room for a single entry is an error, not the end.
        if entries.is_empty() && used > room { Err(Errno::EINVAL) } else { Ok((first, entries)) }
    })?;
    let mut out = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let start = out.len();
        out.extend_from_slice(&entry.ino.to_le_bytes());
        out.extend_from_slice(&(first + at as u64 + 1).to_le_bytes());
        out.extend_from_slice(&(dirent_len(entry) as u16).to_le_bytes());
        // DT_* are the type bits of a mode, shifted.
        out.push((entry.kind >> 12) as u8);
        out.extend_from_slice(&entry.name);
        out.resize(start + dirent_len(entry), 0);
    }
    c.mem.put(addr, &out)?;
    Ok(out.len() as i64)
}
