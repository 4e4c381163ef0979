//! eventfd(2): a counter to wait for.

use provium_protocol::Errno;

use super::Kernel;
use super::file::{FileKind, OpenFile};
use super::wait::{Channel, Stop, object};
use crate::flags::{O_CLOEXEC, O_NONBLOCK, O_RDWR, POLLERR, POLLIN, POLLOUT};
use crate::types::{Fd, Pid};

/// eventfd(2): a read takes one from the counter, not all.
pub const EFD_SEMAPHORE: i32 = 1;

/// The largest value that a counter reaches by writing.
const LARGEST: u64 = u64::MAX - 1;

/// One counter.
pub struct EventFd {
    pub(crate) count: u64,
    semaphore: bool,
    /// Counts changes, for edge-triggered waits.
    pub(crate) activity: u64,
}

impl Kernel {
    /// eventfd2(2).
    pub fn eventfd(&mut self, pid: Pid, count: u32, flags: i32) -> Result<Fd, Errno> {
        if flags & !(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK) != 0 {
            return Err(Errno::EINVAL);
        }
        let event = EventFd { count: u64::from(count), semaphore: flags & EFD_SEMAPHORE != 0, activity: 0 };
        let id = self.events.insert(event);
        let file = OpenFile::new(FileKind::Event(id), O_RDWR | (flags & O_NONBLOCK), None, None);
        self.install(pid, file, flags & O_CLOEXEC != 0, 0)
    }

    fn event_mut(&mut self, id: usize) -> Result<&mut EventFd, Errno> {
        self.events.get_mut(id).ok_or(Errno::EBADF)
    }

    pub(crate) fn event_read(&mut self, id: usize, len: usize, nonblock: bool) -> Result<Vec<u8>, Stop> {
        if len < 8 {
            return Err(Errno::EINVAL.into());
        }
        let event = self.event_mut(id)?;
        if event.count == 0 {
            return Err(if nonblock { Errno::EAGAIN.into() } else { Stop::on(Channel::Object(object::EVENT, id)) });
        }
        let value = if event.semaphore { 1 } else { event.count };
        event.count -= value;
        event.activity += 1;
        self.wake(Channel::Object(object::EVENT, id));
        Ok(value.to_le_bytes().to_vec())
    }

    pub(crate) fn event_write(&mut self, id: usize, data: &[u8], nonblock: bool) -> Result<usize, Stop> {
        let value: [u8; 8] = data.get(..8).and_then(|bytes| bytes.try_into().ok()).ok_or(Errno::EINVAL)?;
        let value = u64::from_le_bytes(value);
        if value == u64::MAX {
            return Err(Errno::EINVAL.into());
        }
        let event = self.event_mut(id)?;
        if LARGEST - event.count.min(LARGEST) < value {
            return Err(if nonblock { Errno::EAGAIN.into() } else { Stop::on(Channel::Object(object::EVENT, id)) });
        }
        event.count += value;
        event.activity += 1;
        self.wake(Channel::Object(object::EVENT, id));
        Ok(8)
    }

    pub(crate) fn event_poll(&self, id: usize) -> i16 {
        let Some(event) = self.events.get(id) else { return POLLERR };
        let mut events = 0;
        if event.count > 0 {
            events |= POLLIN;
        }
        if event.count < LARGEST {
            events |= POLLOUT;
        }
        events
    }
}
