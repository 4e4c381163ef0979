//! Counts what happened: the fold that decides the exit code and the closing line.

use std::fmt;

use provium_protocol::Nanos;

use crate::runner::event::{Event, Verdict};

/// The numbers of a run so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that did what they say.
    pub passed: usize,
    /// Tests that did not.
    pub failed: usize,
    /// Tests that were not run, each for a stated reason.
    pub skipped: usize,
    /// Tests that the command line left out.
    pub deselected: usize,
    /// Files that are done, loaded or not.
    pub files: usize,
    /// Files that could not be loaded.
    pub broken_files: usize,
    /// What the tests took by the lab's clock, added up.
    pub lab_time: Nanos,
}

impl Tally {
    /// Counts one event.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::TestFinished { verdict, lab_time, .. } => {
                match verdict {
                    Verdict::Passed => self.passed += 1,
                    Verdict::Failed(_) => self.failed += 1,
                    Verdict::Skipped(_) => self.skipped += 1,
                }
                self.lab_time = self.lab_time.saturating_add(*lab_time);
            }
            Event::FileFailed { .. } => self.broken_files += 1,
            Event::FileFinished { deselected, .. } => {
                self.files += 1;
                self.deselected += deselected;
            }
            Event::RunStarted { .. }
            | Event::FileStarted { .. }
            | Event::Recording { .. }
            | Event::TestStarted { .. }
            | Event::Log { .. }
            | Event::RunFinished { .. } => {}
        }
    }

    /// Tests that were asked for: run, or skipped for a reason.
    #[must_use]
    pub fn selected(&self) -> usize {
        self.passed + self.failed + self.skipped
    }
}

/// The closing line of a run, in a form that tools may rely on: `3 passed, 1 failed`, then
/// `, 2 skipped` if any were.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}
