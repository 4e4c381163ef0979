//! The command line: one file for each subcommand. Everything it does is the library's.

mod args;
mod backend;
mod doctor;
mod image;
mod judge;
mod list;
mod outputs;
mod record;
mod repl;
mod replay;
mod run;
mod trace;
mod walk;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::error::{CommandError, Exit};

/// Run Lua tests that drive guest machines.
///
/// Without a subcommand, runs the `*.test.lua` files below the given paths, or below the roots of
/// provium.toml, or below the working directory.
#[derive(Parser)]
#[command(name = "provium", version, args_conflicts_with_subcommands = true, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::RunArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Say whether real guests can be run here, and what mends what is missing
    Doctor(doctor::DoctorArgs),
    /// Make and list what real guests boot from
    Image(image::ImageArgs),
    /// List the tests instead of running them.
    List(list::ListArgs),
    /// Look at traces of earlier runs
    Trace(trace::TraceArgs),
    /// Run recorded tests again, without their guests.
    Replay(replay::ReplayArgs),
    /// Boot a guest and talk to it: a prompt that has all of Lua
    Repl(repl::ReplArgs),
}

const AFTER_HELP: &str = "\
Exit codes:
  0  every test passed, or was skipped for a stated reason
  1  a test failed; of `doctor`: real guests cannot be run here
  2  no test failed, but the run could not do what was asked: bad usage or
     configuration, nothing to run, a file that could not be loaded";

/// Stack that everything runs on, in bytes (256 MiB of addresses, of which only what is used becomes memory). A script
/// that calls itself a thousand times is a thousand futures inside each other, polled at each of its steps: with this
/// their stack is there once, instead of being mapped anew in pieces for each poll.
const STACK: usize = 256 << 20;

/// Carries the command line out.
#[must_use]
pub fn main() -> ExitCode {
    outlive_full_files();
    // Usage errors end here, with exit code 2 and on standard error; --help and --version with 0.
    let cli = Cli::parse();
    let result = stacker::grow(STACK, || match &cli.command {
        None => run::run(&cli.run),
        Some(Command::Doctor(args)) => doctor::doctor(args),
        Some(Command::Image(args)) => image::image(args),
        Some(Command::List(args)) => list::list(args),
        Some(Command::Trace(args)) => trace::trace(args),
        Some(Command::Replay(args)) => replay::replay(args),
        Some(Command::Repl(args)) => repl::repl(args),
    });
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            complain(&error);
            if let Some(tip) = tip(&error) {
                let _ = writeln!(io::stderr(), "  tip: {tip}");
            }
            Exit::CouldNotRun.into()
        }
    }
}

/// What may have been meant by a path that leads nowhere and looks like a subcommand.
fn tip(error: &CommandError) -> Option<String> {
    let CommandError::Path { path, why } = error else { return None };
    let word = path.to_str()?;
    if why.kind() != io::ErrorKind::NotFound || word.contains(['/', '.']) {
        return None;
    }
    let cli = Cli::command();
    let names: Vec<&str> = cli.get_subcommands().map(clap::Command::get_name).collect();
    Some(if names.contains(&word) {
        format!("a subcommand comes first: `{} {word} …`", program())
    } else {
        format!("there is no subcommand `{word}` either; there are {}", names.join(", "))
    })
}

/// A file that reaches the process's limit of sizes is an error of that write, not the end of the run.
fn outlive_full_files() {
    // SAFETY: no other thread runs yet, and ignoring a signal installs no code.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// Says on standard error what went wrong. Nobody may be left to hear it.
fn complain(error: &dyn std::fmt::Display) {
    let _ = writeln!(io::stderr(), "error: {error}");
}

/// Says on standard error what went wrong beside the tests and costs nothing but itself.
fn complain_softly(warning: &dyn std::fmt::Display) {
    let _ = writeln!(io::stderr(), "warning: {warning}");
}

/// The command as it was called, so that a command to type next works where this one did.
fn program() -> String {
    match std::env::args().next() {
        Some(called) if called.contains('/') => called,
        _ => "provium".to_owned(),
    }
}

/// The project around the working directory, and that directory.
fn project() -> Result<(crate::config::Project, std::path::PathBuf), CommandError> {
    let here = std::env::current_dir().map_err(CommandError::WorkingDirectory)?;
    Ok((crate::config::Project::find(&here)?, here))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_misspelt_subcommand_is_recognised() {
        let tip_for = |path: &str| tip(&CommandError::Path { path: path.into(), why: io::ErrorKind::NotFound.into() });
        assert!(
            tip_for("lst")
                .is_some_and(|tip| tip.contains("no subcommand `lst` either; there are doctor, image, list, "))
        );
        assert!(tip_for("list").is_some_and(|tip| tip.starts_with("a subcommand comes first: ")));
        assert_eq!(tip_for("tests/lua"), None);
        assert_eq!(tip_for("x.test.lua"), None);
    }
}
