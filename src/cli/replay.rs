//! `provium replay TRACE…`: runs recorded tests again, without their guests.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use clap::{Args, ValueEnum};
use provium_protocol::{Backend, Nanos};

use super::args::Colour;
use super::backend;
use super::judge::{Judge, Outcome};
use super::outputs::{self, Look, Output};
use super::walk::Walk;
use crate::config::Project;
use crate::error::{CommandError, Exit};
use crate::report::repeat::Repeat;
use crate::report::sources::DiskSources;
use crate::report::style::Paint;
use crate::report::tally::Tally;
use crate::report::terminal::Level;
use crate::report::text::printable;
use crate::runner::event::{Event, Failure, Verdict};
use crate::runner::file::{FileOptions, FileToRun, run_file};
use crate::runner::inputs::Disk;
use crate::runner::observe::Observer;
use crate::trace::format::End;
use crate::trace::replay::explain::{explain, explain_order};
use crate::trace::replay::load::load;
use crate::trace::replay::rerun::Follower;
use crate::trace::replay::session::{Rerun, Session, Settings};
use crate::trace::replay::{AtEnd, Mode, Plan, Replayer, Script, Stop};

/// Run recorded tests again, with no simulator and no guest: as they were recorded, in the recorded interleaving.
#[derive(Args, Clone, Debug)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ReplayArgs {
    /// Traces to replay
    #[arg(value_name = "TRACE", required = true)]
    traces: Vec<PathBuf>,
    /// Which Lua is run [default: current if the test file is there, else recorded]
    #[arg(long, value_enum, value_name = "WHICH")]
    script: Option<WhichScript>,
    /// How closely the recorded order is kept
    #[arg(long, value_enum, value_name = "MODE", default_value_t = WhichMode::Causal)]
    mode: WhichMode,
    /// What happens when a test asks for more than was recorded
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = WhichEnd::Fail)]
    at_end: WhichEnd,
    /// Stop at exchange N, counted from 0 as `provium trace show` does, and show the state of all tasks
    #[arg(long, value_name = "N")]
    until: Option<u64>,
    /// Walk through the exchanges one by one
    #[arg(long)]
    step: bool,
    /// Write a report: terminal, json (JSON lines) or junit (XML), to FILE or to standard output
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = outputs::parse)]
    report: Vec<Output>,
    /// Show what tests log, as they do
    #[arg(long, short, conflicts_with = "quiet")]
    verbose: bool,
    /// Show failures and the closing line only
    #[arg(long, short)]
    quiet: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
}

