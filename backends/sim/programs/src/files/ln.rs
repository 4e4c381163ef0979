//! ln(1). With `-f` a link takes the place of an old one at once: it is made under a temporary name and
//! renamed, so nobody ever finds the name missing.

use std::collections::BTreeSet;

use provium_kernel::Errno;

use super::link_target::{inside, is_directory, require_directory};
use super::temp_name::random_name;
use crate::shared::path::dir_name;
use crate::shared::tool::STDIN;
use crate::shared::{LineReader, Opt, Outcome, Spec, Tool, quoteaf, quotef};

const SPEC: Spec = Spec::new(
    "[OPTION]... [-T] TARGET LINK_NAME",
    &[
        Opt::unsupported("b", "backup"),
        Opt::flag("dF", "directory"),
        Opt::flag("f", "force"),
        Opt::flag("i", "interactive"),
        Opt::flag("L", "logical"),
        Opt::flag("n", "no-dereference"),
        Opt::flag("P", "physical"),
        Opt::unsupported("r", "relative"),
        Opt::flag("s", "symbolic"),
        Opt::unsupported("S", "suffix"),
        Opt::value("t", "target-directory"),
        Opt::flag("T", "no-target-directory"),
        Opt::flag("v", "verbose"),
    ],
);

struct Links {
    tool: Tool,
    symbolic: bool,
    logical: bool,
    force: bool,
    interactive: bool,
    verbose: bool,
    /// Names made in this run: two sources of one name must not destroy each other.
    made: Option<BTreeSet<Vec<u8>>>,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let mut files = parsed.operands.clone();
    if files.is_empty() {
        return Err(tool.usage_error(1, "missing file operand").await);
    }
    let asked_last = parsed.last_of(&["force", "interactive"]);
    let mut links = Links {
        symbolic: parsed.has("symbolic"),
        logical: parsed.last_of(&["logical", "physical"]) == Some("logical"),
        force: asked_last.is_some(),
        interactive: asked_last == Some("interactive"),
        verbose: parsed.has("verbose"),
        made: None,
        tool,
    };
    let tool = &links.tool;
    let mut directory = parsed.value("target-directory").map(<[u8]>::to_vec);
    if parsed.has("no-target-directory") {
        if directory.is_some() {
            return Err(tool.usage_error(1, "cannot combine --target-directory and --no-target-directory").await);
        }
        if files.len() != 2 {
            return Err(match files.get(2) {
                Some(extra) => tool.extra_operand(1, extra).await,
                None => {
                    let first = files.first().map(quoteaf).unwrap_or_default();
                    tool.usage_error(1, format!("missing destination file operand after {first}")).await
                }
            });
        }
    } else if let Some(directory) = &directory {
        require_directory(tool, directory, "target directory").await?;
    } else if files.len() == 1 {
        directory = Some(b".".to_vec());
    } else if files.len() == 2 {
        let first = links.link(&files[0], &files[1]).await;
        if let Some(errno @ (Errno::EEXIST | Errno::ENOTDIR | Errno::EINVAL)) = first {
            let follow = !parsed.has("no-dereference");
            if is_directory(&links.tool.sys, &files[1], follow).await == Ok(true) {
                directory = files.pop();
            } else {
                let done = links.one(&files[0], &files[1], Some(Some(errno))).await?;
                return Ok(i32::from(!done));
            }
        } else {
            let done = links.one(&files[0], &files[1], Some(first)).await?;
            return Ok(i32::from(!done));
        }
    } else {
        directory = files.pop();
        if let Some(directory) = &directory {
            require_directory(tool, directory, "target").await?;
        }
    }
    let Some(directory) = directory else {
        let done = links.one(&files[0], &files[1], None).await?;
        return Ok(i32::from(!done));
    };
    if files.len() > 1 && links.force {
        links.made = Some(BTreeSet::new());
    }
    let mut code = 0;
    for source in &files {
        let target = inside(&directory, source);
        if !links.one(source, &target, None).await? {
            code = 1;
        }
    }
    Ok(code)
}

impl Links {
    /// Makes the link; what went wrong, if anything.
    async fn link(&self, source: &[u8], target: &[u8]) -> Option<Errno> {
        if self.symbolic {
            return self.tool.sys.symlink(source, target).await.err();
        }
        if self.logical {
            return self.tool.sys.link_followed(source, target).await.err();
        }
        self.tool.sys.link(source, target).await.err()
    }

