//! Utilities that work on processes, users, time and the machine.

mod background;
mod date;
mod environment;
mod expr;
mod free;
mod identity;
mod kill;
mod pgrep;
mod proc_list;
mod ps;
mod sleep;
mod sysctl;
mod timeout;
mod trivial;

use provium_kernel::ProgramTable;

use crate::shared::program;

/// Puts the programs of this module into `table`.
pub fn install(table: &mut ProgramTable) {
    table.add("/bin/date", "date", program(date::run));
    table.add("/bin/dmesg", "dmesg", program(trivial::dmesg));
    table.add("/usr/bin/env", "env", program(environment::env));
    table.add("/usr/bin/expr", "expr", program(expr::run));
    table.add("/bin/false", "false", program(trivial::failure));
    table.add("/usr/bin/free", "free", program(free::run));
    table.add("/usr/bin/groups", "groups", program(identity::groups));
    table.add("/bin/hostname", "hostname", program(identity::hostname));
    table.add("/usr/bin/id", "id", program(identity::id));
    table.add("/bin/kill", "kill", program(kill::run));
    table.add("/usr/bin/killall", "killall", program(pgrep::killall));
    table.add("/usr/bin/nice", "nice", program(background::nice));
    table.add("/usr/bin/nohup", "nohup", program(background::nohup));
    table.add("/usr/bin/nproc", "nproc", program(trivial::nproc));
    table.add("/usr/bin/pgrep", "pgrep", program(pgrep::pgrep));
    table.add("/bin/pidof", "pidof", program(pgrep::pidof));
    table.add("/usr/bin/pkill", "pkill", program(pgrep::pkill));
    table.add("/usr/bin/printenv", "printenv", program(environment::printenv));
    table.add("/bin/ps", "ps", program(ps::run));
    table.add("/usr/bin/setsid", "setsid", program(background::setsid));
    table.add("/bin/sleep", "sleep", program(sleep::run));
    table.add("/sbin/sysctl", "sysctl", program(sysctl::run));
    table.add("/usr/bin/timeout", "timeout", program(timeout::run));
    table.add("/bin/true", "true", program(trivial::success));
    table.add("/bin/uname", "uname", program(identity::uname));
    table.add("/usr/bin/whoami", "whoami", program(identity::whoami));
    table.add("/usr/bin/yes", "yes", program(trivial::yes));
}
