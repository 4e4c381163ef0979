//! One Lua state with one file in it: what the runner drives. No Lua value shows.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::OnceLock;

use mlua::chunk::ChunkMode;
use mlua::{Lua, LuaOptions, MultiValue, StdLib, Table, Value};
use provium_protocol::{Backend, Nanos};

use super::call::{Class, interrupted_mark, later, waiting_mark};
use super::failure::{self, Raised};
use super::host::{Host, Setup};
use super::lab::{Lab, LabRef};
use super::task::{LuaThread, Owner, Thrown};
use super::{batch, heap, hook, json, native, pattern, place, sandbox, stock, t, tasks, testing};
use crate::runner::event::Failure;
use crate::runner::file::TestInfo;
use crate::runner::section::Section;

/// The most memory that the Lua of one file may use, in bytes (512 MiB): a test that holds more has a loop, and must
/// fail by itself instead of taking the machine with it.
pub(super) const MEMORY_LIMIT: usize = 512 << 20;

const PRELUDE: &str = include_str!("prelude.lua");

static SLEEP_NS: Class = Class {
    prefix: "",
    entries: &[later("wait_until", 1, |call| {
        let ns = call.read(1, "interval", |named| named.integer())?;
        let sleeping = call.host.backend.sleep(ns.unsigned_abs());
        Ok(Box::pin(async move {
            sleeping.await;
            super::call::nothing()
        }))
    })],
};

/// A Lua state with a file in it.
pub struct Session {
    pub(super) lua: Lua,
    pub(super) host: Rc<Host>,
}

/// How the main function of a section ended; empty while it runs.
pub type Ended = Rc<RefCell<Option<Result<(), Raised>>>>;

impl Session {
    /// A fresh state with all bindings, and nothing loaded.
    pub fn new(backend: Rc<dyn Backend>, setup: Setup) -> Result<Session, Box<Failure>> {
        let file = setup.file.to_string();
        let host = Host::new(backend, setup);
        let build = || -> mlua::Result<Lua> {
            let libraries = StdLib::COROUTINE | StdLib::TABLE | StdLib::STRING | StdLib::UTF8 | StdLib::MATH;
            // The handle that a state is made with collects all garbage when it goes. All others do not, and it is of no
            // use: closing the state frees everything.
            let lua = Lua::new_with(StdLib::NONE, LuaOptions::default())?.clone();
            lua.gc_stop();
            heap::install(&lua, MEMORY_LIMIT)?;
            lua.load_std_libs(libraries)?;
            pattern::install(&lua)?;
            stock::install(&lua)?;
            lua.set_app_data(Rc::clone(&host));
            install(&lua, &host)?;
            debug_assert!(
                lua.used_memory() < heap::FIRST_BYTES / 2,
                "a fresh state is too large: {}",
                lua.used_memory()
            );
            heap::mind_the_limit(&lua)?;
            Ok(lua)
        };
        match build() {
            Ok(lua) => Ok(Session { lua, host }),
            Err(error) => Err(failure::from_load_error(&error, &file)),
        }
    }

    /// What the bindings share.
    pub fn host(&self) -> &Rc<Host> {
        &self.host
    }

    /// Starts the file's top level.
    pub fn start_file(&self, source: &[u8]) -> Result<Ended, Box<Failure>> {
        let file = &self.host.setup.file;
        // A byte order mark and a `#!` line are not Lua, but files have them; the line stays, for the numbers' sake.
        let source = source.strip_prefix(b"\xef\xbb\xbf").unwrap_or(source);
        let skipped = if source.starts_with(b"#") { source.iter().position(|byte| *byte == b'\n') } else { None };
        let source = if source.starts_with(b"#") { &source[skipped.unwrap_or(source.len())..] } else { source };
        let chunk = self.lua.load(source).set_mode(ChunkMode::Text).set_name(format!("@{file}")).into_function();
        let chunk = chunk.map_err(|error| failure::from_load_error(&error, file))?;
        self.start(&self.host.top, chunk, MultiValue::new())
    }

    /// The file's top level is over: no more tests can be registered.
    pub fn loaded(&self) {
        self.host.loading.set(false);
    }

    /// What the file registered, in order.
    pub fn tests(&self) -> Vec<TestInfo> {
        let todo = self.host.todo.borrow();
        let registered = self.host.registered.borrow();
        registered
            .iter()
            .map(|test| {
                let mut info = test.info.clone();
                if let Some(reason) = &*todo {
                    info.skip = Some(reason.clone());
                }
                info
            })
            .collect()
    }

    /// The deadline that a test or its file asks for.
    pub fn timeout_of(&self, index: usize) -> Option<Nanos> {
        let own = self.host.registered.borrow().get(index).and_then(|test| test.timeout);
        own.or(self.host.file_timeout.get())
    }

