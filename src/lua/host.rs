//! What the bindings of one file's run share.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use mlua::{Function, Lua, Table, Value};
use provium_protocol::profile::Profile;
use provium_protocol::{Backend, Nanos};

use super::call::Answer;
use super::fault::Fault;
use super::lab::Lab;
use super::tasks::Spawned;
use super::testing::Registered;
use crate::exec::{Conductor, Executor, Stop};
use crate::runner::event::Event;
use crate::runner::file::FileToRun;
use crate::runner::inputs::HostInputs;
use crate::runner::observe::Observers;
use crate::runner::place::Place;
use crate::runner::section::{Section, TaskState};

/// A call that waits, on its way from the binding to the driver of its task.
pub struct Pending {
    /// What it comes to.
    pub answer: Answer,
    /// `e.op` of its error.
    pub op: &'static str,
    /// Where it was made.
    pub at: Option<Place>,
}

/// What the file's run was given, as the bindings need it.
pub struct Setup {
    /// The file, as it is named to people.
    pub file: Rc<str>,
    /// The same with where it is: what is asked of [`Setup::inputs`] is asked for it.
    pub run: FileToRun,
    /// Where its modules and files come from.
    pub inputs: Rc<dyn HostInputs>,
    /// The profiles by name.
    pub profiles: BTreeMap<String, Profile>,
    /// `provium.seed`.
    pub seed: Option<u64>,
    /// Says who goes next, in a replay.
    pub conductor: Option<Rc<dyn Conductor>>,
    /// See the run.
    pub observers: Observers,
    /// Ends what goes on before its time, in a session with a person.
    pub stop: Option<Stop>,
}

/// Shared by all bindings of one Lua state.
pub struct Host {
    /// The guests.
    pub backend: Rc<dyn Backend>,
    /// The tasks.
    pub executor: Rc<Executor>,
    /// What the run was given.
    pub setup: Setup,
    /// The task whose Lua runs; `None` in a simulated program.
    pub current: RefCell<Option<Rc<TaskState>>>,
    /// Whether a simulated program's Lua runs.
    pub in_program: Cell<bool>,
    /// Handed from a call to its task's driver.
    pub pending: RefCell<Option<Pending>>,
    /// Handed from a binding to [`super::call::Call`]: what its task waits for, in words.
    pub wait_detail: RefCell<Option<Box<dyn Fn() -> String>>>,
    /// Set by the instruction hook when it makes Lua yield.
    pub interrupt: Cell<Interrupt>,
    /// Whether the collector has been started: a small test is over before it would be of use.
    pub collects: Cell<bool>,
    /// Whether the instruction hook runs at every instruction, because a deadline has passed.
    pub hook_is_fine: Cell<bool>,
    /// Slices that a simulated program has computed where it cannot be preempted.
    pub stuck: Cell<u32>,
    /// The Lua lines of the last error, from the message handler.
    pub error_stack: RefCell<Vec<Place>>,
    /// The file's top level.
    pub top: Rc<Section>,
    /// The lab of the file's top level.
    pub top_lab: Rc<Lab>,
    /// The test that runs, with its own lab.
    pub test: RefCell<Option<(Rc<Section>, Rc<Lab>)>>,
    /// What the file has registered.
    pub registered: RefCell<Vec<Registered>>,
    /// Tasks that the running section spawned.
    pub spawned: RefCell<Vec<Rc<dyn Spawned>>>,
    /// Whether tests may be registered: only while the file is loaded.
    pub loading: Cell<bool>,
    /// `todo` was called, with this reason.
    pub todo: RefCell<Option<String>>,
    /// `provium.timeout`.
    pub file_timeout: Cell<Option<Nanos>>,
    /// Logged, not yet reported.
    pub events: RefCell<VecDeque<Event>>,
    /// Looks at the clock that the instruction hook took since the running task got the floor.
    pub looks: Cell<u64>,
    /// Exchanges begun so far, boots among them.
    exchanges: Cell<u64>,
    /// Guests booted so far.
    guests: Cell<u32>,
    /// File names, each held once.
    names: RefCell<Vec<Rc<str>>>,
    /// The modules that were found, by the file that was looked for: their names.
    pub modules: RefCell<BTreeMap<String, String>>,
    /// What the random numbers of each test are made from, until the script seeds them itself.
    pub random_seed: Cell<Option<u64>>,
    /// `math.randomseed` as Lua has it.
    pub raw_random_seed: RefCell<Option<Function>>,
    prelude: RefCell<Option<Table>>,
    cache: RefCell<Vec<(&'static str, Table)>>,
}

/// What a state may hold before its collector is started, in bytes (4 MiB): marking and sweeping a fresh state takes
/// longer than a small test does.
const UNCOLLECTED: usize = 4 << 20;

/// What one test may log, in calls: a loop that prints must not fill the memory or the terminal.
const MAX_LOGGED: u32 = 10_000;

/// Bytes of one logged text.
const MAX_LOG_LINE: usize = 64 << 10;

/// Why the instruction hook made Lua yield.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// It did not.
    None,
    /// The deadline has come.
    Deadline,
    /// A simulated program has computed for a while.
    Slice,
}

