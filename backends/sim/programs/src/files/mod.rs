//! Utilities that work on files and directories.

mod basename;
mod cat;
mod dirname;
mod mkdir;
mod mkfifo;
mod rmdir;
mod sync;
mod tee;
mod truncate;

use provium_kernel::ProgramTable;

use crate::shared::program;

/// Puts the programs of this module into `table`.
pub fn install(table: &mut ProgramTable) {
    table.add("/usr/bin/basename", "basename", program(basename::run));
    table.add("/bin/cat", "cat", program(cat::run));
    table.add("/usr/bin/dirname", "dirname", program(dirname::run));
    table.add("/bin/mkdir", "mkdir", program(mkdir::run));
    table.add("/usr/bin/mkfifo", "mkfifo", program(mkfifo::run));
    table.add("/bin/rmdir", "rmdir", program(rmdir::run));
    table.add("/bin/sync", "sync", program(sync::run));
    table.add("/usr/bin/tee", "tee", program(tee::run));
    table.add("/usr/bin/truncate", "truncate", program(truncate::run));
}
