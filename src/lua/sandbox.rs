//! The standard libraries as a test sees them: the same in every run.
//!
//! What leaks the host's clock, its random numbers or its environment is replaced; what starts processes or ends
//! the run is refused, with a word on what to use instead.

use std::rc::Rc;

use mlua::{Function, Lua, MultiValue, Table, Value};
use provium_protocol::time;
use sha2::{Digest, Sha256};

use super::args::Named;
use super::call::{Call, Class, Returned, nothing, now, one};
use super::date;
use super::fault::Fault;
use super::host::Host;

/// What the clock of the host's side reads when a file begins, in seconds since 1970: 2024-01-01 00:00:00 UTC.
/// A fixed day, so that dates do not differ from run to run.
pub const EPOCH: i64 = 1_704_067_200;

pub static OS: Class = Class {
    prefix: "os.",
    entries: &[
        now("time", 1, os_time),
        now("clock", 0, |call| one(call.lua, seconds(&call.host))),
        now("date", 2, os_date),
        now("difftime", 2, |call| {
            let (a, b) = (call.read(1, "t2", Named::integer)?, call.read(2, "t1", Named::integer)?);
            one(call.lua, (a - b) as f64)
        }),
        now("getenv", 1, |_| Err(refused("os.getenv", "the environment differs from machine to machine"))),
        now("tmpname", 0, |_| Err(refused("os.tmpname", "its names differ from run to run"))),
        now("execute", 1, |_| Err(refused("os.execute", "a test runs commands in its guests: vm:run(cmd)"))),
        now("exit", 2, |_| Err(refused("os.exit", "a test ends by returning, t:fail or t:skip"))),
        now("setlocale", 2, |_| Err(refused("os.setlocale", "the locale differs from machine to machine"))),
        now("remove", 1, |_| Err(refused("os.remove", "a test changes files in its guests: vm:unlink(path)"))),
        now("rename", 2, |_| Err(refused("os.rename", "a test changes files in its guests: vm:rename(a, b)"))),
    ],
};

static MATH: Class = Class { prefix: "math.", entries: &[now("randomseed", 2, random_seed)] };

pub static DEBUG: Class = Class { prefix: "debug.", entries: &[now("traceback", 2, traceback)] };

static LOAD: Class = Class {
    prefix: "",
    entries: &[
        now("dofile", 1, |_| Err(refused("dofile", "use require, which looks under the roots"))),
        now("loadfile", 3, |_| Err(refused("loadfile", "use require, which looks under the roots"))),
    ],
};

fn refused(what: &str, instead: &str) -> Fault {
    Fault::usage(format!("{what} is not there in a test: {instead}"))
}

/// Replaces what must be replaced.
pub fn install(lua: &Lua) -> mlua::Result<()> {
    let globals = lua.globals();
    globals.raw_set("os", OS.lazy_table(lua)?)?;
    globals.raw_set("io", super::io::table(lua)?)?;
    globals.raw_set("debug", DEBUG.lazy_table(lua)?)?;
    let host = Host::of(lua);
    let math: Table = globals.raw_get("math")?;
    let seed: Function = math.raw_get("randomseed")?;
    let draw = host.draw();
    // Both halves are whole numbers that a float holds exactly.
    seed.call::<()>(((draw >> 32) as i64, (draw & 0xffff_ffff) as i64))?;
    host.raw_random_seed.replace(Some(seed));
    host.random_seed.set(Some(draw));
    math.raw_set("randomseed", MATH.function(lua, &MATH.entries[0])?)?;
    for entry in LOAD.entries {
        globals.raw_set(entry.name, LOAD.function(lua, entry)?)?;
    }
    Ok(())
}

/// `debug.traceback(message?, level?)`; the rest of the library would let a test break the bindings.
fn traceback(call: &Call) -> Returned {
    let message = match call.arg(1) {
        Value::Nil => None,
        Value::String(text) => Some(text.to_string_lossy()),
        other => return one(call.lua, other.clone()),
    };
    let level = call.read_optional(2, "level", |named| named.integer_in(0..=1_000_000))?.unwrap_or(1);
    let whole = call.lua.traceback(message.as_deref(), usize::try_from(level).unwrap_or(1))?.to_string_lossy();
    // Lines of provium's own Lua say nothing to anybody, and change with every version of it.
    let lines: Vec<&str> = whole.split('\n').filter(|line| !line.starts_with("\t?: in ")).collect();
    one(call.lua, lines.join("\n"))
}

/// Gives a test random numbers of its own: what they are depends neither on the tests before it nor on whether they
/// run at all. A script that has seeded them itself keeps its own.
pub fn seed_test(host: &Host, test: &str) -> mlua::Result<()> {
    let (Some(file), Some(seed)) = (host.random_seed.get(), host.raw_random_seed.borrow().clone()) else {
        return Ok(());
    };
    let digest = Sha256::new().chain_update(file.to_le_bytes()).chain_update(test).finalize();
    let half = |at: usize| digest[at..at + 4].iter().fold(0, |sum, byte| sum << 8 | i64::from(*byte));
    seed.call::<()>((half(0), half(4)))
}

fn random_seed(call: &Call) -> Returned {
    call.host.random_seed.set(None);
    let Some(seed) = call.host.raw_random_seed.borrow().clone() else { return nothing() };
    let args: MultiValue = match call.count() {
        0 => [Value::Integer(call.host.draw() as i64)].into_iter().collect(),
        _ => call.rest(1),
    };
    Ok(seed.call(args)?)
}

fn seconds(host: &Rc<Host>) -> f64 {
    host.backend.now() as f64 / time::SECOND as f64
}

fn now_unix(host: &Rc<Host>) -> i64 {
    EPOCH + i64::try_from(host.backend.now() / time::SECOND).unwrap_or(i64::MAX - EPOCH)
}

/// `os.time(table?)`: the lab's clock, or a date.
fn os_time(call: &Call) -> Returned {
    match call.arg(1) {
        Value::Table(table) => one(call.lua, date::time_of(call, table)?),
        _ => one(call.lua, now_unix(&call.host)),
    }
}

/// `os.date(format?, time?)`.
fn os_date(call: &Call) -> Returned {
    let format = call.read_optional(1, "format", Named::text)?.unwrap_or_else(|| "%c".to_owned());
    let unix = call.read_optional(2, "time", Named::integer)?;
    date::date_of(call, &format, unix.unwrap_or_else(|| now_unix(&call.host)))
}
