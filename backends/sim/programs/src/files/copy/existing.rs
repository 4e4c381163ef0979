//! What is at the target already, and whether it may be replaced.

use provium_kernel::flags::W_OK;
use provium_kernel::{Errno, Stat};

use super::{Copier, Follow, Overwrite};
use crate::files::same::same_name;
use crate::shared::mode::mode_string;
use crate::shared::{Exit, quoteaf};

/// What to do about the target.
pub(in crate::files) enum Verdict {
    /// Nothing is there, or not any more.
    Absent,
    /// It is written into, or replaced.
    Write,
    /// The matter is at an end, well or not.
    Done(bool),
}

impl Copier {
    /// Looks at the target of a copy and says what was wrong with it.
    pub(super) async fn existing(&mut self, source: &[u8], stat: &Stat, target: &[u8]) -> Result<Verdict, Exit> {
        let sys = self.tool.sys.clone();
        let options = &self.options;
        // Content is written through links; anything else takes the place of the link itself.
        let through = (stat.is_file() || options.as_regular && !stat.is_dir() && !stat.is_symlink())
            && !options.symbolic_link
            && !options.hard_link
            && !options.remove_destination;
        let looked = if through { sys.stat(target).await } else { sys.lstat(target).await };
        let old = match looked {
            Ok(old) => old,
            Err(Errno::ENOENT) => return Ok(Verdict::Absent),
            Err(Errno::ELOOP) if options.force => return Ok(Verdict::Write),
            Err(errno) => {
                return Ok(Verdict::Done(self.failed(format!("cannot stat {}", quoteaf(target)), errno).await));
            }
        };
        if let Some(well) = self.same(source, stat, target, &old).await {
            return Ok(Verdict::Done(well));
        }
        if self.options.update && !stat.is_dir() && old.mtime >= stat.mtime {
            return Ok(Verdict::Done(true));
        }
        if !stat.is_dir() {
            let overwrite = self.options.overwrite;
            if overwrite == Overwrite::No || overwrite == Overwrite::Ask && !self.agrees(target, &old).await {
                return Ok(Verdict::Done(true));
            }
        }
        if let Some(message) = self.clash(source, stat, target, &old) {
            self.tool.error(message).await;
            return Ok(Verdict::Done(false));
        }
        let replaced = !old.is_dir()
            && (self.options.remove_destination
                || self.options.preserve.links && old.nlink > 1 && !self.options.hard_link
                || self.options.follow == Follow::Never && !stat.is_file());
        if !replaced || stat.is_dir() {
            return Ok(Verdict::Write);
        }
        if let Err(errno) = sys.unlink(target).await
            && errno != Errno::ENOENT
        {
            return Ok(Verdict::Done(self.failed(format!("cannot remove {}", quoteaf(target)), errno).await));
        }
        if self.options.verbose {
            self.tool.out.write(format!("removed {}\n", quoteaf(target))).await?;
        }
        Ok(Verdict::Absent)
    }

    /// Why one cannot take the place of the other, if it cannot.
    pub(in crate::files) fn clash(&self, source: &[u8], stat: &Stat, target: &[u8], old: &Stat) -> Option<String> {
        let (from, to) = (quoteaf(source), quoteaf(target));
        if !stat.is_dir() {
            if old.is_dir() {
                return Some(format!("cannot overwrite directory {to} with non-directory"));
            }
            if self.made.as_ref().is_some_and(|made| made.contains(target)) {
                return Some(format!("will not overwrite just-created {to} with {from}"));
            }
            return None;
        }
        (!old.is_dir()).then(|| format!("cannot overwrite non-directory {to} with directory {from}"))
    }

    /// Whether source and target are one file, so that copying would destroy it: how the matter ends.
    async fn same(&self, source: &[u8], stat: &Stat, target: &[u8], old: &Stat) -> Option<bool> {
        let sys = &self.tool.sys;
        let id = |stat: &Stat| (stat.dev, stat.ino);
        let mut one = id(stat) == id(old);
        if !one && stat.is_symlink() && !old.is_symlink() && !self.options.remove_destination {
            one = sys.stat(source).await.is_ok_and(|behind| id(&behind) == id(old));
        }
        if !one {
            return None;
        }
        if self.options.hard_link && !stat.is_dir() {
            return Some(true);
        }
        let (from, to) = (sys.lstat(source).await.ok()?, sys.lstat(target).await.ok()?);
        if self.options.remove_destination && !old.is_dir() {
            let other_link = id(&from) != id(&to) && to.is_symlink();
            let other_name = id(&from) == id(&to) && to.nlink > 1 && !same_name(sys, source, target).await;
            if other_link || other_name {
                return None;
            }
        }
        self.tool.error(format!("{} and {} are the same file", quoteaf(source), quoteaf(target))).await;
        Some(false)
    }

    /// Asks whether to overwrite.
    pub(in crate::files) async fn agrees(&mut self, target: &[u8], old: &Stat) -> bool {
        let shown = quoteaf(target);
        let text = if self.writable(target, old).await {
            format!("overwrite {shown}? ")
        } else {
            let letters = mode_string(old.mode);
            let (mode, letters) = (old.mode & 0o7777, letters.get(1..).unwrap_or(""));
            if self.options.moving || self.options.remove_destination || self.options.force {
                format!("replace {shown}, overriding mode {mode:04o} ({letters})? ")
            } else {
                format!("unwritable {shown} (mode {mode:04o}, {letters}); try anyway? ")
            }
        };
        let mut question = self.tool.name().to_vec();
        question.extend_from_slice(b": ");
        question.extend_from_slice(text.as_bytes());
        self.tool.stderr(question).await;
        let answer = self.input.line().await.ok().flatten().unwrap_or_default();
        matches!(answer.first(), Some(b'y' | b'Y'))
    }

    /// Whether the caller may write there.
    pub(in crate::files) async fn writable(&mut self, target: &[u8], old: &Stat) -> bool {
        old.is_symlink() || self.is_root().await || self.tool.sys.access(target, W_OK).await.is_ok()
    }
}
