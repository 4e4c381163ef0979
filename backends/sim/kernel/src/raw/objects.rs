//! Kernel objects behind descriptors: counters, timers, memory files, sets of watched files.

use provium_protocol::{Errno, Nanos};

use super::call::{Call, SECOND, done};
use super::layout::Layout;
use super::signals::MaskGuard;
use super::table::nr;
use crate::kernel::epoll::EpollChange;
use crate::kernel::memfd::MEMFD_NAME_MAX;

/// Bytes of a `struct epoll_event`, which is packed on x86-64.
const EPOLL_EVENT: u64 = 12;

/// Events that one epoll_wait(2) returns at most, as on Linux (a gigabyte's worth, cut to what a buffer
/// can hold here).
const MAX_EVENTS: usize = 1 << 20;

const EPOLL_CTL_ADD: i32 = 1;
const EPOLL_CTL_DEL: i32 = 2;
const EPOLL_CTL_MOD: i32 = 3;

const TFD_TIMER_ABSTIME: i32 = 1;

pub(super) async fn call(c: &mut Call<'_>) -> Result<i64, Errno> {
    let pid = c.pid();
    match c.nr {
        nr::EVENTFD => c.kernel(|kernel| kernel.eventfd(pid, c.uint(0), 0)).map(i64::from),
        nr::EVENTFD2 => c.kernel(|kernel| kernel.eventfd(pid, c.uint(0), c.int(1))).map(i64::from),
        nr::MEMFD_CREATE => {
            let name = c.mem.string(c.addr(0), MEMFD_NAME_MAX, Errno::EINVAL)?;
            c.kernel(|kernel| kernel.memfd(pid, name, c.uint(1))).map(i64::from)
        }
        nr::TIMERFD_CREATE => {
            // CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME and the two alarms.
            if !matches!(c.int(0), 0 | 1 | 7 | 8 | 9) {
                return Err(Errno::EINVAL);
            }
            let realtime = matches!(c.int(0), 0 | 8);
            c.kernel(|kernel| kernel.timerfd(pid, realtime, c.int(1))).map(i64::from)
        }
        nr::TIMERFD_SETTIME => {
            let (fd, flags, new) = (c.fd(0), c.int(1), c.addr(2));
            if flags & !TFD_TIMER_ABSTIME != 0 {
                return Err(Errno::EINVAL);
            }
            let (interval, value) = (c.span(new)?, c.span(new + 16)?);
            let old = c.kernel(|kernel| kernel.timerfd_set(pid, fd, value, interval, flags != 0))?;
            done(c.mem.put_unless_null(c.addr(3), &itimerspec(old)))
        }
        nr::TIMERFD_GETTIME => {
            let now = c.kernel(|kernel| kernel.timerfd_get(pid, c.fd(0)))?;
            done(c.mem.put(c.addr(1), &itimerspec(now)))
        }
        nr::EPOLL_CREATE if c.int(0) <= 0 => Err(Errno::EINVAL),
        nr::EPOLL_CREATE => c.kernel(|kernel| kernel.epoll(pid, 0)).map(i64::from),
        nr::EPOLL_CREATE1 => c.kernel(|kernel| kernel.epoll(pid, c.int(0))).map(i64::from),
        nr::EPOLL_CTL => epoll_ctl(c),
        nr::EPOLL_WAIT => {
            let timeout = u64::try_from(c.int(3)).ok().map(|ms| ms * 1_000_000);
            epoll_wait(c, timeout).await
        }
        nr::EPOLL_PWAIT => {
            let timeout = u64::try_from(c.int(3)).ok().map(|ms| ms * 1_000_000);
            let _mask = MaskGuard::from_args(c, c.addr(4), c.args[5])?;
            epoll_wait(c, timeout).await
        }
        nr::EPOLL_PWAIT2 => {
            let timeout = if c.addr(3) == 0 { None } else { Some(c.span(c.addr(3))?) };
            let _mask = MaskGuard::from_args(c, c.addr(4), c.args[5])?;
            epoll_wait(c, timeout).await
        }
        _ => Err(Errno::ENOSYS),
    }
}

/// `struct itimerspec` of what is left and the interval.
fn itimerspec((value, interval): (Nanos, Nanos)) -> [u8; 32] {
    Layout::new().u64(0, interval / SECOND).u64(8, interval % SECOND).u64(16, value / SECOND).u64(24, value % SECOND).0
}

fn epoll_ctl(c: &Call<'_>) -> Result<i64, Errno> {
    let event = || {
        let (low, high) = (c.mem.i32(c.addr(3))?, c.mem.u64(c.addr(3) + 4)?);
        Ok::<_, Errno>((low as u32, high))
    };
    let change = match c.int(1) {
        EPOLL_CTL_ADD => event().map(|(events, data)| EpollChange::Add(events, data))?,
        EPOLL_CTL_MOD => event().map(|(events, data)| EpollChange::Modify(events, data))?,
        EPOLL_CTL_DEL => EpollChange::Delete,
        _ => return Err(Errno::EINVAL),
    };
    done(c.kernel(|kernel| kernel.epoll_change(c.pid(), c.fd(0), c.fd(2), change)))
}

async fn epoll_wait(c: &mut Call<'_>, timeout: Option<Nanos>) -> Result<i64, Errno> {
    let limit = usize::try_from(c.int(2)).ok().filter(|limit| (1..=MAX_EVENTS).contains(limit)).ok_or(Errno::EINVAL)?;
    let id = c.kernel(|kernel| kernel.epoll_of(c.pid(), c.fd(0)))?;
    let deadline = timeout.map(|timeout| c.sys.now().saturating_add(timeout));
    let found = loop {
        let (found, watch) = c.kernel(|kernel| kernel.epoll_ready(id, limit))?;
        if !found.is_empty() || deadline.is_some_and(|deadline| c.sys.now() >= deadline) {
            break found;
        }
        c.sys.sleep_on(c.sys.block_on(watch, deadline)).await?;
    };
    for (at, (events, data)) in (0..).zip(&found) {
        let event = Layout::<12>::new().u32(0, *events).u64(4, *data);
        c.mem.put(c.addr(1) + at * EPOLL_EVENT, &event.0)?;
    }
    Ok(found.len() as i64)
}
