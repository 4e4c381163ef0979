//! What concerns the whole machine: making it one's own, and switching it off.

use std::cell::RefCell;
use std::ffi::CStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use provium_protocol::profile::BootFile;
use provium_protocol::wire::Settings;
use provium_protocol::{Errno, Nanos, OpError};

use crate::init::modules;
use crate::os::sys::{self, check, errno_of};

/// How often is looked whether all processes have ended, before the power goes.
const LOOK_FOR_ENDS: Duration = Duration::from_millis(5);

/// The flag of a thread of the kernel's own (`PF_KTHREAD`).
const KERNEL_THREAD: u64 = 0x0020_0000;

/// `RNDADDENTROPY` and `RNDRESEEDCRNG` of random(4).
const RND_ADD_ENTROPY: libc::c_ulong = 0x4008_5203;
const RND_RESEED: libc::c_ulong = 0x5207;

/// Bytes of entropy taken: the kernel's pool holds no more.
const MAX_ENTROPY: usize = 512;

/// Permission bits of a file that says nothing else.
const FILE_PERM: u32 = 0o644;

/// Something to do once.
type Once = Box<dyn FnOnce()>;

/// What the agent may do to the machine.
pub struct Power {
    owns: bool,
    when_greeted: RefCell<Option<Once>>,
}

impl Power {
    /// `owns` says whether the machine is a guest that the agent may change and switch off; `when_greeted` is done when the
    /// first host has said hello.
    pub fn new(owns: bool, when_greeted: Option<Once>) -> Power {
        Power { owns, when_greeted: RefCell::new(when_greeted) }
    }

    /// Whether the machine is the agent's.
    pub fn owns_the_machine(&self) -> bool {
        self.owns
    }

    /// Says that a host has said hello.
    pub fn greeted(&self) {
        let once = self.when_greeted.borrow_mut().take();
        if let Some(once) = once {
            once();
        }
    }

    /// Ends all processes and switches the machine off; an agent that does not own it only ends itself.
    pub async fn off(&self, patience: Nanos) {
        if !self.owns {
            std::process::exit(0);
        }
        signal_all(libc::SIGTERM);
        // A stopped process does not see the SIGTERM before it goes on.
        signal_all(libc::SIGCONT);
        let ended = async {
            while others() {
                tokio::time::sleep(LOOK_FOR_ENDS).await;
            }
        };
        // Who has not ended by then is killed.
        let _ = tokio::time::timeout(Duration::from_nanos(patience), ended).await;
        signal_all(libc::SIGKILL);
        // SAFETY: it takes a number. A file system that does not answer must not hold the machine up: the call is made by a
        // thread, and the power goes a little later in any case.
        let synced = tokio::task::spawn_blocking(|| unsafe { libc::sync() });
        let _ = tokio::time::timeout(Duration::from_secs(5), synced).await;
        // SAFETY: it takes a number.
        unsafe { libc::reboot(libc::RB_POWER_OFF) };
    }
}

fn signal_all(signal: libc::c_int) {
    // SAFETY: sending a signal is no matter of memory.
    unsafe { libc::kill(-1, signal) };
}

/// Whether there is a process beside the agent, and process 1.
fn others() -> bool {
    let own = std::process::id();
    let Ok(entries) = fs::read_dir("/proc") else { return false };
    entries.flatten().any(|entry| {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { return false };
        let stat = crate::os::stat(&format!("/proc/{pid}/stat"));
        pid != own && pid != 1 && stat.is_some_and(|stat| stat.flags & KERNEL_THREAD == 0 && stat.state != b'Z')
    })
}

/// `uname -r`.
pub fn kernel_release() -> String {
    // SAFETY: all zeros are a valid `utsname`, and it is there to be written to.
    let name = unsafe {
        let mut name: libc::utsname = std::mem::zeroed();
        libc::uname(&raw mut name);
        name
    };
    // SAFETY: the kernel ends it with a NUL, as the zeros before did.
    unsafe { CStr::from_ptr(name.release.as_ptr()) }.to_string_lossy().into_owned()
}

