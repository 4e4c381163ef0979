//! What cases depend on: who the processes are, where their directory is, what the host can do.

use std::ffi::CString;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use libc::{F_ADD_SEALS, F_GET_SEALS, O_CREAT, O_DIRECTORY, O_TMPFILE};
use tempfile::TempDir;

use crate::generate::NOBODY;
use crate::intern;
use crate::op::{Op, P};

/// What a scratch directory's file system must have free: many times what a case can write.
const ROOM: u64 = 256 << 20;

/// Kernels from this one on have fchmodat2(2), and refuse O_CREAT with O_DIRECTORY.
const NEWEST_CALLS: (u32, u32) = (6, 6);

/// The largest offset on a disk: what file systems allow beyond differs.
const DISK_OFFSET: i64 = 1 << 40;

/// The file systems on disks that are taken: ext4, XFS, Btrfs and overlays of them.
const DISKS: [libc::__fsword_t; 4] = [0xef53, 0x5846_5342, 0x9123_683e, 0x794c_7630];

/// Linux's `TMPFS_MAGIC`.
const TMPFS: libc::__fsword_t = 0x0102_1994;

/// Ids of an ordinary user.
#[derive(Clone, Copy, Debug)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
    pub groups: &'static [u32],
}

/// What a case depends on besides its operations.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The permissions of the processes' directory.
    pub mode: u32,
    /// The processes' directory, as long as there are some.
    pub scratch: P,
    /// Whether it is on tmpfs, as which simulated file systems behave to the byte.
    pub in_memory: bool,
    /// Root has the directory as root directory; an ordinary user cannot, and stays inside by asking for
    /// nothing outside.
    pub user: Option<User>,
    pub protected_hardlinks: bool,
    pub protected_symlinks: bool,
    /// Whether a sticky directory means the same on both sides.
    sticky: bool,
    newest_calls: bool,
}

/// All settings that this host allows, and the directories that they are about.
pub struct Bench {
    pub settings: Vec<Settings>,
    _places: Vec<TempDir>,
}

impl Bench {
    pub fn of_host() -> Bench {
        let on = |name: &str| {
            let text = std::fs::read_to_string(format!("/proc/sys/fs/protected_{name}")).unwrap_or_default();
            text.trim() != "0" && !text.is_empty()
        };
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let mut numbers = release.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        let release = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        let base = Settings {
            mode: 0o777,
            scratch: "",
            in_memory: false,
            user: None,
            protected_hardlinks: on("hardlinks"),
            protected_symlinks: on("symlinks"),
            sticky: !on("regular") && !on("fifos"),
            newest_calls: release >= NEWEST_CALLS,
        };
        let mut bench = Bench { settings: Vec::new(), _places: Vec::new() };
        for (place, in_memory) in places() {
            let path = place.path().canonicalize().unwrap().join("s");
            let scratch = intern(path.to_str().expect("a temporary directory with a name in UTF-8"));
            for user in users() {
                bench.settings.push(Settings { scratch, in_memory, user, ..base });
            }
            bench._places.push(place);
        }
        assert!(!bench.settings.is_empty(), "neither tmpfs nor a known file system with room for the comparison");
        bench
    }
}

/// Everybody whom processes can start as.
fn users() -> Vec<Option<User>> {
    // SAFETY: asks for ids.
    let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
    if uid == 0 {
        let nobody = User { uid: NOBODY, gid: NOBODY, groups: &[] };
        return if is_real_root() { vec![None, Some(nobody)] } else { vec![Some(nobody)] };
    }
    let mut groups = vec![0; 1_024];
    // SAFETY: the buffer has the length that is said.
    let count = unsafe { libc::getgroups(1_024, groups.as_mut_ptr()) };
    groups.truncate(usize::try_from(count).unwrap_or(0));
    vec![Some(User { uid, gid, groups: groups.leak() })]
}

/// Whether user 0 may do all that root may with files: in a container it often may not.
fn is_real_root() -> bool {
    const CHOWN_TO_FSETID: u64 = 0b1_1111;
    const SETGID_SETUID: u64 = 0b1100_0000;
    const CHROOT: u64 = 1 << 18;
    const MKNOD: u64 = 1 << 27;
    // Without DAC_READ_SEARCH, which is all of the first that DAC_OVERRIDE does not include already.
    let wanted = CHOWN_TO_FSETID & !0b100 | SETGID_SETUID | CHROOT | MKNOD;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let held = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let held = held.and_then(|held| u64::from_str_radix(held.trim(), 16).ok()).unwrap_or(0);
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let all_users = map.split_whitespace().eq(["0", "0", "4294967295"]);
    held & wanted == wanted && all_users
}

/// One directory in memory and one on a disk, as far as there are any.
fn places() -> Vec<(TempDir, bool)> {
    let mut found: Vec<(TempDir, bool)> = Vec::new();
    for parent in [PathBuf::from("/dev/shm"), std::env::temp_dir(), PathBuf::from("/var/tmp")] {
        let Some(in_memory) = kind_of(&parent) else { continue };
        if found.iter().any(|(_, known)| *known == in_memory) || !others_reach(&parent) {
            continue;
        }
        let Ok(place) = tempfile::tempdir_in(&parent) else { continue };
        found.push((place, in_memory));
    }
    found
}

