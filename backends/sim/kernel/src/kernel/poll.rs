//! poll(2).

use provium_protocol::{Errno, Nanos};

use super::Kernel;
use super::epoll::earlier;
use super::file::FileKind;
use super::wait::{Channel, object};
use crate::flags::{POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT};
use crate::types::{Fd, Pid, PollFd};

/// `POLLRDNORM` and `POLLWRNORM`: other names of `POLLIN` and `POLLOUT`, with bits of their own.
const POLLRDNORM: i16 = 0x040;
const POLLWRNORM: i16 = 0x100;

/// What to wait for until something may be ready.
#[derive(Debug, Default)]
pub struct Watch {
    /// Any of these.
    pub channels: Vec<Channel>,
    /// When the world's clock reads this.
    pub deadline: Option<Nanos>,
}

impl Kernel {
    /// Fills in what is ready; returns how many are, and what to wait for if none is.
    pub fn poll(&mut self, pid: Pid, fds: &mut [PollFd]) -> Result<(usize, Watch), Errno> {
        let mut ready = 0;
        let mut watch = Watch::default();
        for poll in fds.iter_mut() {
            poll.revents = 0;
            if poll.fd < 0 {
                continue;
            }
            match self.file_id(pid, poll.fd) {
                Err(_) => poll.revents = POLLNVAL,
                Ok(id) => {
                    let events = self.ready_events(id, &mut watch)?;
                    poll.revents = events & (poll.events | POLLERR | POLLHUP | POLLNVAL);
                }
            }
            if poll.revents != 0 {
                ready += 1;
            }
        }
        Ok((ready, watch))
    }

    /// `FIONREAD`: bytes that a read would find. Less than none if a file ends before the position.
    pub(crate) fn bytes_waiting(&self, pid: Pid, fd: Fd) -> Result<i64, Errno> {
        let file = self.file(self.file_id(pid, fd)?)?;
        match &file.kind {
            FileKind::Pipe { pipe, .. } => Ok(self.pipes.get(*pipe).map_or(0, |pipe| pipe.len() as i64)),
            FileKind::Socket(id) => Ok(self.socket_ref(*id)?.queued() as i64),
            FileKind::Device(device) if device.is_terminal() => Ok(self.tty_waiting() as i64),
            FileKind::Regular => {
                let len = self.file_len(file.loc.ok_or(Errno::EIO)?.node)?;
                Ok(len as i64 - file.offset as i64)
            }
            _ => Err(Errno::ENOTTY),
        }
    }

    /// What is ready of an open file, whatever was asked for; `watch` gets what could change that.
    pub(crate) fn ready_events(&self, id: usize, watch: &mut Watch) -> Result<i16, Errno> {
        let events = match &self.file(id)?.kind {
            FileKind::Pipe { pipe, read, write, quiet_at } => {
                if *read {
                    watch.channels.push(Channel::PipeData(*pipe));
                }
                if *write {
                    watch.channels.push(Channel::PipeRoom(*pipe));
                }
                self.pipe_poll(*pipe, *read, *write, *quiet_at)
            }
            FileKind::Event(event) => {
                watch.channels.push(Channel::Object(object::EVENT, *event));
                self.event_poll(*event)
            }
            FileKind::Timer(timer) => {
                watch.channels.push(Channel::Object(object::TIMER, *timer));
                let (events, next) = self.timer_poll(*timer);
                watch.deadline = earlier(watch.deadline, next);
                events
            }
            FileKind::Socket(socket) => self.socket_poll(*socket, &mut watch.channels),
            FileKind::Epoll(epoll) => self.epoll_poll(*epoll, watch)?,
            FileKind::Path => POLLNVAL,
            FileKind::Device(device) if device.is_terminal() => self.tty_poll(watch),
            FileKind::Regular | FileKind::Directory { .. } | FileKind::Proc { .. } | FileKind::Device(_) => {
                POLLIN | POLLOUT
            }
        };
        // Counters and timers know one name only.
        if matches!(self.file(id)?.kind, FileKind::Event(_) | FileKind::Timer(_)) {
            return Ok(events);
        }
        let reading = if events & POLLIN != 0 { POLLRDNORM } else { 0 };
        let writing = if events & POLLOUT != 0 { POLLWRNORM } else { 0 };
        Ok(events | reading | writing)
    }
}
