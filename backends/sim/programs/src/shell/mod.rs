//! The shell, `/bin/sh`: POSIX, in the words and with the habits of dash 0.5.12.
//!
//! Each process of a pipeline, each subshell, background job and command substitution is a process of its own
//! with its own steps; redirections, reads and writes are made in dash's order and sizes, so that scripts
//! race here where they race there. A command without a system call still takes time, so that no loop holds
//! up the others.
//!
//! What differs from dash, on purpose:
//!
//! | what | dash 0.5.12 of Debian | here |
//! |---|---|---|
//! | `set -o pipefail` | an unknown option | as POSIX 2024 has it |
//! | `$LINENO` | always empty | the line |
//! | script on standard input | read in blocks | read line by line: commands find the rest |
//! | endless recursion of `eval`, `.` and traps | a crash | an error, as for functions |
//! | `ulimit` | sets limits | shows those of the guest; only `-c` can be set |
//! | `-m`, `fg`, `bg`, `-i`, prompts | need a terminal | there is no terminal |
//! | `"$@$@"` without parameters | one empty field | none |
//! | values of 16 MiB, 1,000,000 fields | memory is the limit | `Out of space` |
//!
//! The parts: [`syntax`] makes trees of text, `expand` makes words of trees, `exec` runs commands, `builtins`
//! are those that the shell runs itself; `state` is what a shell knows, `flow` how evaluation nests, `source` where
//! commands come from.

pub mod arithmetic;
mod builtins;
mod exec;
mod expand;
mod flow;
mod jobs;
mod options;
pub mod pattern;
mod source;
mod start;
mod state;
pub mod syntax;
mod traps;
mod variables;

use std::rc::Rc;

use provium_kernel::ProgramTable;

/// Puts the programs of this module into `table`.
pub fn install(table: &mut ProgramTable) {
    for path in ["/bin/sh", "/usr/bin/sh", "/bin/dash"] {
        table.add(path, "sh", Rc::new(|sys, invocation| Box::pin(start::main(sys, invocation))));
    }
}
