//! The shell, `/bin/sh`.

pub mod arithmetic;
mod builtins;
mod exec;
mod expand;
mod flow;
mod jobs;
mod options;
pub mod pattern;
mod shell;
mod source;
mod start;
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
