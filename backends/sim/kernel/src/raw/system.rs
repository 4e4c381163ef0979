//! The system as a whole.

use provium_protocol::Errno;

use super::call::{Call, done};
use super::layout;
use super::table::nr;
use crate::limits::{LOG_BYTES, MAX_DEVICE_READ, PAGE, PATH_MAX};

const GRND_NONBLOCK: u32 = 1;
const GRND_RANDOM: u32 = 2;
const GRND_INSECURE: u32 = 4;

const SYSLOG_ACTION_READ_ALL: i32 = 3;
const SYSLOG_ACTION_SIZE_UNREAD: i32 = 9;
const SYSLOG_ACTION_SIZE_BUFFER: i32 = 10;

/// Longest name of a file system type that is looked at.
const FSTYPE_MAX: usize = 64;

pub(super) fn call(c: &mut Call<'_>) -> Result<i64, Errno> {
    let pid = c.pid();
    match c.nr {
        nr::UNAME => {
            let name = c.kernel(|kernel| kernel.uname());
            done(c.mem.put(c.addr(0), &layout::utsname(&name)))
        }
        nr::SYSINFO => {
            let info = c.kernel(|kernel| kernel.sysinfo());
            done(c.mem.put(c.addr(0), &layout::sysinfo(&info)))
        }
        nr::SETHOSTNAME => {
            let len = usize::try_from(c.int(1)).ok().filter(|len| *len <= PATH_MAX).ok_or(Errno::EINVAL)?;
            let name = c.mem.bytes(c.addr(0), len)?;
            done(c.kernel(|kernel| kernel.sethostname(pid, name)))
        }
        nr::GETRANDOM => {
            let (addr, flags) = (c.addr(0), c.uint(2));
            let both = GRND_RANDOM | GRND_INSECURE;
            if flags & !(both | GRND_NONBLOCK) != 0 || flags & both == both {
                return Err(Errno::EINVAL);
            }
            let len = c.len(1).min(MAX_DEVICE_READ);
            c.mem.bytes(addr, len)?;
            let bytes = c.kernel(|kernel| kernel.random(len));
            c.mem.put(addr, &bytes)?;
            Ok(len as i64)
        }
        nr::SYSLOG => {
            let (addr, len) = (c.addr(1), usize::try_from(c.int(2)));
            let log = c.kernel(|kernel| kernel.dmesg());
            match c.int(0) {
                SYSLOG_ACTION_READ_ALL => {
                    let len = len.map_err(|_| Errno::EINVAL)?;
                    let last = &log[log.len().saturating_sub(len)..];
                    c.mem.put(addr, last)?;
                    Ok(last.len() as i64)
                }
                SYSLOG_ACTION_SIZE_UNREAD => Ok(log.len() as i64),
                SYSLOG_ACTION_SIZE_BUFFER => Ok(LOG_BYTES as i64),
                _ => Err(Errno::EINVAL),
            }
        }
        nr::MOUNT => {
            let source = if c.addr(0) == 0 { &b"none"[..] } else { c.path(0)? };
            let target = c.path(1)?;
            let fstype = if c.addr(2) == 0 { &b""[..] } else { c.mem.string(c.addr(2), FSTYPE_MAX, Errno::EINVAL)? };
            // The kernel reads a page at the most.
            let data = if c.addr(4) == 0 { &b""[..] } else { c.mem.string(c.addr(4), PAGE, Errno::EINVAL)? };
            done(c.kernel(|kernel| kernel.mount(pid, source, target, fstype, c.args[3] as u64, data)))
        }
        nr::UMOUNT2 => {
            if c.int(1) != 0 {
                return Err(Errno::EINVAL);
            }
            let target = c.path(0)?;
            done(c.kernel(|kernel| kernel.umount(pid, target)))
        }
        _ => Err(Errno::ENOSYS),
    }
}
