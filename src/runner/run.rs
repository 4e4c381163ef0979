//! One file's run: its top level, its tests, and the closing of what they opened.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use provium_protocol::{Backend, Nanos, Op, Reply, time};

use super::event::{Event, Failure, Verdict};
use super::file::{DEFAULT_TIMEOUT, FileOptions, FileSummary, FileToRun, Selection, TestInfo};
use super::observe::Boundary;
use super::section::Section;
use crate::exec::Ran;
use crate::lua::{Ended, Host, Raised, Session, Setup, Speaker, VmState, exchange};
use crate::units::format_duration;

/// How long the closing of everything that one section opened may take by the lab's clock, in nanoseconds (5 min):
/// each resource has its own patience, and this ends what still goes on after all of them.
const CLOSE_ALL_PATIENCE: Nanos = 300 * time::SECOND;

/// How long a guest may take to say who waits for what, in nanoseconds (2 s): it is asked when something hangs, and
/// the guest itself may be what hangs.
const INSPECT_PATIENCE: Nanos = 2 * time::SECOND;

/// Lines about one guest's waits in a report.
const MAX_WAITS: usize = 40;

/// A file whose top level has run.
pub struct Run {
    pub(super) file: String,
    pub(super) session: Session,
    pub(super) backend: Rc<dyn Backend>,
}

/// How the waiting for a section's main function ended.
pub(super) enum Outcome {
    Returned,
    Raised(Raised),
    TimedOut(Nanos),
    Deadlock,
    /// The conductor has stopped the run.
    Stopped(String),
}

impl Run {
    /// Reads the file and runs its top level.
    pub fn load(
        file: &FileToRun,
        options: &FileOptions,
        backend: Rc<dyn Backend>,
        sink: &mut dyn FnMut(Event),
    ) -> Result<Run, Box<Failure>> {
        let source = options.inputs.script(file).map_err(|error| {
            let message = format!("cannot read {}: {}", file.name, error.message);
            Box::new(Failure { message, ..Failure::default() })
        })?;
        let setup = Setup {
            file: file.name.as_str().into(),
            run: file.clone(),
            inputs: Rc::clone(&options.inputs),
            profiles: options.profiles.clone(),
            seed: options.seed,
            observers: options.observers.clone(),
            conductor: options.conductor.clone(),
            stop: None,
        };
        let session = Session::new(Rc::clone(&backend), setup)?;
        let mut run = Run { file: file.name.clone(), session, backend };
        run.boundary(Boundary::FileBegins(&run.file));
        let top = Rc::clone(&run.host().top);
        let timeout = options.default_timeout.unwrap_or(DEFAULT_TIMEOUT);
        let ended = match run.session.start_file(&source) {
            Ok(ended) => ended,
            Err(failure) => {
                run.boundary(Boundary::FileLoaded(Some(&failure.message)));
                run.finish(sink);
                return Err(failure);
            }
        };
        let outcome = run.wait(&top, &ended, timeout, sink);
        run.session.loaded();
        let failure = run.failure_of(&top, outcome);
        let unseen = run.session.end_section(&top);
        let failure = failure.or_else(|| unseen.into_iter().next().map(|(_, failure)| failure));
        run.boundary(Boundary::FileLoaded(failure.as_ref().map(|failure| failure.message.as_str())));
        match failure {
            None => Ok(run),
            Some(failure) => {
                run.finish(sink);
                Err(Box::new(failure))
            }
        }
    }

    pub(super) fn host(&self) -> &Rc<Host> {
        self.session.host()
    }

    fn boundary(&self, what: Boundary<'_>) {
        let now = self.backend.now();
        self.host().setup.observers.tell(|observer| observer.boundary(now, what));
    }

    /// Why the conductor has stopped the run, if it has.
    fn stopped(&self) -> Option<String> {
        self.host().setup.conductor.as_ref().and_then(|conductor| conductor.stopped())
    }

    pub(super) fn drain(&self, sink: &mut dyn FnMut(Event)) {
        while let Some(event) = { self.host().events.borrow_mut().pop_front() } {
            sink(event);
        }
    }

    /// What the file registered.
    pub fn list(&self) -> Vec<TestInfo> {
        self.session.tests()
    }