    /// Makes one link. `tried` is the outcome of a first attempt, if there was one.
    async fn one(
        &mut self,
        source: &[u8],
        target: &[u8],
        tried: Option<Option<Errno>>,
    ) -> Result<bool, crate::shared::Exit> {
        let first = match tried {
            Some(outcome) => outcome,
            None => self.link(source, target).await,
        };
        let mut failure = first;
        if let Some(errno) = first {
            match self.again(source, target, errno).await {
                Ok(outcome) => failure = outcome,
                Err(done) => return Ok(done),
            }
        }
        let tool = &self.tool;
        match failure {
            None => {
                if let Some(made) = &mut self.made {
                    made.insert(target.to_vec());
                }
                if self.verbose {
                    let arrow = if self.symbolic { "->" } else { "=>" };
                    tool.out.write(format!("{} {arrow} {}\n", quoteaf(target), quoteaf(source))).await?;
                }
                Ok(true)
            }
            Some(errno) => {
                let (link, from) = (quoteaf(target), quoteaf(source));
                let message = match errno {
                    Errno::ENAMETOOLONG if self.symbolic => {
                        format!("failed to create symbolic link {link} -> {from}")
                    }
                    _ if self.symbolic => format!("failed to create symbolic link {link}"),
                    Errno::EMLINK => format!("failed to create hard link to {from}"),
                    Errno::EDQUOT | Errno::EEXIST | Errno::ENOSPC | Errno::EROFS => {
                        format!("failed to create hard link {link}")
                    }
                    _ => format!("failed to create hard link {link} => {from}"),
                };
                tool.error_errno(message, errno).await;
                Ok(false)
            }
        }
    }

    /// After a failed attempt: takes the place of what is there, if that was asked for. `Err` ends the
    /// matter, reported, as done or not.
    async fn again(&mut self, source: &[u8], target: &[u8], errno: Errno) -> Result<Option<Errno>, bool> {
        let tool = &self.tool;
        let mut source_stat = None;
        if !self.symbolic {
            let looked = if self.logical { tool.sys.stat(source).await } else { tool.sys.lstat(source).await };
            match looked {
                Ok(stat) if stat.is_dir() => {
                    tool.error(format!("{}: hard link not allowed for directory", quotef(source))).await;
                    return Err(false);
                }
                Ok(stat) => source_stat = Some(stat),
                Err(errno) => {
                    tool.error_errno(format!("failed to access {}", quoteaf(source)), errno).await;
                    return Err(false);
                }
            }
        }
        if !self.force {
            return Ok(Some(errno));
        }
        let old = match tool.sys.lstat(target).await {
            Ok(stat) => stat,
            Err(Errno::ENOENT) => return Ok(self.link(source, target).await),
            Err(errno) => {
                tool.error_errno(format!("failed to access {}", quoteaf(target)), errno).await;
                return Err(false);
            }
        };
        if old.is_dir() {
            tool.error(format!("{}: cannot overwrite directory", quotef(target))).await;
            return Err(false);
        }
        if self.made.as_ref().is_some_and(|made| made.contains(target)) {
            let text = format!("will not overwrite just-created {} with {}", quoteaf(target), quoteaf(source));
            tool.error(text).await;
            return Err(false);
        }
        if self.symbolic {
            source_stat = tool.sys.stat(source).await.ok();
        }
        if let Some(stat) = source_stat
            && (stat.dev, stat.ino) == (old.dev, old.ino)
            && (stat.nlink == 1 || super::same::same_name(&tool.sys, source, target).await)
        {
            tool.error(format!("{} and {} are the same file", quoteaf(source), quoteaf(target))).await;
            return Err(false);
        }
        if errno != Errno::EEXIST {
            return Ok(Some(errno));
        }
        if self.interactive {
            let mut question = tool.name().to_vec();
            question.extend_from_slice(format!(": replace {}? ", quoteaf(target)).as_bytes());
            tool.stderr(question).await;
            let answer = LineReader::new(tool.sys.clone(), STDIN).line().await.ok().flatten().unwrap_or_default();
            if !matches!(answer.first(), Some(b'y' | b'Y')) {
                return Err(true);
            }
        }
        Ok(self.replace(source, target).await)
    }

    async fn replace(&self, source: &[u8], target: &[u8]) -> Option<Errno> {
        let sys = &self.tool.sys;
        let directory = dir_name(target);
        let directory = if target.contains(&b'/') { directory } else { b"" };
        let temporary = random_name(sys, directory, b"Cu", 6, b"").await;
        if let Some(errno) = self.link(source, &temporary).await {
            return Some(errno);
        }
        let renamed = sys.rename(&temporary, target).await.err();
        // Renaming a hard link over another of the same file does nothing: the temporary name stays.
        if renamed.is_some() || !self.symbolic {
            let _gone = sys.unlink(&temporary).await;
        }
        renamed
    }
}
