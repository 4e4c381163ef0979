//! How a Lua call becomes a Rust function, and how one that waits gives way to other tasks.
//!
//! A binding is a plain function in a static table of its [`Class`]. A state makes the Lua side of one when it is
//! first looked up, so a fresh state costs the same however many bindings there are. A call that waits returns a
//! future; the Lua side yields a mark, and the task's driver polls the future and resumes with its result.
//!
//! Rejected: mlua's own async functions. Each compiles a Lua chunk per state, which for all the methods here costs
//! more than a whole small test may; and they resume Lua at every poll.

use std::cell::OnceCell;
use std::rc::Rc;

use mlua::{AnyUserData, LightUserData, Lua, MultiValue, Table, Value};
use provium_protocol::LocalFuture;

use super::fault::Fault;
use super::host::{Host, Pending};
use super::place;
use crate::runner::place::Place;
use crate::runner::section::Wait;

/// What a call returns.
pub type Returned = Result<MultiValue, Fault>;
/// What a call that waits comes to.
pub type Answer = LocalFuture<Returned>;

/// How a binding is carried out.
#[derive(Clone, Copy)]
pub enum How {
    /// At once.
    Now(fn(&Call) -> Returned),
    /// The arguments are read at once; the rest waits, and other tasks and guests go on.
    Later(fn(&Call) -> Result<Answer, Fault>),
    /// As [`How::Later`], but a step of a simulated program inside its guest.
    Step(fn(&Call) -> Result<Answer, Fault>),
    /// In Lua, because it calls functions of the test that may wait: the prelude's function of this name.
    Prelude(&'static str),
}

/// One binding.
pub struct Entry {
    /// Its name in Lua.
    pub name: &'static str,
    /// The most arguments it takes, the object itself not counted.
    pub most: usize,
    /// How it is carried out.
    pub how: How,
}

/// Shorthand for the static tables.
pub const fn now(name: &'static str, most: usize, function: fn(&Call) -> Returned) -> Entry {
    Entry { name, most, how: How::Now(function) }
}

/// Shorthand for the static tables.
pub const fn later(name: &'static str, most: usize, function: fn(&Call) -> Result<Answer, Fault>) -> Entry {
    Entry { name, most, how: How::Later(function) }
}

/// Shorthand for the static tables.
pub const fn prelude(name: &'static str, most: usize, function: &'static str) -> Entry {
    Entry { name, most, how: How::Prelude(function) }
}

/// The bindings of one kind of object, or of one library table.
pub struct Class {
    /// In front of the method's name in messages, with its separator: `vm:`, `co.`; empty for globals.
    pub prefix: &'static str,
    /// In order of the documentation.
    pub entries: &'static [Entry],
}

impl Class {
    /// What the object is called in messages: `vm`.
    pub fn name(&self) -> &'static str {
        self.prefix.trim_end_matches([':', '.'])
    }

    fn is_object(&self) -> bool {
        self.prefix.ends_with(':')
    }

