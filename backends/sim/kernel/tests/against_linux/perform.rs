//! Carries an operation out on either kernel by raw system calls, and says what came of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use provium_protocol::Errno;
use provium_protocol::syscall::PtrTarget;

use crate::op::{Op, P};
use crate::settings::Settings;

/// A kernel that takes raw system calls.
pub trait Kernel {
    /// Makes one; the result, or an errno as a negative number.
    async fn call(&mut self, nr: i64, args: [i64; 6], bufs: &mut [Vec<u8>], ptrs: &[PtrTarget]) -> i64;
}

/// fchmodat2(2), which the C library does not name on all hosts.
const SYS_FCHMODAT2: i64 = 452;

/// Times before this (in seconds since 1970) were set by utimensat(2); all others are "now".
const SET_TIMES: i64 = 100_000;

/// Where the last page begins that a file can have: looking for data there, Linux's arithmetic overflows and
/// finds none.
const LAST_PAGE: i64 = i64::MAX - 4_095;

/// The most that a test writes into a socket at once: how much fits is counted differently.
const SOCKET_WRITE: usize = 512;

fn text(path: P) -> Vec<u8> {
    [path.as_bytes(), b"\0"].concat()
}

fn shown(result: i64) -> String {
    match result {
        ..0 => Errno(-result as i32).name().map_or_else(|| result.to_string(), str::to_owned),
        _ => result.to_string(),
    }
}

fn pattern(first: u8, len: usize) -> Vec<u8> {
    (0..len).map(|at| first.wrapping_add(at as u8)).collect()
}

/// A digest of bytes that shows short ones as they are.
fn bytes(data: &[u8]) -> String {
    if data.len() <= 16 {
        return format!("{data:?}");
    }
    let sum = data
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{} bytes, {sum:016x}", data.len())
}

fn number<T: Into<i128>>(value: T) -> i128 {
    value.into()
}

fn time(sec: i64, nsec: i64) -> String {
    if sec < SET_TIMES { format!("{sec}.{nsec}") } else { "now".to_owned() }
}

/// What stat(2) says, as far as two kernels can agree on it.
fn show_stat(buf: &[u8], in_memory: bool) -> String {
    // SAFETY: the buffer has the size of the structure, which is made of numbers.
    let stat: libc::stat = unsafe { std::ptr::read_unaligned(buf.as_ptr().cast()) };
    let kind = stat.st_mode & libc::S_IFMT;
    let mut line = format!("mode {:o} uid {} gid {} rdev {}", stat.st_mode, stat.st_uid, stat.st_gid, stat.st_rdev);
    // How long a directory is, and whether its own directories count as links to it, is up to the disk.
    if in_memory || kind != libc::S_IFDIR {
        let _ = write!(line, " nlink {} size {}", stat.st_nlink, stat.st_size);
    }
    // So is how much room a file takes.
    if in_memory && kind == libc::S_IFREG {
        let _ = write!(line, " blocks {}", stat.st_blocks);
    }
    // Following a symbolic link touches its access time on Linux; pipes and sockets have made-up times.
    if matches!(kind, libc::S_IFREG | libc::S_IFDIR) {
        // A disk may be mounted not to keep these.
        if in_memory {
            let _ = write!(line, " atime {}", time(stat.st_atime, stat.st_atime_nsec));
        }
        let _ = write!(line, " mtime {}", time(stat.st_mtime, stat.st_mtime_nsec));
        let _ = write!(line, " ctime {}", time(stat.st_ctime, stat.st_ctime_nsec));
    }
    line
}

struct On<'k, K> {
    kernel: &'k mut K,
    settings: &'k Settings,
}

