//! Character devices.

use crate::flags::{S_IFCHR, S_IFIFO};

/// The devices of a simulated guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// `/dev/null`
    Null,
    /// `/dev/zero`
    Zero,
    /// `/dev/full`
    Full,
    /// `/dev/random` and `/dev/urandom`
    Random,
    /// `/dev/tty`: there is no controlling terminal.
    Tty,
    /// `/dev/console`
    Console,
    /// `/dev/ttyS0`: the line that the console is on.
    Serial,
    /// `/dev/kmsg`
    Kmsg,
}

/// Devices with their paths, permissions and numbers (major, minor), see the kernel's devices.txt.
pub const DEVICES: &[(&str, Device, u32, u32, u32)] = &[
    ("null", Device::Null, 0o666, 1, 3),
    ("zero", Device::Zero, 0o666, 1, 5),
    ("full", Device::Full, 0o666, 1, 7),
    ("random", Device::Random, 0o666, 1, 8),
    ("urandom", Device::Random, 0o666, 1, 9),
    ("kmsg", Device::Kmsg, 0o644, 1, 11),
    ("tty", Device::Tty, 0o666, 5, 0),
    ("console", Device::Console, 0o600, 5, 1),
    ("ttyS0", Device::Serial, 0o600, 4, 64),
];

impl Device {
    /// Whether it is a terminal: there is one, by two names.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Device::Console | Device::Serial)
    }

    /// The device of these numbers.
    #[must_use]
    pub fn from_numbers(major: u32, minor: u32) -> Option<Device> {
        DEVICES.iter().find(|row| (row.3, row.4) == (major, minor)).map(|row| row.1)
    }
}

/// A device number as in `st_rdev`, see makedev(3).
#[must_use]
pub fn makedev(major: u32, minor: u32) -> u64 {
    let (major, minor) = (u64::from(major), u64::from(minor));
    ((major & 0xffff_f000) << 32) | ((major & 0xfff) << 8) | ((minor & 0xffff_ff00) << 12) | (minor & 0xff)
}

/// Major and minor of a device number.
#[must_use]
pub fn split_dev(dev: u64) -> (u32, u32) {
    let major = ((dev >> 32) & 0xffff_f000) | ((dev >> 8) & 0xfff);
    let minor = ((dev >> 12) & 0xffff_ff00) | (dev & 0xff);
    (major as u32, minor as u32)
}

/// Whether a mode names a character device.
#[must_use]
pub fn is_char_device(mode: u32) -> bool {
    mode & crate::flags::S_IFMT == S_IFCHR
}

/// Whether a mode names a FIFO.
#[must_use]
pub fn is_fifo(mode: u32) -> bool {
    mode & crate::flags::S_IFMT == S_IFIFO
}
