//! xxd: a hexadecimal dump, and back.

mod dump;
mod reverse;

use provium_kernel::Fd;
use provium_kernel::flags::{O_CREAT, O_TRUNC, O_WRONLY};

use super::common::open;
use crate::shared::tool::{STDOUT, text_of};
use crate::shared::{Exit, Outcome, Tool};

/// Bytes of one read by stdio.
const BLOCK: usize = 4096;

/// The most columns of the real tool.
const MAX_COLUMNS: i64 = 256;

/// What to do and how.
#[derive(Clone, Debug)]
struct Job {
    kind: Kind,
    autoskip: bool,
    upper: bool,
    columns: Option<usize>,
    group: Option<usize>,
    length: Option<u64>,
    seek: i64,
    /// The seek is relative to where standard input stands.
    relative: bool,
    /// Added to the addresses shown.
    shift: u64,
    decimal: bool,
}

impl Job {
    /// What is done when no option asks for anything else.
    const USUAL: Job = Job {
        kind: Kind::Hex,
        autoskip: false,
        upper: false,
        columns: None,
        group: None,
        length: None,
        seek: 0,
        relative: false,
        shift: 0,
        decimal: false,
    };
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Hex,
    Bits,
    LittleEndian,
    Plain,
    Include,
    Reverse { plain: bool },
}

/// The options by their full names; the real tool looks at beginnings only.
const FLAGS: &[(&str, &[&str])] = &[
    ("a", &["-a", "-autoskip"]),
    ("b", &["-b", "-bits"]),
    ("d", &["-d"]),
    ("e", &["-e"]),
    ("i", &["-i", "-include"]),
    ("p", &["-p", "-ps", "-plain", "-postscript"]),
    ("r", &["-r", "-revert"]),
    ("u", &["-u", "-uppercase"]),
];

const VALUES: &[(&str, &[&str])] = &[
    ("c", &["-c", "-cols"]),
    ("g", &["-g", "-groupsize"]),
    ("l", &["-l", "-len"]),
    ("o", &["-o", "-offset"]),
    ("s", &["-s", "-seek", "-skip"]),
];

pub(super) async fn run(tool: Tool) -> Outcome {
    let (job, operands) = options(&tool).await?;
    if operands.len() > 2 {
        return Err(usage(&tool).await);
    }
    let input = operands.first().map_or(&b"-"[..], Vec::as_slice);
    let fd = match open(&tool, input).await {
        Ok(fd) => fd,
        Err(errno) => return Err(named(&tool, input, errno, 2).await),
    };
    if let Some(output) = operands.get(1).filter(|name| name.as_slice() != b"-") {
        // Going back, the real tool writes into the file that is there.
        let truncate = if matches!(job.kind, Kind::Reverse { .. }) { 0 } else { O_TRUNC };
        let opened = match tool.sys.open(output, O_WRONLY | O_CREAT | truncate, 0o666).await {
            Ok(opened) => tool.sys.dup2(opened, STDOUT).await,
            Err(errno) => Err(errno),
        };
        if let Err(errno) = opened {
            return Err(named(&tool, output, errno, 3).await);
        }
    }
    if let Kind::Reverse { plain } = job.kind {
        return reverse::run(&tool, fd, &job, plain).await;
    }
    let skipped = skip(&tool, fd, &job).await?;
    let name = (input != b"-").then_some(input);
    dump::run(&tool, fd, &job, skipped, name).await
}

async fn named(tool: &Tool, name: &[u8], errno: provium_kernel::Errno, code: i32) -> Exit {
    let name = String::from_utf8_lossy(name).into_owned();
    tool.fail(code, format!("{name}: {}", text_of(errno))).await
}

async fn usage(tool: &Tool) -> Exit {
    let text = "Usage:\n       xxd [options] [infile [outfile]]\n    or\n       xxd -r [-s [-]offset] [-c cols] [-ps] [infile [outfile]]\nOptions in the simulated guest: -a -b -c COLS -d -e -g BYTES -i -l LEN -o OFF -ps -r -s [+][-]SEEK -u\n";
    tool.stderr(text).await;
    Exit(1)
}

