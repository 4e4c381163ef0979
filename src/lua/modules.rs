//! `require`: modules of the project, looked up under the roots.

use mlua::chunk::ChunkMode;
use mlua::{Table, Value};

use super::args::Named;
use super::call::{Call, Returned};
use super::fault::Fault;

/// The largest Lua file, in bytes: a module is source text that people wrote.
pub const MAX_SOURCE: u64 = 16 << 20;

/// `native.find_module(name, loaded)` → the key under which it is kept, and its chunk unless it is loaded.
pub fn find(call: &Call) -> Returned {
    let name = call.read(1, "name", Named::text)?;
    let Value::Table(loaded) = call.arg(2) else { return Err(call.usage("no table of modules")) };
    let relative = relative_path(&name)?;
    let mut tried = Vec::new();
    for root in &call.host.setup.roots {
        for candidate in [format!("{relative}.lua"), format!("{relative}/init.lua")] {
            let path = root.join(&candidate);
            let key = path.to_string_lossy().into_owned();
            if is_loaded(loaded, &key)? {
                return Ok([Value::String(call.lua.create_string(&key)?)].into_iter().collect());
            }
            match std::fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => {
                    let source = read_source(&path, metadata.len())
                        .map_err(|problem| Fault::usage(format!("require: cannot read {key}: {problem}")))?;
                    let shown = shown_path(call, &path, &candidate);
                    let chunk = call
                        .lua
                        .load(&source)
                        .set_mode(ChunkMode::Text)
                        .set_name(format!("@{shown}"))
                        .into_function()
                        .map_err(|error| Fault::usage(super::fault::plain_message(&error)))?;
                    let key = Value::String(call.lua.create_string(&key)?);
                    return Ok([key, Value::Function(chunk)].into_iter().collect());
                }
                _ => tried.push(key),
            }
        }
    }
    let tried = if tried.is_empty() { "there are no roots to look in".to_owned() } else { tried.join(", ") };
    Err(Fault::usage(format!("require: there is no module `{name}`; looked for {tried}")))
}

/// How a module is named in messages: as its test file is, relative to the project when it lies in it.
fn shown_path(call: &Call, path: &std::path::Path, candidate: &str) -> String {
    let project = call.host.setup.project.as_deref();
    match project.and_then(|project| path.strip_prefix(project).ok()) {
        Some(relative) => relative.to_string_lossy().into_owned(),
        None => candidate.to_owned(),
    }
}

fn is_loaded(loaded: &Table, key: &str) -> Result<bool, Fault> {
    Ok(!loaded.raw_get::<Value>(key)?.is_nil())
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

/// Reads Lua source text.
pub fn read_source(path: &std::path::Path, length: u64) -> Result<Vec<u8>, String> {
    if length > MAX_SOURCE {
        return Err(format!("it is larger than {} MiB", MAX_SOURCE >> 20));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

/// `native.require_loop(name)`.
pub fn require_loop(call: &Call) -> Returned {
    let name = call.read(1, "name", Named::text)?;
    Err(Fault::usage(format!("require: module `{name}` requires itself, directly or through others")))
}
