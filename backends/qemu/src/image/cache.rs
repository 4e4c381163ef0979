//! Where images are kept: each in a directory named by all that went in, which is there whole or not at all.
//!
//! ```text
//! images/linux-3f09…/      an entry: manifest.json, and the files that it lists with their digests
//! images/.current-linux-1  leads to the entry that is used; the number is this builder's
//! images/.lock-linux       held while an entry of this kind is made
//! packages/                packages as they were fetched
//! ```
//!
//! An entry's files are checked against their digests when they changed since the last check, by the file system's record: a
//! whole check of 60 MB at each start would cost more than a guest's boot from a template.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::{Context, ImageError};
use super::packages::hex;
use super::{BUILDER, Kind};

/// Larger ones are not read: a manifest takes some hundred bytes.
const MAX_MANIFEST: u64 = 1 << 20;

const MANIFEST: &str = "manifest.json";

/// What the files looked like when their digests were last compared.
const CHECKED: &str = ".checked";

/// What is known of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// What it is an image of.
    pub kind: String,
    /// Which version of the builder made it.
    pub builder: u32,
    /// The kernel's version, as `uname -r` says it.
    pub kernel_version: String,
    /// What it was made of: name, version and digest of each package.
    pub packages: Vec<PackageLine>,
    /// Its files.
    pub files: BTreeMap<String, FileLine>,
}

/// A package that an image was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageLine {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The digest of its file.
    pub digest: String,
}

/// A file of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileLine {
    /// In bytes.
    pub size: u64,
    /// Of its content.
    pub sha256: String,
}

/// An image in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its directory.
    pub dir: PathBuf,
    /// What is known of it.
    pub manifest: Manifest,
}

impl Entry {
    /// The path of one of its files, if it has it.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<PathBuf> {
        self.manifest.files.contains_key(name).then(|| self.dir.join(name))
    }

    /// The size of all its files.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.manifest.files.values().map(|file| file.size).sum()
    }

    /// Whether all of its files are there and hold what they held when they were made.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        is_whole(self)
    }
}

