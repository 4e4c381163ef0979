//! Limits of the simulated guest, each with its reason. Where Linux has the limit too, ours is its
//! default.

use provium_protocol::Nanos;

/// Virtual time that one step takes, in nanoseconds: more than a system call takes on real hardware,
/// so that a busy loop without end meets a deadline of half a minute after about a million steps.
pub const STEP_NS: Nanos = 20_000;

/// Threads alive at once in one guest: a fork bomb ends in `EAGAIN` before it costs the host much.
pub const MAX_THREADS: usize = 2_000;

/// Descriptors of one process (`RLIMIT_NOFILE`), as on Linux.
pub const MAX_FDS: usize = 1_024;

/// Up to how many descriptors a process may raise its limit (the hard limit), as on Linux.
pub const HARD_FDS: usize = 4_096;

/// Open files of one guest (`fs.file-max`): bounds the host's memory.
pub const MAX_OPEN_FILES: usize = 65_536;

/// Longest name of a directory entry in bytes, as on Linux.
pub const NAME_MAX: usize = 255;

/// Longest path in bytes, the final NUL counted, as on Linux.
pub const PATH_MAX: usize = 4_096;

/// Symbolic links followed in one resolution, as on Linux.
pub const MAX_SYMLINKS: u32 = 40;

/// Bytes that a pipe holds, as on Linux.
pub const PIPE_CAPACITY: usize = 65_536;

/// The most that `F_SETPIPE_SZ` gives a pipe in bytes (`fs.pipe-max-size`), as on Linux.
pub const PIPE_MAX_SIZE: usize = 1 << 20;

/// Writes to a pipe up to this size are not mixed with others, as on Linux.
pub const PIPE_BUF: usize = 4_096;

/// The most bytes that one read or write moves, as on Linux (`MAX_RW_COUNT`).
pub const MAX_RW: usize = 0x7fff_f000;

/// The most bytes that one read of an endless device or a socket moves here: bounds the host's memory
/// when a test asks for gigabytes of zeros.
pub const MAX_DEVICE_READ: usize = 32 << 20;

/// Page of the page cache in bytes, as on x86-64.
pub const PAGE: usize = 4_096;

/// Largest size of a file in bytes: offsets are signed 64-bit numbers.
pub const MAX_FILE_SIZE: u64 = i64::MAX as u64;

/// Inodes of one file system in memory: bounds the host's memory.
pub const MAX_INODES: usize = 200_000;

/// Entries of an argument vector or environment together in bytes, as on Linux (a quarter of the
/// stack's 8 MiB).
pub const ARG_MAX: usize = 2 << 20;

/// Interpreters that name interpreters (`#!`), as on Linux.
pub const MAX_INTERPRETERS: u32 = 4;

/// Bytes kept of the kernel's log, as on Linux with `CONFIG_LOG_BUF_SHIFT=17`.
pub const LOG_BYTES: usize = 128 << 10;

/// Memory of a guest unless it is told otherwise, in bytes.
pub const DEFAULT_MEMORY: u64 = 512 << 20;

/// Caught signals that wait for their program: a process that never looks must not grow without end.
pub const MAX_CAUGHT: usize = 1_024;

/// Bytes typed at the console that wait behind a full line discipline, as on Linux (`TTYB_DEFAULT_MEM_LIMIT`): what is typed
/// beyond them is lost.
pub const TYPED_AHEAD: usize = 64 << 10;
