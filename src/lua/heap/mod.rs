//! The memory of a Lua state, at the same places in every run.
//!
//! Lua finds a table, a function, a thread or a userdata that is the key of a table by its address, so the order in which
//! `pairs` and `next` visit such keys follows from where the host's allocator put them, which differs in every process.
//! Here a state's memory comes from a region that begins at a multiple of 4 GiB, and each block's place in it follows from
//! the requests before it alone. Lua uses only the lower half of an address, so every run sees the same order; where the
//! region itself lies does not matter, and states in other threads do not disturb each other.
//!
//! Rejected: switching the randomisation of addresses off for the process (`personality`), which leaves the order to the
//! host's allocator, libraries and environment, so that another machine or build differs; and sorting the keys in a `pairs`
//! of our own, for which every value would need a number from its making on, which Lua gives no place to keep.
//!
//! Functions written in C are no blocks: Lua keeps the address of their code. [`stock`](super::stock) makes blocks of them.

mod arena;
mod region;

use std::alloc::{Layout, dealloc};
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

use mlua::{Lua, ffi};

use self::arena::Arena;
use self::region::Region;

/// Globals that a state has when a test begins, so that their table does not grow on the way there.
const GLOBALS: c_int = 48;

/// What a region has from its beginning, in bytes.
pub const FIRST_BYTES: usize = region::STEP;

/// What stands behind the allocator of one state. It ends with the last of the state's blocks.
struct Heap {
    arena: Arena,
    /// Bytes that the state holds, as it counts them.
    used: usize,
    /// The most that it may hold.
    limit: usize,
    /// The allocator that the state was made with: some of its blocks are from there.
    before: ffi::lua_Alloc,
    before_data: *mut c_void,
    /// The account of that allocator if we know how to free it: nobody else does any more.
    account: Option<*mut Account>,
}

/// The account that mlua keeps for the allocator it makes a state with. mlua frees it together with the state only as long
/// as the state has that allocator.
#[repr(C)]
struct Account {
    used: isize,
    limit: isize,
    ignores_limit: bool,
}

/// Gives a fresh state its memory from now on, at most `limit` bytes, and new globals in it. Before the libraries are
/// loaded: what a test can see must lie in the new memory.
///
/// Until [`mind_the_limit`] mlua takes it that memory does not end: a state that is being made fits into what a region has
/// from its beginning ([`FIRST_BYTES`]), and guarding each of a thousand small steps costs as much as the steps.
pub fn install(lua: &Lua, limit: usize) -> mlua::Result<()> {
    // Tells the account from anything else.
    lua.set_memory_limit(limit)?;
    let no_memory = || mlua::Error::MemoryError("the host has no memory for a Lua state".to_owned());
    let arena = Arena::new(Region::take().ok_or_else(no_memory)?);
    // SAFETY: asking for the allocator changes nothing; the new one is set with data that lives until the state's last
    // block is given back, and passes what it did not allocate on to the old one. mlua's flag is set while the state still
    // has mlua's allocator, which is what mlua looks at.
    unsafe {
        let mut minds = Ok(0);
        lua.exec_raw::<()>((), |state| {
            let used = bytes_in_use(state);
            let mut before_data = null_mut();
            let before = ffi::lua_getallocf(state, &raw mut before_data);
            let account = known_account(before_data, used, limit);
            minds = lua.set_memory_limit(0);
            let heap = Heap { arena, used, limit, before, before_data, account };
            ffi::lua_setallocf(state, allocate, Box::into_raw(Box::new(heap)).cast());
            renew_globals(state);
        })?;
        minds.map(|_| ())
    }
}

/// From now on mlua minds that memory may end.
pub fn mind_the_limit(lua: &Lua) -> mlua::Result<()> {
    // SAFETY: the state has the allocator that `install` set, whose data is a heap. Between the two changes of the
    // allocator nothing is allocated: mlua only sets a number and a flag.
    unsafe {
        let mut minds = Ok(0);
        lua.exec_raw::<()>((), |state| {
            let mut data = null_mut();
            let allocator = ffi::lua_getallocf(state, &raw mut data);
            let heap = &*data.cast::<Heap>();
            ffi::lua_setallocf(state, heap.before, heap.before_data);
            minds = lua.set_memory_limit(heap.limit);
            ffi::lua_setallocf(state, allocator, data);
        })?;
        minds.map(|_| ())
    }
}

