//! What every program needs: loops over the plain calls.

use provium_protocol::Errno;

use super::Sys;
use crate::flags::{O_CLOEXEC, O_DIRECTORY, O_RDONLY};
use crate::types::{DirEntry, Fd};

/// Bytes asked for in one read.
const CHUNK: usize = 64 << 10;

impl Sys {
    /// Writes all of it, going on after short writes and interruptions.
    pub async fn write_all(&self, fd: Fd, data: &[u8]) -> Result<(), Errno> {
        let mut rest = data;
        while !rest.is_empty() {
            match self.write(fd, rest).await {
                Ok(0) => return Err(Errno::EIO),
                Ok(written) => rest = &rest[written..],
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    /// Reads to the end.
    pub async fn read_to_end(&self, fd: Fd) -> Result<Vec<u8>, Errno> {
        let mut all = Vec::new();
        loop {
            let part = self.read(fd, CHUNK).await?;
            if part.is_empty() {
                return Ok(all);
            }
            all.extend_from_slice(&part);
        }
    }

    /// Opens, reads to the end, closes.
    pub async fn read_file(&self, path: impl AsRef<[u8]>) -> Result<Vec<u8>, Errno> {
        let fd = self.open(path, O_RDONLY | O_CLOEXEC, 0).await?;
        let all = self.read_to_end(fd).await;
        self.close(fd).await?;
        all
    }

    /// The entries of a directory without its dots.
    pub async fn read_dir(&self, path: impl AsRef<[u8]>) -> Result<Vec<DirEntry>, Errno> {
        let fd = self.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0).await?;
        let mut all = Vec::new();
        let result = loop {
            match self.getdents(fd).await {
                Ok(part) if part.is_empty() => break Ok(()),
                Ok(part) => all.extend(part.into_iter().filter(|entry| entry.name != b"." && entry.name != b"..")),
                Err(errno) => break Err(errno),
            }
        };
        self.close(fd).await?;
        result.map(|()| all)
    }
}
