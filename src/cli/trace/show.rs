//! `provium trace show FILE`: what a test asked its guests, and what they answered.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;

use super::load::load;
use crate::cli::args::Colour;
use crate::cli::complain;
use crate::error::{CommandError, Exit};
use crate::report::style::Paint;
use crate::runner::select::Filter;
use crate::trace::show::table::Look;
use crate::trace::show::{Selected, json, table};

/// What to show.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Exit codes:
  0  shown
  2  the file cannot be read to its end, or is no trace that this provium can read")]
pub(super) struct ShowArgs {
    /// The trace
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only tests whose name contains TEXT
    #[arg(long, value_name = "TEXT")]
    test: Option<String>,
    /// Only this task and those that it spawned: main/1
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// Only this VM, or one of its workers: a, a/worker1
    #[arg(long, value_name = "VM")]
    vm: Option<String>,
    /// Only where arguments, reply, line of Lua or log contain TEXT, or match /REGEX/
    #[arg(long, value_name = "TEXT")]
    grep: Option<String>,
    /// All arguments and replies, whole
    #[arg(long)]
    full: bool,
    /// One JSON object for each thing that happened, on a line of its own, with everything that the trace has
    #[arg(long, conflicts_with = "full")]
    json: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
}

/// Shows the trace.
pub(super) fn show(args: &ShowArgs) -> Result<Exit, CommandError> {
    let selected = Selected {
        test: args.test.clone(),
        task: args.task.clone(),
        vm: args.vm.clone(),
        grep: args.grep.as_deref().map(Filter::parse).transpose()?,
    };
    let loaded = match load(&args.file) {
        Ok(loaded) => loaded,
        Err(error) => {
            complain(&error);
            return Ok(Exit::CouldNotRun);
        }
    };
    let mut out = BufWriter::new(io::stdout());
    let written = if args.json {
        json::write(&mut out, &loaded.timeline, &selected)
    } else {
        let columns = terminal_size::terminal_size().map(|(terminal_size::Width(columns), _)| usize::from(columns));
        let look = Look { paint: Paint { colour: args.color.on() }, columns, full: args.full };
        table::write(&mut out, &loaded.timeline, &selected, &look)
    };
    super::written(written.and_then(|()| out.flush()))?;
    Ok(super::damaged(loaded.damage.as_deref()))
}
