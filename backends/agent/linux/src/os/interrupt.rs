//! Ending calls that sleep in the kernel.
//!
//! A thread that is told to give its call up gets a signal whose handler does nothing: a sleeping call returns `EINTR`
//! then. A signal that arrives just before the call begins to sleep would be lost, so it is sent again until the call
//! has returned.
//!
//! Rejected: closing that window with code that looks at the interrupted instruction, as C libraries do for
//! pthread_cancel(3): assembly for each kind of processor, to save a millisecond in a rare case.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use provium_protocol::Errno;

/// The signal. The C library keeps 32 for pthread_cancel(3), which the agent does not use; so no program can ask for it
/// by name, and no test meets it.
const SIGNAL: libc::c_int = 32;

/// The signal as a bit of a kernel's signal set.
pub const SIGNAL_BIT: u64 = 1 << (SIGNAL - 1);

/// The first pause before the signal is sent again: a sleeping thread has long returned by then.
const FIRST_PAUSE: Duration = Duration::from_micros(200);

/// The longest pause: only a call that cannot be interrupted lasts that long, and asking it costs nothing.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// Locks a mutex; whoever panicked while holding it left nothing half done.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    /// On the thread with this number.
    Running(i32),
    Done,
}

/// One call, as those see it who may end it.
pub struct Gate {
    stage: Mutex<Stage>,
    cancelled: AtomicBool,
}

impl Gate {
    /// A call that has not begun.
    pub fn new() -> Arc<Gate> {
        prepare();
        Arc::new(Gate { stage: Mutex::new(Stage::Waiting), cancelled: AtomicBool::new(false) })
    }

    /// Whether the call was given up.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Says that the calling thread carries the call out from now on.
    pub fn begin(&self) {
        *lock(&self.stage) = Stage::Running(thread_id());
    }

    /// Says that the call has returned: no signal is sent from now on, and none is on its way.
    pub fn end(&self) {
        *lock(&self.stage) = Stage::Done;
        if self.is_cancelled() {
            // The handler of a signal that was sent runs before any system call returns.
            thread_id();
        }
    }

    /// Makes a system call, again if something else than being given up interrupts it.
    pub fn call<T>(&self, mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
        loop {
            if self.is_cancelled() {
                return Err(Errno::EINTR);
            }
            match call() {
                Err(Errno::EINTR) => {}
                other => return other,
            }
        }
    }

    /// Gives the call up.
    pub fn cancel(self: &Arc<Self>) {
        self.cancelled.store(true, Ordering::SeqCst);
        if !self.interrupt() {
            // Without the thread that repeats it, the one signal that was sent has to do.
            let _ = REPEATER.send(self.clone());
        }
    }

    /// Sends the signal if the call is under way; `true` when there is nothing (more) to end.
    pub fn interrupt(&self) -> bool {
        match *lock(&self.stage) {
            Stage::Running(thread) => {
                // SAFETY: sending a signal is no matter of memory; its handler does nothing.
                unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, SIGNAL) };
                false
            }
            // One that has not begun finds out by itself.
            Stage::Waiting | Stage::Done => true,
        }
    }
}

/// The calling thread's number.
pub fn thread_id() -> i32 {
    // SAFETY: it only asks.
    i32::try_from(unsafe { libc::syscall(libc::SYS_gettid) }).unwrap_or(0)
}

static REPEATER: LazyLock<Sender<Arc<Gate>>> = LazyLock::new(|| {
    let (sender, receiver) = channel();
    let thread = std::thread::Builder::new().name("interrupter".into()).stack_size(super::blocking::STACK);
    // A system without room for a thread goes without.
    let _ = thread.spawn(move || repeat(&receiver));
    sender
});

/// Sends signals to those that have not returned yet, for as long as there are any.
fn repeat(given: &Receiver<Arc<Gate>>) {
    let mut open: Vec<Arc<Gate>> = Vec::new();
    let mut pause = FIRST_PAUSE;
    loop {
        if open.is_empty() {
            match given.recv() {
                Ok(gate) => open.push(gate),
                Err(_) => return,
            }
            pause = FIRST_PAUSE;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
        while let Ok(gate) = given.try_recv() {
            open.push(gate);
            pause = FIRST_PAUSE;
        }
        open.retain(|gate| !gate.interrupt());
    }
}

/// Installs the handler, once.
fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let action = KernelAction { handler: ignore, flags: SA_RESTORER, restorer, mask: 0 };
        // The C library refuses this signal, the kernel does not.
        // SAFETY: `action` has the layout of the kernel's `struct sigaction`, and the handler touches nothing.
        unsafe {
            libc::syscall(libc::SYS_rt_sigaction, SIGNAL, &raw const action, std::ptr::null_mut::<libc::c_void>(), 8);
        }
    });
}

/// The kernel's `struct sigaction` on x86-64.
#[repr(C)]
struct KernelAction {
    handler: extern "C" fn(libc::c_int),
    flags: u64,
    restorer: unsafe extern "C" fn(),
    mask: u64,
}

/// The action names the code that returns from its handler.
const SA_RESTORER: u64 = 0x0400_0000;

extern "C" fn ignore(_signal: libc::c_int) {}

/// Returns from a signal handler: the stack is the kernel's affair, so that no code of a compiler may run.
#[unsafe(naked)]
unsafe extern "C" fn restorer() {
    core::arch::naked_asm!("mov eax, 15", "syscall")
}
