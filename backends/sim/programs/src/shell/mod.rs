//! The shell, `/bin/sh`.

use provium_kernel::ProgramTable;

/// Puts the programs of this module into `table`.
pub fn install(_table: &mut ProgramTable) {}
