//! A session with a person: lines become chunks, and what they come to is shown.

mod line;
mod names;
mod pretty;

use std::cell::RefCell;
use std::rc::Rc;

use mlua::chunk::ChunkMode;
use mlua::{Function, MultiValue, Value};

use super::place::OWN_CHUNK;
use super::session::{Ended, Session};
use super::{failure, t, tasks};
use crate::runner::event::Failure;
use crate::runner::section::Section;
pub use names::Candidates;

/// How the chunk name of what is typed begins; its lines are counted over the whole session.
pub const FILE: &str = "repl";

/// The global that holds what the last line came to.
const LAST: &str = "_";

/// Values are shown within the task, so that it can be interrupted: a `__tostring` is Lua too.
const CALL: &str = "local chunk, show = ...\nchunk(show)";
const RETURN: &str = "local chunk, show = ...\nshow(chunk())";
const SILENT: &str = "local chunk = ...\nchunk()";

/// In a session there is nobody to run a test later, so it runs at once, and what it made stays to be looked at.
const TEST: &str = r#"
local t = ...
function test(name, meta, fn)
  if fn == nil then meta, fn = nil, meta end
  if type(name) ~= "string" or type(fn) ~= "function" then
    error("test: expected test(name, [meta,] function)", 2)
  end
  fn(t)
  print("passed: " .. name)
end
"#;

/// What boots the guest that a session begins with.
const BOOT: &str = "local profile = ...\nreturn function() vm = provium:vm('vm', profile) vm:boot() end";

/// What was typed, compiled.
pub struct Chunk {
    function: Function,
    /// The Lua that calls it with, or without, the function that shows its values.
    run: &'static str,
}

/// What there is to what was typed so far.
pub enum Reading {
    /// A chunk that can run.
    Whole {
        /// The chunk.
        chunk: Chunk,
        /// Variables that end with it, for a hint; those that could be kept are globals.
        locals: bool,
    },
    /// More of it is to come.
    Incomplete,
    /// It is no Lua.
    Broken(Box<Failure>),
}

/// What a chunk returned, as it is shown; `None` while it runs, and for nothing.
pub type Shown = Rc<RefCell<Option<String>>>;

impl Session {
    /// Makes the globals of a session: `t`, and a `test` that runs at once.
    pub fn open(&self, section: &Rc<Section>) -> Result<(), Box<Failure>> {
        let build = || -> mlua::Result<()> {
            let t = self.lua.create_userdata(t::T::new(Rc::clone(section), None))?;
            self.lua.globals().raw_set("t", &t)?;
            self.lua.load(TEST).set_mode(ChunkMode::Text).set_name(OWN_CHUNK).call(t)
        };
        build().map_err(|error| failure::from_load_error(&error, FILE))
    }

    /// Boots a guest of this profile as the global `vm`.
    pub fn boot_chunk(&self, profile: &str) -> Result<Chunk, Box<Failure>> {
        let made = self.lua.load(BOOT).set_mode(ChunkMode::Text).set_name(OWN_CHUNK).call(profile);
        made.map(|function| Chunk { function, run: SILENT }).map_err(|error| failure::from_load_error(&error, FILE))
    }

