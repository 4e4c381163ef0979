//! What several text utilities share: opening operands, and small notations.

use provium_kernel::flags::{O_CLOEXEC, O_RDONLY, S_IFIFO, S_IFMT};
use provium_kernel::{Errno, Fd, Stat};

use crate::shared::args::Stopped;
use crate::shared::tool::STDIN;
use crate::shared::{Exit, LineReader, Parsed, Spec, Tool};

/// Bytes held at once by tools that must see all of their input (sort, tac, diff): a guest's test data
/// is far smaller, and the host must survive `yes | sort`.
pub(super) const MAX_HELD: usize = 256 << 20;

/// Opens an operand; `-` is standard input.
pub(super) async fn open(tool: &Tool, name: &[u8]) -> Result<Fd, Errno> {
    if name == b"-" { Ok(STDIN) } else { tool.sys.open(name, O_RDONLY | O_CLOEXEC, 0).await }
}

/// Closes what [`open`] gave; standard input stays open.
pub(super) async fn close(tool: &Tool, fd: Fd) {
    if fd != STDIN {
        let _closed_either_way = tool.sys.close(fd).await;
    }
}

/// The operands, or standard input if there are none.
pub(super) fn or_stdin(operands: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    if operands.is_empty() { vec![b"-".to_vec()] } else { operands }
}

/// A reader of lines.
pub(super) fn lines(tool: &Tool, fd: Fd) -> LineReader {
    LineReader::new(tool.sys.clone(), fd)
}

/// The line without its end.
pub(super) fn chomp(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// All of an operand's bytes, at most [`MAX_HELD`]: more is `ENOMEM`.
pub(super) async fn read_all(tool: &Tool, fd: Fd, block: usize) -> Result<Vec<u8>, Errno> {
    let mut all = Vec::new();
    loop {
        let data = tool.sys.read(fd, block).await?;
        if data.is_empty() {
            return Ok(all);
        }
        if all.len() + data.len() > MAX_HELD {
            return Err(Errno::ENOMEM);
        }
        all.extend_from_slice(&data);
    }
}

/// Decimal digits as a number; `None` if it is anything else. Too large a number is the largest.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(text.iter().fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'))))
}

/// Whether the byte is white space in the C locale.
pub(super) fn is_space(byte: u8) -> bool {
    byte == b' ' || (9..=13).contains(&byte)
}

/// Whether the byte is a blank in the C locale.
pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Whether it is a pipe or FIFO.
pub(super) fn is_fifo(stat: &Stat) -> bool {
    stat.mode & S_IFMT == S_IFIFO
}

/// Reads options as the tools of GNU diffutils do, whose hint begins with their name.
pub(super) async fn parse_diffutils(tool: &Tool, spec: &Spec, args: Vec<Vec<u8>>) -> Result<Parsed, Exit> {
    match spec.parse(args.clone()) {
        Err(Stopped::Wrong(message)) => Err(usage_diffutils(tool, message).await),
        _ => tool.parse_args(spec, args).await,
    }
}

/// A usage error of a tool of GNU diffutils.
pub(super) async fn usage_diffutils(tool: &Tool, message: impl AsRef<[u8]>) -> Exit {
    tool.error(message).await;
    let name = String::from_utf8_lossy(tool.name()).into_owned();
    tool.fail(2, format!("Try '{name} --help' for more information.")).await
}
