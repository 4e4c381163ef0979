//! The console: a terminal on a serial line. `/dev/console` and `/dev/ttyS0` are both this one, and what the kernel says goes
//! there too.
//!
//! No process ever has it for its controlling terminal: Linux gives none to who opens `/dev/console`, and a guest has no
//! getty. So `/dev/tty` is `ENXIO`, and characters that would send signals only do the rest of what they do.

mod discipline;
mod termios;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::rc::Rc;

use provium_protocol::Errno;

use super::Kernel;
use super::poll::Watch;
use super::wait::{Channel, Stop, object};
use crate::flags::{POLLIN, POLLOUT};
use crate::limits::{LOG_BYTES, TYPED_AHEAD};
use discipline::Discipline;
pub(crate) use termios::{SIZE as TERMIOS_SIZE, Termios};

/// Who stands outside of a machine and sees what comes of it.
pub trait Outside {
    /// The console printed this.
    fn printed(&self, bytes: &[u8]);

    /// The kernel panicked: nothing in the guest may go on.
    fn panicked(&self, why: &str);
}

/// The console.
#[derive(Default)]
pub(super) struct Tty {
    discipline: Discipline,
    /// Typed, and not yet looked at because nobody reads what was typed before.
    typed: VecDeque<u8>,
    /// Counts changes, for edge-triggered waits.
    activity: u64,
    /// Rows, columns and pixels.
    window: [u8; 8],
    /// What was printed before somebody looked.
    unseen: Vec<u8>,
    outside: Option<Rc<dyn Outside>>,
}

impl Tty {
    pub(super) fn activity(&self) -> u64 {
        self.activity
    }
}

/// The channels of [`Channel::Object`]: something to read, room to write.
const INPUT: Channel = Channel::Object(object::TTY, 0);
const ROOM: Channel = Channel::Object(object::TTY, 1);

impl Kernel {
    /// Shows everything that the console prints, from its first byte, to somebody outside.
    pub fn watch_from_outside(&mut self, outside: Rc<dyn Outside>) {
        outside.printed(&std::mem::take(&mut self.tty.unseen));
        self.tty.outside = Some(outside);
    }

    /// Somebody types at the console. What nobody reads is lost when too much of it waits, as on Linux.
    pub fn type_at_console(&mut self, bytes: &[u8]) {
        for byte in bytes {
            // A program that reads makes room, so what is waiting is looked at in between.
            if self.tty.typed.len() >= TYPED_AHEAD {
                break;
            }
            self.tty.typed.push_back(*byte);
            self.take_typed();
        }
        self.tty_changed();
    }

    fn take_typed(&mut self) {
        while self.tty.discipline.has_room()
            && let Some(byte) = self.tty.typed.pop_front()
        {
            self.tty.discipline.typed(byte);
        }
    }

    /// Sends out what goes out, and has everybody look again who waits.
    fn tty_changed(&mut self) {
        self.tty.activity += 1;
        self.tty_sends();
        self.wake(INPUT);
        self.wake(ROOM);
    }

    fn tty_sends(&mut self) {
        let wire = self.tty.discipline.take_wire();
        if wire.is_empty() {
            return;
        }
        match &self.tty.outside {
            Some(outside) => outside.printed(&wire),
            None => {
                self.tty.unseen.extend_from_slice(&wire);
                let over = self.tty.unseen.len().saturating_sub(LOG_BYTES);
                self.tty.unseen.drain(..over);
            }
        }
    }

    /// The kernel says something on the console.
    pub(super) fn print(&mut self, text: &str) {
        self.tty.discipline.print(text.as_bytes());
        self.tty_sends();
    }

    /// Says it to who stands outside.
    pub(super) fn tell_panic(&self, why: &str) {
        if let Some(outside) = &self.tty.outside {
            outside.panicked(why);
        }
    }

    pub(super) fn tty_read(&mut self, len: usize, nonblock: bool) -> Result<Vec<u8>, Stop> {
        match self.tty.discipline.read(len) {
            Some(data) => {
                self.take_typed();
                self.tty_sends();
                if self.tty.discipline.is_readable() {
                    self.wake(INPUT);
                }
                Ok(data)
            }
            None if nonblock => Err(Errno::EAGAIN.into()),
            None => Err(Stop::on(INPUT)),
        }
    }

    pub(super) fn tty_write(&mut self, data: &[u8], nonblock: bool) -> Result<usize, Stop> {
        let written = self.tty.discipline.write(data);
        self.tty_sends();
        match written {
            0 if data.is_empty() => Ok(0),
            0 if nonblock => Err(Errno::EAGAIN.into()),
            0 => Err(Stop::on(ROOM)),
            written => Ok(written),
        }
    }

    pub(super) fn tty_poll(&self, watch: &mut Watch) -> i16 {
        watch.channels.extend([INPUT, ROOM]);
        let reading = if self.tty.discipline.is_readable() { POLLIN } else { 0 };
        let writing = if self.tty.discipline.is_writable() { POLLOUT } else { 0 };
        reading | writing
    }

    /// `FIONREAD`.
    pub(super) fn tty_waiting(&self) -> usize {
        self.tty.discipline.waiting()
    }

    /// `TCGETS`.
    pub(crate) fn termios(&self) -> Termios {
        self.tty.discipline.termios().clone()
    }

    /// `TCSETS`.
    pub(crate) fn set_termios(&mut self, termios: Termios) {
        self.tty.discipline.set(termios);
        self.take_typed();
        self.tty_changed();
    }

    /// `TCFLSH` of the input.
    pub(crate) fn flush_typed(&mut self) {
        self.tty.discipline.flush_input();
        self.tty.typed.clear();
        self.tty_changed();
    }

    /// `TIOCGWINSZ` and `TIOCSWINSZ`: a serial line knows no size unless it is told.
    pub(crate) fn window(&mut self) -> &mut [u8; 8] {
        &mut self.tty.window
    }
}
