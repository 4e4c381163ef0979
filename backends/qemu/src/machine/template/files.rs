//! The files of one template.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Parts;
use super::pages;

const MEMORY: &str = "memory";
const STATE: &str = "state";
const CONSOLE: &str = "console";
const MANIFEST: &str = "manifest.json";
/// A manifest is a kilobyte, most of it the key.
const MANIFEST_MOST: u64 = 1 << 20;
/// The state of the devices is half a megabyte, and disks that an own profile adds may need more.
const STATE_MOST: u64 = 256 << 20;
/// Nobody else's business: a guest's memory may hold anything.
const PRIVATE: u32 = 0o600;

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    /// All that the template was made of; another key never takes it, even under the same name.
    key: String,
    memory_mib: u64,
    memory: u32,
    state: (u64, u32),
    console: (u64, u32),
}

/// Tells whether a file is still the one that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp([(u64, u64, i64, i64); 2]);

impl Stamp {
    fn of(files: [&File; 2]) -> io::Result<Self> {
        let mut stamps = [(0, 0, 0, 0); 2];
        for (stamp, file) in stamps.iter_mut().zip(files) {
            let found = file.metadata()?;
            *stamp = (found.ino(), found.len(), found.mtime(), found.mtime_nsec());
        }
        Ok(Self(stamps))
    }
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(PRIVATE).open(path)
}

/// The same file with a place of its own to read and write at.
pub(super) fn reopen(file: &File) -> io::Result<File> {
    File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

fn all(file: &File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reopen(file)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The file that QEMU is to write the state of the devices to. It has no name.
pub(super) fn anonymous() -> io::Result<File> {
    let fd = rustix::fs::memfd_create("provium-state", rustix::fs::MemfdFlags::CLOEXEC)?;
    Ok(File::from(fd))
}

/// Writes a template into an empty folder; the manifest comes last.
pub(super) fn write(
    folder: &Path,
    key: &str,
    memory_mib: u64,
    memory: &OwnedFd,
    state: &File,
    console: &[u8],
) -> io::Result<()> {
    let memory_file = private(&folder.join(MEMORY))?;
    let memory_sum = pages::copy(memory, &memory_file, memory_mib << 20)?;
    let state = all(state, STATE_MOST)?;
    if state.len() as u64 >= STATE_MOST {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "the state of the devices is beyond all limits"));
    }
    let part = |name: &str, bytes: &[u8]| -> io::Result<(u64, u32)> {
        let mut file = private(&folder.join(name))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok((bytes.len() as u64, crc32c::crc32c(bytes)))
    };
    let manifest = Manifest {
        key: key.to_owned(),
        memory_mib,
        memory: memory_sum,
        state: part(STATE, &state)?,
        console: part(CONSOLE, console)?,
    };
    // Before the manifest says that all is there, all is there: also after the host lost its power.
    memory_file.sync_all()?;
    part(MANIFEST, &serde_json::to_vec_pretty(&manifest)?)?;
    Ok(())
}

/// Opens a template. `None` when there is none, or not the one that was meant, or it is not whole. What `trusted` names was
/// read as a whole before, by this process.
pub(super) fn open(folder: &Path, id: &str, key: &str, trusted: Option<&Stamp>) -> io::Result<Option<(Parts, Stamp)>> {
    let found = open_whole(folder, id, key, trusted);
    match found {
        // Missing, cut off, or no JSON.
        Err(error)
            if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof | ErrorKind::InvalidData) =>
        {
            Ok(None)
        }
        found => found,
    }
}

fn open_whole(folder: &Path, id: &str, key: &str, trusted: Option<&Stamp>) -> io::Result<Option<(Parts, Stamp)>> {
    let manifest_file = File::open(folder.join(MANIFEST))?;
    let manifest: Manifest = serde_json::from_slice(&all(&manifest_file, MANIFEST_MOST)?)
        .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    // QEMU opens it for writing, although it never writes to it.
    let memory = OpenOptions::new().read(true).write(true).open(folder.join(MEMORY))?;
    let state = File::open(folder.join(STATE))?;
    let console_file = File::open(folder.join(CONSOLE))?;
    let memory_size = manifest.memory_mib << 20;
    let (state_size, state_sum) = manifest.state;
    let (console_size, console_sum) = manifest.console;
    if manifest.key != key
        || memory.metadata()?.len() != memory_size
        || state.metadata()?.len() != state_size
        || state_size > STATE_MOST
        || console_file.metadata()?.len() != console_size
    {
        return Ok(None);
    }
    let console = all(&console_file, console_size)?;
    let stamp = Stamp::of([&memory, &state])?;
    if trusted != Some(&stamp)
        && (crc32c::crc32c(&console) != console_sum
            || crc32c::crc32c(&all(&state, state_size)?) != state_sum
            || pages::checksum(&memory, memory_size)? != manifest.memory)
    {
        return Ok(None);
    }
    let parts = Parts { id: id.to_owned(), memory_mib: manifest.memory_mib, memory, state, console };
    Ok(Some((parts, stamp)))
}

/// When a template was used last: the date of its manifest.
pub(super) fn used(folder: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(folder.join(MANIFEST)).and_then(|found| found.modified()).ok()
}

/// Notes that it is used now.
pub(super) fn touch(folder: &Path) -> io::Result<()> {
    File::open(folder.join(MANIFEST))?.set_modified(std::time::SystemTime::now())
}

/// How much disk a template takes: holes take none.
pub(super) fn size(folder: &Path) -> u64 {
    /// What `st_blocks` counts.
    const BLOCK: u64 = 512;
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|found| found.blocks() * BLOCK).sum()
}

/// Changes one byte of a template's file.
#[cfg(test)]
pub(super) fn damage(folder: &Path, name: &str, at: u64) {
    use std::os::unix::fs::FileExt;
    let file = OpenOptions::new().read(true).write(true).open(folder.join(name)).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}
