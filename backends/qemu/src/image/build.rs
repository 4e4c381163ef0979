//! Makes an image of packages.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::cache::{Cache, Entry, Manifest, PackageLine, describe};
use super::cpio::{Archive, Attributes, CpioError, Node};
use super::error::{Context, ImageError};
use super::modules::{self, Module, Order, Tree};
use super::packages::{Package, Packages, hex};
use super::{BUILDER, Kind, kernel, rootfs, userland};

/// The file of an entry that holds the kernel.
pub(super) const KERNEL: &str = "kernel";
/// The file that holds the file system.
pub(super) const BASE: &str = "base.cpio";
/// The file that holds the programs beside busybox.
pub(super) const TOOLS: &str = "tools.cpio";
/// The file that holds modules and their lists.
pub(super) const MODULE_FILES: &str = "modules.cpio";
/// The file that holds `qemu-guest-agent` and what starts it.
pub(super) const QGA: &str = "qga.cpio";

/// Packages that stand for the newest kernel, best first: for virtual machines, for any machine, Ubuntu's.
const KERNELS: &[&str] =
    &["linux-image-cloud-amd64", "linux-image-amd64", "linux-image-virtual", "linux-image-generic"];

/// What the packages of a kernel itself are called, before its version.
const KERNEL_PARTS: &[&str] = &["linux-image-", "linux-modules-"];

/// How the names of packages with libraries begin.
const LIBRARIES: &[&str] = &["lib", "zlib"];

const BUSYBOX: &str = "busybox-static";

/// Digits of the key in an entry's name: enough for it to be of one image only.
const KEY_DIGITS: usize = 16;

/// The entry of a kind, made unless it is there.
pub(super) fn build(cache: &Cache, kind: Kind, progress: &mut dyn FnMut(&str)) -> Result<Entry, ImageError> {
    if std::env::consts::ARCH != "x86_64" {
        return Err(ImageError::Architecture(std::env::consts::ARCH));
    }
    let _lock = cache.lock(kind, progress)?;
    let packages = Packages::new(cache.packages())?;
    progress("looking up packages");
    let parts = look_up(&packages, kind)?;
    let key = key(&parts);
    if let Some(entry) = cache.keyed(kind, &key) {
        cache.use_entry(kind, &key)?;
        return Ok(entry);
    }
    let made = cache.fresh(kind)?;
    let unpacked = made.path().join("unpacked");
    fs::create_dir(&unpacked).context("make", &unpacked)?;
    let all = parts.all();
    let fetched = packages.fetch(&all, progress)?;
    progress("unpacking");
    for (package, file) in all.iter().zip(&fetched) {
        packages.unpack(package, file, &unpacked)?;
    }
    let version = write_kernel(&unpacked, made.path(), &parts, progress)?;
    progress("writing the initramfs");
    write_modules(&unpacked, &version, made.path(), &parts)?;
    write_base(&unpacked, made.path())?;
    archive_at(&made.path().join(TOOLS), |archive| userland::write_tools(archive, &unpacked))?;
    if kind == Kind::LinuxQga {
        archive_at(&made.path().join(QGA), |archive| userland::write_qga(archive, &unpacked))?;
    }
    fs::remove_dir_all(&unpacked).context("remove", &unpacked)?;
    let mut files = BTreeMap::new();
    for item in fs::read_dir(made.path()).context("read", made.path())? {
        let item = item.context("read", made.path())?;
        let line = describe(&item.path()).context("read", &item.path())?;
        files.insert(item.file_name().to_string_lossy().into_owned(), line);
    }
    let manifest = Manifest {
        kind: kind.as_str().to_owned(),
        builder: BUILDER,
        kernel_version: version,
        packages: all
            .into_iter()
            .map(|Package { name, version, digest, .. }| PackageLine { name, version, digest })
            .collect(),
        files,
    };
    let entry = cache.commit(kind, &key, made, manifest)?;
    let used = cache.entries().into_iter().flat_map(|entry| entry.manifest.packages);
    packages.prune(&used.map(|package| (package.name, package.version)).collect());
    Ok(entry)
}

/// The packages of an image.
struct Parts {
    kernel: Vec<Package>,
    others: Vec<Package>,
}

