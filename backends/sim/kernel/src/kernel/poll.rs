//! poll(2).

use provium_protocol::Errno;

use super::Kernel;
use super::file::FileKind;
use super::wait::Channel;
use crate::flags::{POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT};
use crate::types::{Fd, Pid, PollFd};

impl Kernel {
    /// Fills in what is ready; returns how many are, and what to wait for if none is.
    pub fn poll(&mut self, pid: Pid, fds: &mut [PollFd]) -> Result<(usize, Vec<Channel>), Errno> {
        let mut ready = 0;
        let mut channels = Vec::new();
        for poll in fds.iter_mut() {
            poll.revents = 0;
            if poll.fd < 0 {
                continue;
            }
            match self.file_id(pid, poll.fd) {
                Err(_) => poll.revents = POLLNVAL,
                Ok(id) => {
                    let events = self.ready_events(id, &mut channels)?;
                    poll.revents = events & (poll.events | POLLERR | POLLHUP);
                }
            }
            if poll.revents != 0 {
                ready += 1;
            }
        }
        Ok((ready, channels))
    }

    /// `FIONREAD`: bytes that a read would find.
    pub(crate) fn bytes_waiting(&self, pid: Pid, fd: Fd) -> Result<u64, Errno> {
        let file = self.file(self.file_id(pid, fd)?)?;
        match &file.kind {
            FileKind::Pipe { pipe, .. } => Ok(self.pipes.get(*pipe).map_or(0, |pipe| pipe.len() as u64)),
            FileKind::Regular => {
                let len = self.file_len(file.loc.ok_or(Errno::EIO)?.node)?;
                Ok(len.saturating_sub(file.offset))
            }
            _ => Err(Errno::ENOTTY),
        }
    }

    fn ready_events(&self, id: usize, channels: &mut Vec<Channel>) -> Result<i16, Errno> {
        Ok(match &self.file(id)?.kind {
            FileKind::Pipe { pipe, read, write } => {
                if *read {
                    channels.push(Channel::PipeData(*pipe));
                }
                if *write {
                    channels.push(Channel::PipeRoom(*pipe));
                }
                self.pipe_poll(*pipe, *read, *write)
            }
            FileKind::Path => POLLNVAL,
            FileKind::Regular | FileKind::Directory { .. } | FileKind::Proc { .. } | FileKind::Device(_) => {
                POLLIN | POLLOUT
            }
        })
    }
}
