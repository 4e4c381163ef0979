//! ls(1).

mod columns;
mod long;
mod options;
mod sort;

use std::collections::VecDeque;

use provium_kernel::flags::{O_CLOEXEC, O_DIRECTORY, O_NONBLOCK, O_RDONLY};
use provium_kernel::{Errno, Stat};

use crate::shared::fnmatch::{MatchOptions, matches};
use crate::shared::human::human_size;
use crate::shared::mode::{S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK};
use crate::shared::names::NameCache;
use crate::shared::path::{is_dot_or_dotdot, join};
use crate::shared::quote::{c_escaped, quoteaf, shell_escaped};
use crate::shared::{Exit, Outcome, Tool};
use options::{Follow, Format, Hidden, Indicator, Options, Quoting, SizeUnit};

/// Exit code of small trouble: something below an argument.
const MINOR: i32 = 1;
/// Exit code of an argument that cannot be listed, or a wrong option.
const SERIOUS: i32 = 2;

/// A file to be listed.
#[derive(Clone, Debug)]
struct File {
    name: Vec<u8>,
    ino: u64,
    /// Its type, `S_IF*`; 0 if nobody knows.
    kind: u32,
    stat: Option<Stat>,
    /// Where a link leads, and the mode of what is there.
    link: Option<(Vec<u8>, Option<u32>)>,
}

impl File {
    /// Whether it is a directory, or a link to one that is an argument and is followed.
    fn is_dir(&self) -> bool {
        self.kind == S_IFDIR
    }
}

struct List {
    tool: Tool,
    options: Options,
    names: NameCache,
    code: i32,
    /// Something was printed: the next part comes after an empty line.
    printed: bool,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    tool.out.set_failure(SERIOUS);
    let (options, operands) = options::read(&tool).await?;
    let mut list = List { tool, options, names: NameCache::default(), code: 0, printed: false };
    list.run(operands).await?;
    Ok(list.code)
}

impl List {
    async fn run(&mut self, operands: Vec<Vec<u8>>) -> Result<(), Exit> {
        let several = operands.len() > 1;
        let operands = if operands.is_empty() { vec![b".".to_vec()] } else { operands };
        // `.` alone needs no look at itself.
        if operands == [b"."] && !self.options.directory {
            return self.directories(VecDeque::from([(b".".to_vec(), true)]), self.options.recursive).await;
        }
        let mut files = Vec::new();
        for name in operands {
            if let Some(file) = self.argument(name).await {
                files.push(file);
            }
        }
        sort::sort(&mut files, &self.options);
        let (directories, files): (Vec<File>, Vec<File>) =
            files.into_iter().partition(|file| file.is_dir() && !self.options.directory);
        if !files.is_empty() {
            self.print(&files, None).await?;
            self.printed = true;
        }
        let headings = several || self.options.recursive;
        self.directories(directories.into_iter().map(|file| (file.name, true)).collect(), headings).await
    }

    async fn argument(&mut self, name: Vec<u8>) -> Option<File> {
        let sys = &self.tool.sys;
        let looked = match self.options.follow {
            Follow::Always | Follow::Arguments => match sys.stat(&name).await {
                Err(Errno::ENOENT) => sys.lstat(&name).await,
                other => other,
            },
            Follow::ArgumentDirectories => match sys.stat(&name).await {
                Ok(stat) if stat.is_dir() => Ok(stat),
                _ => sys.lstat(&name).await,
            },
            Follow::Never => sys.lstat(&name).await,
        };
        match looked {
            Ok(stat) => {
                let mut file = File { name, ino: stat.ino, kind: stat.mode & S_IFMT, stat: Some(stat), link: None };
                self.look_behind(&mut file, b"").await;
                Some(file)
            }
            Err(errno) => {
                self.failed(format!("cannot access {}", quoteaf(&name)), errno, true).await;
                None
            }
        }
    }

