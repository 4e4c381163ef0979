//! Simulated programs in Lua: `provium.sim:program(name, function(p) … return code end)`.
//!
//! A program runs inside the simulated guest, as a process of its own: each of its methods is a step there, and
//! while it computes it can be preempted and killed like any other.

use std::cell::RefCell;
use std::rc::Rc;

use mlua::{Function, Lua, MetaMethod, UserData, UserDataFields, UserDataMethods, Value};
use provium_protocol::program::{Program, ProgramProcess};
use provium_protocol::{Errno, LocalFuture, OpError, Signal, limits};

use super::args::Named;
use super::call::{Answer, Call, Class, Entry, How, Returned, nothing, now, one};
use super::fault::Fault;
use super::task::{LuaThread, Owner, Thrown};
use super::{failure, fs};

/// `provium.sim`.
pub static CLASS: Class = Class { prefix: "provium.sim:", entries: &[now("program", 2, program)] };

/// The exit code of a program that raised an error, as of a shell script that `set -e` ended.
const EXIT_ERROR: i32 = 1;

/// The exit code of a program whose test file is not there any more.
const EXIT_GONE: i32 = 126;

// open(2) on x86-64.
const O_WRONLY: i32 = 0o1;
const O_RDWR: i32 = 0o2;
const O_CREAT: i32 = 0o100;
const O_EXCL: i32 = 0o200;
const O_TRUNC: i32 = 0o1000;
const O_APPEND: i32 = 0o2000;

/// Permission bits of a file that a program makes, before the umask, as the shell's redirections have it.
const NEW_FILE: u32 = 0o666;

struct Running {
    name: Rc<str>,
    process: Rc<dyn ProgramProcess>,
    handlers: RefCell<Vec<(Signal, Function)>>,
    caught: RefCell<std::collections::VecDeque<Signal>>,
}

/// The userdata of `p`.
#[derive(Clone)]
pub struct ProgramRef(Rc<Running>);

const fn step(name: &'static str, most: usize, function: fn(&Call) -> Result<Answer, Fault>) -> Entry {
    Entry { name, most, how: How::Step(function) }
}

static P: Class = Class {
    prefix: "p:",
    entries: &[
        step("read", 2, read),
        step("write", 2, write),
        step("open", 2, open),
        step("close", 1, close),
        step("sleep", 1, sleep),
        step("on", 2, on),
        step("exec", 2, exec),
        now("pid", 0, |call| one(call.lua, this(call)?.process.pid())),
    ],
};

impl UserData for ProgramRef {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "Program");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: Value| index(lua, &this.0, &key));
    }
}

fn index(lua: &Lua, running: &Running, key: &Value) -> mlua::Result<Value> {
    let Value::String(key) = key else { return Ok(Value::Nil) };
    let key = key.as_bytes();
    match &*key {
        b"args" => {
            // As in Lua itself, `args[0]` is the program's own name.
            let table = lua.create_table()?;
            for (index, arg) in running.process.args().into_iter().enumerate() {
                table.raw_set(index, lua.create_string(arg)?)?;
            }
            Ok(Value::Table(table))
        }
        b"env" => {
            let table = lua.create_table()?;
            for (name, value) in running.process.env() {
                table.raw_set(lua.create_string(name)?, lua.create_string(value)?)?;
            }
            Ok(Value::Table(table))
        }
        name => match P.entry(name) {
            Some(entry) => super::host::Host::of(lua).cached(lua, "p", entry.name, || P.function(lua, entry)),
            None => {
                let name = String::from_utf8_lossy(name);
                let valid: Vec<&str> = P.entries.iter().map(|entry| entry.name).collect();
                let valid = valid.join(", ");
                Err(Fault::usage(format!("p has no `{name}`; it has args, env, {valid}")).into())
            }
        },
    }
}

fn this(call: &Call) -> Result<Rc<Running>, Fault> {
    Ok(call.this::<ProgramRef>()?.0)
}

