//! Descriptors: copies, flags, pipes, poll.

use provium_protocol::{Errno, Nanos};

use super::Sys;
use crate::kernel::epoll::earlier;
use crate::kernel::poll::Watch;
use crate::kernel::wait::{Block, Channel, Stop};
use crate::types::{Fd, PollFd};

impl Sys {
    /// dup(2).
    pub async fn dup(&self, fd: Fd) -> Result<Fd, Errno> {
        self.fcntl_dupfd(fd, 0, false).await
    }

    /// dup2(2).
    pub async fn dup2(&self, old: Fd, new: Fd) -> Result<Fd, Errno> {
        self.call_now(|kernel| kernel.dup_to(self.pid(), old, new, false, true)).await
    }

    /// dup3(2).
    pub async fn dup3(&self, old: Fd, new: Fd, cloexec: bool) -> Result<Fd, Errno> {
        self.call_now(|kernel| kernel.dup_to(self.pid(), old, new, cloexec, false)).await
    }

    /// fcntl(2) `F_DUPFD` and `F_DUPFD_CLOEXEC`.
    pub async fn fcntl_dupfd(&self, fd: Fd, from: Fd, cloexec: bool) -> Result<Fd, Errno> {
        self.call_now(|kernel| kernel.dup_from(self.pid(), fd, from, cloexec)).await
    }

    /// fcntl(2) `F_GETFD`.
    pub async fn get_cloexec(&self, fd: Fd) -> Result<bool, Errno> {
        self.call_now(|kernel| kernel.cloexec(self.pid(), fd)).await
    }

    /// fcntl(2) `F_SETFD`.
    pub async fn set_cloexec(&self, fd: Fd, cloexec: bool) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.set_cloexec(self.pid(), fd, cloexec)).await
    }

    /// fcntl(2) `F_GETFL`.
    pub async fn getfl(&self, fd: Fd) -> Result<i32, Errno> {
        self.call_now(|kernel| kernel.status_flags(self.pid(), fd)).await
    }

    /// fcntl(2) `F_SETFL`.
    pub async fn setfl(&self, fd: Fd, flags: i32) -> Result<(), Errno> {
        self.call_now(|kernel| kernel.set_status_flags(self.pid(), fd, flags)).await
    }

    /// pipe2(2): the reading and the writing end.
    pub async fn pipe(&self, flags: i32) -> Result<(Fd, Fd), Errno> {
        self.call_now(|kernel| kernel.pipe(self.pid(), flags)).await
    }

    /// isatty(3): only the console is a terminal.
    pub async fn isatty(&self, fd: Fd) -> bool {
        let asked = self.call_now(|kernel| {
            let id = kernel.file_id(self.pid(), fd)?;
            Ok(kernel.file(id)?.is_terminal())
        });
        asked.await.unwrap_or(false)
    }

    /// poll(2): how many are ready; 0 when `timeout_ns` ran out. `None` waits for ever.
    pub async fn poll(&self, fds: &mut [PollFd], timeout_ns: Option<u64>) -> Result<usize, Errno> {
        self.step().await;
        self.poll_now(fds, timeout_ns).await
    }

    /// poll(2) without a step before it.
    pub(crate) async fn poll_now(&self, fds: &mut [PollFd], timeout_ns: Option<u64>) -> Result<usize, Errno> {
        let deadline = timeout_ns.map(|ns| self.now().saturating_add(ns));
        loop {
            let (ready, watch) = self.machine.kernel().borrow_mut().poll(self.pid(), fds)?;
            if ready > 0 || deadline.is_some_and(|deadline| self.now() >= deadline) {
                return Ok(ready);
            }
            self.sleep_on(self.block_on(watch, deadline)).await?;
        }
    }

    /// What sleeping on a watch until a deadline means.
    pub(crate) fn block_on(&self, watch: Watch, deadline: Option<Nanos>) -> Block {
        let deadline = earlier(watch.deadline, deadline);
        let mut channels = watch.channels;
        if channels.is_empty() {
            channels.push(if deadline.is_some() { Channel::Timer } else { Channel::Signal(self.pid()) });
        }
        Block { channels, deadline }
    }

    /// Sleeps until the inode behind an open file changes, unless `look` already finds what it seeks.
    /// For followers of files: they are pushed, they do not poll.
    pub async fn wait_file_change<T>(
        &self,
        fd: Fd,
        mut look: impl FnMut(crate::Stat) -> Option<T>,
    ) -> Result<T, Errno> {
        self.call(|kernel| {
            let stat = kernel.fstat(self.pid(), fd)?;
            if let Some(found) = look(stat) {
                return Ok(found);
            }
            let id = kernel.file_id(self.pid(), fd)?;
            let node = kernel.file(id)?.loc.ok_or(Errno::EINVAL)?.node;
            Err(Stop::on(Channel::File(node)))
        })
        .await
    }
}
