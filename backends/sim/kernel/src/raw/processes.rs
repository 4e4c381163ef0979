//! Processes and their resources.

use provium_protocol::{Errno, Signal};

use super::call::{Call, done};
use super::layout::{self, Layout};
use super::table::nr;
use crate::kernel::Kernel;
use crate::kernel::rlimit::RLIMITS;
use crate::types::{Pid, WaitFor, WaitOptions, WaitStatus};

const WNOHANG: i32 = 1;
const WUNTRACED: i32 = 2;
const WEXITED: i32 = 4;
const WCONTINUED: i32 = 8;
const WNOWAIT: i32 = 0x0100_0000;
/// `__WNOTHREAD`, `__WALL` and `__WCLONE`: about kinds of children that there are not.
const W_IGNORED: u32 = 0xe000_0000;

const P_ALL: i32 = 0;
const P_PID: i32 = 1;
const P_PGID: i32 = 2;

const RUSAGE_SELF: i32 = 0;
const RUSAGE_CHILDREN: i32 = -1;
const RUSAGE_THREAD: i32 = 1;

const PR_GET_PDEATHSIG: i32 = 2;
const PR_GET_DUMPABLE: i32 = 3;
const PR_SET_NAME: i32 = 15;
const PR_GET_NAME: i32 = 16;
const PR_SET_CHILD_SUBREAPER: i32 = 36;
const PR_GET_CHILD_SUBREAPER: i32 = 37;
const PR_GET_NO_NEW_PRIVS: i32 = 39;

/// Bytes of a task's name, its NUL counted (`TASK_COMM_LEN`).
const COMM: usize = 16;

pub(super) async fn call(c: &mut Call<'_>) -> Result<i64, Errno> {
    let pid = c.pid();
    match c.nr {
        nr::WAIT4 => wait4(c).await,
        nr::WAITID => waitid(c).await,
        nr::SCHED_YIELD => {
            c.sys.step().await;
            Ok(0)
        }
        nr::SCHED_GETAFFINITY => {
            let cpus = c.kernel(|kernel| {
                let of = if c.int(0) == 0 { pid } else { c.int(0) };
                kernel.find_process(of).map(|_| kernel.cpus())
            })?;
            if c.uint(1) < 8 || !c.uint(1).is_multiple_of(8) {
                return Err(Errno::EINVAL);
            }
            let mask = if cpus >= 64 { u64::MAX } else { (1 << cpus) - 1 };
            c.mem.put(c.addr(2), &mask.to_le_bytes())?;
            Ok(8)
        }
        nr::GETCPU => {
            c.mem.put_unless_null(c.addr(0), &[0; 4])?;
            done(c.mem.put_unless_null(c.addr(1), &[0; 4]))
        }
        nr::GETRLIMIT => rlimit(c, pid, c.uint(0), 0, c.addr(1)),
        nr::SETRLIMIT => rlimit(c, pid, c.uint(0), c.addr(1), 0),
        nr::PRLIMIT64 => {
            let of = if c.int(0) == 0 { pid } else { c.int(0) };
            rlimit(c, of, c.uint(1), c.addr(2), c.addr(3))
        }
        nr::GETRUSAGE => {
            let used = c.kernel(|kernel| {
                let process = kernel.proc(pid)?;
                match c.int(0) {
                    RUSAGE_SELF | RUSAGE_THREAD => Ok(process.cpu_ns),
                    RUSAGE_CHILDREN => Ok(process.children_cpu_ns),
                    _ => Err(Errno::EINVAL),
                }
            })?;
            done(c.mem.put(c.addr(1), &layout::rusage(used)))
        }
        nr::TIMES => {
            let (own, children, now) = c.kernel(|kernel| {
                let process = kernel.proc(pid)?;
                Ok::<_, Errno>((process.cpu_ns, process.children_cpu_ns, kernel.uptime()))
            })?;
            // Clock ticks are hundredths of a second.
            let ticks = |ns: u64| ns / 10_000_000;
            c.mem.put_unless_null(c.addr(0), &Layout::<32>::new().u64(0, ticks(own)).u64(16, ticks(children)).0)?;
            Ok(ticks(now) as i64)
        }
        nr::PRCTL => prctl(c),
        _ => Err(Errno::ENOSYS),
    }
}

/// What a wait is told of a child: its id, its status, its user, and the time it used.
type Waited = (Pid, WaitStatus, u32, u64);

async fn wait(c: &Call<'_>, which: WaitFor, options: WaitOptions) -> Result<Option<Waited>, Errno> {
    let pid = c.pid();
    c.wait(|kernel: &mut Kernel| {
        // Looked at first: once it is reaped nothing is known of it any more.
        let seen = kernel.wait(pid, which, WaitOptions { nowait: true, ..options })?;
        let Some((child, status)) = seen else { return Ok(None) };
        let (uid, used) = kernel.proc(child).map(|child| (child.creds.uid, child.cpu_ns))?;
        if !options.nowait {
            kernel.wait(pid, WaitFor::Pid(child), options)?;
        }
        Ok(Some((child, status, uid, used)))
    })
    .await
}

