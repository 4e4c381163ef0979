//! What this machine can do for real guests, found out by trying, and what mends what it cannot.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::agent;
use crate::image::{self, Cache, Kind, mebibytes};
use crate::machine::{Accel, MachineError, Qemu, VSOCK_DEVICE, open_vsock_device, probe_accel, vsock_remedy};
use crate::profile::{LinkKind, QemuProfile};

/// Memory that a guest and its template take, and something to spare, in bytes.
const ENOUGH_MEMORY: u64 = 512 << 20;

/// Disk that making an image takes, in bytes.
const ENOUGH_DISK: u64 = image::NEEDED_MIB << 20;

/// The tools that images are made with, and the packages that hold them.
const TOOLS: &[(&str, &str)] = &[("apt-get", "apt"), ("apt-cache", "apt"), ("dpkg-deb", "dpkg")];

const KVM: &str = "/dev/kvm";

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Good,
    /// Guests run without it, or with less.
    Less,
    /// Without it no guest runs.
    Missing,
}

impl State {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Good => "good",
            State::Less => "less",
            State::Missing => "missing",
        }
    }
}

/// What was found out about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub what: String,
    /// How well it is.
    pub state: State,
    /// What was found.
    pub text: String,
    /// What mends it: a command, or what to do.
    pub remedy: Option<String>,
}

impl Finding {
    fn new(what: &str, state: State, text: impl Into<String>) -> Finding {
        Finding { what: what.to_owned(), state, text: text.into(), remedy: None }
    }

    fn remedy(mut self, remedy: impl Into<String>) -> Finding {
        self.remedy = Some(remedy.into());
        self
    }
}

/// Looks at everything that guests of these profiles need. Takes some seconds: KVM is tried, not only looked at.
pub fn examine(profiles: &[&QemuProfile]) -> Vec<Finding> {
    let cache = Cache::from_environment();
    let mut findings = host(cache.as_ref().ok());
    findings.push(embedded_agent());
    findings.extend(images(profiles, cache.as_ref().ok()));
    findings.push(match &cache {
        Ok(cache) => cache_directory(cache.root()),
        Err(error) => {
            Finding::new("cache", State::Missing, error.to_string()).remedy("export PROVIUM_CACHE=/some/directory")
        }
    });
    findings.push(memory());
    findings.push(vsock(profiles, open_vsock_device()));
    findings
}

/// QEMU, and what runs a guest's instructions.
fn host(cache: Option<&Cache>) -> Vec<Finding> {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => return vec![Finding::new("QEMU", State::Missing, format!("cannot be tried: {why}"))],
    };
    runtime.block_on(async {
        let qemu = match Qemu::find().await {
            Ok(qemu) => qemu,
            Err(error) => {
                let text = match &error {
                    MachineError::NoQemu { program } => format!("{program} was not found"),
                    other => other.to_string(),
                };
                let remedy = "sudo apt-get install qemu-system-x86   (or name the program in PROVIUM_QEMU)";
                return vec![Finding::new("QEMU", State::Missing, text).remedy(remedy)];
            }
        };
        let found = Finding::new("QEMU", State::Good, format!("{}, {}", qemu.version(), qemu.program().display()));
        let probe = probe_accel(&qemu, cache.map(Cache::root)).await;
        vec![found, accelerator(probe.accel, &probe.why, fs::File::options().read(true).write(true).open(KVM))]
    })
}

/// What runs guests, and what could do it faster. `device` is what came of opening KVM's.
fn accelerator(accel: Accel, why: &str, device: io::Result<fs::File>) -> Finding {
    if accel == Accel::Kvm {
        return Finding::new("KVM", State::Good, why);
    }
    let finding = Finding::new("KVM", State::Less, format!("{why}; guests are emulated (TCG), about ten times slower"));
    match device {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            finding.remedy("sudo usermod -aG kvm $USER   (and log in again)")
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => finding.remedy(
            "sudo modprobe kvm_intel || sudo modprobe kvm_amd   (in a virtual machine: allow nesting on its host)",
        ),
        // It is there, and this kind of host cannot run a kernel with it.
        _ => finding,
    }
}

