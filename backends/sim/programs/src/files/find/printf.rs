//! `-printf`.

use provium_kernel::TimeSpec;

use super::Search;
use crate::shared::clock;
use crate::shared::escape::octal;
use crate::shared::mode::{S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK, mode_string};
use crate::shared::path::{base_name, without_trailing_slashes};
use crate::shared::walk::{Entry, Walk};

/// The widest that a field is padded to: a width is typed by hand, and its padding is held in memory.
const MAX_WIDTH: usize = 4096;

/// A piece of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(Vec<u8>),
    /// Width (negative: to the left), precision, and the letters of the directive.
    Field {
        left: bool,
        width: usize,
        precision: Option<usize>,
        letter: u8,
        time: u8,
    },
}

/// Takes a format apart, with the warnings that find has about it.
pub(super) fn pieces(format: &[u8]) -> (Vec<Piece>, Vec<String>) {
    let (mut pieces, mut warnings, mut text) = (Vec::new(), Vec::new(), Vec::new());
    let mut rest = format;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'\\' => match escape(rest) {
                Escape::Byte(byte, after) => {
                    text.push(byte);
                    rest = after;
                }
                Escape::Stop => {
                    rest = b"";
                }
                Escape::Unknown => {
                    let shown = rest.first().map_or(String::new(), |&letter| char::from(letter).to_string());
                    warnings.push(format!("unrecognized escape `\\{shown}'"));
                    text.push(b'\\');
                }
            },
            b'%' if rest.first() == Some(&b'%') => {
                text.push(b'%');
                rest = &rest[1..];
            }
            b'%' => match field(rest) {
                Some((field, after)) => {
                    if !text.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut text)));
                    }
                    pieces.push(field);
                    rest = after;
                }
                None => {
                    let letter = rest.first().map_or(String::new(), |&letter| char::from(letter).to_string());
                    warnings.push(format!("unrecognized format directive `%{letter}'"));
                    text.push(b'%');
                }
            },
            byte => text.push(byte),
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    (pieces, warnings)
}

enum Escape<'a> {
    Byte(u8, &'a [u8]),
    /// `\c`: nothing more is printed.
    Stop,
    Unknown,
}

fn escape(rest: &[u8]) -> Escape<'_> {
    let Some((&letter, after)) = rest.split_first() else { return Escape::Unknown };
    let byte = match letter {
        b'a' => 7,
        b'b' => 8,
        b'c' => return Escape::Stop,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' => b'\\',
        b'0'..=b'7' => {
            let (value, used) = octal(rest, 3);
            return Escape::Byte(value, &rest[used..]);
        }
        _ => return Escape::Unknown,
    };
    Escape::Byte(byte, after)
}

fn field(mut rest: &[u8]) -> Option<(Piece, &[u8])> {
    let (mut left, mut width, mut precision) = (false, 0, None);
    while let Some((&flag @ (b'-' | b'0' | b'#' | b'+' | b' '), after)) = rest.split_first() {
        // Numbers are written as text: the flags for numbers do nothing.
        left |= flag == b'-';
        rest = after;
    }
    while let Some((&digit @ b'0'..=b'9', after)) = rest.split_first() {
        width = (width * 10 + usize::from(digit - b'0')).min(MAX_WIDTH);
        rest = after;
    }
    if let Some((b'.', mut after)) = rest.split_first() {
        let mut number = 0;
        while let Some((&digit @ b'0'..=b'9', next)) = after.split_first() {
            number = (number * 10 + usize::from(digit - b'0')).min(MAX_WIDTH);
            after = next;
        }
        precision = Some(number);
        rest = after;
    }
    let (&letter, mut after) = rest.split_first()?;
    let mut time = 0;
    if matches!(letter, b'A' | b'C' | b'T') {
        let (&format, next) = after.split_first()?;
        (time, after) = (format, next);
    }
    b"abcdDfgGhHiklmMnpPstuUyYACT".contains(&letter).then_some(())?;
    Some((Piece::Field { left, width, precision, letter, time }, after))
}

