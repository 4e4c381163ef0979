//! Copying files and trees: what `cp` does, and `mv` between file systems.
//!
//! A tree is worked off from a stack of its own, so its depth costs memory and not the host's stack.

mod attributes;
mod data;
mod existing;

use std::collections::{BTreeMap, BTreeSet};

use provium_kernel::flags::{O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_TRUNC, O_WRONLY};
use provium_kernel::{Errno, Stat};

use super::same::same_name;
use super::temp_name::random_name;
use crate::shared::mode::{S_IFIFO, S_IFLNK, S_IFMT, S_IFREG};
use crate::shared::path::join;
use crate::shared::tool::STDIN;
use crate::shared::{Exit, LineReader, Tool, quoteaf};
use attributes::Finish;
pub(super) use existing::Verdict;

/// Which symbolic links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follow {
    Never,
    Arguments,
    Always,
}

/// What happens to files that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overwrite {
    /// Overwritten without a question.
    Yes,
    /// Kept.
    No,
    /// The person is asked.
    Ask,
    /// `mv` without options: the person is asked about files that may not be written.
    AskIfProtected,
}

/// Whether runs of zeros become holes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sparse {
    Never,
    /// If the source has holes.
    Auto,
    Always,
}

/// What is copied beside the content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Preserve {
    pub(super) mode: bool,
    pub(super) ownership: bool,
    pub(super) timestamps: bool,
    pub(super) links: bool,
    /// `--no-preserve=mode`: new files get the permissions of new files.
    pub(super) no_mode: bool,
}

/// How to copy.
#[derive(Clone, Debug)]
pub(super) struct CopyOptions {
    pub(super) recursive: bool,
    /// Copies what devices and FIFOs give instead of making such files.
    pub(super) as_regular: bool,
    pub(super) follow: Follow,
    pub(super) overwrite: Overwrite,
    /// Removes what cannot be opened for writing and tries again.
    pub(super) force: bool,
    pub(super) remove_destination: bool,
    pub(super) update: bool,
    pub(super) verbose: bool,
    pub(super) hard_link: bool,
    pub(super) symbolic_link: bool,
    pub(super) one_file_system: bool,
    pub(super) attributes_only: bool,
    pub(super) sparse: Sparse,
    pub(super) preserve: Preserve,
    /// For `mv`: messages speak of moving.
    pub(super) moving: bool,
}

/// A run of `cp` or `mv`.
pub(super) struct Copier {
    pub(super) tool: Tool,
    pub(super) options: CopyOptions,
    input: LineReader,
    /// Where files with several names went, and directories made here: by device and inode.
    copied: BTreeMap<(u64, u64), Vec<u8>>,
    /// Names made in this run, if several sources could get the same.
    pub(super) made: Option<BTreeSet<Vec<u8>>>,
    /// Arguments so far: device, inode and name.
    sources: BTreeSet<(u64, u64, Vec<u8>)>,
    umask: Option<u32>,
    root: Option<bool>,
    /// The argument that is copied now, and where to.
    top: (Vec<u8>, Vec<u8>),
    top_made: bool,
}

/// What is to do, the next one last.
enum Work {
    Copy { source: Vec<u8>, target: Vec<u8>, argument: bool, new: bool, device: u64 },
    Finish(Finish),
}

impl Copier {
    pub(super) fn new(tool: Tool, options: CopyOptions) -> Copier {
        let input = LineReader::new(tool.sys.clone(), STDIN);
        Copier {
            tool,
            options,
            input,
            copied: BTreeMap::new(),
            made: None,
            sources: BTreeSet::new(),
            umask: None,
            root: None,
            top: (Vec::new(), Vec::new()),
            top_made: false,
        }
    }

    /// Whether an argument names what an earlier one named: it is passed over with a warning.
    pub(super) async fn is_repeated(&mut self, source: &[u8]) -> bool {
        if self.made.is_none() {
            return false;
        }
        let sys = &self.tool.sys;
        let looked = if self.follows(true) { sys.stat(source).await } else { sys.lstat(source).await };
        // What cannot be looked at is reported when it is copied.
        let Ok(stat) = looked else { return false };
        if self.sources.insert((stat.dev, stat.ino, crate::shared::path::base_name(source).to_vec())) {
            return false;
        }
        let what = if stat.is_dir() { "directory" } else { "file" };
        self.tool.error(format!("warning: source {what} {} specified more than once", quoteaf(source))).await;
        true
    }

