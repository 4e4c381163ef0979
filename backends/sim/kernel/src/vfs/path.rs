//! Path resolution, see path_resolution(7).

use provium_protocol::Errno;

use super::mount::Loc;
use super::perm::MAY_EXEC;
use super::proc;
use crate::flags::{AT_FDCWD, S_IFLNK, S_IFMT};
use crate::kernel::Kernel;
use crate::limits::{MAX_SYMLINKS, NAME_MAX, PATH_MAX};
use crate::types::{Fd, Pid};

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Walk {
    /// To something that is there.
    Found {
        /// Where it is.
        loc: Loc,
        /// The directory that holds it and its name there; `None` for `/`, `.` and `..` at the end.
        entry: Option<(Loc, Vec<u8>)>,
        /// Whether the path ends in a slash.
        slash: bool,
    },
    /// To a name that a directory does not have.
    Missing {
        /// The directory.
        dir: Loc,
        /// The name.
        name: Vec<u8>,
        /// Whether the path ends in a slash.
        slash: bool,
    },
    /// Through a link of `/proc/PID/fd` to an open file without a place in the tree.
    OpenFile(usize),
}

/// The last part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last<'a> {
    /// A name.
    Name(&'a [u8]),
    /// `.`
    Dot,
    /// `..`
    DotDot,
    /// Nothing but slashes.
    Root,
}

/// Where a path leads but for its last part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent<'a> {
    /// The directory.
    pub dir: Loc,
    /// What follows.
    pub last: Last<'a>,
    /// Whether the path ends in a slash.
    pub slash: bool,
}

impl Walk {
    /// The place, or `ENOENT`.
    pub fn found(&self) -> Result<Loc, Errno> {
        match self {
            Walk::Found { loc, .. } => Ok(*loc),
            Walk::Missing { .. } => Err(Errno::ENOENT),
            Walk::OpenFile(_) => Err(Errno::EINVAL),
        }
    }
}

/// `ENOENT`, `ENAMETOOLONG` or `EINVAL` for paths that lead nowhere by themselves.
pub fn check_path(path: &[u8]) -> Result<(), Errno> {
    if path.is_empty() {
        return Err(Errno::ENOENT);
    }
    if path.len() >= PATH_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    // A path with a NUL cannot reach a real kernel at all; a caller that hands one over is wrong.
    if path.contains(&0) {
        return Err(Errno::EINVAL);
    }
    Ok(())
}

impl Kernel {
    /// Where a relative path starts.
    pub(crate) fn base(&self, pid: Pid, dirfd: Fd) -> Result<Loc, Errno> {
        if dirfd == AT_FDCWD {
            return Ok(self.proc(pid)?.cwd);
        }
        let loc = self.file(self.file_id(pid, dirfd)?)?.loc.ok_or(Errno::ENOTDIR)?;
        if self.is_dir(loc.node) { Ok(loc) } else { Err(Errno::ENOTDIR) }
    }

    /// Resolves a path. `follow`: whether a symbolic link at its end is followed (it always is before a
    /// trailing slash).
    pub(crate) fn walk(&self, pid: Pid, dirfd: Fd, path: &[u8], follow: bool) -> Result<Walk, Errno> {
        check_path(path)?;
        let start = if path[0] == b'/' { self.proc(pid)?.root } else { self.base(pid, dirfd)? };
        let mut links = 0;
        self.walk_from(pid, start, path, follow, &mut links)
    }

    /// As `walk` to what must be there, and be a directory if there is a slash at the end.
    pub(crate) fn walk_found(&self, pid: Pid, dirfd: Fd, path: &[u8], follow: bool) -> Result<Loc, Errno> {
        match self.walk(pid, dirfd, path, follow)? {
            Walk::Found { loc, slash: true, .. } if !self.is_dir(loc.node) => Err(Errno::ENOTDIR),
            walk => walk.found(),
        }
    }