async fn wait4(c: &mut Call<'_>) -> Result<i64, Errno> {
    let options = c.int(2);
    if (options as u32) & !(W_IGNORED | (WNOHANG | WUNTRACED | WCONTINUED) as u32) != 0 {
        return Err(Errno::EINVAL);
    }
    let which = match c.int(0) {
        -1 => WaitFor::Any,
        0 => WaitFor::OwnGroup,
        pid @ 1.. => WaitFor::Pid(pid),
        group => WaitFor::Group(group.checked_neg().ok_or(Errno::ESRCH)?),
    };
    let wanted = WaitOptions {
        nohang: options & WNOHANG != 0,
        untraced: options & WUNTRACED != 0,
        continued: options & WCONTINUED != 0,
        ..WaitOptions::default()
    };
    let Some((child, status, _, used)) = wait(c, which, wanted).await? else { return Ok(0) };
    c.mem.put_unless_null(c.addr(1), &status.raw().to_le_bytes())?;
    c.mem.put_unless_null(c.addr(3), &layout::rusage(used))?;
    Ok(i64::from(child))
}

async fn waitid(c: &mut Call<'_>) -> Result<i64, Errno> {
    let (id, info, options) = (c.int(1), c.addr(2), c.int(3));
    let known = WNOHANG | WUNTRACED | WEXITED | WCONTINUED | WNOWAIT;
    if (options as u32) & !(W_IGNORED | known as u32) != 0 || options & (WUNTRACED | WEXITED | WCONTINUED) == 0 {
        return Err(Errno::EINVAL);
    }
    let which = match c.int(0) {
        P_ALL => WaitFor::Any,
        P_PID if id > 0 => WaitFor::Pid(id),
        P_PGID if id > 0 => WaitFor::Group(id),
        P_PGID if id == 0 => WaitFor::OwnGroup,
        _ => return Err(Errno::EINVAL),
    };
    let wanted = WaitOptions {
        nohang: options & WNOHANG != 0,
        untraced: options & WUNTRACED != 0,
        continued: options & WCONTINUED != 0,
        nowait: options & WNOWAIT != 0,
        not_exited: options & WEXITED == 0,
    };
    let waited = wait(c, which, wanted).await?;
    let layout = match waited {
        None => Layout::<128>::new(),
        Some((child, status, uid, _)) => {
            // CLD_* codes of siginfo.
            let (code, value) = match status {
                WaitStatus::Exited(code) => (1, code),
                WaitStatus::Signalled(signal, false) => (2, signal.0),
                WaitStatus::Signalled(signal, true) => (3, signal.0),
                WaitStatus::Stopped(signal) => (5, signal.0),
                WaitStatus::Continued => (6, Signal::SIGCONT.0),
            };
            Layout::new().i32(0, Signal::SIGCHLD.0).i32(8, code).i32(16, child).u32(20, uid).i32(24, value)
        }
    };
    c.mem.put_unless_null(info, &layout.0)?;
    c.mem.put_unless_null(c.addr(4), &layout::rusage(waited.map_or(0, |waited| waited.3)))?;
    Ok(0)
}

fn rlimit(c: &mut Call<'_>, of: Pid, resource: u32, new: u64, old: u64) -> Result<i64, Errno> {
    let resource = usize::try_from(resource).ok().filter(|at| *at < RLIMITS).ok_or(Errno::EINVAL)?;
    let wanted = if new == 0 { None } else { Some((c.mem.u64(new)?, c.mem.u64(new + 8)?)) };
    let pid = c.pid();
    let before = c.kernel(|kernel| kernel.rlimit(pid, of, resource, wanted))?;
    done(c.mem.put_unless_null(old, &Layout::<16>::new().u64(0, before.0).u64(8, before.1).0))
}

fn prctl(c: &mut Call<'_>) -> Result<i64, Errno> {
    let (pid, addr) = (c.pid(), c.addr(1));
    match c.int(0) {
        PR_SET_NAME => {
            let name = c.mem.string(addr, COMM - 1, Errno::ERANGE);
            let name = match name {
                // A name that is too long is cut.
                Err(Errno::ERANGE) => c.mem.bytes(addr, COMM - 1)?,
                other => other?,
            };
            done(c.kernel(|kernel| kernel.set_thread_name(c.thread(), name)))
        }
        PR_GET_NAME => {
            let mut name = c.kernel(|kernel| kernel.thread_name(c.thread()))?;
            name.resize(COMM, 0);
            done(c.mem.put(addr, &name))
        }
        PR_SET_CHILD_SUBREAPER => {
            let on = c.args[1] != 0;
            c.kernel(|kernel| {
                kernel.proc_mut(pid)?.subreaper = on;
                Ok(0)
            })
        }
        PR_GET_CHILD_SUBREAPER => {
            let on = c.kernel(|kernel| Ok::<_, Errno>(kernel.proc(pid)?.subreaper))?;
            done(c.mem.put(addr, &i32::from(on).to_le_bytes()))
        }
        // Nothing sets these, so they are as they were at the start.
        PR_GET_PDEATHSIG => done(c.mem.put(addr, &[0; 4])),
        PR_GET_DUMPABLE => Ok(1),
        PR_GET_NO_NEW_PRIVS => Ok(0),
        _ => Err(Errno::EINVAL),
    }
}
