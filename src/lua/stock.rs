//! Functions of Lua's own libraries, kept from showing or using the addresses at which things happen to lie.
//!
//! Lua keeps a C function without values of its own as the address of its code, and finds it by that address when it is
//! the key of a table. With a value of its own, even one that it never looks at, it is a block of memory like all other
//! functions, and has its place from [`heap`](super::heap). What replaces a function here calls the one that was there in
//! its own place, so that errors name the function and the line as they always do.

use std::ffi::{CStr, c_int};

use mlua::{Function, IntoLuaMulti, Lua, Table, Value, ffi};

/// Makes blocks of all functions of the globals, of the libraries in them and of the strings' metatable.
pub fn install(lua: &Lua) -> mlua::Result<()> {
    // SAFETY: called with the caller's part of the stack below; an error is caught there.
    unsafe { lua.exec_raw((), |state| install_in(state)) }
}

/// The libraries, as they are called in the globals.
const LIBRARIES: [&CStr; 6] = [c"_G", c"coroutine", c"table", c"string", c"utf8", c"math"];

/// Functions that count in C as far as they are told to: no deadline counts there.
static BOUNDED: [(&CStr, &CStr, ffi::lua_CFunction); 4] = [
    (c"string", c"rep", string_rep),
    (c"table", c"move", table_move),
    (c"table", c"insert", table_insert_or_remove),
    (c"table", c"remove", table_insert_or_remove),
];

/// The most elements that a table function goes over (67,108,864): a state has no memory for half as many.
const MAX_ELEMENTS: ffi::lua_Integer = 1 << 26;

unsafe fn install_in(state: *mut ffi::lua_State) {
    // SAFETY: room is made for all that is pushed; the libraries are loaded, so their tables and functions are there.
    unsafe {
        ffi::luaL_checkstack(state, 12, std::ptr::null());
        let top = ffi::lua_gettop(state);
        ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, ffi::LUA_RIDX_GLOBALS);
        let globals = top + 1;
        ffi::lua_getfield(state, globals, c"utf8".as_ptr());
        let utf8 = top + 2;
        // Handed out by other functions, and some of them nowhere to be found otherwise.
        ffi::lua_getfield(state, globals, c"next".as_ptr());
        make_block(state);
        ffi::lua_pushvalue(state, -1);
        ffi::lua_setfield(state, globals, c"next".as_ptr());
        replace(state, globals, c"pairs", pairs, 1);
        ffi::lua_getfield(state, globals, c"ipairs".as_ptr());
        ffi::lua_createtable(state, 0, 0);
        ffi::lua_call(state, 1, 1);
        make_block(state);
        replace(state, globals, c"ipairs", ipairs, 1);
        for lax in 0..=1 {
            ffi::lua_getfield(state, utf8, c"codes".as_ptr());
            ffi::lua_pushstring(state, c"".as_ptr());
            ffi::lua_pushboolean(state, lax);
            ffi::lua_call(state, 2, 1);
            make_block(state);
        }
        replace(state, utf8, c"codes", utf8_codes, 2);
        replace(state, globals, c"setmetatable", setmetatable, 0);
        for (library, name, by) in BOUNDED {
            ffi::lua_getfield(state, globals, library.as_ptr());
            let library = ffi::lua_gettop(state);
            replace(state, library, name, by, 0);
            ffi::lua_pop(state, 1);
        }
        for name in LIBRARIES {
            ffi::lua_getfield(state, globals, name.as_ptr());
            make_blocks(state);
        }
        ffi::lua_pushstring(state, c"".as_ptr());
        if ffi::lua_getmetatable(state, -1) != 0 {
            make_blocks(state);
        }
        ffi::lua_settop(state, top);
    }
}

/// `string.format` that shows what `%s` is given by `show`, a function of Lua, unless it is plain.
pub fn format(lua: &Lua, show: Function) -> mlua::Result<Function> {
    let string: Table = lua.globals().raw_get("string")?;
    replacement(lua, string.raw_get("format")?, string_format, (show,))
}

