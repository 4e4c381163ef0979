//! Utilities that work on processes, users, time and the machine.

mod date;
mod dmesg;
mod env;
mod expr;
mod free;
mod id;
mod kill;
mod nice;
mod nohup;
mod pgrep;
mod ps;
mod setsid;
mod sleep;
mod sysctl;
mod timeout;
mod truth;
mod uname;
mod yes;

use provium_kernel::ProgramTable;

use crate::shared::program;

/// Puts the programs of this module into `table`.
pub fn install(table: &mut ProgramTable) {
    table.add("/bin/date", "date", program(date::run));
    table.add("/bin/dmesg", "dmesg", program(dmesg::run));
    table.add("/usr/bin/env", "env", program(env::env));
    table.add("/usr/bin/expr", "expr", program(expr::run));
    table.add("/bin/false", "false", program(truth::fail));
    table.add("/usr/bin/free", "free", program(free::free));
    table.add("/usr/bin/groups", "groups", program(id::groups_of));
    table.add("/bin/hostname", "hostname", program(uname::hostname));
    table.add("/usr/bin/id", "id", program(id::id));
    table.add("/bin/kill", "kill", program(kill::run));
    table.add("/usr/bin/killall", "killall", program(pgrep::killall));
    table.add("/usr/bin/nice", "nice", program(nice::run));
    table.add("/usr/bin/nohup", "nohup", program(nohup::run));
    table.add("/usr/bin/nproc", "nproc", program(uname::nproc));
    table.add("/usr/bin/pgrep", "pgrep", program(pgrep::pgrep));
    table.add("/bin/pidof", "pidof", program(pgrep::pidof));
    table.add("/usr/bin/pkill", "pkill", program(pgrep::pkill));
    table.add("/usr/bin/printenv", "printenv", program(env::printenv));
    table.add("/bin/ps", "ps", program(ps::run));
    table.add("/usr/bin/setsid", "setsid", program(setsid::run));
    table.add("/bin/sleep", "sleep", program(sleep::run));
    table.add("/sbin/sysctl", "sysctl", program(sysctl::run));
    table.add("/usr/bin/timeout", "timeout", program(timeout::run));
    table.add("/bin/true", "true", program(truth::succeed));
    table.add("/bin/uname", "uname", program(uname::uname));
    table.add("/usr/bin/uptime", "uptime", program(free::uptime));
    table.add("/usr/bin/whoami", "whoami", program(id::whoami));
    table.add("/usr/bin/yes", "yes", program(yes::run));
}