impl Parts {
    fn all(&self) -> Vec<Package> {
        self.kernel.iter().chain(&self.others).cloned().collect()
    }

    /// The package to name when something is missing in the kernel's.
    fn kernel_name(&self) -> String {
        self.kernel.first().map(|package| package.name.clone()).unwrap_or_default()
    }
}

fn look_up(packages: &Packages, kind: Kind) -> Result<Parts, ImageError> {
    let kernel = packages.look_up(&kernel_packages(packages)?)?;
    let mut roots = vec![BUSYBOX];
    roots.extend(userland::tool_packages());
    if kind == Kind::LinuxQga {
        roots.extend(userland::qga_packages());
    }
    // What programs depend on beside libraries is for systems that are installed.
    let names = packages.closure(&roots, |name| LIBRARIES.iter().any(|start| name.starts_with(start)))?;
    Ok(Parts { kernel, others: packages.look_up(&names)? })
}

/// The package of the newest kernel.
pub(super) fn kernel_package(cache: &Cache) -> Result<String, ImageError> {
    let names = kernel_packages(&Packages::new(cache.packages())?)?;
    names
        .into_iter()
        .next()
        .ok_or_else(|| ImageError::NoKernelPackage(KERNELS.iter().map(|name| (*name).to_owned()).collect()))
}

/// The names of the packages that hold the newest kernel and its modules.
fn kernel_packages(packages: &Packages) -> Result<Vec<String>, ImageError> {
    for name in KERNELS {
        let depends = match packages.depends(&[(*name).to_owned()]) {
            Ok(depends) => depends,
            Err(ImageError::PackageMissing(_)) => continue,
            Err(error) => return Err(error),
        };
        let parts = |depends: BTreeMap<String, Vec<String>>| -> Vec<String> {
            depends.into_values().flatten().filter(|name| is_kernel_part(name)).collect()
        };
        let mut names = parts(depends);
        if !names.is_empty() {
            // Where modules are a package of their own, it is the kernel that depends on it.
            for more in parts(packages.depends(&names)?) {
                if !names.contains(&more) {
                    names.push(more);
                }
            }
            return Ok(names);
        }
    }
    Err(ImageError::NoKernelPackage(KERNELS.iter().map(|name| (*name).to_owned()).collect()))
}

