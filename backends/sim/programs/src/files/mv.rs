//! mv(1): one rename(2) where that is possible, else a copy and a removal.

use std::collections::BTreeSet;

use provium_kernel::Errno;
use provium_kernel::flags::RENAME_NOREPLACE;

use super::copy::{Copier, CopyOptions, Follow, Overwrite, Preserve, Sparse};
use super::link_target::{inside, is_directory, require_directory};
use super::rm::remove_tree;
use super::sources::sources;
use crate::shared::tool::STDIN;
use crate::shared::{Exit, Opt, Outcome, Spec, Tool, quoteaf};

const SPEC: Spec = Spec::new(
    "[OPTION]... [-T] SOURCE DEST",
    &[
        Opt::unsupported("b", "backup"),
        Opt::flag("f", "force"),
        Opt::flag("i", "interactive"),
        Opt::flag("n", "no-clobber"),
        Opt::flag("", "strip-trailing-slashes"),
        Opt::unsupported("S", "suffix"),
        Opt::value("t", "target-directory"),
        Opt::flag("T", "no-target-directory"),
        Opt::flag("u", "update"),
        Opt::flag("v", "verbose"),
        Opt::unsupported("Z", "context"),
    ],
);

struct Moves {
    copier: Copier,
    /// A person sits at standard input.
    terminal: bool,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let overwrite = match parsed.last_of(&["force", "interactive", "no-clobber"]) {
        Some("force") => Overwrite::Yes,
        Some("interactive") => Overwrite::Ask,
        Some(_) => Overwrite::No,
        None => Overwrite::AskIfProtected,
    };
    let (mut files, mut directory) = sources(&tool, &parsed).await?;
    let terminal = tool.sys.isatty(STDIN).await;
    let mut tried = None;
    if parsed.has("no-target-directory") {
        if directory.is_some() {
            return Err(tool.fail(1, "cannot combine --target-directory (-t) and --no-target-directory (-T)").await);
        }
        if let Some(extra) = files.get(2) {
            return Err(tool.extra_operand(1, extra).await);
        }
    } else if let Some(directory) = &directory {
        require_directory(&tool, directory, "target directory").await?;
    } else {
        if let [source, target] = files.as_slice() {
            tried = Some(tool.sys.rename2(source, target, RENAME_NOREPLACE).await);
        }
        if let Some(last) = files.last().filter(|_| tried != Some(Ok(()))) {
            match is_directory(&tool.sys, last, true).await {
                Ok(true) => directory = files.pop(),
                answer if files.len() > 2 => {
                    let errno = answer.err().unwrap_or(Errno::ENOTDIR);
                    return Err(tool.fail_errno(1, format!("target {}", quoteaf(last)), errno).await);
                }
                _ => {}
            }
        }
    }
    let options = CopyOptions {
        recursive: true,
        as_regular: false,
        follow: Follow::Never,
        overwrite,
        force: false,
        remove_destination: false,
        update: parsed.has("update"),
        verbose: parsed.has("verbose"),
        hard_link: false,
        symbolic_link: false,
        one_file_system: false,
        attributes_only: false,
        sparse: Sparse::Auto,
        preserve: Preserve { mode: true, ownership: true, timestamps: true, links: true, no_mode: false },
        moving: true,
    };
    let mut moves = Moves { copier: Copier::new(tool, options), terminal };
    let Some(directory) = directory else {
        return Ok(i32::from(!moves.one(&files[0], &files[1], tried).await?));
    };
    if files.len() > 1 {
        moves.copier.made = Some(BTreeSet::new());
    }
    let mut code = 0;
    for source in &files {
        if !moves.one(source, &inside(&directory, source), None).await? {
            code = 1;
        }
    }
    Ok(code)
}

impl Moves {
    /// Moves one file. `tried` is the outcome of a first attempt, if there was one.
    async fn one(&mut self, source: &[u8], target: &[u8], tried: Option<Result<(), Errno>>) -> Result<bool, Exit> {
        let sys = self.copier.tool.sys.clone();
        let first = match tried {
            Some(outcome) => outcome,
            None => sys.rename2(source, target, RENAME_NOREPLACE).await,
        };
        let mut failure = match first {
            Ok(()) => return self.renamed(source, target).await,
            Err(Errno::EEXIST) if self.copier.options.overwrite == Overwrite::No => return Ok(true),
            Err(errno) => errno,
        };
        let stat = match sys.lstat(source).await {
            Ok(stat) => stat,
            Err(errno) => return self.failed(format!("cannot stat {}", quoteaf(source)), errno).await,
        };
        match sys.lstat(target).await {
            Err(Errno::ENOENT) => {}
            Err(errno) if failure == Errno::EEXIST => {
                return self.failed(format!("cannot stat {}", quoteaf(target)), errno).await;
            }
            // What hindered the first attempt says more.
            Err(_) => {}
            Ok(old) => {
                if (stat.dev, stat.ino) == (old.dev, old.ino) {
                    let text = format!("{} and {} are the same file", quoteaf(source), quoteaf(target));
                    self.copier.tool.error(text).await;
                    return Ok(false);
                }
                if self.copier.options.update && !stat.is_dir() && old.mtime >= stat.mtime {
                    return Ok(true);
                }
                let asks = match self.copier.options.overwrite {
                    Overwrite::Ask => true,
                    Overwrite::AskIfProtected => self.terminal && !self.copier.writable(target, &old).await,
                    Overwrite::Yes | Overwrite::No => false,
                };
                if asks && !self.copier.agrees(target, &old).await {
                    return Ok(true);
                }
                if let Some(message) = self.copier.clash(source, &stat, target, &old) {
                    self.copier.tool.error(message).await;
                    return Ok(false);
                }
            }
        }
        if failure == Errno::EEXIST {
            match sys.rename(source, target).await {
                Ok(()) => return self.renamed(source, target).await,
                Err(errno) => failure = errno,
            }
        }
        let (from, to) = (quoteaf(source), quoteaf(target));
        match failure {
            Errno::EINVAL => {
                self.copier.tool.error(format!("cannot move {from} to a subdirectory of itself, {to}")).await;
                Ok(false)
            }
            Errno::EXDEV => {
                let gone = if stat.is_dir() { sys.rmdir(target).await } else { sys.unlink(target).await };
                if let Err(errno) = gone
                    && errno != Errno::ENOENT
                {
                    let text = format!("inter-device move failed: {from} to {to}; unable to remove target");
                    return self.failed(text, errno).await;
                }
                if !self.copier.copy(source, target, true).await? {
                    return Ok(false);
                }
                let verbose = self.copier.options.verbose;
                remove_tree(&self.copier.tool, source, verbose).await
            }
            errno => self.failed(format!("cannot move {from} to {to}"), errno).await,
        }
    }

    async fn renamed(&mut self, source: &[u8], target: &[u8]) -> Result<bool, Exit> {
        if let Some(made) = &mut self.copier.made {
            made.insert(target.to_vec());
        }
        if self.copier.options.verbose {
            let line = format!("renamed {} -> {}\n", quoteaf(source), quoteaf(target));
            self.copier.tool.out.write(line).await?;
        }
        Ok(true)
    }

    async fn failed(&self, message: String, errno: Errno) -> Result<bool, Exit> {
        self.copier.tool.error_errno(message, errno).await;
        Ok(false)
    }
}
