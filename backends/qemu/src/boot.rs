//! From what a test asks of a boot to a machine whose agent answers.

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd};
use std::path::PathBuf;
use std::time::Duration;

use provium_protocol::profile::BootSpec;
use provium_protocol::time::SECOND;
use provium_protocol::wire::Settings;
use provium_protocol::{Nanos, OpError};

use crate::backend::{Host, NAME};
use crate::image::{self, Image};
use crate::link::Link;
use crate::machine::{Accel, Board, LaunchSpec, Machine, Qemu, VirtualTime, probe_accel};
use crate::profile::{AccelKind, AgentKind, MachineKind, QemuProfile, TimeKind};

/// How long a boot may take that says nothing else: an emulated one takes three seconds, on a busy machine ten times as long.
const BOOT_TIMEOUT: Nanos = 60 * SECOND;

/// Memory of a guest that says nothing else, in bytes.
const MEMORY: u64 = 256 << 20;

/// A guest that answers.
pub struct Booted {
    pub machine: Machine,
    pub link: Link,
}

/// Boots a guest. `seed` is that of its entropy, `boots` says how often it was booted before.
pub async fn boot(host: &Host, spec: &BootSpec, seed: u64, boots: u64) -> Result<Booted, OpError> {
    let profile = profile(host, spec);
    if profile.agent == AgentKind::Qga {
        return Err(OpError::unsupported(NAME, "guests with `agent = \"qga\"`"));
    }
    let Some(agent) = crate::agent::program() else {
        return Err(OpError::agent(
            "this provium carries no guest agent: it was built for a system other than x86-64 Linux, where real guests cannot be \
             driven",
        ));
    };
    let qemu = host.qemu.get_or_try_init(Qemu::find).await.map_err(|error| OpError::agent(error.to_string()))?;
    let image = image(host, &profile).await?;
    let timeout = spec.options.boot_timeout_ns.unwrap_or(BOOT_TIMEOUT);
    let launch = launch_spec(host, qemu, spec, &profile, &image, seed).await?;
    let initrd = initrd(image, agent, spec).await?;
    let launch = LaunchSpec { initrd: Some(path_of(&initrd)), ..launch };
    let machine = Machine::launch(qemu, launch).await.map_err(|error| OpError::agent(error.to_string()))?;
    let link = match machine.take_agent_link() {
        Some(socket) => Link::open(socket),
        None => return Err(OpError::agent("the machine has no link to its agent")),
    };
    let settings = settings(spec, seed);
    let answers = async {
        link.hello(nonce(seed, boots), boots).await?;
        link.settle(settings).await
    };
    tokio::select! {
        biased;
        answered = tokio::time::timeout(Duration::from_nanos(timeout), answers) => match answered {
            Ok(answered) => answered?,
            Err(_) => {
                return Err(OpError::timeout(format!(
                    "the guest `{}` did not answer within {} s of its boot (boot_timeout); the last lines of its console:\n{}",
                    spec.vm,
                    Duration::from_nanos(timeout).as_secs_f64(),
                    machine.console().tail()
                )));
            }
        },
        ended = machine.ended() => {
            return Err(OpError::lost(format!("the guest `{}` ended while it booted: {ended}", spec.vm)));
        }
    }
    Ok(Booted { machine, link })
}

/// Any number that an earlier conversation did not have.
fn nonce(seed: u64, boots: u64) -> u64 {
    seed.rotate_left(17) ^ (boots + 1)
}

fn profile(host: &Host, spec: &BootSpec) -> QemuProfile {
    host.profiles.get(&spec.profile.name).cloned().unwrap_or_else(|| QemuProfile::named(&spec.profile.name))
}

/// The image of a profile: found or made once in a process.
async fn image(host: &Host, profile: &QemuProfile) -> Result<Image, OpError> {
    let mut images = host.images.lock().await;
    if let Some(image) = images.get(&profile.name) {
        return Ok(image.clone());
    }
    let wanted = profile.clone();
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel::<String>();
    let making = tokio::task::spawn_blocking(move || {
        image::ensure(&wanted, &mut |line| {
            // Who reads the lines waits for the image.
            let _ = sender.send(line.to_owned());
        })
    });
    while let Some(line) = lines.recv().await {
        host.say(&line);
    }
    let made = making.await.map_err(|error| OpError::agent(format!("making an image ended: {error}")))?;
    let image = made.map_err(|error| OpError::agent(error.to_string()))?;
    images.insert(profile.name.clone(), image.clone());
    Ok(image)
}

