//! From what a test asks of a boot to a machine whose agent answers.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use provium_protocol::profile::{BootFile, BootSpec, COLD};
use provium_protocol::time::SECOND;
use provium_protocol::wire::Settings;
use provium_protocol::{Nanos, OpError};
use sha2::{Digest, Sha256};

use crate::answerer::Answerer;
use crate::backend::Host;
use crate::image::{self, Image};
use crate::machine::{
    AGENT_VSOCK_PORT, Accel, AgentChannel, Board, LaunchSpec, Machine, MachineError, QGA_PORT, Qemu, TEMPLATES_LIMIT,
    TemplateKey, TemplateStore, VirtualTime, check_vsock, connect_vsock, probe_accel,
};
use crate::profile::{AccelKind, AgentKind, LinkKind, MachineKind, QemuProfile, TimeKind};

/// How long a boot may take that says nothing else: an emulated one takes three seconds, on a busy machine ten times as long.
const BOOT_TIMEOUT: Nanos = 60 * SECOND;

/// How long a booted guest may go on working before it is saved: one that is busy for longer is not going to rest, because
/// something in it works all the time.
const REST_PATIENCE: Duration = Duration::from_secs(10);

/// Memory of a guest that says nothing else, in bytes.
const MEMORY: u64 = 256 << 20;

/// The second serial port, as guests call it; the first one is the console.
const SERIAL_PORT: &str = "/dev/ttyS1";

/// A guest that answers.
pub struct Booted {
    pub machine: Machine,
    pub answerer: Answerer,
}

/// What every boot of a guest needs.
struct Boot<'a> {
    host: &'a Host,
    qemu: &'a Qemu,
    spec: &'a BootSpec,
    image: Image,
    /// Who answers, and provium's agent where it is the one.
    kind: AgentKind,
    agent: Option<&'static [u8]>,
    launch: LaunchSpec,
    seed: u64,
    boots: u64,
}

/// Boots a guest. `seed` is that of its entropy, `boots` says how often it was booted before.
///
/// # Errors
/// Why there is no guest that answers.
pub async fn boot(host: &Host, spec: &BootSpec, seed: u64, boots: u64) -> Result<Booted, OpError> {
    let profile = profile(host, spec);
    let agent = match profile.agent {
        AgentKind::Provium => Some(own_agent()?),
        AgentKind::Qga => None,
    };
    let qemu = host.qemu.get_or_try_init(Qemu::find).await.map_err(|error| OpError::agent(error.to_string()))?;
    let over_vsock = profile.link == LinkKind::Vsock;
    if over_vsock {
        // Before an image is made for nothing.
        check_vsock(&spec.vm).map_err(|error| OpError::agent(error.to_string()))?;
    }
    let image = image(host, &profile).await?;
    let launch = launch_spec(host, qemu, spec, &profile, &image, seed).await?;
    let boot = Boot { host, qemu, spec, image, kind: profile.agent, agent, launch, seed, boots };
    let cold = host.cold_boot || spec.notes.contains_key(COLD) || boot.launch.virtual_time.is_some() || over_vsock;
    match agent {
        Some(agent) if !cold => boot.cloned(agent).await,
        // A clone has its template's entropy until its agent gives it other, which QGA cannot.
        _ => boot.cold().await,
    }
}

fn own_agent() -> Result<&'static [u8], OpError> {
    crate::agent::program().ok_or_else(|| {
        OpError::agent(
            "this provium carries no guest agent: it was built for a system other than x86-64 Linux, where real guests cannot be \
             driven",
        )
    })
}

