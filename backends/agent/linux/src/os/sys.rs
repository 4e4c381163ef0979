//! Small tools around libc.

use std::ffi::CString;
use std::os::fd::{AsRawFd, RawFd};

use provium_protocol::{Errno, Nanos};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The error number that the calling thread's last call left.
pub fn errno() -> Errno {
    Errno(std::io::Error::last_os_error().raw_os_error().unwrap_or(Errno::EIO.0))
}

/// What a libc call that says -1 on failure came to.
pub fn check<T: PartialEq + From<i8>>(result: T) -> Result<T, Errno> {
    if result == T::from(-1) { Err(errno()) } else { Ok(result) }
}

/// A path or another string for the kernel. The agent has refused NUL bytes before.
pub fn c_string(bytes: &[u8]) -> Result<CString, Errno> {
    CString::new(bytes).map_err(|_| Errno::EINVAL)
}

/// The error number of an error of the standard library.
pub fn errno_of(error: &std::io::Error) -> Errno {
    Errno(error.raw_os_error().unwrap_or(Errno::EIO.0))
}

/// A clock's time in nanoseconds.
pub fn clock(id: libc::clockid_t) -> Nanos {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is there to be written to.
    if unsafe { libc::clock_gettime(id, &raw mut time) } != 0 {
        return 0;
    }
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// An open descriptor of the agent, closed when this is dropped.
#[derive(Debug, PartialEq, Eq)]
pub struct Fd(RawFd);

impl Fd {
    /// Takes a descriptor over that a call has just opened.
    pub fn new(fd: RawFd) -> Fd {
        Fd(fd)
    }

    /// What a call that opens came to.
    pub fn from_call(result: libc::c_int) -> Result<Fd, Errno> {
        check(result).map(Fd)
    }

    /// Its number.
    pub fn raw(&self) -> RawFd {
        self.0
    }

    /// Closes it and tells what the kernel says to that.
    pub fn close(self) -> Result<(), Errno> {
        let fd = self.0;
        std::mem::forget(self);
        // SAFETY: closing a number is no matter of memory.
        match check(unsafe { libc::close(fd) }) {
            // It is closed nevertheless (close(2)).
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}

impl AsRawFd for Fd {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

impl Drop for Fd {
    fn drop(&mut self) {
        // SAFETY: closing a number is no matter of memory.
        unsafe { libc::close(self.0) };
    }
}

/// A pipe, both ends close-on-exec: the reading and the writing one.
pub fn pipe() -> Result<(Fd, Fd), Errno> {
    let mut ends = [-1; 2];
    // SAFETY: there is room for two descriptors.
    check(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) })?;
    Ok((Fd(ends[0]), Fd(ends[1])))
}

/// Has reads and writes through a descriptor never wait.
pub fn set_nonblocking(fd: &Fd) -> Result<(), Errno> {
    // SAFETY: these commands take numbers.
    let flags = check(unsafe { libc::fcntl(fd.raw(), libc::F_GETFL) })?;
    // SAFETY: as above.
    check(unsafe { libc::fcntl(fd.raw(), libc::F_SETFL, flags | libc::O_NONBLOCK) })?;
    Ok(())
}

/// One read of up to `len` bytes, or one pread at an offset.
pub fn read(fd: RawFd, offset: Option<u64>, len: usize) -> Result<Vec<u8>, Errno> {
    let mut data: Vec<u8> = Vec::new();
    data.try_reserve_exact(len).map_err(|_| Errno::ENOMEM)?;
    let into = data.as_mut_ptr().cast();
    let moved = match offset {
        // SAFETY: `data` has room for `len` bytes.
        None => check(unsafe { libc::read(fd, into, len) })?,
        Some(offset) => {
            let offset = i64::try_from(offset).map_err(|_| Errno::EINVAL)?;
            // SAFETY: `data` has room for `len` bytes.
            check(unsafe { libc::pread(fd, into, len, offset) })?
        }
    };
    // SAFETY: the kernel wrote so many bytes.
    unsafe { data.set_len(usize::try_from(moved).unwrap_or(0)) };
    if data.len() < len / 2 {
        data.shrink_to_fit();
    }
    Ok(data)
}

/// One read into a buffer.
pub fn read_into(fd: RawFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the buffer has room for so many bytes.
    let moved = check(unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) })?;
    Ok(usize::try_from(moved).unwrap_or(0))
}

/// One write.
pub fn write(fd: RawFd, data: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the pointer and the length are those of `data`.
    let moved = check(unsafe { libc::write(fd, data.as_ptr().cast(), data.len()) })?;
    Ok(usize::try_from(moved).unwrap_or(0))
}

/// Has the runtime tell when a descriptor is ready.
pub fn register(fd: Fd, interest: Interest) -> Result<AsyncFd<Fd>, Errno> {
    // SAFETY: an `Fd` stays open, and the same, for as long as it lives.
    unsafe { AsyncFd::register_with_interest(fd, interest) }.map_err(|error| errno_of(&error.into()))
}