/// Puts a table of the new memory in place of the globals, with the same in it.
unsafe fn renew_globals(state: *mut ffi::lua_State) {
    // SAFETY: room is made for what is pushed; the registry has its globals and its loaded libraries since the state was
    // made, and both are tables without metatables.
    unsafe {
        ffi::luaL_checkstack(state, 6, std::ptr::null());
        ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, ffi::LUA_RIDX_GLOBALS);
        let old = ffi::lua_gettop(state);
        ffi::lua_createtable(state, 0, GLOBALS);
        let new = old + 1;
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, old) != 0 {
            ffi::lua_pushvalue(state, -2);
            ffi::lua_insert(state, -2);
            ffi::lua_rawset(state, new);
        }
        ffi::lua_pushvalue(state, new);
        ffi::lua_setfield(state, new, c"_G".as_ptr());
        // Where errors look for the names of functions.
        ffi::lua_getfield(state, ffi::LUA_REGISTRYINDEX, ffi::LUA_LOADED_TABLE);
        ffi::lua_pushvalue(state, new);
        ffi::lua_setfield(state, -2, c"_G".as_ptr());
        ffi::lua_pushvalue(state, new);
        ffi::lua_rawseti(state, ffi::LUA_REGISTRYINDEX, ffi::LUA_RIDX_GLOBALS);
        ffi::lua_settop(state, old - 1);
    }
}

/// The sum of the lengths of all blocks that the state has.
unsafe fn bytes_in_use(state: *mut ffi::lua_State) -> usize {
    // SAFETY: only asks.
    let (kib, rest) = unsafe { (ffi::lua_gc(state, ffi::LUA_GCCOUNT), ffi::lua_gc(state, ffi::LUA_GCCOUNTB)) };
    (usize::try_from(kib).unwrap_or(0) << 10) + usize::try_from(rest).unwrap_or(0)
}

/// The account, if it looks like one: it says what the state says.
fn known_account(data: *mut c_void, used: usize, limit: usize) -> Option<*mut Account> {
    let account = data.cast::<Account>();
    if account.is_null() || !account.is_aligned() {
        return None;
    }
    // SAFETY: mlua's allocator has an account of at least its two first numbers behind its data pointer.
    let said = unsafe { ((&raw const (*account).used).read(), (&raw const (*account).limit).read()) };
    let same = usize::try_from(said.0) == Ok(used) && usize::try_from(said.1) == Ok(limit);
    same.then_some(account)
}

/// The state's allocator, as Lua calls it: some two thousand times in the life of a small test.
unsafe extern "C" fn allocate(data: *mut c_void, block: *mut c_void, old: usize, new: usize) -> *mut c_void {
    let data = data.cast::<Heap>();
    // SAFETY: Lua passes the data that was set with this function, from the state's thread; it is freed below, with
    // the last block, after which Lua does not call again.
    let heap = unsafe { &mut *data };
    if new == 0 {
        if !block.is_null() {
            heap.free(block, old);
            heap.used = heap.used.saturating_sub(old);
            if heap.used == 0 {
                // SAFETY: made by `install` from a box; the state has no block left, so this was Lua's last call.
                unsafe { Box::from_raw(data) }.end();
            }
        }
        return null_mut();
    }
    // For a block that is not there yet, `old` is a type and no length.
    let old = if block.is_null() { 0 } else { old };
    if new > old && heap.limit.saturating_sub(heap.used) < new - old {
        return null_mut();
    }
    let moved = if block.is_null() { heap.arena.allocate(new) as *mut c_void } else { heap.change(block, old, new) };
    if !moved.is_null() {
        heap.used = (heap.used + new).saturating_sub(old);
    }
    moved
}

impl Heap {
    #[inline]
    fn free(&mut self, block: *mut c_void, size: usize) {
        if self.arena.holds(block as usize) {
            self.arena.free(block as usize, size);
        } else {
            // SAFETY: what the arena does not hold came from the allocator before, with this size.
            unsafe { (self.before)(self.before_data, block, size, 0) };
        }
    }