/// Whether this is a package of one kernel version: a digit follows.
fn is_kernel_part(name: &str) -> bool {
    KERNEL_PARTS.iter().filter_map(|start| name.strip_prefix(start)).any(|rest| {
        let rest = rest.strip_prefix("unsigned-").unwrap_or(rest);
        rest.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// Names everything that goes into an image.
fn key(parts: &Parts) -> String {
    let mut digest = Sha256::new();
    digest.update(format!("{BUILDER}\n"));
    for package in parts.all() {
        digest.update(format!("{} {} {}\n", package.name, package.version, package.digest));
    }
    let mut key = hex(&digest.finalize());
    key.truncate(KEY_DIGITS);
    key
}

/// Writes the kernel and says its version.
fn write_kernel(
    unpacked: &Path,
    into: &Path,
    parts: &Parts,
    progress: &mut dyn FnMut(&str),
) -> Result<String, ImageError> {
    let missing = || ImageError::Unexpected { package: parts.kernel_name(), what: "kernel /boot/vmlinuz-…" };
    let boot = unpacked.join("boot");
    let mut found = None;
    for item in fs::read_dir(&boot).map_err(|_| missing())?.flatten() {
        if let Some(version) = item.file_name().to_str().and_then(|name| name.strip_prefix("vmlinuz-")) {
            found = Some((item.path(), version.to_owned()));
        }
    }
    let (path, version) = found.ok_or_else(missing)?;
    progress(&format!("taking kernel {version} out of its bzImage"));
    let image = fs::read(&path).context("read", &path)?;
    let kernel = match kernel::extract(&image) {
        Ok(kernel) => kernel,
        Err(why) => {
            progress(&format!("the kernel stays a bzImage, which boots more slowly: {why}"));
            image
        }
    };
    let file = into.join(KERNEL);
    fs::write(&file, kernel).context("write", &file)?;
    Ok(version)
}

/// Writes the modules, and the lists that say in which order to insert them.
fn write_modules(unpacked: &Path, version: &str, into: &Path, parts: &Parts) -> Result<(), ImageError> {
    // Distributions that have merged /lib into /usr/lib may still have either in a package.
    let places = ["lib/modules", "usr/lib/modules"].map(|place| unpacked.join(place).join(version));
    let missing = || ImageError::Unexpected { package: parts.kernel_name(), what: "modules below /lib/modules" };
    let dir: &PathBuf = places.iter().find(|place| place.is_dir()).ok_or_else(missing)?;
    let tree = Tree::scan(dir)?;
    let mut order = Order::new(&tree);
    for name in modules::LINK {
        order.require(name)?;
    }
    for name in modules::LINK_IF_THERE {
        order.offer(name)?;
    }
    let first = order.len();
    for name in modules::LATER {
        order.offer(name)?;
    }
    let inserted = order.len();
    for name in modules::AT_HAND {
        order.offer(name)?;
    }
    let found = order.into_modules();
    archive_at(&into.join(MODULE_FILES), |archive| {
        let root = format!("/lib/modules/{version}");
        let list = |modules: &[Module]| -> String {
            modules.iter().map(|module| format!("{root}/{}\n", module.path)).collect()
        };
        let mut files: Vec<(String, Vec<u8>)> =
            found.iter().map(|module| (format!("{root}/{}", module.path), module.content.clone())).collect();
        files.push((format!("{root}/modules.dep"), modules::modules_dep(&found).into_bytes()));
        files.push((format!("{root}/modules.alias"), modules::modules_alias(&found).into_bytes()));
        files.push((rootfs::MODULES.to_owned(), list(&found[..first]).into_bytes()));
        files.push((rootfs::MODULES_LATER.to_owned(), list(&found[first..inserted]).into_bytes()));
        let mut made = std::collections::BTreeSet::new();
        for (path, content) in &files {
            for parent in rootfs::parents(path.as_bytes()) {
                if made.insert(parent) {
                    archive.add(parent, Node::Directory, Attributes::root(0o755))?;
                }
            }
            archive.add(path.as_bytes(), Node::File(content), Attributes::root(0o644))?;
        }
        Ok(())
    })
}

fn write_base(unpacked: &Path, into: &Path) -> Result<(), ImageError> {
    let places = ["bin/busybox", "usr/bin/busybox"].map(|place| unpacked.join(place));
    let missing = || ImageError::Unexpected { package: BUSYBOX.to_owned(), what: "/bin/busybox" };
    let path = places.iter().find(|place| place.is_file()).ok_or_else(missing)?;
    let applets = rootfs::applets(path, &userland::tool_names())?;
    let busybox = fs::read(path).context("read", path)?;
    archive_at(&into.join(BASE), |archive| Ok(rootfs::write(archive, &busybox, &applets)?))
}

/// Writes an archive to a file.
fn archive_at(
    path: &Path,
    fill: impl FnOnce(&mut Archive<BufWriter<File>>) -> Result<(), ImageError>,
) -> Result<(), ImageError> {
    let mut archive = Archive::new(BufWriter::new(File::create(path).context("write", path)?));
    fill(&mut archive).map_err(|error| at(path, error))?;
    let written = archive.finish().and_then(|mut out| Ok(out.flush()?));
    written.map_err(|error| at(path, error.into()))
}

/// Names the file that an archive could not be written to.
fn at(path: &Path, error: ImageError) -> ImageError {
    match error {
        ImageError::Archive(CpioError::Io(why)) => ImageError::io("write", path, why),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_told_from_what_stands_for_them() {
        for name in
            ["linux-image-6.1.0-56-cloud-amd64", "linux-image-unsigned-6.8.0-1-generic", "linux-modules-6.8.0-1"]
        {
            assert!(is_kernel_part(name), "{name}");
        }
        for name in ["linux-image-cloud-amd64", "linux-base", "linux-modules-extra-6.8.0", "kmod"] {
            assert!(!is_kernel_part(name), "{name}");
        }
    }
}
