//! stat(1).

use provium_kernel::{Errno, Stat, StatFs};

use super::stat_format::{Conversion, Piece, pieces};
use crate::shared::mode::{S_IFBLK, S_IFCHR, S_IFLNK, S_IFMT, mode_string, type_name};
use crate::shared::names::NameCache;
use crate::shared::path::dir_name;
use crate::shared::tool::STDIN;
use crate::shared::{Exit, Opt, Outcome, Spec, Tool, clock, quoteaf};

const SPEC: Spec = Spec::new(
    "[OPTION]... FILE...",
    &[
        Opt::flag("L", "dereference"),
        Opt::flag("f", "file-system"),
        Opt::value("", "cached"),
        Opt::value("c", "format"),
        Opt::value("", "printf"),
        Opt::flag("t", "terse"),
    ],
);

const DEFAULT: &str =
    "  File: %N\n  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\nDevice: %Hd,%Ld\tInode: %-10i  Links: ";
const DEFAULT_TAIL: &str =
    "\nAccess: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\nAccess: %x\nModify: %y\nChange: %z\n Birth: %w\n";
const TERSE: &str = "%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o\n";
const DEFAULT_FS: &str = "  File: \"%n\"\n    ID: %-8i Namelen: %-7l Type: %T\nBlock size: %-10s Fundamental block size: %S\nBlocks: Total: %-10b Free: %-10f Available: %a\nInodes: Total: %-10c Free: %d\n";
const TERSE_FS: &str = "%n %i %l %t %s %S %b %f %a %c %d\n";

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    if parsed.operands.is_empty() {
        return Err(tool.missing_operand(1, None).await);
    }
    let file_system = parsed.has("file-system");
    let given = match parsed.last_of(&["format", "printf"]) {
        Some(option) => parsed.value(option).map(|text| (text.to_vec(), option == "printf")),
        None => None,
    };
    let mut names = NameCache::default();
    let mut code = 0;
    for path in &parsed.operands {
        let done = if file_system {
            one_file_system(&tool, path, given.as_ref(), parsed.has("terse")).await?
        } else {
            let follow = parsed.has("dereference");
            one(&tool, path, given.as_ref(), follow, parsed.has("terse"), &mut names).await?
        };
        if !done {
            code = 1;
        }
    }
    Ok(code)
}

/// A format given by option, and whether it is `--printf`.
type Given = (Vec<u8>, bool);

async fn one(
    tool: &Tool,
    path: &[u8],
    given: Option<&Given>,
    follow: bool,
    terse: bool,
    names: &mut NameCache,
) -> Result<bool, Exit> {
    let looked = if path == b"-" {
        tool.sys.fstat(STDIN).await
    } else if follow {
        tool.sys.stat(path).await
    } else {
        tool.sys.lstat(path).await
    };
    let stat = match looked {
        Ok(stat) => stat,
        Err(errno) if path == b"-" => {
            tool.error_errno("cannot stat standard input", errno).await;
            return Ok(false);
        }
        Err(errno) => {
            tool.error_errno(format!("cannot statx {}", quoteaf(path)), errno).await;
            return Ok(false);
        }
    };
    let device = matches!(stat.mode & S_IFMT, S_IFCHR | S_IFBLK);
    let default = if terse {
        TERSE.to_owned()
    } else if device {
        format!("{DEFAULT}%-5h Device type: %Hr,%Lr{DEFAULT_TAIL}")
    } else {
        format!("{DEFAULT}%h{DEFAULT_TAIL}")
    };
    let plain_names = given.is_none();
    let mut text = Vec::new();
    for piece in wanted(tool, given, &default).await? {
        match piece {
            Piece::Text(literal) => text.extend_from_slice(&literal),
            Piece::Warning(warning) => tool.error(warning).await,
            Piece::Field(field) => {
                let value = field_value(tool, path, &stat, field.major_minor, field.letter, plain_names, names).await;
                field.conversion(value, &mut text);
            }
        }
    }
    finish(tool, given, text).await?;
    Ok(true)
}

/// The pieces of the format; a directive that is none ends the tool.
async fn wanted(tool: &Tool, given: Option<&Given>, default: &str) -> Result<Vec<Piece>, Exit> {
    let (format, escapes) = match given {
        Some((format, escapes)) => (format.as_slice(), *escapes),
        None => (default.as_bytes(), false),
    };
    match pieces(format, escapes) {
        Ok(pieces) => Ok(pieces),
        Err(bad) => {
            let text = format!("{}: invalid directive", crate::shared::quote(bad));
            Err(tool.fail(1, text).await)
        }
    }
}

async fn finish(tool: &Tool, given: Option<&Given>, mut text: Vec<u8>) -> Result<(), Exit> {
    if matches!(given, Some((_, false))) {
        text.push(b'\n');
    }
    tool.out.write(text).await
}

