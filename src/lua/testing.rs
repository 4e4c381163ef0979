//! `test`, `todo`: what a file registers.

use mlua::{Function, Table, Value};
use provium_protocol::Nanos;

use super::args::{Named, type_name};
use super::call::{Call, Class, Returned, nothing, now};
use super::fault::Fault;
use crate::runner::file::TestInfo;
use crate::runner::place::Place;

/// The longest name of a test, in bytes: a report still shows all of it, and it can be typed into `--filter`.
const MAX_NAME: usize = 300;

/// The globals that register tests.
pub static CLASS: Class = Class { prefix: "", entries: &[now("test", 3, test), now("todo", 1, todo)] };

/// A registered test.
pub struct Registered {
    /// What the runner is told of it.
    pub info: TestInfo,
    /// Its own deadline.
    pub timeout: Option<Nanos>,
    /// Its meta table, with every key that it has.
    pub meta: Option<Table>,
    /// Its body.
    pub body: Function,
}

fn test(call: &Call) -> Returned {
    let host = &call.host;
    if !host.loading.get() {
        return Err(Fault::usage("test: tests are registered at the top level of a file, not inside a test"));
    }
    let name = call.read(1, "name", Named::text)?;
    check_name(&name).map_err(|problem| call.usage(format!("argument 1 (name): {problem}")))?;
    let (meta, body) = match (call.arg(2), call.arg(3)) {
        (Value::Function(body), Value::Nil) => (None, body.clone()),
        (Value::Table(meta), Value::Function(body)) => (Some(meta.clone()), body.clone()),
        (Value::Nil, Value::Function(body)) => (None, body.clone()),
        (second, third) => {
            let (second, third) = (type_name(second), type_name(third));
            return Err(call.usage(format!("expected test(name, [meta,] function), got {second} and {third}")));
        }
    };
    if host.registered.borrow().iter().any(|known| known.info.name == name) {
        return Err(Fault::usage(format!("test: duplicate name `{name}` in this file")));
    }
    let place = call.place();
    let mut registered = Registered {
        info: TestInfo { name, site: place.as_ref().map(Place::to_site), ..TestInfo::default() },
        timeout: None,
        meta,
        body,
    };
    if let Some(meta) = registered.meta.clone() {
        read_meta(call, &meta, &mut registered).map_err(|fault| fault.prefixed("test"))?;
    }
    host.registered.borrow_mut().push(registered);
    nothing()
}

/// What is wrong with the name of a test: reports, filters and the command that repeats a test hold it on one line.
fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("a test needs a name".to_owned());
    }
    if name.len() > MAX_NAME {
        return Err(format!("the name has {} bytes; the most is {MAX_NAME}", name.len()));
    }
    match name.chars().find(|c| c.is_control()) {
        Some(control) => {
            let (name, control) = (name.escape_debug(), control.escape_debug());
            Err(format!("the name \"{name}\" has the control character `{control}`"))
        }
        None => Ok(()),
    }
}

/// Calls the reader with one key of the meta table, if it is there.
fn meta_value<T>(
    meta: &Table,
    key: &'static str,
    reader: impl FnOnce(&Named) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let value: Value = meta.raw_get(key)?;
    if value.is_nil() {
        return Ok(None);
    }
    reader(&Named { value, name: format!("meta.{key}").into() }).map(Some)
}

fn one_or_more(named: &Named) -> Result<Vec<String>, Fault> {
    match &named.value {
        Value::String(_) => Ok(vec![named.text()?]),
        Value::Table(_) => {
            let texts = named.strings()?;
            Ok(texts.iter().map(|text| String::from_utf8_lossy(&text.0).into_owned()).collect())
        }
        _ => Err(named.expected("a string or an array of strings")),
    }
}

fn read_meta(call: &Call, meta: &Table, registered: &mut Registered) -> Result<(), Fault> {
    let info = &mut registered.info;
    // Any other key is the test's own business, but an entry without a name was meant to have one.
    for pair in meta.pairs::<Value, Value>() {
        if let (Value::Integer(index), _) = pair? {
            return Err(Fault::usage(format!("meta: there is an entry [{index}] without a name")));
        }
    }
    info.tags = meta_value(meta, "tags", one_or_more)?.unwrap_or_default();
    info.slow = meta_value(meta, "slow", Named::boolean)?.unwrap_or(false);
    registered.timeout = meta_value(meta, "timeout", Named::duration)?;
    info.skip = meta_value(meta, "skip", |named| match &named.value {
        Value::Boolean(true) => Ok(Some("skipped by the test itself".to_owned())),
        Value::Boolean(false) => Ok(None),
        Value::String(_) => Ok(Some(named.text()?)),
        _ => Err(named.expected("true or a reason")),
    })?
    .flatten();
    if let Some(backends) = meta_value(meta, "backend", one_or_more)?
        && info.skip.is_none()
    {
        let backend = call.host.backend.name();
        if !backends.iter().any(|name| name == backend) {
            info.skip = Some(format!("only for the backend {}, this is {backend}", backends.join(" or ")));
        }
    }
    meta_value(meta, "flaky", |named| match &named.value {
        Value::Table(_) => super::args::Options::read(&named.value, &["reason", "issue", "until"])
            .map(|_| ())
            .map_err(|fault| fault.prefixed(&named.name)),
        _ => Err(named.expected("a table {reason=, issue=, until=}")),
    })?;
    Ok(())
}

fn todo(call: &Call) -> Returned {
    if !call.host.loading.get() {
        return Err(Fault::usage("todo: belongs to the top level of a file; inside a test use t:skip(reason)"));
    }
    let reason = call.read_optional(1, "reason", Named::text)?;
    let reason = reason.map_or_else(|| "todo".to_owned(), |reason| format!("todo: {reason}"));
    *call.host.todo.borrow_mut() = Some(reason);
    nothing()
}
