//! The Rust side of the prelude.

use mlua::{Lua, Table, Value};
use provium_protocol::{Nanos, time};

use super::args::{Named, type_name};
use super::call::{Call, Class, Returned, nothing, now, one};
use super::fault::Fault;
use super::host::Interrupt;
use super::{batch, modules, sim, stock, t, tasks};
use crate::units;

/// `wait_until` without options.
const WAIT_TIMEOUT: Nanos = 10 * time::SECOND;
const WAIT_INTERVAL: Nanos = 100 * time::MILLISECOND;

static FUNCTIONS: Class = Class {
    prefix: "",
    entries: &[
        now("now", 0, |call| one(call.lua, call.host.backend.now() as i64)),
        now("interrupted", 0, |call| one(call.lua, call.host.interrupt.get() != Interrupt::None)),
        now("log", 1, |call| {
            call.host.log(super::display::log(call.arg(1)));
            nothing()
        }),
        now("check_function", 2, check_function),
        now("format", 1, |call| {
            let show = call.read(1, "function", Named::function)?;
            one(call.lua, stock::format(call.lua, show)?)
        }),
    ],
};

static WAIT_UNTIL: Class =
    Class { prefix: "", entries: &[now("wait_until", 2, wait_options), now("wait_until", 2, not_met)] };

static REQUIRE: Class =
    Class { prefix: "", entries: &[now("require", 2, modules::find), now("require", 1, modules::require_loop)] };

static T: Class = Class {
    prefix: "t:",
    entries: &[now("assert_raises", 2, t::expect_error), now("assert_raises", 1, t::nothing_raised)],
};

static VM: Class = Class { prefix: "vm.", entries: &[now("batch", 1, batch::new)] };

static CO: Class = Class { prefix: "co.", entries: &[now("wrap", 1_000, spawn)] };

static PROGRAM: Class = Class { prefix: "p:", entries: &[now("caught", 0, sim::next_caught)] };

/// What the prelude knows by other names than messages do.
static RENAMED: [(&str, &Class, usize); 9] = [
    ("wait_options", &WAIT_UNTIL, 0),
    ("not_met", &WAIT_UNTIL, 1),
    ("find_module", &REQUIRE, 0),
    ("require_loop", &REQUIRE, 1),
    ("expect_error", &T, 0),
    ("nothing_raised", &T, 1),
    ("new_batch", &VM, 0),
    ("spawn", &CO, 0),
    ("next_caught", &PROGRAM, 0),
];

/// The table that the prelude is given. Few tests need all of it.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    FUNCTIONS.lazy_table_with(lua, |lua, name| {
        if name == b"message_handler" {
            return super::task::message_handler(lua).map(Value::Function);
        }
        match RENAMED.iter().find(|(renamed, ..)| renamed.as_bytes() == name) {
            Some((_, class, index)) => class.function(lua, &class.entries[*index]),
            None => Ok(Value::Nil),
        }
    })
}

/// `native.check_function(call, value)`.
fn check_function(call: &Call) -> Returned {
    match call.arg(2) {
        Value::Function(_) => nothing(),
        other => {
            let name = call.read(1, "name", Named::text)?;
            Err(Fault::usage(format!("{name}: expected a function, got {}", type_name(other))))
        }
    }
}

/// `native.wait_options(fn, options)` → timeout and interval in nanoseconds, description.
fn wait_options(call: &Call) -> Returned {
    call.read(1, "function", Named::function)?;
    let options = call.options(2, &["timeout", "interval", "desc"])?;
    let read = || -> Result<_, Fault> {
        Ok((
            options.get("timeout", Named::duration)?.unwrap_or(WAIT_TIMEOUT),
            options.get("interval", Named::duration)?.unwrap_or(WAIT_INTERVAL),
            options.get("desc", Named::text)?.unwrap_or_else(|| "condition".to_owned()),
        ))
    };
    let (timeout, interval, desc) = read().map_err(|fault| fault.prefixed(&call.name()))?;
    // Without a pause nothing would ever happen in between.
    let interval = interval.max(1);
    let integer = |ns: Nanos| Value::Integer(i64::try_from(ns).unwrap_or(i64::MAX / 2));
    Ok([integer(timeout), integer(interval), Value::String(call.lua.create_string(desc)?)].into_iter().collect())
}

/// `native.not_met(desc, timeout)`.
fn not_met(call: &Call) -> Returned {
    let desc = call.read(1, "desc", Named::text)?;
    let timeout = call.read(2, "timeout", Named::integer)?;
    let limit = units::format_duration(timeout.unsigned_abs());
    Err(Fault::timeout(format!("wait_until: {desc} not met within {limit}")))
}

/// `native.spawn(fn, …)`.
fn spawn(call: &Call) -> Returned {
    let function = call.read(1, "function", Named::function)?;
    tasks::spawn(call, function, call.rest(2))
}