async fn options(tool: &Tool) -> Result<(Job, Vec<Vec<u8>>), Exit> {
    let mut job = Job::USUAL;
    let (mut plain, mut reverse) = (false, false);
    let mut args = tool.args.clone().into_iter();
    let mut operands = Vec::new();
    while let Some(arg) = args.next() {
        if arg == b"--" {
            break;
        }
        if !arg.starts_with(b"-") || arg == b"-" {
            operands.push(arg);
            continue;
        }
        let text = String::from_utf8_lossy(&arg).into_owned();
        let text = if text.starts_with("--") { text[1..].to_owned() } else { text };
        if let Some((flag, _)) = FLAGS.iter().find(|(_, names)| names.contains(&text.as_str())) {
            match *flag {
                "a" => job.autoskip = true,
                "b" => job.kind = Kind::Bits,
                "d" => job.decimal = true,
                "e" => job.kind = Kind::LittleEndian,
                "i" => job.kind = Kind::Include,
                "p" => plain = true,
                "r" => reverse = true,
                _ => job.upper = true,
            }
            continue;
        }
        let whole = VALUES.iter().find(|(_, names)| names.contains(&text.as_str()));
        let attached = VALUES.iter().find(|(letter, _)| text[1..].starts_with(letter));
        let (letter, value) = match (whole, attached) {
            (Some((letter, _)), _) => (*letter, args.next()),
            (None, Some((letter, _))) => (*letter, Some(arg[2..].to_vec())),
            (None, None) if matches!(text.as_str(), "-C" | "-E" | "-n" | "-R") => {
                return Err(tool.fail(1, format!("option '{text}' is not supported by the simulated guest")).await);
            }
            (None, None) => return Err(usage(tool).await),
        };
        let Some(value) = value else { return Err(usage(tool).await) };
        value_option(tool, &mut job, letter, &value).await?;
    }
    operands.extend(args);
    if plain {
        job.kind = Kind::Plain;
    }
    if reverse {
        job.kind = Kind::Reverse { plain };
    }
    Ok((job, operands))
}

async fn value_option(tool: &Tool, job: &mut Job, letter: &str, text: &[u8]) -> Result<(), Exit> {
    let relative = text.starts_with(b"+");
    let number = crate::shared::strnum::signed(text.strip_prefix(b"+").unwrap_or(text), 0).value;
    match letter {
        "c" => {
            let most = if job.kind == Kind::Plain { i64::MAX } else { MAX_COLUMNS };
            if number < 0 || number > most {
                return Err(tool.fail(1, format!("invalid number of columns (max. {MAX_COLUMNS}).")).await);
            }
            job.columns = usize::try_from(number).ok();
        }
        "g" => job.group = usize::try_from(number).ok(),
        "l" => job.length = u64::try_from(number).ok(),
        "o" => job.shift = number.cast_unsigned(),
        _ => {
            job.seek = number;
            job.relative = relative;
        }
    }
    Ok(())
}

/// Goes to where the dump begins; returns that place.
async fn skip(tool: &Tool, fd: Fd, job: &Job) -> Result<u64, Exit> {
    if job.seek == 0 && !job.relative {
        return Ok(0);
    }
    let whence = if job.seek < 0 && !job.relative { 2 } else { i32::from(job.relative) };
    if let Ok(place) = tool.sys.lseek(fd, job.seek, whence).await {
        return Ok(place);
    }
    let Ok(mut left) = u64::try_from(job.seek) else {
        return Err(tool.fail(4, "Sorry, cannot seek.").await);
    };
    let place = left;
    while left > 0 {
        let wanted = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        match tool.sys.read(fd, wanted).await {
            Ok(data) if !data.is_empty() => left -= data.len() as u64,
            Ok(_) => return Err(tool.fail(4, "Sorry, cannot seek.").await),
            Err(errno) => return Err(tool.fail(2, text_of(errno)).await),
        }
    }
    Ok(place)
}
