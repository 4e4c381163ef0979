//! Why a guest's image cannot be had.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::cpio::CpioError;
use super::modules::ModuleError;

/// Why a guest's image cannot be made, found or put together. Each says what to do.
#[derive(Debug, Error)]
pub enum ImageError {
    /// A tool of the distribution is not there.
    #[error(
        "cannot run `{tool}`: {why}; the guest is made of Debian's packages (where there are none, name `kernel` and \
         `initrd` in the profile)"
    )]
    Tool {
        /// Its name.
        tool: &'static str,
        /// The system's reason.
        why: io::Error,
    },
    /// Packages of this machine are not for the machine that QEMU emulates.
    #[error(
        "guests are x86-64, and the packages of this machine are for {0}: name `kernel` and `initrd` in the profile"
    )]
    Architecture(&'static str),
    /// The package lists do not have a package.
    #[error("no package `{0}`: run `sudo apt-get update`, and look that /etc/apt/sources.list names `main`")]
    PackageMissing(String),
    /// None of the packages that would do is there.
    #[error("no kernel package ({}): run `sudo apt-get update`", .0.join(", "))]
    NoKernelPackage(Vec<String>),
    /// The package lists name a file that the server has no more.
    #[error("package `{package}` is gone from the server: run `sudo apt-get update` ({detail})")]
    ListsOutdated {
        /// Which.
        package: String,
        /// What apt says.
        detail: String,
    },
    /// The server cannot be reached.
    #[error("package `{package}` cannot be fetched, the network is needed once: {detail}")]
    Network {
        /// Which.
        package: String,
        /// What apt says.
        detail: String,
    },
    /// apt failed for another reason.
    #[error("apt failed on package `{package}`: {detail}")]
    Apt {
        /// Which.
        package: String,
        /// What apt says.
        detail: String,
    },
    /// What was fetched is not what the package lists promise.
    #[error("package `{package}` is damaged as fetched (its digest is not that of the lists): try again")]
    PackageDamaged {
        /// Which.
        package: String,
    },
    /// A package cannot be unpacked.
    #[error("package `{package}` cannot be unpacked: {detail}")]
    Unpack {
        /// Which.
        package: String,
        /// What dpkg-deb says.
        detail: String,
    },
    /// The disk is full.
    #[error("no space left below {}: the image needs about {} MiB while it is made; $PROVIUM_CACHE can be another place", .0.display(), NEEDED_MIB)]
    DiskFull(PathBuf),
    /// A file of the host cannot be read or written.
    #[error("cannot {what} {}: {why}", path.display())]
    Io {
        /// What was tried: a verb.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's reason.
        why: io::Error,
    },
    /// A package does not hold what it should.
    #[error(
        "package `{package}` holds no {what}: provium does not know this kind of package, name `kernel` and `initrd` in the profile"
    )]
    Unexpected {
        /// Which.
        package: String,
        /// What was looked for.
        what: &'static str,
    },
    /// A program needs a library that no package brings.
    #[error("`{program}` needs the library `{library}`, which none of the packages holds: run `sudo apt-get update`")]
    Library {
        /// Which.
        program: String,
        /// What it needs.
        library: String,
    },
    /// A program is not where it was.
    #[error(
        "no program `{program}` in the packages {packages}: provium does not know this version of the distribution"
    )]
    Program {
        /// Which.
        program: &'static str,
        /// Where it should be.
        packages: String,
    },
    /// The kernel's modules do not fit together.
    #[error("modules of the kernel: {0}")]
    Modules(#[from] ModuleError),
    /// busybox does not say what it can do.
    #[error("busybox of the package cannot be run here, to ask for its applets: {0}")]
    Busybox(String),
    /// An archive cannot hold a file.
    #[error("initramfs: {0}")]
    Archive(#[from] CpioError),
    /// A file that a profile names is not there.
    #[error("`{key}` of profile `{profile}`: {} {problem}", path.display())]
    Profile {
        /// Whose.
        profile: String,
        /// The key.
        key: &'static str,
        /// What it names.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no place for a cache.
    #[error("no place for images: neither $PROVIUM_CACHE nor $XDG_CACHE_HOME nor $HOME is an absolute path")]
    NoCache,
}

/// What making an image takes of the disk at its worst, in MiB: packages, what they unpack to, and the image.
pub const NEEDED_MIB: u64 = 350;

impl ImageError {
    /// An error of reading or writing `path`; a full disk is one of its own.
    pub(super) fn io(what: &'static str, path: &Path, why: io::Error) -> ImageError {
        match why.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                ImageError::DiskFull(path.parent().unwrap_or(path).to_owned())
            }
            _ => ImageError::Io { what, path: path.to_owned(), why },
        }
    }
}

/// Adds what was tried, and where, to the system's reason.
pub(super) trait Context<T> {
    /// As an [`ImageError`].
    fn context(self, what: &'static str, path: &Path) -> Result<T, ImageError>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, what: &'static str, path: &Path) -> Result<T, ImageError> {
        self.map_err(|why| ImageError::io(what, path, why))
    }
}
