//! `provium trace export FILE`: a trace for a browser, or for the Perfetto UI.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::load::load;
use crate::cli::complain;
use crate::error::{CommandError, Exit};
use crate::trace::export::{html, perfetto};

/// What to make of it.
#[derive(Args, Clone, Debug)]
#[command(
    group(ArgGroup::new("format").args(["html", "perfetto"]).required(true)),
    after_help = "\
Exit codes:
  0  written
  2  the file cannot be read to its end, or is no trace that this provium can read"
)]
pub(super) struct ExportArgs {
    /// The trace
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// One page for any browser; it needs no network and no other file
    #[arg(long)]
    html: bool,
    /// JSON for ui.perfetto.dev and chrome://tracing
    #[arg(long)]
    perfetto: bool,
    /// Where to write it [default: standard output]
    #[arg(long, short, value_name = "OUT")]
    output: Option<PathBuf>,
}

/// Writes it.
pub(super) fn export(args: &ExportArgs) -> Result<Exit, CommandError> {
    let loaded = match load(&args.file) {
        Ok(loaded) => loaded,
        Err(error) => {
            complain(&error);
            return Ok(Exit::CouldNotRun);
        }
    };
    let write = |out: &mut dyn Write| {
        if args.html { html::write(out, &loaded.timeline) } else { perfetto::write(out, &loaded.timeline) }?;
        out.flush()
    };
    match &args.output {
        None => {
            super::written(write(&mut BufWriter::new(io::stdout())))?;
        }
        Some(path) => {
            let cannot = |why| CommandError::Output { path: path.clone(), why };
            let file = File::create(path).map_err(cannot)?;
            write(&mut BufWriter::new(file)).map_err(cannot)?;
        }
    }
    Ok(super::damaged(loaded.damage.as_deref()))
}
