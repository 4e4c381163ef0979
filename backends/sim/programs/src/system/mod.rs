//! Utilities that work on processes, users, time and the machine.

mod env;
mod id;
mod kill;
mod nohup;
mod setsid;
mod sleep;
mod timeout;
mod r#true;
mod uname;
mod yes;

use provium_kernel::ProgramTable;

use crate::shared::program;

/// Puts the programs of this module into `table`.
pub fn install(table: &mut ProgramTable) {
    table.add("/usr/bin/env", "env", program(env::env));
    table.add("/bin/false", "false", program(r#true::fail));
    table.add("/bin/hostname", "hostname", program(uname::hostname));
    table.add("/usr/bin/id", "id", program(id::id));
    table.add("/bin/kill", "kill", program(kill::run));
    table.add("/usr/bin/nohup", "nohup", program(nohup::run));
    table.add("/usr/bin/nproc", "nproc", program(uname::nproc));
    table.add("/usr/bin/printenv", "printenv", program(env::printenv));
    table.add("/usr/bin/setsid", "setsid", program(setsid::run));
    table.add("/bin/sleep", "sleep", program(sleep::run));
    table.add("/usr/bin/timeout", "timeout", program(timeout::run));
    table.add("/bin/true", "true", program(r#true::succeed));
    table.add("/bin/uname", "uname", program(uname::uname));
    table.add("/usr/bin/whoami", "whoami", program(id::whoami));
    table.add("/usr/bin/yes", "yes", program(yes::run));
}
