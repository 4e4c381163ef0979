//! The mounts that `/proc/self/mounts` lists.

use provium_kernel::{Errno, Sys};

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MountEntry {
    /// Device or name of what is mounted.
    pub(super) source: Vec<u8>,
    /// Where.
    pub(super) target: Vec<u8>,
    /// Type of the file system.
    pub(super) fstype: Vec<u8>,
    /// `rw,relatime`.
    pub(super) options: Vec<u8>,
}

impl MountEntry {
    /// Whether this canonical path is at or below the place of the mount.
    pub(super) fn holds(&self, path: &[u8]) -> bool {
        self.target == b"/"
            || path.strip_prefix(self.target.as_slice()).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }
}

/// Every mount, in the order in which they were made.
pub(super) async fn mount_table(sys: &Sys) -> Result<Vec<MountEntry>, Errno> {
    let text = sys.read_file("/proc/self/mounts").await?;
    Ok(text.split(|&byte| byte == b'\n').filter_map(entry).collect())
}

fn entry(line: &[u8]) -> Option<MountEntry> {
    let mut fields = line.split(|&byte| byte == b' ').map(unescaped);
    Some(MountEntry { source: fields.next()?, target: fields.next()?, fstype: fields.next()?, options: fields.next()? })
}

/// Blanks in names are written as `\040`.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        match (byte, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                text.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = tail;
            }
            _ => {
                text.push(byte);
                rest = after;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::entry;

    #[test]
    fn a_line_of_the_table() {
        let mount = entry(b"tmpfs /mnt/a\\040b tmpfs rw,relatime 0 0").expect("a mount");
        assert_eq!(mount.target, b"/mnt/a b");
        assert!(mount.holds(b"/mnt/a b/c") && !mount.holds(b"/mnt/a bc"));
        assert_eq!(entry(b""), None);
    }
}
