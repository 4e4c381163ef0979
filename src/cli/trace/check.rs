//! `provium trace check FILE…`: verifies everything that can be verified without running anything.

use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::{CommandError, Exit};
use crate::report::text::{count, printable};
use crate::trace::check::Checker;
use crate::trace::format::{End, TraceError, TraceReader};

/// Faults of one file that are shown; one that has more is wrong from its beginning.
const SHOWN_FAULTS: usize = 10;

/// Which traces.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Exit codes:
  0  every trace is complete and sound
  1  a trace is damaged, torn, or its records make no sense together
  2  a file cannot be read, or is no trace that this provium can read")]
pub(super) struct CheckArgs {
    /// Traces
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Say nothing of traces that are sound
    #[arg(long, short)]
    quiet: bool,
}

/// Checks the traces one by one.
pub(super) fn check(args: &CheckArgs) -> Result<Exit, CommandError> {
    let mut out = BufWriter::new(io::stdout());
    let (mut wrong, mut unreadable) = (false, false);
    for path in &args.files {
        let name = printable(&path.display().to_string());
        let lines = match look(path) {
            Err(error) => {
                unreadable = true;
                super::super::complain(&format_args!("{name}: {error}"));
                continue;
            }
            Ok(Found { faults, verdict, sound }) => {
                wrong |= !sound;
                if sound && args.quiet {
                    continue;
                }
                let hidden = faults.count - faults.shown.len();
                let mut lines: Vec<String> =
                    faults.shown.iter().map(|fault| format!("{name}: {}", printable(fault))).collect();
                if hidden > 0 {
                    lines.push(format!("{name}: and {hidden} more like these"));
                }
                lines.push(format!("{name}: {}", printable(&verdict)));
                lines
            }
        };
        if !super::print(&mut out, &lines)? {
            break;
        }
    }
    super::print(&mut out, &[])?;
    Ok(if unreadable {
        Exit::CouldNotRun
    } else if wrong {
        Exit::TestFailed
    } else {
        Exit::Passed
    })
}

struct Found {
    faults: Faults,
    verdict: String,
    sound: bool,
}

/// Faults, of which only the first are kept.
#[derive(Default)]
struct Faults {
    shown: Vec<String>,
    count: usize,
}

impl Faults {
    fn add(&mut self, fault: String) {
        if self.shown.len() < SHOWN_FAULTS {
            self.shown.push(fault);
        }
        self.count += 1;
    }
}

/// Reads one trace to its end.
fn look(path: &Path) -> Result<Found, TraceError> {
    let mut reader = TraceReader::open(path)?;
    let mut checker = Checker::default();
    let mut faults = Faults::default();
    loop {
        match reader.next_record() {
            Ok(Some(record)) => {
                if let Err(why) = checker.record(&record) {
                    let position = reader.position();
                    faults.add(format!(
                        "record {} makes no sense: {why} (in the blocks before byte {})",
                        position.records.saturating_sub(1),
                        position.at
                    ));
                }
            }
            // Damage is told by the end.
            Ok(None) | Err(TraceError::Damaged(_)) => break,
            Err(error) => return Err(error),
        }
    }
    if matches!(reader.end(), Some(End::Complete(_))) && !checker.ended() {
        faults.add(format!("the closing block says that the run ended, but it stands {}", checker.place()));
    }
    Ok(judge(reader.end(), &checker, faults))
}

fn judge(end: Option<&End>, checker: &Checker, faults: Faults) -> Found {
    let senseless = faults.count > 0;
    let (verdict, whole) = match end {
        Some(End::Complete(totals)) => {
            let what = format!(
                "{} and {} in {} bytes before compression",
                count(totals.records as usize, "record"),
                count(totals.exchanges as usize, "exchange"),
                totals.raw
            );
            if senseless {
                let faults = count(faults.count, "fault");
                (format!("every byte is as it was written, but what it says has {faults}; {what}"), true)
            } else {
                (format!("OK, {what}"), true)
            }
        }
        Some(End::Torn { given, blocks, at, lost, cut }) => {
            let lost = match (lost, cut) {
                (0, 0) => "nothing that was begun is lost".to_owned(),
                (lost, cut) => format!("{lost} bytes of a block and {cut} bytes of a record are cut off"),
            };
            (
                format!(
                    "torn: it ends at byte {at} without its closing block, {}; {} and {} in {} are whole; {lost}",
                    checker.place(),
                    count(given.records as usize, "record"),
                    count(given.exchanges as usize, "exchange"),
                    count(*blocks as usize, "block"),
                ),
                false,
            )
        }
        Some(End::Damaged(damage)) => (format!("damaged {damage}"), false),
        // Reading failed, which was said.
        None => ("not read to its end".to_owned(), false),
    };
    Found { faults, verdict, sound: whole && !senseless }
}