impl Boot<'_> {
    /// From the beginning.
    async fn cold(&self) -> Result<Booted, OpError> {
        let initrd = initrd(self.image.clone(), self.agent, self.spec.options.files.clone()).await?;
        let launch = LaunchSpec { initrd: Some(path_of(&initrd)), ..self.launch.clone() };
        let machine = Machine::launch(self.qemu, launch).await.map_err(|error| OpError::agent(error.to_string()))?;
        self.greet(machine, Some(self.settings(Vec::new()))).await
    }

    /// From a guest of the same kind that has booted before; makes one if there is none.
    async fn cloned(&self, agent: &'static [u8]) -> Result<Booted, OpError> {
        match self.clone(agent).await {
            Ok(machine) => self.greet(machine, Some(self.settings(self.spec.options.files.clone()))).await,
            Err(Unsaved::Boot(error)) => Err(error),
            Err(Unsaved::Template(error)) => {
                self.host.say(&format!("`{}` boots from the beginning: {error}", self.spec.vm));
                self.cold().await
            }
        }
    }

    /// A machine that goes on where a saved one stood.
    async fn clone(&self, agent: &'static [u8]) -> Result<Machine, Unsaved> {
        let store = self.host.templates.get_or_try_init(|| async {
            let cache =
                image::Cache::from_environment().map_err(|error| Unsaved::Boot(OpError::agent(error.to_string())))?;
            TemplateStore::open(cache.root().join("templates"), TEMPLATES_LIMIT).map_err(Unsaved::Template)
        });
        let store = store.await?;
        let content = format!("{} {}", self.image.digest, agent_digest(agent));
        let key = TemplateKey::of(self.qemu, &self.launch, Some(&content))?;
        // Its link is held until it is saved: a guest that is saved without one finds it closed when it goes on.
        let mut answerer = None;
        let template = store
            .find_or_make(&key, async || {
                let initrd = initrd(self.image.clone(), self.agent, Vec::new()).await?;
                let launch = LaunchSpec { initrd: Some(path_of(&initrd)), savable: true, ..self.launch.clone() };
                let machine = Machine::launch(self.qemu, launch).await;
                let machine = machine.map_err(|error| OpError::agent(error.to_string()))?;
                let booted = self.greet(machine, None).await?;
                // What it still has to do, each of its clones would do again.
                booted.machine.at_rest(REST_PATIENCE).await;
                answerer = Some(booted.answerer);
                Ok::<Machine, Unsaved>(booted.machine)
            })
            .await?;
        drop(answerer);
        match Machine::clone_from(self.qemu, self.launch.clone(), &template).await {
            Ok(machine) => Ok(machine),
            Err(error) => {
                // Whoever comes next makes another.
                store.forget(&key).await?;
                Err(Unsaved::Template(error))
            }
        }
    }

    /// Waits until the agent answers, and makes the guest its own.
    async fn greet(&self, machine: Machine, settings: Option<Settings>) -> Result<Booted, OpError> {
        let mut trouble = None;
        let answers = async {
            let answerer = self.reach(&machine, &mut trouble).await?;
            answerer.greet(nonce(self.seed, self.boots), self.boots, settings).await?;
            Ok::<Answerer, OpError>(answerer)
        };
        let timeout = Duration::from_nanos(self.spec.options.boot_timeout_ns.unwrap_or(BOOT_TIMEOUT));
        let answerer = tokio::select! {
            biased;
            answered = answers => answered?,
            () = tokio::time::sleep(timeout) => {
                let trouble = trouble.map(|trouble| format!("; {trouble}")).unwrap_or_default();
                return Err(OpError::timeout(format!(
                    "the guest `{}` did not answer within {} s of its boot (boot_timeout){trouble}; the last lines of its console:\n{}",
                    self.spec.vm,
                    timeout.as_secs_f64(),
                    machine.console().tail()
                )));
            }
            ended = machine.ended() => {
                return Err(OpError::lost(format!("the guest `{}` ended while it booted: {ended}", self.spec.vm)));
            }
        };
        Ok(Booted { machine, answerer })
    }

    /// The conversation with whoever answers in the guest: waits until it can be had. `trouble` says why it cannot yet.
    async fn reach(&self, machine: &Machine, trouble: &mut Option<String>) -> Result<Answerer, OpError> {
        if let Some(address) = machine.vsock() {
            let why = |error: &io::Error| format!("no connection to its vsock (CID {}): {error}", address.cid);
            let connected = connect_vsock(address, |error| *trouble = Some(why(error))).await;
            let stream = connected.map_err(|error| OpError::agent(why(&error)))?;
            *trouble = None;
            return Ok(Answerer::open(self.kind, stream, self.boots));
        }
        match machine.take_agent_link() {
            Some(socket) => Ok(Answerer::open(self.kind, socket, self.boots)),
            None => Err(OpError::agent("the machine has no link to its agent")),
        }
    }

    fn settings(&self, files: Vec<BootFile>) -> Settings {
        Settings {
            hostname: Some(self.spec.hostname().to_owned()),
            entropy: self.seed.to_le_bytes().repeat(4),
            realtime_ns: Some(self.spec.options.initial_time_ns.unwrap_or_else(host_time)),
            files,
            modules: Vec::new(),
        }
    }
}

