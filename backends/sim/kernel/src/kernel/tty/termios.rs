//! How a terminal is set, see termios(3).

/// The size of the kernel's `struct termios` in bytes: what `TCGETS` and `TCSETS` move.
pub(crate) const SIZE: usize = 36;

// Input.
pub(super) const INLCR: u32 = 0o100;
pub(super) const IGNCR: u32 = 0o200;
pub(super) const ICRNL: u32 = 0o400;
pub(super) const IXON: u32 = 0o2000;

// Output.
pub(super) const OPOST: u32 = 0o1;
pub(super) const ONLCR: u32 = 0o4;

// Everything else.
pub(super) const ISIG: u32 = 0o1;
pub(super) const ICANON: u32 = 0o2;
pub(super) const ECHO: u32 = 0o10;
pub(super) const ECHOE: u32 = 0o20;
pub(super) const ECHOK: u32 = 0o40;
pub(super) const ECHONL: u32 = 0o100;
pub(super) const NOFLSH: u32 = 0o200;
pub(super) const ECHOCTL: u32 = 0o1000;
pub(super) const ECHOKE: u32 = 0o4000;
pub(super) const IEXTEN: u32 = 0o10_0000;

// Places of characters.
pub(super) const VINTR: usize = 0;
pub(super) const VQUIT: usize = 1;
pub(super) const VERASE: usize = 2;
pub(super) const VKILL: usize = 3;
pub(super) const VEOF: usize = 4;
pub(super) const VMIN: usize = 6;
pub(super) const VSTART: usize = 8;
pub(super) const VSTOP: usize = 9;
pub(super) const VSUSP: usize = 10;
pub(super) const VEOL: usize = 11;
pub(super) const VREPRINT: usize = 12;
pub(super) const VWERASE: usize = 14;
pub(super) const VLNEXT: usize = 15;
pub(super) const VEOL2: usize = 16;

/// The settings of a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Termios {
    pub(super) input: u32,
    pub(super) output: u32,
    control: u32,
    pub(super) local: u32,
    discipline: u8,
    pub(super) chars: [u8; 19],
}

impl Default for Termios {
    /// As Linux sets a serial console: cooked, with echo, at 9600 baud.
    fn default() -> Termios {
        let mut chars = [0; 19];
        let set = [
            (VINTR, 0x03),
            (VQUIT, 0x1c),
            (VERASE, 0x7f),
            (VKILL, 0x15),
            (VEOF, 0x04),
            (VMIN, 1),
            (VSTART, 0x11),
            (VSTOP, 0x13),
            (VSUSP, 0x1a),
            (VREPRINT, 0x12),
            (13, 0x0f),
            (VWERASE, 0x17),
            (VLNEXT, 0x16),
        ];
        for (at, char) in set {
            chars[at] = char;
        }
        Termios {
            input: ICRNL | IXON,
            output: OPOST | ONLCR,
            // B9600, CS8, CREAD, HUPCL, CLOCAL.
            control: 0o15 | 0o60 | 0o200 | 0o2000 | 0o4000,
            local: ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
            discipline: 0,
            chars,
        }
    }
}

impl Termios {
    /// As the system call has it.
    pub(crate) fn to_bytes(&self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        for (at, flags) in [self.input, self.output, self.control, self.local].into_iter().enumerate() {
            bytes[4 * at..4 * at + 4].copy_from_slice(&flags.to_le_bytes());
        }
        bytes[16] = self.discipline;
        bytes[17..].copy_from_slice(&self.chars);
        bytes
    }

    /// From what a system call was given.
    pub(crate) fn from_bytes(bytes: &[u8; SIZE]) -> Termios {
        let flags = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let mut chars = [0; 19];
        chars.copy_from_slice(&bytes[17..]);
        Termios { input: flags(0), output: flags(4), control: flags(8), local: flags(12), discipline: bytes[16], chars }
    }

    /// Whether this is the special character of a place; 0 there is none.
    pub(super) fn is(&self, place: usize, byte: u8) -> bool {
        byte != 0 && self.chars[place] == byte
    }

    pub(super) fn local(&self, flag: u32) -> bool {
        self.local & flag != 0
    }
}
