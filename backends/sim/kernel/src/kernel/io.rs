//! read(2), write(2) and their kin.

use std::rc::Rc;

use provium_protocol::{Errno, Signal};
use rand_core::Rng;

use super::Kernel;
use super::file::FileKind;
use super::rlimit::RLIMIT_FSIZE;
use super::socket::{RecvArgs, SendArgs};
use super::wait::{Channel, Stop};
use crate::flags::{O_APPEND, O_NOATIME, O_NONBLOCK};
use crate::limits::{MAX_DEVICE_READ, MAX_FILE_SIZE, MAX_RW};
use crate::types::{Fd, Pid};
use crate::vfs::NodeId;
use crate::vfs::device::Device;
use crate::vfs::inode::InodeKind;

impl Kernel {
    /// read(2).
    pub fn read(&mut self, pid: Pid, fd: Fd, len: usize) -> Result<Vec<u8>, Stop> {
        let id = self.file_id(pid, fd)?;
        let offset = self.file(id)?.offset;
        let data = self.read_at(pid, id, len, offset)?;
        self.moved_to(id, offset + data.len() as u64)?;
        Ok(data)
    }

    /// pread(2).
    pub fn pread(&mut self, pid: Pid, fd: Fd, len: usize, offset: u64) -> Result<Vec<u8>, Stop> {
        let id = self.file_id(pid, fd)?;
        if self.file(id)?.is_stream() {
            return Err(Errno::ESPIPE.into());
        }
        if offset > MAX_FILE_SIZE {
            return Err(Errno::EINVAL.into());
        }
        self.read_at(pid, id, len, offset)
    }

    /// A transfer at the position moves it, but for what has no places.
    fn moved_to(&mut self, id: usize, offset: u64) -> Result<(), Errno> {
        let file = self.file_mut(id)?;
        if !file.is_stream() {
            file.offset = offset;
        }
        Ok(())
    }

    fn read_at(&mut self, pid: Pid, id: usize, len: usize, offset: u64) -> Result<Vec<u8>, Stop> {
        let file = self.file(id)?;
        file.check_readable()?;
        file.check_span(offset, len)?;
        let len = len.min(MAX_RW);
        let nonblock = file.flags & O_NONBLOCK != 0;
        match &file.kind {
            FileKind::Regular => {
                let node = file.loc.ok_or(Errno::EIO)?.node;
                let quiet = file.flags & O_NOATIME != 0;
                let data = match &self.inode(node).ok_or(Errno::EIO)?.kind {
                    InodeKind::File(data) => data.read(offset, len),
                    _ => return Err(Errno::EIO.into()),
                };
                if !quiet {
                    self.accessed(node);
                }
                Ok(data)
            }
            FileKind::Directory { .. } => Err(Errno::EISDIR.into()),
            FileKind::Path => Err(Errno::EBADF.into()),
            FileKind::Device(device) if device.is_terminal() => self.tty_read(len, nonblock),
            FileKind::Device(device) => Ok(self.read_device(*device, len, offset)),
            FileKind::Pipe { pipe, .. } => {
                let pipe = *pipe;
                if len == 0 {
                    return Ok(Vec::new());
                }
                self.pipe_read(pipe, len, nonblock)
            }
            FileKind::Event(event) => {
                let event = *event;
                self.event_read(event, len, nonblock)
            }
            FileKind::Timer(timer) => {
                let timer = *timer;
                self.timer_read(timer, len, nonblock)
            }
            // Unlike recv(2), a read of nothing takes nothing.
            FileKind::Socket(_) if len == 0 => Ok(Vec::new()),
            FileKind::Socket(socket) => {
                let args = RecvArgs { flags: 0, len, nonblock, began: self.world.now() };
                let received = self.socket_receive(*socket, &args)?;
                self.discard_passed(received.files);
                Ok(received.data)
            }
            FileKind::Epoll(_) => Err(Errno::EINVAL.into()),
            FileKind::Proc { content } => {
                let content = match content {
                    Some(content) if offset > 0 => content.clone(),
                    // Like the kernel's seq files, reading from the start looks afresh.
                    _ => {
                        let node = file.loc.ok_or(Errno::EIO)?.node;
                        let fresh: Rc<[u8]> = crate::vfs::proc::content(self, node.ino, pid)?.into();
                        self.file_mut(id)?.kind = FileKind::Proc { content: Some(fresh.clone()) };
                        fresh
                    }
                };
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
                let end = start.saturating_add(len).min(content.len());
                Ok(content[start..end].to_vec())
            }
        }
    }

    fn read_device(&mut self, device: Device, len: usize, offset: u64) -> Vec<u8> {
        let len = len.min(MAX_DEVICE_READ);
        match device {
            Device::Null | Device::Tty | Device::Console | Device::Serial => Vec::new(),
            Device::Zero | Device::Full => vec![0; len],
            Device::Random => self.random(len),
            Device::Kmsg => {
                let log = self.dmesg();
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(log.len());
                log[start..start.saturating_add(len).min(log.len())].to_vec()
            }
        }
    }