    /// Runs the tests; returns how many nobody asked for.
    pub fn tests(&mut self, options: &FileOptions, summary: &mut FileSummary, sink: &mut dyn FnMut(Event)) -> usize {
        let mut deselected = 0;
        for (index, info) in self.session.tests().into_iter().enumerate() {
            let skip = match (options.select)(&info) {
                Selection::Leave => {
                    deselected += 1;
                    continue;
                }
                // What the test says of itself is the better reason.
                Selection::Skip(reason) => Some(info.skip.clone().unwrap_or(reason)),
                Selection::Run => info.skip.clone(),
            };
            sink(Event::TestStarted { file: self.file.clone(), test: info.name.clone() });
            self.boundary(Boundary::TestBegins(&info.name));
            let (host_start, lab_start) = (Instant::now(), self.backend.now());
            let (verdict, warnings) = match skip {
                Some(reason) => (Verdict::Skipped(reason), Vec::new()),
                None => {
                    let own = self.session.timeout_of(index);
                    let timeout = own.or(options.default_timeout).unwrap_or(DEFAULT_TIMEOUT);
                    self.test(index, &info, timeout, sink)
                }
            };
            match &verdict {
                Verdict::Passed => summary.passed += 1,
                Verdict::Failed(_) => summary.failed += 1,
                Verdict::Skipped(_) => summary.skipped += 1,
            }
            let failed = matches!(verdict, Verdict::Failed(_));
            self.boundary(Boundary::TestEnds(&info.name, &verdict));
            let lab_time = self.backend.now().saturating_sub(lab_start);
            sink(Event::TestFinished {
                file: self.file.clone(),
                test: info.name,
                verdict,
                lab_time,
                host_time: u64::try_from(host_start.elapsed().as_nanos()).unwrap_or(u64::MAX),
                warnings,
                site: info.site,
            });
            let ends = |conductor: &Rc<dyn crate::exec::Conductor>| conductor.ends_run();
            if (failed && options.fail_fast) || options.conductor.as_ref().is_some_and(ends) {
                break;
            }
        }
        deselected
    }

    fn test(
        &mut self,
        index: usize,
        info: &TestInfo,
        timeout: Nanos,
        sink: &mut dyn FnMut(Event),
    ) -> (Verdict, Vec<String>) {
        let section = Section::new(Some(info.name.as_str().into()));
        let mut failure = match self.session.start_test(index, &section) {
            Ok(ended) => {
                let outcome = self.wait(&section, &ended, timeout, sink);
                self.failure_of(&section, outcome)
            }
            Err(failure) => Some(*failure),
        };
        for (task, unseen) in self.session.end_section(&section) {
            if let Some(failure) = &mut failure {
                failure.notes.push(format!("{task} raised an error that nobody joined: {}", unseen.message));
            } else {
                let message = format!("{task} raised an error that nobody joined: {}", unseen.message);
                failure = Some(Failure { message, exchanges: section.recent.notes(), ..unseen });
            }
        }
        self.boundary(Boundary::TestCloses(&info.name, failure.is_some()));
        self.close(&section, sink);
        self.session.forget_test();
        self.drain(sink);
        let warnings = section.warnings.take();
        let skipped = section.skipped.take();
        let verdict = match (failure, skipped) {
            (Some(failure), _) => Verdict::Failed(failure),
            (None, Some(reason)) => Verdict::Skipped(reason),
            (None, None) => Verdict::Passed,
        };
        (verdict, warnings)
    }

    /// Lets tasks and guests go on until the section's main function has ended or may not go on.
    pub(super) fn wait(
        &self,
        section: &Rc<Section>,
        ended: &Ended,
        timeout: Nanos,
        sink: &mut dyn FnMut(Event),
    ) -> Outcome {
        let deadline = self.backend.now().saturating_add(timeout);
        section.deadline.set(deadline);
        let ran = self.host().executor.run(Some(deadline), &mut || {
            self.drain(sink);
            ended.borrow().is_some() || self.host().is_stopped()
        });
        self.drain(sink);
        if let Some(why) = self.stopped() {
            return Outcome::Stopped(why);
        }
        match (ran, ended.borrow_mut().take()) {
            // The deadline came while Lua computed where it could not be stopped, only be made to fail.
            (_, Some(_)) if section.interrupted_at.borrow().is_some() => Outcome::TimedOut(timeout),
            (_, Some(Ok(()))) => Outcome::Returned,
            (_, Some(Err(raised))) => Outcome::Raised(raised),
            (Ran::Stalled, None) => Outcome::Deadlock,
            (Ran::Deadline | Ran::Done | Ran::Stopped, None) => Outcome::TimedOut(timeout),
        }
    }

    /// What there is to report of how a section ended; `None` if it did what it should. Asks the guests who waits
    /// for what while everything is still as it was.
    pub(super) fn failure_of(&self, section: &Rc<Section>, outcome: Outcome) -> Option<Failure> {
        let sticky = section.failures.take();
        let now = self.backend.now();
        let hangs = matches!(outcome, Outcome::TimedOut(_) | Outcome::Deadlock | Outcome::Stopped(_));
        let thrown = match outcome {
            Outcome::Returned => None,
            Outcome::Raised(raised) if raised.is_skip || (raised.is_assertion && !sticky.is_empty()) => None,
            Outcome::Raised(raised) => Some(raised.failure),
            Outcome::TimedOut(timeout) => {
                let what = if section.test.is_some() { "the test" } else { "the file's top level" };
                let mut message = format!("{what} timed out after {}", format_duration(timeout));
                let mut site = waiting_site(section);
                if let Some(place) = &*section.interrupted_at.borrow() {
                    message.push_str(", while Lua was computing");
                    site = Some(place.to_site());
                }
                Some(Failure { message, site, ..Failure::default() })
            }
            Outcome::Stopped(why) => Some(Failure { message: why, site: waiting_site(section), ..Failure::default() }),
            Outcome::Deadlock => Some(Failure {
                message: "deadlock: nothing can happen any more".to_owned(),
                site: waiting_site(section),
                ..Failure::default()
            }),
        };
        let mut all = sticky.into_iter().chain(thrown);
        let mut first = all.next()?;
        first.notes.extend(all.map(|other| match other.site {
            Some(site) => format!("{}:{}: {}", site.file, site.line, other.message),
            None => other.message,
        }));
        let more = section.more_failures.take();
        if more > 0 {
            first.notes.push(format!("{more} more failed assertions"));
        }
        first.exchanges = section.recent.notes();
        if hangs || first.exchanges.iter().any(|note| note.ended.is_none()) {
            let tasks = section.task_waits(now);
            // In a replay that was stopped nobody answers.
            first.waits = if self.stopped().is_none() { self.inspect() } else { Vec::new() };
            first.waits.extend(tasks);
        }
        Some(first)
    }

