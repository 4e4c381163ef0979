//! rm(1).

use provium_kernel::Errno;
use provium_kernel::flags::AT_REMOVEDIR;

use crate::shared::mode::type_name;
use crate::shared::path::{base_name, is_dot_or_dotdot};
use crate::shared::tool::STDIN;
use crate::shared::walk::{Entry, Event, Walk, WalkOptions};
use crate::shared::{Exit, LineReader, Opt, Outcome, Spec, Tool, quote, quoteaf};

const SPEC: Spec = Spec::new(
    "[OPTION]... [FILE]...",
    &[
        Opt::flag("d", "dir"),
        Opt::flag("f", "force"),
        Opt::flag("i", ""),
        Opt::flag("I", ""),
        Opt::optional("", "interactive"),
        Opt::flag("", "one-file-system"),
        Opt::flag("", "no-preserve-root"),
        Opt::optional("", "preserve-root"),
        Opt::flag("rR", "recursive"),
        Opt::flag("v", "verbose"),
    ],
);

/// Arguments above which `-I` asks.
const MANY: usize = 3;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ask {
    Always,
    Once,
    /// About files that may not be written, if a person sits there.
    Protected,
    Never,
}

struct Removal<'a> {
    tool: &'a Tool,
    input: LineReader,
    ask: Ask,
    force: bool,
    recursive: bool,
    directories: bool,
    verbose: bool,
    terminal: bool,
    code: i32,
    /// For each depth whether something in the directory there stayed.
    stuck: Vec<bool>,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let (mut ask, mut force) = (Ask::Protected, false);
    for (option, value) in &parsed.options {
        (ask, force) = match (*option, value.as_deref()) {
            ("force", _) => (Ask::Never, true),
            ("i", _) | ("interactive", None | Some(b"always" | b"yes")) => (Ask::Always, false),
            ("I", _) | ("interactive", Some(b"once")) => (Ask::Once, false),
            ("interactive", Some(b"never" | b"no" | b"none")) => (Ask::Never, force),
            ("interactive", Some(other)) => {
                tool.error(format!("invalid argument {} for '--interactive'", quote(other))).await;
                tool.stderr("Valid arguments are:\n  - 'never', 'no', 'none'\n  - 'once'\n  - 'always', 'yes'\n").await;
                return Err(tool.usage_hint(1).await);
            }
            _ => (ask, force),
        };
    }
    if parsed.operands.is_empty() {
        return if force { Ok(0) } else { Err(tool.missing_operand(1, None).await) };
    }
    let recursive = parsed.has("recursive");
    let mut roots = parsed.operands.clone();
    if ask == Ask::Once && (recursive || roots.len() > MANY) {
        let plural = if roots.len() == 1 { "argument" } else { "arguments" };
        let how = if recursive { " recursively" } else { "" };
        let question = format!("remove {} {plural}{how}? ", roots.len());
        let mut input = LineReader::new(tool.sys.clone(), STDIN);
        if !agreed(&tool, &mut input, &question).await {
            return Ok(0);
        }
    }
    let mut code = 0;
    if recursive {
        roots = guarded(&tool, roots, parsed.has("no-preserve-root"), &mut code).await;
    }
    let terminal = ask == Ask::Protected && tool.sys.isatty(STDIN).await;
    let options = WalkOptions { one_file_system: parsed.has("one-file-system"), ..WalkOptions::default() };
    let mut walk = Walk::new(tool.sys.clone(), roots, options);
    let mut removal = Removal {
        input: LineReader::new(tool.sys.clone(), STDIN),
        tool: &tool,
        ask,
        force,
        recursive,
        directories: parsed.has("dir"),
        verbose: parsed.has("verbose"),
        terminal,
        code,
        stuck: Vec::new(),
    };
    while let Some(event) = walk.next().await {
        removal.event(&mut walk, event).await?;
    }
    Ok(removal.code)
}

/// Removes a file or tree without asking, for `mv`; whether nothing of it is left.
pub(super) async fn remove_tree(tool: &Tool, path: &[u8], verbose: bool) -> Result<bool, Exit> {
    let mut walk = Walk::new(tool.sys.clone(), vec![path.to_vec()], WalkOptions::default());
    let mut removal = Removal {
        input: LineReader::new(tool.sys.clone(), STDIN),
        tool,
        ask: Ask::Never,
        force: false,
        recursive: true,
        directories: true,
        verbose,
        terminal: false,
        code: 0,
        stuck: Vec::new(),
    };
    while let Some(event) = walk.next().await {
        removal.event(&mut walk, event).await?;
    }
    Ok(removal.code == 0)
}

/// The arguments that a recursive removal may touch: never the root, `.` or `..`.
async fn guarded(tool: &Tool, roots: Vec<Vec<u8>>, even_root: bool, code: &mut i32) -> Vec<Vec<u8>> {
    let root = if even_root { None } else { tool.sys.lstat("/").await.ok() };
    let mut kept = Vec::new();
    for path in roots {
        if is_dot_or_dotdot(base_name(&path)) {
            tool.error(format!("refusing to remove '.' or '..' directory: skipping {}", quoteaf(&path))).await;
            *code = 1;
        } else if let Some(root) = &root
            && path.ends_with(b"/")
            && tool.sys.lstat(&path).await.is_ok_and(|stat| (stat.dev, stat.ino) == (root.dev, root.ino))
        {
            if path == b"/" {
                tool.error(format!("it is dangerous to operate recursively on {}", quoteaf(&path))).await;
            } else {
                let text = format!("it is dangerous to operate recursively on {} (same as '/')", quoteaf(&path));
                tool.error(text).await;
            }
            tool.error("use --no-preserve-root to override this failsafe").await;
            *code = 1;
        } else {
            kept.push(path);
        }
    }
    kept
}

