//! Files at the top of `/proc`.

use std::fmt::Write as _;

use provium_protocol::Errno;

use crate::kernel::Kernel;
use crate::kernel::log::level;

/// Nanoseconds in a clock tick, a hundredth of a second.
const TICK: u64 = 10_000_000;

pub(super) fn content(kernel: &Kernel, path: &str) -> Result<Vec<u8>, Errno> {
    Ok(match path {
        "cgroups" => b"#subsys_name\thierarchy\tnum_cgroups\tenabled\n".to_vec(),
        "cmdline" => format!("{}\n", kernel.cmdline).into_bytes(),
        // It has the same flags as under Linux: it prints, is the one that is `/dev/console`, and does so from any processor.
        "consoles" => b"ttyS0                -W- (EC p a)    4:64\n".to_vec(),
        "cpuinfo" => cpuinfo(kernel),
        "devices" => {
            b"Character devices:\n  1 mem\n  4 ttyS\n  5 /dev/tty\n  5 /dev/console\n\nBlock devices:\n".to_vec()
        }
        "diskstats" | "misc" | "modules" => Vec::new(),
        "filesystems" => b"nodev\tproc\nnodev\ttmpfs\nnodev\tdevtmpfs\nnodev\tpipefs\nnodev\tsockfs\n".to_vec(),
        "kmsg" => kernel.dmesg(),
        "loadavg" => {
            let running = kernel.procs.values().filter(|process| process.is_running()).count();
            let tasks: usize = kernel.procs.values().map(|process| process.threads.len()).sum();
            format!("0.00 0.00 0.00 {running}/{tasks} {}\n", kernel.last_pid()).into_bytes()
        }
        "locks" => kernel.locks_text().into_bytes(),
        "meminfo" => meminfo(kernel),
        "partitions" => b"major minor  #blocks  name\n\n".to_vec(),
        "stat" => stat(kernel),
        "swaps" => b"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n".to_vec(),
        "uptime" => {
            let (up, idle) = (kernel.uptime() / TICK, idle(kernel) / TICK);
            format!("{}.{:02} {}.{:02}\n", up / 100, up % 100, idle / 100, idle % 100).into_bytes()
        }
        "version" => {
            let name = kernel.uname();
            format!("{} version {} (provium) {}\n", name.sysname, name.release, name.version).into_bytes()
        }
        "vmstat" => {
            let (total, free) = (kernel.memory / 4096, kernel.free_memory() / 4096);
            format!("nr_free_pages {free}\nnr_file_pages {0}\nnr_shmem {0}\n", total - free).into_bytes()
        }
        _ => return Err(Errno::EIO),
    })
}

/// Time that all processors together had nothing to do.
fn idle(kernel: &Kernel) -> u64 {
    (kernel.uptime() * u64::from(kernel.cpus)).saturating_sub(kernel.cpu_ns)
}

fn stat(kernel: &Kernel) -> Vec<u8> {
    let boot = kernel.boot_time.div_euclid(1_000_000_000);
    let (busy, idle) = (kernel.cpu_ns / TICK, idle(kernel) / TICK);
    let cpus = u64::from(kernel.cpus).max(1);
    let running = kernel.procs.values().filter(|process| process.is_running()).count();
    let mut text = format!("cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\n");
    for cpu in 0..cpus {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "cpu{cpu} {} 0 0 {} 0 0 0 0 0 0", busy / cpus, idle / cpus);
    }
    let _ = write!(
        text,
        "intr 0\nctxt {}\nbtime {boot}\nprocesses {}\nprocs_running {running}\nprocs_blocked 0\nsoftirq 0\n",
        kernel.world.steps(),
        kernel.last_pid()
    );
    text.into_bytes()
}

fn meminfo(kernel: &Kernel) -> Vec<u8> {
    let (total, free) = (kernel.memory / 1024, kernel.free_memory() / 1024);
    let files = kernel.file_memory() / 1024;
    let rows = [
        ("MemTotal", total),
        ("MemFree", free),
        ("MemAvailable", free),
        ("Buffers", 0),
        ("Cached", files),
        ("SwapCached", 0),
        ("Active", files),
        ("Inactive", 0),
        ("SwapTotal", 0),
        ("SwapFree", 0),
        ("Dirty", 0),
        ("Writeback", 0),
        ("Shmem", files),
        ("SReclaimable", 0),
    ];
    let mut text = String::new();
    for (name, value) in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:<15}{value:9} kB", format!("{name}:"));
    }
    text.into_bytes()
}

fn cpuinfo(kernel: &Kernel) -> Vec<u8> {
    let mut text = String::new();
    for cpu in 0..kernel.cpus {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "processor\t: {cpu}\nvendor_id\t: provium\ncpu family\t: 6\nmodel\t\t: 1\nmodel name\t: provium simulated CPU\nstepping\t: 1\ncpu MHz\t\t: 1000.000\ncache size\t: 1024 KB\nphysical id\t: 0\nsiblings\t: {0}\ncore id\t\t: {cpu}\ncpu cores\t: {0}\nfpu\t\t: yes\nflags\t\t: fpu tsc lm hypervisor\nbogomips\t: 2000.00\naddress sizes\t: 48 bits physical, 48 bits virtual\n\n",
            kernel.cpus
        );
    }
    text.into_bytes()
}

pub(super) fn write(kernel: &mut Kernel, path: &str, data: &[u8]) -> Result<(), Errno> {
    match (path, data.first()) {
        // What these keys do on Linux makes no difference here, but for the line in the log.
        ("sysrq-trigger", Some(b's')) => kernel.log(level::INFO, "sysrq: Emergency Sync"),
        ("sysrq-trigger", Some(b'h')) => kernel.log(level::INFO, "sysrq: HELP : crash(c) sync(s)"),
        ("sysrq-trigger", Some(b'c')) => {
            kernel.log(level::INFO, "sysrq: Trigger a crash");
            kernel.panic("sysrq triggered crash");
        }
        // Machines reboot and go off from outside: a key that did it would take the agent along.
        ("sysrq-trigger", _) => return Err(Errno::EIO),
        _ => return Err(Errno::EIO),
    }
    Ok(())
}