    /// Reads where a link leads, if that is shown.
    async fn look_behind(&self, file: &mut File, directory: &[u8]) {
        if file.kind != S_IFLNK || !self.options.shows_links() {
            return;
        }
        let path = join(directory, &file.name);
        if let Ok(target) = self.tool.sys.readlink(&path).await {
            let mode = if self.options.indicator == Indicator::None {
                None
            } else {
                self.tool.sys.stat(&path).await.ok().map(|stat| stat.mode)
            };
            file.link = Some((target, mode));
        }
    }

    /// Lists directories, those in them after each if that was asked for.
    async fn directories(&mut self, mut todo: VecDeque<(Vec<u8>, bool)>, headings: bool) -> Result<(), Exit> {
        while let Some((path, argument)) = todo.pop_front() {
            let Some(mut files) = self.read(&path, argument).await else { continue };
            sort::sort(&mut files, &self.options);
            if self.printed {
                self.tool.out.write("\n").await?;
            }
            self.printed = true;
            if headings {
                self.tool.out.write(bytes_of(&format!("{}:\n", self.shown_name(&path)))).await?;
            }
            self.print(&files, Some(&path)).await?;
            if self.options.recursive {
                let below = files.iter().filter(|file| file.is_dir() && !is_dot_or_dotdot(&file.name));
                for file in below.rev() {
                    todo.push_front((join(&path, &file.name), false));
                }
            }
        }
        Ok(())
    }

    /// The entries of a directory that are shown; `None`, reported, if it cannot be opened.
    async fn read(&mut self, path: &[u8], argument: bool) -> Option<Vec<File>> {
        let sys = self.tool.sys.clone();
        let fd = match sys.open(path, O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC, 0).await {
            Ok(fd) => fd,
            Err(errno) => {
                self.failed(format!("cannot open directory {}", quoteaf(path)), errno, argument).await;
                return None;
            }
        };
        let mut files = Vec::new();
        loop {
            let batch = match sys.getdents(fd).await {
                Ok(batch) => batch,
                Err(errno) => {
                    self.failed(format!("reading directory {}", quoteaf(path)), errno, argument).await;
                    break;
                }
            };
            if batch.is_empty() {
                break;
            }
            for entry in batch {
                if self.hides(&entry.name) {
                    continue;
                }
                let kind = entry.kind & S_IFMT;
                let mut file = File { name: entry.name, ino: entry.ino, kind, stat: None, link: None };
                if self.options.needs_stat(kind) {
                    self.look(&mut file, path, argument).await;
                }
                self.look_behind(&mut file, path).await;
                files.push(file);
            }
        }
        let _closed = sys.close(fd).await;
        Some(files)
    }

    async fn look(&mut self, file: &mut File, directory: &[u8], argument: bool) {
        let path = join(directory, &file.name);
        let looked = if self.options.follow == Follow::Always {
            self.tool.sys.stat(&path).await
        } else {
            self.tool.sys.lstat(&path).await
        };
        match looked {
            Ok(stat) => {
                file.kind = stat.mode & S_IFMT;
                file.ino = stat.ino;
                file.stat = Some(stat);
            }
            // It is listed all the same, with question marks.
            Err(errno) => self.failed(format!("cannot access {}", quoteaf(&path)), errno, argument).await,
        }
    }

    fn hides(&self, name: &[u8]) -> bool {
        let dotted = match self.options.hidden {
            Hidden::Shown => false,
            Hidden::AllButDots => is_dot_or_dotdot(name),
            Hidden::Dotted => name.starts_with(b".") || self.options.hide.iter().any(|pattern| fits(pattern, name)),
        };
        dotted || self.options.ignore.iter().any(|pattern| fits(pattern, name))
    }

    async fn failed(&mut self, message: String, errno: Errno, argument: bool) {
        self.tool.error_errno(message, errno).await;
        self.code = self.code.max(if argument { SERIOUS } else { MINOR });
    }

