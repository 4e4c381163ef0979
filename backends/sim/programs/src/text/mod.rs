//! Text utilities: they read bytes, change them, and write bytes.

use provium_kernel::ProgramTable;

/// Puts the programs of this module into `table`.
pub fn install(_table: &mut ProgramTable) {}
