//! Every limit that a user can reach, named, with its reason. Reaching one is reported, never silent.

/// Output kept of each of a command's two streams unless `max_output` says otherwise, in bytes: far
/// above any sane test's output, far below what a machine holds for a hundred commands at once.
pub const MAX_OUTPUT: u64 = 16 << 20;

/// The largest `max_output` that may be asked for, in bytes: a reply must fit in one frame's memory.
pub const MAX_OUTPUT_CEILING: u64 = 256 << 20;

/// The most bytes that one `read`, `read_all` or `read_file` returns: as for output.
pub const MAX_READ: u64 = 256 << 20;

/// The largest piece of a stream, in bytes: large enough that per-frame cost vanishes, small enough
/// that streams sharing a link take turns.
pub const MAX_FRAME: usize = 64 << 10;

/// Frames of one stream that may wait for their reader: 1 MiB in flight, then the producer waits.
pub const FRAMES_IN_FLIGHT: usize = 16;

/// Operations in one batch: a batch is answered by one reply, which must stay small.
pub const MAX_BATCH: usize = 10_000;

/// Arguments of a raw system call, by the x86-64 calling convention.
pub const MAX_SYSCALL_ARGS: usize = 6;

/// Buffers given to one raw system call: more than any call takes, `writev` with its vector included.
pub const MAX_SYSCALL_BUFS: usize = 64;

/// Bytes of one buffer given to a raw system call: the most that Linux moves in one read is 2 GiB;
/// more than 64 MiB is a mistake in a test.
pub const MAX_SYSCALL_BUF: usize = 64 << 20;

/// How long `close` waits after SIGTERM before it sends SIGKILL, in nanoseconds (2 s).
pub const CLOSE_PATIENCE_NS: u64 = 2_000_000_000;

/// How long a process whose output is beyond what is kept is held back for a stream that nobody has
/// opened yet, in nanoseconds (5 s): far longer than a test takes from `run_async` to the stream, short
/// enough for a process whose output nobody wants.
pub const STREAM_PATIENCE_NS: u64 = 5_000_000_000;

/// How long an operation waits for output that is still in the pipes after SIGKILL of the group, in
/// nanoseconds (0.1 s): what a killed group wrote is there at once; a stranger that holds the pipe
/// must not delay the result.
pub const DRAIN_AFTER_KILL_NS: u64 = 100_000_000;

/// What is kept of a guest's console, in bytes (16 MiB): a boot prints 50 kB, so this is a guest that talks all day. Beyond
/// it the oldest is given up.
pub const CONSOLE_KEPT: usize = 16 << 20;
