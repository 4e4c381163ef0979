//! grep: lines that match.

mod options;
mod search;

use provium_kernel::flags::{S_IFCHR, S_IFMT};
use provium_kernel::{Errno, Stat};

use super::common::{close, open, or_stdin};
use crate::shared::tool::{STDIN, STDOUT};
use crate::shared::walk::{Event, Follow, Walk, WalkOptions};
use crate::shared::{Exit, Outcome, Tool};
use options::{Directories, Job, Listing};

/// The device number of `/dev/null`.
const NULL_DEVICE: u64 = 0x103;

/// What is known of the run so far.
struct State {
    /// A line was selected somewhere.
    selected: bool,
    /// Something went wrong, which makes the exit code 2.
    failed: bool,
    /// Device and inode of standard output if it is a regular file.
    output: Option<(u64, u64)>,
    /// Whether anything was written that a group separator must part from what follows.
    any_output: bool,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    run_as(tool, None).await
}

/// egrep: grep -E.
pub(super) async fn run_extended(tool: Tool) -> Outcome {
    run_as(tool, Some(b"-E")).await
}

/// fgrep: grep -F.
pub(super) async fn run_fixed(tool: Tool) -> Outcome {
    run_as(tool, Some(b"-F")).await
}

async fn run_as(mut tool: Tool, first: Option<&[u8]>) -> Outcome {
    if let Some(first) = first {
        tool.args.insert(0, first.to_vec());
        // The real one is a script that runs grep.
        tool.rename(b"grep");
    }
    tool.out.set_failure(2);
    let (mut job, operands) = options::read(&tool).await?;
    let mut state = State { selected: false, failed: false, output: None, any_output: false };
    if let Ok(stat) = tool.sys.fstat(STDOUT).await {
        if stat.is_file() {
            state.output = Some((stat.dev, stat.ino));
        }
        if stat.mode & S_IFMT == S_IFCHR && stat.rdev == NULL_DEVICE {
            // Nobody can see more than whether there is a match.
            job.quiet_at_first = true;
        }
    }
    let recursive = job.directories == Directories::Recurse;
    let bare_tree = operands.is_empty() && recursive;
    let operands = if bare_tree { vec![b".".to_vec()] } else { or_stdin(operands) };
    for operand in operands {
        if done(&job, &state) {
            break;
        }
        if operand == b"-" || !recursive {
            file(&tool, &job, &mut state, &operand, &operand, true).await?;
        } else {
            tree(&tool, &job, &mut state, operand, bare_tree).await?;
        }
    }
    if state.failed && !(job.quiet() && state.selected) {
        return Ok(2);
    }
    Ok(i32::from(!state.selected))
}

fn done(job: &Job, state: &State) -> bool {
    job.quiet() && state.selected
}

/// Searches one file. `shown` is its name in messages.
async fn file(
    tool: &Tool,
    job: &Job,
    state: &mut State,
    path: &[u8],
    shown: &[u8],
    argument: bool,
) -> Result<(), Exit> {
    if argument && path != b"-" && job.skips_file(path, true) {
        return Ok(());
    }
    let label = if path == b"-" { job.label.clone() } else { shown.to_vec() };
    let fd = match open(tool, path).await {
        Ok(fd) => fd,
        Err(errno) => return trouble(tool, job, state, &label, errno).await,
    };
    let stat = match tool.sys.fstat(fd).await {
        Ok(stat) => stat,
        Err(errno) => {
            close(tool, fd).await;
            return trouble(tool, job, state, &label, errno).await;
        }
    };
    if stat.is_dir() && job.directories == Directories::Skip {
        close(tool, fd).await;
        return Ok(());
    }
    if is_output(job, state, &stat) {
        close(tool, fd).await;
        if !job.no_messages {
            let name = String::from_utf8_lossy(&label).into_owned();
            tool.error(format!("{name}: input file is also the output")).await;
        }
        state.failed = true;
        return Ok(());
    }
    let found = search::file(tool, job, state, fd, &label).await;
    if fd != STDIN {
        close(tool, fd).await;
    }
    match found? {
        Ok(count) => {
            let selected = count > 0;
            state.selected |= selected;
            summary(tool, job, &label, count).await
        }
        Err(errno) => trouble(tool, job, state, &label, errno).await,
    }
}

/// A file that grows by what is written about it would be searched for ever.
fn is_output(job: &Job, state: &State, stat: &Stat) -> bool {
    !job.quiet() && job.listing == Listing::Lines && job.max_count > 1 && state.output == Some((stat.dev, stat.ino))
}

async fn summary(tool: &Tool, job: &Job, label: &[u8], count: u64) -> Result<(), Exit> {
    if job.quiet() {
        return Ok(());
    }
    let end: &[u8] = if job.nul_after_name { b"\0" } else { b"\n" };
    match job.listing {
        Listing::Count => {
            let separator: &[u8] = if job.nul_after_name { b"\0" } else { b":" };
            let name = if job.with_name { [label, separator].concat() } else { Vec::new() };
            tool.out.write([&name, count.to_string().as_bytes(), b"\n"].concat()).await
        }
        Listing::Matching if count > 0 => tool.out.write([label, end].concat()).await,
        Listing::NotMatching if count == 0 => tool.out.write([label, end].concat()).await,
        _ => Ok(()),
    }
}

async fn trouble(tool: &Tool, job: &Job, state: &mut State, label: &[u8], errno: Errno) -> Result<(), Exit> {
    state.failed = true;
    if !job.no_messages {
        tool.error_errno(label, errno).await;
    }
    Ok(())
}

/// Searches a directory tree, in the order of the directory.
async fn tree(tool: &Tool, job: &Job, state: &mut State, root: Vec<u8>, bare: bool) -> Result<(), Exit> {
    let follow = if job.dereference { Follow::Always } else { Follow::Arguments };
    let mut walk = Walk::new(tool.sys.clone(), vec![root], WalkOptions { follow, ..WalkOptions::default() });
    while let Some(event) = walk.next().await {
        if done(job, state) {
            return Ok(());
        }
        match event {
            Event::Enter(entry) if entry.is_dir() => {
                if job.skips_directory(&entry.name, entry.depth == 0) {
                    walk.skip();
                }
            }
            Event::Enter(entry) => {
                let argument = entry.depth == 0;
                // Below an argument only regular files are searched, and links only if followed.
                if !argument && (entry.kind != 0o100_000 || job.skips_file(&entry.name, false)) {
                    continue;
                }
                let shown = if bare { entry.path.strip_prefix(b"./").unwrap_or(&entry.path) } else { &entry.path };
                file(tool, job, state, &entry.path, shown, argument).await?;
            }
            Event::NoStat(entry, errno) | Event::NoRead(entry, errno) => {
                trouble(tool, job, state, &entry.path, errno).await?;
            }
            Event::Cycle(entry) => {
                if !job.no_messages {
                    let name = String::from_utf8_lossy(&entry.path).into_owned();
                    tool.error(format!("{name}: warning: recursive directory loop")).await;
                }
            }
            Event::Leave(_) => {}
        }
    }
    Ok(())
}
