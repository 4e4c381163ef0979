//! What a guest boots from: a kernel, an initramfs, and a command line.
//!
//! Images are made of the distribution's packages, without root and without installing anything: [`ensure`] makes what is
//! missing, [`find`] only looks. The kernel is taken out of its bzImage (QEMU starts it half a second sooner that way), the
//! initramfs is written here and not compressed (unpacking takes the guest longer than reading). What a profile names of its
//! own is used as it is; the agent and boot files are added behind any initramfs, as archives of their own, by
//! [`initrd_with`].
//!
//! Refused here: building kernels, and distributions without Debian's packages (profiles name their own files there).

mod apt;
mod build;
mod cache;
pub mod cpio;
mod error;
mod initrd;
mod kernel;
mod libraries;
mod loader_cache;
mod modules;
mod packages;
mod rootfs;
mod unpack;
mod userland;

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use cache::{Cache, Entry, FileLine, Manifest, PackageLine};
pub use error::{ImageError, NEEDED_MIB};
pub use initrd::{AGENT, initrd_with};
pub use packages::mebibytes;
pub use rootfs::{MODULES, MODULES_LATER};
pub use userland::QGA_PORT;

use crate::profile::{AgentKind, QemuProfile};

/// The version of what makes images. Raised with every change to what an image holds.
pub const BUILDER: u32 = 3;

/// The command line of a guest that asks for no other. The kernel's tests of its ciphers take half a second.
pub const COMMAND_LINE: &str = "console=ttyS0 cryptomgr.notests";

/// A kind of image that is made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A kernel, the usual tools, busybox for all others, and room for provium's agent.
    Linux,
    /// The same with `qemu-guest-agent`, which it starts.
    LinuxQga,
}

impl Kind {
    /// All of them.
    pub const ALL: &[Kind] = &[Kind::Linux, Kind::LinuxQga];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Linux => "linux",
            Kind::LinuxQga => "linux-qga",
        }
    }

    /// The kind that a profile needs, unless it brings all of its own.
    #[must_use]
    pub fn of(profile: &QemuProfile) -> Option<Kind> {
        match (&profile.kernel, &profile.initrd, profile.agent) {
            (Some(_), Some(_), _) => None,
            // Of a profile that brings the initramfs only the kernel and its modules are made.
            (_, Some(_), _) | (_, None, AgentKind::Provium) => Some(Kind::Linux),
            (_, None, AgentKind::Qga) => Some(Kind::LinuxQga),
        }
    }
}

/// What a guest boots from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The kernel: an uncompressed one, or a bzImage.
    pub kernel: PathBuf,
    /// Parts of the initramfs, in order. [`initrd_with`] makes one file of them.
    pub initrd: Vec<PathBuf>,
    /// The kernel's command line, unless profile or boot options have another.
    pub cmdline: String,
    /// What must be on the command line in any case: how the kernel finds the agent.
    pub init: Option<&'static str>,
    /// Names all that it is made of: other content, other digest. Good on this machine only.
    pub digest: String,
    /// The kernel's version if it is known, as `uname -r` says it.
    pub kernel_version: Option<String>,
}

/// The image of a profile, if all of it is there. Needs no network and makes nothing.
pub fn find(profile: &QemuProfile) -> Result<Option<Image>, ImageError> {
    let Some(kind) = Kind::of(profile) else { return assemble(profile, None).map(Some) };
    match Cache::from_environment()?.current(kind) {
        Some(entry) => assemble(profile, Some(&entry)).map(Some),
        None => Ok(None),
    }
}

/// The image of a profile; what is missing is made. `progress` is told what is done, a line each.
pub fn ensure(profile: &QemuProfile, progress: &mut dyn FnMut(&str)) -> Result<Image, ImageError> {
    // Files of its own that are missing are told before anything is fetched.
    own(profile)?;
    if let Some(image) = find(profile)? {
        return Ok(image);
    }
    let entry = match Kind::of(profile) {
        Some(kind) => Some(build(&Cache::from_environment()?, kind, progress)?),
        None => None,
    };
    assemble(profile, entry.as_ref())
}

/// Makes the image of a kind from the newest packages that this machine's lists have, unless it is there already.
pub fn build(cache: &Cache, kind: Kind, progress: &mut dyn FnMut(&str)) -> Result<Entry, ImageError> {
    build::build(cache, kind, progress)
}

/// The package of the newest kernel that this machine's lists have. Needs no network.
pub fn kernel_package(cache: &Cache) -> Result<String, ImageError> {
    build::kernel_package(cache)
}

/// The files that a profile brings.
struct Own<'a> {
    kernel: Option<&'a Path>,
    initrd: Option<&'a Path>,
}

fn own(profile: &QemuProfile) -> Result<Own<'_>, ImageError> {
    let check = |key: &'static str, path: &Option<PathBuf>| -> Result<(), ImageError> {
        let Some(path) = path else { return Ok(()) };
        let problem = match fs::File::open(path).and_then(|file| file.metadata()) {
            Ok(found) if found.is_file() && found.len() > 0 => return Ok(()),
            Ok(found) if found.is_file() => "is empty".to_owned(),
            Ok(_) => "is no ordinary file".to_owned(),
            Err(why) => format!("cannot be read: {why}"),
        };
        Err(ImageError::Profile { profile: profile.name.clone(), key, path: path.clone(), problem })
    };
    check("kernel", &profile.kernel)?;
    check("initrd", &profile.initrd)?;
    Ok(Own { kernel: profile.kernel.as_deref(), initrd: profile.initrd.as_deref() })
}

/// Puts together what a profile brings and what was made for it.
fn assemble(profile: &QemuProfile, entry: Option<&Entry>) -> Result<Image, ImageError> {
    let own = own(profile)?;
    let mut digest = Sha256::new();
    let mut made = |name: &'static str| -> Result<PathBuf, ImageError> {
        let found = entry.and_then(|entry| Some((entry.file(name)?, entry.manifest.files.get(name)?)));
        let (path, line) = found.ok_or_else(|| ImageError::Unexpected { package: "image".to_owned(), what: name })?;
        digest.update(format!("{name} {}\n", line.sha256));
        Ok(path)
    };
    let mut initrd = Vec::new();
    let kernel = match own.kernel {
        Some(path) => path.to_owned(),
        None => made(build::KERNEL)?,
    };
    match own.initrd {
        Some(path) => initrd.push(path.to_owned()),
        None => {
            initrd.push(made(build::BASE)?);
            initrd.push(made(build::TOOLS)?);
        }
    }
    if own.initrd.is_none() && profile.agent == AgentKind::Qga {
        initrd.push(made(build::QGA)?);
    }
    // A kernel of one's own cannot use the modules of another.
    if own.kernel.is_none() {
        initrd.push(made(build::MODULE_FILES)?);
    }
    for path in [own.kernel, own.initrd].into_iter().flatten() {
        let found = fs::metadata(path).map_err(|why| ImageError::io("read", path, why))?;
        digest.update(format!("{} {}\n", path.display(), cache::identity(&found)));
    }
    let init = match profile.agent {
        AgentKind::Provium => Some(initrd::INIT),
        // Such a guest starts its agent itself.
        AgentKind::Qga => None,
    };
    Ok(Image {
        kernel,
        initrd,
        cmdline: COMMAND_LINE.to_owned(),
        init,
        digest: packages::hex(&digest.finalize()),
        kernel_version: own
            .kernel
            .is_none()
            .then(|| entry.map(|entry| entry.manifest.kernel_version.clone()))
            .flatten(),
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