fn embedded_agent() -> Finding {
    match agent::program() {
        Some(program) => Finding::new("agent", State::Good, format!("built in, {}", mebibytes(program.len() as u64))),
        None => Finding::new("agent", State::Missing, "this provium was built without it")
            .remedy("build provium on x86-64 Linux"),
    }
}

/// The image of each profile, and what makes those that are missing.
fn images(profiles: &[&QemuProfile], cache: Option<&Cache>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut to_make = false;
    for profile in profiles {
        let what = format!("image {}", profile.name);
        findings.push(match image::find(profile) {
            Ok(Some(image)) => {
                let kernel =
                    image.kernel_version.map_or("a kernel of its own".to_owned(), |version| format!("Linux {version}"));
                Finding::new(&what, State::Good, format!("{kernel}, {}", image.kernel.display()))
            }
            Ok(None) => {
                to_make = true;
                let text = "not made yet; made when a guest first needs it";
                Finding::new(&what, State::Less, text).remedy(format!("provium image build {}", profile.name))
            }
            Err(error) => Finding::new(&what, State::Missing, error.to_string()),
        });
    }
    if profiles.iter().any(|profile| Kind::of(profile).is_some()) {
        findings.push(packages(to_make, cache));
    }
    findings
}

/// Whether images can be made. Without one that is missing no guest runs; otherwise only a newer one cannot be had.
fn packages(needed: bool, cache: Option<&Cache>) -> Finding {
    let bad = if needed { State::Missing } else { State::Less };
    let missing: Vec<&(&str, &str)> = TOOLS.iter().filter(|(tool, _)| on_path(tool).is_none()).collect();
    if let [(tool, package), ..] = missing[..] {
        let text = format!("`{tool}` was not found: images are made of Debian's packages");
        let remedy =
            format!("sudo apt-get install {package}   (elsewhere: name `kernel` and `initrd` in provium.toml)");
        return Finding::new("packages", bad, text).remedy(remedy);
    }
    let names = cache.map(image::kernel_package);
    match names {
        Some(Ok(name)) => Finding::new("packages", State::Good, format!("the newest kernel is {name}")),
        Some(Err(error)) => Finding::new("packages", bad, error.to_string()).remedy("sudo apt-get update"),
        None => Finding::new("packages", State::Good, "apt and dpkg are there"),
    }
}

/// Whether images can be kept.
fn cache_directory(root: &Path) -> Finding {
    let tried = fs::create_dir_all(root).and_then(|()| tempfile::tempfile_in(root));
    if let Err(why) = tried {
        let text = format!("{} cannot be written: {why}", root.display());
        return Finding::new("cache", State::Missing, text).remedy("export PROVIUM_CACHE=/some/directory");
    }
    let free = match rustix::fs::statvfs(root) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        Err(why) => {
            return Finding::new("cache", State::Less, format!("{}: no word on its space: {why}", root.display()));
        }
    };
    let text = format!("{}, {} free", root.display(), mebibytes(free));
    if free < ENOUGH_DISK {
        let remedy = format!("make room for {}, or export PROVIUM_CACHE=/some/directory", mebibytes(ENOUGH_DISK));
        return Finding::new("cache", State::Less, text).remedy(remedy);
    }
    Finding::new("cache", State::Good, text)
}

