//! Runs that are recorded in memory.

use std::rc::Rc;

use provium::runner::event::Event;
use provium::runner::file::{FileToRun, run_file};
use provium::runner::inputs::Disk;
use provium::runner::observe::{Observer, Observers};
use provium::trace::record::{Header, Record};
use provium::trace::recorder::{Memory, Recorder, RecordingBackend, RecordingChoices, RecordingInputs};
use provium_protocol::{Backend, Choices};

use super::library::{options, schedule};

/// Records a run on any backend.
pub fn record_on(
    file: &FileToRun,
    seed: Option<u64>,
    virtual_clock: bool,
    make: &dyn Fn(Rc<dyn Choices>) -> Rc<dyn Backend>,
) -> (Header, Vec<Record>, Vec<Event>) {
    let memory = Memory::default();
    let recorder = Recorder::new(Box::new(memory.clone()));
    let choices = Rc::new(RecordingChoices::new(Rc::clone(&recorder), schedule(seed)));
    let inner = make(choices);
    let name = inner.name().to_owned();
    let backend = Rc::new(RecordingBackend::new(Rc::clone(&recorder), inner));
    let mut options = options(seed);
    options.inputs = Rc::new(RecordingInputs::new(Rc::clone(&recorder), Rc::new(Disk)));
    options.observers = Observers::new(vec![Rc::clone(&recorder) as Rc<dyn Observer>]);
    let mut events = Vec::new();
    run_file(file, &options, backend, &mut |event| events.extend(event.repeatable()));
    recorder.finish().expect("memory takes everything");
    let header = Header { backend: name, virtual_clock, seed, profiles: options.profiles, ..Header::default() };
    (header, memory.take(), events)
}
