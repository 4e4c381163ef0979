//! What people and tools are shown: folds over the run's events.
//!
//! A report sees each event once, in order, and writes as it goes; nothing is computed from anything
//! but events, so every report can be tested, and later replayed, from a list of them.

pub mod json;
pub mod junit;
pub mod repeat;
pub mod sources;
pub mod style;
pub mod tally;
pub mod terminal;
pub mod text;

#[cfg(test)]
mod tests;

use std::io;

use crate::runner::event::Event;

/// A fold over the events of a run.
pub trait Report {
    /// Takes in the next event.
    fn event(&mut self, event: &Event) -> io::Result<()>;
}

/// Several reports fed from one stream of events. A report that cannot write is dropped and the others
/// go on: a full disk must not cost the verdict of a run.
#[derive(Default)]
pub struct Reports {
    reports: Vec<(String, Box<dyn Report>)>,
    failed: Vec<(String, io::Error)>,
}

impl Reports {
    /// Adds a report; `name` is what an error calls its destination.
    pub fn add(&mut self, name: impl Into<String>, report: Box<dyn Report>) {
        self.reports.push((name.into(), report));
    }

    /// Feeds all of them.
    pub fn event(&mut self, event: &Event) {
        let failed = &mut self.failed;
        self.reports.retain_mut(|(name, report)| match report.event(event) {
            Ok(()) => true,
            Err(error) => {
                failed.push((name.clone(), error));
                false
            }
        });
    }

    /// The reports that could not be written, with the reason. A reader that went away (`| head`) has
    /// seen what it wanted and is not among them.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let gone = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
        let failed = self.failed.iter().filter(|(_, error)| !gone(error));
        failed.map(|(name, error)| format!("cannot write {name}: {error}")).collect()
    }
}
