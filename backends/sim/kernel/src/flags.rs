//! Constants of the x86-64 Linux system call interface, by the names of the man pages.

/// open(2): for reading only.
pub const O_RDONLY: i32 = 0;
/// open(2): for writing only.
pub const O_WRONLY: i32 = 1;
/// open(2): for reading and writing.
pub const O_RDWR: i32 = 2;
/// open(2): the bits that hold the access mode.
pub const O_ACCMODE: i32 = 3;
/// open(2): make the file if it is absent.
pub const O_CREAT: i32 = 0o100;
/// open(2): with `O_CREAT`, the file must not exist.
pub const O_EXCL: i32 = 0o200;
/// open(2): not as controlling terminal (there is none to get).
pub const O_NOCTTY: i32 = 0o400;
/// open(2): empty the file.
pub const O_TRUNC: i32 = 0o1000;
/// open(2): every write goes to the end.
pub const O_APPEND: i32 = 0o2000;
/// open(2): answer `EAGAIN` instead of waiting.
pub const O_NONBLOCK: i32 = 0o4000;
/// open(2): writes return when data and needed metadata are stored (no difference in memory).
pub const O_DSYNC: i32 = 0o10000;
/// open(2): as `O_DSYNC`, with all metadata.
pub const O_SYNC: i32 = 0o4_010_000;
/// open(2): offsets are 64 bits (always so on x86-64).
pub const O_LARGEFILE: i32 = 0o100_000;
/// open(2): must be a directory.
pub const O_DIRECTORY: i32 = 0o200_000;
/// open(2): the last component must not be a symbolic link.
pub const O_NOFOLLOW: i32 = 0o400_000;
/// open(2): reads leave the access time alone.
pub const O_NOATIME: i32 = 0o1_000_000;
/// open(2): closed by execve(2).
pub const O_CLOEXEC: i32 = 0o2_000_000;
/// open(2): only a place in the tree, no access to the content.
pub const O_PATH: i32 = 0o10_000_000;
/// open(2): a nameless file in this directory.
pub const O_TMPFILE: i32 = 0o20_200_000;

/// The working directory as the base of a relative path, see openat(2).
pub const AT_FDCWD: i32 = -100;
/// fstatat(2) and others: do not follow a symbolic link at the end.
pub const AT_SYMLINK_NOFOLLOW: i32 = 0x100;
/// unlinkat(2): remove a directory.
pub const AT_REMOVEDIR: i32 = 0x200;
/// linkat(2): follow a symbolic link at the end.
pub const AT_SYMLINK_FOLLOW: i32 = 0x400;
/// fstatat(2) and others: an empty path means the descriptor itself.
pub const AT_EMPTY_PATH: i32 = 0x1000;

/// inode(7): the bits of a mode that hold the file type.
pub const S_IFMT: u32 = 0o170_000;
/// inode(7): socket.
pub const S_IFSOCK: u32 = 0o140_000;
/// inode(7): symbolic link.
pub const S_IFLNK: u32 = 0o120_000;
/// inode(7): regular file.
pub const S_IFREG: u32 = 0o100_000;
/// inode(7): block device.
pub const S_IFBLK: u32 = 0o060_000;
/// inode(7): directory.
pub const S_IFDIR: u32 = 0o040_000;
/// inode(7): character device.
pub const S_IFCHR: u32 = 0o020_000;
/// inode(7): FIFO.
pub const S_IFIFO: u32 = 0o010_000;
/// inode(7): set-user-ID.
pub const S_ISUID: u32 = 0o4000;
/// inode(7): set-group-ID.
pub const S_ISGID: u32 = 0o2000;
/// inode(7): sticky.
pub const S_ISVTX: u32 = 0o1000;

/// lseek(2): from the start.
pub const SEEK_SET: i32 = 0;
/// lseek(2): from where it stands.
pub const SEEK_CUR: i32 = 1;
/// lseek(2): from the end.
pub const SEEK_END: i32 = 2;
/// lseek(2): the next data at or after.
pub const SEEK_DATA: i32 = 3;
/// lseek(2): the next hole at or after.
pub const SEEK_HOLE: i32 = 4;

/// flock(2): shared.
pub const LOCK_SH: i32 = 1;
/// flock(2): exclusive.
pub const LOCK_EX: i32 = 2;
/// flock(2): do not wait.
pub const LOCK_NB: i32 = 4;
/// flock(2): release.
pub const LOCK_UN: i32 = 8;

/// poll(2): there is something to read.
pub const POLLIN: i16 = 0x001;
/// poll(2): urgent data.
pub const POLLPRI: i16 = 0x002;
/// poll(2): writing would not wait.
pub const POLLOUT: i16 = 0x004;
/// poll(2): error (always reported).
pub const POLLERR: i16 = 0x008;
/// poll(2): hung up (always reported).
pub const POLLHUP: i16 = 0x010;
/// poll(2): not an open descriptor (always reported).
pub const POLLNVAL: i16 = 0x020;

/// poll(2): the other end will not write any more.
pub const POLLRDHUP: i16 = 0x2000;

/// access(2): may be read.
pub const R_OK: i32 = 4;
/// access(2): may be written.
pub const W_OK: i32 = 2;
/// access(2): may be executed or searched.
pub const X_OK: i32 = 1;
/// access(2): is there.
pub const F_OK: i32 = 0;

/// renameat2(2): fail if the new path exists.
pub const RENAME_NOREPLACE: u32 = 1;
/// renameat2(2): swap the two.
pub const RENAME_EXCHANGE: u32 = 2;

/// mount(2): read-only.
pub const MS_RDONLY: u64 = 1;
/// mount(2): change the flags of an existing mount.
pub const MS_REMOUNT: u64 = 32;
/// mount(2): make a part of the tree visible at another place.
pub const MS_BIND: u64 = 4096;
