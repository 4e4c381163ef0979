//! Short pauses. The runtime's own timers count in milliseconds, too coarse for looking at what the kernel tells nobody.

use std::time::Duration;

use provium_protocol::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::sys::{self, Fd};

/// Pauses that grow from a first to a longest one, for somebody who looks again and again.
pub struct Pauses {
    /// Without a timer of the kernel the runtime's must do.
    timer: Option<AsyncFd<Fd>>,
    next: Duration,
    longest: Duration,
}

impl Pauses {
    /// Pauses from `first` to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Pauses {
        Pauses { timer: timer().ok(), next: first, longest }
    }

    /// The next pause.
    pub async fn pause(&mut self) {
        let pause = self.next;
        self.next = (self.next * 5 / 4).min(self.longest);
        match &self.timer {
            Some(timer) if arm(timer.get_ref(), pause).is_ok() => {
                let expired = timer.async_io(Interest::READABLE, |timer| {
                    let mut count = [0u8; 8];
                    // SAFETY: there is room for the eight bytes that a timer gives.
                    let moved = unsafe { libc::read(timer.raw(), count.as_mut_ptr().cast(), count.len()) };
                    if moved < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
                });
                // A timer that cannot be read ends the pause: the next look comes too early.
                let _ = expired.await;
            }
            _ => tokio::time::sleep(pause).await,
        }
    }
}

fn timer() -> Result<AsyncFd<Fd>, Errno> {
    // SAFETY: it takes numbers.
    let fd = unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_CLOEXEC | libc::TFD_NONBLOCK) };
    sys::register(Fd::from_call(fd)?, Interest::READABLE)
}

fn arm(timer: &Fd, pause: Duration) -> Result<(), Errno> {
    let zero = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let once = libc::itimerspec {
        it_interval: zero,
        it_value: libc::timespec {
            tv_sec: i64::try_from(pause.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(pause.subsec_nanos()),
        },
    };
    // SAFETY: `once` is there to be read, and nobody wants the old setting.
    sys::check(unsafe { libc::timerfd_settime(timer.raw(), 0, &raw const once, std::ptr::null_mut()) })?;
    Ok(())
}
