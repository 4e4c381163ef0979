//! Recording and replaying as people do it: through the command.

#[path = "../cli/harness.rs"]
mod harness;

mod bisect;
mod diverge;
mod record;
mod tests_of_a_file;
mod torn;
mod traces;
mod walk;