/// Whether a guest fits.
fn memory() -> Finding {
    let available = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    match available {
        None => Finding::new("memory", State::Less, "this host does not say how much is free"),
        Some(bytes) if bytes < ENOUGH_MEMORY => {
            let text = format!("{} free; a guest takes 256 MiB unless it is told otherwise", mebibytes(bytes));
            Finding::new("memory", State::Less, text).remedy("give guests less: `memory = \"128M\"` in their profile")
        }
        Some(bytes) => Finding::new("memory", State::Good, format!("{} free", mebibytes(bytes))),
    }
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// Whether agents can be reached over vsock, which is trouble only where a profile wants it. `device` is what came of opening its.
fn vsock(profiles: &[&QemuProfile], device: io::Result<fs::File>) -> Finding {
    let why = match device {
        Ok(_) => return Finding::new("vsock", State::Good, format!("{VSOCK_DEVICE} can be used: `link = \"vsock\"`")),
        Err(why) => why,
    };
    let remedy = vsock_remedy(&why);
    let wanting: Vec<&str> = profiles
        .iter()
        .filter(|profile| profile.link == LinkKind::Vsock)
        .map(|profile| profile.name.as_str())
        .collect();
    if wanting.is_empty() {
        let text =
            format!("{VSOCK_DEVICE}: {why}; only `link = \"vsock\"` needs it (`{remedy}`), and no profile says that");
        return Finding::new("vsock", State::Good, text);
    }
    let text = format!("{VSOCK_DEVICE}: {why}; needed by `link = \"vsock\"` of {}", wanting.join(", "));
    Finding::new("vsock", State::Missing, text)
        .remedy(format!("{remedy}   (or leave `link` out: virtio needs nothing)"))
}

/// Where a program is that would be run by this name.
fn on_path(program: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let executable = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(program)).find(executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mends_kvm_depends_on_what_is_wrong() {
        let remedy = |kind: io::ErrorKind| accelerator(Accel::Tcg, "why", Err(kind.into())).remedy.unwrap_or_default();
        assert!(remedy(io::ErrorKind::PermissionDenied).starts_with("sudo usermod -aG kvm "));
        assert!(remedy(io::ErrorKind::NotFound).starts_with("sudo modprobe "));
        assert_eq!(remedy(io::ErrorKind::Other), "");
        let found = accelerator(Accel::Kvm, "KVM ran", Err(io::ErrorKind::Other.into()));
        assert_eq!((found.state, found.text.as_str()), (State::Good, "KVM ran"));
    }

    #[test]
    fn memory_is_read_off() {
        assert_eq!(available("MemTotal: 1 kB\nMemAvailable:   2048 kB\n"), Some(2 << 20));
        for text in ["", "MemAvailable: x kB\n", "MemAvailable: 99999999999999999999 kB\n", "MemAvailable: 3\n"] {
            assert_eq!(available(text), None, "{text}");
        }
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_told() {
        let dir = tempfile::tempdir().expect("a directory");
        let good = cache_directory(&dir.path().join("a/b"));
        assert_ne!(good.state, State::Missing, "{good:?}");
        fs::write(dir.path().join("file"), "").expect("writable");
        let bad = cache_directory(&dir.path().join("file"));
        assert_eq!(bad.state, State::Missing);
        assert!(bad.remedy.is_some_and(|remedy| remedy.contains("PROVIUM_CACHE")));
    }

    #[test]
    fn profiles_that_name_missing_files_are_told() {
        let own = QemuProfile {
            kernel: Some("/nowhere/kernel".into()),
            initrd: Some("/nowhere/initrd".into()),
            ..QemuProfile::named("own")
        };
        let found = images(&[&own], None);
        assert_eq!(found.len(), 1, "no packages are asked for: {found:?}");
        assert_eq!((found[0].what.as_str(), found[0].state), ("image own", State::Missing));
    }

    #[test]
    fn vsock_is_missed_only_by_profiles_that_want_it() {
        let over = |link| QemuProfile { link, ..QemuProfile::named("p") };
        let (virtio, wanting) = (over(LinkKind::Virtio), over(LinkKind::Vsock));
        let missing = || Err(io::ErrorKind::NotFound.into());
        let found = vsock(&[&virtio], missing());
        assert_eq!((found.state, &found.remedy), (State::Good, &None), "{found:?}");
        assert!(found.text.contains("sudo modprobe vhost_vsock"), "{found:?}");
        let found = vsock(&[&virtio, &wanting], missing());
        assert_eq!(found.state, State::Missing, "{found:?}");
        assert!(found.text.ends_with("`link = \"vsock\"` of p"), "{found:?}");
        assert!(found.remedy.is_some_and(|remedy| remedy.starts_with("sudo modprobe vhost_vsock   (or ")));
        let found = vsock(&[&wanting], Err(io::ErrorKind::PermissionDenied.into()));
        assert!(found.remedy.is_some_and(|remedy| remedy.starts_with("sudo chmod ")));
        assert_eq!(vsock(&[&wanting], fs::File::open("/dev/null")).state, State::Good);
    }

    #[test]
    fn programs_are_found_as_a_shell_finds_them() {
        assert!(on_path("sh").is_some());
        assert_eq!(on_path("no such program"), None);
    }
}