    /// Copies an argument; whether all went well. `new` says that the target is known to be absent.
    pub(super) async fn copy(&mut self, source: &[u8], target: &[u8], new: bool) -> Result<bool, Exit> {
        self.top = (source.to_vec(), target.to_vec());
        self.top_made = false;
        let mut well = true;
        let first = Work::Copy { source: source.to_vec(), target: target.to_vec(), argument: true, new, device: 0 };
        let mut todo = vec![first];
        while let Some(work) = todo.pop() {
            well &= match work {
                Work::Copy { source, target, argument, new, device } => {
                    self.one(&source, &target, argument, new, device, &mut todo).await?
                }
                Work::Finish(finish) => self.finish(&finish).await,
            };
        }
        Ok(well)
    }

    async fn one(
        &mut self,
        source: &[u8],
        target: &[u8],
        argument: bool,
        mut new: bool,
        device: u64,
        todo: &mut Vec<Work>,
    ) -> Result<bool, Exit> {
        let follows = self.follows(argument);
        let sys = self.tool.sys.clone();
        let looked = if follows { sys.stat(source).await } else { sys.lstat(source).await };
        let stat = match looked {
            Ok(stat) => stat,
            Err(errno) => return Ok(self.failed(format!("cannot stat {}", quoteaf(source)), errno).await),
        };
        if stat.is_dir() && !self.options.recursive {
            self.tool.error(format!("-r not specified; omitting directory {}", quoteaf(source))).await;
            return Ok(false);
        }
        if !new {
            match self.existing(source, &stat, target).await? {
                Verdict::Absent => new = true,
                Verdict::Write => {}
                Verdict::Done(well) => return Ok(well),
            }
        }
        if !self.options.moving && self.options.verbose && !stat.is_dir() {
            self.say_copied(source, target).await?;
        }
        if let Some(made) = &mut self.made {
            made.insert(target.to_vec());
        }
        if let Some(well) = self.known(source, &stat, target, argument, new).await? {
            return Ok(well);
        }
        if self.options.moving && self.options.verbose && !stat.is_dir() {
            self.tool.out.write(format!("copied {} -> {}\n", quoteaf(source), quoteaf(target))).await?;
        }
        if stat.is_dir() {
            return self.directory(source, &stat, target, new, argument, device, todo).await;
        }
        let mut finish = Finish::new(target, stat, new);
        let made = if self.options.symbolic_link {
            self.symbolic_link(source, target).await
        } else if self.options.hard_link {
            return Ok(self.hard_link(source, target).await);
        } else {
            match stat.mode & S_IFMT {
                S_IFLNK => self.link_copy(source, target, &stat).await,
                S_IFREG => return Ok(self.regular(source, &stat, target, new, argument).await),
                _ if self.options.as_regular => {
                    return Ok(self.regular(source, &stat, target, new, argument).await);
                }
                S_IFIFO => {
                    let mode = stat.mode & !finish.omitted(&self.options.preserve);
                    self.special(target, sys.mknod(target, mode, 0).await, "fifo").await
                }
                _ => {
                    let mode = stat.mode & !finish.omitted(&self.options.preserve);
                    self.special(target, sys.mknod(target, mode, stat.rdev).await, "special file").await
                }
            }
        };
        if !made {
            return Ok(false);
        }
        finish.link = stat.is_symlink() || self.options.symbolic_link;
        if self.options.symbolic_link {
            return Ok(true);
        }
        Ok(self.finish(&finish).await)
    }

    pub(super) fn follows(&self, argument: bool) -> bool {
        match self.options.follow {
            Follow::Always => true,
            Follow::Arguments => argument,
            Follow::Never => false,
        }
    }

    /// Whether another name of the same file was copied already: then the copy gets another name too.
    async fn known(
        &mut self,
        source: &[u8],
        stat: &Stat,
        target: &[u8],
        argument: bool,
        new: bool,
    ) -> Result<Option<bool>, Exit> {
        let id = (stat.dev, stat.ino);
        let remembers = if stat.is_dir() { !argument } else { self.options.preserve.links && stat.nlink > 1 };
        let earlier = self.copied.get(&id).cloned();
        let Some(earlier) = earlier.filter(|_| remembers || stat.is_dir()) else {
            if remembers {
                self.copied.insert(id, target.to_vec());
            }
            return Ok(None);
        };
        if stat.is_dir() {
            if same_name(&self.tool.sys, source, &earlier).await {
                let (from, to) = (quoteaf(&self.top.0), quoteaf(&self.top.1));
                self.tool.error(format!("cannot copy a directory, {from}, into itself, {to}")).await;
                return Ok(Some(false));
            }
            if self.options.follow == Follow::Always {
                return Ok(None);
            }
            let (link, to) = (quoteaf(target), quoteaf(&earlier));
            self.tool.error(format!("will not create hard link {link} to directory {to}")).await;
            return Ok(Some(false));
        }
        if !new {
            let _gone = self.tool.sys.unlink(target).await;
        }
        if let Err(errno) = self.tool.sys.link(&earlier, target).await {
            let text = format!("cannot create hard link {} to {}", quoteaf(target), quoteaf(&earlier));
            return Ok(Some(self.failed(text, errno).await));
        }
        Ok(Some(true))
    }

