//! The utilities on the simulated kernel, without a shell.

mod files;
mod guest;
mod hostile;
mod machine;
