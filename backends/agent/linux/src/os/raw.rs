//! One raw system call on the calling thread.

use std::sync::atomic::{AtomicU64, Ordering};

use provium_protocol::Errno;
use provium_protocol::syscall::{SyscallReply, SyscallSpec};

use super::interrupt::SIGNAL_BIT;
use super::memory::Memory;

/// What [`Activity`] holds between calls.
const IDLE: u64 = u64::MAX;

/// What became of a call.
pub enum Outcome {
    /// It returned.
    Returned(SyscallReply),
    /// It ends the thread.
    Exit,
}

/// Which call a thread is making.
pub struct Activity(AtomicU64);

impl Activity {
    /// None.
    pub fn idle() -> Activity {
        Activity(AtomicU64::new(IDLE))
    }

    /// The number of the call.
    pub fn call(&self) -> Option<u64> {
        Some(self.0.load(Ordering::SeqCst)).filter(|nr| *nr != IDLE)
    }
}

/// Calls that are refused with `ENOSYS`, as in the simulator: each would copy, replace or end the agent.
const REFUSED: &[i64] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_exit_group,
    libc::SYS_rt_sigreturn,
];

/// Makes a call. A caller that gives up interrupts it through a signal.
pub fn call(spec: &SyscallSpec, activity: &Activity) -> Outcome {
    let nr = spec.nr.cast_signed();
    if nr == libc::SYS_exit {
        return Outcome::Exit;
    }
    if REFUSED.contains(&nr) {
        return Outcome::Returned(SyscallReply { raw: negative(Errno::ENOSYS), bufs: spec.bufs.clone() });
    }
    let mut args = spec.args;
    let memory = Memory::new(&spec.bufs).and_then(|memory| memory.connect(&mut args, &spec.ptrs).map(|()| memory));
    let memory = match memory {
        Ok(memory) => memory,
        Err(errno) => return Outcome::Returned(SyscallReply { raw: negative(errno), bufs: spec.bufs.clone() }),
    };
    let mask = mask_place(nr, &args, &memory);
    let hidden = mask.and_then(|place| memory.with_u64(place, hide)).unwrap_or(false);
    activity.0.store(spec.nr, Ordering::SeqCst);
    let raw = make(nr, args);
    activity.0.store(IDLE, Ordering::SeqCst);
    if let Some(place) = mask.filter(|_| hidden) {
        // What a test handed over comes back as it was.
        memory.with_u64(place, |set| *set |= SIGNAL_BIT);
    }
    Outcome::Returned(SyscallReply { raw, bufs: memory.into_bufs() })
}

/// A raw answer of a call that was not made.
fn negative(errno: Errno) -> i64 {
    -i64::from(errno.0)
}

/// Takes the agent's own signal out of a set that would block it: a held call could not be ended any more. C libraries
/// do the same for every program.
fn hide(set: &mut u64) -> bool {
    let had = *set & SIGNAL_BIT != 0;
    *set &= !SIGNAL_BIT;
    had
}

/// Where a call reads the set of signals to block.
fn mask_place(nr: i64, args: &[i64; 6], memory: &Memory) -> Option<u64> {
    let at = |slot: usize| args.get(slot).map(|address| address.cast_unsigned());
    match nr {
        libc::SYS_rt_sigprocmask if args[0] != i64::from(libc::SIG_UNBLOCK) => at(1),
        libc::SYS_rt_sigsuspend => at(0),
        libc::SYS_ppoll => at(3),
        libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => at(4),
        // A structure that holds the address.
        libc::SYS_pselect6 => at(5).and_then(|place| memory.with_u64(place, |address| *address)),
        _ => None,
    }
}

/// The system call instruction. The C library's `syscall` would set `errno` and lose what is no error.
fn make(nr: i64, args: [i64; 6]) -> i64 {
    let raw;
    // SAFETY: the calling convention of x86-64 Linux. What the call does to the process is the business of the test
    // that asked for it: the calls that would end the agent at once are refused, and buffers are guarded.
    unsafe {
        core::arch::asm!(
            "syscall",
            inlateout("rax") nr => raw,
            in("rdi") args[0],
            in("rsi") args[1],
            in("rdx") args[2],
            in("r10") args[3],
            in("r8") args[4],
            in("r9") args[5],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    raw
}