async fn field_value(
    tool: &Tool,
    path: &[u8],
    stat: &Stat,
    part: Option<u8>,
    letter: u8,
    plain_names: bool,
    names: &mut NameCache,
) -> Conversion {
    let sys = &tool.sys;
    let number = |number: u64| Conversion::Number(number);
    match (part, letter) {
        (Some(b'H'), b'd') => number(major(stat.dev)),
        (Some(b'L'), b'd') => number(minor(stat.dev)),
        (Some(b'H'), b'r') => number(major(stat.rdev)),
        (Some(b'L'), b'r') => number(minor(stat.rdev)),
        (_, b'a') => Conversion::Octal(u64::from(stat.mode & 0o7777)),
        (_, b'A') => Conversion::Text(mode_string(stat.mode).into_bytes()),
        (_, b'b') => number(stat.blocks),
        (_, b'B') => number(512),
        (_, b'd') => number(stat.dev),
        (_, b'D') => Conversion::Hex(stat.dev),
        (_, b'f') => Conversion::Hex(stat.mode.into()),
        (_, b'F') => Conversion::Text(type_name(stat.mode, stat.size).into()),
        (_, b'g') => number(stat.gid.into()),
        (_, b'G') => {
            let name = names.group(sys, stat.gid).await;
            Conversion::Text(name.unwrap_or_else(|| "UNKNOWN".into()).into_bytes())
        }
        (_, b'h') => number(stat.nlink),
        (_, b'i') => number(stat.ino),
        (_, b'm') => Conversion::Text(mount_point(tool, path, stat).await),
        (_, b'n') => Conversion::Text(path.to_vec()),
        (_, b'N') => Conversion::Text(quoted_name(tool, path, stat, plain_names).await),
        (_, b'o') => number(stat.blksize),
        (_, b'r') => number(stat.rdev),
        (_, b'R') => Conversion::Hex(stat.rdev),
        (_, b's') => number(stat.size),
        (_, b't') => Conversion::Hex(major(stat.rdev)),
        (_, b'T') => Conversion::Hex(minor(stat.rdev)),
        (_, b'u') => number(stat.uid.into()),
        (_, b'U') => {
            let name = names.user(sys, stat.uid).await;
            Conversion::Text(name.unwrap_or_else(|| "UNKNOWN".into()).into_bytes())
        }
        // The simulated file systems keep no time of birth.
        (_, b'w') => Conversion::Text(b"-".to_vec()),
        (_, b'W') => number(0),
        (_, b'x') => Conversion::Text(clock::full(stat.atime).into_bytes()),
        (_, b'X') => Conversion::Seconds(stat.atime),
        (_, b'y') => Conversion::Text(clock::full(stat.mtime).into_bytes()),
        (_, b'Y') => Conversion::Seconds(stat.mtime),
        (_, b'z') => Conversion::Text(clock::full(stat.ctime).into_bytes()),
        (_, b'Z') => Conversion::Seconds(stat.ctime),
        _ => Conversion::Text(b"?".to_vec()),
    }
}

async fn quoted_name(tool: &Tool, path: &[u8], stat: &Stat, plain: bool) -> Vec<u8> {
    let shown = |name: &[u8]| if plain { crate::shared::quote::shell_escaped(name) } else { quoteaf(name) };
    let mut text = shown(path);
    if stat.mode & S_IFMT == S_IFLNK
        && let Ok(target) = tool.sys.readlink(path).await
    {
        text.push_str(" -> ");
        text.push_str(&shown(&target));
    }
    text.into_bytes()
}

/// Goes up until the device changes.
async fn mount_point(tool: &Tool, path: &[u8], stat: &Stat) -> Vec<u8> {
    let must = crate::shared::canon::MustExist::AllButLast;
    let Ok(mut at) = crate::shared::canon::canonicalize(&tool.sys, path, must, true).await else {
        return b"?".to_vec();
    };
    if !tool.sys.stat(&at).await.is_ok_and(|stat| stat.is_dir()) {
        at = dir_name(&at).to_vec();
    }
    while at != b"/" {
        let up = dir_name(&at).to_vec();
        match tool.sys.stat(&up).await {
            Ok(above) if above.dev == stat.dev => at = up,
            _ => break,
        }
    }
    at
}

/// The major number of a device, as glibc takes it apart.
fn major(dev: u64) -> u64 {
    (dev >> 8) & 0xfff | (dev >> 32) & !0xfff
}

/// The minor number of a device.
fn minor(dev: u64) -> u64 {
    dev & 0xff | (dev >> 12) & !0xff
}

async fn one_file_system(tool: &Tool, path: &[u8], given: Option<&Given>, terse: bool) -> Result<bool, Exit> {
    let looked = if path == b"-" { Err(Errno::EBADF) } else { tool.sys.statfs(path).await };
    let info = match looked {
        Ok(info) => info,
        Err(_) if path == b"-" => {
            tool.error("using '-' to denote standard input does not work in file system mode").await;
            return Ok(false);
        }
        Err(errno) => {
            let text = format!("cannot read file system information for {}", quoteaf(path));
            tool.error_errno(text, errno).await;
            return Ok(false);
        }
    };
    let mut text = Vec::new();
    for piece in wanted(tool, given, if terse { TERSE_FS } else { DEFAULT_FS }).await? {
        match piece {
            Piece::Text(literal) => text.extend_from_slice(&literal),
            Piece::Warning(warning) => tool.error(warning).await,
            Piece::Field(field) => field.conversion(file_system_value(path, &info, field.letter), &mut text),
        }
    }
    finish(tool, given, text).await?;
    Ok(true)
}

fn file_system_value(path: &[u8], info: &StatFs, letter: u8) -> Conversion {
    match letter {
        b'a' | b'f' => Conversion::Number(info.blocks_free),
        b'b' => Conversion::Number(info.blocks),
        b'c' => Conversion::Number(info.files),
        b'd' => Conversion::Number(info.files_free),
        b'i' => Conversion::Hex(info.kind),
        b'l' => Conversion::Number(info.name_max),
        b'n' => Conversion::Text(path.to_vec()),
        b's' | b'S' => Conversion::Number(info.block_size),
        b't' => Conversion::Hex(info.kind),
        b'T' => Conversion::Text(
            match info.kind {
                0x0102_1994 => "tmpfs",
                0x9fa0 => "proc",
                0x6265_6572 => "sysfs",
                0xef53 => "ext2/ext3",
                0x8584_58f6 => "ramfs",
                _ => "UNKNOWN",
            }
            .into(),
        ),
        _ => Conversion::Text(b"?".to_vec()),
    }
}
