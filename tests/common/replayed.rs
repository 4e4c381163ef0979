//! Runs against a recording that is in memory.

use std::rc::Rc;

use provium::exec::Conductor;
use provium::runner::event::Event;
use provium::runner::file::{FileToRun, run_file};
use provium::runner::observe::{Observer, Observers};
use provium::trace::record::{Header, Record};
use provium::trace::replay::{AtEnd, Builder, Mode, ReplayBackend, ReplayInputs, Replayer, Script};

use super::library::options;
use super::no_host::Nothing;

/// Runs a file against its recording: who followed it, and what people are shown.
pub fn replay(
    file: &FileToRun,
    seed: Option<u64>,
    mode: Mode,
    header: Header,
    records: Vec<Record>,
) -> (Rc<Replayer>, Vec<Event>) {
    let mut builder = Builder::new(header);
    for record in records {
        builder.add(record).expect("the recorder writes what makes sense");
    }
    let replayer = Replayer::new(builder.finish(), mode, AtEnd::Fail, None);
    let mut options = options(seed);
    options.observers = Observers::new(vec![Rc::clone(&replayer) as Rc<dyn Observer>]);
    options.conductor = Some(Rc::clone(&replayer) as Rc<dyn Conductor>);
    options.inputs = Rc::new(ReplayInputs::new(Rc::clone(&replayer), Script::Recorded, Rc::new(Nothing)));
    let mut events = Vec::new();
    let backend = Rc::new(ReplayBackend::new(Rc::clone(&replayer)));
    run_file(file, &options, backend, &mut |event| events.extend(event.repeatable()));
    (replayer, events)
}

/// What of a replay is not as it was recorded; nothing if all of it is.
pub fn differences(file: &FileToRun, recorded: &[Event], replayer: &Replayer, replayed: &[Event]) -> Option<String> {
    if let Some(stop) = replayer.stop() {
        return Some(format!("{}: {stop:?}", file.name));
    }
    if !replayer.is_on_plan() {
        return Some(format!("{}: the recorded order was left", file.name));
    }
    let differs = recorded.iter().zip(replayed).find(|(recorded, replayed)| recorded != replayed);
    if let Some((recorded, replayed)) = differs {
        return Some(format!("{}:\n  recorded {recorded:?}\n  replayed {replayed:?}", file.name));
    }
    let (recorded, replayed) = (recorded.len(), replayed.len());
    (recorded != replayed).then(|| format!("{}: {recorded} events recorded, {replayed} replayed", file.name))
}