/// Whether a directory is on tmpfs; `None` if it is on what is not known, or has no room.
fn kind_of(path: &Path) -> Option<bool> {
    let path = CString::new(path.as_os_str().as_encoded_bytes()).ok()?;
    // SAFETY: the structure is made of numbers, and is filled by the call.
    let info = unsafe {
        let mut info: libc::statfs = std::mem::zeroed();
        (libc::statfs(path.as_ptr(), &mut info) == 0).then_some(info)
    }?;
    let kind = info.f_type;
    let room = u64::try_from(info.f_bsize).ok()?.saturating_mul(info.f_bavail);
    let known = kind == TMPFS || DISKS.contains(&kind);
    (known && room >= ROOM).then_some(kind == TMPFS)
}

/// Whether everybody may go through a directory and all above it.
fn others_reach(path: &Path) -> bool {
    path.ancestors().all(|part| std::fs::metadata(part).is_ok_and(|meta| meta.mode() & 1 != 0))
}

impl Settings {
    /// With other permissions of the processes' directory.
    pub fn with_mode(self, mode: u32) -> Settings {
        Settings { mode: self.plain(mode), ..self }
    }

    /// Permissions without what this host's settings change.
    fn plain(&self, mode: u32) -> u32 {
        if self.sticky { mode } else { mode & !0o1000 }
    }

    /// The operation without what the two sides do differently on purpose; `None` if nothing is left.
    pub fn allow(&self, op: Op) -> Option<Op> {
        let op = self.confine(op);
        let op = match op {
            Op::Mkdir(path, mode) => Op::Mkdir(path, self.plain(mode)),
            Op::MkdirAt(fd, path, mode) => Op::MkdirAt(fd, path, self.plain(mode)),
            Op::Chmod(_, _, flags) if flags != 0 && !self.newest_calls => return None,
            Op::Chmod(path, mode, flags) => Op::Chmod(path, self.plain(mode), flags),
            Op::Fchmod(fd, mode) => Op::Fchmod(fd, self.plain(mode)),
            // Newer kernels take this for a question about any lock at all.
            Op::Lock(fd, libc::F_OFD_GETLK, 2, whence, start, len) => {
                Op::Lock(fd, libc::F_OFD_GETLK, 1, whence, start, len)
            }
            Op::Open(_, flags, _) | Op::OpenAt(_, _, flags, _)
                if flags & (O_CREAT | O_DIRECTORY) == O_CREAT | O_DIRECTORY && !self.newest_calls =>
            {
                return None;
            }
            other => other,
        };
        if self.in_memory { Some(op) } else { allow_on_disk(op) }
    }

    /// Keeps an ordinary user's paths inside the directory.
    fn confine(&self, op: Op) -> Op {
        if self.user.is_none() {
            return op;
        }
        let inside = |path: P| {
            let parts: Vec<&str> = path.split('/').map(|part| if part == ".." { "." } else { part }).collect();
            let path = parts.join("/");
            if path.starts_with('/') { intern(&format!("{}{path}", self.scratch)) } else { intern(&path) }
        };
        op.with_paths(inside)
    }
}

/// What file systems on disks do as tmpfs does.
fn allow_on_disk(op: Op) -> Option<Op> {
    Some(match op {
        // How much can be allocated, and which file systems can do it and make nameless files, differs.
        Op::Fallocate(..) => return None,
        Op::Open(_, flags, _) | Op::OpenAt(_, _, flags, _) if flags & O_TMPFILE == O_TMPFILE => return None,
        // Only files in memory have seals at all.
        Op::Fcntl(_, F_GET_SEALS | F_ADD_SEALS, _) => return None,
        // Where data ends and a hole begins depends on blocks.
        Op::Seek(_, _, libc::SEEK_DATA | libc::SEEK_HOLE) => return None,
        Op::Seek(fd, offset, whence) => Op::Seek(fd, offset.min(DISK_OFFSET), whence),
        Op::Pread(fd, len, offset) => Op::Pread(fd, len, offset.min(DISK_OFFSET)),
        Op::Pwrite(fd, first, len, offset) => Op::Pwrite(fd, first, len, offset.min(DISK_OFFSET)),
        Op::Truncate(path, len) => Op::Truncate(path, len.min(DISK_OFFSET)),
        Op::Ftruncate(fd, len) => Op::Ftruncate(fd, len.min(DISK_OFFSET)),
        other => other,
    })
}

/// The processes' directory on the host.
pub struct Scratch {
    path: &'static Path,
}

impl Scratch {
    pub fn new(settings: &Settings) -> Scratch {
        let scratch = Scratch { path: Path::new(settings.scratch) };
        scratch.open_parent(true);
        std::fs::create_dir(scratch.path).unwrap();
        if let Some(user) = settings.user {
            std::os::unix::fs::chown(scratch.path, Some(user.uid), Some(user.gid)).unwrap();
        }
        std::fs::set_permissions(scratch.path, std::fs::Permissions::from_mode(settings.mode)).unwrap();
        scratch.open_parent(false);
        scratch
    }

    /// Processes can do nothing beside their directory.
    fn open_parent(&self, open: bool) {
        if let Some(parent) = self.path.parent() {
            let mode = if open { 0o755 } else { PARENT_MODE };
            std::fs::set_permissions(parent, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    }
}

/// The permissions of the directory that the processes' directory is in.
pub const PARENT_MODE: u32 = 0o555;

impl Drop for Scratch {
    fn drop(&mut self) {
        self.open_parent(true);
        open_directories(self.path);
        std::fs::remove_dir_all(self.path).unwrap();
    }
}

/// Makes directories removable that a process left without permissions.
fn open_directories(path: &Path) {
    if std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).is_err() {
        return;
    }
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_directories(&entry.path());
        }
    }
}
