//! statfs(2).

use provium_protocol::Errno;

use super::fs::FsKind;
use super::tree::Place;
use crate::kernel::Kernel;
use crate::limits::{MAX_INODES, NAME_MAX, PAGE};
use crate::types::StatFs;

const TMPFS_MAGIC: u64 = 0x0102_1994;
const PROC_MAGIC: u64 = 0x9fa0;
const PIPEFS_MAGIC: u64 = 0x5049_5045;

impl Kernel {
    /// statfs(2) and fstatfs(2).
    pub fn statfs(&self, place: &Place) -> Result<StatFs, Errno> {
        let base = StatFs { block_size: PAGE as u64, name_max: NAME_MAX as u64, ..StatFs::default() };
        let Place::Node(loc) = place else { return Ok(StatFs { kind: PIPEFS_MAGIC, ..base }) };
        match &self.filesystems.get(loc.node.fs as usize).ok_or(Errno::EIO)?.kind {
            FsKind::Proc => Ok(StatFs { kind: PROC_MAGIC, ..base }),
            FsKind::Memory(memory) => Ok(StatFs {
                kind: TMPFS_MAGIC,
                blocks: memory.limit_pages(),
                blocks_free: memory.free_pages(),
                files: MAX_INODES as u64,
                files_free: (MAX_INODES - memory.live()) as u64,
                ..base
            }),
        }
    }
}