    async fn print(&mut self, files: &[File], directory: Option<&[u8]>) -> Result<(), Exit> {
        let total = directory.is_some() && (self.options.format == Format::Long || self.options.blocks);
        if total {
            let blocks = files.iter().filter_map(|file| file.stat).map(|stat| stat.blocks).sum::<u64>();
            self.tool.out.write(format!("total {}\n", self.block_count(blocks))).await?;
        }
        let text = match self.options.format {
            Format::Long => long::lines(self, files).await,
            Format::Columns => columns::down(&self.cells(files), self.options.width),
            Format::Across => columns::across(&self.cells(files), self.options.width),
            Format::Commas => columns::commas(&self.cells(files), self.options.width),
            Format::Single => {
                self.cells(files).into_iter().map(|cell| cell + self.options.line_end()).collect::<String>()
            }
        };
        self.tool.out.write(bytes_of(&text)).await
    }

    /// What is shown of each file in the formats without details.
    fn cells(&self, files: &[File]) -> Vec<String> {
        let align = !matches!(self.options.format, Format::Commas);
        let inode_width =
            if align { files.iter().map(|file| file.ino.to_string().len()).max().unwrap_or(0) } else { 0 };
        let counts: Vec<String> =
            files.iter().map(|file| file.stat.map_or("?".into(), |stat| self.block_count(stat.blocks))).collect();
        let block_width = if align { counts.iter().map(String::len).max().unwrap_or(0) } else { 0 };
        let cell = |(file, blocks): (&File, &String)| {
            let mut text = String::new();
            if self.options.inodes {
                text.push_str(&format!("{:>inode_width$} ", file.ino));
            }
            if self.options.blocks {
                text.push_str(&format!("{blocks:>block_width$} "));
            }
            text.push_str(&self.shown_name(&file.name));
            text.push_str(self.indicator(file.kind, file.stat.map(|stat| stat.mode)));
            text
        };
        files.iter().zip(&counts).map(cell).collect()
    }

    /// Allocated blocks in the unit that is shown, rounded up.
    fn block_count(&self, blocks: u64) -> String {
        let bytes = blocks.saturating_mul(512);
        match self.options.unit {
            SizeUnit::Plain => bytes.div_ceil(1024).to_string(),
            SizeUnit::Human(base) => human_size(bytes, base),
            SizeUnit::Blocks(size, letter) => in_units(bytes, size, letter),
        }
    }

    fn shown_name(&self, name: &[u8]) -> String {
        match self.options.quoting {
            Quoting::Literal => literal(name),
            Quoting::HideControl => {
                name.iter().map(|&byte| if (b' '..=b'~').contains(&byte) { char::from(byte) } else { '?' }).collect()
            }
            Quoting::Escape => c_escaped(name).replace(' ', "\\ "),
            Quoting::C => format!("\"{}\"", c_escaped(name).replace('"', "\\\"")),
            Quoting::ShellEscape => shell_escaped(name),
        }
    }

    /// The letter after a name that says what it is.
    fn indicator(&self, kind: u32, mode: Option<u32>) -> &'static str {
        let wanted = self.options.indicator;
        match kind {
            S_IFDIR if wanted != Indicator::None => "/",
            _ if wanted < Indicator::FileType => "",
            S_IFLNK if self.options.format == Format::Long => "",
            S_IFLNK => "@",
            S_IFIFO => "|",
            S_IFSOCK => "=",
            S_IFREG if wanted == Indicator::Classify && mode.is_some_and(|mode| mode & 0o111 != 0) => "*",
            _ => "",
        }
    }
}

fn fits(pattern: &[u8], name: &[u8]) -> bool {
    matches(pattern, name, MatchOptions { leading_dot: true, ..MatchOptions::default() })
}

/// A name as text with one character for each byte, so that widths count bytes as in the C locale.
fn literal(name: &[u8]) -> String {
    name.iter().map(|&byte| char::from(byte)).collect()
}

/// A number of bytes in units of so many, rounded up, with the unit's letter.
fn in_units(bytes: u64, size: u64, letter: Option<char>) -> String {
    let mut text = bytes.div_ceil(size.max(1)).to_string();
    text.extend(letter);
    text
}

/// The bytes of such a text.
fn bytes_of(text: &str) -> Vec<u8> {
    text.chars().map(|symbol| u8::try_from(u32::from(symbol)).unwrap_or(b'?')).collect()
}