/// Makes the guest its own.
pub async fn settle(power: &Power, settings: Settings) -> Result<(), OpError> {
    if !power.owns {
        return Err(OpError::unsupported("agent", "change the machine: it is no guest of its own"));
    }
    own(&settings)?;
    if settings.files.is_empty() && settings.modules.is_empty() {
        // A clone does only this, and starting a thread would take an emulated one longer than all of it.
        return Ok(());
    }
    // Files are written, modules started: a thread's work.
    let furnished = tokio::task::spawn_blocking(move || furnish(&settings)).await;
    furnished.unwrap_or_else(|_| Err(OpError::agent("the guest could not be made its own")))
}

/// What every guest has for itself: calls that wait for nothing.
fn own(settings: &Settings) -> Result<(), OpError> {
    if let Some(time) = settings.realtime_ns {
        set_clock(time).map_err(|errno| OpError::os(errno, "set the guest's clock"))?;
    }
    if !settings.entropy.is_empty() {
        stir(&settings.entropy).map_err(|errno| OpError::os(errno, "stir the guest's entropy"))?;
    }
    if let Some(name) = &settings.hostname {
        set_hostname(name.as_bytes()).map_err(|errno| OpError::os(errno, "set the guest's host name"))?;
    }
    Ok(())
}

/// What is brought into it.
fn furnish(settings: &Settings) -> Result<(), OpError> {
    for file in &settings.files {
        write_file(file)?;
    }
    for module in &settings.modules {
        let path = Path::new(std::ffi::OsStr::from_bytes(&module.0));
        modules::insert(path).map_err(|errno| OpError::os(errno, format!("insert the module {}", path.display())))?;
    }
    Ok(())
}

/// Sets the real-time clock.
pub fn set_clock(time_ns: i128) -> Result<(), Errno> {
    let seconds = i64::try_from(time_ns.div_euclid(1_000_000_000)).map_err(|_| Errno::EINVAL)?;
    let rest = i64::try_from(time_ns.rem_euclid(1_000_000_000)).map_err(|_| Errno::EINVAL)?;
    let time = libc::timespec { tv_sec: seconds, tv_nsec: rest };
    // SAFETY: `time` is there to be read.
    check(unsafe { libc::clock_settime(libc::CLOCK_REALTIME, &raw const time) }).map(drop)
}

/// Sets the host name. One that is too long is `EINVAL`: whoever chose it has to shorten it.
pub fn set_hostname(name: &[u8]) -> Result<(), Errno> {
    // SAFETY: the pointer and the length are those of `name`.
    check(unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) }).map(drop)
}

/// Adds entropy and has the kernel's generator begin anew from it.
fn stir(entropy: &[u8]) -> Result<(), Errno> {
    #[repr(C)]
    struct PoolInfo {
        bits: libc::c_int,
        bytes: libc::c_int,
        data: [u8; MAX_ENTROPY],
    }
    let random = fs::OpenOptions::new().write(true).open("/dev/urandom").map_err(|error| errno_of(&error))?;
    let fd = std::os::fd::AsRawFd::as_raw_fd(&random);
    for piece in entropy.chunks(MAX_ENTROPY) {
        let bytes = i32::try_from(piece.len()).map_err(|_| Errno::EINVAL)?;
        let mut info = PoolInfo { bits: bytes * 8, bytes, data: [0; MAX_ENTROPY] };
        info.data.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
        // SAFETY: `info` has the layout that the command wants, and is there to be read.
        check(unsafe { libc::ioctl(fd, RND_ADD_ENTROPY, &raw const info) })?;
    }
    // SAFETY: the command takes nothing.
    match check(unsafe { libc::ioctl(fd, RND_RESEED, 0) }) {
        // Kernels before 4.14 do it by themselves.
        Ok(_) | Err(Errno::EINVAL | Errno::ENOTTY) => Ok(()),
        Err(errno) => Err(errno),
    }
}

fn write_file(file: &BootFile) -> Result<(), OpError> {
    let path = Path::new(std::ffi::OsStr::from_bytes(&file.path.0));
    let write = || -> std::io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let perm = file.mode.unwrap_or(FILE_PERM);
        let mut made = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(perm).open(path)?;
        made.write_all(&file.content)?;
        made.set_permissions(fs::Permissions::from_mode(perm))
    };
    write().map_err(|error| OpError::os(sys::errno_of(&error), format!("write {}", path.display())))
}
