//! All templates of a cache directory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::files::{self, Stamp};
use super::{Template, TemplateKey};
use crate::machine::Machine;
use crate::machine::error::MachineError;

/// All templates together take at most so much of the disk: two dozen of the usual 80 MiB. The one that was used least
/// recently goes first.
pub const TEMPLATES_LIMIT: u64 = 2 << 30;
/// How often a lock that another process has is tried again. Whoever waits for one waits for a boot.
const LOCK_POLL: Duration = Duration::from_millis(20);
/// A template that is being written: it has not got its name yet.
const UNFINISHED: &str = ".unfinished";
const LOCK: &str = ".lock";
/// A template that is being removed, or whose remover was killed.
const REMOVED: &str = ".removed";

/// Where templates are kept.
#[derive(Debug, Clone)]
pub struct TemplateStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    limit: u64,
    /// What this process has read as a whole and found good.
    trusted: Mutex<BTreeMap<String, Stamp>>,
}

/// The right to make one template. Others who want the same wait; it ends when it is dropped.
#[derive(Debug)]
pub struct TemplateLock {
    key: TemplateKey,
    _file: File,
}

impl TemplateStore {
    /// The templates in this folder, which is made when it is missing.
    pub fn open(folder: impl Into<PathBuf>, limit: u64) -> Result<Self, MachineError> {
        let folder = folder.into();
        let what = format!("the folder {} for saved machines", folder.display());
        // Nobody else's business: a guest's memory may hold anything.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(MachineError::template(what))?;
        Ok(Self { shared: Arc::new(Shared { folder, limit, trusted: Mutex::default() }) })
    }

    /// The template of this key, if it is there and whole.
    pub async fn find(&self, key: &TemplateKey) -> Result<Option<Template>, MachineError> {
        let (shared, key) = (self.shared.clone(), key.clone());
        blocking(move || shared.find(&key)).await
    }

    /// The template of this key: the one that is there, or one of the machine that `make` boots. Of all that want the same
    /// at once, in whichever processes, one makes it, and the others wait for it. The saved machine is ended. As long as
    /// it is saved, its agent link should be held: a guest that is saved with a link that was closed finds it closed when
    /// it goes on.
    pub async fn find_or_make<E: From<MachineError>>(
        &self,
        key: &TemplateKey,
        make: impl AsyncFnOnce() -> Result<Machine, E>,
    ) -> Result<Template, E> {
        if let Some(template) = self.find(key).await? {
            return Ok(template);
        }
        let lock = self.lock(key).await?;
        if let Some(template) = self.find(key).await? {
            return Ok(template);
        }
        let machine = make().await?;
        let template = self.save(&lock, &machine).await?;
        machine.kill().await;
        Ok(template)
    }

    /// Removes a template that does not do what it should, so that the next who wants it makes another. Those who have it
    /// open keep it.
    pub async fn forget(&self, key: &TemplateKey) -> Result<(), MachineError> {
        let folder = self.shared.folder.join(key.id());
        let what = format!("can't remove {}", folder.display());
        blocking(move || remove(&folder).map_err(MachineError::template(what))).await
    }

