//! `run` and `run_async`: their arguments and options, the same on a VM, on a worker and in a batch.

use mlua::Value;
use provium_protocol::exec::{ByteString, Command, ExecSpec};
use provium_protocol::{Nanos, Op, Reply, limits, time};

use super::args::{Named, Options};
use super::call::Call;
use super::fault::Fault;
use super::ops::{Prepared, mismatch};
use super::{process, run_result};

const RUN_OPTIONS: &[&str] = &["args", "env", "env_clear", "cwd", "stdin", "timeout", "timeout_ms", "max_output"];
const SPAWN_OPTIONS: &[&str] = &["args", "env", "env_clear", "cwd", "stdin", "stdin_open", "max_output"];

/// `x:run(cmd, args_or_options?)`.
pub fn run(call: &Call) -> Result<Prepared, Fault> {
    let (spec, timeout_ns) = read(call, RUN_OPTIONS)?;
    Ok(Prepared::new(Op::Run { spec, timeout_ns }, |ground, reply| match reply {
        Reply::Run(run) => Ok(run_result::to_lua(&ground.lua, run)?),
        other => Err(mismatch("run", ground, &other)),
    }))
}

/// `x:run_async(cmd, args_or_options?)`.
pub fn run_async(call: &Call) -> Result<Prepared, Fault> {
    if let Value::Table(options) = call.arg(2) {
        for key in ["timeout", "timeout_ms"] {
            if !options.raw_get::<Value>(key)?.is_nil() {
                return Err(call.usage(format!(
                    "the option `{key}` is not for a process that is not waited for; give it to proc:wait(timeout)"
                )));
            }
        }
    }
    let (mut spec, _) = read(call, SPAWN_OPTIONS)?;
    // Who gives no input beforehand may want to write some later.
    let says_nothing = match call.arg(2) {
        Value::Table(options) => {
            options.raw_get::<Value>("stdin")?.is_nil() && options.raw_get::<Value>("stdin_open")?.is_nil()
        }
        _ => true,
    };
    spec.stdin_open |= says_nothing;
    let label = crate::runner::describe::operation(&Op::Spawn(spec.clone()));
    Ok(Prepared {
        op: Op::Spawn(spec),
        decode: Box::new(move |ground, reply| match reply {
            Reply::Spawned { proc, pid } => process::open(ground, proc, pid, &label),
            other => Err(mismatch("run_async", ground, &other)),
        }),
    })
}

fn read(call: &Call, valid: &'static [&'static str]) -> Result<(ExecSpec, Option<Nanos>), Fault> {
    let command = call.read(1, "command", |named| {
        let command = named.text()?;
        if command.contains('\0') {
            return Err(Fault::usage(format!("{}: the command has a NUL byte", named.name)));
        }
        Ok(command)
    })?;
    let second = call.arg(2);
    if let Value::Table(table) = second
        && table.raw_len() > 0
        && !has_names(table)?
    {
        let args = call.read(2, "arguments", Named::strings)?;
        return Ok((ExecSpec::new(Command::Direct { program: command, args }), None));
    }
    let options = call.options(2, valid)?;
    read_options(command, &options).map_err(|fault| fault.prefixed(&call.name()))
}

/// Whether a table has anything but array entries.
fn has_names(table: &mlua::Table) -> Result<bool, Fault> {
    for pair in table.pairs::<Value, Value>() {
        if !matches!(pair?.0, Value::Integer(_)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn read_options(command: String, options: &Options) -> Result<(ExecSpec, Option<Nanos>), Fault> {
    let mut spec = match options.get("args", Named::strings)? {
        Some(args) => ExecSpec::new(Command::Direct { program: command, args }),
        None => ExecSpec::shell(command),
    };
    spec.env = options.get("env", environment)?.unwrap_or_default();
    spec.env_clear = options.flag("env_clear", false)?;
    spec.cwd = options.get("cwd", Named::path)?;
    spec.stdin_open = options.flag("stdin_open", false)?;
    if let Some(stdin) = options.get("stdin", Named::bytes)? {
        spec.stdin = stdin;
    }
    if let Some(most) = options.get("max_output", Named::size)? {
        if most > limits::MAX_OUTPUT_CEILING {
            let ceiling = limits::MAX_OUTPUT_CEILING;
            return Err(Fault::usage(format!("option `max_output`: {most} bytes is above the limit of {ceiling}")));
        }
        spec.max_output = most;
    }
    let timeout = options.get("timeout", Named::duration)?;
    let timeout_ms = options.get("timeout_ms", |named| named.integer_in(0..=i64::MAX))?;
    let timeout = match (timeout, timeout_ms) {
        (Some(_), Some(_)) => {
            return Err(Fault::usage("the options `timeout` and `timeout_ms` say the same thing; give one of them"));
        }
        (Some(timeout), None) => Some(timeout),
        (None, Some(ms)) => Some((ms as u64).saturating_mul(time::MILLISECOND)),
        (None, None) => None,
    };
    Ok((spec, timeout))
}

fn environment(named: &Named) -> Result<Vec<(ByteString, ByteString)>, Fault> {
    let Value::Table(table) = &named.value else { return Err(named.expected("a table of names and values")) };
    let mut env = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let Value::String(_) = key else {
            return Err(Fault::usage(format!("{}: every name must be a string", named.name)));
        };
        let name = Named { value: key, name: format!("a name in {}", named.name).into() }.c_string()?;
        if name.0.is_empty() || name.0.contains(&b'=') {
            let shown = crate::runner::describe::quoted(&name.0);
            return Err(Fault::usage(format!("{}: {shown} cannot be the name of a variable", named.name)));
        }
        let shown = format!("`{}` in {}", String::from_utf8_lossy(&name.0), named.name);
        let value = match value {
            Value::Integer(number) => ByteString::from(number.to_string().into_bytes()),
            value => Named { value, name: shown.into() }.c_string()?,
        };
        env.push((name, value));
    }
    env.sort();
    Ok(env)
}
