//! Utilities that work on files and directories.

mod basename;
mod cat;
mod chmod;
mod chown;
mod copy;
mod cp;
mod dd;
mod df;
mod dirname;
mod find;
mod flock;
mod link_target;
mod ln;
mod ls;
mod mkdir;
mod mkfifo;
mod mktemp;
mod mount;
mod mount_table;
mod mv;
mod pwd;
mod readlink;
mod realpath;
mod rm;
mod rmdir;
mod same;
mod sources;
mod stat;
mod stat_format;
mod sync;
mod tee;
mod temp_name;
mod touch;
mod truncate;
mod which;
mod xargs;
mod xargs_input;

use provium_kernel::ProgramTable;

use crate::shared::program;

/// Puts the programs of this module into `table`.
pub fn install(table: &mut ProgramTable) {
    table.add("/usr/bin/basename", "basename", program(basename::run));
    table.add("/bin/cat", "cat", program(cat::run));
    table.add("/bin/chgrp", "chgrp", program(chown::chgrp));
    table.add("/bin/chmod", "chmod", program(chmod::run));
    table.add("/bin/chown", "chown", program(chown::chown));
    table.add("/bin/cp", "cp", program(cp::run));
    table.add("/bin/dd", "dd", program(dd::run));
    table.add("/bin/df", "df", program(df::run));
    table.add("/usr/bin/dirname", "dirname", program(dirname::run));
    table.add("/usr/bin/find", "find", program(find::run));
    table.add("/usr/bin/flock", "flock", program(flock::run));
    table.add("/bin/ln", "ln", program(ln::run));
    table.add("/bin/ls", "ls", program(ls::run));
    table.add("/bin/mkdir", "mkdir", program(mkdir::run));
    table.add("/usr/bin/mkfifo", "mkfifo", program(mkfifo::run));
    table.add("/bin/mktemp", "mktemp", program(mktemp::run));
    table.add("/bin/mount", "mount", program(mount::mount));
    table.add("/bin/mv", "mv", program(mv::run));
    table.add("/bin/pwd", "pwd", program(pwd::run));
    table.add("/bin/readlink", "readlink", program(readlink::run));
    table.add("/bin/realpath", "realpath", program(realpath::run));
    table.add("/bin/rm", "rm", program(rm::run));
    table.add("/bin/rmdir", "rmdir", program(rmdir::run));
    table.add("/bin/stat", "stat", program(stat::run));
    table.add("/bin/sync", "sync", program(sync::run));
    table.add("/usr/bin/tee", "tee", program(tee::run));
    table.add("/bin/touch", "touch", program(touch::run));
    table.add("/usr/bin/truncate", "truncate", program(truncate::run));
    table.add("/bin/umount", "umount", program(mount::umount));
    table.add("/usr/bin/which", "which", program(which::run));
    table.add("/usr/bin/xargs", "xargs", program(xargs::run));
}
