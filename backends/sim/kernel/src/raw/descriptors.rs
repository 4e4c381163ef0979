//! Descriptors: copies, flags, pipes, locks.

use provium_protocol::Errno;

use super::call::{Call, done};
use super::layout::Layout;
use super::table::nr;
use crate::flags::{O_CLOEXEC, O_NONBLOCK};
use crate::kernel::tty::{TERMIOS_SIZE, Termios};
use crate::types::Fd;

const CLOSE_RANGE_UNSHARE: u32 = 2;
const CLOSE_RANGE_CLOEXEC: u32 = 4;

const TCGETS: u32 = 0x5401;
const TCSETS: u32 = 0x5402;
const TCSETSW: u32 = 0x5403;
const TCSETSF: u32 = 0x5404;
const TCFLSH: u32 = 0x540b;
const TIOCGWINSZ: u32 = 0x5413;
const TIOCSWINSZ: u32 = 0x5414;
const FIONREAD: u32 = 0x541b;
const FIONBIO: u32 = 0x5421;
const FIONCLEX: u32 = 0x5450;
const FIOCLEX: u32 = 0x5451;

pub(super) async fn call(c: &mut Call<'_>) -> Result<i64, Errno> {
    let (pid, fd) = (c.pid(), c.fd(0));
    match c.nr {
        nr::CLOSE => done(c.kernel(|kernel| kernel.close(pid, fd))),
        nr::CLOSE_RANGE => close_range(c),
        nr::DUP => c.kernel(|kernel| kernel.dup_from(pid, fd, 0, false)).map(i64::from),
        nr::DUP2 => c.kernel(|kernel| kernel.dup_to(pid, fd, c.fd(1), false, true)).map(i64::from),
        nr::DUP3 => {
            let flags = c.int(2);
            if flags & !O_CLOEXEC != 0 {
                return Err(Errno::EINVAL);
            }
            c.kernel(|kernel| kernel.dup_to(pid, fd, c.fd(1), flags != 0, false)).map(i64::from)
        }
        nr::PIPE => pipe(c, 0),
        nr::PIPE2 => pipe(c, c.int(1)),
        nr::FCNTL => super::fcntl::call(c).await,
        nr::FLOCK => done(c.wait(|kernel| kernel.flock(pid, fd, c.int(1))).await),
        nr::FSYNC | nr::FDATASYNC => done(c.kernel(|kernel| kernel.fsync(pid, fd))),
        nr::SYNC => Ok(0),
        nr::SYNCFS => done(c.kernel(|kernel| kernel.fd_place(pid, fd).map(drop))),
        nr::IOCTL => ioctl(c),
        _ => Err(Errno::ENOSYS),
    }
}

fn pipe(c: &mut Call<'_>, flags: i32) -> Result<i64, Errno> {
    let (pid, addr) = (c.pid(), c.addr(0));
    c.mem.bytes(addr, 8)?;
    let (read, write) = c.kernel(|kernel| kernel.pipe(pid, flags))?;
    put_fds(c, addr, read, write)
}

/// Writes two descriptors one after the other.
pub(super) fn put_fds(c: &mut Call<'_>, addr: u64, first: Fd, second: Fd) -> Result<i64, Errno> {
    done(c.mem.put(addr, &Layout::<8>::new().i32(0, first).i32(4, second).0))
}

fn close_range(c: &Call<'_>) -> Result<i64, Errno> {
    let (first, last, flags) = (c.uint(0), c.uint(1), c.uint(2));
    if first > last || flags & !(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) != 0 {
        return Err(Errno::EINVAL);
    }
    // Threads of a process share one table here; a copy for one of them cannot be had.
    if flags & CLOSE_RANGE_UNSHARE != 0 {
        return Err(Errno::EINVAL);
    }
    let pid = c.pid();
    c.kernel(|kernel| {
        for fd in kernel.proc(pid)?.fds.numbers() {
            if !(first..=last).contains(&(fd as u32)) {
                continue;
            }
            match flags & CLOSE_RANGE_CLOEXEC != 0 {
                true => kernel.set_cloexec(pid, fd, true)?,
                false => kernel.close(pid, fd)?,
            }
        }
        Ok(0)
    })
}

fn ioctl(c: &mut Call<'_>) -> Result<i64, Errno> {
    let (pid, fd, request, addr) = (c.pid(), c.fd(0), c.uint(1), c.addr(2));
    c.kernel(|kernel| kernel.fd_place(pid, fd).map(drop))?;
    match request {
        FIOCLEX | FIONCLEX => done(c.kernel(|kernel| kernel.set_cloexec(pid, fd, request == FIOCLEX))),
        FIONBIO => {
            let on = c.mem.i32(addr)? != 0;
            c.kernel(|kernel| {
                let flags = kernel.status_flags(pid, fd)?;
                let flags = if on { flags | O_NONBLOCK } else { flags & !O_NONBLOCK };
                kernel.set_status_flags(pid, fd, flags).map(|()| 0)
            })
        }
        FIONREAD => {
            let waiting = c.kernel(|kernel| kernel.bytes_waiting(pid, fd))?;
            // The caller's int takes the lower half of what is longer.
            done(c.mem.put(addr, &(waiting as i32).to_le_bytes()))
        }
        _ if c.kernel(|kernel| kernel.file_id(pid, fd).and_then(|id| Ok(kernel.file(id)?.is_terminal())))? => {
            terminal(c, request, addr)
        }
        _ => Err(Errno::ENOTTY),
    }
}

/// What only terminals take, see ioctl_tty(2).
fn terminal(c: &mut Call<'_>, request: u32, addr: u64) -> Result<i64, Errno> {
    match request {
        TCGETS => {
            let termios = c.kernel(|kernel| Ok(kernel.termios()))?;
            done(c.mem.put(addr, &termios.to_bytes()))
        }
        // What was written is out at once, so there is nothing to wait for.
        TCSETS | TCSETSW | TCSETSF => {
            let bytes = c.mem.bytes(addr, TERMIOS_SIZE)?;
            let bytes = <[u8; TERMIOS_SIZE]>::try_from(bytes).map_err(|_| Errno::EFAULT)?;
            let termios = Termios::from_bytes(&bytes);
            c.kernel(|kernel| {
                if request == TCSETSF {
                    kernel.flush_typed();
                }
                kernel.set_termios(termios);
                Ok(0)
            })
        }
        TCFLSH => match c.int(2) {
            0 | 2 => c.kernel(|kernel| {
                kernel.flush_typed();
                Ok(0)
            }),
            1 => Ok(0),
            _ => Err(Errno::EINVAL),
        },
        TIOCGWINSZ => {
            let window = c.kernel(|kernel| Ok(*kernel.window()))?;
            done(c.mem.put(addr, &window))
        }
        TIOCSWINSZ => {
            let window = <[u8; 8]>::try_from(c.mem.bytes(addr, 8)?).map_err(|_| Errno::EFAULT)?;
            c.kernel(|kernel| {
                *kernel.window() = window;
                Ok(0)
            })
        }
        _ => Err(Errno::ENOTTY),
    }
}