fn program(call: &Call) -> Returned {
    if !call.host.loading.get() {
        return Err(call.usage("programs are defined at the top level of a file"));
    }
    let name = call.read(1, "name", Named::text)?;
    if name.is_empty() || name.contains(['/', '\0']) {
        return Err(call.usage("argument 1 (name): a program's name is not empty and has no slash"));
    }
    let body = call.read(2, "function", Named::function)?;
    let weak = call.lua.weak();
    let shared: Rc<str> = name.as_str().into();
    let program: Program = Rc::new(move |process: Rc<dyn ProgramProcess>| -> LocalFuture<i32> {
        let Some(lua) = weak.try_upgrade() else { return Box::pin(std::future::ready(EXIT_GONE)) };
        let running = Rc::new(Running {
            name: Rc::clone(&shared),
            process: Rc::clone(&process),
            handlers: RefCell::default(),
            caught: RefCell::default(),
        });
        let thread = lua.create_userdata(ProgramRef(Rc::clone(&running))).and_then(|object| {
            let args = [Value::UserData(object)].into_iter().collect();
            LuaThread::new(&lua, Owner::Program(Rc::clone(&process)), body.clone(), args)
        });
        Box::pin(async move {
            let ended = match thread {
                Ok(thread) => thread.await,
                Err(error) => Err(Thrown { value: Value::Error(Box::new(error)), stack: Vec::new() }),
            };
            match ended.map(|values| exit_code(values.front())) {
                Ok(Ok(code)) => code,
                Ok(Err(problem)) => complain(&running, &problem).await,
                Err(thrown) => complain(&running, &failure::one_line(&thrown.value)).await,
            }
        })
    });
    call.host.backend.define_program(&name, program);
    nothing()
}

fn exit_code(value: Option<&Value>) -> Result<i32, String> {
    match value {
        None | Some(Value::Nil | Value::Boolean(true)) => Ok(0),
        Some(Value::Boolean(false)) => Ok(1),
        // What exit(2) keeps of it.
        Some(Value::Integer(code)) => Ok((code & 0xff) as i32),
        Some(other) => Err(format!("returned a {}, not an exit code", super::args::type_name(other))),
    }
}

/// Tells the program's standard error what went wrong.
async fn complain(running: &Running, problem: &str) -> i32 {
    let text = format!("{}: {problem}\n", running.name);
    // Nobody may be listening; then the exit code alone has to do.
    let _ = running.process.write(2, text.into_bytes()).await;
    EXIT_ERROR
}

fn os_fault(errno: Errno, method: &str, doing: &str) -> Fault {
    let mut fault = Fault::from_op(OpError::os(errno, doing), &format!("p:{method}"), &"".into());
    fault.vm = None;
    fault
}

fn fd(call: &Call, position: usize) -> Result<i32, Fault> {
    Ok(call.read(position, "fd", |named| named.integer_in(i64::from(i32::MIN)..=i64::from(i32::MAX)))? as i32)
}

fn read(call: &Call) -> Result<Answer, Fault> {
    let (running, fd) = (this(call)?, fd(call, 1)?);
    let most = i64::try_from(limits::MAX_READ).unwrap_or(i64::MAX);
    let len = call.read(2, "count", |named| named.integer_in(0..=most))?.unsigned_abs();
    let (lua, reading) = (call.lua.clone(), running.process.read(fd, usize::try_from(len).unwrap_or(usize::MAX)));
    Ok(Box::pin(async move {
        let data = reading.await.map_err(|errno| os_fault(errno, "read", &format!("descriptor {fd}")))?;
        one(&lua, lua.create_string(data)?)
    }))
}

fn write(call: &Call) -> Result<Answer, Fault> {
    let (running, fd) = (this(call)?, fd(call, 1)?);
    let data = call.read(2, "data", Named::bytes)?;
    let (lua, writing) = (call.lua.clone(), running.process.write(fd, data));
    Ok(Box::pin(async move {
        let count = writing.await.map_err(|errno| os_fault(errno, "write", &format!("descriptor {fd}")))?;
        one(&lua, count)
    }))
}