    /// Random bytes of this guest (getrandom(2)).
    pub fn random(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// write(2).
    pub fn write(&mut self, pid: Pid, fd: Fd, data: &[u8]) -> Result<usize, Stop> {
        let id = self.file_id(pid, fd)?;
        let file = self.file(id)?;
        let mut offset = file.offset;
        // Writing nothing moves nothing, not even to the end.
        if file.flags & O_APPEND != 0 && !data.is_empty() && matches!(file.kind, FileKind::Regular) {
            offset = self.file_len(file.loc.ok_or(Errno::EIO)?.node)?;
        }
        let written = self.write_at(pid, id, data, offset)?;
        self.moved_to(id, offset + written as u64)?;
        Ok(written)
    }

    /// pwrite(2). As on Linux, `O_APPEND` wins over the offset.
    pub fn pwrite(&mut self, pid: Pid, fd: Fd, data: &[u8], offset: u64) -> Result<usize, Stop> {
        let id = self.file_id(pid, fd)?;
        let file = self.file(id)?;
        if file.is_stream() {
            return Err(Errno::ESPIPE.into());
        }
        let append = file.flags & O_APPEND != 0 && matches!(file.kind, FileKind::Regular);
        let offset = if append { self.file_len(file.loc.ok_or(Errno::EIO)?.node)? } else { offset };
        self.write_at(pid, id, data, offset)
    }

    pub(crate) fn file_len(&self, node: NodeId) -> Result<u64, Errno> {
        match self.inode(node).map(|inode| &inode.kind) {
            Some(InodeKind::File(data)) => Ok(data.len()),
            _ => Err(Errno::EINVAL),
        }
    }

    fn write_at(&mut self, pid: Pid, id: usize, data: &[u8], offset: u64) -> Result<usize, Stop> {
        let file = self.file(id)?;
        file.check_writable()?;
        file.check_span(offset, data.len())?;
        let data = &data[..data.len().min(MAX_RW)];
        let nonblock = file.flags & O_NONBLOCK != 0;
        match &file.kind {
            FileKind::Regular => {
                let node = file.loc.ok_or(Errno::EIO)?.node;
                let data = self.within_file_limit(pid, data, offset)?;
                let written = self.write_file(node, data, offset)?;
                if written > 0 {
                    self.take_privileges(pid, node)?;
                }
                Ok(written)
            }
            FileKind::Directory { .. } => Err(Errno::EISDIR.into()),
            FileKind::Path => Err(Errno::EBADF.into()),
            FileKind::Device(Device::Full) if !data.is_empty() => Err(Errno::ENOSPC.into()),
            FileKind::Device(Device::Kmsg) => {
                self.log_from_program(data);
                Ok(data.len())
            }
            FileKind::Device(device) if device.is_terminal() => self.tty_write(data, nonblock),
            FileKind::Device(_) => Ok(data.len()),
            FileKind::Pipe { pipe, .. } => {
                let pipe = *pipe;
                self.pipe_write(pid, pipe, data, nonblock)
            }
            FileKind::Event(event) => {
                let event = *event;
                self.event_write(event, data, nonblock)
            }
            FileKind::Socket(socket) => {
                let args = SendArgs { nonblock, began: self.world.now(), ..SendArgs::default() };
                self.socket_send(pid, *socket, data, &args)
            }
            FileKind::Epoll(_) | FileKind::Timer(_) => Err(Errno::EINVAL.into()),
            FileKind::Proc { .. } => {
                let node = file.loc.ok_or(Errno::EIO)?.node;
                crate::vfs::proc::write(self, node.ino, data, pid)?;
                Ok(data.len())
            }
        }
    }

    /// What of `data` the process's `RLIMIT_FSIZE` allows at this offset.
    fn within_file_limit<'a>(&mut self, pid: Pid, data: &'a [u8], offset: u64) -> Result<&'a [u8], Errno> {
        let limit = self.proc(pid)?.rlimits[RLIMIT_FSIZE].0;
        if data.is_empty() || limit - offset.min(limit) >= data.len() as u64 {
            return Ok(data);
        }
        if offset >= limit {
            self.send(pid, Signal::SIGXFSZ);
            return Err(Errno::EFBIG);
        }
        Ok(&data[..(limit - offset) as usize])
    }

    /// Writes to a regular file: less than asked for when the file system fills up.
    pub(crate) fn write_file(&mut self, node: NodeId, data: &[u8], offset: u64) -> Result<usize, Errno> {
        if data.is_empty() {
            return Ok(0);
        }
        if offset >= MAX_FILE_SIZE {
            return Err(Errno::EFBIG);
        }
        self.check_seals(node, true, (offset + data.len() as u64).max(self.file_len(node)?))?;
        let mut len = data.len().min(usize::try_from(MAX_FILE_SIZE - offset).unwrap_or(usize::MAX));
        let missing = |kernel: &Kernel, len: usize| match kernel.inode(node).map(|inode| &inode.kind) {
            Some(InodeKind::File(content)) => Ok(content.missing_pages(offset, len as u64)),
            _ => Err(Errno::EINVAL),
        };
        let free = self.memory_fs(node.fs)?.free_pages();
        if missing(self, len)? > free {
            // The longest prefix that still fits.
            let (mut fits, mut too_long) = (0, len);
            while too_long - fits > 1 {
                let middle = fits + (too_long - fits) / 2;
                if missing(self, middle)? <= free { fits = middle } else { too_long = middle }
            }
            if fits == 0 {
                return Err(Errno::ENOSPC);
            }
            len = fits;
        }
        let pages = missing(self, len)?;
        self.memory_fs(node.fs)?.charge(pages)?;
        let now = self.realtime();
        let inode = self.inode_mut(node)?;
        if let InodeKind::File(content) = &mut inode.kind {
            content.write(offset, &data[..len]);
        }
        inode.mtime = now;
        inode.ctime = now;
        self.wake(Channel::File(node));
        Ok(len)
    }
}
