//! `t`: what a test's function is given.

use std::rc::Rc;

use mlua::{Function, MetaMethod, Table, UserData, UserDataFields, UserDataMethods, Value};

use provium_protocol::Nanos;

use super::args::Named;
use super::call::{Call, Class, Returned, nothing, now, one, prelude};
use super::display;
use super::fault::{Fault, FaultKind};
use super::place;
use super::tasks;
use crate::runner::event::Failure;
use crate::runner::place::Place;
use crate::runner::section::Section;

/// What one failed assertion costs by the lab's clock, in nanoseconds (0.1 ms): more than it takes on the host.
const FAILURE_NS: Nanos = 100_000;

/// The userdata of `t`.
#[derive(Clone)]
pub struct T {
    section: Rc<Section>,
    meta: Option<Table>,
}

impl T {
    /// Of a test that begins.
    pub fn new(section: Rc<Section>, meta: Option<Table>) -> T {
        T { section, meta }
    }
}

static CLASS: Class = Class {
    prefix: "t:",
    entries: &[
        now("assert", 2, assert),
        now("assert_eq", 3, |call| assert_equal(call, true)),
        now("assert_neq", 3, |call| assert_equal(call, false)),
        now("assert_contains", 3, assert_contains),
        now("assert_match", 3, assert_match),
        prelude("assert_raises", 2, "assert_raises"),
        now("fail", 1, fail),
        now("skip", 1, skip),
        now("log", 1, log),
        now("spawn", 1_000, spawn),
    ],
};

impl UserData for T {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "t");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: Value| {
            let host = super::host::Host::of(lua);
            let name = match &key {
                Value::String(name) => name.to_string_lossy(),
                _ => return Ok(Value::Nil),
            };
            if let Some(entry) = CLASS.entry(name.as_bytes()) {
                return host.cached(lua, "t", entry.name, || CLASS.function(lua, entry));
            }
            match name.as_str() {
                "name" => Ok(Value::String(lua.create_string(this.section.test.as_deref().unwrap_or_default())?)),
                "meta" => match &this.meta {
                    Some(meta) => Ok(Value::Table(meta.clone())),
                    None => Ok(Value::Table(lua.create_table()?)),
                },
                _ => {
                    let valid: Vec<&str> = CLASS.entries.iter().map(|entry| entry.name).collect();
                    let mut fault = Fault::usage(format!("t has no `{name}`; it has name, meta, {}", valid.join(", ")));
                    fault.at = place::caller(lua, &host);
                    Err(fault.into())
                }
            }
        });
    }
}

/// An assertion does not hold: the error is raised, and the test has failed whoever catches it.
fn failed(call: &Call, message: String) -> Fault {
    let mut fault = Fault::assertion(message);
    fault.at = call.place();
    let host = &call.host;
    let expected = host.current.borrow().as_ref().is_some_and(|task| task.expects_errors.get() > 0);
    // Finding the place and telling of it takes time, so a loop that does nothing else meets its deadline.
    host.backend.compute(FAILURE_NS);
    if !expected && let Ok(t) = call.this::<T>() {
        t.section.fail(|| Failure {
            message: fault.message.clone(),
            site: fault.at.as_ref().map(Place::to_site),
            stack: place::stack(call.lua, host).iter().skip(1).map(Place::to_site).collect(),
            ..Failure::default()
        });
    }
    fault
}

/// The message argument, in front of what is said anyway.
fn with_message(call: &Call, position: usize, text: String) -> Result<String, Fault> {
    Ok(match call.arg(position) {
        Value::Nil => text,
        Value::String(message) => format!("{}: {text}", message.to_string_lossy()),
        other => format!("{}: {text}", display::show(other)),
    })
}

fn assert(call: &Call) -> Returned {
    call.this::<T>()?;
    match call.arg(1) {
        Value::Nil | Value::Boolean(false) => {
            let text = format!("assertion failed: the value is {}", display::show(call.arg(1)));
            Err(failed(call, with_message(call, 2, text)?))
        }
        value => one(call.lua, value.clone()),
    }
}