const AFTER_HELP: &str = "\
Exit codes, as `git bisect run` wants them:
  0    the recorded failure does not happen any more (or nothing had failed, and nothing does)
  1    it still does, or something else fails
  125  a recorded test could not be replayed to its end, because it diverged from its recording or is not there any
       more, or a trace could not be read: nothing can be said, unless another recorded failure still happens";

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum WhichScript {
    /// The texts in the trace.
    Recorded,
    /// The working copy.
    Current,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum WhichMode {
    /// The order within each task; no answer before what was begun before it.
    Causal,
    /// All of it.
    Strict,
    /// Each exchange by its task, operation and arguments alone.
    Keyed,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum WhichEnd {
    /// The replay has diverged.
    Fail,
    /// The test ends there.
    Stop,
    /// The test runs in the simulator, under the recorded choices, and goes on there.
    Continue,
}

impl ReplayArgs {
    fn mode(&self) -> Mode {
        match self.mode {
            WhichMode::Causal => Mode::Causal,
            WhichMode::Strict => Mode::Strict,
            WhichMode::Keyed => Mode::Keyed,
        }
    }

    fn at_end(&self) -> AtEnd {
        match self.at_end {
            WhichEnd::Fail | WhichEnd::Continue => AtEnd::Fail,
            WhichEnd::Stop => AtEnd::Stop,
        }
    }
}

/// Replays the traces.
pub(super) fn replay(args: &ReplayArgs) -> Result<Exit, CommandError> {
    if args.at_end == WhichEnd::Continue && (args.until.is_some() || args.mode != WhichMode::Causal) {
        return Err(CommandError::ContinueFollowsNothing);
    }
    let (project, here) = super::project()?;
    let look = Look {
        level: match (args.quiet, args.verbose) {
            (true, _) => Level::Quiet,
            (_, true) => Level::Verbose,
            _ => Level::Normal,
        },
        paint: Paint { colour: args.color.on() },
        repeat: Repeat { program: super::program(), is_replay: true, ..Repeat::default() },
    };
    let sources = || -> Box<dyn crate::report::sources::Sources> {
        Box::new(DiskSources::new(BTreeMap::new(), vec![project.dir.clone(), here.clone()]))
    };
    let mut reports = outputs::open(&args.report, &look, &sources)?;
    let mut tally = Tally::default();
    let started = Instant::now();
    let mut tell = |event: Event| {
        tally.event(&event);
        reports.event(&event);
    };
    tell(Event::RunStarted { backend: "replay".to_owned(), seed: None, files: args.traces.len() });
    let mut worst = Outcome::Passed;
    for trace in &args.traces {
        let outcome = one(args, &project, trace, &mut tell);
        worst = worst.max(outcome);
    }
    let host_time = Nanos::try_from(started.elapsed().as_nanos()).unwrap_or(Nanos::MAX);
    tell(Event::RunFinished { stopped: None, host_time });
    for failure in reports.failures() {
        super::complain(&failure);
    }
    Ok(match worst {
        Outcome::Passed => Exit::Passed,
        Outcome::Failed | Outcome::StillFails => Exit::TestFailed,
        Outcome::Diverged => Exit::Diverged,
    })
}

fn one(args: &ReplayArgs, project: &Project, trace: &Path, tell: &mut dyn FnMut(Event)) -> Outcome {
    let shown = trace.display().to_string();
    let (plan, end) = match load(trace) {
        Ok(loaded) => loaded,
        Err(error) => {
            super::complain(&format!("`{shown}` cannot be replayed: {error}"));
            return Outcome::Diverged;
        }
    };
    if let End::Torn { given, .. } = &end {
        let records = given.records;
        super::complain(&format!(
            "`{shown}` is torn: the run that wrote it did not come to its end; its {records} whole records are replayed"
        ));
    }
    let name = plan.header.file.clone();
    let path = project.dir.join(&name);
    let script = match args.script {
        Some(WhichScript::Recorded) => Script::Recorded,
        Some(WhichScript::Current) => Script::Current,
        None if path.is_file() => Script::Current,
        None => Script::Recorded,
    };
    let mut roots = project.roots.clone();
    if !roots.contains(&project.dir) {
        roots.push(project.dir.clone());
    }
    let file = FileToRun { name: name.clone(), path, roots };
    let torn = matches!(end, End::Torn { .. });
    let at_end = args.at_end();
    let settings = Settings { mode: args.mode(), at_end, until: args.until, script };
    let walk: Vec<Rc<dyn Observer>> = if args.step { vec![Walk::new() as Rc<dyn Observer>] } else { Vec::new() };
    let judge = RefCell::new(Judge::new(&plan));
    if args.at_end == WhichEnd::Continue && plan.header.backend != "sim" {
        let backend = &plan.header.backend;
        super::complain(&format!(
            "`{shown}` was recorded on {backend}: only a run of the simulator can go on in the simulator"
        ));
        return Outcome::Diverged;
    }
    let (watched, run) = Run::new(args, plan, settings, walk);
    let current = current_sources(project, script);
    let (new, conductor) = (Rc::clone(&run.new), run.options.conductor.clone());
    let mut mine = |event: Event| {
        let event = match event {
            Event::FileStarted { file } => {
                tell(Event::FileStarted { file: file.clone() });
                Event::Recording { file, trace: shown.clone() }
            }
            Event::TestFinished { file, test, verdict, lab_time, host_time, warnings, site } => {
                let stop = watched.stop();
                let verdict = match (verdict, &stop) {
                    (Verdict::Failed(failure), _) => watched.stopped(trace, &shown, failure, &current, torn),
                    // It stopped while what the test had opened was closed.
                    (_, Some(Stop::Diverged(_) | Stop::Reached(_))) => {
                        watched.stopped(trace, &shown, Failure::default(), &current, torn)
                    }
                    (verdict, _) => verdict,
                };
                // Where a test was stopped its tasks still ran, of course.
                let warnings = if stop.is_some() { Vec::new() } else { warnings };
                judge.borrow_mut().test(&test, &verdict, stop.as_ref());
                Event::TestFinished { file, test, verdict, lab_time, host_time, warnings, site }
            }
            Event::FileFailed { file, failure } => {
                judge.borrow_mut().file_failed(watched.stop().as_ref());
                match watched.stopped(trace, &shown, failure, &current, torn) {
                    Verdict::Failed(failure) => Event::FileFailed { file, failure },
                    _ => Event::FileFailed { file, failure: Failure::default() },
                }
            }
            Event::FileFinished { file, deselected } => {
                let all_had_their_turn = !conductor.as_ref().is_some_and(|conductor| conductor.ends_run());
                let missing = if all_had_their_turn { judge.borrow_mut().missing(&new.borrow()) } else { Vec::new() };
                for (test, failure) in missing {
                    tell(Event::TestStarted { file: file.clone(), test: test.clone() });
                    tell(never_began(&file, test, failure));
                }
                Event::FileFinished { file, deselected }
            }
            other => other,
        };
        tell(event);
    };
    run_file(&file, &run.options, run.backend, &mut mine);
    // Where it made the test ask something else, the report of that says it.
    if let (Watched::Rerun(follower), None) = (&watched, watched.stop())
        && let Some(what) = follower.answered()
    {
        let what = printable(&what);
        super::complain_softly(&format!("`{shown}`: a guest answers otherwise than it was recorded: {what}"));
    }
    if let Some(number) = args.until
        && !matches!(watched.stop(), Some(Stop::Reached(_)))
    {
        super::complain_softly(&format!("`{shown}`: exchange {number} was never reached"));
    }
    judge.borrow().outcome()
}

/// The end of a test that never began.
fn never_began(file: &str, test: String, failure: Failure) -> Event {
    Event::TestFinished {
        file: file.to_owned(),
        test,
        verdict: Verdict::Failed(failure),
        lab_time: 0,
        host_time: 0,
        warnings: Vec::new(),
        site: None,
    }
}

/// A run against a trace, ready to go.
struct Run {
    options: FileOptions,
    backend: Rc<dyn Backend>,
    /// The tests that were not recorded and are not run.
    new: Rc<RefCell<Vec<String>>>,
}

/// Who knows how it went.
enum Watched {
    Replay(Rc<Replayer>),
    Rerun(Rc<Follower>),
}

impl Run {
    fn new(args: &ReplayArgs, plan: Plan, settings: Settings, walk: Vec<Rc<dyn Observer>>) -> (Watched, Run) {
        if args.at_end == WhichEnd::Continue {
            let rerun = Rerun::new(plan, settings.script, Rc::new(Disk), walk);
            let backend = backend::simulator(rerun.choices);
            return (Watched::Rerun(rerun.follower), Run { options: rerun.options, backend, new: Rc::default() });
        }
        let session = Session::new(plan, settings, Rc::new(Disk), walk);
        let run = Run { options: session.options, backend: session.backend, new: session.new };
        (Watched::Replay(session.replayer), run)
    }
}

impl Watched {
    fn stop(&self) -> Option<Stop> {
        match self {
            Watched::Replay(replayer) => replayer.stop(),
            Watched::Rerun(follower) => follower.stop(),
        }
    }

    fn plan(&self) -> &Plan {
        match self {
            Watched::Replay(replayer) => replayer.plan(),
            Watched::Rerun(follower) => follower.plan(),
        }
    }

    /// What a failure in a replay is: one of the test's own, or the replay's end.
    fn stopped(
        &self,
        trace: &Path,
        shown: &str,
        mut failure: Failure,
        current: &dyn Fn(&str) -> Option<String>,
        torn: bool,
    ) -> Verdict {
        let question = match self.stop() {
            None => return Verdict::Failed(failure),
            Some(Stop::TraceEnded) => return Verdict::Skipped("the trace ends here".to_owned()),
            Some(Stop::Reached(number)) => {
                failure.message = format!("stopped at exchange {number}, as asked");
                if let Some(note) = failure.exchanges.iter().rfind(|note| note.ended.is_none()) {
                    failure.message.push_str(&format!(": task {} asks {}", note.task, note.operation));
                    failure.site.clone_from(&note.site);
                }
                return Verdict::Failed(failure);
            }
            Some(Stop::Diverged(question)) => question,
        };
        if torn && question.expected.is_none() {
            let message = "the trace ends here: the run that wrote it did not come to its end\n\
                           to replay as far as it goes: --at-end stop; to go on in the simulator: --at-end continue";
            return Verdict::Failed(Failure { message: message.to_owned(), ..Failure::default() });
        }
        if question.order {
            let message = explain_order(shown, self.plan(), &question);
            return Verdict::Failed(Failure { message, ..Failure::default() });
        }
        let explained = explain(trace, shown, self.plan(), &question, current);
        let explained = explained.map(|divergence| match self {
            Watched::Rerun(follower) => match follower.answered() {
                Some(what) => divergence.after_answer(what),
                None => divergence,
            },
            Watched::Replay(_) => divergence,
        });
        let message = match explained {
            Some(divergence) => format!("the replay diverged from its recording\n{divergence}"),
            None => failure.message,
        };
        // The report says it all; what led there is in the trace.
        Verdict::Failed(Failure { message, ..Failure::default() })
    }
}

/// The scripts that are run, by the names that the recording has for them.
fn current_sources(project: &Project, script: Script) -> impl Fn(&str) -> Option<String> {
    let directory = project.dir.clone();
    move |name: &str| {
        if script == Script::Recorded {
            return None;
        }
        std::fs::read(directory.join(name)).ok().map(|text| String::from_utf8_lossy(&text).into_owned())
    }
}

/// Replays a recording that was just made, and says how it differs from the run, if it does.
pub(super) fn verify(file: &FileToRun, trace: &Path, recorded: &[Event]) -> Result<(), String> {
    let (plan, _) = load(trace).map_err(|error| error.to_string())?;
    let settings = Settings { mode: Mode::Strict, at_end: AtEnd::Fail, until: None, script: Script::Recorded };
    let session = Session::new(plan, settings, Rc::new(Disk), Vec::new());
    let mut replayed = Vec::new();
    run_file(file, &session.options, session.backend, &mut |event| replayed.push(event));
    if let Some(stop) = session.replayer.stop() {
        return Err(format!("the replay stopped: {stop:?}"));
    }
    if session.replayer.has_diverged() || !session.replayer.is_on_plan() {
        return Err("the replay left the recorded order".to_owned());
    }
    let shown = |events: &[Event]| -> Vec<Event> {
        let mut events: Vec<Event> = events.iter().filter_map(Event::repeatable).collect();
        for event in &mut events {
            if let Event::FileFinished { deselected, .. } = event {
                // A replay knows which tests were run, not why others were not.
                *deselected = 0;
            }
        }
        events
    };
    let (recorded, replayed) = (shown(recorded), shown(&replayed));
    let differs = recorded.iter().zip(&replayed).find(|(recorded, replayed)| recorded != replayed);
    match differs {
        Some((recorded, replayed)) => Err(format!("recorded {recorded:?}\nreplayed {replayed:?}")),
        None if recorded.len() != replayed.len() => {
            Err(format!("{} events recorded, {} replayed", recorded.len(), replayed.len()))
        }
        None => Ok(()),
    }
}
