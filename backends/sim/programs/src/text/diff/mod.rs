//! diff: how two files, or two directories, differ.
//!
//! Where several shortest lists of changes exist, GNU diff may choose another one than is chosen here.

mod lines;
mod options;
mod output;

use std::collections::BTreeSet;

use provium_kernel::flags::{S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK};
use provium_kernel::{Errno, Stat};

use super::common::{close, is_space, open, read_all};
use crate::shared::tool::text_of;
use crate::shared::{Exit, Outcome, Tool};
use lines::Change;
use options::Job;
use output::{Pair, Style};

/// Bytes of one read.
const BLOCK: usize = 64 << 10;

/// Bytes at the beginning of a file that decide whether it is text.
const SNIFFED: usize = 4096;

/// One of the two files of a comparison.
#[derive(Clone, Debug)]
struct Side {
    name: Vec<u8>,
    /// `None` if there is no such file and that is as good as an empty one.
    stat: Option<Stat>,
}

/// What is left to do.
enum Task {
    /// Two names under two directories, either of which may lack it.
    Pair { old: Box<Side>, new: Box<Side>, top: bool },
    /// A line that was due earlier.
    Say(Vec<u8>),
}

pub(super) async fn run(tool: Tool) -> Outcome {
    tool.out.set_failure(2);
    let (job, names) = options::read(&tool).await?;
    let mut code = 0;
    let mut sides = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let stat = if name == b"-" { tool.sys.fstat(0).await } else { tool.sys.stat(name).await };
        sides.push(match stat {
            Ok(stat) => Some(Side { name: name.clone(), stat: Some(stat) }),
            Err(Errno::ENOENT) if (index == 0 && job.old_file) || (index == 1 && job.new_file) => {
                Some(Side { name: name.clone(), stat: None })
            }
            Err(errno) => {
                trouble(&tool, name, errno).await;
                None
            }
        });
    }
    let (Some(Some(new)), Some(Some(old))) = (sides.pop(), sides.pop()) else { return Ok(2) };
    if old.stat.is_none() && new.stat.is_none() {
        for side in [&old, &new] {
            trouble(&tool, &side.name, Errno::ENOENT).await;
        }
        return Ok(2);
    }
    let Some((old, new)) = into_directory(&tool, old, new).await else { return Ok(2) };
    let mut tasks = vec![Task::Pair { old: Box::new(old), new: Box::new(new), top: true }];
    while let Some(task) = tasks.pop() {
        match task {
            Task::Say(line) => {
                tool.out.write(line).await?;
                code = code.max(1);
            }
            Task::Pair { old, new, top } => code = code.max(pair(&tool, &job, *old, *new, top, &mut tasks).await?),
        }
    }
    Ok(code)
}

async fn trouble(tool: &Tool, name: &[u8], errno: Errno) {
    let name = String::from_utf8_lossy(name).into_owned();
    tool.error(format!("{name}: {}", text_of(errno))).await;
}

fn is_dir(side: &Side) -> bool {
    side.stat.as_ref().is_some_and(Stat::is_dir)
}

fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    if directory.ends_with(b"/") { [directory, name].concat() } else { [directory, b"/", name].concat() }
}

/// A file against a directory is compared with the file of its name in there.
async fn into_directory(tool: &Tool, mut old: Side, mut new: Side) -> Option<(Side, Side)> {
    if is_dir(&old) != is_dir(&new) && old.stat.is_some() && new.stat.is_some() {
        let (directory, file) = if is_dir(&old) { (&mut old, &new) } else { (&mut new, &old) };
        if file.name != b"-" {
            let base = file.name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            directory.name = join(&directory.name, base);
            match tool.sys.stat(&directory.name).await {
                Ok(stat) => directory.stat = Some(stat),
                Err(errno) => {
                    trouble(tool, &directory.name, errno).await;
                    return None;
                }
            }
        }
    }
    Some((old, new))
}

