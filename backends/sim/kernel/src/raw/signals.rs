//! Signals. The mask and what is pending belong to the calling thread, as on Linux.

use std::rc::Rc;

use provium_protocol::{Errno, Signal};

use super::call::{Call, SECOND, done};
use super::layout::Layout;
use super::table::nr;
use crate::types::{Pid, SigAction, TimeSpec};
use crate::world::thread::Thread;

/// Bytes of the kernel's `sigset_t`.
const SIGSET: i64 = 8;

const SIG_BLOCK: i32 = 0;
const SIG_UNBLOCK: i32 = 1;
const SIG_SETMASK: i32 = 2;

const SIG_DFL: u64 = 0;
const SIG_IGN: u64 = 1;

const ITIMER_REAL: i32 = 0;

/// siginfo: sent by kill(2).
const SI_USER: i32 = 0;

/// Puts another mask in place for as long as it lives: what `ppoll` and `pselect6` do.
pub(super) struct MaskGuard {
    before: Option<(Rc<Thread>, u64)>,
}

impl MaskGuard {
    /// The mask at `addr`; a null pointer leaves the thread's own in place.
    pub(super) fn from_args(c: &Call<'_>, addr: u64, size: i64) -> Result<MaskGuard, Errno> {
        if addr == 0 {
            return Ok(MaskGuard { before: None });
        }
        if size != SIGSET {
            return Err(Errno::EINVAL);
        }
        let mask = c.mem.u64(addr)?;
        let before = c.kernel(|kernel| kernel.set_thread_mask(c.thread(), mask));
        Ok(MaskGuard { before: Some((c.thread().clone(), before)) })
    }
}

impl Drop for MaskGuard {
    fn drop(&mut self) {
        // Whatever became pending meanwhile is looked at when the thread next goes on.
        if let Some((thread, mask)) = self.before.take() {
            thread.set_blocked(mask);
            thread.signal();
        }
    }
}

pub(super) async fn call(c: &mut Call<'_>) -> Result<i64, Errno> {
    let pid = c.pid();
    match c.nr {
        nr::KILL => {
            let signal = optional_signal(c.int(1))?;
            c.kernel(|kernel| kernel.kill(pid, c.int(0), signal))?;
            // A signal to oneself takes effect before the call returns.
            c.sys.step().await;
            Ok(0)
        }
        nr::TKILL => thread_kill(c, None, c.int(0), c.int(1)).await,
        nr::TGKILL => thread_kill(c, Some(c.int(0)), c.int(1), c.int(2)).await,
        nr::PAUSE => Err(c.sys.pause_now().await),
        nr::ALARM => {
            let after = u64::from(c.uint(0));
            let old = c.sys.alarm_now((after > 0).then_some(after * SECOND), 0)?;
            Ok(old.map_or(0, |(left, _)| left.div_ceil(SECOND) as i64))
        }
        nr::SETITIMER | nr::GETITIMER => itimer(c),
        nr::RT_SIGPROCMASK => {
            if c.args[3] != SIGSET {
                return Err(Errno::EINVAL);
            }
            let old = c.thread().blocked();
            if c.addr(1) != 0 {
                let set = c.mem.u64(c.addr(1))?;
                let mask = match c.int(0) {
                    SIG_BLOCK => old | set,
                    SIG_UNBLOCK => old & !set,
                    SIG_SETMASK => set,
                    _ => return Err(Errno::EINVAL),
                };
                c.kernel(|kernel| kernel.set_thread_mask(c.thread(), mask));
            }
            done(c.mem.put_unless_null(c.addr(2), &old.to_le_bytes()))?;
            c.sys.step().await;
            Ok(0)
        }
        nr::RT_SIGPENDING => {
            let pending = c.kernel(|kernel| kernel.pending(c.thread()))?;
            let size = usize::try_from(c.args[1]).ok().filter(|size| *size <= 8).ok_or(Errno::EINVAL)?;
            done(c.mem.put(c.addr(0), &pending.to_le_bytes()[..size]))
        }
        nr::RT_SIGACTION => sigaction(c),
        nr::RT_SIGTIMEDWAIT => timed_wait(c).await,
        nr::RT_SIGSUSPEND => {
            if c.args[1] != SIGSET {
                return Err(Errno::EINVAL);
            }
            let _mask = MaskGuard::from_args(c, c.addr(0), SIGSET)?;
            Err(c.sys.pause_now().await)
        }
        _ => Err(Errno::ENOSYS),
    }
}