/// Replaces a function of a library; the `own` values on top of the stack become the new one's, behind the old one.
unsafe fn replace(state: *mut ffi::lua_State, library: c_int, name: &CStr, by: ffi::lua_CFunction, own: c_int) {
    // SAFETY: the caller has pushed so many values and made room for one more; the library is a table.
    unsafe {
        ffi::lua_getfield(state, library, name.as_ptr());
        ffi::lua_insert(state, -1 - own);
        ffi::lua_pushcclosure(state, by, own + 1);
        ffi::lua_setfield(state, library, name.as_ptr());
    }
}

/// A function whose first own value is the one that it replaces.
fn replacement(
    lua: &Lua,
    replaced: Function,
    by: ffi::lua_CFunction,
    values: impl IntoLuaMulti,
) -> mlua::Result<Function> {
    let mut values = values.into_lua_multi(lua)?;
    values.push_front(Value::Function(replaced));
    let count = c_int::try_from(values.len()).unwrap_or(0);
    // SAFETY: called with exactly the values above the caller's part of the stack, which become the function's own.
    unsafe { lua.exec_raw(values, |state| ffi::lua_pushcclosure(state, by, count)) }
}

/// Makes blocks of the functions in the table on top of the stack, and pops it.
unsafe fn make_blocks(state: *mut ffi::lua_State) {
    // SAFETY: a table is there, and the caller has made room for five values. Assigning to a key that is there is allowed
    // while a table is traversed.
    unsafe {
        let table = ffi::lua_gettop(state);
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, table) != 0 {
            if is_bare(state, -1) {
                ffi::lua_pushvalue(state, -2);
                push_block(state, -2);
                ffi::lua_rawset(state, table);
            }
            ffi::lua_pop(state, 1);
        }
        ffi::lua_pop(state, 1);
    }
}

/// Makes a block of the function on top of the stack.
unsafe fn make_block(state: *mut ffi::lua_State) {
    // SAFETY: a value is there, and the caller has made room for two more.
    unsafe {
        if is_bare(state, -1) {
            push_block(state, -1);
            ffi::lua_remove(state, -2);
        }
    }
}

/// Whether the value is a C function without values of its own.
unsafe fn is_bare(state: *mut ffi::lua_State, index: c_int) -> bool {
    // SAFETY: the caller's index is valid; a value that is found is pushed, and popped again.
    unsafe {
        if ffi::lua_iscfunction(state, index) == 0 {
            return false;
        }
        let bare = ffi::lua_getupvalue(state, index, 1).is_null();
        if !bare {
            ffi::lua_pop(state, 1);
        }
        bare
    }
}

/// Pushes the C function at the index as a block.
unsafe fn push_block(state: *mut ffi::lua_State, index: c_int) {
    // SAFETY: the caller has checked that a C function is there, and has made room.
    unsafe {
        if let Some(function) = ffi::lua_tocfunction(state, index) {
            ffi::lua_pushboolean(state, 1);
            ffi::lua_pushcclosure(state, function, 1);
        }
    }
}

// What follows runs as C functions of Lua: called with room for 20 values, and an error leaves them by a jump, so that no
// value of Rust that would have to be dropped may live across a call into Lua.

/// Calls the function that was replaced, in the place of the one that replaces it.
unsafe fn replaced(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: the first own value is a C function, put there by `replacement`; it takes the arguments from the same stack.
    unsafe {
        match ffi::lua_tocfunction(state, ffi::lua_upvalueindex(1)) {
            Some(function) => function(state),
            None => 0,
        }
    }
}

/// Puts an own value in place of the first of three results, if that is a bare function.
unsafe fn hand_out(state: *mut ffi::lua_State, results: c_int, own: c_int) -> c_int {
    // SAFETY: three results are on the stack, as the functions that are replaced here return them.
    unsafe {
        if results == 3 && is_bare(state, -3) {
            ffi::lua_pushvalue(state, ffi::lua_upvalueindex(own));
            ffi::lua_replace(state, -4);
        }
    }
    results
}

