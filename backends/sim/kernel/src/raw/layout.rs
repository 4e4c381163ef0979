//! The structures of the system call interface, laid out as on x86-64.

use crate::types::{Stat, StatFs, SysInfo, TimeSpec, Uname};
use crate::vfs::device::split_dev;

/// Writes numbers at their offsets into a structure.
pub(super) struct Layout<const N: usize>(pub(super) [u8; N]);

impl<const N: usize> Layout<N> {
    pub(super) fn new() -> Layout<N> {
        Layout([0; N])
    }

    pub(super) fn bytes(mut self, at: usize, bytes: &[u8]) -> Layout<N> {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub(super) fn u16(self, at: usize, value: u16) -> Layout<N> {
        self.bytes(at, &value.to_le_bytes())
    }

    pub(super) fn u32(self, at: usize, value: u32) -> Layout<N> {
        self.bytes(at, &value.to_le_bytes())
    }

    pub(super) fn i32(self, at: usize, value: i32) -> Layout<N> {
        self.bytes(at, &value.to_le_bytes())
    }

    pub(super) fn u64(self, at: usize, value: u64) -> Layout<N> {
        self.bytes(at, &value.to_le_bytes())
    }

    pub(super) fn i64(self, at: usize, value: i64) -> Layout<N> {
        self.bytes(at, &value.to_le_bytes())
    }

    pub(super) fn time(self, at: usize, time: TimeSpec) -> Layout<N> {
        self.i64(at, time.sec).u64(at + 8, u64::from(time.nsec))
    }
}

/// `struct stat`
pub(super) fn stat(stat: &Stat) -> [u8; 144] {
    Layout::new()
        .u64(0, stat.dev)
        .u64(8, stat.ino)
        .u64(16, stat.nlink)
        .u32(24, stat.mode)
        .u32(28, stat.uid)
        .u32(32, stat.gid)
        .u64(40, stat.rdev)
        .u64(48, stat.size)
        .u64(56, stat.blksize)
        .u64(64, stat.blocks)
        .time(72, stat.atime)
        .time(88, stat.mtime)
        .time(104, stat.ctime)
        .0
}

/// What statx(2) fills in: the basic fields and the mount.
const STATX_FILLED: u32 = 0x7ff | STATX_MNT_ID;
const STATX_MNT_ID: u32 = 0x1000;

/// `struct statx`
pub(super) fn statx(stat: &Stat, mount: u32) -> [u8; 256] {
    let time = |layout: Layout<256>, at: usize, time: TimeSpec| layout.i64(at, time.sec).u32(at + 8, time.nsec);
    let (major, minor) = split_dev(stat.rdev);
    let (dev_major, dev_minor) = split_dev(stat.dev);
    let layout = Layout::new()
        .u32(0, STATX_FILLED)
        .u32(4, stat.blksize as u32)
        .u32(16, stat.nlink as u32)
        .u32(20, stat.uid)
        .u32(24, stat.gid)
        .u16(28, stat.mode as u16)
        .u64(32, stat.ino)
        .u64(40, stat.size)
        .u64(48, stat.blocks)
        .u32(128, major)
        .u32(132, minor)
        .u32(136, dev_major)
        .u32(140, dev_minor)
        .u64(144, u64::from(mount));
    time(time(time(layout, 64, stat.atime), 96, stat.ctime), 112, stat.mtime).0
}

/// `struct statfs`
pub(super) fn statfs(fs: &StatFs) -> [u8; 120] {
    Layout::new()
        .u64(0, fs.kind)
        .u64(8, fs.block_size)
        .u64(16, fs.blocks)
        .u64(24, fs.blocks_free)
        .u64(32, fs.blocks_free)
        .u64(40, fs.files)
        .u64(48, fs.files_free)
        .u64(64, fs.name_max)
        .u64(72, fs.block_size)
        .0
}

/// `struct utsname`: six texts of 65 bytes.
pub(super) fn utsname(name: &Uname) -> [u8; 390] {
    let fields = [&name.sysname, &name.nodename, &name.release, &name.version, &name.machine];
    let mut layout = Layout::new();
    for (at, field) in fields.into_iter().enumerate() {
        let bytes = &field.as_bytes()[..field.len().min(64)];
        layout = layout.bytes(at * 65, bytes);
    }
    layout.bytes(5 * 65, b"(none)").0
}

/// `struct sysinfo`
pub(super) fn sysinfo(info: &SysInfo) -> [u8; 112] {
    Layout::new().u64(0, info.uptime).u64(32, info.total_ram).u64(40, info.free_ram).u16(80, info.procs).u32(104, 1).0
}

/// `struct rusage` of which only the user time is known.
pub(super) fn rusage(cpu_ns: u64) -> [u8; 144] {
    let (sec, usec) = (cpu_ns / 1_000_000_000, cpu_ns % 1_000_000_000 / 1_000);
    // ru_maxrss in KiB, the same number that /proc/PID/status gives.
    Layout::new().u64(0, sec).u64(8, usec).u64(32, 1024).0
}

/// `struct timespec`
pub(super) fn timespec(time: TimeSpec) -> [u8; 16] {
    Layout::new().time(0, time).0
}

/// `struct timeval`
pub(super) fn timeval(time: TimeSpec) -> [u8; 16] {
    Layout::new().i64(0, time.sec).u64(8, u64::from(time.nsec / 1_000)).0
}