async fn agreed(tool: &Tool, input: &mut LineReader, question: &str) -> bool {
    let mut line = tool.name().to_vec();
    line.extend_from_slice(b": ");
    line.extend_from_slice(question.as_bytes());
    tool.stderr(line).await;
    let answer = input.line().await.ok().flatten().unwrap_or_default();
    matches!(answer.first(), Some(b'y' | b'Y'))
}

impl Removal<'_> {
    async fn event(&mut self, walk: &mut Walk, event: Event) -> Result<(), Exit> {
        match event {
            Event::Enter(entry) if entry.is_dir() => self.directory(walk, entry).await,
            Event::Enter(entry) => {
                if self.may_remove(walk, &entry).await {
                    self.unlink(walk, &entry, 0, None).await?;
                }
                Ok(())
            }
            Event::NoStat(entry, _) => self.unlink(walk, &entry, 0, None).await,
            Event::Leave(entry) => {
                if self.stuck.get(entry.depth).copied().unwrap_or(false) {
                    return Ok(());
                }
                if !self.may_remove(walk, &entry).await {
                    self.mark(entry.depth);
                    return Ok(());
                }
                self.unlink(walk, &entry, AT_REMOVEDIR, None).await
            }
            Event::NoRead(entry, errno) => self.unlink(walk, &entry, AT_REMOVEDIR, Some(errno)).await,
            Event::Cycle(entry) => {
                self.failed(&entry, Errno::ELOOP).await;
                Ok(())
            }
        }
    }

    /// A directory before its content.
    async fn directory(&mut self, walk: &mut Walk, entry: Entry) -> Result<(), Exit> {
        self.stuck.truncate(entry.depth);
        self.stuck.resize(entry.depth + 1, false);
        if self.recursive {
            if self.ask == Ask::Always && !walk.is_empty_directory(&entry).await {
                let question = format!("descend into directory {}? ", quoteaf(&entry.path));
                if !agreed(self.tool, &mut self.input, &question).await {
                    walk.skip();
                    self.mark(entry.depth);
                }
            }
            return Ok(());
        }
        walk.skip();
        if !self.directories {
            self.failed(&entry, Errno::EISDIR).await;
            return Ok(());
        }
        if self.may_remove(walk, &entry).await {
            self.unlink(walk, &entry, AT_REMOVEDIR, None).await?;
        }
        Ok(())
    }

    async fn may_remove(&mut self, walk: &Walk, entry: &Entry) -> bool {
        let asks = match self.ask {
            Ask::Always => true,
            Ask::Never | Ask::Once => false,
            Ask::Protected => {
                self.terminal
                    && self.tool.sys.access(&entry.path, provium_kernel::flags::W_OK).await == Err(Errno::EACCES)
            }
        };
        if !asks {
            return true;
        }
        let size = match entry.stat {
            Some(stat) => stat.size,
            None => self.tool.sys.fstatat(walk.directory(), &entry.name, false).await.map_or(1, |stat| stat.size),
        };
        let protected = if self.ask == Ask::Protected { "write-protected " } else { "" };
        let question = format!("remove {protected}{} {}? ", type_name(entry.kind, size), quoteaf(&entry.path));
        let agreed = agreed(self.tool, &mut self.input, &question).await;
        if !agreed {
            self.mark(entry.depth);
        }
        agreed
    }

    async fn unlink(&mut self, walk: &Walk, entry: &Entry, flags: i32, unreadable: Option<Errno>) -> Result<(), Exit> {
        match self.tool.sys.unlinkat(walk.directory(), &entry.name, flags).await {
            Ok(()) => {
                if self.verbose {
                    let what = if flags == AT_REMOVEDIR { "directory " } else { "" };
                    self.tool.out.write(format!("removed {what}{}\n", quoteaf(&entry.path))).await?;
                }
            }
            Err(Errno::ENOENT | Errno::ENOTDIR) if self.force => {}
            Err(errno) => {
                let shown = match unreadable {
                    Some(first)
                        if matches!(errno, Errno::ENOTEMPTY | Errno::EISDIR | Errno::ENOTDIR | Errno::EEXIST) =>
                    {
                        first
                    }
                    _ => errno,
                };
                self.failed(entry, shown).await;
            }
        }
        Ok(())
    }

    async fn failed(&mut self, entry: &Entry, errno: Errno) {
        self.tool.error_errno(format!("cannot remove {}", quoteaf(&entry.path)), errno).await;
        self.code = 1;
        self.mark(entry.depth);
    }

    /// Remembers that the directories above stay: their removal would fail, and saying so helps nobody.
    fn mark(&mut self, depth: usize) {
        for stuck in self.stuck.iter_mut().take(depth) {
            *stuck = true;
        }
    }
}