    /// Compiles what was typed, which begins at this line of the session, counted from 1.
    pub fn read(&self, text: &str, first_line: u32) -> Reading {
        // Lua counts lines by their ends.
        let above = "\n".repeat(first_line.saturating_sub(1) as usize);
        let compile = |text: &str| {
            let source = format!("{above}{text}");
            self.lua.load(source).set_mode(ChunkMode::Text).set_name(format!("@{FILE}")).into_function()
        };
        let expression = match compile(&format!("return {text}")) {
            // Its values are arguments, because `return` would leave the chunk before it calls, and nothing that is called
            // would know its line. With a `;` behind it it is no argument, and not shown.
            Ok(returned) => match compile(&format!("(...)({text}\n)")) {
                Ok(function) => return Reading::Whole { chunk: Chunk { function, run: CALL }, locals: false },
                Err(_) => return Reading::Whole { chunk: Chunk { function: returned, run: SILENT }, locals: false },
            },
            Err(error) => error,
        };
        let is_incomplete =
            |error: &mlua::Error| matches!(error, mlua::Error::SyntaxError { incomplete_input: true, .. });
        let kept = line::without_local(text);
        let locals = kept.is_none() && line::begins_with_local(text);
        match compile(kept.as_deref().unwrap_or(text)) {
            Ok(function) => Reading::Whole { chunk: Chunk { function, run: RETURN }, locals },
            // What begins as an expression may go on as one, as `{1,` does, which begins no statement.
            Err(error) if is_incomplete(&error) || is_incomplete(&expression) => Reading::Incomplete,
            Err(error) => Reading::Broken(failure::from_load_error(&error, FILE)),
        }
    }

    /// Starts a chunk. What it returns is shown in lines of about `width` characters, and kept in `_`.
    pub fn start_chunk(
        &self,
        section: &Rc<Section>,
        chunk: Chunk,
        width: usize,
    ) -> Result<(Ended, Shown), Box<Failure>> {
        let shown = Shown::default();
        let put = Rc::clone(&shown);
        let build = || -> mlua::Result<(Function, Function)> {
            let show = self.lua.create_function(move |lua, values: MultiValue| {
                if let Some(first) = values.front() {
                    *put.borrow_mut() = Some(pretty::values(&values, &pretty::Limits::of_a_line(width)));
                    lua.globals().raw_set(LAST, first)?;
                }
                Ok(())
            })?;
            let run = self.lua.load(chunk.run).set_mode(ChunkMode::Text).set_name(OWN_CHUNK).into_function()?;
            Ok((run, show))
        };
        let (run, show) = build().map_err(|error| failure::from_load_error(&error, FILE))?;
        let args = [Value::Function(chunk.function), Value::Function(show)].into_iter().collect();
        Ok((self.start(section, run, args)?, shown))
    }

    /// The value of the last line without any limit.
    pub fn last_whole(&self, width: usize) -> String {
        let last: Value = self.lua.globals().raw_get(LAST).unwrap_or(Value::Nil);
        pretty::values(&[last].into_iter().collect(), &pretty::Limits::none(width))
    }

    /// Whether there is a global variable of this name.
    pub fn has_global(&self, name: &str) -> bool {
        self.lua.globals().raw_get::<Value>(name).is_ok_and(|value| !value.is_nil())
    }

    /// What the word before the cursor may become.
    pub fn candidates(&self, before: &str) -> Candidates {
        names::candidates(&self.lua, &self.host, before)
    }

    /// Ends what runs, spawned tasks included; says how many of those there were.
    pub fn interrupt(&self) -> usize {
        self.host.executor.cancel_all();
        let tasks = self.host.spawned.take();
        let running = tasks.iter().filter(|task| !task.state().over.get()).count();
        tasks.iter().for_each(|task| task.was_cancelled());
        self.host.pending.take();
        running
    }

    /// Ends the main task of a section, and leaves those that it spawned.
    pub fn cancel_main(&self, section: &Section) {
        for task in section.tasks.borrow().iter().filter(|task| &*task.path == "main" && !task.over.replace(true)) {
            if let Some(id) = task.id.get() {
                self.host.executor.cancel(id);
            }
        }
    }

    /// Tasks that raised an error which nobody has joined yet: each is told once.
    pub fn unseen_errors(&self) -> Vec<(String, Failure)> {
        let mut unseen = Vec::new();
        self.host.spawned.borrow_mut().retain(|task| {
            let Some(thrown) = task.unseen_error() else { return !task.state().over.get() };
            unseen.push((tasks::spawned_at(task.state()), failure::raised(&thrown).failure));
            false
        });
        unseen
    }
}
