//! The content of a regular file, in blocks of 128 KiB.

use provium_kernel::flags::{SEEK_CUR, SEEK_DATA, SEEK_HOLE, SEEK_SET};
use provium_kernel::{Errno, Fd, Stat};

use super::Sparse;
use crate::shared::{Tool, quoteaf};

/// Bytes that cp asks for in one read.
const BLOCK: usize = 128 << 10;

/// The run of zeros that becomes a hole: the block of the file system.
const HOLE: usize = 4096;

struct Copy<'a> {
    tool: &'a Tool,
    from: Fd,
    to: Fd,
    source: &'a [u8],
    target: &'a [u8],
    /// Zeros become holes.
    punch: bool,
    /// The copy ends in a hole that only a change of its size makes.
    open_end: bool,
}

/// Copies what is left to read in `from`; whether that worked. What did not is reported.
pub(super) async fn copy(
    tool: &Tool,
    from: Fd,
    to: Fd,
    stat: &Stat,
    sparse: Sparse,
    source: &[u8],
    target: &[u8],
) -> bool {
    let has_holes = stat.is_file() && stat.blocks.saturating_mul(512) < stat.size;
    let mut copy = Copy { tool, from, to, source, target, punch: sparse == Sparse::Always, open_end: false };
    if has_holes && sparse != Sparse::Never {
        match copy.extents(stat.size).await {
            Some(well) => return well,
            // The file system knows nothing of holes: look for zeros instead.
            None => copy.punch = true,
        }
    }
    copy.all().await
}

impl Copy<'_> {
    async fn all(&mut self) -> bool {
        let mut total = 0;
        loop {
            let data = match self.tool.sys.read(self.from, BLOCK).await {
                Ok(data) => data,
                Err(Errno::EINTR) => continue,
                Err(errno) => return self.failed("error reading", self.source, errno).await,
            };
            if data.is_empty() {
                break;
            }
            total += data.len() as u64;
            if !self.write(&data).await {
                return false;
            }
        }
        !self.open_end || self.end_at(total).await
    }

    /// Goes from data to data; `None` if lseek(2) cannot tell them.
    async fn extents(&mut self, size: u64) -> Option<bool> {
        let sys = &self.tool.sys;
        let mut at = 0u64;
        loop {
            let start = match sys.lseek(self.from, i64::try_from(at).ok()?, SEEK_DATA).await {
                Ok(start) => start,
                Err(Errno::ENXIO) => break,
                Err(Errno::EINVAL) if at == 0 => return None,
                Err(errno) => return Some(self.failed("cannot lseek", self.source, errno).await),
            };
            let end = match sys.lseek(self.from, i64::try_from(start).ok()?, SEEK_HOLE).await {
                Ok(end) => end,
                Err(errno) => return Some(self.failed("cannot lseek", self.source, errno).await),
            };
            let there = i64::try_from(start).ok()?;
            for (fd, name) in [(self.from, self.source), (self.to, self.target)] {
                if let Err(errno) = sys.lseek(fd, there, SEEK_SET).await {
                    return Some(self.failed("cannot lseek", name, errno).await);
                }
            }
            let mut left = end - start;
            while left > 0 {
                let data = match sys.read(self.from, BLOCK.min(usize::try_from(left).unwrap_or(BLOCK))).await {
                    Ok(data) => data,
                    Err(errno) => return Some(self.failed("error reading", self.source, errno).await),
                };
                if data.is_empty() {
                    break;
                }
                left -= data.len() as u64;
                if !self.write(&data).await {
                    return Some(false);
                }
            }
            at = end;
        }
        Some(self.end_at(size.max(at)).await)
    }

    async fn write(&mut self, data: &[u8]) -> bool {
        let chunks = if self.punch { HOLE } else { data.len() };
        for chunk in data.chunks(chunks.max(1)) {
            self.open_end = self.punch && chunk.iter().all(|&byte| byte == 0);
            let result = if self.open_end {
                let ahead = i64::try_from(chunk.len()).unwrap_or(0);
                self.tool.sys.lseek(self.to, ahead, SEEK_CUR).await.map(|_| ())
            } else {
                self.tool.sys.write_all(self.to, chunk).await
            };
            if let Err(errno) = result {
                return self.failed("error writing", self.target, errno).await;
            }
        }
        true
    }

    async fn end_at(&self, size: u64) -> bool {
        match self.tool.sys.ftruncate(self.to, size).await {
            Ok(()) => true,
            Err(errno) => self.failed("failed to extend", self.target, errno).await,
        }
    }

    async fn failed(&self, what: &str, name: &[u8], errno: Errno) -> bool {
        self.tool.error_errno(format!("{what} {}", quoteaf(name)), errno).await;
        false
    }
}
