//! Adds the agent and boot files to an initramfs: archives behind it, which the kernel unpacks one after the other.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use provium_protocol::profile::BootFile;

use super::Image;
use super::cpio::{Archive, Attributes, CpioError, Node, padding};
use super::error::{Context, ImageError};
use super::rootfs;

/// Where the agent is in a guest.
pub const AGENT: &str = "/provium-agent";

/// The kernel's argument that makes the agent the first process. An initramfs that has an `/init` of its own keeps it: the
/// agent starts it.
pub const INIT: &str = "rdinit=/provium-agent";

/// Permission bits of a boot file that says nothing else.
const FILE_PERM: u32 = 0o644;

/// Writes the initramfs of one guest to `into`: the image's, the agent if there is one to add, and the boot files.
///
/// Directories that a boot file needs are made, but for those that every system has (see `rootfs::DIRECTORIES`): in an
/// initramfs that a profile brings these may be links, which a directory of an archive would replace.
pub fn initrd_with(image: &Image, agent: Option<&[u8]>, files: &[BootFile], into: &Path) -> Result<(), ImageError> {
    let file = File::create(into).context("write", into)?;
    let mut out = Counted { out: file, written: 0 };
    for part in &image.initrd {
        let mut part_file = File::open(part).context("read", part)?;
        // Straight from file to file: the system copies such without going through here.
        out.written += io::copy(&mut part_file, &mut out.out).context("write", into)?;
        out.pad().context("write", into)?;
    }
    let mut archive = Archive::new(BufWriter::new(out));
    let placed = place(&mut archive, agent, files).and_then(|()| archive.finish());
    let written = placed.and_then(|mut out| Ok(out.flush()?));
    written.map_err(|error| match error {
        CpioError::Io(why) => ImageError::io("write", into, why),
        other => ImageError::Archive(other),
    })
}

fn place<W: Write>(archive: &mut Archive<W>, agent: Option<&[u8]>, files: &[BootFile]) -> Result<(), CpioError> {
    if let Some(agent) = agent {
        archive.add(AGENT.as_bytes(), Node::File(agent), Attributes::root(0o755))?;
    }
    let mut made = BTreeSet::new();
    for file in files {
        let path = &file.path.0;
        if path.first() != Some(&b'/') || path.last() == Some(&b'/') {
            let problem = "is no absolute path of a file, which that of a boot file has to be";
            return Err(CpioError::Path { path: path.clone(), problem });
        }
        for parent in rootfs::parents(path) {
            if made.insert(parent) {
                archive.add(parent, Node::Directory, Attributes::root(0o755))?;
            }
        }
        archive.add(path, Node::File(&file.content), Attributes::root(file.mode.unwrap_or(FILE_PERM)))?;
    }
    Ok(())
}

/// A file, and how much of it was written.
struct Counted {
    out: File,
    written: u64,
}

impl Counted {
    /// What follows begins where the kernel looks for an archive.
    fn pad(&mut self) -> io::Result<()> {
        let missing = padding(self.written);
        self.write_all(&[0; 4][..missing])
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