/// The cache of one user.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// The cache that the environment names: `$PROVIUM_CACHE`, or `provium` below `$XDG_CACHE_HOME` or `~/.cache`.
    pub fn from_environment() -> Result<Cache, ImageError> {
        Cache::locate(|name| std::env::var_os(name).map(PathBuf::from))
    }

    fn locate(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Cache, ImageError> {
        // A relative path would be another cache in each directory; the standard for $XDG_CACHE_HOME says to ignore it.
        let absolute = |name| variable(name).filter(|path| path.is_absolute());
        let root = absolute("PROVIUM_CACHE")
            .or_else(|| absolute("XDG_CACHE_HOME").map(|dir| dir.join("provium")))
            .or_else(|| absolute("HOME").map(|dir| dir.join(".cache/provium")))
            .ok_or(ImageError::NoCache)?;
        Ok(Cache { root })
    }

    /// A cache in this directory.
    #[must_use]
    pub fn at(root: PathBuf) -> Cache {
        Cache { root }
    }

    /// Its directory, which need not be there.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where fetched packages are kept.
    pub(super) fn packages(&self) -> PathBuf {
        self.root.join("packages")
    }

    /// Where entries are.
    pub(super) fn images(&self) -> PathBuf {
        self.root.join("images")
    }

    /// The entry of this kind that is used, if there is one and it is whole.
    #[must_use]
    pub fn current(&self, kind: Kind) -> Option<Entry> {
        let name = fs::read_link(self.pointer(kind)).ok()?;
        let mut parts = name.components();
        // The pointer leads to a neighbour; anything else is not ours.
        let (Some(Component::Normal(name)), None) = (parts.next(), parts.next()) else { return None };
        let entry = self.entry(Path::new(name)).filter(|entry| entry.manifest.builder == BUILDER)?;
        is_whole(&entry).then_some(entry)
    }

    /// The entry of this kind and key, if it is there and whole.
    pub(super) fn keyed(&self, kind: Kind, key: &str) -> Option<Entry> {
        self.entry(Path::new(&entry_name(kind, key))).filter(is_whole)
    }

    /// All entries, whole or not, by name.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let Ok(folder) = fs::read_dir(self.images()) else { return Vec::new() };
        // Names with a dot are pointers to entries, and entries that are being made.
        let names =
            folder.flatten().map(|item| item.file_name()).filter(|name| !name.to_string_lossy().starts_with('.'));
        let mut entries: Vec<Entry> = names.filter_map(|name| self.entry(Path::new(&name))).collect();
        entries.sort_by(|a, b| a.dir.cmp(&b.dir));
        entries
    }

    fn entry(&self, name: &Path) -> Option<Entry> {
        let dir = self.images().join(name);
        let manifest = read_manifest(&dir)?;
        Some(Entry { dir, manifest })
    }

    fn pointer(&self, kind: Kind) -> PathBuf {
        self.images().join(format!(".current-{}-{BUILDER}", kind.as_str()))
    }

    /// Waits until nobody else makes an image of this kind. Dropping the file lets the next one in.
    pub(super) fn lock(&self, kind: Kind, progress: &mut dyn FnMut(&str)) -> Result<File, ImageError> {
        let images = self.images();
        fs::create_dir_all(&images).context("make", &images)?;
        let path = images.join(format!(".lock-{}", kind.as_str()));
        let file = File::options().create(true).write(true).truncate(false).open(&path).context("open", &path)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => {
                progress("waiting for another provium that makes this image");
                file.lock().context("lock", &path)?;
                Ok(file)
            }
            Err(fs::TryLockError::Error(why)) => Err(ImageError::io("lock", &path, why)),
        }
    }

    /// A fresh directory for an entry that is being made. What killed makers left is removed: the lock is held.
    pub(super) fn fresh(&self, kind: Kind) -> Result<tempfile::TempDir, ImageError> {
        let images = self.images();
        let prefix = format!(".new-{}-", kind.as_str());
        for item in fs::read_dir(&images).context("read", &images)?.flatten() {
            // The next dash ends the kind: `linux` is not `linux-qga`.
            let ours = item
                .file_name()
                .to_str()
                .and_then(|name| name.strip_prefix(&prefix))
                .is_some_and(|rest| !rest.contains('-'));
            if ours {
                fs::remove_dir_all(item.path()).context("remove", &item.path())?;
            }
        }
        tempfile::Builder::new().prefix(&prefix).tempdir_in(&images).context("write in", &images)
    }

    /// Makes the files of a directory an entry, and the one that is used.
    pub(super) fn commit(
        &self,
        kind: Kind,
        key: &str,
        made: tempfile::TempDir,
        manifest: Manifest,
    ) -> Result<Entry, ImageError> {
        let text = serde_json::to_string_pretty(&manifest).map_err(io::Error::other);
        let file = made.path().join(MANIFEST);
        text.and_then(|text| fs::write(&file, text)).context("write", &file)?;
        open_to_all(made.path())?;
        let dir = self.images().join(entry_name(kind, key));
        // A damaged entry of the same key is in the way.
        if fs::symlink_metadata(&dir).is_ok() {
            fs::remove_dir_all(&dir).context("remove", &dir)?;
        }
        fs::rename(made.keep(), &dir).context("write", &dir)?;
        let entry = Entry { dir, manifest };
        stamp(&entry);
        self.use_entry(kind, key)?;
        Ok(entry)
    }

    /// Makes an entry the one that is used. Older ones are removed, but for the one that was used before: guests may be
    /// booting from it.
    pub(super) fn use_entry(&self, kind: Kind, key: &str) -> Result<(), ImageError> {
        let (pointer, name) = (self.pointer(kind), entry_name(kind, key));
        let before = fs::read_link(&pointer).ok();
        if before.as_deref() != Some(Path::new(&name)) {
            let new = self.images().join(format!(".new-current-{}", kind.as_str()));
            match fs::remove_file(&new) {
                Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(ImageError::io("remove", &new, why)),
                _ => {}
            }
            std::os::unix::fs::symlink(&name, &new).context("write", &new)?;
            fs::rename(&new, &pointer).context("write", &pointer)?;
        }
        self.prune(kind, before.as_deref());
        Ok(())
    }

    fn prune(&self, kind: Kind, before: Option<&Path>) {
        let Ok(folder) = fs::read_dir(self.images()) else { return };
        // Those of other builders too: two versions of provium may share a cache.
        let used: Vec<PathBuf> = folder
            .flatten()
            .filter(|item| item.file_name().to_string_lossy().starts_with(".current-"))
            .filter_map(|item| fs::read_link(item.path()).ok())
            .collect();
        for entry in self.entries() {
            let Some(name) = entry.dir.file_name().map(Path::new) else { continue };
            if entry.manifest.kind == kind.as_str() && !used.iter().any(|used| used == name) && before != Some(name) {
                // An entry that cannot be removed costs nothing but its space.
                let _ = fs::remove_dir_all(&entry.dir);
            }
        }
    }
}