    /// The entry of this name.
    pub fn entry(&self, name: &[u8]) -> Option<&'static Entry> {
        self.entries.iter().find(|entry| entry.name.as_bytes() == name)
    }

    /// The Lua function of an entry.
    pub fn function(&'static self, lua: &Lua, entry: &'static Entry) -> mlua::Result<Value> {
        match entry.how {
            How::Now(function) => {
                let f = lua.create_function(move |lua, args: MultiValue| {
                    let call = Call::new(lua, self, entry, args);
                    call.check_count().and_then(|()| function(&call)).map_err(|fault| call.located(fault).into())
                })?;
                Ok(Value::Function(f))
            }
            How::Later(function) => {
                let start = lua.create_function(move |lua, args: MultiValue| {
                    let call = Call::new(lua, self, entry, args);
                    call.check_count()
                        .and_then(|()| call.host.may_wait())
                        .and_then(|()| function(&call))
                        .map(|answer| call.hand_over(answer))
                        .map_err(|fault| call.located(fault).into())
                })?;
                Host::of(lua).prelude_function("later")?.call(start)
            }
            How::Step(function) => {
                let start = lua.create_function(move |lua, args: MultiValue| {
                    let call = Call::new(lua, self, entry, args);
                    call.check_count()
                        .and_then(|()| call.host.is_program())
                        .and_then(|()| function(&call))
                        .map(|answer| call.hand_over(answer))
                        .map_err(|fault| call.located(fault).into())
                })?;
                Host::of(lua).prelude_function("step")?.call(start)
            }
            How::Prelude(name) => Ok(Value::Function(Host::of(lua).prelude_function(name)?)),
        }
    }

    /// A table that makes the functions when they are first looked up. An unknown name is an error for objects.
    pub fn lazy_table(&'static self, lua: &Lua) -> mlua::Result<Table> {
        self.lazy_table_with(lua, |_, _| Ok(Value::Nil))
    }

    /// The same with other things than functions in it, which `more` makes by their names.
    pub fn lazy_table_with(
        &'static self,
        lua: &Lua,
        more: fn(&Lua, &[u8]) -> mlua::Result<Value>,
    ) -> mlua::Result<Table> {
        let table = lua.create_table()?;
        let metatable = lua.create_table_with_capacity(0, 2)?;
        let index = lua.create_function(move |lua, (table, key): (Table, Value)| {
            let Value::String(name) = &key else { return Ok(Value::Nil) };
            let made = match self.entry(&name.as_bytes()) {
                Some(entry) => self.function(lua, entry)?,
                None if self.is_object() => return Err(self.no_such_method(lua, &name.to_string_lossy()).into()),
                None => more(lua, &name.as_bytes())?,
            };
            if !made.is_nil() {
                table.raw_set(name, &made)?;
            }
            Ok(made)
        })?;
        metatable.raw_set("__index", index)?;
        metatable.raw_set("__metatable", false)?;
        table.set_metatable(Some(metatable))?;
        Ok(table)
    }

    /// A table with all functions in it.
    pub fn full_table(&'static self, lua: &Lua) -> mlua::Result<Table> {
        let table = lua.create_table_with_capacity(0, self.entries.len())?;
        for entry in self.entries {
            table.raw_set(entry.name, self.function(lua, entry)?)?;
        }
        Ok(table)
    }

    fn no_such_method(&self, lua: &Lua, name: &str) -> Fault {
        let valid: Vec<&str> = self.entries.iter().map(|entry| entry.name).collect();
        let mut fault = Fault::usage(format!("{} has no method `{name}`; it has {}", self.name(), valid.join(", ")));
        fault.at = place::caller(lua, &Host::of(lua));
        fault
    }
}

/// The mark that a waiting call yields: its address is all that counts.
static WAITING: u8 = 0;

/// The mark as Lua sees it.
pub fn waiting_mark() -> LightUserData {
    LightUserData((&raw const WAITING).cast_mut().cast())
}

/// What a coroutine of the test passes on when the instruction hook stopped a coroutine inside it.
static INTERRUPTED: u8 = 0;

/// That mark as Lua sees it.
pub fn interrupted_mark() -> LightUserData {
    LightUserData((&raw const INTERRUPTED).cast_mut().cast())
}

/// One call while its arguments are read.
pub struct Call<'a> {
    /// The state.
    pub lua: &'a Lua,
    /// What belongs to this run of a file.
    pub host: Rc<Host>,
    class: &'static Class,
    entry: &'static Entry,
    args: Vec<Value>,
    place: OnceCell<Option<Place>>,
}

impl<'a> Call<'a> {
    /// A call of this entry with these arguments.
    pub fn new(lua: &'a Lua, class: &'static Class, entry: &'static Entry, args: MultiValue) -> Call<'a> {
        Call { lua, host: Host::of(lua), class, entry, args: args.into_vec(), place: OnceCell::new() }
    }

    /// The method's name alone: `run`.
    pub fn method(&self) -> &'static str {
        self.entry.name
    }