impl Host {
    /// The host of a state that has not loaded its file yet.
    pub fn new(backend: Rc<dyn Backend>, setup: Setup) -> Rc<Host> {
        Rc::new(Host {
            executor: Rc::new(Executor::new(Rc::clone(&backend), setup.observers.clone(), setup.conductor.clone())),
            backend,
            names: RefCell::new(vec![Rc::clone(&setup.file)]),
            setup,
            current: RefCell::default(),
            in_program: Cell::new(false),
            pending: RefCell::default(),
            wait_detail: RefCell::default(),
            interrupt: Cell::new(Interrupt::None),
            collects: Cell::new(false),
            hook_is_fine: Cell::new(false),
            stuck: Cell::new(0),
            error_stack: RefCell::default(),
            top: Section::new(None),
            top_lab: Lab::new(None),
            test: RefCell::default(),
            registered: RefCell::default(),
            spawned: RefCell::default(),
            loading: Cell::new(true),
            todo: RefCell::default(),
            file_timeout: Cell::new(None),
            events: RefCell::default(),
            looks: Cell::new(0),
            exchanges: Cell::new(0),
            guests: Cell::new(0),
            modules: RefCell::default(),
            random_seed: Cell::default(),
            raw_random_seed: RefCell::default(),
            prelude: RefCell::default(),
            cache: RefCell::default(),
        })
    }

    /// The number of the next exchange of the run.
    pub fn next_exchange(&self) -> u64 {
        self.exchanges.replace(self.exchanges.get() + 1)
    }

    /// The number of the next guest of the run.
    pub fn next_guest(&self) -> u32 {
        self.guests.replace(self.guests.get() + 1)
    }

    /// A random draw for the Lua side.
    pub fn draw(&self) -> u64 {
        let value = self.backend.choices().draw();
        self.setup.observers.tell(|observer| observer.drew(value));
        value
    }

    /// The host of this state.
    pub fn of(lua: &Lua) -> Rc<Host> {
        match lua.app_data_ref::<Rc<Host>>() {
            Some(host) => Rc::clone(&host),
            // Set when the state is made, before any binding exists that could ask.
            None => unreachable!("a Lua state without a host"),
        }
    }

    /// A function of the prelude.
    pub fn prelude_function(&self, name: &str) -> mlua::Result<Function> {
        match &*self.prelude.borrow() {
            Some(table) => table.raw_get(name),
            None => Err(mlua::Error::runtime("the prelude is not loaded")),
        }
    }

    /// A value that is made when it is first looked up: methods of labs, tables of constants. `group` tells
    /// those of one kind of object from those of another.
    pub fn cached(
        &self,
        lua: &Lua,
        group: &'static str,
        name: &'static str,
        make: impl FnOnce() -> mlua::Result<Value>,
    ) -> mlua::Result<Value> {
        let known = self.cache.borrow().iter().find(|(known, _)| *known == group).map(|(_, table)| table.clone());
        let table = match known {
            Some(table) => table,
            None => {
                let table = lua.create_table()?;
                self.cache.borrow_mut().push((group, table.clone()));
                table
            }
        };
        let known: Value = table.raw_get(name)?;
        if !known.is_nil() {
            return Ok(known);
        }
        let made = make()?;
        table.raw_set(name, &made)?;
        Ok(made)
    }