fn open(call: &Call) -> Result<Answer, Fault> {
    let running = this(call)?;
    let path = call.read(1, "path", Named::path)?;
    let (flags, perm) = match call.arg(2) {
        Value::Nil => (0, NEW_FILE),
        Value::String(word) => match &*word.as_bytes() {
            b"r" => (0, NEW_FILE),
            b"r+" => (O_RDWR, NEW_FILE),
            b"w" => (O_WRONLY | O_CREAT | O_TRUNC, NEW_FILE),
            b"a" => (O_WRONLY | O_CREAT | O_APPEND, NEW_FILE),
            other => {
                let other = String::from_utf8_lossy(other);
                let forms = "\"r\", \"r+\", \"w\", \"a\" or a table as for vm:open_file";
                return Err(call.usage(format!("argument 2 (mode): `{other}` is none of {forms}")));
            }
        },
        _ => {
            let mode = fs::open_mode(call, 2)?;
            let mut flags = match (mode.read, mode.write || mode.append) {
                (true, true) => O_RDWR,
                (false, true) => O_WRONLY,
                _ => 0,
            };
            for (on, flag) in
                [(mode.append, O_APPEND), (mode.create, O_CREAT), (mode.truncate, O_TRUNC), (mode.exclusive, O_EXCL)]
            {
                if on {
                    flags |= flag;
                }
            }
            (flags, mode.perm.unwrap_or(NEW_FILE))
        }
    };
    let doing = String::from_utf8_lossy(&path.0).into_owned();
    let (lua, opening) = (call.lua.clone(), running.process.open(path.0, flags, perm));
    Ok(Box::pin(async move {
        let fd = opening.await.map_err(|errno| os_fault(errno, "open", &doing))?;
        one(&lua, fd)
    }))
}

fn close(call: &Call) -> Result<Answer, Fault> {
    let (running, fd) = (this(call)?, fd(call, 1)?);
    let closing = running.process.close(fd);
    Ok(Box::pin(async move {
        closing.await.map_err(|errno| os_fault(errno, "close", &format!("descriptor {fd}")))?;
        nothing()
    }))
}

/// `p:sleep(duration)` → whether it slept to the end: a caught signal wakes it.
fn sleep(call: &Call) -> Result<Answer, Fault> {
    let running = this(call)?;
    let duration = call.read(1, "duration", Named::duration)?;
    let (lua, sleeping) = (call.lua.clone(), running.process.sleep(duration));
    Ok(Box::pin(async move {
        match sleeping.await {
            Ok(()) => one(&lua, true),
            Err(Errno::EINTR) => one(&lua, false),
            Err(errno) => Err(os_fault(errno, "sleep", "interrupted")),
        }
    }))
}

/// `p:on(signal, fn)`: the function runs after the step during which the signal came.
fn on(call: &Call) -> Result<Answer, Fault> {
    let running = this(call)?;
    if call.arg(1).is_nil() {
        return Err(call.usage("expected integer or signal name, got nothing"));
    }
    let signal = call.read(1, "signal", Named::signal)?;
    let handler = call.read(2, "function", Named::function)?;
    let catching = running.process.catch(signal);
    Ok(Box::pin(async move {
        catching.await.map_err(|errno| os_fault(errno, "on", &format!("{signal}")))?;
        let mut handlers = running.handlers.borrow_mut();
        handlers.retain(|(known, _)| *known != signal);
        handlers.push((signal, handler));
        nothing()
    }))
}

fn exec(call: &Call) -> Result<Answer, Fault> {
    let running = this(call)?;
    let program = call.read(1, "program", Named::c_string)?;
    let args = call.read_optional(2, "args", Named::strings)?.unwrap_or_default();
    let doing = String::from_utf8_lossy(&program.0).into_owned();
    let executing = running.process.exec(program.0, args.into_iter().map(|arg| arg.0).collect());
    Ok(Box::pin(async move { Err(os_fault(executing.await, "exec", &doing)) }))
}

/// `native.next_caught(p)` → the handler of the next signal that came, and the signal's name; nothing if none did.
pub fn next_caught(call: &Call) -> Returned {
    let Ok(running) = this(call) else { return nothing() };
    if running.handlers.borrow().is_empty() {
        return nothing();
    }
    let mut caught = running.caught.borrow_mut();
    if caught.is_empty() {
        caught.extend(running.process.caught());
    }
    let Some(signal) = caught.pop_front() else { return nothing() };
    let handlers = running.handlers.borrow();
    let Some((_, handler)) = handlers.iter().find(|(known, _)| *known == signal) else { return nothing() };
    let name = call.lua.create_string(signal.name())?;
    Ok([Value::Function(handler.clone()), Value::String(name)].into_iter().collect())
}
