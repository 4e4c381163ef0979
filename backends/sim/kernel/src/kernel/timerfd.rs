//! timerfd_create(2): a timer to wait for.

use provium_protocol::{Errno, Nanos};

use super::Kernel;
use super::file::{FileKind, OpenFile};
use super::wait::{Block, Channel, Stop, object};
use crate::flags::{O_CLOEXEC, O_NONBLOCK, O_RDWR, POLLIN};
use crate::types::{Fd, Pid};

/// One timer. When it fires is worked out when somebody looks; who sleeps on it sleeps until then.
pub struct TimerFd {
    /// Whether its absolute times are those of the real-time clock.
    realtime: bool,
    /// When it fires next, by the world's clock.
    next: Option<Nanos>,
    /// How long after that it fires again; 0 for once.
    interval: Nanos,
}

impl TimerFd {
    /// How often it has fired by `now` since the last read.
    fn fired(&self, now: Nanos) -> u64 {
        match self.next {
            Some(next) if next <= now => 1 + (now - next).checked_div(self.interval).unwrap_or(0),
            _ => 0,
        }
    }
}

impl Kernel {
    /// timerfd_create(2).
    pub(crate) fn timerfd(&mut self, pid: Pid, realtime: bool, flags: i32) -> Result<Fd, Errno> {
        if flags & !(O_CLOEXEC | O_NONBLOCK) != 0 {
            return Err(Errno::EINVAL);
        }
        let id = self.timer_fds.insert(TimerFd { realtime, next: None, interval: 0 });
        let file = OpenFile::new(FileKind::Timer(id), O_RDWR | (flags & O_NONBLOCK), None, None);
        self.install(pid, file, flags & O_CLOEXEC != 0, 0)
    }

    fn timer_of(&self, pid: Pid, fd: Fd) -> Result<usize, Errno> {
        match self.file(self.file_id(pid, fd)?)?.kind {
            FileKind::Timer(id) => Ok(id),
            _ => Err(Errno::EINVAL),
        }
    }

    /// timerfd_settime(2): `value` 0 disarms. What was left of the old setting, and its interval.
    pub(crate) fn timerfd_set(
        &mut self,
        pid: Pid,
        fd: Fd,
        value: Nanos,
        interval: Nanos,
        absolute: bool,
    ) -> Result<(Nanos, Nanos), Errno> {
        let old = self.timerfd_get(pid, fd)?;
        let id = self.timer_of(pid, fd)?;
        let now = self.world.now();
        let (uptime, realtime) = (self.uptime(), u64::try_from(self.realtime()).unwrap_or(0));
        let timer = self.timer_fds.get_mut(id).ok_or(Errno::EBADF)?;
        let clock = if timer.realtime { realtime } else { uptime };
        let after = if absolute { value.saturating_sub(clock) } else { value };
        timer.next = (value > 0).then_some(now.saturating_add(after));
        timer.interval = interval;
        self.wake(Channel::Object(object::TIMER, id));
        Ok(old)
    }

    /// timerfd_gettime(2): what is left until it fires, and its interval.
    pub(crate) fn timerfd_get(&self, pid: Pid, fd: Fd) -> Result<(Nanos, Nanos), Errno> {
        let timer = self.timer_fds.get(self.timer_of(pid, fd)?).ok_or(Errno::EBADF)?;
        let now = self.world.now();
        let left = match timer.next {
            None => 0,
            Some(next) if next > now => next - now,
            Some(next) => timer.interval.saturating_sub((now - next).checked_rem(timer.interval).unwrap_or(0)),
        };
        Ok((left, timer.interval))
    }

    pub(crate) fn timer_read(&mut self, id: usize, len: usize, nonblock: bool) -> Result<Vec<u8>, Stop> {
        if len < 8 {
            return Err(Errno::EINVAL.into());
        }
        let now = self.world.now();
        let timer = self.timer_fds.get_mut(id).ok_or(Errno::EBADF)?;
        let fired = timer.fired(now);
        if fired == 0 {
            if nonblock {
                return Err(Errno::EAGAIN.into());
            }
            let channels = vec![Channel::Object(object::TIMER, id)];
            return Err(Stop::Block(Block { channels, deadline: timer.next }));
        }
        timer.next = match timer.interval {
            0 => None,
            interval => timer.next.map(|next| next.saturating_add(interval.saturating_mul(fired))),
        };
        Ok(fired.to_le_bytes().to_vec())
    }

    /// What poll(2) says, and when to look again.
    pub(crate) fn timer_poll(&self, id: usize) -> (i16, Option<Nanos>) {
        match self.timer_fds.get(id) {
            Some(timer) if timer.fired(self.world.now()) > 0 => (POLLIN, None),
            Some(timer) => (0, timer.next),
            None => (0, None),
        }
    }

    /// How often it fired, for edge-triggered waits.
    pub(crate) fn timer_activity(&self, id: usize) -> u64 {
        self.timer_fds.get(id).map_or(0, |timer| timer.fired(self.world.now()))
    }
}
