//! `/proc/PID/fdinfo/N`.

use std::fmt::Write as _;

use provium_protocol::Errno;

use crate::flags::O_CLOEXEC;
use crate::kernel::Kernel;
use crate::kernel::file::FileKind;
use crate::types::{Fd, Pid};

pub(super) fn content(kernel: &Kernel, pid: Pid, fd: Fd) -> Result<Vec<u8>, Errno> {
    let id = kernel.file_id(pid, fd).map_err(|_| Errno::ENOENT)?;
    let file = kernel.file(id)?;
    let cloexec = if kernel.cloexec(pid, fd)? { O_CLOEXEC } else { 0 };
    // Objects without a place are in mounts that nobody sees.
    let mount = file.loc.map_or(0, |loc| loc.mount);
    let ino = kernel.stat_file(id)?.ino;
    let mut text =
        format!("pos:\t{}\nflags:\t0{:o}\nmnt_id:\t{mount}\nino:\t{ino}\n", file.offset, file.flags | cloexec);
    if let Some(loc) = file.loc {
        for line in kernel.locks_of(id, pid, loc.node) {
            let _ = writeln!(text, "lock:\t{line}");
        }
    }
    match &file.kind {
        FileKind::Event(event) => {
            let count = kernel.events.get(*event).map_or(0, |event| event.count);
            let _ = writeln!(text, "eventfd-count: {count:16x}");
        }
        FileKind::Epoll(epoll) => {
            for (fd, events, data) in kernel.epoll_items(*epoll) {
                let _ = writeln!(text, "tfd: {fd:8} events: {events:8x} data: {data:16x}");
            }
        }
        _ => {}
    }
    Ok(text.into_bytes())
}
