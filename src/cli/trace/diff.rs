//! `provium trace diff A B`: where two runs part.

use std::io::{self, BufWriter};
use std::path::PathBuf;

use clap::Args;

use super::load::load;
use crate::cli::complain;
use crate::error::{CommandError, Exit};
use crate::trace::diff::diff as difference;

/// Which traces.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Tasks are compared one by one: what each asks, what it is answered, what it sees; then who comes first, and
what comes of the tests. Times are not compared.

Exit codes:
  0  both say the same
  1  they differ: the first difference is shown
  2  a file cannot be read to its end, or is no trace that this provium can read")]
pub(super) struct DiffArgs {
    /// A trace
    #[arg(value_name = "A")]
    a: PathBuf,
    /// Another one
    #[arg(value_name = "B")]
    b: PathBuf,
}

/// Compares the two.
pub(super) fn diff(args: &DiffArgs) -> Result<Exit, CommandError> {
    let (a, b) = match (load(&args.a), load(&args.b)) {
        (Ok(a), Ok(b)) => (a, b),
        (a, b) => {
            for error in [a.err(), b.err()].into_iter().flatten() {
                complain(&error);
            }
            return Ok(Exit::CouldNotRun);
        }
    };
    let names = [args.a.to_string_lossy(), args.b.to_string_lossy()];
    let found = difference(&a.timeline, &b.timeline, [&names[0], &names[1]]);
    let mut out = BufWriter::new(io::stdout());
    let text = match &found {
        Some(found) => vec![found.to_string()],
        None => vec!["the traces say the same".to_owned()],
    };
    super::print(&mut out, &text)?;
    // What is left of a damaged trace proves nothing.
    let damaged = [a.damage, b.damage].iter().flatten().map(|damage| super::damaged(Some(damage))).next_back();
    Ok(damaged.unwrap_or(if found.is_some() { Exit::TestFailed } else { Exit::Passed }))
}