fn entry_name(kind: Kind, key: &str) -> String {
    format!("{}-{key}", kind.as_str())
}

/// Directories of `tempfile` are for their owner alone; a cache may be shared.
fn open_to_all(dir: &Path) -> Result<(), ImageError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).context("write", dir)
}

fn read_manifest(dir: &Path) -> Option<Manifest> {
    let mut text = String::new();
    File::open(dir.join(MANIFEST)).ok()?.take(MAX_MANIFEST).read_to_string(&mut text).ok()?;
    let manifest: Manifest = serde_json::from_str(&text).ok()?;
    // Names are joined to the directory: one with a slash would lead out of it.
    manifest.files.keys().all(|name| !name.contains('/') && !name.starts_with('.')).then_some(manifest)
}

/// Whether all files are there and hold what they should.
fn is_whole(entry: &Entry) -> bool {
    let now = looks(entry);
    let Some(now) = now else { return false };
    if fs::read_to_string(entry.dir.join(CHECKED)).is_ok_and(|then| then == now) {
        return true;
    }
    let whole = entry
        .manifest
        .files
        .iter()
        .all(|(name, line)| describe(&entry.dir.join(name)).is_ok_and(|found| found == *line));
    if whole {
        stamp(entry);
    }
    whole
}

/// Notes that the files are whole as they are now. Without the note they are read again, so nothing is lost with it.
fn stamp(entry: &Entry) {
    if let Some(now) = looks(entry) {
        let _ = fs::write(entry.dir.join(CHECKED), now);
    }
}

/// What the file system says of the files, and of the manifest; none if one is missing or has another size.
fn looks(entry: &Entry) -> Option<String> {
    let mut text = String::new();
    let sizes = entry.manifest.files.iter().map(|(name, line)| (name.as_str(), Some(line.size)));
    for (name, size) in sizes.chain([(MANIFEST, None)]) {
        let found = fs::metadata(entry.dir.join(name)).ok().filter(|found| found.is_file())?;
        if size.is_some_and(|size| size != found.size()) {
            return None;
        }
        text.push_str(&format!("{name} {}\n", identity(&found)));
    }
    Some(text)
}

/// What changes whenever a file's content does, by the file system's record.
pub(super) fn identity(found: &fs::Metadata) -> String {
    format!(
        "{} {}.{:09} {}.{:09} {}:{}",
        found.size(),
        found.mtime(),
        found.mtime_nsec(),
        found.ctime(),
        found.ctime_nsec(),
        found.dev(),
        found.ino()
    )
}

/// Size and digest of a file.
pub(super) fn describe(path: &Path) -> io::Result<FileLine> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(FileLine { size, sha256: hex(&digest.finalize()) }),
            count => {
                digest.update(&buffer[..count]);
                size += count as u64;
            }
        }
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