    /// Starts a test in this section.
    pub fn start_test(&self, index: usize, section: &Rc<Section>) -> Result<Ended, Box<Failure>> {
        let (body, meta) = {
            let registered = self.host.registered.borrow();
            match registered.get(index) {
                Some(test) => (test.body.clone(), test.meta.clone()),
                None => {
                    return Err(Box::new(Failure {
                        message: "there is no such test".to_owned(),
                        ..Failure::default()
                    }));
                }
            }
        };
        self.host.spawned.borrow_mut().clear();
        if let Some(test) = &section.test {
            let seeded = sandbox::seed_test(&self.host, test);
            seeded.map_err(|error| failure::from_load_error(&error, &self.host.setup.file))?;
        }
        *self.host.test.borrow_mut() = Some((Rc::clone(section), Lab::new(None)));
        let t = self.lua.create_userdata(t::T::new(Rc::clone(section), meta));
        let t = t.map_err(|error| failure::from_load_error(&error, &self.host.setup.file))?;
        self.start(section, body, [Value::UserData(t)].into_iter().collect())
    }

    /// Starts a section's main function.
    pub(super) fn start(
        &self,
        section: &Rc<Section>,
        function: mlua::Function,
        args: MultiValue,
    ) -> Result<Ended, Box<Failure>> {
        let task = section.add_task(None, None);
        hook::reset(&self.lua, &self.host).map_err(|error| failure::from_load_error(&error, &self.host.setup.file))?;
        let thread = LuaThread::new(&self.lua, Owner::Task(Rc::clone(&task)), function, args)
            .map_err(|error| failure::from_load_error(&error, &self.host.setup.file))?;
        let ended: Ended = Rc::default();
        let end = Rc::clone(&ended);
        let state = Rc::clone(&task);
        let id = self.host.executor.spawn(&task.path, None, async move {
            let result = thread.await.map(|_| ()).map_err(|thrown: Thrown| failure::raised(&thrown));
            state.over.set(true);
            *end.borrow_mut() = Some(result);
        });
        task.id.set(Some(id));
        Ok(ended)
    }

    /// The test is over: its lab goes, and so does what is left of its tasks. Says which were left, and which
    /// raised an error that nobody joined.
    pub fn end_section(&self, section: &Section) -> Vec<(String, Failure)> {
        let mut unseen = Vec::new();
        for task in self.host.spawned.take() {
            if let Some(thrown) = task.unseen_error() {
                let raised = failure::raised(&thrown);
                // The section knows of assertions and of skips by itself.
                if !(raised.is_assertion || raised.is_skip) {
                    unseen.push((tasks::spawned_at(task.state()), raised.failure));
                }
            } else if !task.state().over.get() {
                section.warn(format!("{} still ran at the end and was cancelled", tasks::spawned_at(task.state())));
            }
        }
        self.host.executor.cancel_all();
        unseen
    }

    /// The test's lab is gone.
    pub fn forget_test(&self) {
        *self.host.test.borrow_mut() = None;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Tasks hold the state and the state holds the host with its tasks.
        self.host.executor.cancel_all();
        self.host.forget_lua();
    }
}

fn install(lua: &Lua, host: &Rc<Host>) -> mlua::Result<()> {
    super::fault::install(lua)?;
    sandbox::install(lua)?;
    let prelude: Table = prelude(lua)?.call((native::table(lua)?, waiting_mark(), interrupted_mark()))?;
    host.set_prelude(prelude.clone());
    prelude.raw_set("sleep_ns", SLEEP_NS.function(lua, &SLEEP_NS.entries[0])?)?;
    prelude.raw_set("send_batch", batch::SEND.function(lua, &batch::SEND.entries[0])?)?;
    let globals = lua.globals();
    for entry in testing::CLASS.entries {
        globals.raw_set(entry.name, testing::CLASS.function(lua, entry)?)?;
    }
    globals.raw_set("co", tasks::CO.full_table(lua)?)?;
    globals.raw_set("json", json::table(lua)?)?;
    globals.raw_set("provium", LabRef::Root)?;
    hook::install(lua)
}

/// The prelude. It is compiled once in a process, in a state of its own, so that the first state is like all others; and
/// stripped: its lines are nobody's business, and it loads in half the time.
fn prelude(lua: &Lua) -> mlua::Result<mlua::Function> {
    static COMPILED: OnceLock<Vec<u8>> = OnceLock::new();
    let compiled = match COMPILED.get() {
        Some(compiled) => compiled,
        None => {
            let compiler = Lua::new_with(StdLib::NONE, LuaOptions::default())?;
            let chunk = compiler.load(PRELUDE).set_mode(ChunkMode::Text).set_name(place::OWN_CHUNK);
            let dumped = chunk.into_function()?.dump(true);
            COMPILED.get_or_init(|| dumped)
        }
    };
    lua.load(&compiled[..]).set_mode(ChunkMode::Binary).set_name(place::OWN_CHUNK).into_function()
}