impl Search {
    pub(super) async fn printf(&mut self, pieces: &[Piece], entry: &mut Entry, walk: &Walk) -> Vec<u8> {
        let mut text = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(literal) => text.extend_from_slice(literal),
                Piece::Field { left, width, precision, letter, time } => {
                    let mut value = self.value(*letter, *time, entry, walk).await;
                    value.truncate(precision.unwrap_or(usize::MAX));
                    let missing = width.saturating_sub(value.len());
                    let padding = std::iter::repeat_n(b' ', missing);
                    if *left {
                        text.extend(value.into_iter().chain(padding));
                    } else {
                        text.extend(padding.chain(value));
                    }
                }
            }
        }
        text
    }

    async fn value(&mut self, letter: u8, time: u8, entry: &mut Entry, walk: &Walk) -> Vec<u8> {
        let path = entry.path.clone();
        match letter {
            b'd' => return entry.depth.to_string().into_bytes(),
            b'f' => return base_name(without_trailing_slashes(&path)).to_vec(),
            b'h' => {
                let trimmed = without_trailing_slashes(&path);
                let slash = trimmed.iter().rposition(|&byte| byte == b'/');
                return slash.map_or(b".".to_vec(), |slash| trimmed[..slash].to_vec());
            }
            b'H' => return root_of(&path, entry.depth).to_vec(),
            b'p' => return path,
            b'P' => {
                let root = root_of(&path, entry.depth);
                let below = path.get(root.len()..).unwrap_or_default();
                return below.strip_prefix(b"/").unwrap_or(below).to_vec();
            }
            b'l' => {
                let target = if entry.kind == S_IFLNK { self.tool.sys.readlink(&path).await } else { Ok(Vec::new()) };
                return target.unwrap_or_default();
            }
            b'y' => return vec![type_letter(entry.kind)],
            b'Y' => {
                return match self.tool.sys.stat(&path).await {
                    Ok(stat) => vec![type_letter(stat.mode & S_IFMT)],
                    Err(provium_kernel::Errno::ENOENT) => b"N".to_vec(),
                    Err(provium_kernel::Errno::ELOOP) => b"L".to_vec(),
                    Err(_) => b"?".to_vec(),
                };
            }
            _ => {}
        }
        let Some(stat) = self.stat(entry, walk).await else { return Vec::new() };
        let sys = self.tool.sys.clone();
        let text = match letter {
            b'a' => return ctime(stat.atime),
            b'c' => return ctime(stat.ctime),
            b't' => return ctime(stat.mtime),
            b'A' => return at(time, stat.atime),
            b'C' => return at(time, stat.ctime),
            b'T' => return at(time, stat.mtime),
            b'b' => stat.blocks.to_string(),
            b'D' => stat.dev.to_string(),
            b'g' => self.names.group(&sys, stat.gid).await.unwrap_or_else(|| stat.gid.to_string()),
            b'G' => stat.gid.to_string(),
            b'i' => stat.ino.to_string(),
            b'k' => stat.blocks.div_ceil(2).to_string(),
            b'm' => format!("{:o}", stat.mode & 0o7777),
            b'M' => mode_string(stat.mode),
            b'n' => stat.nlink.to_string(),
            b's' => stat.size.to_string(),
            b'u' => self.names.user(&sys, stat.uid).await.unwrap_or_else(|| stat.uid.to_string()),
            b'U' => stat.uid.to_string(),
            _ => String::new(),
        };
        text.into_bytes()
    }
}

/// The argument under which a path was found: the path without its last `depth` components.
fn root_of(path: &[u8], depth: usize) -> &[u8] {
    let mut root = path;
    for _ in 0..depth {
        let Some(slash) = root.iter().rposition(|&byte| byte == b'/') else { break };
        // A root that ends in a slash was joined without another one.
        root = &root[..if slash == 0 { 1 } else { slash }];
    }
    root
}

fn type_letter(kind: u32) -> u8 {
    match kind {
        S_IFREG => b'f',
        S_IFDIR => b'd',
        S_IFLNK => b'l',
        S_IFIFO => b'p',
        S_IFSOCK => b's',
        S_IFBLK => b'b',
        S_IFCHR => b'c',
        _ => b'U',
    }
}

/// The form of ctime(3) with the fraction that find gives it.
fn ctime(time: TimeSpec) -> Vec<u8> {
    let fraction = format!("{:09}0", time.nsec);
    clock::format(format!("%a %b %e %H:%M:%S.{fraction} %Y").as_bytes(), time)
}

fn at(letter: u8, time: TimeSpec) -> Vec<u8> {
    let fraction = format!("{:09}0", time.nsec);
    match letter {
        b'@' => format!("{}.{fraction}", time.sec).into_bytes(),
        b'S' => clock::format(format!("%S.{fraction}").as_bytes(), time),
        b'T' | b'X' => clock::format(format!("%H:%M:%S.{fraction}").as_bytes(), time),
        b'+' => clock::format(format!("%Y-%m-%d+%H:%M:%S.{fraction}").as_bytes(), time),
        letter => clock::format(&[b'%', letter], time),
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece, pieces, root_of};

    #[test]
    fn formats_come_apart() {
        let (parts, warnings) = pieces(b"%p\\t%-5s%%\\q%q");
        assert_eq!(parts.len(), 4);
        assert_eq!(parts.last(), Some(&Piece::Text(b"%\\q%q".to_vec())));
        assert_eq!(warnings, ["unrecognized escape `\\q'", "unrecognized format directive `%q'"]);
    }

    #[test]
    fn a_path_keeps_its_root() {
        assert_eq!(root_of(b"a/b/c", 1), b"a/b");
        assert_eq!(root_of(b"./x", 1), b".");
        assert_eq!(root_of(b"/x", 1), b"/");
        assert_eq!(root_of(b"d", 0), b"d");
    }
}
