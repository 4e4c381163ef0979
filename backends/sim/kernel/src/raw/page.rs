//! The documentation page of raw system calls, made from the table.

use std::fmt::Write as _;

use provium_protocol::syscall_names;

use super::table::{CALLS, Family, REFUSED};

/// The text of `docs/syscalls.md`.
#[must_use]
pub fn page() -> String {
    let mut text = String::from(
        "# Raw system calls of a simulated guest\n\n\
         `vm:syscall` and `worker:syscall` take x86-64 Linux numbers or names. On a simulated guest the calls\n\
         below are carried out; every other call answers `ENOSYS`. A pointer must lead into one of the call's\n\
         buffers, and a range must lie wholly inside of one: else `EFAULT`, where Linux may move a part first.\n\n\
         This page is made from `backends/sim/kernel/src/raw/table.rs`: run\n\
         `UPDATE_PAGES=1 cargo test -p provium-kernel --test syscalls_page` after changing the table.\n",
    );
    // Writing to a String cannot fail.
    for family in Family::ALL {
        let _ = write!(text, "\n## {}\n\n| Number | Call | Remarks |\n| ---: | --- | --- |\n", family.title());
        for row in CALLS.iter().filter(|row| row.family == *family) {
            let _ = writeln!(text, "| {} | `{}` | {} |", row.nr, row.name, row.remark);
        }
    }
    text.push_str("\n## Refused for a reason\n\n| Number | Call | Why it answers `ENOSYS` |\n| ---: | --- | --- |\n");
    for refused in REFUSED {
        let nr = syscall_names::number(refused.name).map_or_else(String::new, |nr| nr.to_string());
        let _ = writeln!(text, "| {nr} | `{}` | {} |", refused.name, refused.reason);
    }
    text.push_str("\n## Not implemented\n\n");
    let mut line = String::new();
    let known = |name: &str| CALLS.iter().any(|row| row.name == name) || REFUSED.iter().any(|row| row.name == name);
    for (_, name) in syscall_names::ALL.iter().filter(|(_, name)| !known(name)) {
        if line.len() + name.len() > 90 {
            text.push_str(line.trim_end());
            text.push('\n');
            line.clear();
        }
        let _ = write!(line, "`{name}` ");
    }
    text.push_str(line.trim_end());
    text.push('\n');
    text
}
