//! Descriptors: copies, flags, pipes, locks.

use provium_protocol::Errno;

use super::call::{Call, done};
use super::layout::Layout;
use super::table::nr;
use crate::flags::{O_CLOEXEC, O_NONBLOCK};
use crate::kernel::file::FileKind;
use crate::types::{Fd, Pid};
use crate::vfs::device::Device;

const CLOSE_RANGE_UNSHARE: u32 = 2;
const CLOSE_RANGE_CLOEXEC: u32 = 4;

const TCGETS: u32 = 0x5401;
const TIOCGWINSZ: u32 = 0x5413;
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
        TCGETS if is_console(c, pid, fd)? => {
            // struct termios: cooked mode at 38400 baud, as a fresh console has it.
            let termios = Layout::<36>::new().u32(0, 0x500).u32(4, 5).u32(8, 0xbf).u32(12, 0x8a3b);
            done(c.mem.put(addr, &termios.0))
        }
        TIOCGWINSZ if is_console(c, pid, fd)? => done(c.mem.put(addr, &Layout::<8>::new().u16(0, 25).u16(2, 80).0)),
        _ => Err(Errno::ENOTTY),
    }
}

fn is_console(c: &Call<'_>, pid: Pid, fd: Fd) -> Result<bool, Errno> {
    c.kernel(|kernel| {
        let id = kernel.file_id(pid, fd)?;
        Ok(matches!(kernel.file(id)?.kind, FileKind::Device(Device::Console)))
    })
}
