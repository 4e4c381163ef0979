//! Gets packages of the distribution without installing them, and without root.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::apt::{Apt, run, shown};
use super::error::{Context, ImageError};

/// How the names of directories begin that packages are fetched into.
const FETCHING: &str = ".fetch-";

/// How old a file must be that is removed because nothing needs it.
const LEFT_ALONE: Duration = Duration::from_secs(24 * 3600);

/// A package, as the lists on this machine have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The name of its file.
    pub file: String,
    /// The size of its file.
    pub size: u64,
    /// The digest of its file, with the name of the digest before it.
    pub digest: String,
}

/// The distribution's packages, and a directory that keeps those that were fetched.
pub struct Packages {
    dir: PathBuf,
    apt: Apt,
}

impl Packages {
    /// Packages are kept in `dir`, which is made.
    pub fn new(dir: PathBuf) -> Result<Packages, ImageError> {
        fs::create_dir_all(&dir).context("make", &dir)?;
        Ok(Packages { apt: Apt::new(dir.clone()), dir })
    }

    /// What the lists say of packages. Needs no network.
    pub fn look_up(&self, names: &[String]) -> Result<Vec<Package>, ImageError> {
        let found = self.apt.look_up(names)?;
        let find = |name: &String| {
            found.get(name).cloned().ok_or_else(|| ImageError::Apt {
                package: name.clone(),
                detail: "`apt-get download --print-uris` does not name it".to_owned(),
            })
        };
        names.iter().map(find).collect()
    }

    /// The names of the packages that each package depends on, the first of each choice. Packages that are not there are
    /// left out. Needs no network.
    pub fn depends(&self, names: &[String]) -> Result<BTreeMap<String, Vec<String>>, ImageError> {
        self.apt.depends(names)
    }

    /// These packages and all that they depend on, as far as `follow` says so of a name; sorted.
    pub fn closure(&self, roots: &[&str], follow: impl Fn(&str) -> bool) -> Result<Vec<String>, ImageError> {
        let mut known: BTreeSet<String> = roots.iter().map(|name| (*name).to_owned()).collect();
        let mut open: Vec<String> = known.iter().cloned().collect();
        while !open.is_empty() {
            let found = self.depends(&open)?;
            // A package that only others provide is none; one that was asked for by name has to be there.
            let missing = |name: &&String| !found.contains_key(*name);
            if let Some(root) = open.iter().filter(missing).find(|name| roots.contains(&name.as_str())) {
                return Err(ImageError::PackageMissing(root.clone()));
            }
            known.retain(|name| !open.contains(name) || found.contains_key(name));
            let next: BTreeSet<String> =
                found.into_values().flatten().filter(|name| follow(name) && !known.contains(name)).collect();
            known.extend(next.iter().cloned());
            open = next.into_iter().collect();
        }
        Ok(known.into_iter().collect())
    }

    /// The files of packages, in order, fetched unless they are here already.
    pub fn fetch(&self, packages: &[Package], progress: &mut dyn FnMut(&str)) -> Result<Vec<PathBuf>, ImageError> {
        let mut missing = Vec::new();
        for package in packages {
            if !is_whole(&self.dir.join(&package.file), package)? {
                missing.push(package);
            }
        }
        if !missing.is_empty() {
            progress(&format!(
                "fetching {} ({})",
                match missing[..] {
                    [one] => format!("{} {}", one.name, one.version),
                    _ => format!("{} packages", missing.len()),
                },
                mebibytes(missing.iter().map(|package| package.size).sum())
            ));
            self.download(&missing)?;
        }
        Ok(packages.iter().map(|package| self.dir.join(&package.file)).collect())
    }

    fn download(&self, packages: &[&Package]) -> Result<(), ImageError> {
        // A directory of its own: whoever fetches the same package at the same time does not write into our file.
        let own = tempfile::Builder::new().prefix(FETCHING).tempdir_in(&self.dir).context("write in", &self.dir)?;
        self.apt.download(packages, own.path())?;
        for package in packages {
            let (fetched, path) = (own.path().join(&package.file), self.dir.join(&package.file));
            if !is_whole(&fetched, package)? {
                return Err(ImageError::PackageDamaged { package: package.name.clone() });
            }
            fs::rename(&fetched, &path).context("write", &path)?;
        }
        Ok(())
    }

