//! `/proc/PID/mounts` and `/proc/PID/mountinfo`.

use super::super::device::split_dev;
use super::super::fs::ROOT_INO;
use crate::kernel::Kernel;
use crate::vfs::NodeId;
use crate::vfs::mount::{Loc, Mount};

/// Writes a path with the characters escaped that separate fields.
fn escaped(text: &mut Vec<u8>, path: &[u8]) {
    for byte in path {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' => text.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
            _ => text.push(*byte),
        }
    }
}

fn options(mount: &Mount) -> &'static str {
    if mount.read_only { "ro,relatime" } else { "rw,relatime" }
}

pub(super) fn mounts(kernel: &Kernel) -> Vec<u8> {
    let mut text = Vec::new();
    for mount in kernel.mounts.values() {
        let Some(fs) = kernel.filesystems.get(mount.root.fs as usize) else { continue };
        escaped(&mut text, &mount.source);
        text.push(b' ');
        escaped(&mut text, &mount.target);
        text.extend_from_slice(format!(" {} {} 0 0\n", fs.type_name, options(mount)).as_bytes());
    }
    text
}

pub(super) fn mountinfo(kernel: &Kernel) -> Vec<u8> {
    let mut text = Vec::new();
    for (id, mount) in &kernel.mounts {
        let Some(fs) = kernel.filesystems.get(mount.root.fs as usize) else { continue };
        let (major, minor) = split_dev(fs.dev);
        let parent = mount.at.map_or(*id, |at| at.mount);
        text.extend_from_slice(format!("{id} {parent} {major}:{minor} ").as_bytes());
        escaped(&mut text, &path_in_fs(kernel, mount.root));
        text.push(b' ');
        escaped(&mut text, &mount.target);
        text.extend_from_slice(format!(" {} - {} ", options(mount), fs.type_name).as_bytes());
        escaped(&mut text, &mount.source);
        text.extend_from_slice(b" rw\n");
    }
    text
}

/// The path of a node from the root of its file system.
fn path_in_fs(kernel: &Kernel, mut node: NodeId) -> Vec<u8> {
    let mut parts = Vec::new();
    while node.ino != ROOT_INO {
        let parent = kernel.parent_node(node);
        // A bind mount of a file has no parent that is known.
        let Some(name) = kernel.name_in(Loc { mount: 0, node: parent }, Loc { mount: 0, node }) else { break };
        parts.push(name);
        node = parent;
    }
    if parts.is_empty() {
        return b"/".to_vec();
    }
    parts.iter().rev().flat_map(|part| [b"/", &part[..]].concat()).collect()
}
