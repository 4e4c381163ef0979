//! What a command came to.

use std::rc::Rc;

use mlua::{Lua, MetaMethod, UserData, UserDataFields, UserDataMethods, Value};
use provium_protocol::exec::{ExitStatus, RunReply};
use provium_protocol::time;

use super::call::{Call, Class, Returned, now, one};
use super::fault::Fault;
use crate::runner::describe;

/// Bytes of each output that `assert_ok` shows: the end of it, where the error usually is.
const MAX_SHOWN: usize = 2_000;

/// The userdata of a RunResult.
#[derive(Clone)]
pub struct RunResult(Rc<RunReply>);

static CLASS: Class = Class { prefix: "result:", entries: &[now("ok", 0, ok), now("assert_ok", 1, assert_ok)] };

const FIELDS: &str =
    "exit_code, stdout, stderr, status, signal, signal_name, timed_out, truncated, duration, ok(), assert_ok()";

/// A RunResult for Lua.
pub fn to_lua(lua: &Lua, reply: RunReply) -> mlua::Result<Value> {
    Ok(Value::UserData(lua.create_userdata(RunResult(Rc::new(reply)))?))
}

/// Status, exit code and signal as every result and summary shows them.
pub fn status_fields(status: ExitStatus) -> (&'static str, i64, Option<i32>) {
    match status {
        ExitStatus::Exited(code) => ("exited", code.into(), None),
        ExitStatus::Signalled(signal) => ("signalled", -1, Some(signal.0)),
        ExitStatus::TimedOut => ("timed_out", -2, None),
    }
}

impl UserData for RunResult {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "RunResult");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: Value| index(lua, &this.0, &key));
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.0.summary()));
    }
}

/// What a person wants to see of a RunResult.
pub struct Parts {
    /// How it ended, and after what time.
    pub ended: String,
    /// Names and bytes of the outputs that are not empty.
    pub outputs: Vec<(&'static str, Vec<u8>)>,
}

/// The parts of a value, if it is a RunResult.
pub fn parts(value: &Value) -> Option<Parts> {
    let Value::UserData(object) = value else { return None };
    let run = Rc::clone(&object.borrow::<RunResult>().ok()?.0);
    let truncated = if run.truncated { ", truncated" } else { "" };
    let took = crate::units::format_duration(run.duration_ns);
    let ended = format!("{}{truncated} ({took})", describe::exit_status(run.status));
    let outputs = [("stdout", &run.stdout), ("stderr", &run.stderr)].into_iter();
    let outputs = outputs.filter(|(_, bytes)| !bytes.is_empty()).map(|(name, bytes)| (name, bytes.to_vec()));
    Some(Parts { ended, outputs: outputs.collect() })
}

trait Summary {
    fn summary(&self) -> String;
}

impl Summary for RunReply {
    fn summary(&self) -> String {
        let truncated = if self.truncated { ", truncated" } else { "" };
        let (out, err) = (describe::quoted(&self.stdout), describe::quoted(&self.stderr));
        format!("RunResult({}, stdout {out}, stderr {err}{truncated})", describe::exit_status(self.status))
    }
}

fn index(lua: &Lua, run: &RunReply, key: &Value) -> mlua::Result<Value> {
    let Value::String(key) = key else { return Ok(Value::Nil) };
    let (status, code, signal) = status_fields(run.status);
    let value = match &*key.as_bytes() {
        b"exit_code" => Value::Integer(code),
        b"stdout" => Value::String(lua.create_string(&run.stdout)?),
        b"stderr" => Value::String(lua.create_string(&run.stderr)?),
        b"status" => Value::String(lua.create_string(status)?),
        b"signal" => signal.map_or(Value::Nil, |signal| Value::Integer(signal.into())),
        b"signal_name" => match run.status {
            ExitStatus::Signalled(signal) => Value::String(lua.create_string(signal.name())?),
            _ => Value::Nil,
        },
        b"timed_out" => Value::Boolean(run.status == ExitStatus::TimedOut),
        b"truncated" => Value::Boolean(run.truncated),
        b"duration" => Value::Number(run.duration_ns as f64 / time::SECOND as f64),
        name => match CLASS.entry(name) {
            Some(entry) => return CLASS.function(lua, entry),
            None => {
                let name = String::from_utf8_lossy(name);
                return Err(Fault::usage(format!("a RunResult has no `{name}`; it has {FIELDS}")).into());
            }
        },
    };
    Ok(value)
}

fn ok(call: &Call) -> Returned {
    let run = call.this::<RunResult>()?;
    one(call.lua, run.0.status == ExitStatus::Exited(0))
}

fn assert_ok(call: &Call) -> Returned {
    let run = call.this::<RunResult>()?.0;
    let message = call.read_optional(1, "message", |named| named.text())?;
    if run.status == ExitStatus::Exited(0) {
        return one(call.lua, call.this_value()?);
    }
    let how = match run.status {
        ExitStatus::Exited(code) => format!("exited with {code}"),
        ExitStatus::Signalled(signal) => format!("was killed by {signal} ({})", signal.text()),
        ExitStatus::TimedOut => {
            format!("timed out after {}", crate::units::format_duration(run.duration_ns))
        }
    };
    let mut text = match message {
        Some(message) => format!("{message}: the command {how}"),
        None => format!("the command {how}"),
    };
    for (name, output) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        text.push_str(&format!("\n  {name}: {}", shown(output)));
    }
    if run.truncated {
        text.push_str("\n  (the output was truncated)");
    }
    let mut fault = Fault::assertion(text);
    // What the shell says of a program that it cannot find.
    if run.status == ExitStatus::Exited(127) {
        fault.advice = super::ops::missing_program(&call.host);
    }
    Err(fault)
}

fn shown(output: &[u8]) -> String {
    if output.is_empty() {
        return "(empty)".to_owned();
    }
    let from = output.len().saturating_sub(MAX_SHOWN);
    let mut text = String::from_utf8_lossy(&output[from..]).trim_end_matches('\n').to_owned();
    if from > 0 {
        text = format!("… {text}");
    }
    if text.contains('\n') { format!("\n    {}", text.replace('\n', "\n    ")) } else { text }
}
