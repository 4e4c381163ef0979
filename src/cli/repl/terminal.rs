//! The terminal's settings, which must be what they were when the session ends, however it ends.

use std::io;
use std::mem::MaybeUninit;

/// The terminal on standard input, as it was found.
#[derive(Clone, Copy)]
pub(super) struct Terminal(libc::termios);

impl Terminal {
    /// As it is now; `None` when standard input is no terminal.
    pub fn found() -> Option<Terminal> {
        let mut settings = MaybeUninit::uninit();
        // SAFETY: the pointer is to memory for what the call writes, all of which it does when it returns 0.
        let settings = unsafe {
            if libc::tcgetattr(libc::STDIN_FILENO, settings.as_mut_ptr()) != 0 {
                return None;
            }
            settings.assume_init()
        };
        Some(Terminal(settings))
    }

    /// Gives it the settings with which it was found.
    pub fn restore(&self) {
        // A terminal that has gone away needs none.
        let _ = set(&self.0);
    }
}

/// A terminal whose every key goes to who reads it, until this is dropped.
pub(super) struct Raw(Terminal);

impl Terminal {
    /// Has it pass every key on at once, and do nothing by itself with what is typed or shown.
    ///
    /// # Errors
    /// When the terminal does not take it.
    pub fn raw(self) -> io::Result<Raw> {
        let mut settings = self.0;
        // SAFETY: the settings are whole, and the call only changes them in place.
        unsafe { libc::cfmakeraw(&mut settings) };
        set(&settings)?;
        Ok(Raw(self))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.0.restore();
    }
}

fn set(settings: &libc::termios) -> io::Result<()> {
    // SAFETY: the settings are whole, and the call only reads them.
    match unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSADRAIN, settings) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
