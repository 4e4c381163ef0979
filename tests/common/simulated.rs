//! Runs in the simulator that are recorded in memory.

use std::rc::Rc;

use provium::runner::event::Event;
use provium::runner::file::FileToRun;
use provium::trace::record::{Header, Record};
use provium_sim::SimBackend;

use super::recorded::record_on;

/// Records a run: its trace, and what people are shown of it.
pub fn record(file: &FileToRun, seed: Option<u64>) -> (Header, Vec<Record>, Vec<Event>) {
    record_on(file, seed, true, &|choices| Rc::new(SimBackend::new(choices)))
}
