//! provium runs Lua tests against guest machines: the library behind the command of the same name.

pub mod runner;
pub mod units;
