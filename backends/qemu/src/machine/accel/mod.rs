//! KVM or TCG: found out by trying.
//!
//! That `/dev/kvm` can be opened says little: there are hosts, most of them virtual machines themselves, where KVM
//! interprets every instruction and a kernel takes hours to boot. So a small firmware is run: it goes to long mode, counts
//! to twenty million and fills 8 MiB. A processor needs 20 ms for it, TCG 150 ms, such a host minutes.

mod firmware;

use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::error::MachineError;
use super::process;
use super::qemu::Qemu;
use super::spec::Accel;

/// What KVM needs for the firmware is a tenth of this on a loaded host.
const TRIAL_LIMIT: Duration = Duration::from_secs(2);
/// The device that KVM is.
const KVM_DEVICE: &str = "/dev/kvm";
/// Where the result of a trial is kept, in the cache directory.
const CACHE_FILE: &str = "accel.json";
/// Changes when the trial does: results of another are not taken.
const TRIAL_VERSION: u32 = 1;

/// What runs guests on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccelProbe {
    /// The better one of those that work.
    pub accel: Accel,
    /// Why it is this one, in a sentence.
    pub why: String,
    /// Whether KVM was tried at an earlier time, since this host was booted.
    pub cached: bool,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cached {
    trial: u32,
    boot: String,
    qemu: String,
    works: bool,
    why: String,
}

/// Finds out whether KVM works, in two seconds at most. With a cache directory it is tried once for each boot of the host and
/// version of QEMU.
pub async fn probe_accel(qemu: &Qemu, cache: Option<&Path>) -> AccelProbe {
    let open = std::fs::File::options().read(true).write(true).open(KVM_DEVICE);
    if let Err(error) = open {
        let why = match error.kind() {
            std::io::ErrorKind::NotFound => format!("this host has no {KVM_DEVICE}"),
            std::io::ErrorKind::PermissionDenied => {
                format!("{KVM_DEVICE} may not be opened by this user: add the user to the group that owns it")
            }
            _ => format!("{KVM_DEVICE} can't be opened: {error}"),
        };
        return AccelProbe { accel: Accel::Tcg, why, cached: false };
    }
    let key = boot_id().map(|boot| (boot, format!("{} {}", qemu.program().display(), qemu.version())));
    let file = cache.map(|folder| folder.join(CACHE_FILE));
    if let (Some((boot, version)), Some(file)) = (&key, &file)
        && let Some(known) = std::fs::read(file).ok().and_then(|bytes| serde_json::from_slice::<Cached>(&bytes).ok())
        && (known.trial, &known.boot, &known.qemu) == (TRIAL_VERSION, boot, version)
    {
        return AccelProbe { accel: accel(known.works), why: known.why, cached: true };
    }
    let (works, why) = match trial(qemu, Accel::Kvm, TRIAL_LIMIT).await {
        Ok(()) => (true, "KVM ran a guest's code at the speed of a processor".to_owned()),
        Err(why) => (false, format!("KVM was tried and does not work here: {why}")),
    };
    if let (Some((boot, qemu)), Some(file)) = (key, file) {
        // A cache that can't be written costs two seconds the next time, and nothing else.
        let _ = keep(&file, &Cached { trial: TRIAL_VERSION, boot, qemu, works, why: why.clone() });
    }
    AccelProbe { accel: accel(works), why, cached: false }
}

fn accel(kvm_works: bool) -> Accel {
    if kvm_works { Accel::Kvm } else { Accel::Tcg }
}

fn boot_id() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_owned())
}

fn keep(file: &Path, result: &Cached) -> std::io::Result<()> {
    let folder = file.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
    std::fs::create_dir_all(folder)?;
    let unfinished = folder.join(format!("{CACHE_FILE}.{}", std::process::id()));
    std::fs::write(&unfinished, serde_json::to_vec(result)?)?;
    std::fs::rename(&unfinished, file)
}

fn firmware_file() -> Result<OwnedFd, MachineError> {
    let fd = rustix::fs::memfd_create("provium-probe", rustix::fs::MemfdFlags::CLOEXEC)
        .map_err(|error| MachineError::host("a file in memory")(error.into()))?;
    let mut file = std::fs::File::from(fd);
    file.write_all(&firmware::image()).map_err(MachineError::host("a file in memory"))?;
    Ok(file.into())
}

/// Runs the firmware; the error is for people.
async fn trial(qemu: &Qemu, accel: Accel, limit: Duration) -> Result<(), String> {
    let firmware = firmware_file().map_err(|error| error.to_string())?;
    let mut command = Command::new(qemu.program());
    command
        .args(["-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35", "-m", "32M"])
        .args(["-accel", accel.as_str(), "-device", "isa-debug-exit,iobase=0xf4,iosize=4"])
        .arg("-bios")
        .arg(format!("/proc/self/fd/{}", firmware.as_raw_fd()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let child = process::spawn(command, vec![firmware]).await.map_err(|error| error.to_string())?;
    let Ok(output) = tokio::time::timeout(limit, child.wait_with_output()).await else {
        return Err(format!("a few lines of guest code did not end within {} s", limit.as_secs()));
    };
    let output = output.map_err(|error| error.to_string())?;
    if output.status.code() == Some(firmware::DONE_STATUS) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{} (QEMU said: {})", process::describe(output.status), said.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    /// TCG runs the firmware on every host, so it is right: what a failing trial says, it says of KVM.
    #[tokio::test]
    async fn the_firmware_ends() {
        let Some(qemu) = testing::qemu().await else { return };
        trial(&qemu, Accel::Tcg, Duration::from_secs(60)).await.unwrap();
    }

    #[tokio::test]
    async fn a_trial_that_does_not_end_is_given_up() {
        let Some(qemu) = testing::qemu().await else { return };
        let why = trial(&qemu, Accel::Tcg, Duration::ZERO).await.unwrap_err();
        assert!(why.contains("did not end"), "{why}");
    }

    #[tokio::test]
    async fn a_result_is_kept_until_the_next_boot() {
        let Some(qemu) = testing::qemu().await else { return };
        let cache = tempfile::tempdir().unwrap();
        let first = probe_accel(&qemu, Some(cache.path())).await;
        let second = probe_accel(&qemu, Some(cache.path())).await;
        assert_eq!((first.accel, &first.why), (second.accel, &second.why));
        let file = cache.path().join(CACHE_FILE);
        assert_eq!(second.cached, file.exists());
        if let Ok(bytes) = std::fs::read(&file) {
            let mut known: Cached = serde_json::from_slice(&bytes).unwrap();
            known.boot.push('x');
            keep(&file, &known).unwrap();
            assert!(!probe_accel(&qemu, Some(cache.path())).await.cached);
        }
    }
}
