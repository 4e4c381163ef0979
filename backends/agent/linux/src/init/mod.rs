//! What process 1 of a guest does before it serves: file systems, modules, names, the console.
//!
//! Nothing here may fail the boot: what does not work is said on the console, and the guest goes on without.

mod config;
pub mod modules;
mod mounts;

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::os::sys::{self, Fd, check};
use crate::server::{Endpoint, Power};
pub use config::Config;

/// Modules to insert before the link is looked for, a path a line, in order.
const MODULES: &str = "/etc/provium/modules";

/// Modules to insert when the agent already answers.
const MODULES_LATER: &str = "/etc/provium/modules.later";

/// The `init` that an image brings itself, where the agent is not in its place.
const OWN_INIT: &str = "/init";

/// The environment of a login of root, which programs get unless a test says otherwise; the same as in the simulator.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("HOME", "/root"),
    ("LOGNAME", "root"),
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("SHELL", "/bin/sh"),
    ("TERM", "dumb"),
    ("USER", "root"),
];

/// Says something on the console.
pub fn say(what: &str) {
    eprintln!("provium-agent: {what}");
}

/// Says what did not work.
fn attempt<T, E: std::fmt::Display>(what: &str, outcome: Result<T, E>) -> Option<T> {
    outcome.map_err(|error| say(&format!("{what}: {error}"))).ok()
}

/// Makes a guest of a kernel that has just started this process as its first. To be called while there is one thread.
pub fn start() -> Config {
    // SAFETY: it takes a number.
    unsafe { libc::umask(0o022) };
    mounts::mount_all();
    console();
    environment();
    let config = Config::read();
    if Path::new(MODULES).exists() {
        modules::insert_listed(MODULES);
    }
    if matches!(config.endpoint, Some(Endpoint::Vsock(_))) && Path::new(MODULES_LATER).exists() {
        // The driver of the link is among them.
        modules::insert_listed(MODULES_LATER);
    }
    let hostname = config.hostname.clone().or_else(|| fs::read_to_string("/etc/hostname").ok());
    if let Some(name) = hostname {
        attempt("set the host name", crate::server::set_hostname(name.trim().as_bytes()));
    }
    if let Some(time) = config.time_ns {
        attempt("set the clock", crate::server::set_clock(time));
    }
    attempt("switch the loopback device on", loopback());
    config
}

/// What is left for when the guest already answers, and may be done to it.
pub fn power() -> Power {
    let later = || {
        if Path::new(MODULES_LATER).exists() {
            // The guest goes on without them.
            let thread = std::thread::Builder::new().name("modules".into());
            let _ = thread.spawn(|| modules::insert_listed(MODULES_LATER));
        }
    };
    Power::new(true, Some(Box::new(later)))
}

/// Starts the image's own init, if it has one: as a child, since there is only one process 1.
pub fn start_own_init(config: &Config) {
    let path = config.init.clone().unwrap_or_else(|| OWN_INIT.into());
    let is_agent = || {
        let own = fs::canonicalize("/proc/self/exe").ok()?;
        Some(fs::canonicalize(&path).ok()? == own)
    };
    if !path.exists() || is_agent() == Some(true) {
        return;
    }
    let mut command = Command::new(&path);
    command.process_group(0).stdin(Stdio::null());
    // It is reaped with all others.
    attempt(&format!("start {}", path.display()), command.spawn());
}

/// Makes the standard descriptors the console, or nothing at all.
fn console() {
    let open = |path: &str| {
        let path = CString::new(path).unwrap_or_default();
        // SAFETY: `path` ends in a NUL.
        Fd::from_call(unsafe { libc::open(path.as_ptr(), libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC) })
    };
    let Ok(console) = open("/dev/console").or_else(|_| open("/dev/null")) else { return };
    for standard in 0..3 {
        // SAFETY: it takes numbers.
        unsafe { libc::dup2(console.raw(), standard) };
    }
    if console.raw() < 3 {
        // It is one of them.
        std::mem::forget(console);
    }
}

fn environment() {
    for (name, _) in std::env::vars_os() {
        // The kernel hands over what it does not know of its command line.
        // SAFETY: there is one thread.
        unsafe { std::env::remove_var(name) };
    }
    for (name, value) in ENVIRONMENT {
        // SAFETY: there is one thread.
        unsafe { std::env::set_var(name, value) };
    }
    // A login begins in its home; an image without one has `/`.
    let _ = std::env::set_current_dir("/");
}

/// Switches the loopback device on.
fn loopback() -> Result<(), io::Error> {
    // SAFETY: these take numbers and a structure that is there; all zeros are a valid one.
    let switched = unsafe {
        let socket = Fd::from_call(libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0));
        socket.and_then(|socket| {
            let mut request: libc::ifreq = std::mem::zeroed();
            request.ifr_name.iter_mut().zip(b"lo\0").for_each(|(to, from)| *to = *from as libc::c_char);
            request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
            check(libc::ioctl(socket.raw(), libc::SIOCSIFFLAGS, &raw const request))
        })
    };
    switched.map(drop).map_err(|errno| io::Error::from_raw_os_error(errno.0))
}

/// Makes sure that the standard descriptors are open, so that none of the agent's takes their place.
pub fn fill_standard() {
    for standard in 0..3 {
        // SAFETY: these take numbers, and a path that ends in a NUL.
        unsafe {
            if libc::fcntl(standard, libc::F_GETFD) < 0 && sys::errno() == provium_protocol::Errno::EBADF {
                libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
            }
        }
    }
}