    /// Resolves all of a path but its last part. The directory is one, and may be searched.
    pub(crate) fn walk_parent<'a>(&self, pid: Pid, dirfd: Fd, path: &'a [u8]) -> Result<Parent<'a>, Errno> {
        check_path(path)?;
        let start = if path[0] == b'/' { self.proc(pid)?.root } else { self.base(pid, dirfd)? };
        let slash = path.last() == Some(&b'/');
        let Some(end) = path.iter().rposition(|byte| *byte != b'/') else {
            return Ok(Parent { dir: start, last: Last::Root, slash });
        };
        let begin = path[..end].iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        let (above, name) = (&path[..begin], &path[begin..=end]);
        let dir = match above.iter().all(|byte| *byte == b'/') {
            true => start,
            false => self.walk_from(pid, start, above, true, &mut 0)?.found()?,
        };
        if !self.is_dir(dir.node) {
            return Err(Errno::ENOTDIR);
        }
        self.check(pid, dir.node, MAY_EXEC)?;
        let last = match name {
            b"." => Last::Dot,
            b".." => Last::DotDot,
            name => Last::Name(name),
        };
        Ok(Parent { dir, last, slash })
    }

    /// What a name in a directory leads to, without following a link.
    pub(crate) fn child(&self, dir: Loc, name: &[u8]) -> Result<Option<Loc>, Errno> {
        if name.len() > NAME_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let node = self.lookup(dir.node, name)?;
        Ok(node.map(|node| self.cross_mounts(Loc { mount: dir.mount, node })))
    }

    fn walk_from(&self, pid: Pid, start: Loc, path: &[u8], follow: bool, links: &mut u32) -> Result<Walk, Errno> {
        let root = self.proc(pid)?.root;
        let mut at = if path.first() == Some(&b'/') { root } else { start };
        let mut entry = None;
        let mut slash = path.last() == Some(&b'/');
        let mut rest = path;
        loop {
            while let [b'/', tail @ ..] = rest {
                rest = tail;
            }
            if rest.is_empty() {
                return Ok(Walk::Found { loc: at, entry, slash });
            }
            let end = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
            let (name, tail) = rest.split_at(end);
            rest = tail;
            let last = rest.iter().all(|byte| *byte == b'/');
            if !self.is_dir(at.node) {
                return Err(Errno::ENOTDIR);
            }
            self.check(pid, at.node, MAY_EXEC)?;
            match name {
                b"." => {
                    entry = None;
                    continue;
                }
                b".." => {
                    // Nothing lies above the root that the process sees.
                    if at != root {
                        at = self.parent_of(at);
                    }
                    entry = None;
                    continue;
                }
                _ => {}
            }
            if name.len() > NAME_MAX {
                return Err(Errno::ENAMETOOLONG);
            }
            let Some(node) = self.lookup(at.node, name)? else {
                return if last {
                    Ok(Walk::Missing { dir: at, name: name.to_vec(), slash })
                } else {
                    Err(Errno::ENOENT)
                };
            };
            let child = self.cross_mounts(Loc { mount: at.mount, node });
            let is_link = child.node == node && self.stat_node(node)?.mode & S_IFMT == S_IFLNK;
            if !is_link || (last && !follow && !slash) {
                entry = Some((at, name.to_vec()));
                at = child;
                continue;
            }
            if last {
                self.check_symlink(pid, at.node, node)?;
            }
            *links += 1;
            if *links > MAX_SYMLINKS {
                return Err(Errno::ELOOP);
            }
            match self.follow(pid, at, child, links)? {
                Walk::Found { loc, entry: through, slash: directory } => {
                    entry = through;
                    at = loc;
                    // A slash at the end of what a link says asks for a directory too.
                    slash |= last && directory;
                }
                Walk::Missing { dir, name, slash: directory } if last => {
                    return Ok(Walk::Missing { dir, name, slash: slash || directory });
                }
                Walk::Missing { .. } => return Err(Errno::ENOENT),
                Walk::OpenFile(file) if last => return Ok(Walk::OpenFile(file)),
                Walk::OpenFile(_) => return Err(Errno::ENOTDIR),
            }
        }
    }

    fn follow(&self, pid: Pid, dir: Loc, link: Loc, links: &mut u32) -> Result<Walk, Errno> {
        if self.is_proc(link.node)
            && let Some(target) = proc::magic_link(self, link.node.ino, pid)?
        {
            return Ok(match target {
                proc::Magic::Place(loc) => Walk::Found { loc, entry: None, slash: false },
                proc::Magic::OpenFile(file) => Walk::OpenFile(file),
            });
        }
        let target = self.link_target(link.node, pid)?;
        if target.is_empty() {
            return Err(Errno::ENOENT);
        }
        self.walk_from(pid, dir, &target, true, links)
    }

    /// The path of a place from the root of the tree.
    pub(crate) fn path_of(&self, loc: Loc) -> Vec<u8> {
        self.path_below(loc, self.root_loc())
    }

    /// The path of a place from a root, as getcwd(2) says it.
    pub(crate) fn path_below(&self, mut loc: Loc, root: Loc) -> Vec<u8> {
        let mut parts: Vec<Vec<u8>> = Vec::new();
        while loc != root {
            // At the root of a mount the name is that of the mount point.
            let named = match self.mounts.get(&loc.mount) {
                Some(mount) if mount.root == loc.node => match mount.at {
                    Some(at) => at,
                    None => break,
                },
                _ => loc,
            };
            if named != loc && self.mounts.get(&named.mount).is_some_and(|mount| mount.root == named.node) {
                loc = named;
                continue;
            }
            let parent = self.parent_of(loc);
            match self.name_in(parent, named) {
                Some(name) => parts.push(name),
                None => {
                    parts.push(b"(unreachable)".to_vec());
                    break;
                }
            }
            loc = parent;
        }
        let mut path = Vec::new();
        for part in parts.iter().rev() {
            path.push(b'/');
            path.extend_from_slice(part);
        }
        if path.is_empty() { b"/".to_vec() } else { path }
    }

    pub(crate) fn name_in(&self, parent: Loc, child: Loc) -> Option<Vec<u8>> {
        let entries = self.entries(parent.node).ok()?;
        entries
            .into_iter()
            .find(|entry| entry.ino == child.node.ino && entry.name != b"." && entry.name != b"..")
            .map(|entry| entry.name)
    }
}
