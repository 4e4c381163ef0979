//! `provium trace …`: tools that look at traces and run nothing.

mod check;
mod diff;
mod export;
mod load;
mod show;
mod stat;

use std::io::{self, Write};

use clap::{Args, Subcommand};

use crate::error::{CommandError, Exit};

/// Look at traces.
#[derive(Args)]
pub(super) struct TraceArgs {
    #[command(subcommand)]
    command: TraceCommand,
}

#[derive(Subcommand)]
enum TraceCommand {
    /// Verify traces: every block, every record, and that the records make sense together
    Check(check::CheckArgs),
    /// Show the first difference between two traces, task by task
    Diff(diff::DiffArgs),
    /// Make a page for the browser, or a file for the Perfetto UI
    Export(export::ExportArgs),
    /// Show what a test asked its guests and what they answered, in order
    Show(show::ShowArgs),
    /// Say what traces hold and what they take: records, exchanges, choices, tests, bytes
    Stat(stat::StatArgs),
}

/// Carries the subcommand out.
pub(super) fn trace(args: &TraceArgs) -> Result<Exit, CommandError> {
    match &args.command {
        TraceCommand::Check(args) => check::check(args),
        TraceCommand::Diff(args) => diff::diff(args),
        TraceCommand::Export(args) => export::export(args),
        TraceCommand::Show(args) => show::show(args),
        TraceCommand::Stat(args) => stat::stat(args),
    }
}

/// Writes lines to standard output, and what is still in memory; `false` when nobody reads any more.
pub(super) fn print(out: &mut impl Write, lines: &[String]) -> Result<bool, CommandError> {
    written(lines.iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush()))
}

/// What came of writing to standard output; `false` when nobody reads any more.
fn written(done: io::Result<()>) -> Result<bool, CommandError> {
    match done {
        Ok(()) => Ok(true),
        // Who reads no further has seen what they wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(why) => Err(CommandError::Output { path: "standard output".into(), why }),
    }
}

/// Says what is wrong with a file of which a part could be shown.
fn damaged(damage: Option<&str>) -> Exit {
    match damage {
        Some(damage) => {
            super::complain(&damage);
            Exit::CouldNotRun
        }
        None => Exit::Passed,
    }
}
