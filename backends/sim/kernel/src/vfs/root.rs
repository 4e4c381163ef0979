//! The tree of a guest at boot.

use std::collections::BTreeMap;
use std::rc::Rc;

use provium_protocol::Errno;

use super::device::DEVICES;
use super::fs::{FsKind, MemoryFs, ROOT_INO};
use super::inode::{Inode, InodeKind, NodeId};
use super::mount::{Loc, Mount};
use crate::kernel::Kernel;
use crate::program::{ProgramTable, executable};

/// Directories with their permissions, parents first.
const DIRECTORIES: &[(&str, u32)] = &[
    ("/bin", 0o755),
    ("/sbin", 0o755),
    ("/usr", 0o755),
    ("/usr/bin", 0o755),
    ("/usr/sbin", 0o755),
    ("/usr/local", 0o755),
    ("/usr/local/bin", 0o755),
    ("/etc", 0o755),
    ("/dev", 0o755),
    ("/proc", 0o555),
    ("/sys", 0o555),
    ("/tmp", 0o1777),
    ("/root", 0o700),
    ("/home", 0o755),
    ("/home/user", 0o755),
    ("/run", 0o755),
    ("/mnt", 0o755),
    ("/var", 0o755),
    ("/var/tmp", 0o1777),
    ("/var/log", 0o755),
    ("/lib", 0o755),
];

const FILES: &[(&str, &str)] = &[
    (
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nuser:x:1000:1000:user:/home/user:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    ),
    ("/etc/group", "root:x:0:\ndaemon:x:1:\nuser:x:1000:\nnogroup:x:65534:\n"),
    ("/etc/os-release", "NAME=\"provium simulated guest\"\nID=provium\n"),
    ("/etc/shells", "/bin/sh\n"),
];

const LINKS: &[(&str, &str)] = &[
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/etc/mtab", "/proc/self/mounts"),
];

/// A file system in memory as it is at boot: made once, then copied for every guest (its inodes are
/// shared until one is written).
#[derive(Clone)]
pub struct RootTree {
    fs: MemoryFs,
    dev: MemoryFs,
}

impl RootTree {
    /// The tree with the executables of these programs.
    #[must_use]
    pub fn new(programs: &ProgramTable, limit: u64, now: i64) -> RootTree {
        let mut builder = Builder { fs: MemoryFs::new(limit, 0o755, now), now };
        for (path, perm) in DIRECTORIES {
            builder.directory(path, *perm);
        }
        for (path, content) in FILES {
            builder.file(path, content.as_bytes(), 0o644);
        }
        for (path, name) in programs.paths() {
            builder.file(path, &executable(name), 0o755);
        }
        for (path, target) in LINKS.iter().filter(|(path, _)| !path.starts_with("/dev")) {
            builder.add(path, InodeKind::Symlink(Rc::from(target.as_bytes())), 0o777);
        }
        if let Some(home) = builder.find("/home/user").and_then(|ino| builder.fs.get_mut(ino)) {
            (home.uid, home.gid) = (1000, 1000);
        }
        let mut dev = Builder { fs: MemoryFs::new(limit, 0o755, now), now };
        for (name, _, perm, major, minor) in DEVICES {
            dev.add(&format!("/{name}"), InodeKind::CharDevice(*major, *minor), *perm);
        }
        for (path, target) in LINKS.iter().filter_map(|(path, target)| Some((path.strip_prefix("/dev")?, target))) {
            dev.add(path, InodeKind::Symlink(Rc::from(target.as_bytes())), 0o777);
        }
        dev.directory("/shm", 0o1777);
        RootTree { fs: builder.fs, dev: dev.fs }
    }
}

struct Builder {
    fs: MemoryFs,
    now: i64,
}

impl Builder {
    fn find(&self, path: &str) -> Option<u64> {
        path.split('/').filter(|name| !name.is_empty()).try_fold(ROOT_INO, |dir, name| match &self.fs.get(dir)?.kind {
            InodeKind::Directory { entries, .. } => entries.get(name.as_bytes()).copied(),
            _ => None,
        })
    }

