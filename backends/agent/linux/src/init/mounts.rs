//! The file systems that every system has.

use std::ffi::{CStr, CString};
use std::fs;

use provium_protocol::Errno;

use super::say;
use crate::os::sys::check;

struct Mount {
    kind: &'static CStr,
    at: &'static str,
    flags: libc::c_ulong,
    data: &'static CStr,
}

const NO_DEVICES: libc::c_ulong = libc::MS_NOSUID | libc::MS_NODEV;

const MOUNTS: &[Mount] = &[
    Mount { kind: c"proc", at: "/proc", flags: NO_DEVICES | libc::MS_NOEXEC, data: c"" },
    Mount { kind: c"sysfs", at: "/sys", flags: NO_DEVICES | libc::MS_NOEXEC, data: c"" },
    Mount { kind: c"devtmpfs", at: "/dev", flags: libc::MS_NOSUID, data: c"mode=0755" },
    Mount {
        kind: c"devpts",
        at: "/dev/pts",
        flags: libc::MS_NOSUID | libc::MS_NOEXEC,
        data: c"mode=0620,ptmxmode=0666",
    },
    Mount { kind: c"tmpfs", at: "/dev/shm", flags: NO_DEVICES, data: c"mode=1777" },
    Mount { kind: c"tmpfs", at: "/run", flags: NO_DEVICES, data: c"mode=0755" },
    Mount { kind: c"tmpfs", at: "/tmp", flags: NO_DEVICES, data: c"mode=1777" },
];

/// Links that programs expect below `/dev`.
const LINKS: &[(&str, &str)] = &[
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
];

/// Mounts all of them; one that is mounted already stays.
pub fn mount_all() {
    for mount in MOUNTS {
        match one(mount) {
            Ok(()) | Err(Errno::EBUSY) => {}
            Err(errno) => say(&format!("mount {}: {errno}", mount.at)),
        }
    }
    for (target, path) in LINKS {
        // One that is there already is as good.
        let _ = std::os::unix::fs::symlink(target, path);
    }
}

fn one(mount: &Mount) -> Result<(), Errno> {
    // What an image has in `/tmp` or `/run` stays to be seen: boot files may lie there.
    if mount.kind == c"tmpfs" && fs::read_dir(mount.at).is_ok_and(|mut entries| entries.next().is_some()) {
        return Ok(());
    }
    // If it cannot be made, mounting says why.
    let _ = fs::create_dir_all(mount.at);
    let at = CString::new(mount.at).map_err(|_| Errno::EINVAL)?;
    // SAFETY: all strings end in a NUL.
    check(unsafe {
        libc::mount(mount.kind.as_ptr(), at.as_ptr(), mount.kind.as_ptr(), mount.flags, mount.data.as_ptr().cast())
    })
    .map(drop)
}