async fn launch_spec(
    host: &Host,
    qemu: &Qemu,
    spec: &BootSpec,
    profile: &QemuProfile,
    image: &Image,
    seed: u64,
) -> Result<LaunchSpec, OpError> {
    let (options, general) = (&spec.options, &spec.profile);
    let mut launch = LaunchSpec::new(&spec.vm, &image.kernel, None);
    let own = options.kernel_cmdline.as_ref().or(general.kernel_cmdline.as_ref());
    let words = [Some(own.unwrap_or(&image.cmdline).as_str()), options.kernel_cmdline_append.as_deref(), image.init];
    launch.cmdline = words.into_iter().flatten().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" ");
    let memory = options.memory.or(general.memory).unwrap_or(MEMORY);
    launch.memory_mib = memory.div_ceil(1 << 20);
    launch.cpus = options.cpus.or(general.cpus).unwrap_or(1);
    launch.accel = match profile.accel {
        AccelKind::Tcg => Accel::Tcg,
        AccelKind::Kvm => Accel::Kvm,
        // Only an emulated processor's instructions can be counted.
        AccelKind::Auto if profile.time == TimeKind::Virtual => Accel::Tcg,
        AccelKind::Auto => {
            let cache = image::Cache::from_environment().ok().map(|cache| cache.root().to_owned());
            host.accel.get_or_init(|| probe_accel(qemu, cache.as_deref())).await.accel
        }
    };
    launch.board = match profile.machine.unwrap_or_default() {
        MachineKind::Q35 => Board::Q35,
        MachineKind::Pc => Board::Pc,
        MachineKind::Microvm => return Err(OpError::unsupported(NAME, "the machine `microvm`: use `q35` or `pc`")),
    };
    launch.rng_seed = Some(seed);
    launch.initial_time = match options.initial_time_ns {
        None => None,
        Some(time) => {
            let seconds = time.div_euclid(i128::from(SECOND));
            let seconds = i64::try_from(seconds)
                .map_err(|_| OpError::usage(format!("initial_time of {time} ns is outside of what 64 bits hold")))?;
            Some(seconds)
        }
    };
    launch.virtual_time = (profile.time == TimeKind::Virtual).then(VirtualTime::default);
    Ok(launch)
}

/// Writes the guest's initramfs into memory that ends with this process.
async fn initrd(image: Image, agent: &'static [u8], spec: &BootSpec) -> Result<File, OpError> {
    let files = spec.options.files.clone();
    let written = tokio::task::spawn_blocking(move || {
        // SAFETY: the name is a string that ends in a zero byte.
        let fd = unsafe { libc::memfd_create(c"provium-initrd".as_ptr(), libc::MFD_CLOEXEC) };
        if fd < 0 {
            let error = std::io::Error::last_os_error();
            return Err(OpError::agent(format!("no memory for a guest's initramfs: {error}")));
        }
        // SAFETY: the descriptor is new and nobody else's.
        let file = unsafe { File::from_raw_fd(fd) };
        image::initrd_with(&image, Some(agent), &files, &path_of(&file))
            .map_err(|error| OpError::agent(error.to_string()))?;
        Ok(file)
    });
    written.await.map_err(|error| OpError::agent(format!("writing an initramfs ended: {error}")))?
}

/// A name by which other processes of this user can open the file, for as long as it is open here.
fn path_of(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()))
}

fn settings(spec: &BootSpec, seed: u64) -> Settings {
    Settings {
        hostname: Some(spec.hostname().to_owned()),
        entropy: seed.to_le_bytes().repeat(4),
        realtime_ns: spec.options.initial_time_ns,
        files: Vec::new(),
        modules: Vec::new(),
    }
}