    /// Lets go of everything that holds the state.
    pub fn forget_lua(&self) {
        self.registered.borrow_mut().clear();
        self.spawned.borrow_mut().clear();
        self.pending.take();
        self.test.take();
    }

    /// The prelude has been loaded.
    pub fn set_prelude(&self, table: Table) {
        *self.prelude.borrow_mut() = Some(table);
    }

    /// The section to which what is opened now belongs.
    pub fn section(&self) -> Rc<Section> {
        if let Some(task) = &*self.current.borrow() {
            return Rc::clone(&task.section);
        }
        match &*self.test.borrow() {
            Some((test, _)) => Rc::clone(test),
            None => Rc::clone(&self.top),
        }
    }

    /// The lab that `provium` stands for now: the test's own, or the file's.
    pub fn root_lab(&self) -> Rc<Lab> {
        let section = self.section();
        match &*self.test.borrow() {
            Some((test, lab)) if Rc::ptr_eq(test, &section) => Rc::clone(lab),
            _ => Rc::clone(&self.top_lab),
        }
    }

    /// Starts the collector once the state holds more than a small test does. Asked before each run of Lua and
    /// every so many instructions, so that neither calls nor loops go by it.
    pub fn mind_memory(&self, lua: &Lua) {
        if !self.collects.get() && lua.used_memory() > UNCOLLECTED {
            self.collects.set(true);
            lua.gc_restart();
        }
    }

    /// Whether the running task may wait: the deadline has not passed.
    pub fn may_wait(&self) -> Result<(), Fault> {
        let current = self.current.borrow();
        match &*current {
            Some(task) if self.backend.now() < task.section.deadline.get() && !self.is_stopped() => Ok(()),
            Some(_) => Err(self.time_is_up()),
            None => Err(Fault::state("a simulated program can only use its own methods: it runs inside the guest")),
        }
    }

    /// Whether somebody asked for the end of what goes on.
    pub fn is_stopped(&self) -> bool {
        self.setup.stop.as_ref().is_some_and(Stop::asked)
    }

    /// What is raised in a task that may not go on.
    pub fn time_is_up(&self) -> Fault {
        Fault::timeout(if self.is_stopped() { "interrupted" } else { "the test's time is up" })
    }

    /// Whether the running Lua is a simulated program's.
    pub fn is_program(&self) -> Result<(), Fault> {
        if self.in_program.get() {
            return Ok(());
        }
        Err(Fault::state("this belongs to a simulated program, and works only while the program runs"))
    }

    /// Keeps a spawned task for the look at the end of its section.
    pub fn remember_task(&self, task: Rc<dyn Spawned>) {
        let mut spawned = self.spawned.borrow_mut();
        // A test that spawns in a loop must not grow for ever.
        if spawned.len() >= 64 && spawned.len().is_power_of_two() {
            spawned.retain(|task| !task.state().over.get() || task.unseen_error().is_some());
        }
        spawned.push(task);
    }

    /// One string for each file name.
    pub fn intern(&self, name: &str) -> Rc<str> {
        let mut names = self.names.borrow_mut();
        match names.iter().find(|known| ***known == *name) {
            Some(known) => Rc::clone(known),
            None => {
                let new: Rc<str> = name.into();
                names.push(Rc::clone(&new));
                new
            }
        }
    }

    /// Reports a line that the test logged.
    pub fn log(&self, mut text: String) {
        let section = self.section();
        let logged = section.logged.get() + 1;
        section.logged.set(logged);
        if logged > MAX_LOGGED {
            return;
        }
        if logged == MAX_LOGGED {
            text = format!("({MAX_LOGGED} lines were logged; what follows is left out)");
        } else if text.len() > MAX_LOG_LINE {
            let end = (0..=MAX_LOG_LINE).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            text.truncate(end);
            text.push_str("… (cut)");
        }
        let test = section.test.as_deref().map(str::to_owned);
        self.setup.observers.tell(|observer| observer.logged(&text));
        self.events.borrow_mut().push_back(Event::Log { file: self.setup.file.to_string(), test, text });
    }
}