fn optional_signal(number: i32) -> Result<Option<Signal>, Errno> {
    match number {
        0 => Ok(None),
        _ => Signal::from_number(i64::from(number)).map(Some).ok_or(Errno::EINVAL),
    }
}

async fn thread_kill(c: &Call<'_>, process: Option<Pid>, tid: Pid, signal: i32) -> Result<i64, Errno> {
    if tid <= 0 || process.is_some_and(|pid| pid <= 0) {
        return Err(Errno::EINVAL);
    }
    let signal = optional_signal(signal)?;
    c.kernel(|kernel| kernel.thread_kill(c.pid(), process, tid, signal))?;
    c.sys.step().await;
    Ok(0)
}

fn itimer(c: &mut Call<'_>) -> Result<i64, Errno> {
    if c.int(0) != ITIMER_REAL {
        return Err(Errno::EINVAL);
    }
    let nanos = |time: TimeSpec| u64::try_from(time.as_nanos()).map_err(|_| Errno::EINVAL);
    let old = match c.nr {
        nr::SETITIMER if c.addr(1) != 0 => {
            let (interval, value) = (nanos(c.timeval(c.addr(1))?)?, nanos(c.timeval(c.addr(1) + 16)?)?);
            c.sys.alarm_now((value > 0).then_some(value), interval)?
        }
        nr::SETITIMER => c.sys.alarm_now(None, 0)?,
        _ => c.kernel(|kernel| kernel.alarm_left(c.pid()))?,
    };
    let (left, interval) = old.unwrap_or_default();
    let micros = |ns: u64| (ns / SECOND, ns % SECOND / 1_000);
    let ((value_sec, value_usec), (every_sec, every_usec)) = (micros(left), micros(interval));
    let old = Layout::<32>::new().u64(0, every_sec).u64(8, every_usec).u64(16, value_sec).u64(24, value_usec);
    let at = if c.nr == nr::SETITIMER { c.addr(2) } else { c.addr(1) };
    done(c.mem.put_unless_null(at, &old.0))
}

fn sigaction(c: &mut Call<'_>) -> Result<i64, Errno> {
    if c.args[3] != SIGSET {
        return Err(Errno::EINVAL);
    }
    let signal = Signal::from_number(i64::from(c.int(0))).ok_or(Errno::EINVAL)?;
    let old = match c.addr(1) {
        0 => c.kernel(|kernel| Ok::<_, Errno>(kernel.proc(c.pid())?.action(signal)))?,
        act => {
            let action = match c.mem.u64(act)? {
                SIG_DFL => SigAction::Default,
                SIG_IGN => SigAction::Ignore,
                // There is no code at any address.
                _ => return Err(Errno::ENOSYS),
            };
            c.kernel(|kernel| kernel.sigaction(c.pid(), signal, action))?
        }
    };
    let handler = match old {
        SigAction::Default => SIG_DFL,
        SigAction::Ignore => SIG_IGN,
        // Caught by the agent itself: some address that is neither of the two.
        SigAction::Catch => 2,
    };
    done(c.mem.put_unless_null(c.addr(2), &Layout::<32>::new().u64(0, handler).0))
}

/// rt_sigtimedwait(2): takes a pending signal of the set.
async fn timed_wait(c: &mut Call<'_>) -> Result<i64, Errno> {
    if c.args[3] != SIGSET {
        return Err(Errno::EINVAL);
    }
    let set = c.mem.u64(c.addr(0))?;
    let timeout = if c.addr(2) == 0 { None } else { Some(c.span(c.addr(2))?) };
    let deadline = timeout.map(|timeout| c.sys.now().saturating_add(timeout));
    let thread = c.thread().clone();
    let signal = c.wait(|kernel| kernel.take_signal(&thread, set, deadline)).await?;
    let info = Layout::<128>::new().i32(0, signal.0).i32(8, SI_USER);
    c.mem.put_unless_null(c.addr(1), &info.0)?;
    Ok(i64::from(signal.0))
}
