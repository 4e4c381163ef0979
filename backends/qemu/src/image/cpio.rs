//! Writes cpio archives in the `newc` format, which the kernel unpacks as its first file system.
//!
//! Rejected: the crate `cpio`, which makes archives of files on disk. Here most entries exist nowhere, and some (devices,
//! other owners) could not without root.

use std::io::{self, Write};

use thiserror::Error;

/// The kernel skips an entry whose name, with its terminator, is longer (`PATH_MAX`).
pub const MAX_NAME: usize = 4095;

/// The size field has eight hexadecimal digits.
pub const MAX_FILE: u64 = u32::MAX as u64;

/// Archives that follow each other begin at multiples of this many bytes.
pub const ALIGN: u64 = 4;

/// When everything in an archive was changed, in seconds since 1970: a fixed day, 2025-01-01, so that the same content is the
/// same archive.
const MTIME: u64 = 1_735_689_600;

const HEADER: u64 = 110;
const TRAILER: &[u8] = b"TRAILER!!!";

const S_IFIFO: u32 = 0o010_000;
const S_IFCHR: u32 = 0o020_000;
const S_IFDIR: u32 = 0o040_000;
const S_IFREG: u32 = 0o100_000;
const S_IFLNK: u32 = 0o120_000;

/// Why an entry cannot be written.
#[derive(Debug, Error)]
pub enum CpioError {
    /// The sink failed.
    #[error("cannot be written: {0}")]
    Io(#[from] io::Error),
    /// A name that the format or the kernel cannot take.
    #[error("the path `{}` {problem}", path.escape_ascii())]
    Path {
        /// As given.
        path: Vec<u8>,
        /// What is wrong.
        problem: &'static str,
    },
    /// A file too large for the format.
    #[error("`{}` has {size} bytes; an archive takes files below 4 GiB", path.escape_ascii())]
    TooLarge {
        /// As given.
        path: Vec<u8>,
        /// Its size.
        size: u64,
    },
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node<'a> {
    /// A directory.
    Directory,
    /// A file and what it holds.
    File(&'a [u8]),
    /// A symbolic link and where it leads.
    Symlink(&'a [u8]),
    /// A character device of these numbers.
    CharDevice(u32, u32),
    /// A named pipe.
    Fifo,
}

/// Permission bits and owner of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Permission bits, the set-id bits and the sticky bit included.
    pub perm: u32,
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

impl Attributes {
    /// These permission bits, for root.
    #[must_use]
    pub fn root(perm: u32) -> Attributes {
        Attributes { perm, uid: 0, gid: 0 }
    }
}

/// An archive that is being written. Parents have to come before what is in them: the kernel makes none by itself.
pub struct Archive<W: Write> {
    out: W,
    written: u64,
    ino: u32,
}

impl<W: Write> Archive<W> {
    /// An archive at a place in `out` that is a multiple of [`ALIGN`].
    pub fn new(out: W) -> Archive<W> {
        Archive { out, written: 0, ino: 0 }
    }

    /// Adds an entry. A leading `/` of the path is left out.
    pub fn add(&mut self, path: &[u8], node: Node<'_>, attributes: Attributes) -> Result<(), CpioError> {
        let name = checked(path)?;
        let (kind, data, device): (u32, &[u8], (u32, u32)) = match node {
            Node::Directory => (S_IFDIR, b"", (0, 0)),
            Node::File(content) => (S_IFREG, content, (0, 0)),
            Node::Symlink(target) => (S_IFLNK, target, (0, 0)),
            Node::CharDevice(major, minor) => (S_IFCHR, b"", (major, minor)),
            Node::Fifo => (S_IFIFO, b"", (0, 0)),
        };
        let size = data.len() as u64;
        if size > MAX_FILE {
            return Err(CpioError::TooLarge { path: path.to_owned(), size });
        }
        if matches!(node, Node::Symlink(target) if target.is_empty() || target.len() > MAX_NAME || target.contains(&0))
        {
            return Err(CpioError::Path { path: path.to_owned(), problem: "is a symbolic link that leads nowhere" });
        }
        // Entries of one number and more than one link would be taken for hard links of each other.
        self.ino = self.ino.wrapping_add(1);
        let links = if node == Node::Directory { 2 } else { 1 };
        let mode = kind | (attributes.perm & 0o7777);
        self.entry(name, data, &[self.ino, mode, attributes.uid, attributes.gid, links], device)
    }

    /// Ends the archive and gives the sink back, at a multiple of [`ALIGN`].
    pub fn finish(mut self) -> Result<W, CpioError> {
        self.entry(TRAILER, b"", &[0, 0, 0, 0, 1], (0, 0))?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn entry(&mut self, name: &[u8], data: &[u8], first: &[u32; 5], device: (u32, u32)) -> Result<(), CpioError> {
        let mut header = Vec::with_capacity(HEADER as usize + name.len() + ALIGN as usize);
        header.extend_from_slice(b"070701");
        let mtime = if name == TRAILER { 0 } else { MTIME };
        // The casts are of numbers that were checked: names and data are shorter than 4 GiB.
        let rest = [mtime as u32, data.len() as u32, 0, 0, device.0, device.1, name.len() as u32 + 1, 0];
        for field in first.iter().chain(&rest) {
            header.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        header.extend_from_slice(name);
        header.push(0);
        self.write(&header)?;
        self.pad()?;
        self.write(data)?;
        self.pad()
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), CpioError> {
        self.out.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn pad(&mut self) -> Result<(), CpioError> {
        let missing = padding(self.written);
        self.write(&[0; ALIGN as usize][..missing])
    }
}

/// How many zeros make `size` a multiple of [`ALIGN`].
#[must_use]
pub fn padding(size: u64) -> usize {
    (size.next_multiple_of(ALIGN) - size) as usize
}

/// The path without its leading slashes, if the kernel makes of it what was meant.
fn checked(path: &[u8]) -> Result<&[u8], CpioError> {
    let fail = |problem| Err(CpioError::Path { path: path.to_owned(), problem });
    let start = path.iter().position(|byte| *byte != b'/').unwrap_or(path.len());
    let name = &path[start..];
    if name.is_empty() {
        return fail("names no file");
    }
    if name.len() > MAX_NAME - 1 {
        return fail("is longer than the 4094 bytes that the kernel takes");
    }
    if name.contains(&0) {
        return fail("holds a zero byte");
    }
    if name == TRAILER {
        return fail("is the mark of an archive's end");
    }
    if name.split(|byte| *byte == b'/').any(|part| part == b"..") {
        return fail("has `..` in it: name the place itself");
    }
    Ok(name)
}

#[cfg(test)]
#[path = "cpio_tests.rs"]
pub(crate) mod tests;
