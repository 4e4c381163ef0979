//! Lua's patterns, matched here: `string.find`, `string.match`, `string.gmatch` and `string.gsub`.
//!
//! Some patterns take longer to match than anybody will wait: `(".-"):rep(20)` has more ways to be tried on a long text
//! than could ever be tried. Lua's own matching is one step of C, in which no deadline counts. This one charges the clock
//! as Lua's instructions do and looks at it every [`LOOK_EVERY`] steps, so that a test that matches without end is ended
//! as one that computes without end is (see [`hook`](super::hook)). What it finds, and what it says of malformed patterns,
//! is what Lua's own finds and says; `tests` compares them.
//!
//! Rejected: an engine that needs no backtracking. Lua's patterns have back references and balanced pairs, and a pattern's
//! errors depend on how far matching got: it would have to be a second engine beside this one.

mod class;
mod functions;
mod matcher;
#[cfg(test)]
mod tests;

use mlua::{Function, Lua};

use super::hook;

/// Steps of matching between two looks at the clock: a look costs as much as some hundred steps.
pub const LOOK_EVERY: u32 = LOOK_SLICES * hook::EVERY;

/// Slices of computing that so many steps count for.
const LOOK_SLICES: u32 = 10;

/// Replaces the four functions, in a state that has the library of strings.
pub fn install(lua: &Lua) -> mlua::Result<()> {
    let look = lua.create_function(|lua, can_yield: bool| hook::look(lua, LOOK_SLICES, can_yield))?;
    install_with(lua, look)
}

/// The same with a function that is called for each look: with whether the caller can yield, and it says whether it must.
fn install_with(lua: &Lua, look: Function) -> mlua::Result<()> {
    // SAFETY: called with the function alone above the caller's part of the stack; an error is caught there.
    unsafe { lua.exec_raw(look, |state| functions::install(state)) }
}