unsafe extern "C-unwind" fn pairs(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: see above. When `__pairs` waits, Lua goes on behind both functions, with what `__pairs` returned.
    unsafe { hand_out(state, replaced(state), 2) }
}

unsafe extern "C-unwind" fn ipairs(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: see above.
    unsafe { hand_out(state, replaced(state), 2) }
}

unsafe extern "C-unwind" fn utf8_codes(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        let own = if ffi::lua_toboolean(state, 2) == 0 { 2 } else { 3 };
        hand_out(state, replaced(state), own)
    }
}

/// A finaliser would run whenever the collector happens to come by, where nothing can wait and no deadline counts; Lua
/// looks for one only here.
unsafe extern "C-unwind" fn setmetatable(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: see above; what is pushed is popped again.
    unsafe {
        if ffi::lua_type(state, 2) == ffi::LUA_TTABLE {
            ffi::lua_pushstring(state, c"__gc".as_ptr());
            if ffi::lua_rawget(state, 2) != ffi::LUA_TNIL {
                return ffi::luaL_error(
                    state,
                    c"a test has no finalisers (__gc): when they run is the collector's affair; use `local x <close>` with __close".as_ptr(),
                );
            }
            ffi::lua_pop(state, 1);
        }
        replaced(state)
    }
}

unsafe extern "C-unwind" fn string_rep(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: see above. Only looks at the arguments, and has nothing to raise: wrong ones are for the replaced function.
    unsafe {
        let is_empty = |index| ffi::lua_type(state, index) == ffi::LUA_TSTRING && ffi::lua_rawlen(state, index) == 0;
        let no_separator = ffi::lua_type(state, 3) <= ffi::LUA_TNIL || is_empty(3);
        if is_empty(1) && no_separator && ffi::lua_isinteger(state, 2) != 0 {
            // Lua would copy nothing as often as it is told to.
            ffi::lua_pushvalue(state, 1);
            return 1;
        }
        replaced(state)
    }
}

unsafe extern "C-unwind" fn table_move(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: see above.
    unsafe {
        let (from, to) = (ffi::lua_tointeger(state, 2), ffi::lua_tointeger(state, 3));
        if to > from && to.saturating_sub(from) >= MAX_ELEMENTS {
            return ffi::luaL_error(state, c"table.move: more than 67108864 elements".as_ptr());
        }
        replaced(state)
    }
}

/// Both shift what is behind a place, up to the length that the table's `__len` tells, whatever that is.
unsafe extern "C-unwind" fn table_insert_or_remove(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: see above; what is pushed is popped again.
    unsafe {
        if ffi::luaL_getmetafield(state, 1, c"__len".as_ptr()) != ffi::LUA_TNIL {
            ffi::lua_pop(state, 1);
            if ffi::luaL_len(state, 1) > MAX_ELEMENTS {
                return ffi::luaL_error(state, c"a table of more than 67108864 elements".as_ptr());
            }
        }
        replaced(state)
    }
}

/// The conversions of a format, in order; an iterator that allocates nothing.
struct Conversions<'a>(&'a [u8]);

impl Iterator for Conversions<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        loop {
            let at = self.0.iter().position(|byte| *byte == b'%')?;
            self.0 = &self.0[at + 1..];
            let flags = self.0.iter().take_while(|byte| b"-+ #.0123456789".contains(byte)).count();
            let conversion = *self.0.get(flags)?;
            self.0 = &self.0[flags + 1..];
            if conversion != b'%' {
                return Some(conversion);
            }
        }
    }
}