    /// Removes the files of packages that no image was made of, and what killed fetchers left, if they are older than a day:
    /// younger ones may belong to an image that is being made.
    pub fn prune(&self, used: &BTreeSet<(String, String)>) {
        let Ok(folder) = fs::read_dir(&self.dir) else { return };
        for item in folder.flatten() {
            let name = item.file_name().to_string_lossy().into_owned();
            let ours = match name_and_version(&name) {
                Some(package) => !used.contains(&package),
                None => name.starts_with(FETCHING),
            };
            let age = item.metadata().and_then(|found| found.modified()).ok().and_then(|then| then.elapsed().ok());
            if ours && age.is_some_and(|age| age > LEFT_ALONE) {
                // What cannot be removed costs nothing but its space.
                let path = item.path();
                let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            }
        }
    }

    /// Unpacks a package's file into a directory.
    pub fn unpack(&self, package: &Package, file: &Path, into: &Path) -> Result<(), ImageError> {
        let (from, to) = (file.to_string_lossy(), into.to_string_lossy());
        let output = run(Command::new("dpkg-deb").args(["--extract", &from, &to]), "dpkg-deb", into)?;
        if output.status.success() {
            return Ok(());
        }
        let detail = shown(&output);
        if detail.contains("No space left") {
            return Err(ImageError::DiskFull(into.to_owned()));
        }
        Err(ImageError::Unpack { package: package.name.clone(), detail })
    }
}

/// Whether the file is there and is what the lists promise.
fn is_whole(path: &Path, package: &Package) -> Result<bool, ImageError> {
    let content = match fs::read(path) {
        Ok(content) => content,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(why) => return Err(ImageError::io("read", path, why)),
    };
    if content.len() as u64 != package.size {
        return Ok(false);
    }
    Ok(match package.digest.strip_prefix("SHA256:") {
        Some(expected) => hex(&Sha256::digest(&content)) == expected,
        // apt itself has checked it against another digest.
        None => true,
    })
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A size for people.
pub fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) >> 20;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

/// What a file's name says of its package: `NAME_VERSION_ARCHITECTURE.deb`, the version's colon written as `%3a`.
pub fn name_and_version(file: &str) -> Option<(String, String)> {
    let mut parts = file.strip_suffix(".deb")?.split('_');
    let (name, version) = (parts.next()?, parts.next()?);
    let good = !file.contains('/') && !file.starts_with('.') && !name.is_empty();
    good.then(|| (name.to_owned(), version.replace("%3a", ":")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_that_nothing_was_made_of_are_removed_in_time() {
        let dir = tempfile::tempdir().expect("a directory");
        let packages = Packages::new(dir.path().to_owned()).expect("writable");
        let old = std::time::SystemTime::now() - 2 * LEFT_ALONE;
        for (name, age) in
            [("a_1%3a1_amd64.deb", old), ("a_1%3a0_amd64.deb", old), ("b_1_all.deb", std::time::SystemTime::now())]
        {
            let file = fs::File::create(dir.path().join(name)).expect("writable");
            file.set_modified(age).expect("writable");
        }
        let left = dir.path().join(".fetch-x");
        fs::create_dir(&left).expect("writable");
        fs::File::open(&left).and_then(|dir| dir.set_modified(old)).expect("writable");
        fs::write(dir.path().join("notes"), "somebody's own").expect("writable");
        packages.prune(&BTreeSet::from([("a".to_owned(), "1:1".to_owned())]));
        let names: BTreeSet<String> = fs::read_dir(dir.path())
            .expect("there")
            .flatten()
            .map(|item| item.file_name().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["a_1%3a1_amd64.deb", "b_1_all.deb", "notes"]);
    }

    #[test]
    fn what_is_damaged_is_not_whole() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.deb");
        let package = |digest: &str| Package {
            name: "a".to_owned(),
            version: "1".to_owned(),
            file: "a.deb".to_owned(),
            size: 3,
            digest: digest.to_owned(),
        };
        let of_abc = format!("SHA256:{}", hex(&Sha256::digest(b"abc")));
        assert!(!is_whole(&path, &package(&of_abc)).expect("readable"), "it is not there");
        for (content, whole) in [("ab", false), ("abd", false), ("abc", true)] {
            fs::write(&path, content).expect("written");
            assert_eq!(is_whole(&path, &package(&of_abc)).expect("readable"), whole);
        }
        assert_eq!(mebibytes(26_713_492), "25.4 MiB");
    }
}
