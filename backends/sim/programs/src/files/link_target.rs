//! Where `ln`, `cp` and `mv` put things: the operands and the directory they name.

use provium_kernel::flags::{O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDONLY};
use provium_kernel::{Errno, Sys};

use crate::shared::path::{base_name, join, without_trailing_slashes};
use crate::shared::{Exit, Tool, quoteaf};

/// Whether `path` is a directory, asked as the tools ask: by opening it.
pub(super) async fn is_directory(sys: &Sys, path: &[u8], follow: bool) -> Result<bool, Errno> {
    let flags = O_RDONLY | O_DIRECTORY | O_PATH | O_CLOEXEC | if follow { 0 } else { O_NOFOLLOW };
    match sys.open(path, flags, 0).await {
        Ok(fd) => {
            let _closed = sys.close(fd).await;
            Ok(true)
        }
        Err(Errno::ENOTDIR) => Ok(false),
        Err(Errno::ENOENT) => Err(Errno::ENOENT),
        Err(Errno::ELOOP) if !follow => Ok(false),
        // It may be a directory that cannot be opened.
        Err(errno) => match sys.stat(path).await {
            Ok(stat) => Ok(stat.is_dir()),
            Err(_) => Err(errno),
        },
    }
}

/// The target directory must be one; else the reason is reported.
pub(super) async fn require_directory(tool: &Tool, path: &[u8], what: &str) -> Result<(), Exit> {
    match is_directory(&tool.sys, path, true).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(tool.fail_errno(1, format!("{what} {}", quoteaf(path)), Errno::ENOTDIR).await),
        Err(errno) => Err(tool.fail_errno(1, format!("{what} {}", quoteaf(path)), errno).await),
    }
}

/// The name that `source` gets in `directory`.
pub(super) fn inside(directory: &[u8], source: &[u8]) -> Vec<u8> {
    join(directory, base_name(without_trailing_slashes(source)))
}