unsafe extern "C-unwind" fn string_format(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: see above. The format's bytes live as long as the string, which stays at index 1; nothing borrowed from
    // them has to be dropped. At most three values are pushed at a time.
    unsafe {
        let mut length = 0;
        if ffi::lua_type(state, 1) != ffi::LUA_TSTRING {
            return replaced(state);
        }
        let format = ffi::lua_tolstring(state, 1, &raw mut length).cast::<u8>();
        let top = ffi::lua_gettop(state);
        let mut argument = 1;
        for conversion in Conversions(std::slice::from_raw_parts(format, length)) {
            argument += 1;
            if conversion == b'p' {
                return ffi::luaL_error(
                    state,
                    c"string.format: %%p shows an address, and addresses differ from run to run".as_ptr(),
                );
            }
            let kind = if argument <= top { ffi::lua_type(state, argument) } else { ffi::LUA_TNIL };
            let plain = [ffi::LUA_TNIL, ffi::LUA_TBOOLEAN, ffi::LUA_TNUMBER, ffi::LUA_TSTRING].contains(&kind);
            if conversion == b's' && !plain {
                ffi::luaL_checkstack(state, 3, std::ptr::null());
                ffi::lua_pushvalue(state, ffi::lua_upvalueindex(2));
                ffi::lua_pushvalue(state, argument);
                ffi::lua_call(state, 1, 1);
                ffi::lua_replace(state, argument);
            }
        }
        replaced(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_are_told_from_percent_signs() {
        let all = |format: &str| String::from_utf8(Conversions(format.as_bytes()).collect()).expect("letters");
        assert_eq!(all("%d%%p %5.2f%%%s %-10p %"), "dfsp");
        assert_eq!(all("100%%p"), "");
        assert_eq!(all("%-"), "");
    }

    #[test]
    fn no_function_counts_for_ever() {
        let lua = Lua::new_with(mlua::StdLib::ALL_SAFE, mlua::LuaOptions::default()).expect("a state");
        install(&lua).expect("installs");
        let program = "
            local huge = setmetatable({}, {__len = function() return 1 << 40 end})
            local function refuses(says, ...)
                local ok, e = pcall(...)
                assert(not ok and tostring(e):find(says, 1, true), tostring(e))
            end
            assert((''):rep(1 << 40) == '' and (''):rep(1 << 40, '') == '' and (''):rep(-1) == '')
            assert((''):rep(3, ',') == ',,' and ('ab'):rep(2) == 'abab' and (''):rep(2.0) == '')
            refuses('number expected', string.rep, '')
            refuses('no integer representation', string.rep, '', 1.5)
            refuses('more than', table.move, {}, 1, 1 << 40, 2)
            refuses('more than', table.move, {}, math.mininteger, math.maxinteger, 2)
            refuses('more than', table.insert, huge, 1, 'x')
            refuses('more than', table.remove, huge, 1)
            local list = table.move({1, 2, 3}, 2, 3, 1)
            table.insert(list, 1, 'x')
            table.insert(list, 'y')
            assert(table.remove(list, 2) == 2 and table.remove(list) == 'y' and table.concat(list) == 'x33')";
        lua.load(program).exec().expect("runs");
    }

    /// A comparison that makes quicksort as slow as it can be: it decides only when it must which of two is greater.
    const ADVERSARY: &str = "
        local n = 500
        local solid, candidate, values, calls = 0, 0, {}, {}
        local items = {}
        for i = 1, n do items[i], values[i] = i, n end
        table.sort(items, function(a, b)
            calls[#calls + 1] = a .. '<' .. b
            if values[a] == n and values[b] == n then
                if a == candidate then values[a] = solid else values[b] = solid end
                solid = solid + 1
            end
            if values[a] == n then candidate = a elseif values[b] == n then candidate = b end
            return values[a] < values[b]
        end)
        return #calls, table.concat(calls, ' ')";

    #[test]
    fn sorting_does_not_look_at_the_clock() {
        let run = || {
            let lua = Lua::new_with(mlua::StdLib::TABLE, mlua::LuaOptions::default()).expect("a state");
            lua.load(ADVERSARY).eval::<(usize, String)>().expect("sorts")
        };
        let first = run();
        // A balanced sort takes some 6,000 comparisons: this one has fallen into the trap.
        assert!(first.0 > 30_000, "{}", first.0);
        assert!(first == run(), "the flags of .cargo/config.toml are not in this build: cargo clean -p mlua-sys");
    }
}
