//! What running a file against a trace takes, put together.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::rerun::{Follower, ThenLive};
use super::{AtEnd, Builder, Mode, Plan, ReplayBackend, ReplayInputs, Replayer, Script};
use provium_protocol::Choices;
use provium_protocol::choice::{Fixed, Seeded};

use crate::exec::Conductor;
use crate::runner::file::{FileOptions, Selection, TestInfo};
use crate::runner::inputs::HostInputs;
use crate::runner::observe::{Observer, Observers};
use crate::trace::record::{Boundary, RecordedVerdict};

use super::plan::Item;

/// How a trace is replayed.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How closely the order is kept.
    pub mode: Mode,
    /// What happens when the trace ends before the test does.
    pub at_end: AtEnd,
    /// Stop at this exchange.
    pub until: Option<u64>,
    /// Which Lua is run.
    pub script: Script,
}

/// A replay that is ready to run: give these to [`crate::runner::file::run_file`].
pub struct Session {
    /// Tells afterwards how it went.
    pub replayer: Rc<Replayer>,
    /// The backend.
    pub backend: Rc<ReplayBackend>,
    /// The options.
    pub options: FileOptions,
    /// The tests of the file that were not recorded, as far as it is known.
    pub new: Rc<RefCell<Vec<String>>>,
}

impl Session {
    /// Puts a replay together; `disk` is where the working copy's Lua comes from, and `more` see the run, too.
    #[must_use]
    pub fn new(plan: Plan, settings: Settings, disk: Rc<dyn HostInputs>, more: Vec<Rc<dyn Observer>>) -> Session {
        let selected = selected(&plan);
        let new = Rc::new(RefCell::new(Vec::new()));
        let unknown = Rc::clone(&new);
        let (profiles, seed, default_timeout) =
            (plan.header.profiles.clone(), plan.header.seed, plan.header.default_timeout);
        let replayer = Replayer::new(plan, settings.mode, settings.at_end, settings.until);
        let observers = std::iter::once(Rc::clone(&replayer) as Rc<dyn Observer>).chain(more);
        let options = FileOptions {
            select: Box::new(move |test: &TestInfo| match selected.get(&test.name) {
                Some(selection) => selection.clone(),
                None => {
                    unknown.borrow_mut().push(test.name.clone());
                    Selection::Leave
                }
            }),
            default_timeout,
            profiles,
            seed,
            fail_fast: false,
            inputs: Rc::new(ReplayInputs::new(Rc::clone(&replayer), settings.script, disk)),
            observers: Observers::new(observers.collect()),
            conductor: Some(Rc::clone(&replayer) as Rc<dyn Conductor>),
        };
        let backend = Rc::new(ReplayBackend::new(Rc::clone(&replayer)));
        Session { replayer, backend, options, new }
    }
}

/// A run that goes on where its trace ends, ready to run: give these to [`crate::runner::file::run_file`].
pub struct Rerun {
    /// Tells afterwards how it went.
    pub follower: Rc<Follower>,
    /// The choices that the backend is to be made with.
    pub choices: Rc<dyn Choices>,
    /// The options.
    pub options: FileOptions,
}

impl Rerun {
    /// Puts one together.
    #[must_use]
    pub fn new(mut plan: Plan, script: Script, disk: Rc<dyn HostInputs>, more: Vec<Rc<dyn Observer>>) -> Rerun {
        let selected = selected(&plan);
        // A trace that came to its end has all tests that were asked for; one that was cut off may lack some.
        let others = if plan.is_whole() { Selection::Leave } else { Selection::Run };
        let header = plan.header.clone();
        let live: Rc<dyn Choices> = match header.seed {
            Some(seed) => Rc::new(Seeded::new(seed)),
            None => Rc::new(Fixed::default()),
        };
        let choices = Rc::new(ThenLive::new(std::mem::take(&mut plan.made), live));
        // Host files and scripts come from where a replay has them.
        let source = Builder::texts_of(&plan);
        let reader = Replayer::new(source, Mode::Causal, AtEnd::Fail, None);
        let follower = Follower::new(plan);
        let observers = std::iter::once(Rc::clone(&follower) as Rc<dyn Observer>).chain(more);
        let options = FileOptions {
            select: Box::new(move |test: &TestInfo| selected.get(&test.name).unwrap_or(&others).clone()),
            default_timeout: header.default_timeout,
            profiles: header.profiles,
            seed: header.seed,
            fail_fast: false,
            inputs: Rc::new(ReplayInputs::new(reader, script, disk)),
            observers: Observers::new(observers.collect()),
            conductor: Some(Rc::clone(&follower) as Rc<dyn Conductor>),
        };
        Rerun { follower, choices, options }
    }
}

/// The tests that began when this was recorded; what was skipped then is skipped now.
fn selected(plan: &Plan) -> BTreeMap<String, Selection> {
    let began = plan.items.iter().filter_map(|item| match item {
        Item::Boundary { what: Boundary::TestBegins { name }, .. } => Some((name.clone(), Selection::Run)),
        _ => None,
    });
    let skipped = plan.verdicts.iter().filter_map(|(name, verdict)| match verdict {
        RecordedVerdict::Skipped { reason } if !plan.ran(name) => Some((name.clone(), Selection::Skip(reason.clone()))),
        _ => None,
    });
    began.chain(skipped).collect()
}
