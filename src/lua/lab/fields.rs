//! What a lab has beside its methods, and what of it can be set.

use mlua::{Lua, Table, Value};
use provium_protocol::{Errno, Signal};

use super::{CLASS, LabRef, Member, resolve};
use crate::lua::args::Named;
use crate::lua::fault::Fault;
use crate::lua::host::Host;
use crate::lua::sim;

/// What can be set.
const ROOT_FIELDS: &str = "timeout, reset_between_tests";

/// Looks a field, a machine or a sub-lab up.
pub fn index(lua: &Lua, this: &LabRef, key: &Value) -> mlua::Result<Value> {
    let Value::String(name) = key else { return Ok(Value::Nil) };
    let name = name.to_str()?;
    let host = Host::of(lua);
    if let Some(entry) = CLASS.entry(name.as_bytes()) {
        return host.cached(lua, "lab", entry.name, || CLASS.function(lua, entry));
    }
    if let LabRef::Root = this {
        match &*name {
            "backend" => return Ok(Value::String(lua.create_string(host.backend.name())?)),
            "seed" => return Ok(host.setup.seed.map_or(Value::Nil, |seed| Value::Integer(seed as i64))),
            "errno" => return host.cached(lua, "lab", "errno", || Ok(Value::Table(errno_table(lua)?))),
            "signal" => return host.cached(lua, "lab", "signal", || Ok(Value::Table(signal_table(lua)?))),
            "sim" => return host.cached(lua, "lab", "sim", || Ok(Value::Table(sim::CLASS.full_table(lua)?))),
            "timeout" => {
                let seconds = host.file_timeout.get().map(|ns| ns as f64 / provium_protocol::time::SECOND as f64);
                return Ok(seconds.map_or(Value::Nil, Value::Number));
            }
            "reset_between_tests" => return Ok(Value::Boolean(false)),
            _ => {}
        }
    }
    let lab = resolve(&host, this);
    let mut found = lab.vm(&name).map(Member::Vm).or_else(|| lab.lab(&name).map(Member::Lab));
    if found.is_none() && matches!(this, LabRef::Root) {
        let top = &host.top_lab;
        found = top.vm(&name).map(Member::Vm).or_else(|| top.lab(&name).map(Member::Lab));
    }
    found.map_or(Ok(Value::Nil), |member| member.to_lua(lua))
}

fn errno_table(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table_from(Errno::ALL.iter().map(|(errno, name)| (*name, errno.0)))?;
    // The second names that errno(3) gives.
    for (name, errno) in [("EWOULDBLOCK", Errno::EAGAIN), ("EDEADLOCK", Errno::EDEADLK), ("ENOTSUP", Errno::EOPNOTSUPP)]
    {
        table.raw_set(name, errno.0)?;
    }
    Ok(table)
}

fn signal_table(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table_from(Signal::ALL.iter().map(|(signal, name)| (*name, signal.0)))?;
    table.raw_set("SIGRTMIN", Signal::RTMIN)?;
    table.raw_set("SIGRTMAX", Signal::MAX)?;
    Ok(table)
}

/// Sets a field.
pub fn assign(lua: &Lua, this: &LabRef, key: &Value, value: &Value) -> Result<(), Fault> {
    let host = Host::of(lua);
    let name = match key {
        Value::String(name) => name.to_string_lossy(),
        other => crate::lua::args::type_name(other).to_owned(),
    };
    match (this, name.as_str()) {
        (LabRef::Root, "timeout") => {
            let timeout = match value {
                Value::Nil => None,
                value => Some(Named { value: value.clone(), name: "provium.timeout".into() }.duration()?),
            };
            host.file_timeout.set(timeout);
            Ok(())
        }
        (LabRef::Root, "reset_between_tests") => {
            if (Named { value: value.clone(), name: "provium.reset_between_tests".into() }).boolean()? {
                let error = provium_protocol::OpError::unsupported(host.backend.name(), "reset_between_tests");
                return Err(Fault::from_op(error, "provium.reset_between_tests", &"".into()));
            }
            Ok(())
        }
        (LabRef::Root, _) => {
            Err(Fault::usage(format!("provium.{name} cannot be set; what can be set is {ROOT_FIELDS}")))
        }
        (LabRef::Sub(_), _) => Err(Fault::usage(format!("`{name}` of a sub-lab cannot be set"))),
    }
}
