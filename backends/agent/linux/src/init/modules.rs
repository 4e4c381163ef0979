//! Inserting modules into the kernel.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use provium_protocol::Errno;

use super::say;
use crate::os::sys::{check, errno_of};

/// The kernel shall decompress the file (`MODULE_INIT_COMPRESSED_FILE`).
const COMPRESSED: libc::c_int = 4;

/// Inserts a module; one that is there already is fine.
pub fn insert(path: &Path) -> Result<(), Errno> {
    let file = fs::File::open(path).map_err(|error| errno_of(&error))?;
    let compressed = path.extension().is_some_and(|extension| extension != "ko");
    let flags = if compressed { COMPRESSED } else { 0 };
    // SAFETY: the parameters end in a NUL.
    let inserted = unsafe { libc::syscall(libc::SYS_finit_module, file.as_raw_fd(), c"".as_ptr(), flags) };
    match check(inserted) {
        Ok(_) | Err(Errno::EEXIST) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Inserts the modules of a list: a path a line, in order.
pub fn insert_listed(list: &str) {
    let Ok(lines) = fs::read(list) else {
        say(&format!("{list} cannot be read"));
        return;
    };
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"#")) {
        let path = Path::new(OsStr::from_bytes(line));
        match insert(path) {
            // No such device in this machine.
            Ok(()) | Err(Errno::ENODEV) => {}
            Err(errno) => say(&format!("insert {}: {errno}", path.display())),
        }
    }
}
