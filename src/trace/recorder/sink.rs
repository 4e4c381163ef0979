//! Where records go.

use std::cell::RefCell;
use std::rc::Rc;

use crate::trace::record::Record;
use crate::trace::said::Said;

/// Takes records, in order.
pub trait Sink {
    /// One more.
    ///
    /// # Errors
    /// Why it could not be kept; it is the last record that the sink is given.
    fn record(&mut self, said: &Said<'_>) -> Result<(), String>;

    /// Part of the run is over: what was taken so far should survive the end of this process, all of it if it is
    /// `precious`, else unless it is little.
    ///
    /// # Errors
    /// As for [`Sink::record`].
    fn settle(&mut self, precious: bool) -> Result<(), String>;

    /// There are no more.
    ///
    /// # Errors
    /// As for [`Sink::record`].
    fn finish(&mut self) -> Result<(), String>;
}

/// Keeps records in memory.
#[derive(Clone, Default)]
pub struct Memory(Rc<RefCell<Vec<Record>>>);

impl Memory {
    /// What was recorded so far; nothing is left.
    #[must_use]
    pub fn take(&self) -> Vec<Record> {
        self.0.take()
    }
}

impl Sink for Memory {
    fn record(&mut self, said: &Said<'_>) -> Result<(), String> {
        self.0.borrow_mut().push(said.to_record());
        Ok(())
    }

    fn settle(&mut self, _: bool) -> Result<(), String> {
        Ok(())
    }

    fn finish(&mut self) -> Result<(), String> {
        Ok(())
    }
}
