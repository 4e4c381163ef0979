//! Making a process that becomes a program.
//!
//! The child borrows the memory of the agent until it is the program (`CLONE_VM | CLONE_VFORK`, as posix_spawn(3) does):
//! nothing of the agent's memory is copied, however large it is, and what goes wrong is written where the parent reads
//! it. The thread that makes the child sleeps meanwhile; the others go on. So between clone(2) and execve(2) the child
//! makes system calls and nothing else: no allocation, no lock, no panic.

use std::cell::Cell;
use std::ffi::CString;
use std::ptr;

use provium_agent::os::{SpawnError, SpawnStage};
use provium_protocol::Errno;

use super::sys;

/// Bytes of the child's stack: a few calls deep.
const CHILD_STACK: usize = 64 << 10;

/// Highest signal number (`_NSIG`).
const LAST_SIGNAL: libc::c_int = 64;

/// Bytes of the kernel's signal set.
const SIGSET_BYTES: usize = 8;

/// Where to stop when descriptors must be marked one by one: a kernel without close_range(2) is older than any limit
/// above this was usual.
const OLD_KERNEL_FDS: libc::c_int = 4096;

/// What the child exits with when it could not become the program.
const NO_PROGRAM: libc::c_int = 127;

/// Everything that the child needs, made ready before it is made.
pub struct Plan {
    pub candidates: Vec<CString>,
    pub argv: Vec<CString>,
    pub env: Vec<CString>,
    pub cwd: Option<CString>,
    /// What becomes its standard descriptors, each above 2.
    pub standard: [i32; 3],
    /// The limit of open files that the agent had before it raised its own.
    pub files: Option<libc::rlimit>,
    /// The `oom_score_adj` that the agent had before it lowered its own.
    pub oom_score_adj: Option<CString>,
}

struct Ready<'a> {
    plan: &'a Plan,
    argv: Vec<*const libc::c_char>,
    env: Vec<*const libc::c_char>,
    failure: Cell<Option<SpawnError>>,
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

/// Makes the process; ends when it is the program, or never will be.
pub fn make(plan: &Plan) -> Result<i32, SpawnError> {
    let ready = Ready { plan, argv: pointers(&plan.argv), env: pointers(&plan.env), failure: Cell::new(None) };
    let mut stack: Vec<u128> = Vec::with_capacity(CHILD_STACK / size_of::<u128>());
    let top = stack.as_mut_ptr().wrapping_add(stack.capacity());
    let old = set_mask(u64::MAX);
    // SAFETY: `stack` and `ready` outlive the child's use of them: this thread sleeps until the child has another
    // memory or is gone. No signal handler runs in the child, since all signals are blocked.
    let pid = unsafe {
        libc::clone(
            child,
            top.cast(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD,
            (&raw const ready).cast_mut().cast(),
        )
    };
    let pid = sys::check(pid);
    set_mask(old);
    let pid = pid.map_err(|errno| SpawnError { stage: SpawnStage::Fork, errno })?;
    match ready.failure.get() {
        Some(error) => Err(error),
        None => Ok(pid),
    }
}

/// Sets the thread's signal mask; gives the old one. The C library would leave its own signals out.
fn set_mask(mask: u64) -> u64 {
    let mut old = 0u64;
    // SAFETY: both sets have the size of the kernel's.
    unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const mask, &raw mut old, SIGSET_BYTES);
    }
    old
}

extern "C" fn child(ready: *mut libc::c_void) -> libc::c_int {
    // SAFETY: it is what `make` handed over, and `make` sleeps while this runs.
    let ready = unsafe { &*ready.cast::<Ready<'_>>() };
    let (stage, errno) = become_program(ready);
    ready.failure.set(Some(SpawnError { stage, errno }));
    // SAFETY: it ends the child, without running anything of the agent's.
    unsafe { libc::_exit(NO_PROGRAM) }
}

fn last_errno() -> Errno {
    // SAFETY: the child has the thread's place for it, while the thread sleeps.
    Errno(unsafe { *libc::__errno_location() })
}

/// Returns only to say why not.
fn become_program(ready: &Ready<'_>) -> (SpawnStage, Errno) {
    let plan = ready.plan;
    // SAFETY: all of these take numbers, or pointers to strings that end in a NUL and to structures that are there.
    unsafe {
        if libc::setpgid(0, 0) != 0 {
            return (SpawnStage::Fork, last_errno());
        }
        default_signals();
        if let Some(files) = &plan.files {
            // Raising the soft limit again is up to the program: the hard one is what it was.
            libc::setrlimit(libc::RLIMIT_NOFILE, files);
        }
        if let Some(adj) = &plan.oom_score_adj {
            // A program that is spared as the agent is would do harm only where memory runs out.
            let fd = libc::open(c"/proc/self/oom_score_adj".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
            libc::write(fd, adj.as_ptr().cast(), adj.as_bytes().len());
            libc::close(fd);
        }
        for (to, from) in (0..).zip(plan.standard) {
            if libc::dup2(from, to) < 0 {
                return (SpawnStage::Fork, last_errno());
            }
        }
        close_others_on_exec();
        if let Some(cwd) = &plan.cwd
            && libc::chdir(cwd.as_ptr()) != 0
        {
            return (SpawnStage::Chdir, last_errno());
        }
        set_mask(0);
        let mut why = Errno::ENOENT;
        for path in &plan.candidates {
            libc::execve(path.as_ptr(), ready.argv.as_ptr(), ready.env.as_ptr());
            match last_errno() {
                Errno::EACCES => why = Errno::EACCES,
                Errno::ENOENT | Errno::ENOTDIR => {}
                errno => return (SpawnStage::Exec, errno),
            }
        }
        (SpawnStage::Exec, why)
    }
}

/// Handlers would become defaults by themselves, ignored signals would stay ignored.
unsafe fn default_signals() {
    // The kernel's `struct sigaction`, all zeros: the default.
    let default = [0u64; 4];
    for signal in 1..=LAST_SIGNAL {
        if matches!(signal, libc::SIGKILL | libc::SIGSTOP) {
            continue;
        }
        // SAFETY: `default` has the layout and the size of the structure.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                default.as_ptr(),
                ptr::null_mut::<libc::c_void>(),
                SIGSET_BYTES,
            );
        }
    }
}

/// A test may have opened descriptors through raw system calls, without close-on-exec.
unsafe fn close_others_on_exec() {
    // SAFETY: these calls take numbers.
    unsafe {
        if libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) == 0 {
            return;
        }
        for fd in 3..OLD_KERNEL_FDS {
            libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
        }
    }
}