    /// What the test called: `vm:run`.
    pub fn name(&self) -> String {
        format!("{}{}", self.class.prefix, self.entry.name)
    }

    /// The Lua line of the call.
    pub fn place(&self) -> Option<Place> {
        self.place.get_or_init(|| place::caller(self.lua, &self.host)).clone()
    }

    /// The argument at this position, counted from 1 without the object itself.
    pub fn arg(&self, position: usize) -> &Value {
        let index = if self.class.is_object() { position } else { position - 1 };
        self.args.get(index).unwrap_or(&Value::Nil)
    }

    /// How many arguments there are without the object itself, trailing `nil`s not counted.
    pub fn count(&self) -> usize {
        let given = self.args.iter().rposition(|value| !value.is_nil()).map_or(0, |last| last + 1);
        given.saturating_sub(usize::from(self.class.is_object()))
    }

    /// How many arguments there are without the object itself, `nil`s counted.
    pub fn given(&self) -> usize {
        self.args.len().saturating_sub(usize::from(self.class.is_object()))
    }

    /// All arguments from this position on.
    pub fn rest(&self, position: usize) -> MultiValue {
        let index = if self.class.is_object() { position } else { position - 1 };
        self.args.iter().skip(index).cloned().collect()
    }

    /// The object on which the method was called.
    pub fn this<T: Clone + 'static>(&self) -> Result<T, Fault> {
        match self.args.first() {
            Some(Value::UserData(this)) => this.borrow::<T>().map(|this| this.clone()).map_err(|_| self.no_object()),
            _ => Err(self.no_object()),
        }
    }

    /// The object itself, as Lua has it.
    pub fn this_value(&self) -> Result<AnyUserData, Fault> {
        match self.args.first() {
            Some(Value::UserData(this)) => Ok(this.clone()),
            _ => Err(self.no_object()),
        }
    }

    fn no_object(&self) -> Fault {
        let (name, class) = (self.name(), self.class.name());
        Fault::usage(format!("{name} must be called on a {class}, with a colon: {class}:{}(…)", self.entry.name))
    }

    /// A wrong argument, with the call's name in front.
    pub fn usage(&self, message: impl std::fmt::Display) -> Fault {
        Fault::usage(format!("{}: {message}", self.name()))
    }

    fn check_count(&self) -> Result<(), Fault> {
        let count = self.count();
        if count > self.entry.most {
            let most = self.entry.most;
            let plural = if most == 1 { "" } else { "s" };
            return Err(self.usage(format!("expected at most {most} argument{plural}, got {count}")));
        }
        Ok(())
    }

    /// The fault with the call's place and name, unless it has its own.
    pub fn located(&self, mut fault: Fault) -> Fault {
        if fault.at.is_none() {
            fault.at = self.place();
        }
        if fault.op.is_none() {
            fault.op = Some(self.entry.name.into());
        }
        fault
    }

    /// Has the current task's wait described in more words.
    pub fn describe_wait(&self, detail: impl Fn() -> String + 'static) {
        self.host.wait_detail.replace(Some(Box::new(detail)));
    }

    fn hand_over(&self, answer: Answer) -> LightUserData {
        let at = self.place();
        if let Some(task) = &*self.host.current.borrow() {
            *task.waits.borrow_mut() = Some(Wait {
                call: (self.class.prefix, self.entry.name),
                detail: self.host.wait_detail.take(),
                at: at.clone(),
                since: self.host.backend.now(),
            });
        }
        self.host.pending.replace(Some(Pending { answer, op: self.entry.name, at }));
        waiting_mark()
    }
}

/// Nothing to return.
pub fn nothing() -> Returned {
    Ok(MultiValue::new())
}

/// One value to return.
pub fn one(lua: &Lua, value: impl mlua::IntoLua) -> Returned {
    Ok([value.into_lua(lua)?].into_iter().collect())
}
