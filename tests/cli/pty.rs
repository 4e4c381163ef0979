//! A command on a pseudo-terminal, as a person would have it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long anything may take by the host's clock: what takes this long hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A command and the terminal that it runs on.
pub struct Pty {
    child: Child,
    keyboard: File,
    /// The command's end, held open so that its settings can be looked at after the command's end.
    terminal: OwnedFd,
    shown: Arc<Mutex<Vec<u8>>>,
    /// How much of it was waited for.
    seen: usize,
}

impl Pty {
    /// Starts the command as the leader of a session on a terminal of its own.
    pub fn start(command: &mut Command) -> Pty {
        let (mut main, mut side) = (-1, -1);
        let size = libc::winsize { ws_row: 50, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the call writes two descriptors and reads the size; the other pointers may be null.
        let made = unsafe { libc::openpty(&mut main, &mut side, std::ptr::null_mut(), std::ptr::null(), &size) };
        assert_eq!(made, 0, "a pseudo-terminal: {}", std::io::Error::last_os_error());
        // SAFETY: both descriptors are new and nobody else's.
        let (main, terminal) = unsafe { (File::from_raw_fd(main), OwnedFd::from_raw_fd(side)) };
        for descriptor in [main.as_raw_fd(), side] {
            // SAFETY: sets a flag of a descriptor that is open.
            unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
        let end = || terminal.try_clone().expect("a copy of a descriptor");
        command.stdin(end()).stdout(end()).stderr(end()).env("TERM", "xterm");
        // SAFETY: only system calls are made between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                libc::ioctl(0, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        let child = command.spawn().expect("the command starts");
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (put, mut screen) = (Arc::clone(&shown), main.try_clone().expect("a copy of a descriptor"));
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut piece) {
                put.lock().expect("nobody panics with it").extend_from_slice(&piece[..count]);
            }
        });
        Pty { child, keyboard: main, terminal, shown, seen: 0 }
    }

    /// Types.
    pub fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).expect("the terminal takes it");
    }

    /// Waits until the text is shown, after what was waited for before.
    #[track_caller]
    pub fn sees(&mut self, text: &str) {
        let began = Instant::now();
        loop {
            let shown = self.shown.lock().expect("nobody panics with it").clone();
            let rest = &shown[self.seen..];
            if let Some(at) = rest.windows(text.len()).position(|window| window == text.as_bytes()) {
                self.seen += at + text.len();
                return;
            }
            assert!(began.elapsed() < PATIENCE, "`{text}` is not shown:\n{}", String::from_utf8_lossy(rest));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a signal to the command.
    pub fn signal(&self, signal: libc::c_int) {
        let pid = libc::pid_t::try_from(self.child.id()).expect("a process number");
        // SAFETY: a signal to the child, which was not waited for.
        unsafe { libc::kill(pid, signal) };
    }

    /// How the command ends.
    #[track_caller]
    pub fn ends(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the command can be waited for") {
                return status;
            }
            let shown = self.shown.lock().expect("nobody panics with it").clone();
            assert!(began.elapsed() < PATIENCE, "it does not end:\n{}", String::from_utf8_lossy(&shown[self.seen..]));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether lines are edited and shown by the terminal itself, as it is found by who starts a command.
    pub fn is_cooked(&self) -> bool {
        // SAFETY: all zeroes are settings, and the call writes them.
        let mut settings: libc::termios = unsafe { std::mem::zeroed() };
        // SAFETY: the descriptor is open, and the settings are there for the call to write.
        let read = unsafe { libc::tcgetattr(self.terminal.as_raw_fd(), &mut settings) };
        assert_eq!(read, 0, "the terminal's settings: {}", std::io::Error::last_os_error());
        let cooked = libc::ICANON | libc::ECHO | libc::ISIG;
        settings.c_lflag & cooked == cooked
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // It has ended, or a test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