impl<K: Kernel> On<'_, K> {
    /// A call with numbers only.
    async fn numbers(&mut self, nr: i64, args: &[i64]) -> i64 {
        self.with(nr, args, &mut []).await
    }

    /// A call with buffers, each the argument of its number.
    async fn with(&mut self, nr: i64, args: &[i64], bufs: &mut [(u8, Vec<u8>)]) -> i64 {
        let mut all = [0; 6];
        all[..args.len()].copy_from_slice(args);
        let ptrs: Vec<PtrTarget> = bufs.iter().map(|(at, _)| PtrTarget::Arg(*at)).collect();
        let mut plain: Vec<Vec<u8>> = bufs.iter_mut().map(|(_, buf)| std::mem::take(buf)).collect();
        let result = self.kernel.call(nr, all, &mut plain, &ptrs).await;
        for ((_, buf), plain) in bufs.iter_mut().zip(plain) {
            *buf = plain;
        }
        result
    }

    fn show_stat(&self, buf: &[u8]) -> String {
        show_stat(buf, self.settings.in_memory)
    }

    async fn read(&mut self, nr: i64, fd: i32, len: usize, offset: i64) -> String {
        let mut bufs = [(1, vec![0; len])];
        let result = self.with(nr, &[fd.into(), 0, len as i64, offset], &mut bufs).await;
        match usize::try_from(result) {
            Ok(got) => bytes(&bufs[0].1[..got]),
            Err(_) => shown(result),
        }
    }

    async fn stat(&mut self, dirfd: i32, path: P, flags: i32) -> Result<Vec<u8>, i64> {
        let mut bufs = [(1, text(path)), (2, vec![0; size_of::<libc::stat>()])];
        let result = self.with(libc::SYS_newfstatat, &[dirfd.into(), 0, 0, flags.into()], &mut bufs).await;
        let [_, (_, buf)] = bufs;
        if result < 0 { Err(result) } else { Ok(buf) }
    }

    async fn fstat(&mut self, fd: i32) -> Result<Vec<u8>, i64> {
        let mut bufs = [(1, vec![0; size_of::<libc::stat>()])];
        let result = self.with(libc::SYS_fstat, &[fd.into(), 0], &mut bufs).await;
        let [(_, buf)] = bufs;
        if result < 0 { Err(result) } else { Ok(buf) }
    }

    /// Names of a directory in order, with their types.
    async fn list(&mut self, path: P) -> Result<BTreeMap<String, u8>, i64> {
        let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
        let fd = self.with(libc::SYS_open, &[0, flags.into(), 0], &mut [(0, text(path))]).await;
        if fd < 0 {
            return Err(fd);
        }
        let mut names = BTreeMap::new();
        let result = loop {
            let mut bufs = [(1, vec![0; 4096])];
            let len = self.with(libc::SYS_getdents64, &[fd, 0, 4096], &mut bufs).await;
            if len <= 0 {
                break len;
            }
            let mut rest = &bufs[0].1[..len as usize];
            while rest.len() > 19 {
                let record = usize::from(u16::from_le_bytes([rest[16], rest[17]]));
                let name = rest[19..record].split(|byte| *byte == 0).next().unwrap_or_default();
                names.insert(String::from_utf8_lossy(name).into_owned(), rest[18]);
                rest = &rest[record..];
            }
        };
        self.numbers(libc::SYS_close, &[fd]).await;
        if result < 0 { Err(result) } else { Ok(names) }
    }

    async fn lock(&mut self, fd: i32, command: i32, kind: i16, whence: i16, start: i64, len: i64) -> String {
        let mut flock = vec![0; 32];
        flock[..2].copy_from_slice(&kind.to_le_bytes());
        flock[2..4].copy_from_slice(&whence.to_le_bytes());
        flock[8..16].copy_from_slice(&start.to_le_bytes());
        flock[16..24].copy_from_slice(&len.to_le_bytes());
        let mut bufs = [(2, flock)];
        let result = self.with(libc::SYS_fcntl, &[fd.into(), command.into(), 0], &mut bufs).await;
        if result < 0 || !matches!(command, libc::F_GETLK | libc::F_OFD_GETLK) {
            return shown(result);
        }
        // SAFETY: the buffer has the size of the structure, which is made of numbers.
        let found: libc::flock = unsafe { std::ptr::read_unaligned(bufs[0].1.as_ptr().cast()) };
        if found.l_type == libc::F_UNLCK as i16 {
            return "free".to_owned();
        }
        format!(
            "type {} whence {} {}+{} of <{}>",
            found.l_type, found.l_whence, found.l_start, found.l_len, found.l_pid
        )
    }

    async fn op(&mut self, op: &Op) -> String {
        const AT: i64 = libc::AT_FDCWD as i64;
        let result = match *op {
            Op::Open(path, flags, mode) => {
                self.with(libc::SYS_open, &[0, flags.into(), mode.into()], &mut [(0, text(path))]).await
            }
            Op::OpenAt(fd, path, flags, mode) => {
                let args = [fd.into(), 0, flags.into(), mode.into()];
                self.with(libc::SYS_openat, &args, &mut [(1, text(path))]).await
            }
            Op::Close(fd) => self.numbers(libc::SYS_close, &[fd.into()]).await,
            Op::Read(fd, len) => return self.read(libc::SYS_read, fd, len, 0).await,
            Op::Pread(fd, len, offset) => return self.read(libc::SYS_pread64, fd, len, offset).await,
            Op::Write(fd, first, len) => {
                let len = self.write_len(fd, len).await;
                self.with(libc::SYS_write, &[fd.into(), 0, len as i64], &mut [(1, pattern(first, len))]).await
            }
            Op::Pwrite(fd, first, len, offset) => {
                let args = [fd.into(), 0, len as i64, offset];
                self.with(libc::SYS_pwrite64, &args, &mut [(1, pattern(first, len))]).await
            }
            Op::Seek(fd, _, libc::SEEK_DATA | libc::SEEK_HOLE) if self.len(fd).await > LAST_PAGE => 0,
            // Places in a directory are made up by each file system.
            Op::Seek(fd, ..) if !self.settings.in_memory && self.file_type(fd).await == Some(libc::S_IFDIR) => 0,
            Op::Seek(fd, offset, whence) => self.numbers(libc::SYS_lseek, &[fd.into(), offset, whence.into()]).await,
            Op::Dup(fd) => self.numbers(libc::SYS_dup, &[fd.into()]).await,
            Op::Dup2(fd, to) => self.numbers(libc::SYS_dup2, &[fd.into(), to.into()]).await,
            Op::Dup3(fd, to, flags) => self.numbers(libc::SYS_dup3, &[fd.into(), to.into(), flags.into()]).await,
            Op::Fcntl(fd, command, arg) => self.numbers(libc::SYS_fcntl, &[fd.into(), command.into(), arg]).await,
            Op::Pipe(flags) => {
                let mut bufs = [(0, vec![0; 8])];
                let result = self.with(libc::SYS_pipe2, &[0, flags.into()], &mut bufs).await;
                return format!("{} {:?}", shown(result), bufs[0].1);
            }
            Op::Socketpair(kind) => {
                let mut bufs = [(3, vec![0; 8])];
                let kind = i64::from(kind | libc::SOCK_NONBLOCK);
                let result = self.with(libc::SYS_socketpair, &[libc::AF_UNIX.into(), kind, 0, 0], &mut bufs).await;
                return format!("{} {:?}", shown(result), bufs[0].1);
            }
            Op::Shutdown(fd, how) => self.numbers(libc::SYS_shutdown, &[fd.into(), how.into()]).await,
            Op::Eventfd(count, flags) => self.numbers(libc::SYS_eventfd2, &[count.into(), flags.into()]).await,
            Op::Memfd(name, flags) => {
                self.with(libc::SYS_memfd_create, &[0, flags.into()], &mut [(0, text(name))]).await
            }
            Op::Fionread(fd) => {
                let mut bufs = [(2, vec![0; 4])];
                let request = libc::FIONREAD as i64;
                let result = self.with(libc::SYS_ioctl, &[fd.into(), request, 0], &mut bufs).await;
                return format!("{} {:?}", shown(result), bufs[0].1);
            }
            Op::Poll(fds) => {
                let entry = |(fd, events): (i32, i16)| [&fd.to_le_bytes()[..], &events.to_le_bytes(), &[0; 2]].concat();
                let mut bufs = [(0, fds.map(entry).concat())];
                let result = self.with(libc::SYS_poll, &[0, 2, 0], &mut bufs).await;
                let buf = &bufs[0].1;
                return format!("{} {:02x}{:02x} {:02x}{:02x}", shown(result), buf[7], buf[6], buf[15], buf[14]);
            }
            Op::Truncate(path, len) => self.with(libc::SYS_truncate, &[0, len], &mut [(0, text(path))]).await,
            Op::Ftruncate(fd, len) => self.numbers(libc::SYS_ftruncate, &[fd.into(), len]).await,
            Op::Fallocate(fd, mode, offset, len) => {
                assert!(len <= crate::generate::MOST_ALLOCATED, "more than a test may take of the host");
                self.numbers(libc::SYS_fallocate, &[fd.into(), mode.into(), offset, len]).await
            }
            Op::Fsync(fd) => self.numbers(libc::SYS_fsync, &[fd.into()]).await,
            Op::Mkdir(path, mode) => self.with(libc::SYS_mkdir, &[0, mode.into()], &mut [(0, text(path))]).await,
            Op::MkdirAt(fd, path, mode) => {
                self.with(libc::SYS_mkdirat, &[fd.into(), 0, mode.into()], &mut [(1, text(path))]).await
            }
            Op::Unlink(path, flags) => {
                self.with(libc::SYS_unlinkat, &[AT, 0, flags.into()], &mut [(1, text(path))]).await
            }
            Op::Rename(from, to, flags) => {
                let mut bufs = [(1, text(from)), (3, text(to))];
                self.with(libc::SYS_renameat2, &[AT, 0, AT, 0, flags.into()], &mut bufs).await
            }
            Op::Link(from, to, flags) => {
                let mut bufs = [(1, text(from)), (3, text(to))];
                self.with(libc::SYS_linkat, &[AT, 0, AT, 0, flags.into()], &mut bufs).await
            }
            Op::Symlink(target, path) => {
                self.with(libc::SYS_symlink, &[0, 0], &mut [(0, text(target)), (1, text(path))]).await
            }
            Op::Readlink(path, room) => {
                let mut bufs = [(0, text(path)), (1, vec![0; 5000])];
                let result = self.with(libc::SYS_readlink, &[0, 0, room.into()], &mut bufs).await;
                return match usize::try_from(result) {
                    Ok(len) => bytes(&bufs[1].1[..len]),
                    Err(_) => shown(result),
                };
            }
            Op::Mknod(path, mode, dev) => {
                self.with(libc::SYS_mknod, &[0, mode.into(), dev as i64], &mut [(0, text(path))]).await
            }
            Op::Chmod(path, mode, 0) => {
                self.with(libc::SYS_fchmodat, &[AT, 0, mode.into()], &mut [(1, text(path))]).await
            }
            Op::Chmod(path, mode, flags) => {
                self.with(SYS_FCHMODAT2, &[AT, 0, mode.into(), flags.into()], &mut [(1, text(path))]).await
            }
            // What the one inode of counters and the like answers has changed between kernels.
            Op::Fchmod(fd, _) | Op::Fchown(fd, ..) if self.file_type(fd).await == Some(0) => 0,
            Op::Fchmod(fd, mode) => self.numbers(libc::SYS_fchmod, &[fd.into(), mode.into()]).await,
            Op::Chown(path, uid, gid, flags) => {
                let args = [AT, 0, uid.into(), gid.into(), flags.into()];
                self.with(libc::SYS_fchownat, &args, &mut [(1, text(path))]).await
            }
            Op::Fchown(fd, uid, gid) => self.numbers(libc::SYS_fchown, &[fd.into(), uid.into(), gid.into()]).await,
            Op::Stat(path, flags) => {
                return self.stat(libc::AT_FDCWD, path, flags).await.map_or_else(shown, |buf| self.show_stat(&buf));
            }
            Op::StatAt(fd, path, flags) => {
                return self.stat(fd, path, flags).await.map_or_else(shown, |buf| self.show_stat(&buf));
            }
            Op::Fstat(fd) => return self.fstat(fd).await.map_or_else(shown, |buf| self.show_stat(&buf)),
            Op::Access(path, mode, flags) => {
                self.with(libc::SYS_faccessat2, &[AT, 0, mode.into(), flags.into()], &mut [(1, text(path))]).await
            }
            Op::Umask(mask) => self.numbers(libc::SYS_umask, &[mask.into()]).await,
            Op::Chdir(path) => self.with(libc::SYS_chdir, &[0], &mut [(0, text(path))]).await,
            Op::Fchdir(fd) => self.numbers(libc::SYS_fchdir, &[fd.into()]).await,
            Op::Getcwd => {
                let mut bufs = [(0, vec![0; 4096])];
                let result = self.with(libc::SYS_getcwd, &[0, 4096], &mut bufs).await;
                return match usize::try_from(result) {
                    Ok(len) => String::from_utf8_lossy(&bufs[0].1[..len]).into_owned(),
                    Err(_) => shown(result),
                };
            }
            Op::Utimens(path, atime, mtime, flags) => {
                let times = [1_000, atime, 2_000, mtime].map(i64::to_le_bytes).concat();
                let mut bufs = [(1, text(path)), (2, times)];
                self.with(libc::SYS_utimensat, &[AT, 0, 0, flags.into()], &mut bufs).await
            }
            Op::List(path) => {
                return self.list(path).await.map_or_else(shown, |names| format!("{names:?}"));
            }
            Op::Flock(fd, operation) => self.numbers(libc::SYS_flock, &[fd.into(), operation.into()]).await,
            Op::Lock(fd, command, kind, whence, start, len) => {
                return self.lock(fd, command, kind, whence, start, len).await;
            }
            // These two are the business of whoever runs the processes.
            Op::Fork(..) | Op::Exit => return String::new(),
        };
        shown(result)
    }

    /// The type bits of an open file; none for a counter and the like.
    async fn file_type(&mut self, fd: i32) -> Option<u32> {
        let buf = self.fstat(fd).await.ok()?;
        Some(u32::from_le_bytes([buf[24], buf[25], buf[26], buf[27]]) & libc::S_IFMT)
    }

    async fn len(&mut self, fd: i32) -> i64 {
        self.fstat(fd).await.map_or(0, |buf| buf[48..56].iter().rev().fold(0, |len, byte| len << 8 | i64::from(*byte)))
    }

    async fn write_len(&mut self, fd: i32, len: usize) -> usize {
        match self.file_type(fd).await {
            Some(libc::S_IFSOCK) => len.min(SOCKET_WRITE),
            // Newer kernels refuse more than the eight bytes that older ones take of it.
            Some(0) => len.min(8),
            _ => len,
        }
    }

    /// Everything below a directory: names, attributes, contents.
    async fn tree(&mut self, dir: &str, lines: &mut Vec<String>) {
        let path: P = crate::intern(dir);
        match self.stat(libc::AT_FDCWD, path, 0).await {
            Ok(buf) => lines.push(format!("{dir} {}", self.show_stat(&buf))),
            Err(errno) => lines.push(format!("{dir} {}", shown(errno))),
        }
        let names = match self.list(path).await {
            Ok(names) => names,
            Err(errno) => {
                lines.push(format!("{dir} cannot be listed: {}", shown(errno)));
                return;
            }
        };
        for (name, kind) in names.into_iter().filter(|(name, _)| name != "." && name != "..") {
            let path = if dir == "/" { format!("/{name}") } else { format!("{dir}/{name}") };
            if kind == libc::DT_DIR {
                Box::pin(self.tree(&path, lines)).await;
                continue;
            }
            let interned = crate::intern(&path);
            let mut line = format!("{path} type {kind}");
            match self.stat(libc::AT_FDCWD, interned, libc::AT_SYMLINK_NOFOLLOW).await {
                Ok(buf) => {
                    let _ = write!(line, " {}", self.show_stat(&buf));
                }
                Err(errno) => line.push_str(&shown(errno)),
            }
            match kind {
                libc::DT_LNK => line.push_str(&self.op(&Op::Readlink(interned, 4096)).await),
                libc::DT_REG => line.push_str(&self.content(interned).await),
                _ => {}
            }
            lines.push(line);
        }
    }

    /// The first bytes of a file, the last ones, and where data and holes begin.
    async fn content(&mut self, path: P) -> String {
        let fd = self.with(libc::SYS_open, &[0, libc::O_RDONLY.into(), 0], &mut [(0, text(path))]).await;
        let Ok(number) = i32::try_from(fd) else { return shown(fd) };
        if number < 0 {
            return shown(fd);
        }
        let mut line = format!(" {}", self.read(libc::SYS_pread64, number, 70_000, 0).await);
        let end = self.numbers(libc::SYS_lseek, &[fd, 0, libc::SEEK_END.into()]).await;
        let _ = write!(line, " {}", self.read(libc::SYS_pread64, number, 5_000, (end - 5_000).max(0)).await);
        let mut at = 0;
        let whences = if self.settings.in_memory && end <= LAST_PAGE {
            [libc::SEEK_DATA, libc::SEEK_HOLE].repeat(4)
        } else {
            Vec::new()
        };
        for whence in whences {
            at = self.numbers(libc::SYS_lseek, &[fd, at, whence.into()]).await;
            let _ = write!(line, " {}", shown(at));
            if at < 0 {
                break;
            }
        }
        self.numbers(libc::SYS_close, &[fd]).await;
        line
    }
}

/// Carries an operation out; what it came to.
pub async fn perform<K: Kernel>(kernel: &mut K, settings: &Settings, op: &Op) -> String {
    On { kernel, settings }.op(op).await
}

/// Everything in the processes' directory.
pub async fn tree<K: Kernel>(kernel: &mut K, settings: &Settings) -> String {
    let mut lines = Vec::new();
    let root = if settings.user.is_some() { settings.scratch } else { "/" };
    On { kernel, settings }.tree(root, &mut lines).await;
    lines.join("\n")
}

/// Takes the ids of processes out of a result; they are shown by their place in the test.
pub fn name_processes(result: &str, pids: &[Option<i32>]) -> String {
    let mut named = result.to_owned();
    for (at, pid) in pids.iter().enumerate() {
        if let Some(pid) = pid {
            named = named.replace(&format!("<{}>", number(*pid)), &format!("process {at}"));
        }
    }
    named
}
