//! Descriptors that bytes come and go through, whatever they are.
//!
//! A virtio port whose host has gone reports `EPOLLHUP` for as long as nobody has come back, which is no reason to stop
//! listening, nor to ask again and again. So readiness is had from an epoll instance of the port's own, which is itself listened
//! to edge-triggered: it reports each change once, the host's return too. What the changes were is never asked of it: whoever
//! learns of one looks at the descriptors.

use std::cell::Cell;
use std::time::Duration;

use provium_protocol::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::os::sys::{self, Fd, check};

/// How often a port without a host is looked at all the same.
const SLOW_LOOK: Duration = Duration::from_secs(1);

/// Something to read from and write to, without waiting.
pub struct Port {
    input: Fd,
    /// Where it is not the same.
    output: Option<Fd>,
    events: AsyncFd<Fd>,
    /// Whether it is told when there is room to write.
    wants_room: Cell<bool>,
}

/// What one read came to.
pub enum Read {
    /// So many bytes.
    Bytes(usize),
    /// None yet.
    Nothing,
    /// There is nobody at the other end.
    End,
}

impl Port {
    /// Takes descriptors over; `output` where it is another than the input.
    pub fn new(input: Fd, output: Option<Fd>) -> Result<Port, Errno> {
        // SAFETY: it takes a number.
        let epoll = Fd::from_call(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        for fd in [Some(&input), output.as_ref()].into_iter().flatten() {
            sys::set_nonblocking(fd)?;
            control(&epoll, libc::EPOLL_CTL_ADD, fd, 0)?;
        }
        let events = sys::register(epoll, Interest::READABLE)?;
        Ok(Port { input, output, events, wants_room: Cell::new(false) })
    }

    fn writes_to(&self) -> &Fd {
        self.output.as_ref().unwrap_or(&self.input)
    }

    /// Says whether there is something that waits for room. A port that always told of room would tell after each write that
    /// the host has taken it, when nobody wants to know. When this is `true`, room may have come that is not told: the caller
    /// has to look once more before it waits.
    pub fn want_room(&self, wanted: bool) -> Result<bool, Errno> {
        if self.wants_room.replace(wanted) == wanted {
            return Ok(false);
        }
        let events = if wanted { libc::EPOLLOUT } else { 0 };
        control(self.events.get_ref(), libc::EPOLL_CTL_MOD, self.writes_to(), events)?;
        Ok(wanted)
    }

    /// Reads what is there.
    pub fn read(&self, buffer: &mut [u8]) -> Result<Read, Errno> {
        match sys::read_into(self.input.raw(), buffer) {
            Ok(0) => Ok(Read::End),
            Ok(moved) => Ok(Read::Bytes(moved)),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(Read::Nothing),
            Err(errno) => Err(errno),
        }
    }

    /// Writes what there is room for.
    pub fn write(&self, data: &[u8]) -> Result<usize, Errno> {
        match sys::write(self.writes_to().raw(), data) {
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(0),
            other => other,
        }
    }

    /// Ends when something has changed since it ended the last time.
    pub async fn changed(&self) {
        match self.events.readable().await {
            Ok(mut changed) => changed.clear_ready(),
            Err(_) => tokio::time::sleep(SLOW_LOOK).await,
        }
    }

    /// Ends when something has changed, or when it is time to look all the same.
    pub async fn changed_or_time(&self) {
        // Either is a reason to look.
        let _ = tokio::time::timeout(SLOW_LOOK, self.changed()).await;
    }
}

/// Listens to a descriptor, to these events beside those that every one is listened to for.
fn control(epoll: &Fd, operation: libc::c_int, fd: &Fd, more: libc::c_int) -> Result<(), Errno> {
    let events = libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLET | more;
    let mut event = libc::epoll_event { events: events.cast_unsigned(), u64: 0 };
    // SAFETY: `event` is there to be read.
    check(unsafe { libc::epoll_ctl(epoll.raw(), operation, fd.raw(), &raw mut event) }).map(drop)
}
