//! Clocks and sleeping.

use provium_protocol::{Errno, Nanos};

use super::call::{Call, SECOND, done};
use super::layout;
use super::table::nr;
use crate::kernel::Kernel;
use crate::types::{Pid, TimeSpec};

const CLOCK_REALTIME: i32 = 0;
const CLOCK_MONOTONIC: i32 = 1;
const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;
const CLOCK_THREAD_CPUTIME_ID: i32 = 3;
const CLOCK_MONOTONIC_RAW: i32 = 4;
const CLOCK_REALTIME_COARSE: i32 = 5;
const CLOCK_MONOTONIC_COARSE: i32 = 6;
const CLOCK_BOOTTIME: i32 = 7;
const CLOCK_REALTIME_ALARM: i32 = 8;
const CLOCK_BOOTTIME_ALARM: i32 = 9;
const CLOCK_TAI: i32 = 11;

const TIMER_ABSTIME: i32 = 1;

pub(super) async fn call(c: &mut Call<'_>) -> Result<i64, Errno> {
    let pid = c.pid();
    match c.nr {
        nr::CLOCK_GETTIME => {
            let now = c.kernel(|kernel| read_clock(kernel, pid, c.int(0)))?;
            done(c.mem.put(c.addr(1), &layout::timespec(TimeSpec::from_nanos(now))))
        }
        nr::CLOCK_GETRES => {
            c.kernel(|kernel| read_clock(kernel, pid, c.int(0)))?;
            // The coarse clocks go on with the tick, the others by the nanosecond.
            let coarse = matches!(c.int(0), CLOCK_REALTIME_COARSE | CLOCK_MONOTONIC_COARSE);
            let nsec = if coarse { 4_000_000 } else { 1 };
            done(c.mem.put_unless_null(c.addr(1), &layout::timespec(TimeSpec { sec: 0, nsec })))
        }
        nr::CLOCK_SETTIME => {
            if c.int(0) != CLOCK_REALTIME {
                return Err(Errno::EINVAL);
            }
            let time = c.time(c.addr(1))?;
            if time.sec < 0 {
                return Err(Errno::EINVAL);
            }
            done(c.kernel(|kernel| kernel.clock_settime(pid, time)))
        }
        nr::GETTIMEOFDAY => {
            let now = TimeSpec::from_nanos(c.kernel(|kernel| kernel.realtime()));
            c.mem.put_unless_null(c.addr(0), &layout::timeval(now))?;
            done(c.mem.put_unless_null(c.addr(1), &[0; 8]))
        }
        nr::TIME => {
            let now = TimeSpec::from_nanos(c.kernel(|kernel| kernel.realtime())).sec;
            c.mem.put_unless_null(c.addr(0), &now.to_le_bytes())?;
            Ok(now)
        }
        nr::NANOSLEEP => {
            let until = c.sys.now().saturating_add(c.span(c.addr(0))?);
            sleep(c, until, c.addr(1)).await
        }
        nr::CLOCK_NANOSLEEP => {
            let clock = c.int(0);
            if !matches!(clock, CLOCK_REALTIME | CLOCK_MONOTONIC | CLOCK_BOOTTIME | CLOCK_TAI) {
                return Err(match clock {
                    CLOCK_PROCESS_CPUTIME_ID | CLOCK_MONOTONIC_RAW..=CLOCK_MONOTONIC_COARSE => Errno::EOPNOTSUPP,
                    _ => Errno::EINVAL,
                });
            }
            let span = c.span(c.addr(2))?;
            if c.int(1) & TIMER_ABSTIME == 0 {
                return sleep(c, c.sys.now().saturating_add(span), c.addr(3)).await;
            }
            let now = c.kernel(|kernel| read_clock(kernel, pid, clock))?;
            let left = span.saturating_sub(u64::try_from(now).unwrap_or(0));
            sleep(c, c.sys.now().saturating_add(left), 0).await
        }
        _ => Err(Errno::ENOSYS),
    }
}

/// What a clock reads, in nanoseconds.
fn read_clock(kernel: &Kernel, pid: Pid, clock: i32) -> Result<i64, Errno> {
    match clock {
        CLOCK_REALTIME | CLOCK_REALTIME_COARSE | CLOCK_REALTIME_ALARM | CLOCK_TAI => Ok(kernel.realtime()),
        CLOCK_MONOTONIC | CLOCK_MONOTONIC_RAW | CLOCK_MONOTONIC_COARSE | CLOCK_BOOTTIME | CLOCK_BOOTTIME_ALARM => {
            Ok(i64::try_from(kernel.uptime()).unwrap_or(i64::MAX))
        }
        CLOCK_PROCESS_CPUTIME_ID | CLOCK_THREAD_CPUTIME_ID => {
            Ok(i64::try_from(kernel.proc(pid)?.cpu_ns).unwrap_or(i64::MAX))
        }
        _ => Err(Errno::EINVAL),
    }
}

/// Sleeps until the world's clock reads `until`; if a signal ends it, what was left goes to `rest`.
async fn sleep(c: &mut Call<'_>, until: Nanos, rest: u64) -> Result<i64, Errno> {
    let result = c.sys.sleep_until(until).await;
    if result.is_err() {
        let left = until.saturating_sub(c.sys.now());
        let time = TimeSpec { sec: i64::try_from(left / SECOND).unwrap_or(i64::MAX), nsec: (left % SECOND) as u32 };
        c.mem.put_unless_null(rest, &layout::timespec(time))?;
    }
    done(result)
}