    /// Makes a block that is there longer or shorter.
    fn change(&mut self, block: *mut c_void, old: usize, new: usize) -> *mut c_void {
        let ours = self.arena.holds(block as usize);
        if ours && self.arena.resize(block as usize, old, new) {
            return block;
        }
        let moved = self.arena.allocate(new);
        if moved == 0 {
            // Lua relies on it that a block can always be made smaller. One of ours is then too long for its class,
            // which does no harm.
            return match (new <= old, ours) {
                (true, true) => block,
                // SAFETY: as in `free`.
                (true, false) => unsafe { (self.before)(self.before_data, block, old, new) },
                (false, _) => null_mut(),
            };
        }
        let moved = moved as *mut c_void;
        // SAFETY: both blocks are at least so long, and a fresh block overlaps none.
        unsafe { std::ptr::copy_nonoverlapping(block.cast::<u8>(), moved.cast(), old.min(new)) };
        self.free(block, old);
        moved
    }

    fn end(self) {
        if let Some(account) = self.account {
            // SAFETY: mlua made it as a box of this layout and forgot it when the allocator was replaced.
            unsafe { dealloc(account.cast(), Layout::new::<Account>()) };
        }
        self.arena.into_region().give_back();
    }
}

#[cfg(test)]
mod tests {
    use mlua::{LuaOptions, StdLib};

    use super::*;

    fn state(limit: usize) -> Lua {
        let lua = Lua::new_with(StdLib::NONE, LuaOptions::default()).expect("a state");
        install(&lua, limit).expect("memory");
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::COROUTINE | StdLib::UTF8 | StdLib::MATH;
        lua.load_std_libs(libraries).expect("libraries");
        super::super::stock::install(&lua).expect("functions");
        lua
    }

    const ORDER: &str = "
        local keys, names = {}, {}
        for i = 1, 40 do
            local key = i % 2 == 0 and {} or function() return i end
            keys[key], names[key] = true, i
        end
        for name, f in pairs(_G) do if type(f) == 'function' then keys[f], names[f] = true, name end end
        keys[_G], names[_G] = true, '_G'
        keys[coroutine], names[coroutine] = true, 'coroutine'
        local order = {}
        for key in pairs(keys) do order[#order + 1] = names[key] end
        return table.concat(order, ' ')";

    #[test]
    fn keys_that_are_objects_are_visited_in_one_order() {
        let order = |lua: &Lua| lua.load(ORDER).eval::<String>().expect("runs");
        let (one, other) = (state(8 << 20), state(8 << 20));
        let seen = order(&one);
        assert_eq!(order(&other), seen);
        drop(one);
        assert_eq!(order(&state(8 << 20)), seen);
        assert_eq!(std::thread::spawn(move || order(&state(8 << 20))).join().expect("no panic"), seen);
    }

    #[test]
    fn the_limit_holds_and_a_state_survives_it() {
        let lua = state(8 << 20);
        let error = lua.load("return ('x'):rep(9 << 20)").eval::<mlua::Value>().expect_err("too much");
        assert!(error.to_string().contains("not enough memory"), "{error}");
        let grow = "local t = {} while true do t[#t + 1] = {} end";
        assert!(lua.load(grow).exec().is_err());
        assert_eq!(lua.load("return #('x'):rep(1 << 20)").eval::<usize>().expect("there is room again"), 1 << 20);
    }

    #[test]
    fn the_account_of_mlua_is_known() {
        let lua = Lua::new_with(StdLib::NONE, LuaOptions::default()).expect("a state");
        lua.set_memory_limit(1 << 20).expect("a limit");
        let mut known = false;
        // SAFETY: only asks.
        unsafe {
            lua.exec_raw::<()>((), |state| {
                let mut data = null_mut();
                ffi::lua_getallocf(state, &raw mut data);
                known = known_account(data, bytes_in_use(state), 1 << 20).is_some();
            })
        }
        .expect("no error");
        assert!(known, "mlua keeps its account in another way now");
    }
}