    #[expect(clippy::too_many_arguments, reason = "what is known of one entry on the way")]
    async fn directory(
        &mut self,
        source: &[u8],
        stat: &Stat,
        target: &[u8],
        new: bool,
        argument: bool,
        device: u64,
        todo: &mut Vec<Work>,
    ) -> Result<bool, Exit> {
        let sys = self.tool.sys.clone();
        let mut finish = Finish::new(target, *stat, new);
        if new {
            let mode = stat.mode & 0o7777 & !finish.omitted(&self.options.preserve);
            if let Err(errno) = sys.mkdir(target, mode).await {
                return Ok(self.failed(format!("cannot create directory {}", quoteaf(target)), errno).await);
            }
            let made = match sys.lstat(target).await {
                Ok(made) => made,
                Err(errno) => return Ok(self.failed(format!("cannot stat {}", quoteaf(target)), errno).await),
            };
            if made.mode & 0o700 != 0o700 {
                finish.restore = Some(made.mode & 0o7777);
                if let Err(errno) = sys.chmod(target, made.mode & 0o7777 | 0o700).await {
                    return Ok(self.failed(format!("setting permissions for {}", quoteaf(target)), errno).await);
                }
            }
            if !self.top_made {
                self.top_made = true;
                self.copied.insert((made.dev, made.ino), target.to_vec());
            }
            if self.options.verbose {
                if self.options.moving {
                    self.tool.out.write(format!("created directory {}\n", quoteaf(target))).await?;
                } else {
                    self.say_copied(source, target).await?;
                }
            }
        }
        let stays = self.options.one_file_system && !argument && device != stat.dev;
        todo.push(Work::Finish(finish));
        if stays {
            return Ok(true);
        }
        let entries = match sys.read_dir(source).await {
            Ok(entries) => entries,
            Err(errno) => return Ok(self.failed(format!("cannot access {}", quoteaf(source)), errno).await),
        };
        for entry in entries.into_iter().rev() {
            todo.push(Work::Copy {
                source: join(source, &entry.name),
                target: join(target, &entry.name),
                argument: false,
                new,
                device: stat.dev,
            });
        }
        Ok(true)
    }

    async fn regular(&mut self, source: &[u8], stat: &Stat, target: &[u8], mut new: bool, argument: bool) -> bool {
        let sys = self.tool.sys.clone();
        let nofollow = if self.follows(argument) { 0 } else { O_NOFOLLOW };
        let from = match sys.open(source, O_RDONLY | nofollow, 0).await {
            Ok(fd) => fd,
            Err(errno) => return self.failed(format!("cannot open {} for reading", quoteaf(source)), errno).await,
        };
        let opened = match sys.fstat(from).await {
            Ok(opened) => opened,
            Err(errno) => {
                let _closed = sys.close(from).await;
                return self.failed(format!("cannot fstat {}", quoteaf(source)), errno).await;
            }
        };
        if (opened.dev, opened.ino) != (stat.dev, stat.ino) {
            let text = format!("skipping file {}, as it was replaced while being copied", quoteaf(source));
            self.tool.error(text).await;
            let _closed = sys.close(from).await;
            return false;
        }
        let finish = Finish::new(target, *stat, new);
        let mut to = Err(Errno::ENOENT);
        if !new {
            let truncate = if self.options.attributes_only { 0 } else { O_TRUNC };
            to = sys.open(target, O_WRONLY | truncate, 0).await;
            if to.is_err() && self.options.force {
                if let Err(errno) = sys.unlink(target).await
                    && errno != Errno::ENOENT
                {
                    let _closed = sys.close(from).await;
                    return self.failed(format!("cannot remove {}", quoteaf(target)), errno).await;
                }
                if self.options.verbose && self.tool.out.write(format!("removed {}\n", quoteaf(target))).await.is_err()
                {
                    return false;
                }
                new = true;
            }
        }
        if new {
            let mode = stat.mode & 0o777 & !finish.omitted(&self.options.preserve);
            to = sys.open(target, O_WRONLY | O_CREAT | O_EXCL, mode).await;
            if to == Err(Errno::EEXIST)
                && !self.options.moving
                && sys.lstat(target).await.is_ok_and(|stat| stat.is_symlink())
            {
                let _closed = sys.close(from).await;
                self.tool.error(format!("not writing through dangling symlink {}", quoteaf(target))).await;
                return false;
            }
            if to == Err(Errno::EISDIR) && target.ends_with(b"/") {
                to = Err(Errno::ENOTDIR);
            }
        }
        let to = match to {
            Ok(fd) => fd,
            Err(errno) => {
                let _closed = sys.close(from).await;
                return self.failed(format!("cannot create regular file {}", quoteaf(target)), errno).await;
            }
        };
        let mut well = self.options.attributes_only
            || data::copy(&self.tool, from, to, &opened, self.options.sparse, source, target).await;
        if well {
            well = self.finish_open(&Finish { new, ..finish }, to).await;
        }
        if let Err(errno) = sys.close(to).await {
            well = self.failed(format!("failed to close {}", quoteaf(target)), errno).await;
        }
        if let Err(errno) = sys.close(from).await {
            well = self.failed(format!("failed to close {}", quoteaf(source)), errno).await;
        }
        well
    }