async fn pair(tool: &Tool, job: &Job, old: Side, new: Side, top: bool, tasks: &mut Vec<Task>) -> Result<i32, Exit> {
    let same_file = match (&old.stat, &new.stat) {
        (Some(old), Some(new)) => (old.dev, old.ino) == (new.dev, new.ino),
        _ => false,
    };
    let directories = (is_dir(&old) || old.stat.is_none()) && (is_dir(&new) || new.stat.is_none());
    if directories {
        if same_file {
            return Ok(0);
        }
        if !top && !job.recursive {
            let line = [b"Common subdirectories: ", &old.name[..], b" and ", &new.name, b"\n"].concat();
            tool.out.write(line).await?;
            return Ok(0);
        }
        return directory(tool, job, &old, &new, tasks).await;
    }
    if is_dir(&old) != is_dir(&new) {
        let kind = |side: &Side| side.stat.as_ref().map_or("regular empty file", kind_name);
        let (one, other) = (String::from_utf8_lossy(&old.name), String::from_utf8_lossy(&new.name));
        let line = format!("File {one} is a {} while file {other} is a {}\n", kind(&old), kind(&new));
        tool.out.write(line).await?;
        return Ok(1);
    }
    if same_file && old.name != b"-" {
        if job.report_identical {
            identical(tool, &old, &new).await?;
        }
        return Ok(0);
    }
    files(tool, job, &old, &new, top).await
}

fn kind_name(stat: &Stat) -> &'static str {
    match stat.mode & S_IFMT {
        S_IFDIR => "directory",
        S_IFREG if stat.size == 0 => "regular empty file",
        S_IFREG => "regular file",
        S_IFLNK => "symbolic link",
        S_IFIFO => "fifo",
        S_IFCHR => "character special file",
        S_IFBLK => "block special file",
        S_IFSOCK => "socket",
        _ => "weird file",
    }
}

async fn identical(tool: &Tool, old: &Side, new: &Side) -> Result<(), Exit> {
    tool.out.write([b"Files ", &old.name[..], b" and ", &new.name, b" are identical\n"].concat()).await
}

/// Compares what two directories hold, name by name in order.
async fn directory(tool: &Tool, job: &Job, old: &Side, new: &Side, tasks: &mut Vec<Task>) -> Result<i32, Exit> {
    let mut lists: [BTreeSet<Vec<u8>>; 2] = [BTreeSet::new(), BTreeSet::new()];
    for (list, side) in lists.iter_mut().zip([old, new]) {
        if side.stat.is_none() {
            continue;
        }
        match tool.sys.read_dir(&side.name).await {
            Ok(entries) => list.extend(entries.into_iter().map(|entry| entry.name).filter(|name| !job.excludes(name))),
            Err(errno) => {
                trouble(tool, &side.name, errno).await;
                return Ok(2);
            }
        }
    }
    let names: BTreeSet<&Vec<u8>> = lists[0].iter().chain(&lists[1]).collect();
    let mut code = 0;
    // The stack gives the last one first.
    for name in names.into_iter().rev() {
        let mut sides = Vec::new();
        for (index, (side, list)) in [old, new].into_iter().zip(&lists).enumerate() {
            let path = join(&side.name, name);
            if !list.contains(name) {
                let as_empty = if index == 0 { job.old_file } else { job.new_file };
                sides.push(as_empty.then_some(Side { name: path, stat: None }));
                continue;
            }
            match tool.sys.stat(&path).await {
                Ok(stat) => sides.push(Some(Side { name: path, stat: Some(stat) })),
                Err(errno) => {
                    trouble(tool, &path, errno).await;
                    code = 2;
                    sides.push(None);
                }
            }
        }
        match (sides.pop().flatten(), sides.pop().flatten()) {
            (Some(new), Some(old)) => tasks.push(Task::Pair { old: Box::new(old), new: Box::new(new), top: false }),
            (found, _) => {
                let owner = if found.is_some() { new } else { old };
                tasks.push(Task::Say([b"Only in ", &owner.name[..], b": ", name, b"\n"].concat()));
            }
        }
    }
    Ok(code)
}

async fn content(tool: &Tool, side: &Side) -> Result<Vec<u8>, Errno> {
    if side.stat.is_none() {
        return Ok(Vec::new());
    }
    let fd = open(tool, &side.name).await?;
    let read = read_all(tool, fd, BLOCK).await;
    close(tool, fd).await;
    read
}

