//! Ctrl-C ends what a line does and nothing else; what ends the process gives the terminal back first.
//!
//! A handler may do next to nothing, so it writes the signal's number into a pipe, and a thread does the rest. Signals that
//! are blocked and waited for by a thread were rejected: the programs that are started would have them blocked too.

use std::io::{self, Read};
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use super::terminal::Terminal;
use crate::exec::Stop;

/// Where the handler writes to; it is never closed.
static PIPE: AtomicI32 = AtomicI32::new(-1);

extern "C" fn note(signal: libc::c_int) {
    // Signals have numbers up to 64.
    let number = [signal as u8];
    // SAFETY: write(2) may be called in a handler; its buffer lives as long as the call, and errno is left as it was. A
    // pipe that is full has signals enough.
    unsafe {
        let errno = *libc::__errno_location();
        libc::write(PIPE.load(Ordering::Relaxed), number.as_ptr().cast(), 1);
        *libc::__errno_location() = errno;
    }
}

/// The signals of a session.
pub(super) struct Signals {
    closing: Arc<AtomicBool>,
}

impl Signals {
    /// From now on Ctrl-C asks `stop`. Once in a process.
    ///
    /// # Errors
    /// When there is no thread or no pipe for it.
    pub fn install(stop: Stop, terminal: Option<Terminal>) -> io::Result<Signals> {
        let (mut seen, noted) = UnixStream::pair()?;
        noted.set_nonblocking(true)?;
        PIPE.store(noted.into_raw_fd(), Ordering::Relaxed);
        let closing = Arc::new(AtomicBool::new(false));
        let is_closing = Arc::clone(&closing);
        std::thread::Builder::new().name("provium-signals".to_owned()).spawn(move || {
            let mut number = [0];
            while seen.read_exact(&mut number).is_ok() {
                let signal = libc::c_int::from(number[0]);
                if signal == libc::SIGINT && !is_closing.load(Ordering::Acquire) {
                    stop.ask();
                } else {
                    end_by(signal, terminal);
                }
            }
        })?;
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            on(signal, note as extern "C" fn(libc::c_int) as libc::sighandler_t)?;
        }
        Ok(Signals { closing })
    }

    /// The session is over: who does not want to wait until all is closed ends it with Ctrl-C.
    pub fn closing(&self) {
        self.closing.store(true, Ordering::Release);
    }
}

fn on(signal: libc::c_int, handler: libc::sighandler_t) -> io::Result<()> {
    // SAFETY: all zeroes is an action without flags and with an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: the action is whole; the handler is `note`, which may be called at any time, or the default.
    match unsafe { libc::sigaction(signal, &action, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Ends the process by this signal, as it would have without a handler. Guests end with it.
fn end_by(signal: libc::c_int, terminal: Option<Terminal>) {
    if let Some(terminal) = terminal {
        terminal.restore();
    }
    if on(signal, libc::SIG_DFL).is_ok() {
        // SAFETY: a signal to the process itself.
        unsafe { libc::kill(libc::getpid(), signal) };
    }
}