fn assert_equal(call: &Call, wanted: bool) -> Returned {
    call.this::<T>()?;
    if call.given() < 2 {
        return Err(call.usage("expected two values to compare"));
    }
    let (left, right) = (call.arg(1), call.arg(2));
    if display::equal(left, right)? == wanted {
        return nothing();
    }
    let mut text = if wanted {
        format!("values differ\n   left: {}\n  right: {}", display::show(left), display::show(right))
    } else {
        format!("values are equal, and should not be: {}", display::show(left))
    };
    let differences = display::differences(left, right);
    if wanted && !differences.is_empty() {
        text.push_str(&format!("\n  where: {}", differences.join("\n         ")));
    }
    if wanted && let Some(hint) = type_hint(left, right) {
        text.push_str(&format!("\n  ({hint})"));
    }
    Err(failed(call, with_message(call, 3, text)?))
}

fn type_hint(left: &Value, right: &Value) -> Option<String> {
    match (left, right) {
        (Value::String(text), Value::Integer(_) | Value::Number(_))
        | (Value::Integer(_) | Value::Number(_), Value::String(text))
            if text.to_string_lossy().trim().parse::<f64>().is_ok() =>
        {
            Some("one is a string, the other a number: tonumber() makes one of the other".to_owned())
        }
        _ => None,
    }
}

fn assert_contains(call: &Call) -> Returned {
    call.this::<T>()?;
    let part = call.arg(2);
    let found = match call.arg(1) {
        Value::String(whole) => {
            let part = call.read(2, "part", Named::bytes)?;
            let whole = whole.as_bytes();
            part.is_empty() || whole.windows(part.len()).any(|window| window == part)
        }
        Value::Table(table) => {
            let mut found = false;
            for (_, value) in display::sorted_pairs(table) {
                found |= display::equal(&value, part)?;
            }
            found
        }
        _ => return Err(call.named(1, "whole").expected("a string or a table").prefixed(&call.name())),
    };
    if found {
        return nothing();
    }
    let text = format!("{} does not contain {}", display::show(call.arg(1)), display::show(part));
    Err(failed(call, with_message(call, 3, text)?))
}

fn assert_match(call: &Call) -> Returned {
    call.this::<T>()?;
    let text = call.read(1, "text", Named::string)?;
    let pattern = call.read(2, "pattern", Named::string)?;
    let string: Table = call.lua.globals().raw_get("string")?;
    let find: Function = string.raw_get("match")?;
    let matched: mlua::MultiValue = find
        .call((&text, &pattern))
        .map_err(|error| call.usage(format!("argument 2 (pattern): {}", super::fault::plain_message(&error))))?;
    if matched.front().is_some_and(|first| !first.is_nil()) {
        return Ok(matched);
    }
    let text = format!("{} does not match {}", display::show(call.arg(1)), display::show(call.arg(2)));
    Err(failed(call, with_message(call, 3, text)?))
}

fn fail(call: &Call) -> Returned {
    call.this::<T>()?;
    let message = match call.arg(1) {
        Value::Nil => "the test failed itself".to_owned(),
        other => display::log(other),
    };
    Err(failed(call, message))
}

fn skip(call: &Call) -> Returned {
    let t = call.this::<T>()?;
    let reason = call.read(1, "reason", Named::text)?;
    t.section.skipped.borrow_mut().get_or_insert_with(|| reason.clone());
    Err(Fault::new(FaultKind::Skip, reason))
}

fn log(call: &Call) -> Returned {
    call.this::<T>()?;
    call.host.log(display::log(call.arg(1)));
    nothing()
}

fn spawn(call: &Call) -> Returned {
    call.this::<T>()?;
    let function = call.read(1, "function", Named::function)?;
    tasks::spawn(call, function, call.rest(2))
}

/// `native.expect_error(t, fn, change)`: one `assert_raises` more or less around the running task.
pub fn expect_error(call: &Call) -> Returned {
    call.this::<T>()?;
    call.read(1, "function", Named::function)?;
    let change = call.read(2, "change", Named::integer)?;
    if let Some(task) = &*call.host.current.borrow() {
        task.expects_errors.set(task.expects_errors.get().saturating_add_signed(change.clamp(-1, 1) as i32));
    }
    nothing()
}

/// `native.nothing_raised(t, message)`.
pub fn nothing_raised(call: &Call) -> Returned {
    let text = "expected an error, but none was raised".to_owned();
    Err(failed(call, with_message(call, 1, text)?))
}
