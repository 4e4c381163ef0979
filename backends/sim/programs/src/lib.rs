//! The programs of a simulated guest: a shell and the utilities that tests reach for.
//!
//! Each program is an `async fn` against the simulated kernel's system calls, and makes the calls that
//! the real tool makes, in its order and sizes: where the real tools race, these race. Texts and exit
//! codes are those of GNU coreutils, findutils, procps and util-linux in the C locale. A real option
//! that is not simulated is refused by name, never ignored.
//!
//! Refused here: terminal handling, time zones other than UTC, locales other than C.

pub mod files;
pub mod shared;
pub mod shell;
pub mod system;
pub mod text;

use provium_kernel::ProgramTable;

/// Puts every program of this crate into `table`.
pub fn install(table: &mut ProgramTable) {
    files::install(table);
    system::install(table);
    text::install(table);
    shell::install(table);
}