/// Why there is no saved guest to begin from.
enum Unsaved {
    /// A guest of this kind does not boot at all.
    Boot(OpError),
    /// It boots, and cannot be saved or found.
    Template(MachineError),
}

impl From<OpError> for Unsaved {
    fn from(error: OpError) -> Unsaved {
        Unsaved::Boot(error)
    }
}

impl From<MachineError> for Unsaved {
    fn from(error: MachineError) -> Unsaved {
        Unsaved::Template(error)
    }
}

/// The host's clock, in nanoseconds since 1970.
fn host_time() -> i128 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i128::try_from(since.as_nanos()).unwrap_or(i128::MAX)
}

/// The digest of provium's own agent: of two megabytes that are the same for each guest.
fn agent_digest(agent: &'static [u8]) -> &'static str {
    static DIGEST: OnceLock<String> = OnceLock::new();
    DIGEST.get_or_init(|| Sha256::digest(agent).iter().map(|byte| format!("{byte:02x}")).collect())
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

/// How the agent is reached, and what the agent is told about it on the kernel's command line.
fn channel(profile: &QemuProfile) -> (AgentChannel, Option<String>) {
    match (profile.agent, profile.link) {
        (AgentKind::Qga, _) => (AgentChannel::VirtioSerial(QGA_PORT.to_owned()), None),
        // What the agent looks for by itself.
        (AgentKind::Provium, LinkKind::Virtio) => (AgentChannel::default(), None),
        (AgentKind::Provium, LinkKind::Serial) => {
            (AgentChannel::IsaSerial, Some(format!("provium.serial={SERIAL_PORT}")))
        }
        (AgentKind::Provium, LinkKind::Vsock) => {
            (AgentChannel::Vsock(AGENT_VSOCK_PORT), Some(format!("provium.vsock={AGENT_VSOCK_PORT}")))
        }
    }
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
    let (channel, place) = channel(profile);
    launch.agent = channel;
    let own = options.kernel_cmdline.as_ref().or(general.kernel_cmdline.as_ref());
    let words = [
        Some(own.unwrap_or(&image.cmdline).as_str()),
        options.kernel_cmdline_append.as_deref(),
        image.init,
        place.as_deref(),
    ];
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
async fn initrd(image: Image, agent: Option<&'static [u8]>, files: Vec<BootFile>) -> Result<File, OpError> {
    let written = tokio::task::spawn_blocking(move || {
        // SAFETY: the name is a string that ends in a zero byte.
        let fd = unsafe { libc::memfd_create(c"provium-initrd".as_ptr(), libc::MFD_CLOEXEC) };
        if fd < 0 {
            let error = std::io::Error::last_os_error();
            return Err(OpError::agent(format!("no memory for a guest's initramfs: {error}")));
        }
        // SAFETY: the descriptor is new and nobody else's.
        let file = unsafe { File::from_raw_fd(fd) };
        image::initrd_with(&image, agent, &files, &path_of(&file))
            .map_err(|error| OpError::agent(error.to_string()))?;
        Ok(file)
    });
    written.await.map_err(|error| OpError::agent(format!("writing an initramfs ended: {error}")))?
}

/// A name by which other processes of this user can open the file, for as long as it is open here.
fn path_of(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()))
}