    /// Who waits for what in each guest. Only this question is worked on meanwhile.
    fn inspect(&self) -> Vec<String> {
        let host = Rc::clone(self.host());
        let mut vms = Vec::new();
        if let Some((_, lab)) = &*host.test.borrow() {
            lab.vms_below(&mut vms);
        }
        host.top_lab.vms_below(&mut vms);
        vms.retain(|vm| vm.state() == VmState::Booted);
        let mut lines = Vec::new();
        for vm in vms {
            let answer = Rc::new(std::cell::RefCell::new(None));
            let asked = exchange(&host, &Speaker::main(&vm), Op::Inspect, None);
            let put = Rc::clone(&answer);
            let id = host.executor.spawn("inspect", None, async move {
                let reply = asked.await;
                *put.borrow_mut() = Some(reply);
            });
            let deadline = self.backend.now().saturating_add(INSPECT_PATIENCE);
            host.executor.run_alone(id, Some(deadline), &mut || answer.borrow().is_some());
            host.executor.cancel(id);
            match answer.take() {
                Some(Ok(Reply::WaitGraph(graph))) => {
                    if let Some(cycle) = graph.deadlock() {
                        let pids: Vec<String> = cycle.iter().chain(cycle.first()).map(i32::to_string).collect();
                        lines.insert(0, format!("deadlock in vm `{}`: pid {}", vm.name, pids.join(" waits for pid ")));
                    }
                    for waiting in graph.waiting.iter().take(MAX_WAITS) {
                        let holders: Vec<String> = waiting.holders.iter().map(i32::to_string).collect();
                        let held = match holders.is_empty() {
                            true => String::new(),
                            false => format!(", held by pid {}", holders.join(", ")),
                        };
                        let (pid, comm, on) = (waiting.pid, &waiting.comm, &waiting.on);
                        lines.push(format!("vm `{}`: pid {pid} ({comm}) waits for {on}{held}", vm.name));
                    }
                    if graph.waiting.len() > MAX_WAITS {
                        lines.push(format!("vm `{}`: … {} more", vm.name, graph.waiting.len() - MAX_WAITS));
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => lines.push(format!("vm `{}`: cannot say who waits: {error}", vm.name)),
                None => lines.push(format!("vm `{}`: does not say who waits", vm.name)),
            }
        }
        lines
    }

    /// Closes what a section opened. Its tasks are gone by now.
    pub(super) fn close(&self, section: &Rc<Section>, sink: &mut dyn FnMut(Event)) {
        if !section.scope.has_open() || self.stopped().is_some() {
            return;
        }
        let done = Rc::new(Cell::new(false));
        let (ended, closing, backend) = (Rc::clone(&done), Rc::clone(section), Rc::clone(&self.backend));
        let id = self.host().executor.spawn("close", None, async move {
            let warn = |problem: String| closing.warn(problem);
            closing.scope.close_all(&*backend, &warn).await;
            ended.set(true);
        });
        let deadline = self.backend.now().saturating_add(CLOSE_ALL_PATIENCE);
        let ran = self.host().executor.run(Some(deadline), &mut || done.get());
        if !matches!(ran, Ran::Done | Ran::Stopped) {
            let limit = format_duration(CLOSE_ALL_PATIENCE);
            section.warn(match ran {
                Ran::Stalled => "what the test opened could not be closed: the guests never answered".to_owned(),
                _ => format!("what the test opened could not all be closed within {limit}"),
            });
        }
        self.host().executor.cancel(id);
        self.drain(sink);
    }

    /// Closes what the file's top level opened.
    pub fn finish(&mut self, sink: &mut dyn FnMut(Event)) {
        let top = Rc::clone(&self.host().top);
        self.boundary(Boundary::FileCloses(&self.file));
        self.close(&top, sink);
        for warning in top.warnings.take() {
            sink(Event::Log { file: self.file.clone(), test: None, text: format!("warning: {warning}") });
        }
        self.boundary(Boundary::FileEnds(&self.file));
    }
}

/// Where the section's first task waits.
fn waiting_site(section: &Section) -> Option<super::event::Site> {
    let tasks = section.tasks.borrow();
    let waits = tasks.iter().filter(|task| !task.over.get()).find_map(|task| {
        let waits = task.waits.borrow();
        waits.as_ref().and_then(|wait| wait.at.clone())
    });
    waits.map(|place| place.to_site())
}