    fn add(&mut self, path: &str, kind: InodeKind, perm: u32) {
        let Some((parent, name)) = path.rsplit_once('/') else { return };
        let Some(dir) = self.find(parent) else { return };
        let is_dir = matches!(kind, InodeKind::Directory { .. });
        let kind = match kind {
            InodeKind::Directory { entries, .. } => InodeKind::Directory { entries, parent: dir },
            other => other,
        };
        let now = self.now;
        let nlink = if is_dir { 2 } else { 1 };
        let inode =
            Inode { kind, perm, uid: 0, gid: 0, nlink, holds: 0, nameless: false, atime: now, mtime: now, ctime: now };
        let Ok(ino) = self.fs.insert(inode) else { return };
        if let Some(parent) = self.fs.get_mut(dir) {
            if is_dir {
                parent.nlink += 1;
            }
            if let InodeKind::Directory { entries, .. } = &mut parent.kind {
                entries.insert(name.as_bytes().to_vec(), ino);
            }
        }
    }

    fn directory(&mut self, path: &str, perm: u32) {
        self.add(path, InodeKind::Directory { entries: BTreeMap::new(), parent: ROOT_INO }, perm);
    }

    fn file(&mut self, path: &str, content: &[u8], perm: u32) {
        let mut data = super::data::FileData::default();
        data.write(0, content);
        if self.fs.charge(data.pages()).is_ok() {
            self.add(path, InodeKind::File(data), perm);
        }
    }
}

impl Kernel {
    /// Puts the tree of boot into a fresh kernel and mounts `/dev` and `/proc`.
    pub(crate) fn mount_root(&mut self, tree: RootTree) -> Result<(), Errno> {
        let root = self.add_filesystem(FsKind::Memory(tree.fs), "tmpfs");
        let source = b"rootfs".to_vec();
        let target = b"/".to_vec();
        self.attach(Mount { root: NodeId { fs: root, ino: ROOT_INO }, at: None, source, target, read_only: false });
        let dev = self.add_filesystem(FsKind::Memory(tree.dev), "devtmpfs");
        let hidden = MemoryFs::new(self.memory / 2, 0o700, self.realtime());
        self.memfd_fs = self.add_filesystem(FsKind::Memory(hidden), "tmpfs");
        self.proc_fs = self.add_filesystem(FsKind::Proc, "proc");
        for (fs, name) in [(dev, "dev"), (self.proc_fs, "proc")] {
            let root = Loc { mount: 0, node: NodeId { fs: root, ino: ROOT_INO } };
            let node = self.lookup(root.node, name.as_bytes())?.ok_or(Errno::ENOENT)?;
            let source = if name == "dev" { "devtmpfs" } else { "proc" };
            self.attach(Mount {
                root: NodeId { fs, ino: ROOT_INO },
                at: Some(Loc { mount: 0, node }),
                source: source.as_bytes().to_vec(),
                target: format!("/{name}").into_bytes(),
                read_only: false,
            });
        }
        Ok(())
    }

    /// Makes or replaces a file as root, its missing directories too: for boot files and programs.
    pub fn put_file(&mut self, path: &[u8], content: &[u8], perm: u32) -> Result<(), Errno> {
        super::path::check_path(path)?;
        let mut dir = self.root_loc();
        let mut names: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).collect();
        let name = names.pop().ok_or(Errno::EISDIR)?;
        for name in names {
            dir = match self.walk(1, crate::flags::AT_FDCWD, &[&self.path_of(dir)[..], b"/", name].concat(), true)? {
                super::path::Walk::Found { loc, .. } if self.is_dir(loc.node) => loc,
                super::path::Walk::Missing { dir, name, .. } => {
                    let kind = InodeKind::Directory { entries: BTreeMap::new(), parent: dir.node.ino };
                    let node = self.create(1, dir, name, kind, 0o755)?;
                    Loc { mount: dir.mount, node }
                }
                _ => return Err(Errno::ENOTDIR),
            };
        }
        let node = match self.lookup(dir.node, name)? {
            Some(node) => node,
            None => self.create(1, dir, name.to_vec(), InodeKind::File(Default::default()), perm)?,
        };
        self.set_len(node, 0)?;
        if self.write_file(node, content, 0)? < content.len() {
            return Err(Errno::ENOSPC);
        }
        self.inode_mut(node)?.perm = perm & 0o7777;
        Ok(())
    }
}