    async fn special(&self, target: &[u8], made: Result<(), Errno>, what: &str) -> bool {
        match made {
            Ok(()) => true,
            Err(errno) => self.failed(format!("cannot create {what} {}", quoteaf(target)), errno).await,
        }
    }

    async fn link_copy(&self, source: &[u8], target: &[u8], stat: &Stat) -> bool {
        let sys = &self.tool.sys;
        let content = match sys.readlink(source).await {
            Ok(content) => content,
            Err(errno) => return self.failed(format!("cannot read symbolic link {}", quoteaf(source)), errno).await,
        };
        match sys.symlink(&content, target).await {
            Ok(()) => true,
            // An equal link is as good as a new one.
            Err(Errno::EEXIST)
                if self.options.update
                    && stat.is_symlink()
                    && sys.readlink(target).await.as_deref() == Ok(content.as_slice()) =>
            {
                true
            }
            Err(errno) => self.failed(format!("cannot create symbolic link {}", quoteaf(target)), errno).await,
        }
    }

    async fn symbolic_link(&self, source: &[u8], target: &[u8]) -> bool {
        let sys = &self.tool.sys;
        if !source.starts_with(b"/") {
            let directory = crate::shared::path::dir_name(target);
            let here = match (sys.stat(".").await, sys.stat(directory).await) {
                (Ok(here), Ok(there)) => (here.dev, here.ino) == (there.dev, there.ino),
                _ => true,
            };
            if directory != b"." && !here {
                let shown = crate::shared::quotef(target);
                self.tool.error(format!("{shown}: can make relative symbolic links only in current directory")).await;
                return false;
            }
        }
        let mut made = sys.symlink(source, target).await;
        if made == Err(Errno::EEXIST) && self.options.force {
            // It takes the place of what is there at once.
            let temporary = self.temporary(target).await;
            made = match sys.symlink(source, &temporary).await {
                Ok(()) => sys.rename(&temporary, target).await,
                Err(errno) => Err(errno),
            };
        }
        match made {
            Ok(()) => true,
            Err(errno) => {
                let text = format!("cannot create symbolic link {} to {}", quoteaf(target), quoteaf(source));
                self.failed(text, errno).await
            }
        }
    }

    async fn hard_link(&self, source: &[u8], target: &[u8]) -> bool {
        let sys = &self.tool.sys;
        let followed = self.options.follow == Follow::Always;
        let link = async |name: &[u8]| match followed {
            true => sys.link_followed(source, name).await,
            false => sys.link(source, name).await,
        };
        let mut made = link(target).await;
        if made == Err(Errno::EEXIST) && self.options.force {
            let temporary = self.temporary(target).await;
            made = match link(&temporary).await {
                Ok(()) => sys.rename(&temporary, target).await,
                Err(errno) => Err(errno),
            };
            // Renaming over another name of the same file does nothing.
            let _gone = sys.unlink(&temporary).await;
        }
        match made {
            Ok(()) => true,
            Err(errno) => {
                let text = format!("cannot create hard link {} to {}", quoteaf(target), quoteaf(source));
                self.failed(text, errno).await
            }
        }
    }

    /// A name beside the target that nobody has.
    async fn temporary(&self, target: &[u8]) -> Vec<u8> {
        let directory = if target.contains(&b'/') { crate::shared::path::dir_name(target) } else { b"" };
        random_name(&self.tool.sys, directory, b"Cu", 6, b"").await
    }

    async fn say_copied(&self, source: &[u8], target: &[u8]) -> Result<(), Exit> {
        self.tool.out.write(format!("{} -> {}\n", quoteaf(source), quoteaf(target))).await
    }

    async fn failed(&self, message: String, errno: Errno) -> bool {
        self.tool.error_errno(message, errno).await;
        false
    }
}
