//! A section of a file's run: one test, or the file's top level. It owns what was opened in it, its tasks, its
//! last exchanges and what went wrong in it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use provium_protocol::Nanos;

use super::event::Failure;
use super::exchanges::Recent;
use super::place::Place;
use super::scope::Scope;
use crate::exec::TaskId;

/// Failed assertions of a section that are kept: a person reads the first few, and a loop that catches them must not
/// grow for ever.
const MAX_FAILURES: usize = 20;

/// One test, or the file's top level.
pub struct Section {
    /// The test's name; `None` for the top level.
    pub test: Option<Rc<str>>,
    /// When it must be over by the lab's clock.
    pub deadline: Cell<Nanos>,
    /// What it opened.
    pub scope: Scope,
    /// Its last exchanges.
    pub recent: Recent,
    /// Its tasks, the first one first.
    pub tasks: RefCell<Vec<Rc<TaskState>>>,
    /// Failures that stay even if the test catches their error, in order.
    pub failures: RefCell<Vec<Failure>>,
    /// How many more there were than are kept.
    pub more_failures: Cell<u64>,
    /// Why it skips itself.
    pub skipped: RefCell<Option<String>>,
    /// What does not change the verdict.
    pub warnings: RefCell<Vec<String>>,
    /// How many exchanges closed what it opened.
    pub closes: Cell<u32>,
    /// How often it logged something.
    pub logged: Cell<u32>,
    /// Where an endless computation was when the deadline came.
    pub interrupted_at: RefCell<Option<Place>>,
}

impl Section {
    /// A section that has not begun.
    #[must_use]
    pub fn new(test: Option<Rc<str>>) -> Rc<Section> {
        Rc::new(Section {
            test,
            deadline: Cell::new(Nanos::MAX),
            scope: Scope::default(),
            recent: Recent::default(),
            tasks: RefCell::default(),
            failures: RefCell::default(),
            more_failures: Cell::new(0),
            skipped: RefCell::default(),
            warnings: RefCell::default(),
            closes: Cell::new(0),
            logged: Cell::new(0),
            interrupted_at: RefCell::default(),
        })
    }

    /// A task of this section. Its number among its creator's children is its name, so that another task
    /// added elsewhere does not rename it.
    #[must_use]
    pub fn add_task(self: &Rc<Self>, parent: Option<&TaskState>, at: Option<Place>) -> Rc<TaskState> {
        let path: Rc<str> = match parent {
            Some(parent) => {
                parent.children.set(parent.children.get() + 1);
                format!("{}/{}", parent.path, parent.children.get()).into()
            }
            None => "main".into(),
        };
        let task = Rc::new(TaskState {
            path,
            at,
            section: Rc::clone(self),
            id: Cell::new(None),
            over: Cell::new(false),
            waits: RefCell::default(),
            children: Cell::new(0),
            exchanges: Cell::new(0),
            expects_errors: Cell::new(0),
        });
        let mut tasks = self.tasks.borrow_mut();
        // Tasks that are over are of no further interest; a test that spawns in a loop must not grow for ever.
        if tasks.len() >= 64 && tasks.len().is_power_of_two() {
            tasks.retain(|task| !task.over.get());
        }
        tasks.push(Rc::clone(&task));
        task
    }

    /// The number of the next exchange that closes something.
    pub fn next_close(&self) -> u32 {
        self.closes.replace(self.closes.get() + 1)
    }

    /// One line for each task that is not over: what it waits for, and where.
    #[must_use]
    pub fn task_waits(&self, now: Nanos) -> Vec<String> {
        let tasks = self.tasks.borrow();
        tasks.iter().filter(|task| !task.over.get()).filter_map(|task| task.describe_wait(now)).collect()
    }

    /// Adds a failure that stays; it is made only if it is kept.
    pub fn fail(&self, failure: impl FnOnce() -> Failure) {
        if self.failures.borrow().len() < MAX_FAILURES {
            let failure = failure();
            self.failures.borrow_mut().push(failure);
        } else {
            self.more_failures.set(self.more_failures.get() + 1);
        }
    }

    /// Adds a warning.
    pub fn warn(&self, warning: impl Into<String>) {
        self.warnings.borrow_mut().push(warning.into());
    }
}

/// What a task waits for.
pub struct Wait {
    /// The call that waits, in its two parts: `vm:`, `run`. Put together only when somebody asks.
    pub call: (&'static str, &'static str),
    /// What more there is to say of it: ``1 of 2 are at barrier `go` ``.
    pub detail: Option<Box<dyn Fn() -> String>>,
    /// Where.
    pub at: Option<Place>,
    /// Since when by the lab's clock.
    pub since: Nanos,
}

/// One Lua task, as its section knows it.
pub struct TaskState {
    /// Its spawn path: `main`, `main/2`, `main/2/1`.
    pub path: Rc<str>,
    /// Where it was spawned.
    pub at: Option<Place>,
    /// Where it belongs.
    pub section: Rc<Section>,
    /// In the executor.
    pub id: Cell<Option<TaskId>>,
    /// Whether it has ended.
    pub over: Cell<bool>,
    /// What it waits for, while it does.
    pub waits: RefCell<Option<Wait>>,
    /// How many tasks it has spawned.
    pub children: Cell<u32>,
    /// How many exchanges it has begun.
    pub exchanges: Cell<u32>,
    /// How many `assert_raises` it is in: a failed assertion is theirs then, not the test's.
    pub expects_errors: Cell<u32>,
}

impl TaskState {
    /// The number of its next exchange.
    pub fn next_exchange(&self) -> u32 {
        self.exchanges.replace(self.exchanges.get() + 1)
    }

    fn describe_wait(&self, now: Nanos) -> Option<String> {
        let waits = self.waits.borrow();
        let wait = waits.as_ref()?;
        let at = wait.at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
        let since = crate::units::format_duration(now.saturating_sub(wait.since));
        let detail = wait.detail.as_ref().map(|detail| format!(": {}", detail())).unwrap_or_default();
        Some(format!("task {} waits in {}{}{at} for {since}{detail}", self.path, wait.call.0, wait.call.1))
    }
}
