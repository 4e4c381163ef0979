//! The command `provium`. All of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    provium::cli::main()
}
