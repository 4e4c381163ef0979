//! The line discipline: from what is typed to what is read, and from what is written to what goes over the wire. As
//! Linux's `n_tty`, of one terminal that no process has for its controlling one: so nobody is sent a signal.

use std::collections::VecDeque;

use super::termios::{
    ECHO, ECHOCTL, ECHOE, ECHOK, ECHOKE, ECHONL, ICANON, ICRNL, IEXTEN, IGNCR, INLCR, ISIG, IXON, NOFLSH, ONLCR, OPOST,
    Termios, VEOF, VEOL, VEOL2, VERASE, VINTR, VKILL, VLNEXT, VMIN, VQUIT, VREPRINT, VSTART, VSTOP, VSUSP, VWERASE,
};

/// Bytes that wait to be read, the line that is being typed among them, as on Linux (`N_TTY_BUF_SIZE`, less one).
const INPUT: usize = 4_095;

/// Bytes that wait for output to go on, as on Linux (`UART_XMIT_SIZE`).
const HELD: usize = 4_096;

/// Where a line ends among the bytes that wait to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    No,
    /// Behind this byte.
    Behind,
    /// Before this byte, which is no part of it: an end of file.
    Before,
}

/// One terminal's state.
#[derive(Default)]
pub(super) struct Discipline {
    termios: Termios,
    ready: VecDeque<(u8, End)>,
    /// How many ends of lines are in `ready`.
    lines: usize,
    /// The line that is being typed.
    line: Vec<u8>,
    /// The next character stands for itself.
    literal: bool,
    /// Nothing goes out.
    stopped: bool,
    held: Vec<u8>,
    /// Where the cursor is.
    column: usize,
    /// Where it was when the line began.
    line_column: usize,
    wire: Vec<u8>,
}

fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

impl Discipline {
    pub(super) fn termios(&self) -> &Termios {
        &self.termios
    }

    /// Sets it. What waits to be read is read all the same.
    pub(super) fn set(&mut self, termios: Termios) {
        let was_canonical = self.canonical();
        self.termios = termios;
        if was_canonical && !self.canonical() {
            self.ready.extend(self.line.drain(..).map(|byte| (byte, End::No)));
        } else if !was_canonical
            && self.canonical()
            && let Some(last) = self.ready.back_mut()
            && last.1 == End::No
        {
            last.1 = End::Behind;
            self.lines += 1;
        }
        if self.stopped && self.termios.input & IXON == 0 {
            self.start();
        }
    }

    fn canonical(&self) -> bool {
        self.termios.local(ICANON)
    }

