//! The file systems of a guest: inodes, the tree of mounts, path resolution and permissions.

pub mod data;
pub mod device;
pub mod fs;
pub mod inode;
pub mod mount;
pub mod names;
pub mod open;
pub mod path;
pub mod perm;
pub mod proc;
pub mod rename;
pub mod root;
pub mod statfs;
pub mod tree;

pub use inode::NodeId;
pub use mount::{Loc, MountId};
