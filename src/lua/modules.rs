//! `require`: modules of the project, looked up under the roots.

use mlua::chunk::ChunkMode;
use mlua::{Table, Value};
use provium_protocol::Errno;

use super::args::Named;
use super::call::{Call, Returned, one};
use super::fault::Fault;
use crate::runner::inputs::HostError;

/// `native.find_module(name, loaded)` → the name under which it is kept, and its chunk unless it is loaded.
pub fn find(call: &Call) -> Returned {
    let name = call.read(1, "name", Named::text)?;
    let Value::Table(loaded) = call.arg(2) else { return Err(call.usage("no table of modules")) };
    let relative = relative_path(&name)?;
    let host = &call.host;
    if let Some(known) = host.modules.borrow().get(&relative)
        && is_loaded(loaded, known)?
    {
        return one(call.lua, known.as_str());
    }
    let module = host.setup.inputs.module(&host.setup.run, &relative).map_err(|error| {
        let HostError { message, errno } = error;
        Fault::usage(match Errno(errno) {
            Errno::ENOENT => format!("require: there is no module `{name}`; {message}"),
            _ => format!("require: cannot read module `{name}`: {message}"),
        })
    })?;
    let shown = Value::String(call.lua.create_string(&module.name)?);
    let is_loaded = is_loaded(loaded, &module.name)?;
    let chunk_name = format!("@{}", module.name);
    host.modules.borrow_mut().insert(relative, module.name);
    if is_loaded {
        // Found under another of its names.
        return Ok([shown].into_iter().collect());
    }
    let chunk = call.lua.load(&module.source).set_mode(ChunkMode::Text).set_name(chunk_name).into_function();
    let chunk = chunk.map_err(|error| Fault::usage(super::fault::plain_message(&error)))?;
    Ok([shown, Value::Function(chunk)].into_iter().collect())
}

fn is_loaded(loaded: &Table, name: &str) -> Result<bool, Fault> {
    Ok(!loaded.raw_get::<Value>(name)?.is_nil())
}

/// The file of a module name: dots and slashes both part directories; nothing leads out of the roots.
fn relative_path(name: &str) -> Result<String, Fault> {
    let parts: Vec<&str> = if name.contains('/') { name.split('/').collect() } else { name.split('.').collect() };
    let good = |part: &&str| !part.is_empty() && *part != ".." && *part != "." && !part.contains(['\0', '\\']);
    if parts.iter().all(good) {
        return Ok(parts.join("/"));
    }
    Err(Fault::usage(format!(
        "require: `{}` is no module name: parts joined by dots or slashes, none empty and none `..`",
        name.escape_debug()
    )))
}

/// `native.require_loop(name)`.
pub fn require_loop(call: &Call) -> Returned {
    let name = call.read(1, "name", Named::text)?;
    Err(Fault::usage(format!("require: module `{name}` requires itself, directly or through others")))
}