    /// What goes over the wire since it was last asked.
    pub(super) fn take_wire(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.wire)
    }

    /// Whether more can be typed. A line without an end is never what is in the way.
    pub(super) fn has_room(&self) -> bool {
        self.ready.is_empty() || self.ready.len() + self.line.len() < INPUT
    }

    /// Whether a read finds something.
    pub(super) fn is_readable(&self) -> bool {
        if self.canonical() {
            return self.lines > 0;
        }
        self.ready.len() >= usize::from(self.termios.chars[VMIN]).max(1)
    }

    /// Whether a write finds room.
    pub(super) fn is_writable(&self) -> bool {
        self.held.len() < HELD
    }

    /// Bytes that a read of any length finds.
    pub(super) fn waiting(&self) -> usize {
        if self.canonical() {
            let last = self.ready.iter().rposition(|(_, end)| *end != End::No).map_or(0, |last| last + 1);
            return self.ready.range(..last).filter(|(_, end)| *end != End::Before).count();
        }
        self.ready.len()
    }

    /// At most so many bytes, of one line at most; `None` if there is nothing to read yet.
    pub(super) fn read(&mut self, len: usize) -> Option<Vec<u8>> {
        if len == 0 {
            return Some(Vec::new());
        }
        if !self.canonical() {
            // A read that asks for less than the least gets it.
            let least = usize::from(self.termios.chars[VMIN]).min(len);
            let count = self.ready.len().min(len);
            if count < least {
                return None;
            }
            let taken: Vec<(u8, End)> = self.ready.drain(..count).collect();
            self.lines -= taken.iter().filter(|(_, end)| *end != End::No).count();
            return Some(taken.into_iter().map(|(byte, _)| byte).collect());
        }
        if self.lines == 0 {
            return None;
        }
        let mut data = Vec::new();
        while let Some((byte, end)) = self.ready.front().copied() {
            // An end of file right behind the last byte goes with it.
            if data.len() == len && end != End::Before {
                break;
            }
            self.ready.pop_front();
            if end != End::Before {
                data.push(byte);
            }
            if end != End::No {
                self.lines -= 1;
                break;
            }
        }
        Some(data)
    }

    /// Forgets what was typed.
    pub(super) fn flush_input(&mut self) {
        self.ready.clear();
        self.lines = 0;
        self.line.clear();
        self.literal = false;
    }

    /// Takes what fits of what a program writes: all, unless output is stopped.
    pub(super) fn write(&mut self, data: &[u8]) -> usize {
        let mut taken = 0;
        for byte in data {
            if !self.is_writable() {
                break;
            }
            self.put(*byte);
            taken += 1;
        }
        taken
    }

    /// What the kernel itself says goes out at once and untouched.
    pub(super) fn print(&mut self, text: &[u8]) {
        self.wire.extend_from_slice(text);
    }

    fn put(&mut self, byte: u8) {
        if self.termios.output & OPOST == 0 {
            self.out(byte);
            return;
        }
        match byte {
            b'\n' if self.termios.output & ONLCR != 0 => {
                self.out(b'\r');
                self.column = 0;
            }
            b'\r' => self.column = 0,
            b'\t' => self.column = (self.column | 7) + 1,
            0x08 => self.column = self.column.saturating_sub(1),
            byte if is_control(byte) => {}
            _ => self.column += 1,
        }
        self.out(byte);
    }

    fn out(&mut self, byte: u8) {
        if !self.stopped {
            self.wire.push(byte);
        } else if self.held.len() < HELD {
            self.held.push(byte);
        }
    }

    fn start(&mut self) {
        self.stopped = false;
        self.wire.append(&mut self.held);
    }

    /// Somebody types a character.
    pub(super) fn typed(&mut self, byte: u8) {
        let termios = &self.termios;
        if std::mem::take(&mut self.literal) {
            self.echo(byte);
            self.add(byte);
            return;
        }
        if termios.input & IXON != 0 {
            if termios.is(VSTART, byte) {
                self.start();
                return;
            }
            if termios.is(VSTOP, byte) {
                self.stopped = true;
                return;
            }
        }
        if termios.local(ISIG) && [VINTR, VQUIT, VSUSP].iter().any(|place| termios.is(*place, byte)) {
            if !termios.local(NOFLSH) {
                self.held.clear();
                self.flush_input();
            }
            if self.termios.input & IXON != 0 {
                self.start();
            }
            self.echo(byte);
            return;
        }
        let byte = match byte {
            b'\r' if termios.input & IGNCR != 0 => return,
            b'\r' if termios.input & ICRNL != 0 => b'\n',
            b'\n' if termios.input & INLCR != 0 => b'\r',
            byte => byte,
        };
        if self.canonical() { self.edit(byte) } else { self.raw(byte) }
    }

    fn raw(&mut self, byte: u8) {
        self.echo(byte);
        if self.ready.len() < INPUT {
            self.ready.push_back((byte, End::No));
        }
    }

    fn edit(&mut self, byte: u8) {
        let termios = &self.termios;
        let extended = termios.local(IEXTEN);
        if termios.is(VERASE, byte) || termios.is(VKILL, byte) || (extended && termios.is(VWERASE, byte)) {
            self.erase(byte);
        } else if extended && termios.is(VLNEXT, byte) {
            self.literal = true;
            if termios.local(ECHO) && termios.local(ECHOCTL) {
                self.put(b'^');
                self.put(0x08);
            }
        } else if extended && termios.is(VREPRINT, byte) && termios.local(ECHO) {
            self.echo(byte);
            self.put(b'\n');
            for byte in self.line.clone() {
                self.echo(byte);
            }
        } else if byte == b'\n' {
            if termios.local(ECHO) || termios.local(ECHONL) {
                self.put(b'\n');
            }
            self.end(byte, End::Behind);
        } else if termios.is(VEOF, byte) {
            self.end(0, End::Before);
        } else if termios.is(VEOL, byte) || (extended && termios.is(VEOL2, byte)) {
            self.echo(byte);
            self.end(byte, End::Behind);
        } else {
            self.echo(byte);
            self.add(byte);
        }
    }

    fn add(&mut self, byte: u8) {
        if !self.canonical() {
            self.ready.push_back((byte, End::No));
        } else if self.line.len() < INPUT {
            self.line.push(byte);
        }
    }

    fn end(&mut self, byte: u8, end: End) {
        self.ready.extend(self.line.drain(..).map(|byte| (byte, End::No)));
        self.ready.push_back((byte, end));
        self.lines += 1;
        self.line_column = self.column;
    }

    fn echo(&mut self, byte: u8) {
        if !self.termios.local(ECHO) {
            return;
        }
        if self.line.is_empty() {
            self.line_column = self.column;
        }
        if self.termios.local(ECHOCTL) && is_control(byte) && byte != b'\t' {
            self.put(b'^');
            self.put(byte ^ 0x40);
        } else {
            self.put(byte);
        }
    }

    /// Takes back a character, a word or the line.
    fn erase(&mut self, byte: u8) {
        if self.line.is_empty() {
            return;
        }
        let termios = &self.termios;
        let (whole, word) = (termios.is(VKILL, byte), termios.is(VWERASE, byte) && termios.local(IEXTEN));
        if whole && !(termios.local(ECHO) && [ECHOK, ECHOKE, ECHOE].iter().all(|flag| termios.local(*flag))) {
            self.line.clear();
            self.echo(byte);
            if self.termios.local(ECHO) && self.termios.local(ECHOK) {
                self.put(b'\n');
            }
            return;
        }
        let mut seen_word = false;
        while let Some(last) = self.line.last().copied() {
            if word {
                let of_word = last.is_ascii_alphanumeric() || last == b'_' || last >= 0x80;
                if seen_word && !of_word {
                    break;
                }
                seen_word |= of_word;
            }
            self.line.pop();
            self.show_erased(last, byte, !whole && !word);
            if !whole && !word {
                break;
            }
        }
    }

    fn show_erased(&mut self, erased: u8, byte: u8, alone: bool) {
        if !self.termios.local(ECHO) {
            return;
        }
        if alone && !self.termios.local(ECHOE) {
            // Without erasing on the screen, the character that erases is all that shows.
            self.echo(byte);
            return;
        }
        let columns = match erased {
            b'\t' => {
                let back = self.column_of_end();
                8 - back % 8
            }
            erased if is_control(erased) => 2 * usize::from(self.termios.local(ECHOCTL)),
            _ => 1,
        };
        for _ in 0..columns {
            if erased == b'\t' {
                self.put(0x08);
            } else {
                [0x08, b' ', 0x08].iter().for_each(|byte| self.put(*byte));
            }
        }
    }

    /// The column behind the line that is being typed.
    fn column_of_end(&self) -> usize {
        self.line.iter().fold(self.line_column, |column, byte| match *byte {
            b'\t' => (column | 7) + 1,
            byte if is_control(byte) => column + 2 * usize::from(self.termios.local(ECHOCTL)),
            _ => column + 1,
        })
    }
}