async fn files(tool: &Tool, job: &Job, old: &Side, new: &Side, top: bool) -> Result<i32, Exit> {
    let mut texts = Vec::new();
    for side in [old, new] {
        match content(tool, side).await {
            Ok(text) => texts.push(if job.strip_cr { strip_cr(&text) } else { text }),
            Err(errno) => trouble(tool, &side.name, errno).await,
        }
    }
    let [old_text, new_text] = texts.as_slice() else { return Ok(2) };
    if old_text == new_text {
        if job.report_identical {
            identical(tool, old, new).await?;
        }
        return Ok(0);
    }
    let binary = !job.text && [old_text, new_text].iter().any(|text| text[..text.len().min(SNIFFED)].contains(&0));
    let (one, other) = (String::from_utf8_lossy(&old.name).into_owned(), String::from_utf8_lossy(&new.name));
    if binary && !job.brief {
        tool.out.write(format!("Binary files {one} and {other} differ\n")).await?;
        return Ok(1);
    }
    let (old_lines, new_lines) = (lines::split(old_text), lines::split(new_text));
    let changes = if binary {
        vec![Change { old: (0, 1), new: (0, 1) }]
    } else {
        lines::changes(&old_lines, &new_lines, job.ignore)
    };
    let is_ignorable = |change: &Change| {
        let all = |test: &dyn Fn(&[u8]) -> bool| {
            let deleted = old_lines.get(change.old.0..change.old.1).unwrap_or_default();
            let inserted = new_lines.get(change.new.0..change.new.1).unwrap_or_default();
            deleted.iter().chain(inserted).all(|line| test(line))
        };
        let spaces = job.ignore.space_change || job.ignore.all_space;
        let blank = |line: &[u8]| line == b"\n" || (spaces && line.iter().all(|byte| is_space(*byte)));
        let matching = |line: &[u8]| {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            job.matching.as_ref().is_some_and(|regex| regex.is_match(line).unwrap_or(false))
        };
        (job.blank_lines && all(&blank)) || (job.matching.is_some() && all(&matching))
    };
    if changes.iter().all(is_ignorable) {
        return Ok(0);
    }
    if job.brief {
        tool.out.write(format!("Files {one} and {other} differ\n")).await?;
        return Ok(1);
    }
    let headers = [header(job, old, 0), header(job, new, 1)];
    let pair = Pair { old: &old_lines, new: &new_lines, headers, ignorable: &is_ignorable };
    let shown = output::text(&pair, &changes, job.style);
    if !top {
        tool.out.write(format!("diff{} {one} {other}\n", job.switches)).await?;
    }
    tool.out.write(shown).await?;
    let unended = |text: &[u8]| !text.is_empty() && !text.ends_with(b"\n");
    if matches!(job.style, Style::Ed) && (unended(old_text) || unended(new_text)) {
        tool.error(format!("{one}: No newline at end of file")).await;
        return Ok(2);
    }
    Ok(1)
}

fn strip_cr(text: &[u8]) -> Vec<u8> {
    let mut stripped = Vec::with_capacity(text.len());
    for (at, &byte) in text.iter().enumerate() {
        if byte != b'\r' || text.get(at + 1) != Some(&b'\n') {
            stripped.push(byte);
        }
    }
    stripped
}

/// Name and date, or the label.
fn header(job: &Job, side: &Side, index: usize) -> Vec<u8> {
    if let Some(label) = job.labels.get(index) {
        return label.clone();
    }
    let (sec, nsec) = side.stat.as_ref().map_or((0, 0), |stat| (stat.mtime.sec, stat.mtime.nsec));
    let date = match jiff::Timestamp::new(sec, nsec.cast_signed()) {
        Ok(time) => {
            let time = time.to_zoned_datetime(jiff::tz::TimeZone::UTC);
            let format = match job.style {
                Style::Context(_) => "%a %b %e %H:%M:%S %Y".to_owned(),
                _ => format!("%Y-%m-%d %H:%M:%S.{nsec:09} +0000"),
            };
            time.strftime(&format).to_string()
        }
        Err(_) => format!("{sec}.{nsec:09}"),
    };
    let name = crate::shared::quote::c_escaped(&side.name);
    let name = if name.as_bytes() == side.name { name } else { format!("\"{name}\"") };
    format!("{name}\t{date}").into_bytes()
}
