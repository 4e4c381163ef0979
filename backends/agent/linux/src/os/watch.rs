//! Being told that a file has grown.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use provium_agent::sync::{First, race, until};
use provium_protocol::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;

use super::sys::{self, Fd, check};

/// How often a file is looked at all the same: some file systems (`/proc`, network ones) and writes through mappings
/// are not reported.
const SLOW_LOOK: Duration = Duration::from_millis(250);

/// Bytes for one piece of reports: those of watched files have no names, so that it holds hundreds.
const REPORTS: usize = 4096;

/// One inotify instance for all who wait: a user may have 128 of them only.
pub struct Watcher {
    /// `None` where the kernel has none, or none left.
    inotify: Option<AsyncFd<Fd>>,
    /// How many wait at each watch: the same file always has the same one.
    watches: RefCell<BTreeMap<i32, usize>>,
    /// Counts reports: whoever waits looks again after each.
    reports: Cell<u64>,
    reported: Notify,
}

/// A watch of one file for as long as somebody waits.
pub struct Watch {
    watcher: Rc<Watcher>,
    number: Option<i32>,
}

impl Watcher {
    /// A watcher of nothing yet.
    pub fn new() -> Rc<Watcher> {
        Rc::new(Watcher {
            inotify: inotify().ok(),
            watches: RefCell::default(),
            reports: Cell::new(0),
            reported: Notify::new(),
        })
    }

    /// Watches the file behind a descriptor.
    pub fn watch(self: &Rc<Watcher>, fd: i32) -> Watch {
        let number = self.inotify.as_ref().and_then(|inotify| {
            let path = sys::c_string(format!("/proc/self/fd/{fd}").as_bytes()).ok()?;
            let events = libc::IN_MODIFY | libc::IN_ATTRIB;
            // SAFETY: `path` ends in a NUL.
            check(unsafe { libc::inotify_add_watch(inotify.get_ref().raw(), path.as_ptr(), events) }).ok()
        });
        if let Some(number) = number {
            *self.watches.borrow_mut().entry(number).or_default() += 1;
        }
        Watch { watcher: self.clone(), number }
    }

    /// Takes reports in for all who wait, for ever.
    async fn read_reports(&self) {
        let Some(inotify) = &self.inotify else { return std::future::pending().await };
        loop {
            let read = inotify.async_io(Interest::READABLE, |inotify| {
                let mut reports = [0u8; REPORTS];
                // SAFETY: there is room for so many bytes.
                let moved = unsafe { libc::read(inotify.raw(), reports.as_mut_ptr().cast(), reports.len()) };
                if moved < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
            });
            if read.await.is_err() {
                // The slow looks must do.
                return std::future::pending().await;
            }
            self.reports.set(self.reports.get() + 1);
            self.reported.notify_waiters();
        }
    }
}

impl Watch {
    /// How many reports there were, to be asked before one looks.
    pub fn reports(&self) -> u64 {
        self.watcher.reports.get()
    }

    /// Ends when something may have happened since there were so many reports.
    pub async fn after(&self, reports: u64) {
        let watcher = &*self.watcher;
        let told = until(&watcher.reported, || (watcher.reports.get() != reports).then_some(()));
        // Whoever waits reads, and wakes the others.
        let told = race(told, watcher.read_reports());
        match race(told, tokio::time::sleep(SLOW_LOOK)).await {
            First::A(_) | First::B(()) => {}
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let mut watches = self.watcher.watches.borrow_mut();
        let left = watches.get_mut(&number).map_or(0, |count| {
            *count -= 1;
            *count
        });
        if left == 0 {
            watches.remove(&number);
            if let Some(inotify) = &self.watcher.inotify {
                // SAFETY: it takes numbers.
                unsafe { libc::inotify_rm_watch(inotify.get_ref().raw(), number) };
            }
        }
    }
}

fn inotify() -> Result<AsyncFd<Fd>, Errno> {
    // SAFETY: it takes a number.
    let fd = Fd::from_call(unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) })?;
    sys::register(fd, Interest::READABLE)
}
