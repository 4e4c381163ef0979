//! Where in the test's own Lua a call comes from.

use mlua::Lua;

use super::host::Host;
use crate::runner::place::Place;

/// The chunk name of Lua code that is provium's own: its lines are never a test's.
pub const OWN_CHUNK: &str = "=[provium]";

/// Lua lines kept of a stack: enough for any test written by a person; a runaway recursion has 200,000.
const MAX_STACK: usize = 30;

/// The innermost line of the test that led here.
pub fn caller(lua: &Lua, host: &Host) -> Option<Place> {
    frames(lua, host, 1).pop()
}

/// The innermost lines of the test that led here, innermost first.
pub fn stack(lua: &Lua, host: &Host) -> Vec<Place> {
    frames(lua, host, MAX_STACK)
}

fn frames(lua: &Lua, host: &Host, most: usize) -> Vec<Place> {
    let mut found = Vec::new();
    for level in 0.. {
        let frame = lua.inspect_stack(level, |debug| {
            let source = debug.source();
            let file = source.source.as_deref()?.strip_prefix('@')?;
            let line = u32::try_from(debug.current_line()?).ok()?;
            Some(Place { file: host.intern(file), line })
        });
        match frame {
            Some(Some(place)) => found.push(place),
            Some(None) => {}
            None => break,
        }
        if found.len() >= most {
            break;
        }
    }
    found
}
