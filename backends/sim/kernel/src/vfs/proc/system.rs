//! Files at the top of `/proc`.

use provium_protocol::Errno;

use super::node::{Entry, SYSTEM_FILES};
use crate::kernel::Kernel;
use crate::types::Pid;

pub(super) fn content(kernel: &Kernel, entry: Entry, _viewer: Pid) -> Result<Vec<u8>, Errno> {
    let Entry::System(at) = entry else { return Err(Errno::EINVAL) };
    let name = SYSTEM_FILES.get(at as usize).ok_or(Errno::ENOENT)?.0;
    let running = kernel.procs.values().filter(|process| !process.is_zombie()).count();
    Ok(match name {
        "cmdline" => format!("{}\n", kernel.cmdline).into_bytes(),
        "filesystems" => b"nodev\tproc\nnodev\ttmpfs\nnodev\tdevtmpfs\nnodev\tpipefs\nnodev\tsockfs\n".to_vec(),
        "loadavg" => format!("0.00 0.00 0.00 1/{running} {}\n", kernel.last_pid()).into_bytes(),
        "locks" => kernel.locks_text().into_bytes(),
        "meminfo" => {
            let (total, free) = (kernel.memory / 1024, kernel.free_memory() / 1024);
            format!(
                "MemTotal:       {total:8} kB\nMemFree:        {free:8} kB\nMemAvailable:   {free:8} kB\nBuffers:               0 kB\nCached:         {:8} kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\nShmem:          {:8} kB\n",
                total - free,
                total - free
            )
            .into_bytes()
        }
        "stat" => {
            let boot = kernel.boot_time.div_euclid(1_000_000_000);
            let ticks = kernel.uptime() / 10_000_000;
            let mut text = format!("cpu  {ticks} 0 0 0 0 0 0 0 0 0\n");
            for cpu in 0..kernel.cpus {
                text.push_str(&format!("cpu{cpu} {ticks} 0 0 0 0 0 0 0 0 0\n"));
            }
            text.push_str(&format!(
                "intr 0\nctxt 0\nbtime {boot}\nprocesses {}\nprocs_running 1\nprocs_blocked 0\n",
                kernel.last_pid()
            ));
            text.into_bytes()
        }
        "uptime" => {
            let hundredths = kernel.uptime() / 10_000_000;
            format!("{}.{:02} 0.00\n", hundredths / 100, hundredths % 100).into_bytes()
        }
        _ => {
            let name = kernel.uname();
            format!("{} version {} (provium) {}\n", name.sysname, name.release, name.version).into_bytes()
        }
    })
}

/// `/proc/mounts`.
pub(super) fn mounts(kernel: &Kernel) -> Vec<u8> {
    let mut text = Vec::new();
    for mount in kernel.mounts.values() {
        let fs = &kernel.filesystems[mount.root.fs as usize];
        text.extend_from_slice(&mount.source);
        text.push(b' ');
        text.extend_from_slice(&mount.target);
        text.extend_from_slice(
            format!(" {} {},relatime 0 0\n", fs.type_name, if mount.read_only { "ro" } else { "rw" }).as_bytes(),
        );
    }
    text
}

pub(super) fn write(_kernel: &mut Kernel, _entry: Entry, _data: &[u8]) -> Result<(), Errno> {
    Err(Errno::EIO)
}