    /// Waits until nobody else makes the template of this key. What they made is found by [`TemplateStore::find`] then.
    pub async fn lock(&self, key: &TemplateKey) -> Result<TemplateLock, MachineError> {
        let path = self.shared.folder.join(format!("{}{LOCK}", key.id()));
        let what = || MachineError::template(format!("the lock {}", path.display()));
        let file = File::options().create(true).append(true).open(&path).map_err(what())?;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(TemplateLock { key: key.clone(), _file: file }),
                Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => {}
                Err(error) => return Err(what()(error.into())),
            }
            tokio::time::sleep(LOCK_POLL).await;
        }
    }

    /// Saves a machine as the template of the lock's key, in place of one that is there. The machine stands still
    /// afterwards: it may go on with [`Machine::resume`].
    pub async fn save(&self, lock: &TemplateLock, machine: &Machine) -> Result<Template, MachineError> {
        let cannot = |why: &str| machine.cannot("saved as a template", why);
        let memory = machine.memory.as_ref().ok_or_else(|| cannot("it was not made to be saved"))?;
        let memory = memory.try_clone().map_err(MachineError::template("a copy of a descriptor"))?;
        let state = files::anonymous().map_err(MachineError::template("a file for the state of the devices"))?;
        let copy = state.try_clone().map_err(MachineError::template("a copy of a descriptor"))?;
        machine.save_devices(copy).await?;
        let (shared, key) = (self.shared.clone(), lock.key.clone());
        let memory_mib = machine.spec().memory_mib;
        let console = machine.console().log().bytes;
        let found = blocking(move || {
            shared.put(&key, |folder| files::write(folder, key.text(), memory_mib, &memory, &state, &console))?;
            shared.find(&key)
        })
        .await?;
        found.ok_or_else(|| cannot("what was written can't be read again"))
    }
}

/// Files are read and written on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MachineError> + Send + 'static,
) -> Result<T, MachineError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(MachineError::template("the work on saved machines")(io::Error::other(error))),
    }
}

impl Shared {
    fn find(&self, key: &TemplateKey) -> Result<Option<Template>, MachineError> {
        let folder = self.folder.join(key.id());
        let trusted = self.trusted.lock().unwrap_or_else(PoisonError::into_inner).get(key.id()).cloned();
        let found = files::open(&folder, key.id(), key.text(), trusted.as_ref())
            .map_err(MachineError::template(format!("the saved machine {}", folder.display())))?;
        let Some((parts, stamp)) = found else { return Ok(None) };
        self.trusted.lock().unwrap_or_else(PoisonError::into_inner).insert(key.id().to_owned(), stamp);
        // Where the date can't be set, the template goes earlier when room is needed.
        let _ = files::touch(&folder);
        Ok(Some(Template { parts: Arc::new(parts) }))
    }

    /// Makes a template's folder with all that `write` puts there, or nothing.
    fn put(&self, key: &TemplateKey, write: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), MachineError> {
        let folder = self.folder.join(key.id());
        let unfinished = self.folder.join(format!("{}{UNFINISHED}", key.id()));
        let failed = |source| MachineError::Template { what: format!("can't write {}", folder.display()), source };
        // Left by someone who was killed while it had the lock that we have now.
        remove(&unfinished).map_err(failed)?;
        let written = fs::DirBuilder::new().mode(0o700).create(&unfinished).and_then(|()| write(&unfinished));
        let placed = written.and_then(|()| {
            remove(&folder)?;
            fs::rename(&unfinished, &folder)
        });
        if placed.is_err() {
            // The first error counts.
            let _ = remove(&unfinished);
        }
        placed.map_err(failed)?;
        self.trim(key.id());
        Ok(())
    }

    /// Removes what was used least recently until the limit is kept. Those who have a template open keep it.
    fn trim(&self, keep: &str) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let (removed, others): (Vec<_>, Vec<_>) =
            folders.map(|entry| entry.path()).partition(|path| path.to_string_lossy().ends_with(REMOVED));
        for path in removed {
            // Another may be at it right now.
            let _ = fs::remove_dir_all(path);
        }
        let mut all: Vec<_> =
            others.into_iter().filter_map(|path| Some((files::used(&path)?, files::size(&path), path))).collect();
        all.sort();
        let mut total: u64 = all.iter().map(|(_, size, _)| size).sum();
        for (_, size, path) in all {
            let unfinished = path.to_string_lossy().ends_with(UNFINISHED);
            if total > self.limit && !path.ends_with(keep) && !unfinished && remove(&path).is_ok() {
                total -= size;
            }
        }
    }
}

/// Removes a folder that may be there. It loses its name first: nobody sees half of it.
fn remove(folder: &Path) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let gone = folder.with_extension(format!("{}-{count}{REMOVED}", std::process::id()));
    match fs::rename(folder, &gone) {
        Ok(()) => fs::remove_dir_all(&gone),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
