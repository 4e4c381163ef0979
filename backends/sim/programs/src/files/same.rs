//! Whether two paths are one directory entry.

use provium_kernel::Sys;

use crate::shared::path::{base_name, dir_name};

/// Whether two paths name the same entry of the same directory.
pub(super) async fn same_name(sys: &Sys, one: &[u8], other: &[u8]) -> bool {
    if base_name(one) != base_name(other) {
        return false;
    }
    match (sys.stat(dir_name(one)).await, sys.stat(dir_name(other)).await) {
        (Ok(one), Ok(other)) => (one.dev, one.ino) == (other.dev, other.ino),
        _ => false,
    }
}
