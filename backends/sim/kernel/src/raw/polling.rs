//! Waiting for descriptors: poll(2) and select(2).

use provium_protocol::{Errno, Nanos};

use super::call::{Call, SECOND};
use super::layout;
use super::signals::MaskGuard;
use super::table::nr;
use crate::flags::{POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI};
use crate::limits::MAX_FDS;
use crate::types::{PollFd, TimeSpec};

/// Bytes of a `struct pollfd`.
const POLLFD: usize = 8;

pub(super) async fn call(c: &mut Call<'_>) -> Result<i64, Errno> {
    match c.nr {
        nr::POLL => {
            let timeout = u64::try_from(c.int(2)).ok().map(|ms| ms * 1_000_000);
            poll(c, timeout).await
        }
        nr::PPOLL => {
            let timeout = optional_span(c, c.addr(2))?;
            let _mask = MaskGuard::from_args(c, c.addr(3), c.args[4])?;
            let began = c.sys.now();
            let result = poll(c, timeout).await;
            put_rest(c, c.addr(2), began, timeout, false)?;
            result
        }
        nr::SELECT => {
            let timeout = match c.addr(4) {
                0 => None,
                addr => Some(span_of_timeval(c, addr)?),
            };
            let began = c.sys.now();
            let result = select(c, timeout).await;
            put_rest(c, c.addr(4), began, timeout, true)?;
            result
        }
        nr::PSELECT6 => {
            let timeout = optional_span(c, c.addr(4))?;
            // The last argument points to the mask's address and size.
            let (mask, size) = match c.addr(5) {
                0 => (0, 8),
                addr => (c.mem.u64(addr)?, c.mem.i64(addr + 8)?),
            };
            let _mask = MaskGuard::from_args(c, mask, size)?;
            let began = c.sys.now();
            let result = select(c, timeout).await;
            put_rest(c, c.addr(4), began, timeout, false)?;
            result
        }
        _ => Err(Errno::ENOSYS),
    }
}

fn optional_span(c: &Call<'_>, addr: u64) -> Result<Option<Nanos>, Errno> {
    if addr == 0 { Ok(None) } else { c.span(addr).map(Some) }
}

fn span_of_timeval(c: &Call<'_>, addr: u64) -> Result<Nanos, Errno> {
    let (sec, usec) = (c.mem.i64(addr)?, c.mem.i64(addr + 8)?);
    let (sec, usec) = (u64::try_from(sec), u64::try_from(usec));
    let (Ok(sec), Ok(usec)) = (sec, usec) else { return Err(Errno::EINVAL) };
    Ok(sec.saturating_mul(SECOND).saturating_add(usec.saturating_mul(1_000)))
}

/// Writes what is left of the timeout, as Linux does.
fn put_rest(c: &mut Call<'_>, addr: u64, began: Nanos, timeout: Option<Nanos>, micros: bool) -> Result<(), Errno> {
    let Some(timeout) = timeout else { return Ok(()) };
    let rest = timeout.saturating_sub(c.sys.now().saturating_sub(began));
    let time = TimeSpec { sec: i64::try_from(rest / SECOND).unwrap_or(i64::MAX), nsec: (rest % SECOND) as u32 };
    c.mem.put_unless_null(addr, &if micros { layout::timeval(time) } else { layout::timespec(time) })
}

async fn poll(c: &mut Call<'_>, timeout: Option<Nanos>) -> Result<i64, Errno> {
    let (addr, count) = (c.addr(0), c.uint(1) as usize);
    if count > MAX_FDS {
        return Err(Errno::EINVAL);
    }
    let bytes = c.mem.bytes(addr, count * POLLFD)?;
    let mut fds: Vec<PollFd> = bytes
        .chunks_exact(POLLFD)
        .map(|fd| PollFd {
            fd: i32::from_le_bytes([fd[0], fd[1], fd[2], fd[3]]),
            events: i16::from_le_bytes([fd[4], fd[5]]),
            revents: 0,
        })
        .collect();
    let ready = c.sys.poll_now(&mut fds, timeout).await?;
    for (fd, place) in fds.iter().zip(c.mem.bytes_mut(addr, count * POLLFD)?.chunks_exact_mut(POLLFD)) {
        place[6..8].copy_from_slice(&fd.revents.to_le_bytes());
    }
    Ok(ready as i64)
}

/// What the three sets of select(2) mean to poll(2): what is asked, and what counts as ready.
const SETS: [(i16, i16); 3] = [(POLLIN, POLLIN | POLLHUP | POLLERR), (POLLOUT, POLLOUT | POLLERR), (POLLPRI, POLLPRI)];

async fn select(c: &mut Call<'_>, timeout: Option<Nanos>) -> Result<i64, Errno> {
    let count = usize::try_from(c.int(0)).map_err(|_| Errno::EINVAL)?.min(MAX_FDS);
    let bytes = count.div_ceil(64) * 8;
    let mut fds: Vec<PollFd> = Vec::new();
    for (set, (events, _)) in SETS.iter().enumerate() {
        let addr = c.addr(1 + set);
        if addr == 0 {
            continue;
        }
        let bits = c.mem.bytes(addr, bytes)?;
        for fd in (0..count).filter(|fd| bits[fd / 8] & (1 << (fd % 8)) != 0) {
            match fds.iter_mut().find(|other| other.fd == fd as i32) {
                Some(other) => other.events |= events,
                None => fds.push(PollFd { fd: fd as i32, events: *events, revents: 0 }),
            }
        }
    }
    c.sys.poll_now(&mut fds, timeout).await?;
    if fds.iter().any(|fd| fd.revents & POLLNVAL != 0) {
        return Err(Errno::EBADF);
    }
    let mut total = 0;
    for (set, (_, ready)) in SETS.iter().enumerate() {
        let addr = c.addr(1 + set);
        if addr == 0 {
            continue;
        }
        let bits = c.mem.bytes_mut(addr, bytes)?;
        let asked = bits.to_vec();
        bits.fill(0);
        for fd in fds.iter().filter(|fd| fd.revents & ready != 0) {
            let (byte, bit) = (fd.fd as usize / 8, 1 << (fd.fd % 8));
            if asked[byte] & bit != 0 {
                bits[byte] |= bit;
                total += 1;
            }
        }
    }
    Ok(total)
}
