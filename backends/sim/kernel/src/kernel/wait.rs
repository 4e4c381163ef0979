//! Sleeping: what a thread waits for, and how it is woken.
//!
//! As in early Unix, a sleeper names a *channel*; whoever changes something wakes all sleepers of its
//! channel, and each looks again. That lets the schedule decide who wins.

use std::rc::Rc;

use provium_protocol::{Errno, Nanos};

use super::Kernel;
use crate::types::Pid;
use crate::vfs::NodeId;
use crate::world::thread::Thread;

/// Kinds of [`Channel::Object`].
pub(crate) mod object {
    /// The counter of an eventfd changes.
    pub(crate) const EVENT: u32 = 0;
    /// There is something to read from a socket, or its state changes.
    pub(crate) const SOCKET: u32 = 1;
    /// There is room in a socket for what others send to it.
    pub(crate) const SOCKET_ROOM: u32 = 2;
    /// A timer is set anew.
    pub(crate) const TIMER: u32 = 3;
    /// A set of watched files changes.
    pub(crate) const EPOLL: u32 = 4;
    /// Something is typed at the console (0), or there is room for what is written to it (1).
    pub(crate) const TTY: u32 = 5;
}

/// What a thread can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Data in a pipe, or the end of its writers.
    PipeData(usize),
    /// Room in a pipe, or the end of its readers.
    PipeRoom(usize),
    /// The other end of a FIFO to be opened.
    FifoPeer(usize),
    /// A child of this process to change state.
    Child(Pid),
    /// An flock(2) on this inode to be released.
    Flock(NodeId),
    /// A record lock on this inode to be released.
    PosixLock(NodeId),
    /// A caught signal to this process.
    Signal(Pid),
    /// A signal to become pending for this process or a thread of it.
    Pending(Pid),
    /// Any change of state of this process, its end included.
    ProcessState(Pid),
    /// Content or attributes of this inode to change.
    File(NodeId),
    /// This thread to fall asleep or go on.
    ThreadActivity(Pid),
    /// An object of [`super::file::FileKind`] other than a pipe to become ready, by its number.
    Object(u32, usize),
    /// Only a timer.
    Timer,
}

/// What a system call waits for before it is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Any of these.
    pub channels: Vec<Channel>,
    /// At most until the world's clock reads this.
    pub deadline: Option<Nanos>,
}

/// Why a system call did not finish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It failed.
    Errno(Errno),
    /// It has to wait.
    Block(Block),
}

impl Stop {
    /// Waits for one channel without a limit.
    #[must_use]
    pub fn on(channel: Channel) -> Stop {
        Stop::Block(Block { channels: vec![channel], deadline: None })
    }
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Stop {
        Stop::Errno(errno)
    }
}

impl Kernel {
    /// Puts a thread on the channels it waits for.
    pub(crate) fn sleep_on(&mut self, thread: &Rc<Thread>, channels: &[Channel]) {
        for channel in channels {
            self.waits.entry(*channel).or_default().push(thread.clone());
        }
        thread.waiting().borrow_mut().extend_from_slice(channels);
        if !thread.waiting().borrow().is_empty() {
            thread.set_asleep(true);
            self.wake(Channel::ThreadActivity(thread.tid()));
            self.wake(Channel::ProcessState(thread.pid()));
        }
    }

    /// Takes a thread off all channels.
    pub(crate) fn stop_sleeping(&mut self, thread: &Rc<Thread>) {
        let channels = std::mem::take(&mut *thread.waiting().borrow_mut());
        for channel in channels {
            if let Some(sleepers) = self.waits.get_mut(&channel) {
                sleepers.retain(|other| !Rc::ptr_eq(other, thread));
                if sleepers.is_empty() {
                    self.waits.remove(&channel);
                }
            }
        }
        thread.set_asleep(false);
    }

    /// Wakes everybody who waits for a channel.
    pub(crate) fn wake(&mut self, channel: Channel) {
        if self.waits.is_empty() {
            return;
        }
        if let Some(sleepers) = self.waits.remove(&channel) {
            for thread in sleepers {
                thread.waiting().borrow_mut().retain(|other| *other != channel);
                thread.set_asleep(false);
                self.world.ready(thread.key());
            }
        }
    }
}
